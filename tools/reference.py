"""Write docs/reference.md from what the registered members say of themselves; `--check` only compares."""

import argparse
import inspect
import json
import sys
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path

from cellwright import pipelines
from cellwright.cli.describe import FieldNote, MemberNote, notes

PAGE = Path(__file__).parents[1] / "docs" / "reference.md"
HEAD = """# Reference

What can stand in a pipeline. Written by `make docs` from the docstrings of the classes: change it there.
`cellwright describe NAME` shows the same in the terminal.
"""


def page() -> str:
    """Return the whole page."""
    everything = notes()
    families = {family: list(group) for family, group in groupby(everything, key=lambda note: note.family)}
    contents = [
        f"- [{family}](#{family.lower().replace(' ', '-')}): {', '.join(note.name for note in group)}"
        for family, group in families.items()
    ]
    contents.append("- [Ready pipelines](#ready-pipelines): functions that return the elements of a usual workflow")
    parts = [HEAD, *contents, "", *state_lines(everything)]
    for family, group in families.items():
        parts += [f"## {family}", "", *(line for note in group for line in member_lines(note))]
    parts += ["## Ready pipelines", "", inspect.getdoc(pipelines) or "", "", *ready_lines()]
    return "\n".join(parts)


def state_lines(everything: list[MemberNote]) -> Iterator[str]:
    """Yield the table of what works and what is only read and written so far."""
    yield from ("## What works", "")
    yield from (
        "What is not implemented yet is read and written like the rest, so that documents keep; a check and a run "
        "refuse it by name.",
        "",
        "| family | works | not implemented yet | fields that are not implemented yet |",
        "|---|---|---|---|",
    )
    for family, group in groupby(everything, key=lambda note: note.family):
        notes_ = list(group)
        fields = [f"{note.name}: {', '.join(f'`{field}`' for field in note.later)}" for note in notes_ if note.later]
        works, rest = ([note.name for note in notes_ if note.works is state] for state in (True, False))
        yield f"| {family} | {len(works)}: {', '.join(works)} | {', '.join(rest) or '–'} | {'; '.join(fields) or '–'} |"
    yield ""


def member_lines(note: MemberNote) -> Iterator[str]:
    """Yield the section of a member."""
    yield from (f"### {note.name}", "", note.summary, "")
    if not note.works:
        yield from ("Not implemented yet: it is read and written, and refused when a pipeline is to run.", "")
    if note.text:
        yield from (note.text, "")
    if note.source:
        yield from (f"Source: {note.source}", "")
    if note.line:
        yield from (f"In a file: `{note.line}`", "")
    if note.fields:
        yield from ("| field | type | default |", "|---|---|---|")
        yield from map(field_row, note.fields)
        yield ""
    if note.example:
        yield from (
            "Example:",
            "",
            "```json",
            json.dumps(note.example, indent=2, ensure_ascii=False),
            "```",
            "",
        )


def field_row(field: FieldNote) -> str:
    """Return a field's row of the table."""
    name = f"`{field.name}`" + (f" (in files `{field.written}`)" if field.written else "")
    kind = field.type.replace("|", "\\|")
    default = "required" if field.required else f"`{json.dumps(field.to_dict()['default'])}`"
    return f"| {name} | {kind} | {default} |"


def ready_lines() -> Iterator[str]:
    """Yield the sections of the functions that return the elements of a workflow."""
    for module in (pipelines.half_cell, pipelines.full_cell):
        subject = module.__name__.rpartition(".")[2]
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ == module.__name__ and not name.startswith("_"):
                yield from (f"### {subject}.{name}", "", f"`{called(subject, function)}`", "")
                yield from (inspect.getdoc(function) or "", "")


def called(subject: str, function: Callable[..., object]) -> str:
    """Return how a function is called: its arguments with their defaults."""
    arguments = inspect.signature(function).parameters.values()
    plain = [one.replace(annotation=inspect.Parameter.empty) for one in arguments]
    return f"cw.pipelines.{subject}.{function.__name__}{inspect.Signature(plain)}"


def main() -> int:
    """Write the page, or tell whether it is up to date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only compare; exit 1 where the page is out of date")
    text = page()
    if parser.parse_args().check:
        current = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
        if current != text:
            sys.stderr.write(f"{PAGE.name} is out of date: run make docs\n")
            return 1
        return 0
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
