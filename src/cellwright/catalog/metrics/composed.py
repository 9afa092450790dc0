"""Metrics made of others: of each step, of each cycle, by arithmetic."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import field_validator, model_validator

from cellwright.catalog.metrics.variables import First, Last
from cellwright.errors import ConfigurationError
from cellwright.schema.metrics import Metric
from cellwright.schema.names import unit_of
from cellwright.schema.record import Array, Stretch
from cellwright.schema.variant import Example


class StepwiseMetric(Metric):
    """A metric of each step, or of the steps named, in order.

    Source: Barai et al., Prog. Energy Combust. Sci. 72 (2019) 1, doi:10.1016/j.pecs.2019.01.001.
    """

    example: ClassVar = Example(fields={"metric": {"type": "Last", "variable": "Voltage [V]"}, "steps": [0, 2]})
    at_ends: ClassVar[bool] = True

    type: Literal["StepwiseMetric"] = "StepwiseMetric"
    metric: Metric
    steps: list[int] | None = None

    @field_validator("steps")
    @classmethod
    def _some(cls, given: list[int] | None) -> list[int] | None:
        if given == []:
            raise ConfigurationError("no step is named", hint="leave the steps out to read all")
        return given

    def parts(self) -> Iterator[Metric]:
        """Yield the metric and all that it is made of."""
        yield self
        yield from self.metric.parts()

    @property
    def unit(self) -> str | None:
        """The unit of the metric."""
        return self.metric.unit

    def gap(self, stretch: Stretch) -> str:
        """Return why the first step without a value has none."""
        steps = range(len(stretch.steps)) if self.steps is None else self.steps
        found = (self.metric.gap(stretch.of_step(step)) for step in steps)
        return next((f"of step {step}: {gap}" for step, gap in zip(steps, found, strict=True) if gap), "")

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
        cycles = self._cycles(stretch)
        return np.array([float(self.metric.measure(self._part(stretch.of_cycle(number)))) for number in cycles])

    @property
    def unit(self) -> str | None:
        """The unit of the metric."""
        return self.metric.unit

    def gap(self, stretch: Stretch) -> str:
        """Return why the first cycle without a value has none."""
        cycles = self._cycles(stretch)
        found = (self.metric.gap(self._part(stretch.of_cycle(number))) for number in cycles)
        return next((f"of cycle {number}: {gap}" for number, gap in zip(cycles, found, strict=True) if gap), "")

    def _cycles(self, stretch: Stretch) -> Sequence[int]:
        return range(max(stretch.cycles, default=-1) + 1) if self.cycles is None else self.cycles

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

    @property
    def unit(self) -> str | None:
        """The unit of the variable."""
        return unit_of(self.variable)

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
    if given == []:
        raise ConfigurationError("no cycle is named", hint="leave the cycles out to read all")
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

    @property
    def unit(self) -> str | None:
        """The unit of the result: `W.h.kg-1` of an energy over a mass."""
        left, right = (side.unit if isinstance(side, Metric) else None for side in (self.left, self.right))
        if self.operation in {"mul", "div"}:
            return product(left or "", right or "", 1 if self.operation == "mul" else -1)
        return left or right

    def gap(self, stretch: Stretch) -> str:
        """Return why a part has no value."""
        sides = [side for side in (self.left, self.right) if isinstance(side, Metric)]
        return next((gap for side in sides if (gap := side.gap(stretch))), "")

    def measure(self, stretch: Stretch) -> Array:
        """Return the result, value by value."""
        left, right = (side.measure(stretch) if isinstance(side, Metric) else side for side in (self.left, self.right))
        with np.errstate(divide="ignore", invalid="ignore"):
            result = np.asarray(OPERATIONS[self.operation](left, right), dtype=float)
        return np.where(np.isfinite(result), result, np.nan)


_FACTOR = re.compile(r"(?P<base>[^\W\d_]+|%)(?P<power>-?\d+)?")


def product(left: str, right: str, power: int) -> str | None:
    """Return the unit left · right^power, as in `W.h` and `kg` to `W.h.kg-1`; None where it has none or is not clear.

    Powers of the same unit are added up; nothing is converted.
    """
    powers: dict[str, int] = {}
    for unit, sign in ((left, 1), (right, power)):
        for factor in filter(None, unit.split(".")):
            match = _FACTOR.fullmatch(factor)
            if match is None:
                return None
            powers[match["base"]] = powers.get(match["base"], 0) + sign * int(match["power"] or 1)
    return ".".join(f"{base}{n if n != 1 else ''}" for base, n in powers.items() if n) or None


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
