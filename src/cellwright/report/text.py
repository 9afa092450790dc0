"""The short report for a terminal: what was fitted, how well, and what to look at with care."""

from collections import Counter
from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from cellwright.report.designs import metric_rows
from cellwright.report.findings import Verdict, is_fit, outcomes, solves, verdict
from cellwright.report.notation import counted, duration, measured, number, unit_text
from cellwright.report.posterior import posterior_rows
from cellwright.report.uncertainty import (
    array_rows,
    has_intervals,
    index_rows,
    interval_rows,
    interval_text,
    level_text,
)
from cellwright.report.windows import window_rows
from cellwright.schema.names import base_of, unit_of
from cellwright.schema.results import ElementRecord, PipelineResult

POSTERIOR = ("Mean", "Std", "5 %", "95 %", "R-hat", "ESS")
"""The columns of numbers of a posterior's table."""
WINDOW = ("At 0 %", "At 100 %", "In use", "Capacity [A h]")
"""Those of the stoichiometry windows."""
_STYLES = {"completed": "bold green", "failed": "bold red", "error": "red", "canceled": "bold yellow"}


def summary(result: PipelineResult) -> RenderableType:
    """Return the short report of a run, to be printed by a rich console."""
    found = verdict(result)
    parts: list[RenderableType] = [_title(result)]
    for record in result.elements:
        if is_fit(record) and record.result.get("parameters"):
            parts += ["", _fitted(record)]
        tables = (_metrics(record), _posterior(record), *_analysed(record))
        parts += [part for table in tables if table.row_count for part in ("", table)]
    parts += [
        part
        for table in (_windows(result), _fit_errors(found), _validations(found))
        if table.row_count
        for part in ("", table)
    ]
    parts += ["", *_cares(found)] if found.cares else []
    return Group(*parts, "", _work(result))


def _title(result: PipelineResult) -> Text:
    return Text.assemble(
        (result.name or result.id, "bold"), "  ", (result.status, _STYLES.get(result.status, "bold")), overflow="fold"
    )


def _table(*columns: str, title: str) -> Table:
    table = Table(title=Text(title, style="bold"), title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in columns:
        is_number = name in {"Initial", "Fitted", "Before", "After", "Error", *WINDOW, *POSTERIOR}
        table.add_column(name, justify="right" if is_number else "left", no_wrap=is_number, overflow="fold")
    return table


def _fitted(record: ElementRecord) -> Table:
    told = has_intervals(record.result)
    between = [level_text(record.result)] if told else []
    table = _table("Parameter", "Initial", "Fitted", *between, "Unit", "", title=record.name)
    for row in record.result["parameters"]:
        name = str(row["name"])
        flag = Text("at bound", style="yellow") if row.get("at_bound") else Text()
        unit = unit_text(row.get("unit") or unit_of(name))
        interval = [interval_text(row.get("interval"), 3)] if told else []
        numbers = (number(row.get("initial")), number(row.get("value")), *interval)
        table.add_row(Text(base_of(name)), *numbers, Text(unit), flag)
    return table


def _metrics(record: ElementRecord) -> Table:
    table = _table("Design", "Metric", "Asked", "Before", "After", "Unit", "", title="")
    for row in metric_rows(record):
        remark = Text(row.remark, style="" if row.kept else "red")
        table.add_row(Text(row.objective), Text(row.name), row.asked, row.before, row.after, Text(row.unit), remark)
    return table


def _posterior(record: ElementRecord) -> Table:
    table = _table("Posterior", *POSTERIOR, "Unit", title="")
    for row in posterior_rows(record):
        numbers = (row.mean, row.std, row.low, row.high, row.r_hat, row.ess)
        table.add_row(Text(row.base), *numbers, Text(row.unit))
    return table


def _analysed(record: ElementRecord) -> Iterator[Table]:
    """Yield the tables of an analysis, and of an array of fits."""
    intervals = _table("Parameter", "Value", level_text(record.result), "Unit", title=record.name)
    for interval in interval_rows(record):
        intervals.add_row(Text(interval.base), interval.value, interval.interval, Text(interval.unit))
    indices = _table("Parameter", "Alone", "With all interactions", title=record.name)
    for index in index_rows(record):
        indices.add_row(Text(index.base), index.first, index.total)
    found = _table("Parameter", "At", "Fitted", "Interval", "Unit", title=record.name)
    for row in array_rows(record):
        for value, (text, between) in zip(record.result["fits"], row.values, strict=True):
            found.add_row(Text(row.base), value, text, between, Text(row.unit))
    yield from (intervals, indices, found)


def _windows(result: PipelineResult) -> Table:
    table = _table("Electrode", "At 0 %", "At 100 %", "In use", "Capacity [A h]", title="Stoichiometry windows")
    for row in window_rows(result):
        table.add_row(Text(row.electrode), row.empty, row.full, row.share, row.capacity)
    return table


def _fit_errors(found: Verdict) -> Table:
    table = _table("Fit", "Objective", "Measure", "Before", "After", title="Error of the fits")
    for error in found.fits:
        before, after = (measured(value, error.measure) for value in (error.before, error.after))
        table.add_row(Text(error.element), Text(error.objective), Text(error.measure), before, after)
    return table


def _validations(found: Verdict) -> Table:
    table = _table("Objective", "Measure", "Before", "After", "Data", title="Error of the validations")
    for error in found.validations:
        before, after = (measured(value, error.measure) for value in (error.before, error.value))
        table.add_row(Text(error.objective), Text(error.measure), before, after, Text(error.remark))
    return table


def _cares(found: Verdict) -> Iterator[RenderableType]:
    yield Text("To look at with care", style="bold")
    table = Table.grid(padding=(0, 2, 0, 0))
    for care in found.cares:
        what = Text.assemble((base_of(care.where), "bold"), f" {care.what}")
        table.add_row(Text(care.kind, style=_STYLES.get(care.kind, "yellow")), what)
    yield table


def _work(result: PipelineResult) -> Text:
    cached = sum(record.cached for record in result.elements)
    ends = outcomes(sum((Counter(record.counts) for record in result.elements), start=Counter()))
    parts = [
        counted(len(result.elements), "element") + (f" ({cached} cached)" if cached else ""),
        counted(solves(result), "solve") + (f" ({', '.join(ends)})" if ends else ""),
        duration(result.seconds),
    ]
    return Text(", ".join(parts), style="dim")
