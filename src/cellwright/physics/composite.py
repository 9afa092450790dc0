"""Electrodes of several active materials, which share one potential."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from cellwright.errors import ConfigurationError
from cellwright.physics.windows import EDGE, TOLERANCE


@dataclass(frozen=True)
class Phase:
    """One active material: its open-circuit potential U(θ) [V], which falls with θ, and its capacity [A.h]."""

    potential: Callable[[Any], Any]
    capacity: float

    def stoichiometry(self, voltage: float) -> float:
        """Return θ [-] at a potential [V]; beyond what the material reaches it is empty or full."""
        from scipy.optimize import brentq

        def excess(theta: float) -> float:
            return float(self.potential(theta)) - voltage

        if excess(EDGE) <= 0:
            return EDGE
        if excess(1 - EDGE) >= 0:
            return 1 - EDGE
        return float(brentq(excess, EDGE, 1 - EDGE, xtol=TOLERANCE, rtol=8.9e-16))


def stoichiometries_at_charge(phases: Sequence[Phase], charge: float, limits: tuple[float, float]) -> list[float]:
    """Return the stoichiometry [-] of each phase where together they hold a charge [A.h] of lithium.

    Σ_i Q_i θ_i(U) = charge, with the shared potential U between `limits` [V].

    Raises: `ConfigurationError` where they do not hold it between the limits.
    """
    from scipy.optimize import brentq

    def held(voltage: float) -> float:
        return sum(phase.capacity * phase.stoichiometry(voltage) for phase in phases)

    low, high = limits
    most, least = held(low), held(high)
    if not least <= charge <= most:
        raise ConfigurationError(
            f"its phases hold {least:.4g} to {most:.4g} A.h between {high:g} and {low:g} V, and {charge:.4g} A.h are "
            f"wanted",
            hint="look at the capacities, the excess, the usable capacity and the voltage limits",
        )
    voltage = brentq(lambda voltage: held(voltage) - charge, low, high, xtol=TOLERANCE, rtol=8.9e-16)
    return [phase.stoichiometry(voltage) for phase in phases]
