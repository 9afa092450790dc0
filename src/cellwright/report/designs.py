"""Designs on paper: their metrics before and after, and which bounds they keep."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cellwright.report.notation import number, unit_text
from cellwright.schema.results import ElementRecord


@dataclass(frozen=True)
class MetricRow:
    """A metric of a design: what was asked of it, what it was at the start and at the end, what it breaks."""

    objective: str
    name: str
    asked: str
    before: str
    after: str
    unit: str
    remark: str
    kept: bool


def metric_rows(record: ElementRecord) -> Iterator[MetricRow]:
    """Yield the metrics of a fit's designs."""
    for objective, rows in (record.result.get("metrics") or {}).items():
        for row in rows:
            unit = unit_text(row["unit"])
            broken = f"violated by {number(row['excess'], 3)} {unit}".rstrip() if row["kept"] is False else ""
            yield MetricRow(
                objective,
                row["name"],
                row["asked"],
                _values(row["initial"]),
                _values(row["fitted"]),
                unit,
                broken or ("kept" if row["kept"] else ""),
                row["kept"] is not False,
            )


def _values(given: Any) -> str:
    return ", ".join(number(value, 5) for value in given) if isinstance(given, list) else number(given, 5)
