"""Costs: how far a model is from the data.

With `r = w (y_model - y_data) / s` for each variable of each objective, where `w` is the square root of the objective's
weight times the variable's, and `s` the normalization of the data (a number, so that model and data stay comparable).

Where the model has no value, because its simulation ended early, `nan_values` stands for it: the mean or the minimum of
what there is, or a number. Without a choice the last value goes on: that at which it was ended, of a voltage well
outside the data; so every row's residual is continuous in the parameters, which it is not with the mean.

Where the data have no value (NaN: not measured), there is nothing to compare: these rows count for the other variables
alone.
"""

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator, model_validator

from cellwright.errors import CellwrightError, ConfigurationError
from cellwright.schema.families import Array, Comparison, Cost, Derivatives
from cellwright.schema.variant import Example, Schema

_NORMALIZATIONS: dict[str, Callable[[Array], Any]] = {
    "mean": lambda y: np.mean(np.abs(y)),
    "range": np.ptp,
    "sum_squares": lambda y: np.sum(y**2),
    "mean_squares": lambda y: np.mean(y**2),
    "root_mean_squares": lambda y: np.sqrt(np.mean(y**2)),
    "identity": lambda y: 1.0,
}
STRICT = 100.0
"""How many percent worse a design counts for each percent by which it breaks a bound."""
FAILED = 1e6
"""What stands for a value that the model does not have, in a likelihood: so far off that no fit ends there."""


class ScopedCost(Cost):
    """A cost of some or all variables of some or all objectives, each with its weight."""

    refused: ClassVar[frozenset[str]] = frozenset()
    """The fields that a cost of this kind cannot do anything with."""

    objective_weights: dict[str, float] | None = None
    variable_weights: dict[str, float] | None = None
    nan_values: str | int | float | None = None
    calculation_structure: dict[str, list[str] | None] | None = None
    objective_names: list[str] | None = None

    @model_validator(mode="after")
    def _consistent(self) -> "ScopedCost":
        for name in sorted(self.refused):
            if getattr(self, name) is not None:
                raise ConfigurationError(f"{type(self).__name__} has no use for {name!r}", hint=self._instead(name))
        if isinstance(self.nan_values, str) and self.nan_values not in {"mean", "min"}:
            raise ConfigurationError(f"nan_values is 'mean', 'min' or a number, not {self.nan_values!r}")
        for weights in (self.objective_weights, self.variable_weights):
            for name, weight in (weights or {}).items():
                _checked_weight(weight, f"the weight of {name!r}")
        if self.calculation_structure is not None and self.objective_names is not None:
            raise ConfigurationError("give calculation_structure or objective_names, not both")
        return self

    def _instead(self, name: str) -> str:
        return "leave it out"

    def _weight(self, objective: str, variable: str) -> float:
        return (self.objective_weights or {}).get(objective, 1.0) * (self.variable_weights or {}).get(variable, 1.0)

    def _counts(self, objective: str, variable: str) -> bool:
        if self.objective_names is not None:
            return objective in self.objective_names
        if self.calculation_structure is None:
            return True
        chosen = self.calculation_structure.get(objective, [])
        return chosen is None or variable in chosen

    def _counted(self, comparison: Comparison) -> Iterator[tuple[str, str, Array, Array]]:
        """Yield objective, variable, model without gaps and data of all that counts, where there are data."""
        for objective, variables in comparison.items():
            for variable, (model, data) in variables.items():
                if self._counts(objective, variable):
                    model, data = _without(np.isnan(data), model, data) if self.of_data else (model, data)
                    yield objective, variable, self._filled(model), data

    def _slopes(self, comparison: Comparison, slopes: Derivatives) -> Iterator[tuple[str, str, Array, Array, Array]]:
        """Yield what `_counted` does of a model without gaps, and behind it the derivatives (rows, d) of the model."""
        for objective, variable, model, data in self._counted(comparison):
            missing = np.isnan(comparison[objective][variable][1])
            yield objective, variable, model, data, slopes[objective][variable][~missing]

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


class ErrorFunction(ScopedCost):
    """A cost that divides model and data by a normalization of the data, where it takes one."""

    normalization: str | int | float | None = None

    @model_validator(mode="after")
    def _known(self) -> "ErrorFunction":
        how = self.normalization
        if isinstance(how, str) and how not in _NORMALIZATIONS:
            raise ConfigurationError(
                f"there is no normalization {how!r}", hint=f"there are {', '.join(_NORMALIZATIONS)}, or a number"
            )
        if isinstance(how, int | float) and not how > 0:
            raise ConfigurationError(f"a normalization is above 0, not {how:g}")
        return self

    def _scale(self, data: Array) -> float:
        how = self.normalization if self.normalization is not None else "mean"
        scale = float(_NORMALIZATIONS[how](data)) if isinstance(how, str) else float(how)
        return scale if scale > 0 else 1.0


class ErrorCost(ErrorFunction):
    """A cost of the differences between model and data, variable by variable."""

    power: ClassVar[int] = 1

    @abstractmethod
    def measure(self, r: Array) -> float:
        """Return the cost of one variable's scaled differences."""

    @abstractmethod
    def array(self, r: Array) -> Array | None:
        """Return an array whose sum of squares is `measure(r)`, or None."""

    def array_slopes(self, r: Array, slopes: Array) -> Array | None:
        """Return the derivatives (m, d) of `array(r)` by those of r (n, d), or None where there are none."""
        return None

    def unscaled(self) -> Cost:
        """Return the cost of the plain differences."""
        return type(self)(normalization="identity")

    def scalar(self, comparison: Comparison) -> float:
        """Return the weighted sum of the measures over objectives and variables."""
        return float(sum(weight * self.measure(r) for weight, r in self._differences(comparison)))

    def residuals(self, comparison: Comparison) -> Array | None:
        """Return the arrays of all variables in one, each with the square root of its weight."""
        parts = [(weight, self.array(r)) for weight, r in self._differences(comparison)]
        if any(part is None for _, part in parts):
            return None
        return np.concatenate([np.sqrt(weight) * part for weight, part in parts if part is not None] or [np.zeros(0)])

    def jacobian(self, comparison: Comparison, slopes: Derivatives) -> Array | None:
        """Return the derivatives (m, d) of `residuals`, or None where `array_slopes` has none."""
        parts = []
        for objective, variable, model, data, slope in self._slopes(comparison, slopes):
            scale = self._scale(data)
            part = self.array_slopes((model - data) / scale, slope / scale)
            if part is None:
                return None
            parts.append(np.sqrt(self._weight(objective, variable)) * part)
        return np.concatenate(parts) if parts else None

    def _differences(self, comparison: Comparison) -> Iterator[tuple[float, Array]]:
        for objective, variable, model, data in self._counted(comparison):
            yield self._weight(objective, variable), (model - data) / self._scale(data)


class SSE(ErrorCost):
    """Sum of squared errors.

    SSE = Σ r². Residual array: r. Unit: that of the variable, squared, where normalization is "identity".

    Source: Legendre, Nouvelles méthodes pour la détermination des orbites des comètes (1805).
    """

    type: Literal["SSE"] = "SSE"
    power: ClassVar[int] = 2

    def measure(self, r: Array) -> float:
        """Return Σ r²."""
        return float(r @ r)

    def array(self, r: Array) -> Array:
        """Return r."""
        return r

    def array_slopes(self, r: Array, slopes: Array) -> Array:
        """Return the derivatives of r."""
        return slopes


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

    def array_slopes(self, r: Array, slopes: Array) -> Array | None:
        """Return the derivatives of r, each over 2 √(N |r|); None where an r is 0 and they have no end."""
        return slopes / (2 * np.sqrt(len(r) * np.abs(r)))[:, None] if r.all() else None


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

    def array_slopes(self, r: Array, slopes: Array) -> Array | None:
        """Return the derivatives of the root of the largest |r|; None where it is 0 and they have no end."""
        at = int(np.argmax(np.abs(r)))
        return slopes[at : at + 1] * np.sign(r[at]) / (2 * np.sqrt(np.abs(r[at]))) if r[at] else None


class MSE(ErrorCost):
    """Mean of the squared errors of each variable, summed: the sum of squares, whatever the number of points.

    MSE = Σ r²/N. Residual array: r/√N.

    Source: Hyndman & Koehler, Int. J. Forecasting 22 (2006) 679, doi:10.1016/j.ijforecast.2006.03.001.
    """

    type: Literal["MSE"] = "MSE"
    power: ClassVar[int] = 2

    def measure(self, r: Array) -> float:
        """Return Σ r²/N."""
        return float(r @ r / len(r))

    def array(self, r: Array) -> Array:
        """Return r/√N."""
        return np.asarray(r / np.sqrt(len(r)))

    def array_slopes(self, r: Array, slopes: Array) -> Array:
        """Return the derivatives of r over √N."""
        return np.asarray(slopes / np.sqrt(len(r)))


class ChiSquare(ErrorFunction):
    """Sum of squared errors in units of the standard deviation of each variable's noise.

    χ² = Σ ((y_model - y_data)/σ)², σ > 0 in the variable's unit. Residual array: (y_model - y_data)/σ. Where the model
    is right it is close to the number of points. A variable that counts and has no σ is an error.

    Source: Pearson, Philos. Mag. 50 (1900) 157, doi:10.1080/14786440009463897.
    """

    type: Literal["ChiSquare"] = "ChiSquare"
    refused: ClassVar[frozenset[str]] = frozenset({"normalization", "objective_weights", "variable_weights"})
    example: ClassVar[Example | None] = Example(
        fields={"variable_standard_deviations": {"Voltage [V]": 0.002, "T": 0.5}}
    )

    variable_standard_deviations: dict[str, float]

    @field_validator("variable_standard_deviations")
    @classmethod
    def _above_zero(cls, given: dict[str, float]) -> dict[str, float]:
        return {name: _checked_deviation(value, name) for name, value in given.items()}

    @property
    def has_residuals(self) -> bool:
        """Whether there is a residual array: always."""
        return True

    def scalar(self, comparison: Comparison) -> float:
        """Return Σ ((y_model - y_data)/σ)². Raises: `ConfigurationError` for a variable without σ."""
        r = self.residuals(comparison)
        return float(r @ r)

    def residuals(self, comparison: Comparison) -> Array:
        """Return (y_model - y_data)/σ of all variables in one. Raises: `ConfigurationError` for one without σ."""
        parts = [
            (model - data) / _of_variable(self.variable_standard_deviations, variable, "variable_standard_deviations")
            for _, variable, model, data in self._counted(comparison)
        ]
        return np.concatenate([*parts, np.zeros(0)])

    def jacobian(self, comparison: Comparison, slopes: Derivatives) -> Array | None:
        """Return the derivatives (m, d) of `residuals`."""
        sigmas = self.variable_standard_deviations
        parts = [slope / sigmas[variable] for _, variable, _, _, slope in self._slopes(comparison, slopes)]
        return np.concatenate(parts) if parts else None

    def _instead(self, name: str) -> str:
        return "the standard deviations are its scales and weights"


class Wasserstein(ErrorFunction):
    """Wasserstein distance: how far the values of the data have to be moved to become those of the model.

    W₁ = ∫ |F_model - F_data| dy with the distribution functions F of the samples; for equally many samples the mean
    difference of the sorted ones. The cost is the weighted mean over the variables of each objective, summed over the
    objectives. With `position_variable` and `weight_variable` it is one distance an objective, between the positions of
    model and data with the sizes of the weights as their masses; it counts with the weight of the position variable.
    It tells how far a peak of dQ/dV is from where it should be. No residual array.

    Source: Vallender, Theory Probab. Appl. 18 (1974) 784, doi:10.1137/1118101.
    """

    type: Literal["Wasserstein"] = "Wasserstein"
    power: ClassVar[int] = 1

    position_variable: str | None = None
    weight_variable: str | None = None

    @model_validator(mode="after")
    def _both(self) -> "Wasserstein":
        if (self.position_variable is None) is not (self.weight_variable is None):
            missing = "weight_variable" if self.weight_variable is None else "position_variable"
            raise ConfigurationError(
                f"a weighted Wasserstein distance needs a {missing!r} too", hint="give both names or neither"
            )
        return self

    def unscaled(self) -> Cost:
        """Return the distance in the unit of the variable."""
        return Wasserstein(
            normalization="identity", position_variable=self.position_variable, weight_variable=self.weight_variable
        )

    def scalar(self, comparison: Comparison) -> float:
        """Return the distance, of an objective's variables the weighted mean, summed over the objectives.

        Raises: `ConfigurationError` where an objective lacks one of the two variables of the weighted distance.
        """
        if self.position_variable is not None:
            return float(sum(self._weighted(comparison)))
        terms: dict[str, list[float]] = {}
        for objective, variable, model, data in self._counted(comparison):
            scale = self._scale(data)
            distance = earth_movers_distance(model / scale, data / scale)
            terms.setdefault(objective, []).append(self._weight(objective, variable) * distance)
        return float(sum(np.mean(distances) for distances in terms.values()))

    def residuals(self, comparison: Comparison) -> None:
        """Return None: a distance of two samples has no residual for each point."""
        return

    def _weighted(self, comparison: Comparison) -> Iterator[float]:
        position, mass = str(self.position_variable), str(self.weight_variable)
        for objective, variables in comparison.items():
            if not self._counts(objective, position):
                continue
            for field, name in (("position_variable", position), ("weight_variable", mass)):
                if name not in variables:
                    raise ConfigurationError(
                        f"the {field} {name!r} is not there",
                        at=(field,),
                        hint=f"there are {', '.join(map(repr, sorted(variables)))}",
                    )
            missing = np.isnan(variables[position][1]) | np.isnan(variables[mass][1])
            (model, data), (model_mass, data_mass) = (_without(missing, *variables[name]) for name in (position, mass))
            scale = self._scale(data)
            yield self._weight(objective, position) * earth_movers_distance(
                self._filled(model) / scale, data / scale, np.abs(self._filled(model_mass)), np.abs(data_mass)
            )


def earth_movers_distance(u: Array, v: Array, u_mass: Array | None = None, v_mass: Array | None = None) -> float:
    """Return ∫ |U - V| dx of the distribution functions of two samples, their masses made to sum to 1.

    Raises: `ConfigurationError` for masses that sum to 0.
    """
    places = np.concatenate([u, v])
    order = np.argsort(places, kind="stable")
    flow = np.concatenate([_shares(u_mass, len(u)), -_shares(v_mass, len(v))])[order]
    return float(np.abs(np.cumsum(flow)[:-1]) @ np.diff(places[order]))


def _shares(mass: Array | None, count: int) -> Array:
    mass = np.ones(count) if mass is None else mass
    total = float(mass.sum())
    if not total > 0:
        raise ConfigurationError("the weights of a Wasserstein distance sum to 0", hint="choose another weight")
    return mass / total


class GaussianLogLikelihood(ScopedCost):
    """Negative logarithm of the likelihood of the data, for independent normal noise around the model.

    NLL = ½ Σ_variables [N ln(2πσ²) + Σ (y_model - y_data)²/σ²], σ > 0 in the variable's unit: a number, or the name of
    a parameter that is the noise, free in the fit or known before. It may be below 0 and has no residual array. At a σ
    that is not above 0 it is infinite. A value that the model does not have counts as 1e6 unless `nan_values` says
    otherwise.

    Source: Bishop, Pattern Recognition and Machine Learning (2006), section 1.2.5.
    """

    type: Literal["GaussianLogLikelihood"] = "GaussianLogLikelihood"
    refused: ClassVar[frozenset[str]] = frozenset({"objective_weights", "variable_weights"})
    example: ClassVar[Example | None] = Example(fields={"sigma": {"Voltage [V]": 0.002, "T": 0.5}})

    sigma: dict[str, int | float | str]

    @field_validator("sigma")
    @classmethod
    def _above_zero(cls, given: dict[str, int | float | str]) -> dict[str, int | float | str]:
        return {n: v if isinstance(v, str) else _checked_deviation(v, n) for n, v in given.items()}

    @property
    def is_likelihood(self) -> bool:
        """True."""
        return True

    @property
    def reads(self) -> frozenset[str]:
        """The names of the parameters that are a noise."""
        return frozenset(value for value in self.sigma.values() if isinstance(value, str))

    def at(self, values: Mapping[str, float]) -> Cost:
        """Return the likelihood with numbers for the σ that are named."""
        if not self.reads:
            return self
        sigma = {n: values.get(value, value) if isinstance(value, str) else value for n, value in self.sigma.items()}
        return self.model_copy(update={"sigma": sigma})

    def scalar(self, comparison: Comparison) -> float:
        """Return the negative log likelihood.

        Raises: `ConfigurationError` for a variable without σ, and for a σ that is a name still.
        """
        total = 0.0
        for _, variable, model, data in self._counted(comparison):
            sigma = _of_variable(self.sigma, variable, "sigma")
            if isinstance(sigma, str):
                raise ConfigurationError(f"the noise {sigma!r} of {variable!r} has no value", at=("sigma", variable))
            if not sigma > 0:
                return float("inf")
            r = (model - data) / sigma
            total += 0.5 * (len(r) * float(np.log(2 * np.pi * sigma**2)) + float(r @ r))
        return total

    def residuals(self, comparison: Comparison) -> None:
        """Return None: the likelihood may be above 1, and its logarithm no sum of squares."""
        return

    def _filled(self, model: Array) -> Array:
        return np.where(np.isnan(model), FAILED, model) if self.nan_values is None else super()._filled(model)

    def _instead(self, name: str) -> str:
        return "sigma is the scale of each variable"


class DesignFunction(ScopedCost):
    """Weighted sum of what design objectives report, such as energy per mass, made worse by bounds that are broken.

    J = Σ_i w_i Σ_k g_ik over the goals g_ik of the objectives i, each a number that is the smaller the better: the
    action of a metric has given it its sign. With V = Σ_i w_i Σ_k v_ik over the bounds, each the fraction of its value
    by which it is broken, a goal above 0 counts 1 + 100 V times, one below 0 1 / (1 + 100 V) times, and 100 V is added:
    a design that breaks a bound by 1 % is as good as one that keeps it and is half as good, whatever the units are. The
    penalty is exact: the best design keeps its bounds as long as no goal gains 100 % by 1 % beyond them. A metric
    without a value makes the cost infinite. It looks at the model alone, and has no residual array.

    Source: Boyd & Vandenberghe, Convex Optimization (2004), section 4.7.4 (scalarization); Nocedal & Wright, Numerical
    Optimization (2006), section 17.2 (exact penalty).
    """

    type: Literal["DesignFunction"] = "DesignFunction"
    refused: ClassVar[frozenset[str]] = frozenset({"nan_values", "variable_weights"})
    of_data: ClassVar[bool] = False

    def scalar(self, comparison: Comparison) -> float:
        """Return the weighted sum of the scores, which stand where other costs find the model.

        Where these find data, NaN says that the score is that of a goal, a number that it is that of a bound.
        """
        goals, beyond = [], 0.0
        for objective, metric, value, data in self._counted(comparison):
            score = self._weight(objective, metric) * float(np.sum(value))
            if np.isnan(data).all():
                goals.append(score)
            else:
                beyond += score
        worse = 1 + STRICT * beyond
        total = sum(goal * worse if goal > 0 else goal / worse for goal in goals) + STRICT * beyond
        return float(total) if np.isfinite(total) else float("inf")

    def residuals(self, comparison: Comparison) -> None:
        """Return None: a metric may be below 0."""
        return

    def _filled(self, model: Array) -> Array:
        return model

    def _instead(self, name: str) -> str:
        return "the metrics of a design are one number for each objective"


class WeightedCost(Schema):
    """A cost and the factor with which it counts in a `MultiCost`."""

    cost: Cost
    weight: float = 1.0

    @field_validator("weight")
    @classmethod
    def _not_negative(cls, given: float) -> float:
        return _checked_weight(given, "the weight of a cost")


class MultiCost(ErrorFunction):
    """Weighted sum of several costs of the same data.

    J = Σ w_k J_k, w_k ≥ 0; a cost without weight counts once. Residual array: those of the costs, each times √w_k,
    where all have one. Normalization, weights and `nan_values` are said of each cost.

    Source: Boyd & Vandenberghe, Convex Optimization (2004), section 4.7.4 (scalarization).
    """

    type: Literal["MultiCost"] = "MultiCost"
    refused: ClassVar[frozenset[str]] = frozenset(
        {"normalization", "nan_values", "objective_weights", "variable_weights"}
    )
    example: ClassVar[Example | None] = Example(
        fields={"costs": [{"type": "SSE"}, {"cost": {"type": "Max"}, "weight": 0.25}]}
    )

    costs: list[WeightedCost] = Field(min_length=1)

    @field_validator("costs", mode="before")
    @classmethod
    def _each_with_its_weight(cls, given: Any) -> Any:
        if not isinstance(given, list | tuple):
            raise ConfigurationError(
                f"the costs are a list, not a {type(given).__name__}", hint="[SSE(), WeightedCost(Max(), 0.25)]"
            )
        parts = []
        for index, one in enumerate(given):
            try:
                parts.append(_weighted_cost(one))
            except CellwrightError as error:
                raise error.within(str(index)) from None
        if len({id(part.cost) for part in parts}) < len(parts):
            raise ConfigurationError(
                "the same cost stands in the list twice", hint="give it the weight 2, or make a second one"
            )
        return parts

    @property
    def has_residuals(self) -> bool:
        """Whether all its costs have a residual array."""
        return all(part.cost.has_residuals for part in self.costs)

    @property
    def is_likelihood(self) -> bool:
        """Whether its costs are likelihoods, each counted once."""
        return all(part.cost.is_likelihood and part.weight == 1 for part in self.costs)

    @property
    def reads(self) -> frozenset[str]:
        """The names that its costs look up."""
        return frozenset().union(*(part.cost.reads for part in self.costs))

    def at(self, values: Mapping[str, float]) -> Cost:
        """Return the sum of the costs at these values."""
        if not self.reads:
            return self
        costs = [part.model_copy(update={"cost": part.cost.at(values)}) for part in self.costs]
        return self.model_copy(update={"costs": costs})

    def scalar(self, comparison: Comparison) -> float:
        """Return Σ w_k J_k."""
        scope = self._scope(comparison)
        return float(sum(part.weight * part.cost.scalar(scope) for part in self.costs))

    def residuals(self, comparison: Comparison) -> Array | None:
        """Return the arrays of the costs in one, each with the root of its weight, or None where one has none."""
        scope = self._scope(comparison)
        arrays = [(part.weight, part.cost.residuals(scope)) for part in self.costs]
        if any(array is None for _, array in arrays):
            return None
        return np.concatenate([np.sqrt(weight) * array for weight, array in arrays if array is not None])

    def jacobian(self, comparison: Comparison, slopes: Derivatives) -> Array | None:
        """Return those of the costs in one, each with the root of its weight, or None where one has none."""
        scope = self._scope(comparison)
        arrays = [(part.weight, part.cost.jacobian(scope, slopes)) for part in self.costs]
        if any(array is None for _, array in arrays):
            return None
        return np.concatenate([np.sqrt(weight) * array for weight, array in arrays if array is not None])

    def _scope(self, comparison: Comparison) -> Comparison:
        scope = {
            objective: {name: both for name, both in variables.items() if self._counts(objective, name)}
            for objective, variables in comparison.items()
        }
        return {objective: variables for objective, variables in scope.items() if variables}

    def _instead(self, name: str) -> str:
        return "say it of each of its costs"


def _without(missing: NDArray[np.bool_], model: Array, data: Array) -> tuple[Array, Array]:
    """Return model and data without the rows that the data lack; a model of another length stays whole."""
    if not missing.any():
        return model, data
    return (model[~missing] if len(model) == len(data) else model), data[~missing]


def _weighted_cost(given: Any) -> WeightedCost:
    if isinstance(given, WeightedCost):
        return given
    if isinstance(given, dict) and "cost" in given:
        return WeightedCost(**given)
    return WeightedCost(cost=Cost.parse(given))


def _checked_weight(weight: float, name: str) -> float:
    if not 0 <= weight < np.inf:
        raise ConfigurationError(f"{name} is {weight:g}, and a weight is a finite number that is not negative")
    return weight


def _checked_deviation(value: float, name: str) -> float:
    if not 0 < value < np.inf:
        raise ConfigurationError(f"the standard deviation of {name!r} is {value:g}, and it must be above 0", at=(name,))
    return value


def _of_variable(given: dict[str, Any], variable: str, field: str) -> Any:
    if variable not in given:
        raise ConfigurationError(
            f"the variable {variable!r} has no standard deviation",
            at=(field,),
            hint="give one, or leave the variable out by calculation_structure",
        )
    return given[variable]
