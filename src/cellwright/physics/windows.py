"""Stoichiometry windows of a full cell: where each electrode stands at a voltage or a state of charge.

With U_n, U_p the open-circuit potentials [V] of the stoichiometries θ_n, θ_p [-], Q_n, Q_p the electrode capacities
[A.h] and Q_Li = θ_n Q_n + θ_p Q_p the cyclable lithium [A.h], the open-circuit voltage V = U_p(θ_p) - U_n(θ_n) is a
monotone function of θ_n alone, and each state is one bracketed root.

Source: Mohtat, Lee, Siegel & Stefanopoulou, J. Power Sources 427 (2019) 101, doi:10.1016/j.jpowsour.2019.03.104.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cellwright.errors import ConfigurationError

Potential = Callable[[Any], Any]
EDGE = 1e-6
"""How close to 0 and 1 a stoichiometry is looked for; potentials may be singular at the ends."""
TOLERANCE = 1e-14


@dataclass(frozen=True)
class Window:
    """Stoichiometries at 0 and 100 % state of charge, and the capacity [A.h] between them."""

    n0: float
    n100: float
    p0: float
    p100: float
    capacity: float


def stoichiometry_window(
    U_n: Potential,
    U_p: Potential,
    Q_n: float,
    Q_p: float,
    V_min: float,
    V_max: float,
    *,
    Q_Li: float | None = None,
    Q_cell: float | None = None,
) -> Window:
    """Return the window between the open-circuit voltages `V_min` and `V_max` [V].

    Give either the cyclable lithium `Q_Li` [A.h] or the cell's capacity `Q_cell` [A.h]; with the latter the lithium is
    the one whose window has that capacity.

    Raises: `ConfigurationError` for capacities or voltages that are not positive and ordered, and where the window does
    not reach a voltage.
    """
    _positive(Q_n=Q_n, Q_p=Q_p)
    if not V_min < V_max:
        raise ConfigurationError(f"the voltage limits are upside down: {V_min:g} V is not below {V_max:g} V")
    if (Q_Li is None) == (Q_cell is None):
        raise ConfigurationError("give the cyclable lithium or the capacity of the cell, one of both")
    lithium = Q_Li if Q_Li is not None else _lithium_of(U_n, U_p, Q_n, Q_p, V_min, V_max, float(Q_cell or 0.0))
    n100, p100 = stoichiometries_at_voltage(U_n, U_p, Q_n, Q_p, lithium, V_max)
    n0, p0 = stoichiometries_at_voltage(U_n, U_p, Q_n, Q_p, lithium, V_min)
    return Window(n0, n100, p0, p100, Q_n * (n100 - n0))


def stoichiometries_at_voltage(
    U_n: Potential, U_p: Potential, Q_n: float, Q_p: float, Q_Li: float, voltage: float
) -> tuple[float, float]:
    """Return θ_n and θ_p at an open-circuit voltage [V].

    Raises: `ConfigurationError` where the cell does not reach that voltage with this much lithium.
    """
    _positive(Q_n=Q_n, Q_p=Q_p, Q_Li=Q_Li)
    low, high = _reach(Q_n, Q_p, Q_Li)

    def excess(n: float) -> float:
        return float(U_p((Q_Li - n * Q_n) / Q_p) - U_n(n)) - voltage

    at_low, at_high = excess(low), excess(high)
    if at_low > 0 or at_high < 0:
        raise ConfigurationError(
            f"the cell does not reach {voltage:g} V: with Q_n = {Q_n:.4g}, Q_p = {Q_p:.4g} and Q_Li = {Q_Li:.4g} A.h "
            f"its open-circuit voltage goes from {at_low + voltage:.4g} to {at_high + voltage:.4g} V",
            hint="look at the capacities, the cyclable lithium and the range of the potentials",
        )
    n = _root(excess, low, high)
    return n, (Q_Li - n * Q_n) / Q_p


def stoichiometries_at_soc(window: Window, soc: float) -> tuple[float, float]:
    """Return θ_n and θ_p at a state of charge between 0 and 1."""
    return window.n0 + soc * (window.n100 - window.n0), window.p0 + soc * (window.p100 - window.p0)


def _reach(Q_n: float, Q_p: float, Q_Li: float) -> tuple[float, float]:
    """Return the range of θ_n in which both stoichiometries lie between 0 and 1."""
    low = max(EDGE, (Q_Li - (1 - EDGE) * Q_p) / Q_n)
    high = min(1 - EDGE, (Q_Li - EDGE * Q_p) / Q_n)
    if low >= high:
        raise ConfigurationError(
            f"{Q_Li:.4g} A.h of cyclable lithium do not fit electrodes of {Q_n:.4g} and {Q_p:.4g} A.h",
        )
    return low, high


def _lithium_of(
    U_n: Potential, U_p: Potential, Q_n: float, Q_p: float, V_min: float, V_max: float, Q_cell: float
) -> float:
    """Return the cyclable lithium [A.h] with which a window has the capacity `Q_cell`.

    Along the states of `V_max` the discharge by `Q_cell` ends at a voltage that is compared with `V_min`.
    """
    _positive(Q_cell=Q_cell)
    if Q_cell >= min(Q_n, Q_p):
        raise ConfigurationError(f"a cell of {Q_cell:.4g} A.h does not fit electrodes of {Q_n:.4g} and {Q_p:.4g} A.h")

    def positive_at_full(n: float) -> float:
        target = float(U_n(n)) + V_max
        return _root(lambda p: float(U_p(p)) - target, EDGE, 1 - EDGE)

    def excess(n: float) -> float:
        empty = positive_at_full(n) + Q_cell / Q_p
        return float(U_p(min(empty, 1.0)) - U_n(n - Q_cell / Q_n)) - V_min

    low, high = Q_cell / Q_n + EDGE, 1 - EDGE
    try:
        n100 = _root(excess, low, high)
    except ValueError:
        raise ConfigurationError(
            f"no amount of lithium gives the cell {Q_cell:.4g} A.h between {V_min:g} and {V_max:g} V with electrodes "
            f"of {Q_n:.4g} and {Q_p:.4g} A.h",
            hint="look at the capacities and the voltage limits",
        ) from None
    return n100 * Q_n + positive_at_full(n100) * Q_p


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    """Return the root between two ends of opposite sign, to the last digits; `ValueError` where there is none."""
    from scipy.optimize import brentq

    return float(brentq(function, low, high, xtol=TOLERANCE, rtol=8.9e-16))


def _positive(**quantities: float) -> None:
    for name, value in quantities.items():
        if not value > 0:
            raise ConfigurationError(f"{name} is {value:g} A.h, and a capacity is positive")
