"""PyBaMM's own parameter sets."""

import pybamm

from cellwright.errors import NotFoundError, did_you_mean
from cellwright.schema.parameters import Origin, ParameterSet
from cellwright.schema.values import normalise

NO_PARAMETERS = frozenset({"citations", "chemistry"})


def published(name: str = "Chen2020") -> ParameterSet:
    """Return one of PyBaMM's parameter sets, its functions as expressions.

    Raises: `NotFoundError` with the nearest names.
    """
    known = list(pybamm.parameter_sets)
    if name not in known:
        raise NotFoundError(
            f"PyBaMM has no parameter set {name!r}", hint=did_you_mean(name, known) or f"there are {known}"
        )
    values = {key: normalise(v) for key, v in pybamm.ParameterValues(name).items() if key not in NO_PARAMETERS}
    return ParameterSet().merge(values, Origin(name, f"PyBaMM parameter set {name}"))
