"""What comes back: the record of each element and the result of a run.

`ElementRecord.result` is the contract's wire form of a result (`{"type": "OptimizationResult", …}`); what stands beside
it is what the report needs and the wire leaves out. Everything here is plain data: JSON, and NumPy arrays in `series`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cellwright.errors import NotFoundError, did_you_mean
from cellwright.schema.parameters import Origin, ParameterSet
from cellwright.schema.posterior import CHAINS, PosteriorResult
from cellwright.schema.values import normalise

ElementStatus = Literal["pending", "running", "completed", "failed", "canceled", "skipped"]
RunStatus = Literal["pending", "running", "completed", "failed", "canceled"]
Channels = Mapping[str, NDArray[np.float64]]
Series = Mapping[str, Mapping[str, Channels]]
"""objective → "optimal" | "baseline" → channel (`Time [s]`, `Voltage [V] (data)`, `Voltage [V] (model)`) → values."""


@dataclass(frozen=True)
class ElementRecord:
    """What one element did.

    `element_type` is the wire's (`entry`, `calculation`, `data_fit`, `validation`), `type` the class of the element.
    `result` is the wire form with `type` and `parameter_values`; a fit's also has `cost`, `x`, `success`, `message`,
    `evaluations`, `iterations`, `initial_guess`, `children`, `parameters` (rows of name, initial, value, lower, upper,
    unit, at_bound, std_error, interval), `identifiability` (what its data determine, `words` among it) and `objectives`
    (objective → {"RMSE [mV] (Voltage [V])": {"initial", "fitted"}}), and of designs `metrics` (objective → rows of
    name, action, asked, unit, initial, fitted, excess, kept); that of an array of fits has `values` and `fits` (value →
    the fit's result); a validation's has `summary_stats` (objective → list of {"name": "RMSE [mV] (Voltage
    [V])", "value"}), `validation_results` (objective → status, points, `fitted_by`, `before_fit`) and
    `failed_objectives`.
    The draws of a sampler are among the `series`, under `cellwright.schema.posterior.CHAINS`: `posterior` reads them.
    `unresolved` lists for each expression the parameters it waits for. `trace` has a row per improvement of a fit:
    `evaluations`, `seconds`, `cost`, `best_cost`, `inputs_unscaled`. `counts` has `solves`, `replayed`,
    and of the points that a search asked for, those solved before a stop among them, how many `failed`, of these
    `crashed` and `timed_out`, and how many `ended_early`.
    """

    name: str
    element_type: str
    type: str
    status: ElementStatus = "pending"
    seconds: float = 0.0
    cached: bool = False
    result: Mapping[str, Any] = field(default_factory=dict)
    origins: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    unresolved: Mapping[str, list[str]] = field(default_factory=dict)
    reads: tuple[str, ...] = ()
    series: Series = field(default_factory=dict)
    trace: tuple[Mapping[str, Any], ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    error: Mapping[str, Any] | None = None

    def __repr__(self) -> str:
        return f"<ElementRecord {self.name!r}: {self.type}, {self.status}>"

    def __str__(self) -> str:
        """Return what the element came to, in lines: the fitted values with their intervals, what to take with care."""
        return "\n".join([f"{self.name}: {self.type}, {self.status}", *map("  {}".format, _lines(self))])

    @property
    def intervals(self) -> dict[str, tuple[float | None, float | None] | None]:
        """The confidence interval of each parameter of a fit or an analysis, None for what the data do not determine;
        an end that is None is open."""
        rows = self.result.get("parameters") or ()
        found = {row["name"]: row["interval"] for row in rows if "interval" in row}
        found |= {name: (ends["lower"], ends["upper"]) for name, ends in (self.result.get("intervals") or {}).items()}
        return {name: None if ends is None else (ends[0], ends[1]) for name, ends in found.items()}

    def top_contributors(self, n: int = 5, kind: Literal["total", "first"] = "total") -> list[tuple[str, float]]:
        """Return the `n` parameters with the largest indices of a sensitivity, with all interactions or on their own.

        Raises: `NotFoundError` where the element is none.
        """
        indices = self.result.get(f"{kind}_order")
        if indices is None:
            raise NotFoundError(f"{self.name!r} is no sensitivity, and has no {kind} order")
        return sorted(indices.items(), key=lambda one: -one[1])[:n]

    @property
    def curves(self) -> Series:
        """The series of the objectives."""
        return {name: sources for name, sources in self.series.items() if name != CHAINS}

    @property
    def posterior(self) -> PosteriorResult | None:
        """What a sampler has drawn; None where the element is no such fit, or its series are not there."""
        return PosteriorResult.of(self.result, self.series[CHAINS]) if CHAINS in self.series else None

    def to_dict(self) -> dict[str, Any]:
        """Return the record as JSON, without its series."""
        document = {key: value for key, value in vars(self).items() if key != "series"}
        return {
            **document,
            "reads": list(self.reads),
            "trace": [dict(row) for row in self.trace],
            "warnings": list(self.warnings),
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any], series: Series | None = None) -> "ElementRecord":
        """Return the record of a JSON document, with its series beside it."""
        values = dict(document)
        for name in ("reads", "trace", "warnings"):
            values[name] = tuple(values.get(name, ()))
        return cls(**values, series=series or {})


@dataclass(frozen=True)
class PipelineResult:
    """What a run came to.

    `elements` are the records in the order of the pipeline, `config` the pipeline as submitted, `parameters` the merged
    set after the last element.
    """

    id: str
    name: str
    status: RunStatus
    elements: tuple[ElementRecord, ...]
    config: Mapping[str, Any]
    parameters: ParameterSet = field(default_factory=ParameterSet)
    started_at: str = ""
    seconds: float = 0.0
    versions: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    error: Mapping[str, Any] | None = None

    def __repr__(self) -> str:
        names = ", ".join(record.name for record in self.elements)
        return f"<PipelineResult {self.name!r}: {self.status}; elements: {names}>"

    def __str__(self) -> str:
        """Return what the run came to, in lines: each element, and what is to be taken with care."""
        return "\n".join([f"{self.name or 'pipeline'}: {self.status}", *map(str, self.elements), *self.warnings])

    @property
    def result(self) -> dict[str, Any]:
        """The merged parameters, in wire form."""
        return {"parameter_values": self.parameters.to_wire()}

    @property
    def element_results(self) -> dict[str, Mapping[str, Any]]:
        """Element name → its result: the wire form, with expressions and functions that read like formulas."""
        return {record.name: _readable(record.result) for record in self.elements if record.status == "completed"}

    def element(self, name: str) -> ElementRecord:
        """Return the record of one element.

        Raises: `NotFoundError` with the nearest names.
        """
        for record in self.elements:
            if record.name == name:
                return record
        names = [record.name for record in self.elements]
        raise NotFoundError(f"the run has no element {name!r}", hint=did_you_mean(name, names) or f"there are {names}")

    @property
    def unresolved(self) -> dict[str, list[str]]:
        """For each parameter that is still an expression, the parameters that it waits for."""
        return self.parameters.unresolved()

    def to_dict(self) -> dict[str, Any]:
        """Return the result as JSON, without the series."""
        return {
            "id": self.id,
            "name": self.name,
            "status": self.status,
            "elements": [record.to_dict() for record in self.elements],
            "config": dict(self.config),
            "parameters": self.parameters.to_wire(),
            "origins": {name: origin.to_dict() for name, origin in self.parameters.origins.items()},
            "started_at": self.started_at,
            "seconds": self.seconds,
            "versions": dict(self.versions),
            "warnings": list(self.warnings),
            "error": self.error,
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any], series: Mapping[str, Series] | None = None) -> "PipelineResult":
        """Return the result of a JSON document; `series` maps element names to their series."""
        values = dict(document)
        origins = {name: Origin(**origin) for name, origin in values.pop("origins", {}).items()}
        parameters = {name: normalise(value) for name, value in values.pop("parameters", {}).items()}
        elements = tuple(
            ElementRecord.from_dict(record, (series or {}).get(record["name"])) for record in values.pop("elements")
        )
        values["warnings"] = tuple(values.get("warnings", ()))
        return cls(**values, elements=elements, parameters=ParameterSet(parameters, origins))

    def with_series(self, series: Mapping[str, Series]) -> "PipelineResult":
        """Return the result with the series of its elements."""
        elements = tuple(replace(record, series=series.get(record.name, record.series)) for record in self.elements)
        return replace(self, elements=elements)


def _readable(result: Mapping[str, Any]) -> Mapping[str, Any]:
    if "parameter_values" not in result:
        return result
    return {**result, "parameter_values": {n: normalise(v) for n, v in result["parameter_values"].items()}}


def _lines(record: ElementRecord) -> Iterator[str]:
    """Yield what a record tells of its element: what was found, else how much, and what is to be taken with care."""
    rows = record.result.get("parameters") or ()
    asked = "error" not in (record.result.get("identifiability") or {})
    for row in rows:
        ends = row.get("interval")
        unknown = " (not determined)" if asked and "interval" in row and ends is None else ""
        between = "" if ends is None else " ({} to {})".format(*map(_short, ends))
        yield f"{row['name']}: {_short(row['value'])}{between}{unknown}"
    values = record.result.get("parameter_values") or {}
    if values and not rows:
        count = f" at {len(record.result['values'])} values" if "fits" in record.result else ""
        yield (f"{len(values)} parameters" if len(values) > 1 else next(iter(values))) + count
    for row in (row for rows in (record.result.get("metrics") or {}).values() for row in rows):
        unit = f" {row['unit']}" if row["unit"] else ""
        yield f"{row['name']} ({row['asked']}): {_short(row['initial'])} to {_short(row['fitted'])}{unit}"
    for name, ends in (record.result.get("intervals") or {}).items():
        yield f"{name}: {_short(ends['lower'])} to {_short(ends['upper'])}"
    for name, index in (record.result.get("total_order") or {}).items():
        yield f"{name}: total index {_short(index)}"
    for statistics in (record.result.get("summary_stats") or {}).values():
        yield from (f"{one['name']}: {_short(one['value'])}" for one in statistics)
    yield from (record.result.get("identifiability") or {}).get("words") or ()
    if record.result.get("success") is False:
        yield f"the search did not converge: {record.result.get('message') or 'no reason given'}"
    for objective, message in (record.result.get("failed_objectives") or {}).items():
        yield f"{objective} failed: {message}"
    yield from record.warnings
    if record.error:
        yield str(record.error.get("message", ""))


def _short(value: Any) -> str:
    return f"{value:.5g}" if isinstance(value, int | float) else "open" if value is None else str(value)
