"""The family of actions: what is asked of a metric in a design."""

from typing import ClassVar

import numpy as np
from pydantic import field_validator

from cellwright.errors import ConfigurationError
from cellwright.schema.metrics import Metric
from cellwright.schema.record import Array
from cellwright.schema.variant import Member


class Action(Member):
    """What is asked of a metric."""

    verb: ClassVar[str] = "score"
    goal: ClassVar[bool] = True
    """Whether the metric is to become as good as can be, or has a bound to keep."""

    metric: Metric
    weight: float = 1.0

    @field_validator("weight")
    @classmethod
    def _not_negative(cls, given: float) -> float:
        if not 0 <= given < np.inf:
            raise ConfigurationError(f"the weight of an action is a finite number that is not negative, not {given:g}")
        return given

    def score(self, value: Array) -> Array:
        """Return what a cost of designs takes of the metric: the smaller the better, NaN where there is no value.

        Of a goal it is the metric with a sign, of a bound by how much it is broken, 0 where it is kept.
        """
        raise self.not_yet()

    def excess(self, value: Array) -> Array:
        """Return by how much the metric is beyond a bound, in its unit; 0 where it is not, and of a goal."""
        return np.zeros_like(value)

    def asked(self) -> str:
        """Return what is asked, in a word or two."""
        raise self.not_yet()
