"""Transforms: the variable in which a parameter is searched."""

from typing import Any, Literal

import numpy as np
from pydantic import field_validator, model_validator

from cellwright.errors import ConfigurationError
from cellwright.schema.families import Transform
from cellwright.schema.free_parameter import Parameter
from cellwright.schema.values import to_wire


class Log10(Transform):
    """Search in the decimal logarithm, for parameters whose order of magnitude is unknown.

    y = log₁₀ x, x > 0.

    Source: Box & Cox, J. R. Stat. Soc. B 26 (1964) 211, doi:10.1111/j.2517-6161.1964.tb00553.x (λ → 0).
    """

    transform: Literal["Log10"] = "Log10"
    parameter: Parameter

    @field_validator("parameter", mode="before")
    @classmethod
    def _from_wire(cls, value: Any) -> Any:
        return Parameter(**value) if isinstance(value, dict) else value

    @model_validator(mode="after")
    def _positive(self) -> "Log10":
        low, _ = self.parameter.limits
        start = self.parameter.initial_value
        if np.isfinite(low) and low <= 0:
            raise ConfigurationError(
                f"{self.parameter.name!r} is searched in log₁₀, so its lower bound {low} must be above 0"
            )
        if start is not None and start <= 0:
            raise ConfigurationError(
                f"{self.parameter.name!r} is searched in log₁₀, so its initial value {start} must be above 0"
            )
        return self

    def forward(self, value: float) -> float:
        """Return log₁₀ of the value, -∞ at and below 0."""
        return float(np.log10(value)) if value > 0 else float("-inf")

    def inverse(self, variable: float) -> float:
        """Return 10 to the power of the variable."""
        return float(10.0**variable)

    def to_config(self) -> dict[str, Any]:
        """Return the parameter's wire form with the transform's name in it."""
        return self._dump(to_wire)

    def _dump(self, leaf: Any) -> dict[str, Any]:
        return {**self.parameter._dump(leaf), "transform": self.transform}
