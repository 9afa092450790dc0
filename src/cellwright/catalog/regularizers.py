"""Regularizers: what is known of parameters beside the data, as terms of the cost (`cw.priors`)."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import field_validator, model_validator

from cellwright.errors import ConfigurationError, Problem
from cellwright.schema.expressions import Expression
from cellwright.schema.families import Array, Distribution, Regularizer
from cellwright.schema.values import normalise
from cellwright.schema.variant import Example, Leaf

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

    @property
    def weight(self) -> float:
        """The weight."""
        return 1.0 if self.regularizer_weight is None else float(self.regularizer_weight)


class Prior(Weighted):
    """What is known of a parameter before the fit, as a probability distribution.

    The term is -w ln p(θ) with the density p, infinite where there is none. With a likelihood as the cost and w = 1 the
    fit ends at the mode of the posterior. Residuals, up to a constant: for the normal distribution √(w/2) (θ - μ)/σ, so
    that half of the squared deviation counts; for the log-normal one the same of ln θ around its mode; for joint ones
    along the axes of the covariance. In a document the name is that of the place where the prior stands; a prior of
    several parameters writes the list of their names.

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

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the parameters, in the order of the distribution."""
        return tuple(self.name) if isinstance(self.name, list) else (self.name,)

    @property
    def reads(self) -> frozenset[str]:
        """The names of the parameters."""
        return frozenset(self.names)

    def term(self, values: Mapping[str, float]) -> float:
        """Return -w ln p(θ)."""
        density = np.asarray(self.distribution.log_density(self._point(values)))
        return -self.weight * float(density.item()) if self.weight else 0.0

    def residuals(self, values: Mapping[str, float]) -> Array | None:
        """Return √w times the residuals of the distribution."""
        residuals = self.distribution.residuals(self._point(values))
        return None if residuals is None else np.sqrt(self.weight) * residuals if self.weight else 0 * residuals

    def _point(self, values: Mapping[str, float]) -> Array:
        point = np.array([values[name] for name in self.names])
        return point if isinstance(self.name, list) else point[0]

    def _dump(self, leaf: Leaf) -> dict[str, Any]:
        config = super()._dump(leaf)
        return {**config, "name": list(self.name)} if isinstance(self.name, list) else config

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

    @property
    def reads(self) -> frozenset[str]:
        """The names in the formula."""
        return self.fun.names if isinstance(self.fun, Expression) else frozenset()

    def quantity(self, values: Mapping[str, float]) -> float:
        """Return what is squared."""
        return _number(self.fun, values)

    def term(self, values: Mapping[str, float]) -> float:
        """Return w times the square of the quantity; infinite where the formula has no value."""
        quantity = self.quantity(values)
        return self.weight * quantity**2 if np.isfinite(quantity) else np.inf

    def residuals(self, values: Mapping[str, float]) -> Array:
        """Return √w times the quantity."""
        return np.array([np.sqrt(self.weight) * self.quantity(values)])


class Constraint(Formula):
    """A condition that the parameters keep, as a penalty on breaking it.

    For f = 0 the term is w f²; for g <= h it is w max(0, g - h)². It is soft, the same for every optimizer: the result
    may break it a little, the less the larger w. `ScipyMinimize` keeps to it exactly where `hard_constraints` is set
    and its method can.

    Source: Nocedal & Wright, Numerical Optimization (2006), section 17.1 (quadratic penalty).
    """

    example: ClassVar[Example | None] = Example(fields={"fun": 0.5})

    type: Literal["Constraint"] = "Constraint"

    @property
    def inequality(self) -> bool:
        """Whether it is g <= h."""
        return isinstance(self.fun, Expression) and self.fun.op in {"<", "<="}

    def excess(self, values: Mapping[str, float]) -> float:
        """Return g - h, which is not to be above 0, or f, which is to be 0."""
        if not self.inequality:
            return _number(self.fun, values)
        assert isinstance(self.fun, Expression)
        left, right = self.fun.children
        return _number(left, values) - _number(right, values)

    def quantity(self, values: Mapping[str, float]) -> float:
        """Return max(0, g - h), or f."""
        excess = self.excess(values)
        return max(excess, 0.0) if self.inequality else excess

    def unimplemented(self) -> Iterator[Problem]:
        """Yield a problem where several conditions stand in one formula."""
        yield from super().unimplemented()
        if not self.inequality and isinstance(self.fun, Expression) and _joined(self.fun):
            yield Problem(
                "error",
                f"the constraint joins several conditions: {self.fun}",
                ("fun",),
                "give each condition a constraint of its own",
            )


class Penalty(Formula):
    """A quantity that should be small.

    The term is w f², so f is given without its square.

    Source: Tikhonov, Soviet Math. Dokl. 4 (1963) 1035; Hoerl & Kennard, Technometrics 12 (1970) 55,
    doi:10.1080/00401706.1970.10488634.
    """

    example: ClassVar[Example | None] = Example(fields={"fun": 0.5})

    type: Literal["Penalty"] = "Penalty"


def _number(formula: Expression | int | float, values: Mapping[str, float]) -> float:
    if not isinstance(formula, Expression):
        return float(formula)
    with np.errstate(all="ignore"):
        try:
            result = formula.substitute(values)
        except ArithmeticError:
            return float("nan")
    if isinstance(result, Expression):
        waits = ", ".join(repr(name) for name in sorted(result.names)) or "the time"
        raise ConfigurationError(f"the formula {formula} has no value: it depends on {waits}", at=("fun",))
    return float(result)


def _joined(formula: Expression) -> bool:
    """Return whether a formula joins conditions by its outermost operation."""
    return len(formula.children) > 1 and all(child.op in {"<", "<="} or _joined(child) for child in formula.children)
