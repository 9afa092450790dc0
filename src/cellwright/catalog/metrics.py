"""Metrics: numbers read from a simulated experiment (`cw.metrics`).

A metric reads a variable of the model over the whole experiment, or over one of its steps (`step`, counted from 0).
`by_cycle()` reads it in each cycle, there with `step` a step of the cycle; `by_step()` in each step. Metrics are added,
subtracted, multiplied, divided and made positive (`abs`) like numbers. The resistance of a pulse, in each cycle:

    abs(cw.metrics.Time("Voltage [V]", 1.0) - cw.metrics.First("Voltage [V]")) / abs(cw.metrics.Mean("Current [A]"))

with `.by_cycle(step=2)` behind it in brackets. Steps and cycles count from 0.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import field_validator, model_validator

from cellwright.errors import ConfigurationError
from cellwright.schema.metrics import Metric
from cellwright.schema.record import TIME, Array, Stretch
from cellwright.schema.variant import Example

__all__ = [
    "SOC",
    "AfterCycles",
    "ComposedMetric",
    "CyclewiseMetric",
    "First",
    "Last",
    "Maximum",
    "Mean",
    "Metric",
    "Minimum",
    "StepwiseMetric",
    "Sum",
    "Time",
    "Voltage",
]

NAN: Array = np.array(np.nan)
VOLTAGE_OF, SOC_OF = "Voltage [V]", "SOC"


class BaseMetric(Metric):
    """A number of one variable."""

    variable: str
    step: int | None = None

    @property
    def reads(self) -> tuple[str, ...]:
        """The variables of the model that this part reads."""
        return (self.variable,)

    def measure(self, stretch: Stretch) -> Array:
        """Return the value of the variable over the stretch, or over its step; NaN where it is not there."""
        part = stretch if self.step is None else stretch.of_step(self.step)
        return np.asarray(self.number(part) if any(step is not None for step in part.steps) else np.nan)

    def number(self, part: Stretch) -> float:
        """Return the number, NaN where the stretch did not come to its end and the number needs that."""
        raise self.not_yet()


class First(BaseMetric):
    """The value at the beginning: y(t_0).

    Source: Barai et al., Prog. Energy Combust. Sci. 72 (2019) 1, doi:10.1016/j.pecs.2019.01.001.
    """

    example: ClassVar = Example(fields={"variable": "Voltage [V]"})
    at_ends: ClassVar[bool] = True

    type: Literal["First"] = "First"

    def number(self, part: Stretch) -> float:
        """Return the first value."""
        return float(next(step for step in part.steps if step is not None)[self.variable][0])


class Last(BaseMetric):
    """The value at the end: y(t_1).

    Source: Barai et al., Prog. Energy Combust. Sci. 72 (2019) 1, doi:10.1016/j.pecs.2019.01.001.
    """

    example: ClassVar = Example(fields={"variable": "Discharge capacity [A.h]", "step": 0})
    at_ends: ClassVar[bool] = True

    type: Literal["Last"] = "Last"

    def number(self, part: Stretch) -> float:
        """Return the last value, NaN of what did not come to its end."""
        if not part.complete:
            return np.nan
        return float(next(step for step in reversed(part.steps) if step is not None)[self.variable][-1])


class Folded(BaseMetric):
    """A number of all recorded values."""

    def number(self, part: Stretch) -> float:
        """Return the number, NaN of what did not come to its end."""
        return self.folded(part.series(TIME), part.series(self.variable)) if part.complete else np.nan

    def folded(self, time: Array, values: Array) -> float:
        """Return the number of values at times [s]."""
        raise self.not_yet()


class Mean(Folded):
    """The mean over time: ∫ y dt / (t_1 - t_0), by the trapezoidal rule between the recorded times.

    It does not depend on how densely the solver recorded; a finer `period` of a step makes the rule more exact.

    Source: Press, Teukolsky, Vetterling & Flannery, Numerical Recipes (2007), section 4.1.
    """

    example: ClassVar = Example(fields={"variable": "Current [A]", "step": 1})

    type: Literal["Mean"] = "Mean"

    def folded(self, time: Array, values: Array) -> float:
        """Return the mean over time; of one recorded time its value."""
        duration = time[-1] - time[0]
        return float(np.trapezoid(values, time) / duration if duration > 0 else values.mean())


class Minimum(Folded):
    """The least recorded value.

    Source: Barai et al., Prog. Energy Combust. Sci. 72 (2019) 1, doi:10.1016/j.pecs.2019.01.001.
    """

    example: ClassVar = Example(fields={"variable": "Voltage [V]"})

    type: Literal["Minimum"] = "Minimum"

    def folded(self, time: Array, values: Array) -> float:
        """Return the least value."""
        return float(values.min())


class Maximum(Folded):
    """The greatest recorded value.

    Source: Barai et al., Prog. Energy Combust. Sci. 72 (2019) 1, doi:10.1016/j.pecs.2019.01.001.
    """

    example: ClassVar = Example(fields={"variable": "Volume-averaged cell temperature [K]"})

    type: Literal["Maximum"] = "Maximum"

    def folded(self, time: Array, values: Array) -> float:
        """Return the greatest value."""
        return float(values.max())


class Sum(Folded):
    """The sum of the recorded values: Σ y_i. It grows with their number, which the `period` of the steps sets.

    Source: Barai et al., Prog. Energy Combust. Sci. 72 (2019) 1, doi:10.1016/j.pecs.2019.01.001.
    """

    example: ClassVar = Example(fields={"variable": "Current [A]"})

    type: Literal["Sum"] = "Sum"

    def folded(self, time: Array, values: Array) -> float:
        """Return the sum."""
        return float(values.sum())


class Crossing(BaseMetric):
    """The value of a variable where another one first has a certain value, by linear interpolation."""

    positional = ("variable", "value", "step")
    across: ClassVar[str] = TIME

    value: float

    @property
    def reads(self) -> tuple[str, ...]:
        """The variables of the model that this part reads."""
        return self.variable, self.across

    def number(self, part: Stretch) -> float:
        """Return the value at the first crossing, NaN where there is none."""
        return crossing(self.measured_across(part), part.series(self.variable), self.value)

    def measured_across(self, part: Stretch) -> Array:
        """Return the values of the variable that is to be crossed."""
        return part.series(self.across)


class Time(Crossing):
    """The value of a variable at a time [s] after the beginning: y(t_0 + t).

    Source: Barai et al., Prog. Energy Combust. Sci. 72 (2019) 1, doi:10.1016/j.pecs.2019.01.001.
    """

    example: ClassVar = Example(fields={"variable": "Voltage [V]", "value": 1.0, "step": 2})

    type: Literal["Time"] = "Time"

    def measured_across(self, part: Stretch) -> Array:
        """Return the times [s] since the beginning."""
        time = part.series(TIME)
        return np.asarray(time - time[0])


class Voltage(Crossing):
    """The value of a variable where the voltage [V] is first at a given one.

    Source: Barai et al., Prog. Energy Combust. Sci. 72 (2019) 1, doi:10.1016/j.pecs.2019.01.001.
    """

    example: ClassVar = Example(fields={"variable": "Discharge capacity [A.h]", "value": 3.6})
    across: ClassVar[str] = VOLTAGE_OF

    type: Literal["Voltage"] = "Voltage"


class SOC(Crossing):
    """The value of a variable where the state of charge [-] is first at a given one, between 0 and 1.

    The state of charge is the place of the negative electrode's mean stoichiometry between those of the empty and the
    full cell, at its lower and upper voltage at rest, with the lithium that there was when the experiment began.

    Source: Barai et al., Prog. Energy Combust. Sci. 72 (2019) 1, doi:10.1016/j.pecs.2019.01.001.
    """

    example: ClassVar = Example(fields={"variable": "Time [s]", "value": 0.8})
    across: ClassVar[str] = SOC_OF

    type: Literal["SOC"] = "SOC"

    @field_validator("value")
    @classmethod
    def _fraction(cls, given: float) -> float:
        if not 0 <= given <= 1:
            raise ConfigurationError(f"a state of charge lies between 0 and 1, not at {given:g}")
        return given


class StepwiseMetric(Metric):
    """A metric of each step, or of the steps named, in order.

    Source: Barai et al., Prog. Energy Combust. Sci. 72 (2019) 1, doi:10.1016/j.pecs.2019.01.001.
    """

    example: ClassVar = Example(fields={"metric": {"type": "Last", "variable": "Voltage [V]"}, "steps": [0, 2]})
    at_ends: ClassVar[bool] = True

    type: Literal["StepwiseMetric"] = "StepwiseMetric"
    metric: Metric
    steps: list[int] | None = None

    def parts(self) -> Iterator[Metric]:
        """Yield the metric and all that it is made of."""
        yield self
        yield from self.metric.parts()

    def measure(self, stretch: Stretch) -> Array:
        """Return the values (steps,)."""
        steps = range(len(stretch.steps)) if self.steps is None else self.steps
        return np.array([float(self.metric.measure(stretch.of_step(step))) for step in steps])


class CyclewiseMetric(Metric):
    """A metric of each cycle, or of the cycles named; with `step` of that step of the cycle.

    Source: Barai et al., Prog. Energy Combust. Sci. 72 (2019) 1, doi:10.1016/j.pecs.2019.01.001.
    """

    example: ClassVar = Example(
        fields={"metric": {"type": "Last", "variable": "Discharge capacity [A.h]"}, "step": 0, "cycles": [0, 4]}
    )
    at_ends: ClassVar[bool] = True

    type: Literal["CyclewiseMetric"] = "CyclewiseMetric"
    metric: Metric
    step: int | None = None
    cycles: list[int] | None = None

    @field_validator("cycles")
    @classmethod
    def _from_zero(cls, given: list[int] | None) -> list[int] | None:
        return _checked(given)

    def parts(self) -> Iterator[Metric]:
        """Yield the metric and all that it is made of."""
        yield self
        yield from self.metric.parts()

    def numbers(self) -> frozenset[int] | None:
        """Return the cycles that are named; None where none are."""
        return None if self.cycles is None else frozenset(self.cycles)

    def measure(self, stretch: Stretch) -> Array:
        """Return the values (cycles,); of all cycles from the first to the last that was kept where none are named."""
        cycles = range(max(stretch.cycles, default=-1) + 1) if self.cycles is None else self.cycles
        return np.array([float(self.metric.measure(self._part(stretch.of_cycle(number)))) for number in cycles])

    def _part(self, cycle: Stretch) -> Stretch:
        return cycle if self.step is None else cycle.of_step(self.step)


class AfterCycles(Metric):
    """The value behind n whole cycles, of the fresh cell for n = 0, as PyBaMM tells the summary variables of a cycle.

    Source: Sulzer, Marquis, Timms, Robinson & Chapman, J. Open Res. Softw. 9 (2021) 14, doi:10.5334/jors.309.
    """

    example: ClassVar = Example(fields={"variable": "Loss of lithium inventory [%]", "cycles": [0, 100]})
    at_ends: ClassVar[bool] = True

    type: Literal["AfterCycles"] = "AfterCycles"
    variable: str
    cycles: list[int] | None = None

    @field_validator("cycles")
    @classmethod
    def _from_zero(cls, given: list[int] | None) -> list[int] | None:
        return _checked(given)

    @property
    def reads(self) -> tuple[str, ...]:
        """The variables of the model that this part reads."""
        return (self.variable,)

    def numbers(self) -> frozenset[int] | None:
        """Return the cycles at whose ends it looks; None where no cycles are named."""
        return None if self.cycles is None else frozenset(max(number - 1, 0) for number in self.cycles)

    def measure(self, stretch: Stretch) -> Array:
        """Return the values (cycles,); of all that were kept, and of the fresh cell before, where none are named."""
        cycles = range(max(stretch.cycles, default=-1) + 2) if self.cycles is None else self.cycles
        first, last = First(variable=self.variable), Last(variable=self.variable)
        values = [last.measure(stretch.of_cycle(n - 1)) if n else first.measure(stretch.of_cycle(0)) for n in cycles]
        return np.array(values, dtype=float)


def _checked(given: list[int] | None) -> list[int] | None:
    if given is not None and min(given, default=0) < 0:
        raise ConfigurationError(f"cycles count from 0, and {min(given)} is named")
    return given


OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "abs": lambda left, right: np.abs(left),
}


class ComposedMetric(Metric):
    """The sum, difference, product or quotient of two metrics, or of a metric and a number; or its absolute value.

    Where the divisor is 0 there is no value.

    Source: Barai et al., Prog. Energy Combust. Sci. 72 (2019) 1, doi:10.1016/j.pecs.2019.01.001.
    """

    example: ClassVar = Example(
        fields={
            "operation": "sub",
            "left": {"type": "Last", "variable": "Discharge capacity [A.h]"},
            "right": {"type": "First", "variable": "Discharge capacity [A.h]"},
        }
    )
    at_ends: ClassVar[bool] = True

    type: Literal["ComposedMetric"] = "ComposedMetric"
    operation: Literal["add", "sub", "mul", "div", "abs"]
    left: Metric | float
    right: Metric | float | None = None

    @field_validator("left", "right", mode="before")
    @classmethod
    def _metric_or_number(cls, given: Any) -> Any:
        return given if given is None or isinstance(given, int | float) else Metric.parse(given)

    @model_validator(mode="after")
    def _consistent(self) -> "ComposedMetric":
        if (self.right is None) is not (self.operation == "abs"):
            raise ConfigurationError(
                f"{self.operation!r} is an operation on {'one metric' if self.operation == 'abs' else 'two metrics'}",
                hint="abs has 'left' alone; add, sub, mul and div have 'left' and 'right'",
            )
        return self

    def parts(self) -> Iterator[Metric]:
        """Yield the metric and all that it is made of."""
        yield self
        for side in (self.left, self.right):
            if isinstance(side, Metric):
                yield from side.parts()

    def numbers(self) -> frozenset[int] | None:
        """Return the cycles that its parts name; None where one of them names none."""
        sides = [side.numbers() for side in (self.left, self.right) if isinstance(side, Metric)]
        named = [side for side in sides if side is not None]
        return frozenset().union(*named) if len(named) == len(sides) else None

    def measure(self, stretch: Stretch) -> Array:
        """Return the result, value by value."""
        left, right = (side.measure(stretch) if isinstance(side, Metric) else side for side in (self.left, self.right))
        with np.errstate(divide="ignore", invalid="ignore"):
            result = np.asarray(OPERATIONS[self.operation](left, right), dtype=float)
        return np.where(np.isfinite(result), result, np.nan)


def of_cycles(metric: Metric, cycles: Sequence[int]) -> Metric:
    """Return the metric with the cycles named at which it is wanted, in order.

    Raises: `ConfigurationError` for a metric that is no metric of cycles, or that names others.
    """
    if isinstance(metric, CyclewiseMetric | AfterCycles):
        if metric.cycles is not None and metric.cycles != list(cycles):
            raise ConfigurationError(
                f"the metric names the cycles {_listed(metric.cycles)}, and the data have values of {_listed(cycles)}",
                at=("cycles",),
                hint="leave the cycles out: those of the data are taken",
            )
        return metric.model_copy(update={"cycles": list(cycles)})
    if isinstance(metric, ComposedMetric):
        sides = {"left": metric.left, "right": metric.right}
        bound = {name: of_cycles(side, cycles) for name, side in sides.items() if isinstance(side, Metric)}
        return metric.model_copy(update=bound)
    raise ConfigurationError(
        f"the metric {type(metric).__name__!r} has one value, and one of each cycle is needed",
        hint="put .by_cycle() behind it; in a document {type: CyclewiseMetric, metric: …}",
    )


def _listed(numbers: Sequence[int]) -> str:
    shown = ", ".join(map(str, numbers[:6]))
    return f"{shown}, …" if len(numbers) > 6 else shown


def crossing(x: Array, y: Array, at: float) -> float:
    """Return y where x is first at a value, linear between the samples; NaN where x never is."""
    exact = np.flatnonzero(x == at)
    passed = np.flatnonzero((x[:-1] - at) * (x[1:] - at) < 0)
    if exact.size and (not passed.size or exact[0] <= passed[0]):
        return float(y[exact[0]])
    if not passed.size:
        return float("nan")
    i = passed[0]
    weight = (at - x[i]) / (x[i + 1] - x[i])
    return float(y[i] + weight * (y[i + 1] - y[i]))
