"""The objective of design: to make a cell, or what is done to it, better, without data."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import field_validator, model_validator

from cellwright.catalog.metrics import AfterCycles, ComposedMetric, CyclewiseMetric, StepwiseMetric, Voltage
from cellwright.catalog.named_models import AnyModel, SimulatedOptions, model_of, spec_of
from cellwright.catalog.objectives.protocol import AT as EXPERIMENT
from cellwright.catalog.objectives.protocol import Protocol, protocol_of
from cellwright.catalog.objectives.settings import MODE, ends_alone, model_mode, refuse, split_settings
from cellwright.errors import CellwrightError, ConfigurationError, Path, Problem
from cellwright.schema.actions import Action
from cellwright.schema.families import Objective, Regularizer
from cellwright.schema.metrics import Metric
from cellwright.schema.parameters import Origin, ParameterSet
from cellwright.schema.prepared import Simulated
from cellwright.schema.record import TIME
from cellwright.schema.results import Channels
from cellwright.schema.simulation import COURSE, Array, ExperimentProblem, ModelSpec, Simulate, Solved
from cellwright.schema.values import settled
from cellwright.schema.variant import Example, InvalidDocumentError, Leaf

SHOWN = ("Voltage [V]", "Current [A]")
"""The variables whose course is told where none are named."""
LIMITS = ("Lower voltage cut-off [V]", "Upper voltage cut-off [V]")
BEYOND = 1.0
"""By how much [V] PyBaMM lets the steps of an experiment go beyond the cut-offs."""
METRIC = " (metric)"
"""What follows the name of an action in the outputs that are the values of its metric; under the name is its score."""
TIGHT = {"rtol": 1e-6, "atol": 1e-8}
"""Tolerances of the solver, where none are given: a search compares designs that differ little."""


@dataclass(frozen=True)
class PreparedDesign(Simulated):
    """A built experiment whose metrics are judged by actions.

    What stands for the data tells goals from bounds: NaN of a goal, as nothing is there to compare it with, and 0 of a
    bound, which is not to be broken at all.
    """

    actions: Mapping[str, Action]
    steps: int
    """How many steps the experiment has."""

    def compared(self, solved: Solved) -> Solved:
        """Return the scores of the actions, and beside them the values of the metrics and what was recorded."""
        outputs = {name: values for name, values in solved.outputs.items() if name.endswith(COURSE)}
        there = {name: solved.outputs[name] for name in self.actions if name in solved.outputs}
        outputs |= {f"{name}{METRIC}": value for name, value in there.items()}
        outputs |= {name: self.actions[name].score(value) for name, value in there.items()}
        gaps = len(there) < len(self.actions) or any(np.isnan(value).any() for value in there.values())
        return Solved("failed" if gaps else solved.status, outputs, solved.message)

    @staticmethod
    def course(outputs: Mapping[str, Array]) -> Channels:
        """Return the variables over the whole experiment as channels of a series."""
        courses = {n.removesuffix(COURSE): values for n, values in outputs.items() if n.endswith(COURSE)}
        return {name if name == TIME else f"{name} (model)": values for name, values in courses.items()}


class DesignOptions(SimulatedOptions):
    """The model, what is done to it, and settings of its simulation.

    `experiment` is a PyBaMM experiment, or in a document a list of cycles; the value of a step may be the name of a
    parameter. `simulation_kwargs` as those of `CycleAgeing`.
    """

    model: AnyModel = None
    parameterized_model_id: str | None = None
    experiment: Any = None
    simulation_kwargs: dict[str, Any] | None = None


class DesignObjective(Objective):
    """Metrics of a simulated experiment that are to be large, small, above or below a value.

    `actions` are the metrics with what is asked of them (`cw.actions`), by name; in a document they stand in `options`,
    beside the `model` and the `experiment`. `constraints` are further actions, bounds alone, or conditions on the
    parameters. They are weighed by a `DesignFunction`.

    What is searched are parameters of the cell, among them thicknesses and radii, and parameters that are the values of
    steps: {"type": "current", "value": "Charging current [A]", …}. A design whose simulation fails, of which a metric
    has no value, or, unless `validate_against_experiment_steps` is off, whose experiment did not come to its end, is
    worse than any other.

    `output_variables_full` are the variables whose course over the experiment is told of the first and the best design;
    without it those of the metrics, voltage and current. Of long experiments `save_at_cycles` keeps the cycles named,
    counted from 0: a metric `by_cycle()` that names none is read of these.

    Source: Marler & Arora, Struct. Multidiscip. Optim. 26 (2004) 369, doi:10.1007/s00158-003-0368-6.
    """

    positional = (
        "actions", "constraints", "options", "callbacks", "custom_parameters", "cost",
        "validate_against_experiment_steps", "output_variables_full", "save_at_cycles", "penalties", "parameters",
    )  # fmt: skip
    example: ClassVar = Example(
        fields={
            "actions": {
                "energy": {"type": "Maximize", "metric": {"type": "Last", "variable": "Discharge energy [W.h]"}}
            },
            "options": {"model": "SPM", "experiment": [["Discharge at 1C until 2.5 V"]]},
        },
    )

    type: Literal["DesignObjective"] = "DesignObjective"
    actions: dict[str, Any]
    constraints: dict[str, Any] | list[Regularizer] | None = None
    options: dict[str, Any] | None = None
    validate_against_experiment_steps: bool = True
    output_variables_full: list[str] | None = None
    save_at_cycles: list[int] | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_options(cls, given: Any) -> Any:
        options = given.get("options") if isinstance(given, Mapping) else None
        if not isinstance(options, Mapping) or "actions" not in options or "actions" in given:
            return given
        rest = {name: value for name, value in options.items() if name != "actions"}
        return {**given, "actions": options["actions"], "options": rest or None}

    @field_validator("actions", mode="before")
    @classmethod
    def _settled(cls, given: Any) -> Any:
        return settled(given)

    @field_validator("constraints", mode="before")
    @classmethod
    def _settled_actions(cls, given: Any) -> Any:
        return settled(given) if isinstance(given, Mapping) else given

    @field_validator("options", mode="before")
    @classmethod
    def _settled_options(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return settled(given)
        model = given.get("model")
        live = {} if model is None or isinstance(model, str) else {"model": model_of(model)}
        return {**{name: settled(value) for name, value in given.items() if name not in live}, **live}

    def unimplemented(self) -> Iterator[Problem]:
        """Yield, with its place, everything that is not implemented yet."""
        yield from super().unimplemented()
        try:
            options = self._chosen()
        except CellwrightError:  # told when it is prepared
            return
        yield from (replace(problem, at=("options", *problem.at)) for problem in options.unimplemented())

    def prepare(self, p: ParameterSet, free: tuple[str, ...], simulate: Simulate) -> PreparedDesign:
        """Build the experiment.

        Raises: `ConfigurationError` for an action, a metric, a protocol or a setting that makes no sense; what
        `simulate` raises.
        """
        options = self._chosen()
        if options.model is None:
            raise InvalidDocumentError(
                "DesignObjective needs a model", at=("options", "model"), hint="for example options={'model': 'SPMe'}"
            )
        if options.experiment is None:
            raise ConfigurationError(
                "a design needs an experiment that tells it from others",
                at=EXPERIMENT,
                hint="for example [['Discharge at 1C until 2.5 V']]",
            )
        parameters = p.merge(self.parameters or {}, Origin("objective"))
        protocol = protocol_of(options.experiment)
        self._refuse_cycles(len(protocol.cycles))
        asked = self.asked()
        for at, one in asked.values():
            _refuse_what_is_not_there(one.metric, at, protocol, parameters)
        actions = {name: one for name, (_, one) in asked.items()}
        measures = {name: self._kept(one.metric) for name, one in actions.items()}
        settings, solve = split_settings(options.simulation_kwargs)
        refuse(solve, {"save_at_cycles": "a field of the objective says it"})
        mode = model_mode(settings.pop(MODE, None))
        courses = self._courses(measures)
        problem = ExperimentProblem(
            model=_tight(spec_of(options.model, settings, [*_read(measures), *courses])),
            parameters=parameters,
            cycles=protocol.cycles,
            measures=measures,
            conditions=protocol.conditions,
            free=tuple(name for name in free if name not in (self.parameters or {})),
            mode=mode,
            courses=courses,
            whole=self.validate_against_experiment_steps,
            kept=None if self.save_at_cycles is None else tuple(self.save_at_cycles),
            ends_alone=ends_alone(options.simulation_kwargs, measures),
        )
        try:
            simulation = simulate(problem)
        except CellwrightError as error:
            raise self._placed(error, measures) from None
        observed = {name: np.array([np.nan if one.goal else 0.0]) for name, one in actions.items()}
        return PreparedDesign(TIME, np.zeros(1), observed, simulation, actions, sum(map(len, protocol.cycles)))

    def asked(self) -> dict[str, tuple[Path, Action]]:
        """Return the actions and the constraints on metrics by name, each with its place.

        Raises: `ConfigurationError` for what is no action, for a constraint that is no bound, for a name given twice.
        """
        found: dict[str, tuple[Path, Action]] = {}
        constraints = self.constraints if isinstance(self.constraints, Mapping) else {}
        for field, given in (("actions", self.actions), ("constraints", constraints)):
            for name, value in given.items():
                at = (field, str(name))
                if name in found:
                    raise ConfigurationError(f"an action is called {name!r} too", at=at, hint="give it another name")
                try:
                    found[str(name)] = at, Action.parse(value)
                except CellwrightError as error:
                    raise error.within(*at) from None
                if field == "constraints" and found[str(name)][1].goal:
                    raise ConfigurationError(
                        f"a constraint is GreaterThan or LessThan, not {type(found[str(name)][1]).__name__}",
                        at=at,
                        hint="put it among the actions",
                    )
        if not found:
            raise ConfigurationError(
                "nothing is asked of the design",
                at=("actions",),
                hint="{'energy': Maximize(Last('Discharge energy …'))}",
            )
        return found

    def _chosen(self) -> DesignOptions:
        try:
            return DesignOptions(**(self.options or {}))
        except CellwrightError as error:
            raise error.within("options") from None

    def _refuse_cycles(self, count: int) -> None:
        """Make sure that the experiment has the cycles that are kept. Raises: `ConfigurationError`."""
        for number in self.save_at_cycles or ():
            if not 0 <= number < count:
                said = f"cycle {number} is to be kept, and the experiment has {count}, 0 to {count - 1}"
                raise ConfigurationError(said, at=("save_at_cycles",), hint="cycles count from 0")

    def _kept(self, metric: Metric) -> Metric:
        """Return the metric, which is read of the cycles that are kept where it names none."""
        if not self.save_at_cycles:
            return metric
        if isinstance(metric, CyclewiseMetric | AfterCycles) and metric.cycles is None:
            return metric.model_copy(update={"cycles": list(self.save_at_cycles)})
        if isinstance(metric, ComposedMetric):
            sides = {"left": metric.left, "right": metric.right}
            kept = {name: self._kept(side) for name, side in sides.items() if isinstance(side, Metric)}
            return metric.model_copy(update=kept)
        return metric

    def _courses(self, measures: Mapping[str, Metric]) -> tuple[str, ...]:
        if self.output_variables_full is not None:
            return tuple(dict.fromkeys(name for name in self.output_variables_full if name != TIME))
        return tuple(dict.fromkeys([*SHOWN, *sorted(_read(measures) - {TIME, "SOC"})]))

    def _placed(self, error: CellwrightError, measures: Mapping[str, Metric]) -> CellwrightError:
        """Return an error of a variable at the place where the variable is named."""
        variable = error.detail.get("variable")
        for name, (at, _) in self.asked().items():
            if variable in measures[name].variables:
                error.at = at
                return error
        if variable in (self.output_variables_full or ()):
            error.at = ("output_variables_full",)
        return error

    def _dump(self, leaf: Leaf) -> dict[str, Any]:
        config = super()._dump(leaf)
        actions = config.pop("actions")
        return {**config, "options": {**config.get("options", {}), "actions": actions}}


def _read(measures: Mapping[str, Metric]) -> set[str]:
    """Return the variables that metrics read."""
    return {name for one in measures.values() for name in one.variables}


def _tight(spec: ModelSpec) -> ModelSpec:
    """Return the model with tolerances, where it has none."""
    chosen = spec.settings.get("solver") is not None
    return spec if chosen else replace(spec, settings={**spec.settings, "solver": TIGHT})


def _refuse_what_is_not_there(metric: Metric, at: Path, protocol: Protocol, p: ParameterSet) -> None:
    """Make sure that the experiment has the steps and cycles that a metric reads, and the cell the voltages."""
    place = (*at, "metric")
    whole, cycles = sum(len(cycle) for cycle in protocol.cycles), len(protocol.cycles)
    shortest = min(len(cycle) for cycle in protocol.cycles)
    within = {id(one) for part in metric.parts() if isinstance(part, CyclewiseMetric) for one in part.metric.parts()}
    single = {id(one) for part in metric.parts() if isinstance(part, StepwiseMetric) for one in part.metric.parts()}
    for part in metric.parts():
        for number in getattr(part, "cycles", None) or ():
            if number >= cycles + isinstance(part, AfterCycles):
                said = f"cycle {number} is read, and the experiment has {cycles}, 0 to {cycles - 1}"
                raise ConfigurationError(said, at=place, hint="cycles count from 0")
        of_cycle = isinstance(part, CyclewiseMetric) or id(part) in within
        count = 1 if id(part) in single else shortest if of_cycle else whole
        named = getattr(part, "step", None)
        for step in [named] if named is not None else getattr(part, "steps", None) or ():
            if not -count <= step < count:
                of = "the shortest cycle" if of_cycle else "the experiment"
                said = f"step {step} is read, and {of} has {count}, 0 to {count - 1}"
                raise ConfigurationError(said, at=place, hint="steps count from 0")
        if isinstance(part, Voltage):
            low, high = (p.get(name) for name in LIMITS)
            if not (isinstance(low, float) and isinstance(high, float)):
                continue
            if not low - BEYOND <= part.value <= high + BEYOND:
                said = f"the voltage is never at {part.value:g} V: the cell's cut-offs are {low:g} and {high:g} V"
                raise ConfigurationError(said, at=place)
