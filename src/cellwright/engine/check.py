"""The check: a run without its expensive part, that finds in seconds what would fail after an hour."""

import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from cellwright.engine.analysis import look
from cellwright.engine.array_fit import look_at_each, standing_in
from cellwright.engine.designs import first_design, unweighed
from cellwright.engine.doubts import beside, implausible, told_by
from cellwright.engine.fit_setup import FitSetup, set_up
from cellwright.engine.found_tables import tables_read, with_tables
from cellwright.engine.objectives import computed, missing_of, prepared, settled
from cellwright.engine.posterior import unlikely
from cellwright.engine.recall import recall
from cellwright.engine.starts import starting_values
from cellwright.engine.validate import judging
from cellwright.engine.world import World
from cellwright.errors import (
    CellwrightError,
    CheckFailedError,
    DataError,
    MissingParameterError,
    Problem,
    did_you_mean,
    nearest,
)
from cellwright.schema.document import Pipeline
from cellwright.schema.elements import Analysis, AnyElement, ArrayDataFit, DataFit, DataFitOptions, Validation
from cellwright.schema.families import Calculation, Entry, Objective
from cellwright.schema.names import base_of, same_but_unit, unit_of, vocabulary
from cellwright.schema.parameters import Origin, ParameterSet
from cellwright.schema.values import free_names, normalise
from cellwright.schema.variant import InvalidDocumentError


@dataclass(frozen=True)
class CheckReport:
    """What a check found, in the order of the pipeline."""

    problems: tuple[Problem, ...]

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The findings that keep the pipeline from running."""
        return tuple(problem for problem in self.problems if problem.severity == "error")

    @property
    def ok(self) -> bool:
        """Whether the pipeline can run."""
        return not self.errors

    def raise_for_errors(self) -> None:
        """Raise `CheckFailedError` with all errors, if there are any."""
        errors = self.errors
        if not errors:
            return
        detail = {"problems": [problem.to_dict() for problem in self.problems]}
        if len(errors) == 1:
            raise CheckFailedError(errors[0].message, at=errors[0].at, hint=errors[0].hint, detail=detail)
        lines = "\n".join(f"  {problem}" for problem in errors)
        raise CheckFailedError(f"the check found {len(errors)} errors:\n{lines}", detail=detail)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as a JSON object."""
        return {"ok": self.ok, "problems": [problem.to_dict() for problem in self.problems]}


@dataclass(frozen=True)
class Unmet:
    """A parameter that an element asks for and nobody before it provides: an error where a number is needed."""

    element: str
    parameter: str
    severity: Literal["error", "warning"]
    at: tuple[str, ...]
    instead: str | None = None
    """What else would do, where the element knows."""


@dataclass
class Walk:
    """Where the check stands: the parameters so far, who produced and who read what."""

    parameters: ParameterSet = field(default_factory=ParameterSet)
    problems: list[Problem] = field(default_factory=list)
    producers: dict[str, list[str]] = field(default_factory=dict)
    readers: dict[str, set[str]] = field(default_factory=dict)
    behind: dict[str, frozenset[str]] = field(default_factory=dict)
    """For what calculations have derived: the names it was derived from, however far back."""
    fitted: set[str] = field(default_factory=set)
    waiting: list["Unmet"] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    guessed: list[str] = field(default_factory=list)
    """Calculations without a value at the initial guess of a fit before them; what it finds may have one."""

    def follows_a_fit(self, names: Iterable[str]) -> bool:
        """Return whether one of the values is, or was derived from, one that an earlier fit stands for by its guess."""
        return any(not self.fitted.isdisjoint({name, *self.behind.get(name, ())}) for name in names)

    def doubt(self, element: str, error: CellwrightError) -> None:
        """Note an error that an element has at the initial guess of a fit before it, and may not have at its result."""
        problem = Problem.of(error if error.at[:1] == (element,) else error.within(element))
        said = f"at the initial guess of the fit before, {problem.message}"
        self.problems.append(replace(problem, severity="warning", message=said))
        self.guessed.append(element)

    def produce(self, element: str, values: dict[str, Any]) -> None:
        """Note what an element gives and let it flow on."""
        for name in values:
            self.producers.setdefault(name, []).append(element)
        self.parameters = self.parameters.merge(values, Origin(element))

    def read(self, element: str, names: Iterable[str]) -> None:
        """Note what an element asks for."""
        for name in names:
            self.readers.setdefault(name, set()).add(element)

    def note(self, element: str, problems: Iterable[Problem]) -> None:
        """Note problems at places within an element."""
        self.problems += [replace(problem, at=(element, *problem.at)) for problem in problems]

    def find(self, element: str, errors: Iterable[CellwrightError]) -> None:
        """Note what is wrong with an element: one problem for each missing parameter, one for each other error."""
        for error in errors:
            self.problems.extend(self._told(element, error))
            if element not in self.broken:
                self.broken.append(element)

    def _told(self, element: str, error: CellwrightError) -> Iterator[Problem]:
        error = error if error.at[:1] == (element,) else error.within(element)
        missing = missing_of(error)
        self.waiting += [Unmet(element, name, "error", error.at, error.detail.get("instead")) for name in missing]
        if isinstance(error, InvalidDocumentError):
            yield from error.problems
        elif not missing:
            yield Problem.of(error)


def check(pipeline: Pipeline, world: World) -> CheckReport:
    """Return every problem of a pipeline. Data are read and models built; nothing is integrated, but for first designs.

    A design has no data that could be looked at; whether it can be simulated at all is what a check can tell of it.

    Fits stand at their initial guess; an element whose result is known from an earlier run stands at that.
    """
    walk = Walk()
    if not pipeline.elements:
        return CheckReport((Problem("error", "the pipeline has no elements", ("elements",), "name at least one"),))
    for name, element in pipeline.elements.items():
        _look(name, element, walk, world)
    return CheckReport(_in_order(pipeline, [*_misnamed(pipeline, walk), *walk.problems, *_unmet(pipeline, walk)]))


def _look(name: str, element: AnyElement, walk: Walk, world: World) -> None:
    later = list(element.unimplemented())
    if later:
        walk.note(name, later)
        walk.broken.append(name)
        _stand_in(name, element, walk)
        return
    walk.read(name, tables_read(element))
    try:
        ready, problems = settled(with_tables(element, walk.parameters), world)
    except CellwrightError as error:
        walk.find(name, [error])
        return
    if problems:
        walk.note(name, problems)
        walk.broken.append(name)
        rest = _without(ready, {problem.at[1] for problem in problems if len(problem.at) > 1})
        if rest is None:
            _stand_in(name, element, walk)
            return
        ready = rest
    try:
        known = recall(name, ready, walk.parameters, world)
        if known is not None:
            walk.read(name, known.reads)
            walk.produce(name, {k: normalise(v) for k, v in known.result.get("parameter_values", {}).items()})
            walk.fitted |= set(ready.free) if isinstance(ready, DataFit) else set()
        elif isinstance(ready, DataFit):
            _look_at_fit(name, ready, walk, world)
        elif isinstance(ready, ArrayDataFit):
            for setup, errors in look_at_each(name, ready, walk.parameters, world):
                _note_fit(name, setup, errors, walk)
            walk.note(name, implausible(ready.objectives, walk.parameters))
            _stand_in(name, ready, walk)
        elif isinstance(ready, Analysis):
            setup, errors = look(name, ready, walk.parameters, world)
            walk.find(name, errors)
            walk.read(name, setup.reads | set(setup.space.names))
        elif isinstance(ready, Validation):
            one, errors = prepared(ready.objectives, walk.parameters, (), world.simulate)
            walk.find(name, _sure(name, ready.objectives, errors, walk.parameters, (), walk, world))
            walk.read(name, frozenset().union(*(objective.reads for objective in one.values())))
            walk.note(name, [*implausible(ready.objectives, walk.parameters), *told_by(one, {})])
            judging(ready, walk.parameters)
        elif isinstance(ready, Entry | Calculation):
            _look_at_values(name, ready, walk)
    except CellwrightError as error:
        walk.find(name, [error])


def _without(element: AnyElement, broken: set[str]) -> AnyElement | None:
    """Return a fit or a validation with the objectives alone whose data could be read, or None where there is none."""
    if not isinstance(element, DataFit | ArrayDataFit | Validation):
        return None
    rest = {name: objective for name, objective in element.objectives.items() if name not in broken}
    if not rest:
        return None
    quiet = {} if isinstance(element, Validation) else {"options": DataFitOptions(validate_=False)}
    return element.model_copy(update={"objectives": rest, **quiet})


def _look_at_values(name: str, element: Entry | Calculation, walk: Walk) -> None:
    view = walk.parameters.recording()
    try:
        values = computed(element, view)
    except MissingParameterError:
        raise
    except CellwrightError as error:
        if not walk.follows_a_fit(view.reads or ()):
            raise
        walk.doubt(name, error)
        return
    finally:
        walk.read(name, view.reads or ())
    walk.problems += [Problem("warning", remark, (name,)) for remark in view.remarks or ()]
    reads = frozenset(view.reads or ())
    behind = reads.union(*(walk.behind.get(read, frozenset()) for read in reads))
    walk.behind |= dict.fromkeys(values, behind if isinstance(element, Calculation) else frozenset())
    for key, value in values.items():
        walk.read(name, free_names(value) - {key})
        free = free_names(value) - set(walk.parameters)
        walk.waiting += [Unmet(name, missing, "warning", (name,)) for missing in sorted(free)]
    walk.produce(name, values)


def _look_at_fit(name: str, element: DataFit, walk: Walk, world: World) -> None:
    setup, found = set_up(name, element, walk.parameters, world)
    errors = _sure(name, element.objectives, found, setup.p, setup.space.names, walk, world)
    doubtful = [*implausible(element.objectives, walk.parameters), *beside(setup.cost.terms, setup.space)]
    if not found:
        elsewhere = setup.estimator.global_search or setup.estimator.random or element.multistarts is not None
        doubtful += unweighed(setup.ready, setup.cost.whole)
        doubtful += first_design(setup.ready, setup.space.values(setup.space.initial), elsewhere)
    walk.note(name, doubtful)
    _note_fit(name, setup, errors, walk)
    _stand_in(name, element, walk)


def _sure(
    name: str,
    objectives: Mapping[str, Objective],
    errors: Iterable[CellwrightError],
    p: ParameterSet,
    free: tuple[str, ...],
    walk: Walk,
    world: World,
) -> list[CellwrightError]:
    """Return the errors that do not depend on what a fit before finds; the others are doubts.

    These are of data that contradict a value: one that the fit before has only guessed.
    """
    sure: list[CellwrightError] = []
    for error in errors:
        objective = objectives.get(error.at[1]) if error.at[:1] == ("objectives",) else None
        if isinstance(error, DataError) and objective is not None:
            view = p.recording()
            with suppress(CellwrightError):
                objective.prepare(view, free, world.simulate)
            if walk.follows_a_fit((view.reads or set()).difference(free)):
                walk.doubt(name, error)
                continue
        sure.append(error)
    return sure


def _note_fit(name: str, setup: FitSetup, errors: list[CellwrightError], walk: Walk) -> None:
    walk.find(name, errors)
    start = setup.space.values(setup.space.initial)
    doubtful = [*unlikely(setup.estimator, setup.cost, setup.ready), *told_by(setup.ready, start, start=True)]
    walk.note(name, doubtful)
    walk.read(name, setup.reads)
    for free in setup.space.names:
        _warn_of_stale(name, free, setup.reads, walk)


def _stand_in(name: str, element: AnyElement, walk: Walk) -> None:
    """Let a fit's initial guess flow on in place of its result."""
    if isinstance(element, DataFit):
        space = starting_values(element, walk.parameters)
        walk.fitted |= set(space.names)
        start = {dimension.name: dimension.initial for dimension in space.dimensions}
        walk.produce(name, {**start, **element.tied})
    elif isinstance(element, ArrayDataFit):
        walk.produce(name, standing_in(element, walk.parameters))


def _warn_of_stale(name: str, free: str, reads: frozenset[str], walk: Walk) -> None:
    """Warn where a value that the fit's models read was derived from a number that the fit is about to change."""
    if free not in walk.parameters or free_names(walk.parameters.values_[free]):
        return
    for derived, producers in walk.producers.items():
        follows = free in free_names(walk.parameters.definitions.get(derived))
        if derived in reads and not follows and free in walk.behind.get(derived, frozenset()):
            walk.problems.append(
                Problem(
                    "warning",
                    f"{derived!r} was derived by {producers[-1]!r} from the value of {free!r} before this fit, and "
                    f"does not follow it",
                    (name, "parameters", free),
                    f"leave {free!r} out of the entries, so that {derived!r} stays an expression of it",
                )
            )


def _misnamed(pipeline: Pipeline, walk: Walk) -> Iterator[Problem]:
    """Tell of values whose names nobody knows, in entries and in objectives: another unit, or misspelt."""
    for name, element in pipeline.elements.items():
        for at, given in _given(name, element):
            for key, value in given.items():
                yield from _told_of_value(key, value, (*at, key))
                own = {name} if isinstance(element, Entry) else set()
                if key not in vocabulary() and not walk.readers.get(key, set()) - own:
                    yield _told_of_name(key, (*at, key))


def _given(name: str, element: AnyElement) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    """Yield the values that a document gives in an element, each set with its place."""
    if isinstance(element, Entry):
        yield (name, "parameters"), getattr(element, "parameters", None) or {}
    for objective, one in getattr(element, "objectives", {}).items():
        yield (name, "objectives", objective, "parameters"), one.parameters or {}


def _told_of_value(key: str, value: Any, at: tuple[str, ...]) -> Iterator[Problem]:
    if isinstance(value, bool) or (isinstance(value, float) and math.isnan(value)):
        yield Problem("error", f"{key!r} is {value}, not a number", at, "give a number")
    if isinstance(value, str) and _is_number(value):
        yield Problem("error", f"{key!r} is the text {value!r}, not a number", at, "write it without quotes")


def _told_of_name(key: str, at: tuple[str, ...]) -> Problem:
    others = same_but_unit(key)
    if others:
        known = f"[{unit_of(others[0])}]" if unit_of(others[0]) else "no unit"
        said = f"{base_of(key)!r} is given in [{unit_of(key) or ''}], and it has {known}"
        return Problem("error", said, at, f"convert the value and write {others[0]!r}")
    if nearest(key, vocabulary()):
        said = f"nobody knows the parameter {key!r}, and no later element reads it"
        return Problem("error", said, at, did_you_mean(key, vocabulary()))
    said = f"no element reads the parameter {key!r}, and no model of PyBaMM knows it"
    return Problem("warning", said, at, "remove it, or check its name")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _unmet(pipeline: Pipeline, walk: Walk) -> Iterator[Problem]:
    """Tell of parameters that are missing, or that only a later element produces.

    An expression that waits for a parameter of a later fit is how a fit carries through: nothing to tell.
    """
    place = {name: index for index, name in enumerate(pipeline.elements)}
    too_late: dict[tuple[str, str], list[Unmet]] = {}
    for unmet in dict.fromkeys(walk.waiting):
        later = [one for one in walk.producers.get(unmet.parameter, []) if place[one] > place[unmet.element]]
        if later and not (unmet.severity == "warning" and unmet.parameter in walk.fitted):
            too_late.setdefault((unmet.element, later[0]), []).append(unmet)
        elif unmet.severity == "error":
            broken, guessed = (
                [one for one in names if place[one] < place[unmet.element]] for names in (walk.broken, walk.guessed)
            )
            problem = _missing(unmet, [*broken, *guessed], walk)
            yield replace(problem, severity="warning") if guessed and not broken else problem
    for (element, producer), several in too_late.items():
        names = [repr(unmet.parameter) for unmet in several]
        told = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        said = f"{element!r} reads {told}, which only the later element {producer!r} produces"
        yield Problem(several[0].severity, said, several[0].at, f"move {producer!r} before {element!r}")


def _missing(unmet: Unmet, broken: list[str], walk: Walk) -> Problem:
    name, unit = unmet.parameter, unit_of(unmet.parameter)
    follows = f"this may follow from the problem in {broken[0]!r}" if broken else "add it to an entry before this"
    said = f"the parameter {name!r}{f' (in {unit})' if unit else ''} is missing: no element before provides it"
    near = did_you_mean(name, [*walk.parameters, *walk.producers])
    return Problem("error", said, unmet.at, unmet.instead or near or follows)


def _in_order(pipeline: Pipeline, problems: list[Problem]) -> tuple[Problem, ...]:
    place = {name: index for index, name in enumerate(pipeline.elements)}
    return tuple(
        sorted(dict.fromkeys(problems), key=lambda problem: place.get(problem.at[0] if problem.at else "", -1))
    )
