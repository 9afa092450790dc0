"""Transforms: the variable in which a parameter is searched."""

import math
import warnings
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import field_validator, model_validator

from cellwright.errors import ConfigurationError
from cellwright.schema.families import Transform
from cellwright.schema.free_parameter import Parameter
from cellwright.schema.values import to_wire
from cellwright.schema.variant import Example, Leaf

_LEAST = math.ulp(0.0)
"""The smallest number above 0: its inverse is infinite, on the right side."""


class SearchTransform(Transform):
    """A transform of a parameter or of another transform; bounds and start lie where it is defined."""

    example: ClassVar[Example | None] = Example(fields={"parameter": {"initial_value": 2.0, "bounds": [0.5, 8.0]}})
    shown: ClassVar[str] = ""
    """The variable as it is told of, for a parameter x."""

    @model_validator(mode="before")
    @classmethod
    def _from_wire(cls, given: Any) -> Any:
        """Read the wire form, in which the fields of the parameter stand beside the name of the transform."""
        if not isinstance(given, Mapping) or "parameter" in given:
            return given
        fields = {key: value for key, value in given.items() if key != cls.tag}
        return {key: given[key] for key in given if key == cls.tag} | ({"parameter": fields} if fields else {})

    @field_validator("parameter", mode="before")
    @classmethod
    def _searched(cls, given: Any) -> Any:
        if not isinstance(given, Parameter | Transform | Mapping) and hasattr(given, "to_config"):
            given = {"name": getattr(given, "name", ""), **given.to_config()}
        if isinstance(given, Mapping):
            return Transform.parse(given) if cls.tag in given else Parameter(**{"name": "", **given})
        if not isinstance(given, Parameter | Transform):
            raise ConfigurationError(f"a transform is of a Parameter or of another transform, not of {given!r}")
        return given

    @model_validator(mode="after")
    def _in_its_domain(self) -> "SearchTransform":
        least, most = self.domain
        low, high = self.plain.limits
        for said, value in (("lower bound", low), ("upper bound", high), ("initial value", self.plain.initial_value)):
            if value is not None and math.isfinite(value) and not least < self.below(float(value)) < most:
                chain = isinstance(self.parameter, Transform)
                told = f"{value:g}, here {self.below(float(value)):g}," if chain else f"{value:g}"
                side = "above" if math.isinf(most) else "below"
                raise ConfigurationError(
                    f"{self.plain.name!r} is searched in {self.shown}, so its {said} {told} must be {side} 0"
                )
        return self

    def to_config(self) -> dict[str, Any]:
        """Return the parameter's wire form with the transform's name in it; a warning tells of what a chain loses.

        Raises: `ConfigurationError` for a chain whose outermost transform cannot stand alone.
        """
        return self._dump(to_wire)

    def _dump(self, leaf: Leaf) -> dict[str, Any]:
        name = type(self).__name__
        if not isinstance(self.parameter, Transform):
            return {**self.plain._dump(leaf), self.tag: name}
        if leaf is not to_wire:
            return {"parameter": self.parameter._dump(leaf), self.tag: name}
        try:
            alone = type(self)(parameter=self.plain)
        except ConfigurationError as error:
            raise ConfigurationError(
                f"a document keeps the outermost transform alone, and here {name} cannot stand alone: {error.message}",
                hint="use one transform",
            ) from None
        said = f"a document keeps the outermost transform alone: {self.plain.name!r} is searched in {self.shown}"
        warnings.warn(said, stacklevel=2)
        return alone._dump(leaf)


class Identity(SearchTransform):
    """Search in the parameter itself.

    y = x.

    Source: Box & Cox, J. R. Stat. Soc. B 26 (1964) 211, doi:10.1111/j.2517-6161.1964.tb00553.x (λ = 1).
    """

    shown: ClassVar[str] = "x"

    transform: Literal["Identity"] = "Identity"

    def forward(self, value: float) -> float:
        """Return the value."""
        return value

    def inverse(self, variable: float) -> float:
        """Return the variable."""
        return variable

    def derivative(self, variable: float) -> float:
        """Return 1."""
        return 1.0


class Log(SearchTransform):
    """Search in the natural logarithm, for parameters whose order of magnitude is unknown.

    y = ln x, x > 0.

    Source: Box & Cox, J. R. Stat. Soc. B 26 (1964) 211, doi:10.1111/j.2517-6161.1964.tb00553.x (λ → 0).
    """

    shown: ClassVar[str] = "ln x"

    transform: Literal["Log"] = "Log"

    @property
    def domain(self) -> tuple[float, float]:
        """All above 0."""
        return 0.0, math.inf

    def forward(self, value: float) -> float:
        """Return the logarithm of the value, -∞ at and below 0."""
        return float(np.log(value)) if value > 0 else -math.inf

    def inverse(self, variable: float) -> float:
        """Return e to the power of the variable."""
        return _exp(variable)

    def derivative(self, variable: float) -> float:
        """Return e to the power of the variable."""
        return _exp(variable)


class Log10(SearchTransform):
    """Search in the decimal logarithm, for parameters whose order of magnitude is unknown.

    y = log₁₀ x, x > 0.

    Source: Box & Cox, J. R. Stat. Soc. B 26 (1964) 211, doi:10.1111/j.2517-6161.1964.tb00553.x (λ → 0).
    """

    shown: ClassVar[str] = "log₁₀ x"

    transform: Literal["Log10"] = "Log10"

    @property
    def domain(self) -> tuple[float, float]:
        """All above 0."""
        return 0.0, math.inf

    def forward(self, value: float) -> float:
        """Return log₁₀ of the value, -∞ at and below 0."""
        return float(np.log10(value)) if value > 0 else -math.inf

    def inverse(self, variable: float) -> float:
        """Return 10 to the power of the variable."""
        return _pow10(variable)

    def derivative(self, variable: float) -> float:
        """Return ln 10 times 10 to the power of the variable."""
        return math.log(10) * _pow10(variable)


class Exp(SearchTransform):
    """Search in the exponential, for parameters that are logarithms themselves.

    y = eˣ.

    Source: Manly, J. R. Stat. Soc. D 25 (1976) 37, doi:10.2307/2988129 (exponential transformation).
    """

    shown: ClassVar[str] = "eˣ"

    transform: Literal["Exp"] = "Exp"

    def forward(self, value: float) -> float:
        """Return e to the power of the value."""
        return _exp(value)

    def inverse(self, variable: float) -> float:
        """Return the logarithm of the variable, -∞ at and below 0."""
        return float(np.log(variable)) if variable > 0 else -math.inf

    def derivative(self, variable: float) -> float:
        """Return 1/y, ∞ at and below 0."""
        return 1 / variable if variable > 0 else math.inf


class Pow10(SearchTransform):
    """Search in the power of ten, for parameters that are decimal logarithms themselves.

    y = 10ˣ.

    Source: Manly, J. R. Stat. Soc. D 25 (1976) 37, doi:10.2307/2988129 (exponential transformation).
    """

    shown: ClassVar[str] = "10ˣ"

    transform: Literal["Pow10"] = "Pow10"

    def forward(self, value: float) -> float:
        """Return 10 to the power of the value."""
        return _pow10(value)

    def inverse(self, variable: float) -> float:
        """Return log₁₀ of the variable, -∞ at and below 0."""
        return float(np.log10(variable)) if variable > 0 else -math.inf

    def derivative(self, variable: float) -> float:
        """Return 1/(y ln 10), ∞ at and below 0."""
        return 1 / (variable * math.log(10)) if variable > 0 else math.inf


class Inverse(SearchTransform):
    """Search in the reciprocal, for parameters such as a resistance whose conductance acts on the model.

    y = 1/x, x ≠ 0: bounds and start lie on one side of 0, above it where nothing says otherwise. The lower bound of x
    is the upper one of y.

    Source: Box & Cox, J. R. Stat. Soc. B 26 (1964) 211, doi:10.1111/j.2517-6161.1964.tb00553.x (λ = -1).
    """

    shown: ClassVar[str] = "1/x"

    transform: Literal["Inverse"] = "Inverse"

    @property
    def domain(self) -> tuple[float, float]:
        """All above 0, or all below where the start or a bound is."""
        start = self.plain.initial_value
        ends = sorted(map(self.below, self.parameter.limits))
        negative = ends[1] <= 0 if start is None else self.below(float(start)) < 0
        return (-math.inf, -_LEAST) if negative else (_LEAST, math.inf)

    def forward(self, value: float) -> float:
        """Return 1/x, ∞ at 0 with its sign."""
        return 1 / value if value else math.copysign(math.inf, value)

    def inverse(self, variable: float) -> float:
        """Return 1/y, ∞ at 0 with its sign."""
        return 1 / variable if variable else math.copysign(math.inf, variable)

    def derivative(self, variable: float) -> float:
        """Return -1/y², -∞ at 0."""
        return -1 / variable / variable if variable else -math.inf


class Negate(SearchTransform):
    """Search in the opposite number.

    y = -x. The lower bound of x is the upper one of y.

    Source: Box & Cox, J. R. Stat. Soc. B 26 (1964) 211, doi:10.1111/j.2517-6161.1964.tb00553.x (λ = 1, turned round).
    """

    shown: ClassVar[str] = "-x"

    transform: Literal["Negate"] = "Negate"

    def forward(self, value: float) -> float:
        """Return -x."""
        return -value

    def inverse(self, variable: float) -> float:
        """Return -y."""
        return -variable

    def derivative(self, variable: float) -> float:
        """Return -1."""
        return -1.0


def _exp(x: float) -> float:
    with np.errstate(over="ignore"):
        return float(np.exp(x))


def _pow10(x: float) -> float:
    with np.errstate(over="ignore"):
        return float(np.power(10.0, x))
