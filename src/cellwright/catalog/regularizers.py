"""Regularizers: what is known of parameters beside the data, as terms of the cost (`cw.priors`)."""

from typing import Any, ClassVar, Literal

from pydantic import field_validator, model_validator

from cellwright.errors import ConfigurationError
from cellwright.schema.expressions import Expression
from cellwright.schema.families import Distribution, Regularizer
from cellwright.schema.values import normalise
from cellwright.schema.variant import Example

__all__ = ["Constraint", "Penalty", "Prior"]


class Weighted(Regularizer):
    """A regularizer with its weight; None: 1."""

    regularizer_weight: int | float | None = None

    @field_validator("regularizer_weight")
    @classmethod
    def _not_negative(cls, given: int | float | None) -> int | float | None:
        if given is not None and not 0 <= given < float("inf"):
            raise ConfigurationError(f"the weight of a regularizer is a number that is not negative, not {given:g}")
        return given


class Prior(Weighted):
    """What is known of a parameter before the fit, as a probability distribution.

    The term is -w ln p(θ) with the density p. With a likelihood as the cost and w = 1 the fit ends at the mode of the
    posterior. In a document the name is that of the place where the prior stands.

    Source: Bishop, Pattern Recognition and Machine Learning (2006), section 1.2.5.
    """

    positional = ("name", "distribution", "regularizer_weight")
    unwritten = frozenset({"name"})
    example: ClassVar[Example | None] = Example(
        fields={"name": "a", "distribution": {"distribution": "Normal", "mean": 3.0, "std": 0.2}}
    )

    type: Literal["Prior"] = "Prior"
    name: str | list[str]
    distribution: Distribution

    @model_validator(mode="after")
    def _as_many_names(self) -> "Prior":
        if isinstance(self.name, list) and len(self.name) != self.distribution.dimensions:
            raise ConfigurationError(
                f"the prior has {len(self.name)} names and a distribution of {self.distribution.dimensions} parameters",
                at=("name",),
            )
        return self


class Formula(Weighted):
    """A regularizer of an expression of the fit parameters."""

    positional = ("fun", "regularizer_weight")

    fun: Expression | int | float

    @field_validator("fun", mode="before")
    @classmethod
    def _expression(cls, given: Any) -> Any:
        value = normalise(given) if not isinstance(given, bool | str | int | float) else given
        if not isinstance(value, Expression | int | float):
            raise ConfigurationError(
                f"the formula of a {cls.__name__.lower()} is an expression or a number, not {given!r}",
                hint="build it of pybamm.InputParameter(name), with the names of fit parameters",
            )
        return value


class Constraint(Formula):
    """A condition that the parameters keep, as a penalty on breaking it.

    For f = 0 the term is w f²; for g <= h it is w max(0, g - h)². It is soft: the result may break it a little, the
    less the larger w.

    Source: Nocedal & Wright, Numerical Optimization (2006), section 17.1 (quadratic penalty).
    """

    example: ClassVar[Example | None] = Example(fields={"fun": 0.5})

    type: Literal["Constraint"] = "Constraint"


class Penalty(Formula):
    """A quantity that should be small.

    The term is w f², so f is given without its square.

    Source: Tikhonov, Soviet Math. Dokl. 4 (1963) 1035; Hoerl & Kennard, Technometrics 12 (1970) 55,
    doi:10.1080/00401706.1970.10488634.
    """

    example: ClassVar[Example | None] = Example(fields={"fun": 0.5})

    type: Literal["Penalty"] = "Penalty"
