"""What is asked about a point that a fit has found: how certain it is, and what the cost depends on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from cellwright.engine.fit_setup import FitSetup, set_up
from cellwright.engine.job import ObjectiveJob
from cellwright.engine.search import Question
from cellwright.engine.world import World
from cellwright.errors import CellwrightError, ConfigurationError
from cellwright.schema.elements import Analysis, LinearConfidenceInterval, SobolSensitivity, data_fit
from cellwright.schema.families import Array
from cellwright.schema.parameters import ParameterSet
from cellwright.schema.results import ElementRecord
from cellwright.schema.values import digest
from cellwright.schema.variant import without_live

LEAST = 8
"""Base points of a sensitivity below which there is nothing to resample."""


@dataclass(frozen=True)
class Standing:
    """An analysis made ready: its question, the point (d,) that it stands at, and the digest of all it depends on."""

    question: Question
    point: Array
    key: str
    setup: FitSetup

    @property
    def reads(self) -> tuple[str, ...]:
        """The parameters of elements before that were read, those it stands at among them."""
        return tuple(sorted(self.setup.reads | set(self.setup.space.names)))


def look(name: str, element: Analysis, p: ParameterSet, world: World) -> tuple[FitSetup, list[CellwrightError]]:
    """Return the set-up of an analysis at the values that the elements before it have left, and what is wrong.

    `initial_guesses` of its own come before these, the initial values of its parameters after them, and in place of
    values that are outside the bounds.
    """
    given = element.initial_guesses if isinstance(element.initial_guesses, dict) else {}
    left = {one: value for one, value in values_left(element, p).items() if _between(element, one, value)}
    stood = data_fit(element, initial_guesses={**left, **given}, optimizer=None, multistarts=None)
    setup, errors = set_up(name, stood, p, world)
    return setup, [*errors, *_refused(element, setup)]


def values_left(element: Analysis, p: ParameterSet) -> dict[str, float]:
    """Return the numbers that the elements before an analysis have left of its parameters."""
    found = {name: p.get(name) for name in element.free}
    return {n: float(one) for n, one in found.items() if isinstance(one, int | float) and not isinstance(one, bool)}


def _between(element: Analysis, name: str, value: float) -> bool:
    low, high = element.free[name].limits
    return bool(low <= value <= high)


def _outside(element: Analysis, p: ParameterSet) -> list[CellwrightError]:
    given = element.initial_guesses if isinstance(element.initial_guesses, dict) else {}
    return [
        ConfigurationError(
            f"the elements before leave {name!r} at {value:g}, outside the bounds given here",
            at=("parameters", name),
            hint="give the bounds of the fit",
        )
        for name, value in values_left(element, p).items()
        if name not in given and not _between(element, name, value)
    ]


def _refused(element: Analysis, setup: FitSetup) -> list[CellwrightError]:
    """Return what an analysis of this kind cannot do."""
    if isinstance(element, LinearConfidenceInterval):
        return _refused_deviations(element, setup)
    assert isinstance(element, SobolSensitivity)
    errors: list[CellwrightError] = []
    if element.n_samples < LEAST:
        said = f"a sensitivity needs {LEAST} base points at least, not {element.n_samples}"
        errors.append(ConfigurationError(said, at=("n_samples",)))
    for dimension in setup.space.dimensions:
        if not (np.isfinite(dimension.lower) and np.isfinite(dimension.upper)):
            errors.append(
                ConfigurationError(
                    f"a sensitivity is one between bounds, and {dimension.name!r} has not both",
                    at=("parameters", dimension.name),
                )
            )
        elif element.use_log_transform and dimension.lower <= 0:
            errors.append(
                ConfigurationError(
                    f"{dimension.name!r} has no logarithm at its lower bound {dimension.lower:g}",
                    at=("parameters", dimension.name),
                    hint="give a lower bound above 0, or leave use_log_transform out",
                )
            )
    return errors


def _refused_deviations(element: LinearConfidenceInterval, setup: FitSetup) -> list[CellwrightError]:
    known = {variable for one in setup.ready.values() for variable in one.observed}
    errors: list[CellwrightError] = []
    if not 0 < element.confidence_level < 1:
        said = f"a confidence level lies between 0 and 1, and {element.confidence_level:g} does not"
        errors.append(ConfigurationError(said, at=("confidence_level",)))
    for name, value in (element.variable_standard_deviations or {}).items():
        at = ("variable_standard_deviations", name)
        if known and name not in known:
            errors.append(ConfigurationError(f"no objective has the variable {name!r}", at=at))
        elif isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < np.inf:
            errors.append(ConfigurationError(f"the standard deviation of {name!r} is {value!r}, not above 0", at=at))
    return errors


def standing(name: str, element: Analysis, p: ParameterSet, world: World) -> Standing:
    """Return an analysis made ready.

    Raises: the first error of `look`; `ConfigurationError` where intervals are asked for at a value outside the bounds.
    """
    setup, errors = look(name, element, p, world)
    errors += _outside(element, p) if isinstance(element, LinearConfidenceInterval) else []
    if errors:
        raise errors[0]
    objectives = without_live(element.objectives)
    job = ObjectiveJob.of(setup.ready, objectives, setup.p, setup.space.names, world.worker_simulate)
    question = Question(name, setup.space, setup.ready, job, setup.cost, needs_residuals=False)
    start = setup.space.initial
    key = digest([element.digest(), setup.p.digest_of(setup.reads), start.tolist(), dict(world.versions)])
    return Standing(question, start, key, setup)


def record_of(
    element: Analysis,
    stood: Standing,
    result: Mapping[str, Any],
    counts: Mapping[str, int],
    seconds: float,
    warnings: tuple[str, ...] = (),
) -> ElementRecord:
    """Return the record of an analysis; it gives no parameters, and tells the point that it stands at."""
    return ElementRecord(
        name=stood.question.element,
        element_type=str(getattr(element, element.tag)),
        type=type(element).__name__,
        status="completed",
        seconds=seconds,
        result={**result, "parameter_values": {}, "point": stood.question.space.values(stood.point)},
        reads=stood.reads,
        counts=dict(counts),
        warnings=warnings,
    )
