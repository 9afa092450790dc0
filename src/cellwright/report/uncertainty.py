"""How far to trust the numbers of a run, as people read it: intervals, correlations, sensitivities, arrays of fits."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cellwright.report.notation import as_float, number, unit_text
from cellwright.schema.names import base_of, unit_of
from cellwright.schema.results import ElementRecord

OPEN = "not determined"


@dataclass(frozen=True)
class Cell:
    """A number of a matrix of correlations: `strength` from 0 to 100, `sign` is `plus` or `minus`."""

    text: str
    strength: int
    sign: str


@dataclass(frozen=True)
class Uncertainty:
    """What a fit's or an analysis' data determine: sentences, the correlations below the diagonal, facts."""

    sentences: list[str]
    remarks: list[str]
    labels: list[str]
    cells: list[list[Cell]]
    facts: dict[str, str]


@dataclass(frozen=True)
class IntervalRow:
    """A parameter at a point that was found, and its interval."""

    base: str
    unit: str
    value: str
    error: str
    interval: str


@dataclass(frozen=True)
class IndexRow:
    """A parameter's share of the variance of the cost, alone and with all interactions, each with its half-width."""

    base: str
    first: str
    total: str
    share: float


@dataclass(frozen=True)
class ArrayRow:
    """A parameter over the values of an array of fits, each with its interval."""

    base: str
    unit: str
    values: list[tuple[str, str]]


def interval_text(interval: Any, digits: int = 4) -> str:
    """Return an interval in words; what the data do not determine has none."""
    if interval is None:
        return OPEN
    low, high = interval
    if low is None and high is None:
        return OPEN
    return f"{'-∞' if low is None else number(low, digits)} to {'∞' if high is None else number(high, digits)}"


def level_text(result: Mapping[str, Any]) -> str:
    """Return the heading of the intervals of a result."""
    return f"{100 * float((result.get('identifiability') or {}).get('level', 0.95)):g} % interval"


def has_intervals(result: Mapping[str, Any]) -> bool:
    """Tell whether the parameters of a fit have intervals."""
    return any("interval" in row for row in result.get("parameters") or ()) and "error" not in (
        result.get("identifiability") or {}
    )


def uncertainty(result: Mapping[str, Any]) -> Uncertainty | None:
    """Return what the data of a result determine, or None where it does not say."""
    found = result.get("identifiability")
    if not found:
        return None
    names = [name for name in found.get("names") or () if _correlates(found, name)]
    places = [found["names"].index(name) for name in names]
    cells = [[_cell(found["correlation"][i][j]) for j in places[:row]] for row, i in enumerate(places)]
    facts = {
        "points": number(found.get("points", "")),
        "condition": number(found.get("condition"), 3) if found.get("condition") is not None else "",
        **{f"noise of {base_of(one['variable'])}, {one['objective']}": _noise(one) for one in found.get("noise") or ()},
    }
    return Uncertainty(
        list(found.get("words") or ()),
        list(found.get("remarks") or ()),
        [base_of(name) for name in names],
        cells if len(names) > 1 else [],
        {label: text for label, text in facts.items() if text},
    )


def _correlates(found: Mapping[str, Any], name: str) -> bool:
    place = found["names"].index(name)
    return as_float(found["correlation"][place][place]) is not None


def _cell(value: Any) -> Cell:
    given = as_float(value)
    if given is None:
        return Cell("", 0, "plus")
    return Cell(f"{given:.2f}", round(100 * abs(given)), "minus" if given < 0 else "plus")


def _noise(one: Mapping[str, Any]) -> str:
    """Return a noise with its unit, volts in mV."""
    unit = unit_of(one["variable"]) or ""
    factor, shown = (1e3, "mV") if unit == "V" else (1.0, unit_text(unit))
    sigma = as_float(one.get("sigma"))
    return f"{number(factor * sigma, 3)} {shown}{' (given)' if one.get('given') else ''}" if sigma is not None else ""


def sentences(record: ElementRecord) -> Iterator[str]:
    """Yield the sentences on what the data of an element leave open, those of each fit of an array with its value."""
    yield from (record.result.get("identifiability") or {}).get("words") or ()
    for value, fit in (record.result.get("fits") or {}).items():
        yield from (f"at {value}: {said}" for said in (fit.get("identifiability") or {}).get("words") or ())


def interval_rows(record: ElementRecord) -> list[IntervalRow]:
    """Return the intervals of an analysis at its point."""
    intervals = record.result.get("intervals") or {}
    point = record.result.get("point") or {}
    errors = (record.result.get("identifiability") or {}).get("parameters") or {}
    return [
        IntervalRow(
            base_of(name),
            unit_text(unit_of(name)),
            number(point.get(name, ends.get("value"))),
            number((errors.get(name) or {}).get("std_error"), 3),
            OPEN if _is_open(errors.get(name)) else interval_text((ends.get("lower"), ends.get("upper"))),
        )
        for name, ends in intervals.items()
    ]


def _is_open(row: Mapping[str, Any] | None) -> bool:
    return row is not None and row.get("interval") is None


def index_rows(record: ElementRecord) -> list[IndexRow]:
    """Return the indices of a sensitivity, the largest first."""
    total = record.result.get("total_order") or {}
    first, first_ci, total_ci = (
        record.result.get(key) or {} for key in ("first_order", "first_order_ci", "total_order_ci")
    )
    return [
        IndexRow(
            base_of(name),
            _index(first.get(name), first_ci.get(name)),
            _index(value, total_ci.get(name)),
            round(min(max(100.0 * float(value), 0.0), 100.0), 1),
        )
        for name, value in sorted(total.items(), key=lambda one: -one[1])
    ]


def second_order(record: ElementRecord) -> list[tuple[str, str, str]]:
    """Return what pairs of parameters share beyond each on its own, the largest first."""
    pairs = [
        (
            base_of(one),
            base_of(other),
            float(value),
            ((record.result.get("second_order_ci") or {}).get(one) or {}).get(other),
        )
        for one, others in (record.result.get("second_order") or {}).items()
        for other, value in others.items()
    ]
    return [(one, other, _index(value, width)) for one, other, value, width in sorted(pairs, key=lambda pair: -pair[2])]


def _index(value: Any, width: Any) -> str:
    given, half = as_float(value), as_float(width)
    if given is None:
        return ""
    return f"{given:.3f} ± {half:.3f}" if half is not None else f"{given:.3f}"


def array_rows(record: ElementRecord) -> list[ArrayRow]:
    """Return the parameters of an array of fits over the values of its variable."""
    fits = record.result.get("fits") or {}
    names = list(dict.fromkeys(row["name"] for fit in fits.values() for row in fit.get("parameters") or ()))
    tables = {name: [_found(fit, name) for fit in fits.values()] for name in names}
    return [ArrayRow(base_of(name), unit_text(unit_of(name)), values) for name, values in tables.items()]


def _found(fit: Mapping[str, Any], name: str) -> tuple[str, str]:
    row: Mapping[str, Any] = next((one for one in fit.get("parameters") or () if one["name"] == name), {})
    return number(row.get("value")), interval_text(row["interval"], 3) if "interval" in row else ""
