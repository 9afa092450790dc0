"""Stoichiometry windows of a full cell: where each electrode stands at a voltage or a state of charge.

With U_n, U_p the open-circuit potentials [V] of the stoichiometries θ_n, θ_p [-], Q_n, Q_p the electrode capacities
[A.h] and Q_Li = θ_n Q_n + θ_p Q_p the cyclable lithium [A.h], the open-circuit voltage V = U_p(θ_p) - U_n(θ_n) is a
monotone function of θ_n alone, and each state is one bracketed root.

Source: Mohtat, Lee, Siegel & Stefanopoulou, J. Power Sources 427 (2019) 101, doi:10.1016/j.jpowsour.2019.03.104.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cellwright.errors import ConfigurationError

Potential = Callable[[Any], Any]
EDGE = 1e-6
"""How close to 0 and 1 a stoichiometry is looked for; potentials may be singular at the ends."""
TOLERANCE = 1e-14
SAMPLES = 100
"""At how many states a root is looked for where the ends do not enclose it."""


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
    the one whose window has that capacity. Where two amounts have it, it is the smaller one, with which the negative
    electrode ends the discharge, as in a cell that lost lithium in formation.

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
    if not at_low <= 0 <= at_high:
        raise ConfigurationError(
            f"the cell does not reach {voltage:g} V: with Q_n = {Q_n:.4g}, Q_p = {Q_p:.4g} and Q_Li = {Q_Li:.4g} A.h "
            f"its open-circuit voltage goes from {at_low + voltage:.4g} to {at_high + voltage:.4g} V",
            hint="look at the capacities, the cyclable lithium and the range of the potentials",
        )
    n = root(excess, low, high)
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
    """Return the least cyclable lithium [A.h] with which a window has the capacity `Q_cell`.

    Along the states of `V_max` the discharge by `Q_cell` ends at a voltage that is compared with `V_min`. It rises with
    θ_n while the negative electrode ends the discharge, and may fall again where the positive one does.
    """
    _positive(Q_cell=Q_cell)
    if Q_cell >= min(Q_n, Q_p):
        raise ConfigurationError(f"a cell of {Q_cell:.4g} A.h does not fit electrodes of {Q_n:.4g} and {Q_p:.4g} A.h")

    def positive_at_full(n: float) -> float:
        target = float(U_n(n)) + V_max
        if float(U_p(EDGE)) <= target:
            return EDGE
        if float(U_p(1 - EDGE)) >= target:
            return 1 - EDGE
        return root(lambda p: float(U_p(p)) - target, EDGE, 1 - EDGE)

    def excess(n: float) -> float:
        empty = min(positive_at_full(n) + Q_cell / Q_p, 1 - EDGE)
        return float(U_p(empty) - U_n(n - Q_cell / Q_n)) - V_min

    none = ConfigurationError(
        f"no amount of lithium gives the cell {Q_cell:.4g} A.h between {V_min:g} and {V_max:g} V with electrodes "
        f"of {Q_n:.4g} and {Q_p:.4g} A.h",
        hint="look at the capacities and the voltage limits",
    )
    # The positive electrode is at U_n + V_max where the cell is full, and has room for the discharge.
    most, least = float(U_p(EDGE)) - V_max, float(U_p(max(1 - EDGE - Q_cell / Q_p, EDGE))) - V_max
    low, high = Q_cell / Q_n + EDGE, 1 - EDGE
    first, last = float(U_n(low)), float(U_n(high))
    if low >= high or first < least or last > most:
        raise none
    if first > most:
        low, high = root(lambda n: float(U_n(n)) - most, low, high), high
    if last < least:
        high = root(lambda n: float(U_n(n)) - least, low, high)
    steps = [low + (high - low) * i / SAMPLES for i in range(SAMPLES + 1)]
    at_low = excess(low)
    beyond = next((n for n in (high, *steps) if excess(n) * at_low <= 0), None)
    if beyond is None:
        raise none
    n100 = root(excess, low, beyond)
    return n100 * Q_n + positive_at_full(n100) * Q_p


def root(function: Callable[[float], float], low: float, high: float) -> float:
    """Return the root between two ends of opposite sign, to the last digits.

    Raises: `ConfigurationError` where the function is no number on the way.
    """
    from scipy.optimize import brentq

    def number(x: float) -> float:
        value = function(x)
        if math.isnan(value):
            raise ConfigurationError(
                f"a potential has no value between {low:.6g} and {high:.6g}: it is NaN at {x:.6g}",
                hint="look at the formula of the potential and at the range in which it holds",
            )
        return value

    return float(brentq(number, low, high, xtol=TOLERANCE, rtol=8.9e-16))


def _positive(**quantities: float) -> None:
    for name, value in quantities.items():
        if not value > 0:
            raise ConfigurationError(f"{name} is {value:g} A.h, and a capacity is positive")
