"""Electrodes of several active materials, which share one potential."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from cellwright.errors import ConfigurationError
from cellwright.physics.windows import EDGE, root

BALANCE = 1e-6
"""Share of the lithium that a state may miss; a potential that is flat or rises leaves more."""


@dataclass(frozen=True)
class Phase:
    """One active material: its open-circuit potential U(θ) [V], which falls with θ, and its capacity [A.h]."""

    potential: Callable[[Any], Any]
    capacity: float

    def stoichiometry(self, voltage: float) -> float:
        """Return θ [-] at a potential [V]; beyond what the material reaches it is empty or full."""

        def excess(theta: float) -> float:
            return float(self.potential(theta)) - voltage

        if excess(EDGE) <= 0:
            return EDGE
        if excess(1 - EDGE) >= 0:
            return 1 - EDGE
        return root(excess, EDGE, 1 - EDGE)


def stoichiometries_at_charge(phases: Sequence[Phase], charge: float, limits: tuple[float, float]) -> list[float]:
    """Return the stoichiometry [-] of each phase where together they hold a charge [A.h] of lithium.

    Σ_i Q_i θ_i(U) = charge, with the shared potential U between `limits` [V].

    Raises: `ConfigurationError` for limits that are upside down, and where they do not hold it between them.
    """
    low, high = limits
    if not low < high:
        raise ConfigurationError(f"the voltage limits are upside down: {low:g} V is not below {high:g} V")
    most, least = held(phases, low), held(phases, high)
    edge = EDGE * sum(phase.capacity for phase in phases)
    if not least - edge <= charge <= most + edge:
        raise ConfigurationError(
            f"its phases hold {least:.4g} to {most:.4g} A.h between {high:g} and {low:g} V, and {charge:.4g} A.h are "
            f"wanted",
            hint="look at the capacities, the excess, the usable capacity and the voltage limits",
        )
    within = min(max(charge, least), most)
    voltage = root(lambda voltage: held(phases, voltage) - within, low, high)
    return [phase.stoichiometry(voltage) for phase in phases]


def stoichiometries_at_cell_voltage(
    negative: Sequence[Phase], positive: Sequence[Phase], Q_Li: float, voltage: float
) -> tuple[list[float], list[float]]:
    """Return the stoichiometries [-] of the phases of both electrodes at an open-circuit voltage V [V].

    Σ_i Q_i θ_i(U) + Σ_j Q_j θ_j(U + V) = Q_Li [A.h], with U the shared potential of the negative electrode: the left
    side falls with U, and U is a bracketed root.

    Raises: `ConfigurationError` where the cell does not reach that voltage with this much lithium.
    """
    (n_low, n_high), (p_low, p_high) = reach(negative), reach(positive)
    low, high = max(n_low, p_low - voltage), min(n_high, p_high - voltage)

    def excess(U: float) -> float:
        return held(negative, U) + held(positive, U + voltage) - Q_Li

    if not low < high:
        raise ConfigurationError(
            f"the cell does not reach {voltage:g} V: its electrodes go from {n_low:.4g} to {n_high:.4g} V and from "
            f"{p_low:.4g} to {p_high:.4g} V",
            hint="look at the voltage limits and the range of the potentials",
        )
    most, least = excess(low), excess(high)
    if not least <= 0 <= most:
        raise ConfigurationError(
            f"the cell does not reach {voltage:g} V: there its electrodes hold {least + Q_Li:.4g} to "
            f"{most + Q_Li:.4g} A.h of lithium, and {Q_Li:.4g} A.h are cycled",
            hint="look at the capacities, the cyclable lithium and the range of the potentials",
        )
    U = root(excess, low, high)
    if abs(excess(U)) > BALANCE * Q_Li:
        raise ConfigurationError(
            f"no state of the cell at {voltage:g} V has {Q_Li:.4g} A.h of lithium: a potential is flat or rises where "
            f"the negative electrode is at {U:.4g} V",
            hint="open-circuit potentials fall with the stoichiometry; smooth them",
        )
    return [phase.stoichiometry(U) for phase in negative], [phase.stoichiometry(U + voltage) for phase in positive]


def held(phases: Sequence[Phase], voltage: float) -> float:
    """Return the lithium [A.h] in phases that share a potential [V]."""
    return sum(phase.capacity * phase.stoichiometry(voltage) for phase in phases)


def reach(phases: Sequence[Phase]) -> tuple[float, float]:
    """Return the potentials [V] at which the last phase is full and the last is empty."""
    ends = [(float(phase.potential(1 - EDGE)), float(phase.potential(EDGE))) for phase in phases]
    return min(low for low, _ in ends), max(high for _, high in ends)
