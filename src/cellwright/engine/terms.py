"""What a cost looks up beside the data, and what is added to it: noise, priors, constraints, penalties."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cellwright.catalog.regularizers import Constraint, Prior
from cellwright.errors import CellwrightError, ConfigurationError, Path, did_you_mean
from cellwright.schema.elements import Fit
from cellwright.schema.expressions import Expression
from cellwright.schema.families import Array, Regularizer
from cellwright.schema.parameters import Origin, ParameterSet
from cellwright.schema.search import Condition, Space
from cellwright.schema.values import free_names

PROBE = 0.1
"""By which fraction of a parameter's range the scale of a constraint is probed."""


@dataclass(frozen=True)
class Lookup:
    """Where parameters come from that are no free ones: numbers, and expressions of the free ones."""

    known: Mapping[str, float | Expression] = field(default_factory=dict)

    @classmethod
    def of(cls, names: Iterable[str], p: ParameterSet, free: Iterable[str]) -> "Lookup":
        """Return the lookup of the names among the parameters `p` of a fit, in which the free ones have no value.

        Raises: `ConfigurationError` for a name that is neither there nor free, with the nearest, and for a value that
        is no number.
        """
        free = set(free)
        known: dict[str, float | Expression] = {}
        for name in sorted(set(names) - free):
            value = p.get(name)
            missing = sorted(free_names(value) - free) if value is not None else [name]
            if missing:
                near = did_you_mean(missing[0], [*free, *p])
                raise ConfigurationError(
                    f"{missing[0]!r} is no parameter of the fit, and no element before provides it",
                    hint=near or "free it in the fit, or give its value in an entry",
                )
            if isinstance(value, bool) or not isinstance(value, int | float | Expression):
                raise ConfigurationError(f"{name!r} is needed as a number, but it is a {type(value).__name__}")
            known[name] = value
        return cls(known)

    def at(self, values: Mapping[str, float]) -> dict[str, float]:
        """Return the values of the free parameters and of all that is looked up."""
        found = {
            name: float(value.substitute(values)) if isinstance(value, Expression) else value
            for name, value in self.known.items()
        }
        return {**values, **found}

    @property
    def free(self) -> frozenset[str]:
        """The free parameters in what is looked up."""
        return frozenset().union(*(free_names(value) for value in self.known.values()))


@dataclass(frozen=True)
class Term:
    """A regularizer in its place in the document, with what it looks up."""

    regularizer: Regularizer
    at: Path
    lookup: Lookup

    def scalar(self, values: Mapping[str, float]) -> float:
        """Return the term at these values of the free parameters."""
        return self.regularizer.term(self.lookup.at(values))

    def residuals(self, values: Mapping[str, float]) -> Array | None:
        """Return the residual array of the term, or None where it has none."""
        return self.regularizer.residuals(self.lookup.at(values))


@dataclass(frozen=True)
class Terms:
    """All that is added to the cost of a fit."""

    terms: tuple[Term, ...] = ()

    def scalar(self, values: Mapping[str, float]) -> float:
        """Return the sum of the terms at these values of the free parameters; infinite where they cannot be."""
        total = sum(term.scalar(values) for term in self.terms)
        return float("inf") if np.isnan(total) else float(total)

    def residuals(self, values: Mapping[str, float]) -> Array | None:
        """Return the residual arrays in one, or None where a term has none.

        Its sum of squares is the scalar up to a constant, that of the priors' densities.
        """
        arrays = [term.residuals(values) for term in self.terms]
        if any(array is None for array in arrays):
            return None
        return np.concatenate([np.zeros(0), *(array for array in arrays if array is not None)])

    @property
    def priors(self) -> list[Prior]:
        """The priors among the terms."""
        return [term.regularizer for term in self.terms if isinstance(term.regularizer, Prior)]

    @property
    def reads(self) -> frozenset[str]:
        """The parameters of elements before the fit that the terms look up."""
        return frozenset().union(*(term.lookup.known.keys() for term in self.terms))

    def conditions(self, space: Space) -> tuple[Condition, ...]:
        """Return the constraints as conditions on points of the search, for searches that keep to them exactly.

        Each is in units of its largest size at the start and near it, since searches know one tolerance for all.
        """
        return tuple(
            _condition(term, space)
            for term in self.terms
            if isinstance(term.regularizer, Constraint) and term.regularizer.weight and term.regularizer.reads
        )


def _condition(term: Term, space: Space) -> Condition:
    constraint = term.regularizer
    assert isinstance(constraint, Constraint)

    def excess(point: Array) -> float:
        return constraint.excess(term.lookup.at(space.values(point)))

    steps = PROBE * np.diag(np.where(np.isfinite(space.upper - space.lower), space.upper - space.lower, 1.0))
    around = [excess(point) for point in (space.initial, *(space.initial + steps), *(space.initial - steps))]
    scale = max((abs(size) for size in around if np.isfinite(size)), default=0.0) or 1.0
    return Condition(lambda point: excess(point) / scale, not constraint.inequality)


def terms_of(element: Fit, p: ParameterSet, space: Space) -> tuple[Terms, list[CellwrightError]]:
    """Return what is added to the cost of a fit, and an error for each regularizer that cannot be.

    Names in a term are free parameters of the fit, those that it ties, and numbers of the elements before; in a term of
    an objective they are that objective's own parameters first.
    """
    terms: list[Term] = []
    errors: list[CellwrightError] = []
    for at, regularizer, own in _regularizers(element):
        try:
            free = set(space.names) - own.keys()
            seen = p.merge(own, Origin("objective")) if own else p
            term = Term(regularizer, at, Lookup.of(regularizer.reads, seen, free))
            _check(term, space)
            terms.append(term)
        except CellwrightError as error:
            errors.append(error.within(*at))
    return Terms(tuple(terms)), errors + list(_twice(terms))


def _regularizers(element: Fit) -> Iterator[tuple[Path, Regularizer, Mapping[str, Any]]]:
    """Yield every regularizer of a fit with its place and the parameters that hold there alone."""
    for name, plain in element.plain.items():
        if plain.prior is not None:
            given = plain.prior
            prior = given if isinstance(given, Regularizer) else Prior(name=name, distribution=given)
            yield ("parameters", name, "prior"), prior, {}
    for name, prior in (element.priors or {}).items():
        yield ("priors", name), prior, {}
    kinds = ("constraints", "penalties")
    places: list[tuple[Path, Any, Mapping[str, Any]]] = [((), element, {})]
    places += [(("objectives", name), one, one.parameters or {}) for name, one in element.objectives.items()]
    for place, holder, own in places:
        for kind in kinds:
            given = getattr(holder, kind)
            for index, regularizer in enumerate(given if isinstance(given, list) else []):
                yield (*place, kind, str(index)), regularizer, own
    limits = {name: one.limits for name, one in element.given.items()}
    for name, objective in element.objectives.items():
        for regularizer in objective.conditions(limits):
            yield ("objectives", name), regularizer, objective.parameters or {}


def _check(term: Term, space: Space) -> None:
    """Refuse a prior of what is not fitted, and a term that is infinite at the start."""
    regularizer = term.regularizer
    start = space.values(space.initial)
    if isinstance(regularizer, Prior):
        _check_prior(regularizer, term.lookup, space)
    if not np.isfinite(regularizer.term(term.lookup.at(start))):
        said = "the prior has no density" if isinstance(regularizer, Prior) else "the formula has no value"
        raise ConfigurationError(f"{said} at the start of the fit", hint="move the start, or look at the distribution")


def _check_prior(prior: Prior, lookup: Lookup, space: Space) -> None:
    kind, names = type(prior.distribution).__name__, prior.names
    if prior.distribution.dimensions != len(names):
        raise ConfigurationError(
            f"the {kind} prior is of {prior.distribution.dimensions} parameters, and one name is given: {names[0]!r}",
            at=("name",),
            hint="give the list of their names: Prior([name, …], distribution)",
        )
    if not lookup.free and not set(names) & set(space.names):
        raise ConfigurationError(
            f"the prior is of {names[0]!r}, which is no parameter of the fit",
            hint=did_you_mean(names[0], space.names) or f"there are {', '.join(map(repr, space.names))}",
        )
    low, high = prior.distribution.support
    if low == high:
        raise ConfigurationError(
            f"a prior that allows one value leaves nothing of {names[0]!r} to fit",
            hint="give the value in an entry instead",
        )
    if kind == "Dirichlet" and set(names) <= set(space.names):
        raise ConfigurationError(
            "shares that sum to 1 cannot all be free",
            at=("name",),
            hint=f"tie one of them to the others: {names[-1]!r} as 1 minus the rest",
        )


def _twice(terms: Iterable[Term]) -> Iterator[CellwrightError]:
    """Yield an error for every parameter that has two priors."""
    seen: dict[str, Path] = {}
    for term in terms:
        for name in term.regularizer.names if isinstance(term.regularizer, Prior) else ():
            if name in seen:
                place = " › ".join(seen[name])
                yield ConfigurationError(
                    f"{name!r} has two priors: there is one at {place}", at=term.at, hint="keep one of them"
                )
            seen.setdefault(name, term.at)
