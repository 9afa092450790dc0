"""Actions: what is asked of the metrics of a design (`cw.actions`).

    cw.objectives.DesignObjective(
        actions={"energy": cw.actions.Maximize(cw.metrics.Last("Discharge energy [W.h]"))},
        constraints={"time": cw.actions.LessThan(cw.metrics.Last("Time [s]"), 1800)},
    )

Several goals are added up, each with its weight; by which weights decides where on the curve of best compromises the
design ends. A bound is kept whatever the goals are (`cw.costs.DesignFunction` says how).
"""

from typing import ClassVar, Literal

import numpy as np
from pydantic import field_validator

from cellwright.errors import ConfigurationError
from cellwright.schema.actions import Action
from cellwright.schema.record import Array
from cellwright.schema.variant import Example

__all__ = ["Action", "GreaterThan", "LessThan", "Maximize", "Minimize"]


class Maximize(Action):
    """The metric is to be as large as can be: its score is -w m; several values of a metric are added up.

    Source: Marler & Arora, Struct. Multidiscip. Optim. 26 (2004) 369, doi:10.1007/s00158-003-0368-6.
    """

    example: ClassVar = Example(
        fields={"metric": {"type": "Last", "variable": "Discharge energy [W.h]"}, "weight": 2.0}
    )

    type: Literal["Maximize"] = "Maximize"

    def score(self, value: Array) -> Array:
        """Return -w m."""
        return np.asarray(-self.weight * value)

    def asked(self) -> str:
        """Return "maximize"."""
        return "maximize"


class Minimize(Action):
    """The metric is to be as small as can be: its score is w m; several values of a metric are added up.

    Source: Marler & Arora, Struct. Multidiscip. Optim. 26 (2004) 369, doi:10.1007/s00158-003-0368-6.
    """

    example: ClassVar = Example(fields={"metric": {"type": "Last", "variable": "Time [s]"}})

    type: Literal["Minimize"] = "Minimize"

    def score(self, value: Array) -> Array:
        """Return w m."""
        return np.asarray(self.weight * value)

    def asked(self) -> str:
        """Return "minimize"."""
        return "minimize"


class Bound(Action):
    """A value that the metric is to keep to."""

    positional = ("metric", "value", "weight")
    goal: ClassVar[bool] = False
    sign: ClassVar[float] = 1.0
    """1 where the metric is to lie above the value, -1 where below."""

    value: float

    @field_validator("value")
    @classmethod
    def _finite(cls, given: float) -> float:
        if not np.isfinite(given):
            raise ConfigurationError(f"a bound is a finite number, not {given:g}")
        return given

    def excess(self, value: Array) -> Array:
        """Return by how much the metric is beyond the value, in its unit; 0 where it is not."""
        return np.asarray(np.maximum(self.sign * (self.value - value), 0.0))

    def score(self, value: Array) -> Array:
        """Return w times the excess as a fraction of the value; in the unit of the metric where the value is 0."""
        return np.asarray(self.weight * self.excess(value) / (abs(self.value) or 1.0))


class GreaterThan(Bound):
    """The metric is to be at least a value b: its score is w max(0, b - m) / |b|.

    Each value of a metric of several has to be. At b = 0 the score is w max(0, -m), in the unit of the metric.

    Source: Marler & Arora, Struct. Multidiscip. Optim. 26 (2004) 369, doi:10.1007/s00158-003-0368-6.
    """

    example: ClassVar = Example(
        fields={"metric": {"type": "Last", "variable": "Discharge capacity [A.h]"}, "value": 3.0}
    )

    type: Literal["GreaterThan"] = "GreaterThan"

    def asked(self) -> str:
        """Return the bound: "at least 3"."""
        return f"at least {self.value:g}"


class LessThan(Bound):
    """The metric is to be at most a value b: its score is w max(0, m - b) / |b|.

    Each value of a metric of several has to be. At b = 0 the score is w max(0, m), in the unit of the metric.

    Source: Marler & Arora, Struct. Multidiscip. Optim. 26 (2004) 369, doi:10.1007/s00158-003-0368-6.
    """

    example: ClassVar = Example(
        fields={"metric": {"type": "Maximum", "variable": "Volume-averaged cell temperature [K]"}, "value": 318.15}
    )

    type: Literal["LessThan"] = "LessThan"
    sign: ClassVar[float] = -1.0

    def asked(self) -> str:
        """Return the bound: "at most 3"."""
        return f"at most {self.value:g}"
