"""The run of a pipeline: check, then element after element, each seeing what stands before it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cellwright.engine.array_fit import array_fit
from cellwright.engine.check import check
from cellwright.engine.confidence import confidence
from cellwright.engine.fit import fit
from cellwright.engine.found_tables import tables_read, with_tables
from cellwright.engine.objectives import computed, settled
from cellwright.engine.recall import recall, remember
from cellwright.engine.seams import Event
from cellwright.engine.sensitivity import sensitivity
from cellwright.engine.validate import validate
from cellwright.engine.world import World
from cellwright.errors import CellwrightError, InternalError
from cellwright.schema.document import Pipeline, kind_of
from cellwright.schema.elements import (
    AnyElement,
    ArrayDataFit,
    DataFit,
    LinearConfidenceInterval,
    SobolSensitivity,
    Validation,
)
from cellwright.schema.families import Calculation, Entry
from cellwright.schema.parameters import Origin, ParameterSet
from cellwright.schema.results import ElementRecord, PipelineResult
from cellwright.schema.values import free_names, to_wire
from cellwright.schema.variant import without_live


def run(pipeline: Pipeline, world: World, run_id: str = "") -> PipelineResult:
    """Return the result of the pipeline.

    Raises: `CheckFailedError` with every problem before anything is spent; the error of the element that fails, with
    the element's name first in `at`; `CanceledError`. Records of elements that are done have been emitted by then.
    """
    began = world.clock()
    report = check(pipeline, world)
    report.raise_for_errors()
    p = ParameterSet()
    records: list[ElementRecord] = []
    for name, element in pipeline.elements.items():
        world.emit(Event("element started", name, {"element_type": kind_of(element), "type": type(element).__name__}))
        try:
            record = execute(name, element, p, world)
        except CellwrightError as error:
            failure = error if error.at[:1] == (name,) else error.within(name)
            world.emit(Event("element finished", name, {"status": "failed", "error": failure.to_dict()}))
            raise failure from error.__cause__
        record = told_of_fits(name, record, pipeline)
        p = merged(p, record)
        records.append(record)
        world.emit(
            Event(
                "element finished",
                name,
                {"status": "completed", "seconds": record.seconds, "cached": record.cached, "record": record},
            )
        )
    return PipelineResult(
        id=run_id,
        name=pipeline.name or "pipeline",
        status="completed",
        elements=tuple(records),
        config=without_live(pipeline).to_config(),
        parameters=p,
        started_at=world.now,
        seconds=world.clock() - began,
        versions=dict(world.versions),
        warnings=tuple(str(problem) for problem in report.problems),
    )


def execute(name: str, element: AnyElement, p: ParameterSet, world: World) -> ElementRecord:
    """Return the record of one element: an earlier one of the same work, or a new one."""
    ready, problems = settled(with_tables(element, p), world)
    if problems:
        raise InternalError(problems[0].message, at=problems[0].at, hint=problems[0].hint)
    known = recall(name, ready, p, world)
    if known is not None:
        return known
    record = _work(name, ready, p, world)
    record = replace(record, reads=tuple(sorted({*record.reads, *tables_read(element)})))
    record = replace(record, origins=_origins(name, ready, record))
    remember(ready, p, record, world)
    return record


def told_of_fits(name: str, record: ElementRecord, pipeline: Pipeline) -> ElementRecord:
    """Return a validation's record with, for each objective, the fits that have seen its data (`fitted_by`) and whether
    it stands before all fits (`before_fit`)."""
    element = pipeline.elements[name]
    if not isinstance(element, Validation):
        return record
    fits = {other: one for other, one in pipeline.elements.items() if isinstance(one, DataFit | ArrayDataFit)}
    places = list(pipeline.elements)
    before = bool(fits) and all(places.index(name) < places.index(other) for other in fits)
    outcomes = {}
    for objective, outcome in record.result["validation_results"].items():
        data = element.objectives[objective].origin
        seen = [n for n, one in fits.items() if any(o.origin == data for o in one.objectives.values())]
        outcomes[objective] = {**outcome, "fitted_by": seen, "before_fit": before}
    return replace(record, result={**record.result, "validation_results": outcomes})


def merged(p: ParameterSet, record: ElementRecord) -> ParameterSet:
    """Return the parameters with what an element produced."""
    produced = record.result.get("parameter_values", {})
    origins = {name: Origin(**{**record.origins.get(name, {}), "element": record.name}) for name in produced}
    return p.merge(produced, origins)


def derived(name: str, element: Entry | Calculation, p: ParameterSet, seconds: float = 0.0) -> ElementRecord:
    """Return the record of an entry or a calculation on the parameters before it."""
    view = p.recording()
    values = computed(element, view)
    unresolved = {key: sorted(free) for key, value in values.items() if (free := free_names(value))}
    return ElementRecord(
        name=name,
        element_type=kind_of(element),
        type=type(element).__name__,
        status="completed",
        seconds=seconds,
        result={
            "type": "PassthroughResult",
            "parameter_values": {key: to_wire(value) for key, value in values.items()},
            **({"unresolved": unresolved} if unresolved else {}),
        },
        unresolved=unresolved,
        reads=tuple(sorted(view.reads or ())),
        warnings=tuple(view.remarks or ()),
    )


def _work(name: str, element: AnyElement, p: ParameterSet, world: World) -> ElementRecord:
    if isinstance(element, DataFit):
        return fit(name, element, p, world)
    if isinstance(element, ArrayDataFit):
        return array_fit(name, element, p, world)
    if isinstance(element, LinearConfidenceInterval):
        return confidence(name, element, p, world)
    if isinstance(element, SobolSensitivity):
        return sensitivity(name, element, p, world)
    if isinstance(element, Validation):
        return validate(name, element, p, world)
    assert isinstance(element, Entry | Calculation)
    began = world.clock()
    return replace(derived(name, element, p), seconds=world.clock() - began)


def _origins(name: str, element: AnyElement, record: ElementRecord) -> Mapping[str, Mapping[str, Any]]:
    source = getattr(element, "source", None) or getattr(element, "literature", None)
    provenance = getattr(element, "provenance", None) or {}
    produced = record.result.get("parameter_values", {})
    return {
        key: Origin(name, source, provenance[key].path if key in provenance else None).to_dict() for key in produced
    }
