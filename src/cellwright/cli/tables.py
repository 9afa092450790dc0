"""What the commands print: findings, members, runs."""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from cellwright.cli.describe import FieldNote, MemberNote
from cellwright.errors import CellwrightError, Problem
from cellwright.report.notation import as_float, number
from cellwright.schema.results import PipelineResult

if TYPE_CHECKING:
    from cellwright.store.runs import Run

SEVERITY_STYLES = {"error": "bold red", "warning": "yellow"}


def plain_table(*columns: str, title: str | None = None) -> Table:
    """Return an empty table without a frame."""
    table = Table(*columns, title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    table.columns[0].no_wrap = True
    return table


def error_block(error: CellwrightError) -> Text:
    """Return an error as it is told: its code, then place, message and hint, or all the findings that it carries."""
    findings = error.detail.get("problems")
    block = Text(f"{error.code}\n", style="bold red")
    if findings:
        problems = (Problem(row["severity"], row["message"], tuple(row["at"]), row["hint"]) for row in findings)
        return block + Text("\n").join(problem_block(problem) for problem in problems)
    lines = [("at: ", " › ".join(error.at)), ("", error.message), ("hint: ", error.hint)]
    told = "\n".join(f"  {label}{words}" for label, words in lines if words)
    return block.append(told, style="not bold default")


def problem_block(problem: Problem) -> Text:
    """Return a finding of a check: severity and place, cause, remedy."""
    block = Text(f"{problem.severity:8}", style=SEVERITY_STYLES[problem.severity])
    block.append(" › ".join(problem.at) or "pipeline", style="bold default")
    block.append(f"\n        {problem.message}", style="not bold default")
    if problem.hint:
        block.append(f"\n        remedy: {problem.hint}", style="not bold default")
    return block


def family_tables(notes: Iterable[MemberNote]) -> Iterator[RenderableType]:
    """Yield one table for each family: its members and what they are."""
    for family, group in groupby(notes, key=lambda note: note.family):
        table = plain_table("Name", "What it is", title=family)
        for note in group:
            table.add_row(
                note.name, Text(note.summary) + (Text() if note.works else Text(" (not yet)", style="yellow"))
            )
        yield table
        yield ""


def member_page(note: MemberNote) -> RenderableType:
    """Return all that a member says of itself."""
    parts: list[RenderableType] = [
        Text.assemble((note.name, "bold"), f"  {note.family}" + (f", in a file '{note.line}'" if note.line else "")),
        "",
        Text(note.summary),
    ]
    if not note.works:
        parts += ["", Text("It is read and written; a pipeline with it does not run yet.", style="yellow")]
    if note.later:
        parts += ["", Text(f"These fields do nothing yet: {', '.join(note.later)}.", style="yellow")]
    if note.text:
        parts += ["", Text(note.text)]
    if note.source:
        parts += ["", Text.assemble(("Source: ", "bold"), note.source)]
    if note.fields:
        parts += ["", _field_table(note.fields)]
    if note.example is not None:
        parts += ["", Text("Example", style="bold"), *_example_lines(note.example)]
    return Group(*parts, "")


def _field_table(fields: Sequence[FieldNote]) -> Table:
    table = plain_table("Field", "Type", "Default", "In files")
    for field in fields:
        default = "required" if field.required else default_text(field)
        table.add_row(field.name, Text(field.type), Text(default), field.written or "")
    return table


def default_text(field: FieldNote) -> str:
    """Return a field's default as it would be written in a file."""
    return json.dumps(field.to_dict()["default"])


def _example_lines(example: Any) -> Iterator[Text]:
    for label, key in (("fields", "fields"), ("given ", "given"), ("gives ", "gives")):
        for name, value in example.get(key, {}).items():
            yield Text(f"  {label}  {name}: {json.dumps(value, ensure_ascii=False)}")


def run_table(runs: Iterable["Run"]) -> Table:
    """Return the table of the runs that are kept, each with the beginning of its id, which is enough to name it."""
    table = plain_table("Id", "Started (UTC)", "Status", "Name")
    for run in runs:
        table.add_row(run.id[:8], (run.started_at or "")[:16].replace("T", " "), run.status, Text(run.name))
    return table


def derived_table(result: PipelineResult) -> Table:
    """Return what the calculations of a run gave: the numbers, and what the others wait for."""
    table = plain_table("Calculation", "Parameter", "Value")
    for record in result.elements:
        if record.element_type == "calculation":
            for name, value in record.result.get("parameter_values", {}).items():
                waits_for = record.unresolved.get(name)
                if waits_for or as_float(value) is not None:
                    words = f"waits for {', '.join(waits_for)}" if waits_for else number(value, digits=6)
                    table.add_row(Text(record.name), Text(name), Text(words))
    return table
