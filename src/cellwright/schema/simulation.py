"""What an objective asks of a model: a simulation as a value, and the shape of its answer.

These are the words between objectives (which know measurements) and `cellwright.models` (which knows PyBaMM).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from cellwright.schema.live_model import LiveModel
from cellwright.schema.parameters import ParameterSet

if TYPE_CHECKING:  # a worker whose models come built reads no metrics
    from cellwright.schema.metrics import Metric

Array = NDArray[np.float64]
COURSE = " (course)"
"""What follows the name of a variable whose values over a whole experiment are an output, `Time [s]` among them."""
FREQUENCY = "Frequency [Hz]"
IMPEDANCE = ("Z_Re [Ohm]", "Z_Im [Ohm]")
"""Real and imaginary part; the imaginary one is negative where the cell is capacitive."""
OWN = "cellwright"
"""The module of the models of our own."""
SolveStatus = Literal["solved", "ended early", "failed", "time limit", "crashed"]
"""`ended early`: an event stopped it; the first output time behind has the value of the end, the rest is NaN."""


@dataclass(frozen=True)
class ModelSpec:
    """A model by name and options, as PyBaMM's constructors take them (`SPMe`, {"thermal": "lumped"})."""

    type: str
    options: Mapping[str, Any] = field(default_factory=dict)
    module: str = "lithium_ion"
    """The module of PyBaMM that it is in, or `OWN`."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Simulation settings: `var_pts`, `submesh_types`, `spatial_methods`, `geometry`, `solver`."""
    live: LiveModel | None = None
    """The model itself, where its name and options do not tell what it is."""
    own_settings: frozenset[str] = frozenset()
    """Those of the settings that came with the model, and not with what it is simulated for."""

    def said(self) -> dict[str, Any]:
        """Return all that tells the model from others, for digests."""
        told = {name: value for name, value in vars(self).items() if name != "own_settings"}
        return {**told, "live": self.live and self.live.digest}


@dataclass(frozen=True)
class SimulationProblem:
    """A current-driven simulation whose free parameters are inputs.

    `time` and `current` are the knots [s], [A] of the piecewise linear current (positive on discharge),
    `output_times` [s] where `variables` are wanted, `voltage` [V] the open-circuit voltage to start from where the
    parameters name no initial state, `free` the parameters that become inputs of each solve.
    """

    model: ModelSpec
    parameters: ParameterSet
    time: Array
    current: Array
    output_times: Array
    variables: tuple[str, ...]
    free: tuple[str, ...] = ()
    initial_voltage: float | None = None
    initial_current: float = 0.0
    """The current [A] that flowed at that voltage; with one it is no open-circuit voltage."""
    voltage_window: tuple[float, float] | None = None
    """Voltages [V] at which the simulation ends early; the parameters' own cut-offs do not end it."""
    exact: bool = False
    """Whether small differences of outputs count, so that every output time is evaluated and none interpolated."""


@dataclass(frozen=True)
class ImpedanceProblem:
    """The impedance of a model at rest in its initial state, whose free parameters are inputs.

    `frequencies` [Hz] in any order; the outputs are `IMPEDANCE` at each of them. The initial state comes about as that
    of a simulation.
    """

    model: ModelSpec
    parameters: ParameterSet
    frequencies: Array
    free: tuple[str, ...] = ()
    initial_voltage: float | None = None


@dataclass(frozen=True)
class ExperimentProblem:
    """A cycling experiment whose free parameters are inputs.

    `cycles` of steps, each in the words or the JSON form that PyBaMM has for it; `conditions` of the whole, of which
    there are `period`, `temperature` and `termination`. The outputs are the `measures` by name. The variables that
    `summaries` names have to be summary variables of the model.
    """

    model: ModelSpec
    parameters: ParameterSet
    cycles: tuple[tuple[Any, ...], ...]
    measures: "Mapping[str, Metric]"
    conditions: Mapping[str, Any] = field(default_factory=dict)
    joined: tuple[tuple[int, ...], ...] = ()
    """How many steps of each cycle count as one, in order; where it is empty, each step counts."""
    summaries: tuple[str, ...] = ()
    free: tuple[str, ...] = ()
    mode: Literal["unified", "legacy"] = "unified"
    """One model for all steps, or one for each."""
    courses: tuple[str, ...] = ()
    """Variables that are told over the whole experiment, too, as long as the simulation is not thinned."""
    whole: bool = False
    """Whether an experiment that did not come to its end has failed; else what it did reach has a value."""
    kept: tuple[int, ...] | None = None
    """The cycles whose steps are kept beside those that the measures name; None: all where a measure needs them."""
    ends_alone: bool | None = None
    """Whether only the first and the last moment of each step are recorded; None: where the measures allow it."""


Problem = SimulationProblem | ImpedanceProblem | ExperimentProblem
"""What can be asked of a model."""


@dataclass(frozen=True)
class Solved:
    """The answer of one solve: `outputs[variable]` has the length of `output_times`, or of `frequencies`."""

    status: SolveStatus
    outputs: Mapping[str, Array] = field(default_factory=dict)
    message: str = ""


class Simulation(Protocol):
    """A built model, solved many times."""

    @property
    def used(self) -> frozenset[str]:
        """The free parameters that the model or its initial state depends on."""
        ...

    @property
    def reads(self) -> frozenset[str]:
        """The names of all parameters that the model, its current and its initial state read."""
        ...

    @property
    def doubts(self) -> Sequence[str]:
        """What is to be taken with care of how it begins."""
        ...

    @property
    def portable(self) -> bool:
        """Whether it can be pickled and used in a process that does not know PyBaMM."""
        ...

    def solve(self, inputs: Mapping[str, float]) -> Solved:
        """Return the outputs at these values of the free parameters. A failed solve is a status, never raised."""
        ...

    def thinned(self, points: Sequence[Mapping[str, float]]) -> Self:
        """Return the same simulation, evaluated at as few of its output times as give them all at these points.

        It returns itself where there is nothing to thin.
        """
        ...

    def solve_many(self, points: Sequence[Mapping[str, float]]) -> list[Solved]:
        """Return the outputs at each of the points, solved on all threads that this process may use."""
        ...


class Simulate(Protocol):
    """Turns a problem into a built model."""

    def __call__(self, problem: Problem) -> Simulation:
        """Build the model; nothing is integrated.

        Raises: `ConfigurationError` for an unknown model or option, `MissingParameterError` naming every parameter
        that the model lacks (`detail["missing"]`), `SolverError` where PyBaMM cannot build it.
        """
        ...


Points = Sequence[Mapping[str, float]]
