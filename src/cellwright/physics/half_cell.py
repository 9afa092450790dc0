"""One electrode against lithium: the stoichiometry at a potential and at a state of charge."""

from collections.abc import Callable
from typing import Any

from cellwright.errors import ConfigurationError
from cellwright.physics.windows import EDGE, root

LOWEST, HIGHEST = -1.0, 6.0
"""Potentials against lithium [V] between which a lithiation is inverted."""

MARGIN = 0.01
"""Stoichiometry beyond the ends of a table up to which its end pieces are trusted."""


def stoichiometry_at_potential(U: Callable[[Any], Any], voltage: float) -> float:
    """Return the stoichiometry θ [-] at which an open-circuit potential U(θ) [V] that falls with θ has a value [V].

    Of a table, one with `ends`, it is looked for in and near the table first: far beyond it a cubic piece goes astray.

    Raises: `ConfigurationError` where the potential does not reach it between 0 and 1.
    """

    def excess(theta: float) -> float:
        return float(U(theta)) - voltage

    ends = getattr(U, "ends", None)
    near = [] if ends is None else [(max(ends[0] - MARGIN, EDGE), min(ends[1] + MARGIN, 1 - EDGE))]
    for empty, full in (*near, (EDGE, 1 - EDGE)):
        high, low = excess(empty), excess(full)
        if high >= 0 >= low:
            return root(excess, empty, full)
    raise ConfigurationError(
        f"the electrode does not reach {voltage:g} V: its open-circuit potential goes from {high + voltage:.4g} V "
        f"at stoichiometry 0 to {low + voltage:.4g} V at 1",
        hint="look at the voltage and the potential",
    )


def stoichiometry_at_soc(U: Callable[[Any], Any], V_min: float, V_max: float, soc: float) -> float:
    """Return the stoichiometry θ [-] at a state of charge between 0 (at V_min) and 1 (at V_max, in V).

    θ = θ(V_min) + z (θ(V_max) - θ(V_min)): a full electrode is one without lithium.

    Raises: `ConfigurationError` where the potential does not reach a limit.
    """
    empty, full = (stoichiometry_at_potential(U, voltage) for voltage in (V_min, V_max))
    return empty + soc * (full - empty)


def potential_at_stoichiometry(x: Callable[[Any], Any], stoichiometry: float) -> float:
    """Return the potential U [V], between `LOWEST` and `HIGHEST`, of a lithiation x(U) that falls with U.

    Raises: `ConfigurationError` where the lithiation does not reach it.
    """

    def excess(voltage: float) -> float:
        return float(x(voltage)) - stoichiometry

    most, least = excess(LOWEST), excess(HIGHEST)
    if not most >= 0 >= least:
        raise ConfigurationError(
            f"the lithiation does not reach {stoichiometry:.6g}: it goes from {most + stoichiometry:.4g} at "
            f"{LOWEST:g} V to {least + stoichiometry:.4g} at {HIGHEST:g} V",
            hint="look at the initial concentration and the lithiation",
        )
    return root(excess, LOWEST, HIGHEST)
