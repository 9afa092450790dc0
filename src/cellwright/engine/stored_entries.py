"""Entries whose values lie elsewhere, in the result of an earlier run or in a cell specification: read once, before."""

from collections.abc import Mapping
from math import isfinite
from typing import Any, Protocol

from cellwright.catalog.entries.direct import DirectEntry, ProvenanceRecord
from cellwright.errors import CellwrightError, ConfigurationError, Problem, did_you_mean
from cellwright.physics.units import converted
from cellwright.schema.document import Pipeline
from cellwright.schema.names import unit_of
from cellwright.schema.parameters import ParameterSet
from cellwright.schema.variant import InvalidDocumentError


class Sources(Protocol):
    """Where the values of entries may lie."""

    def run(self, pipeline_id: str) -> tuple[str, ParameterSet]:
        """Return the name and the merged parameters of a completed run.

        Raises: `NotFoundError`, `ConflictError` where it has not completed.
        """
        ...

    def cell_specification(self, cell_spec_id: str) -> Mapping[str, Any]:
        """Return a cell specification.

        Raises: `NotFoundError`.
        """
        ...


def resolved(pipeline: Pipeline, sources: Sources) -> Pipeline:
    """Return the pipeline with the values in the entries that only say where they lie.

    Raises: what keeps a value from being read, with its place; of several, all.
    """
    whole, errors = read(pipeline, sources)
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise InvalidDocumentError.of([Problem.of(error) for error in errors])
    return whole


def refers_elsewhere(pipeline: Pipeline) -> bool:
    """Return whether values of the pipeline lie in earlier runs or cell specifications."""
    return any(isinstance(element, DirectEntry) and element.is_elsewhere for element in pipeline.elements.values())


def read(pipeline: Pipeline, sources: Sources) -> tuple[Pipeline, list[CellwrightError]]:
    """Return the pipeline with the entries that can be read, and why the others, which stay as they are, cannot."""
    elements = dict(pipeline.elements)
    errors: list[CellwrightError] = []
    for name, element in pipeline.elements.items():
        if not isinstance(element, DirectEntry) or not element.is_elsewhere:
            continue
        try:
            entry, found = _read(element, sources)
        except CellwrightError as error:
            entry, found = element, [error]
        elements[name] = element if found else entry
        errors += [error.within(name) for error in found]
    return pipeline.model_copy(update={"elements": elements}), errors


def value_at(specification: Mapping[str, Any], path: str) -> tuple[float, str | None]:
    """Return the value at a path (`anode.properties.thickness`) of a cell specification and its unit, where it has one.

    Raises: `ConfigurationError` naming the place at which the specification ends and what there is, or why what is
    there is no number.
    """
    here: Any = specification
    so_far: list[str] = []
    for key in path.split("."):
        below = _below(here)
        if key not in below:
            where = f"{'.'.join(so_far)!r}" if so_far else "it"
            offer = did_you_mean(key, below) or (f"there is {', '.join(below)}" if below else None)
            raise ConfigurationError(f"{path!r} is not there: {where} has no {key!r}", hint=offer)
        here = below[key]
        so_far.append(key)
    value, unit = (here.get("value"), here.get("unit")) if isinstance(here, Mapping) else (here, None)
    if isinstance(here, Mapping) and "value" not in here:
        raise ConfigurationError(f"{path!r} is not a value", hint=f"there is {', '.join(_below(here)) or 'nothing'}")
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise ConfigurationError(f"{path!r} is no finite number: it is {value!r}")
    if unit is not None and not isinstance(unit, str):
        raise ConfigurationError(f"the unit of {path!r} is no text: it is {unit!r}")
    return value, unit


def _read(entry: DirectEntry, sources: Sources) -> tuple[DirectEntry, list[CellwrightError]]:
    if entry.pipeline_id is not None:
        try:
            name, parameters = sources.run(entry.pipeline_id)
        except CellwrightError as error:
            raise error.within("pipeline_id") from None
        said = f"pipeline {name!r} ({entry.pipeline_id})"
        values, errors = _kept(entry, parameters, said)
        return _with_values(entry, values, said), errors
    assert entry.cell_spec_id is not None
    try:
        specification = sources.cell_specification(entry.cell_spec_id)
    except CellwrightError as error:
        raise error.within("cell_spec_id") from None
    title = f"{specification['name']!r} " if specification.get("name") else ""
    said = f"cell specification {title}({entry.cell_spec_id})"
    values, provenance, errors = _mapped(entry, specification, said)
    return _with_values(entry, values, said, provenance), errors


def _kept(entry: DirectEntry, parameters: ParameterSet, said: str) -> tuple[dict[str, Any], list[CellwrightError]]:
    names = list(parameters) if entry.keep is None else entry.keep
    errors: list[CellwrightError] = [
        ConfigurationError(f"the result of {said} has no {name!r}", at=("keep",), hint=did_you_mean(name, parameters))
        for name in names
        if name not in parameters
    ]
    return {name: parameters[name] for name in names if name in parameters}, errors


def _mapped(
    entry: DirectEntry, specification: Mapping[str, Any], said: str
) -> tuple[dict[str, float], dict[str, ProvenanceRecord], list[CellwrightError]]:
    values: dict[str, float] = {}
    provenance: dict[str, ProvenanceRecord] = {}
    errors: list[CellwrightError] = []
    for name, path in (entry.mapping or {}).items():
        try:
            value, unit = value_at(specification, path)
            values[name] = _told_in(value, unit, name, path)
            provenance[name] = ProvenanceRecord(path=path, value=value, unit=unit or "")
        except ConfigurationError as error:
            errors.append(ConfigurationError(f"{said}: {error.message}", at=("mapping", name), hint=error.hint))
    return values, provenance, errors


def _told_in(value: float, unit: str | None, name: str, path: str) -> float:
    try:
        return converted(value, unit, unit_of(name))
    except ConfigurationError as error:
        raise ConfigurationError(f"{path!r}: {error.message}", hint=error.hint) from None


def _with_values(
    entry: DirectEntry, values: Mapping[str, Any], said: str, provenance: Mapping[str, ProvenanceRecord] | None = None
) -> DirectEntry:
    """Return the entry with values; its source also tells where they were read."""
    source = f"{entry.source}; {said}" if entry.source else said
    return DirectEntry(parameters=values, source=source, provenance=provenance)


def _below(here: Any) -> dict[str, Any]:
    """Return what a path may go on with; the items of a list by their number."""
    if isinstance(here, Mapping):
        return {str(key): value for key, value in here.items()}
    return {str(index): item for index, item in enumerate(here)} if isinstance(here, list) else {}
