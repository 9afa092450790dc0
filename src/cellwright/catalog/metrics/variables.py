"""Metrics of one variable: its ends, its extremes, its mean, its value where another one is passed."""

from typing import ClassVar, Literal

import numpy as np
from pydantic import field_validator

from cellwright.errors import ConfigurationError
from cellwright.schema.metrics import Metric
from cellwright.schema.names import unit_of
from cellwright.schema.record import TIME, Array, Stretch
from cellwright.schema.variant import Example

VOLTAGE_OF, SOC_OF = "Voltage [V]", "SOC"


class BaseMetric(Metric):
    """A number of one variable."""

    variable: str
    step: int | None = None

    @property
    def reads(self) -> tuple[str, ...]:
        """The variables of the model that this part reads."""
        return (self.variable,)

    @property
    def unit(self) -> str | None:
        """The unit of the variable."""
        return unit_of(self.variable)

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


class Parameter(Metric):
    """The value of a parameter, such as a mass that follows from the thicknesses: what an energy is divided by.

    It is that of the elements before, worked out at the values of the free parameters.

    Source: Newman & Thomas-Alyea, Electrochemical Systems (2004), ch. 22 (energy per mass of the cell).
    """

    example: ClassVar = Example(fields={"name": "Cell mass [kg]"})
    at_ends: ClassVar[bool] = True

    type: Literal["Parameter"] = "Parameter"
    name: str

    @property
    def looks_up(self) -> tuple[str, ...]:
        """The parameter."""
        return (self.name,)

    def numbers(self) -> frozenset[int]:
        """Return no cycles: any of them will do."""
        return frozenset()

    @property
    def unit(self) -> str | None:
        """The unit of the parameter."""
        return unit_of(self.name)

    def measure(self, stretch: Stretch) -> Array:
        """Return the value; NaN where nothing was done."""
        begun = [step for step in stretch.steps if step is not None]
        return np.asarray(begun[0][self.name][0] if begun else np.nan, dtype=float)


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

    def gap(self, stretch: Stretch) -> str:
        """Return between which values the other variable stays, and at which it never is."""
        part = stretch if self.step is None else stretch.of_step(self.step)
        across = self.measured_across(part) if any(step is not None for step in part.steps) else np.zeros(0)
        if not across.size or across.min() <= self.value <= across.max():
            return ""
        where = "" if self.step is None else f" in step {self.step}"
        return f"{self.across!r} runs from {across.min():.5g} to {across.max():.5g}{where}, never at {self.value:g}"


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
