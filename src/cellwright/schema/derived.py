"""What is derived of a simulation, beside the same of what was measured; light enough to be sent to workers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cellwright.schema.prepared import Simulated
from cellwright.schema.simulation import Array, Solved

Derivation = Callable[[Mapping[str, Array]], Mapping[str, Array]]
"""From the outputs of a simulation to what is compared, each on `x`."""


@dataclass(frozen=True)
class PreparedDerivation(Simulated):
    """What is derived of a simulation's outputs."""

    derivation: Derivation
    needs_end: bool = True
    """Whether values are missing where the simulation ends early."""
    time_series: bool = True
    """Whether `x` runs along the measurement, rather than over its pulses."""

    def compared(self, solved: Solved) -> Solved:
        """Return what is derived of the outputs."""
        if not solved.outputs:
            return solved
        status = "solved" if solved.status == "ended early" and not self.needs_end else solved.status
        return Solved(status, self.derivation(solved.outputs), solved.message)
