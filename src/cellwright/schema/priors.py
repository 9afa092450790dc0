"""The priors of a fit: in which forms they are given, and the parameters that they free where nothing else does."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from cellwright.errors import CellwrightError, ConfigurationError
from cellwright.schema.families import Regularizer, Transform
from cellwright.schema.free_parameter import Parameter


def priors_by_name(given: Any) -> dict[str, Regularizer]:
    """Return the priors of a fit by name: of a dict of names and priors, of a list of priors, or of one.

    A prior of several parameters keeps the list of their names, and stands under them all joined.

    Raises: `ConfigurationError` for a form without names, as the contract's documents write lists and joint priors.
    """
    priors: dict[str, Regularizer] = {}
    for place, name, value in _each(given):
        try:
            prior = Regularizer.prior(value, name)
            names = names_of(prior)
            if len(names) == 1 and prior.distribution.dimensions > 1:  # type: ignore[attr-defined]
                raise ConfigurationError(
                    "a prior of several parameters at once needs the list of their names",
                    hint="write Prior([name, …], distribution); in a document 'name' beside 'distribution'",
                )
        except CellwrightError as error:
            raise error.within(*place) from None
        key = name or ", ".join(names)
        if key in priors:
            raise ConfigurationError(f"{key!r} has two priors", at=place, hint="keep one of them")
        priors[key] = prior
    return priors


def names_of(prior: Regularizer) -> tuple[str, ...]:
    """Return the names of the parameters that a prior is of."""
    return tuple(prior.names)  # type: ignore[attr-defined]


def implied(priors: Mapping[str, Regularizer]) -> dict[str, Parameter | Transform]:
    """Return the free parameters that priors alone make.

    Each is searched where its prior has density, in its logarithm where that is all above 0; it starts at the middle of
    the prior, and several starts are drawn from it.
    """
    free: dict[str, Parameter | Transform] = {}
    for prior in priors.values():
        names, distribution = names_of(prior), prior.distribution  # type: ignore[attr-defined]
        middle = np.ravel(distribution.sample(np.full((1, len(names)), 0.5)))
        low, high = distribution.support
        for name, start in zip(names, middle, strict=True):
            if not low < high:
                raise ConfigurationError(
                    f"a prior that allows one value leaves nothing of {name!r} to fit",
                    at=("priors", name),
                    hint="give the value in an entry instead",
                )
            above = low == 0 and np.isinf(high)
            plain = Parameter(
                name=name,
                initial_value=float(start),
                bounds=None if above else (low, high),
                initial_guess_distribution=distribution if len(names) == 1 else None,
            )
            free[name] = Transform.parse({"transform": "Log", "parameter": plain}) if above else plain
    return free


def _each(given: Any) -> Iterator[tuple[tuple[str, ...], str, Any]]:
    """Yield each prior with its place and its name, empty where it brings the names itself."""
    if isinstance(given, Mapping):
        yield from (((str(name),), str(name), value) for name, value in given.items())
        return
    alone = not isinstance(given, list | tuple)
    for index, value in enumerate([given] if alone else given):
        named = getattr(value, "name", None) or (value.get("name") if isinstance(value, Mapping) else None)
        if not named or not isinstance(named, str | list | tuple):
            raise ConfigurationError(
                "the priors of a fit are a dict of parameter names and priors: a list loses the names in a document",
                hint="write {name: Prior(name, distribution)}",
            )
        place = () if alone else (str(index),)
        yield place, named if isinstance(named, str) else "", value
