"""What is derived of a simulation, beside the same of what was measured; light enough to be sent to workers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from cellwright.schema.simulation import Array, Simulation, Solved

Derivation = Callable[[Mapping[str, Array]], Mapping[str, Array]]
"""From the outputs of a simulation to what is compared, each on `x`."""


@dataclass(frozen=True)
class PreparedDerivation:
    """A built simulation and what is derived of it, beside the same of what was measured."""

    x_name: str
    x: Array
    observed: Mapping[str, Array]
    simulation: Simulation
    derivation: Derivation
    needs_end: bool = True
    """Whether values are missing where the simulation ends early."""
    time_series: bool = True
    """Whether `x` runs along the measurement, rather than over its pulses."""

    @property
    def used(self) -> frozenset[str]:
        """The free parameters that act on the prediction."""
        return self.simulation.used

    @property
    def reads(self) -> frozenset[str]:
        """All parameters that were read."""
        return self.simulation.reads

    @property
    def portable(self) -> bool:
        """Whether the simulation can be sent to another process as it is."""
        return self.simulation.portable

    def thinned(self, points: Sequence[Mapping[str, float]]) -> "PreparedDerivation":
        """Return the same, simulated at as few times as give all of them at these points."""
        return replace(self, simulation=self.simulation.thinned(points))

    def predict(self, inputs: Mapping[str, float]) -> Solved:
        """Return what is derived of the simulation at these inputs."""
        return self.predict_many([inputs])[0]

    def predict_many(self, points: Sequence[Mapping[str, float]]) -> list[Solved]:
        """Return what is derived of the simulation at each of the points."""
        return [self._derived(solved) for solved in self.simulation.solve_many(points)]

    def _derived(self, solved: Solved) -> Solved:
        if not solved.outputs:
            return solved
        status = "solved" if solved.status == "ended early" and not self.needs_end else solved.status
        return Solved(status, self.derivation(solved.outputs), solved.message)
