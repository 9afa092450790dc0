"""What a run came to, in the order in which a reader asks: how well it fits, and what to look at with care."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from cellwright.report.notation import as_float, counted, measured, number, unit_text
from cellwright.report.uncertainty import sentences
from cellwright.schema.names import base_of, unit_of
from cellwright.schema.results import ElementRecord, PipelineResult


@dataclass(frozen=True)
class FitError:
    """The error of a fit on one objective, before and after."""

    element: str
    objective: str
    measure: str
    before: Any
    after: Any

    @property
    def change(self) -> str:
        """By how many percent the error went up or down, or nothing where that cannot be said."""
        before, after = as_float(self.before), as_float(self.after)
        if not before or after is None:
            return ""
        return f"{100 * (after - before) / before:+.0f} %"


@dataclass(frozen=True)
class ValidationError:
    """A statistic of a validation on one objective.

    `before` is that of a validation of the same objective in front of all fits, `fitted_by` the fits that have seen
    these data.
    """

    element: str
    objective: str
    measure: str
    value: Any
    before: Any = None
    fitted_by: tuple[str, ...] = ()
    before_fit: bool = False

    @property
    def held_out(self) -> bool:
        """Whether this is an error after the fits, on data that no fit has seen."""
        return not self.fitted_by and not self.before_fit

    @property
    def remark(self) -> str:
        """What the reader has to know of the data."""
        if self.before_fit:
            return "before any fit"
        return f"fitted by {', '.join(self.fitted_by)}" if self.fitted_by else "no fit has seen it"


Error = TypeVar("Error", FitError, ValidationError)


@dataclass(frozen=True)
class Care:
    """Something to look at with care: where, what, and of what kind (`error`, `bound`, `open`, `unresolved`,
    `warning`)."""

    kind: str
    where: str
    what: str


@dataclass(frozen=True)
class Verdict:
    """The findings of a run."""

    fits: tuple[FitError, ...]
    validations: tuple[ValidationError, ...]
    cares: tuple[Care, ...]
    headline: str


def verdict(result: PipelineResult) -> Verdict:
    """Return the findings of a run."""
    fits = tuple(error for record in result.elements for error in _first_of_each(fit_errors(record)))
    validations = _paired([error for record in result.elements for error in _first_of_each(validation_errors(record))])
    cares = tuple(_cares(result))
    return Verdict(fits, validations, cares, _headline(result, fits, validations, cares))


OUTCOMES = {
    "failed": "failed",
    "crashed": "ended their process",
    "timed_out": "took too long",
    "ended_early": "ended before the data",
    "replayed": "replayed",
}


def outcomes(counts: Mapping[str, int]) -> list[str]:
    """Return how many points of searches did not simply succeed, and how, in words."""
    return [f"{count:,} {what}" for key, what in OUTCOMES.items() if (count := counts.get(key, 0))]


def is_fit(record: ElementRecord) -> bool:
    """Tell whether an element fitted something."""
    found = (record.result.get(key) for key in ("parameters", "objectives", "fits"))
    return any(found) or bool(record.trace)


def is_validation(record: ElementRecord) -> bool:
    """Tell whether an element compared the model with data without fitting it."""
    compared = record.result.get("summary_stats") or record.result.get("failed_objectives")
    return bool(compared) and record.element_type != "array_data_fit"


def fit_errors(record: ElementRecord) -> Iterator[FitError]:
    """Yield the errors of a fit, before and after."""
    for objective, measures in (record.result.get("objectives") or {}).items():
        for measure, value in measures.items():
            yield FitError(record.name, objective, measure, value.get("initial"), value.get("fitted"))


def validation_errors(record: ElementRecord) -> Iterator[ValidationError]:
    """Yield the statistics of a validation."""
    outcomes = record.result.get("validation_results") or {}
    for objective, statistics in (record.result.get("summary_stats") or {}).items():
        outcome = outcomes.get(objective) or {}
        seen, early = tuple(outcome.get("fitted_by") or ()), bool(outcome.get("before_fit"))
        for statistic in statistics:
            yield ValidationError(
                record.name, objective, statistic["name"], statistic.get("value"), fitted_by=seen, before_fit=early
            )


def solves(result: PipelineResult) -> int:
    """Return how many times the run solved a model."""
    return sum(record.counts.get("solves", 0) for record in result.elements)


def failure(error: Mapping[str, Any]) -> str:
    """Return an error of a result document in one line: place, message, remedy."""
    place = " › ".join(str(part) for part in error.get("at") or ())
    hint = error.get("hint")
    return (f"{place}: " if place else "") + str(error.get("message", "")) + (f" ({hint})" if hint else "")


def _first_of_each(errors: Iterator[Error]) -> list[Error]:
    """Return one measure of each objective and variable: the RMSE where there is one, else the first."""
    chosen: dict[tuple[str, str], Error] = {}
    for error in errors:
        key = (error.objective, error.measure.partition("(")[2])
        if key not in chosen or (error.measure.startswith("RMSE") and not chosen[key].measure.startswith("RMSE")):
            chosen[key] = error
    return list(chosen.values())


def _paired(errors: list[ValidationError]) -> tuple[ValidationError, ...]:
    """Return the errors after the fits, each with the one before; those before alone, where there is none after."""
    early = {(error.objective, error.measure): error for error in errors if error.before_fit}
    late = [error for error in errors if not error.before_fit]
    answered = {(error.objective, error.measure) for error in late}
    paired = [
        replace(error, before=early[key].value) if (key := (error.objective, error.measure)) in early else error
        for error in late
    ]
    alone = [replace(error, before=error.value, value=None) for key, error in early.items() if key not in answered]
    return (*paired, *alone)


def _cares(result: PipelineResult) -> Iterator[Care]:
    records = result.elements
    yield from (care for record in records for care in _failures(record))
    own = [record.error for record in records if record.error]
    if result.error and result.error.get("message") not in [error.get("message") for error in own]:
        yield Care("error", "run", failure(result.error))
    yield from (care for record in records for care in _at_bounds(record))
    yield from (Care("open", record.name, said) for record in _first_told(records) for said in sentences(record))
    for name, missing in result.unresolved.items():
        yield Care("unresolved", name, f"has no value yet: it waits for {', '.join(missing)}")
    yield from (care for record in records for care in _warnings(record))
    said = {
        text for record in records for warning in record.warnings for text in (warning, f"{record.name}: {warning}")
    }
    yield from (Care("warning", "run", warning) for warning in result.warnings if warning not in said)


def _failures(record: ElementRecord) -> Iterator[Care]:
    if record.error:
        at = tuple(record.error.get("at") or ())
        yield Care("error", record.name, failure({**record.error, "at": at[1:] if at[:1] == (record.name,) else at}))
    for objective, message in (record.result.get("failed_objectives") or {}).items():
        yield Care("error", record.name, f"objective {objective} failed: {message}")
    if record.result.get("success") is False:
        reason = record.result.get("message") or "no reason given"
        yield Care("error", record.name, f"the search did not converge: {reason}")


def _at_bounds(record: ElementRecord) -> Iterator[Care]:
    results = [record.result, *(record.result.get("fits") or {}).values()]
    for row in (row for result in results for row in result.get("parameters") or ()):
        side = row.get("at_bound")
        if side:
            which = f"{side} bound" if isinstance(side, str) else "bound"
            value = f"{number(row['value'])} {unit_text(unit_of(row['name']))}".strip()
            yield Care(
                "bound",
                record.name,
                f"{base_of(row['name'])} ended at its {which}, {value}: "
                "the best value may lie beyond, or the data do not determine it",
            )


def _first_told(records: Sequence[ElementRecord]) -> Iterator[ElementRecord]:
    """Yield the records without those whose sentences an earlier one has said already, such as an analysis of a fit."""
    said: set[str] = set()
    for record in records:
        own = set(sentences(record))
        if own - said:
            yield record
        said |= own


def _warnings(record: ElementRecord) -> Iterator[Care]:
    failed, asked = record.counts.get("failed", 0), record.counts.get("evaluations")
    if failed and not (record.type == "DataFit" and asked):  # a search tells it itself, with the cause
        of = counted(asked, "point") if asked else counted(record.counts.get("solves", 0), "solve")
        yield Care("warning", record.name, f"{failed:,} of {of} failed")
    yield from (Care("warning", record.name, warning) for warning in record.warnings)


def _ended(result: PipelineResult) -> str:
    match result.status:
        case "completed":
            return "The run is complete."
        case "failed":
            failed = [record.name for record in result.elements if record.status == "failed"]
            return f"The run failed at {', '.join(failed)}." if failed else "The run failed."
        case "canceled":
            return "The run was cancelled."
        case status:
            return f"The run is {status}: this page shows what there is so far."


def _headline(
    result: PipelineResult,
    fits: tuple[FitError, ...],
    validations: tuple[ValidationError, ...],
    cares: tuple[Care, ...],
) -> str:
    parts = [_ended(result)]
    rmse = [error for error in fits if error.measure.startswith("RMSE [mV]") and as_float(error.after) is not None]
    if rmse:
        worst = max(rmse, key=lambda error: as_float(error.after) or 0.0)
        before, after = (measured(value, worst.measure) for value in (worst.before, worst.after))
        where = f"on {worst.objective}, the worst of {len(rmse)}" if len(rmse) > 1 else f"on {worst.objective}"
        parts.append(f"Fit error {before} → {after}\u00a0mV RMSE {where}.")
    unseen = [
        error
        for error in validations
        if error.held_out and error.measure.startswith("RMSE [mV]") and as_float(error.value) is not None
    ]
    if unseen:
        far = max(unseen, key=lambda error: as_float(error.value) or 0.0)
        where = f"at worst, on {far.objective}" if len(unseen) > 1 else f"on {far.objective}"
        parts.append(f"On data that no fit has seen, {measured(far.value, far.measure)}\u00a0mV {where}.")
    number_of = counted(len(cares), "finding")
    parts.append(f"{number_of} to look at with care." if cares else "Nothing calls for special care.")
    return " ".join(parts)
