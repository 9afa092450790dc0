"""Costs: how far a model is from the data.

With `r = w (y_model - y_data) / s` for each variable of each objective, where `w` is the square root of the objective's
weight times the variable's, and `s` the normalization of the data (a number, so that model and data stay comparable).

Where the model has no value, because its simulation ended early, `nan_values` stands for it: the mean or the minimum of
what there is, or a number. Without a choice the last value goes on: that of the voltage at which it was ended, well
outside the data, and continuous in the parameters, which the mean is not.
"""

from abc import abstractmethod
from collections.abc import Callable, Iterator
from typing import Any, Literal

import numpy as np
from pydantic import model_validator

from cellwright.errors import ConfigurationError
from cellwright.schema.families import Array, Comparison, Cost

_NORMALIZATIONS: dict[str, Callable[[Array], Any]] = {
    "mean": lambda y: np.mean(np.abs(y)),
    "range": np.ptp,
    "sum_squares": lambda y: np.sum(y**2),
    "mean_squares": lambda y: np.mean(y**2),
    "root_mean_squares": lambda y: np.sqrt(np.mean(y**2)),
    "identity": lambda y: 1.0,
}


class ErrorCost(Cost):
    """A cost of the differences between model and data, variable by variable."""

    objective_weights: dict[str, float] | None = None
    variable_weights: dict[str, float] | None = None
    nan_values: str | int | float | None = None
    calculation_structure: dict[str, list[str] | None] | None = None
    objective_names: list[str] | None = None
    normalization: str | int | float | None = None

    @model_validator(mode="after")
    def _consistent(self) -> "ErrorCost":
        if isinstance(self.normalization, str) and self.normalization not in _NORMALIZATIONS:
            raise ConfigurationError(
                f"there is no normalization {self.normalization!r}",
                hint=f"there are {', '.join(_NORMALIZATIONS)}, or a number",
            )
        if isinstance(self.nan_values, str) and self.nan_values not in {"mean", "min"}:
            raise ConfigurationError(f"nan_values is 'mean', 'min' or a number, not {self.nan_values!r}")
        if isinstance(self.normalization, int | float) and self.normalization <= 0:
            raise ConfigurationError(f"a normalization is above 0, not {self.normalization:g}")
        for weights in (self.objective_weights, self.variable_weights):
            for name, weight in (weights or {}).items():
                if weight < 0:
                    raise ConfigurationError(f"the weight of {name!r} is {weight:g}, and a weight is not negative")
        if self.calculation_structure is not None and self.objective_names is not None:
            raise ConfigurationError("give calculation_structure or objective_names, not both")
        return self

    @abstractmethod
    def measure(self, r: Array) -> float:
        """Return the cost of one variable's scaled differences."""

    @abstractmethod
    def array(self, r: Array) -> Array | None:
        """Return an array whose sum of squares is `measure(r)`, or None."""

    def scalar(self, comparison: Comparison) -> float:
        """Return the weighted sum of the measures over objectives and variables."""
        return float(sum(weight * self.measure(r) for weight, r in self._differences(comparison)))

    def residuals(self, comparison: Comparison) -> Array | None:
        """Return the arrays of all variables in one, each with the square root of its weight."""
        parts = [(weight, self.array(r)) for weight, r in self._differences(comparison)]
        if any(part is None for _, part in parts):
            return None
        return np.concatenate([np.sqrt(weight) * part for weight, part in parts if part is not None] or [np.zeros(0)])

    def _differences(self, comparison: Comparison) -> Iterator[tuple[float, Array]]:
        for objective, variables in comparison.items():
            for variable, (model, data) in variables.items():
                if self._counts(objective, variable):
                    weight = (self.objective_weights or {}).get(objective, 1.0) * (self.variable_weights or {}).get(
                        variable, 1.0
                    )
                    yield weight, (self._filled(model) - data) / self._scale(data)

    def _counts(self, objective: str, variable: str) -> bool:
        if self.objective_names is not None:
            return objective in self.objective_names
        if self.calculation_structure is None:
            return True
        chosen = self.calculation_structure.get(objective, [])
        return chosen is None or variable in chosen

    def _scale(self, data: Array) -> float:
        how = self.normalization if self.normalization is not None else "mean"
        scale = float(_NORMALIZATIONS[how](data)) if isinstance(how, str) else float(how)
        return scale if scale > 0 else 1.0

    def _filled(self, model: Array) -> Array:
        missing = np.isnan(model)
        if not missing.any():
            return model
        how = self.nan_values if self.nan_values is not None else "last"
        if missing.all():
            return np.zeros_like(model) if isinstance(how, str) else np.full_like(model, float(how))
        there = model[~missing]
        fill = (
            {"last": there[-1], "mean": there.mean(), "min": there.min()}[how] if isinstance(how, str) else float(how)
        )
        return np.where(missing, fill, model)


class SSE(ErrorCost):
    """Sum of squared errors.

    SSE = Σ r². Residual array: r. Unit: that of the variable, squared, where normalization is "identity".

    Source: Legendre, Nouvelles méthodes pour la détermination des orbites des comètes (1805).
    """

    type: Literal["SSE"] = "SSE"

    def measure(self, r: Array) -> float:
        """Return Σ r²."""
        return float(r @ r)

    def array(self, r: Array) -> Array:
        """Return r."""
        return r


class RMSE(ErrorCost):
    """Root of the mean squared error of each variable, summed.

    RMSE = √(Σ r²/N). It has no residual array: least-squares estimators take SSE instead.

    Source: Hyndman & Koehler, Int. J. Forecasting 22 (2006) 679, doi:10.1016/j.ijforecast.2006.03.001.
    """

    type: Literal["RMSE"] = "RMSE"

    def measure(self, r: Array) -> float:
        """Return √(Σ r²/N)."""
        return float(np.sqrt(np.mean(r**2)))

    def array(self, r: Array) -> None:
        """Return None."""
        return


class MAE(ErrorCost):
    """Mean absolute error.

    MAE = Σ |r|/N. Residual array: sign(r) √(|r|/N).

    Source: Hyndman & Koehler, Int. J. Forecasting 22 (2006) 679, doi:10.1016/j.ijforecast.2006.03.001.
    """

    type: Literal["MAE"] = "MAE"

    def measure(self, r: Array) -> float:
        """Return Σ |r|/N."""
        return float(np.mean(np.abs(r)))

    def array(self, r: Array) -> Array:
        """Return sign(r) √(|r|/N)."""
        return np.sign(r) * np.sqrt(np.abs(r) / len(r))


class Max(ErrorCost):
    """Largest absolute error.

    Max = max |r|. Residual array: its root, one element.

    Source: Boyd & Vandenberghe, Convex Optimization (2004), section 6.1 (Chebyshev approximation).
    """

    type: Literal["Max"] = "Max"

    def measure(self, r: Array) -> float:
        """Return max |r|."""
        return float(np.max(np.abs(r)))

    def array(self, r: Array) -> Array:
        """Return √(max |r|) as an array of one."""
        return np.array([np.sqrt(np.max(np.abs(r)))])
