"""Probability distributions of a parameter."""

from typing import Literal

import numpy as np
from pydantic import model_validator

from cellwright.errors import ConfigurationError
from cellwright.schema.families import Array, Distribution


class Uniform(Distribution):
    """Every value between two bounds is equally likely.

    Q(q) = lb + q (ub - lb).

    Source: Johnson, Kotz & Balakrishnan, Continuous Univariate Distributions vol. 2 (1995), ch. 26.
    """

    distribution: Literal["Uniform"] = "Uniform"
    lb: float | int
    ub: float | int

    @model_validator(mode="after")
    def _upright(self) -> "Uniform":
        if not self.lb < self.ub:
            raise ConfigurationError(f"the bounds are upside down: lb = {self.lb} is not below ub = {self.ub}")
        return self

    def quantile(self, q: Array) -> Array:
        """Return lb + q (ub - lb)."""
        return self.lb + q * (self.ub - self.lb)


class PointMass(Distribution):
    """One value, always.

    Q(q) = value.

    Source: Johnson, Kemp & Kotz, Univariate Discrete Distributions (2005), section 1.2 (degenerate distribution).
    """

    distribution: Literal["PointMass"] = "PointMass"
    value: float | int

    def quantile(self, q: Array) -> Array:
        """Return the value for every q."""
        return np.full_like(q, float(self.value))
