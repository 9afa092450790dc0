"""The `cellwright` command.

Everything heavy is imported inside the commands, so that `--help` answers at once.
"""

import functools
import json
import logging
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version as version_of
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ParamSpec

import typer

from cellwright.errors import CanceledError, CellwrightError, InternalError, NotFoundError

if TYPE_CHECKING:
    from rich.console import Console

    from cellwright.schema.document import Pipeline
    from cellwright.schema.results import PipelineResult
    from cellwright.store import Store

P = ParamSpec("P")

app = typer.Typer(
    name="cellwright",
    help="Parameterise a battery cell model from datasheets, literature and measured curves.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

PipelineFile = Annotated[Path, typer.Argument(metavar="FILE", help="A pipeline in YAML or JSON.")]
RunId = Annotated[str, typer.Argument(metavar="RUN_ID", help="A run's id, as 'cellwright list' shows it.")]
ReportPath = Annotated[Path | None, typer.Option("--report", help="Where to write the HTML report.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]


def main() -> None:
    """Run the command line."""
    app()


def readable(command: Callable[P, int | None]) -> Callable[P, None]:
    """Make a function a command: it returns its exit status, and errors end it as one readable block."""

    @functools.wraps(command)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            status = command(*args, **kwargs) or 0
        except KeyboardInterrupt:
            status = tell(CanceledError("stopped"), as_json=bool(kwargs.get("as_json")))
        except BrokenPipeError:
            # The reader of our output has gone (`cellwright describe | head`).
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            status = 0
        except Exception as error:  # the last guard: what nobody foresaw goes to a log, not over the screen
            status = tell(foreseen(error), as_json=bool(kwargs.get("as_json")))
        raise typer.Exit(status)

    return guarded


def tell(error: CellwrightError, as_json: bool) -> int:
    """Print an error on stderr, as a block or as JSON, and return its exit status."""
    if as_json:
        sys.stderr.write(json.dumps(error.to_dict(), indent=2) + "\n")
    else:
        from cellwright.cli.tables import error_block

        _console(stderr=True).print(error_block(error), soft_wrap=True)
    return error.exit_status


def foreseen(error: Exception) -> CellwrightError:
    """Return the error to tell: itself, or for a fault of ours one that names the log with the traceback.

    With CELLWRIGHT_DEBUG=1 a fault is raised as it is.
    """
    if isinstance(error, CellwrightError) and not isinstance(error, InternalError):
        return error
    if os.environ.get("CELLWRIGHT_DEBUG") == "1":
        raise error
    path = _log_folder() / f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{os.getpid()}.log"
    path.write_text("".join(traceback.format_exception(error)), encoding="utf-8")
    return InternalError(
        error.message if isinstance(error, InternalError) else f"{type(error).__name__}: {error}",
        hint=f"this is a fault of Cellwright; the traceback is in {path}, CELLWRIGHT_DEBUG=1 shows it",
    )


@app.command()
@readable
def run(file: PipelineFile, report: ReportPath = None, as_json: AsJson = False) -> None:
    """Run a pipeline, keep its result, write its report.

    What has not changed since an earlier run is not computed again; a run that was stopped goes on.
    """
    from cellwright.schema.document import Pipeline

    result = _execute(Pipeline.from_file(file), quiet=as_json)
    _conclude(result, report, as_json)


@app.command()
@readable
def check(file: PipelineFile, as_json: AsJson = False) -> int:
    """Find what would fail: every problem with its element, cause and remedy. Nothing is simulated."""
    from cellwright.schema.document import Pipeline
    from cellwright.schema.variant import InvalidDocumentError

    try:
        pipeline = Pipeline.from_file(file)
    except InvalidDocumentError as error:
        problems = error.problems
    else:
        from cellwright.engine.stored_entries import refers_elsewhere
        from cellwright.service.assembly import check_pipeline

        with _patience("checking"):
            store = _store() if refers_elsewhere(pipeline) else None
            problems = list(check_pipeline(pipeline, store=store).problems)
    errors = sum(problem.severity == "error" for problem in problems)
    if as_json:
        _print_json({"ok": errors == 0, "problems": [problem.to_dict() for problem in problems]})
    else:
        from cellwright.cli.tables import problem_block

        console = _console()
        for problem in problems:
            console.print(problem_block(problem), soft_wrap=True)
        warnings = len(problems) - errors
        console.print(f"{file.name}: {_count(errors, 'error')}, {_count(warnings, 'warning')}", highlight=False)
    return 1 if errors else 0


@app.command()
@readable
def describe(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="A member or a family.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show what can stand in a pipeline: fields, defaults, formula, source, example."""
    from cellwright.cli import describe as registry
    from cellwright.cli.tables import family_tables, member_page

    found = registry.notes() if name is None else registry.find(name)
    if as_json:
        _print_json([note.to_dict() for note in found])
        return
    one = name is not None and found[0].family.lower() != name.lower()
    for block in [member_page(note) for note in found] if one else family_tables(found):
        _console().print(block)


@app.command("list")
@readable
def list_runs(
    limit: Annotated[int, typer.Option(min=1, help="How many runs, the newest first.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List the runs that are kept."""
    from cellwright.cli.tables import run_table
    from cellwright.service.runs import Service

    runs, total = Service(_store()).page(limit=limit)
    if as_json:
        _print_json([vars(run) for run in runs])
    else:
        _console().print(run_table(runs))
        if total > len(runs):
            print(f"{total - len(runs)} older ones: --limit {total}")


@app.command()
@readable
def show(run_id: RunId, as_json: AsJson = False) -> None:
    """Show the result of a run."""
    result = _kept(run_id)
    if as_json:
        _print_json(result.to_dict())
    else:
        _print_result(result)


@app.command()
@readable
def report(
    run_id: RunId,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Where to write it.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write the HTML report of a run."""
    result = _kept(run_id)
    path = _write_report(result, output)
    if as_json:
        _print_json({"id": result.id, "report": str(path)})
    else:
        print(path)


@app.command()
@readable
def export(
    run_id: RunId,
    output: Annotated[Path, typer.Option("--output", "-o", help="Where to write it.")],
    form: Annotated[
        str | None, typer.Option("--format", "-f", help="python, json, bpx or pybamm; else the file's name decides.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the parameters of a run for other programs: a Python module, JSON, BPX, PyBaMM's JSON."""
    from cellwright.cli.export import document, lines
    from cellwright.service.exports import export

    exported = export(_kept(run_id), output, form)
    if as_json:
        _print_json(document(exported))
    else:
        print(*lines(exported), sep="\n")


@app.command()
@readable
def demo(report: ReportPath = None, as_json: AsJson = False) -> None:
    """Parameterise an LG M50 cell from the measurements that are packaged with Cellwright."""
    from importlib.resources import as_file, files

    from cellwright.schema.document import Pipeline

    with as_file(files("cellwright") / "demo" / "lg_m50") as folder:
        result = _execute(Pipeline.from_file(folder / "cell.yaml"), quiet=as_json)
    _conclude(result, report, as_json)


@app.command()
@readable
def version(as_json: AsJson = False) -> None:
    """Show the versions that a result depends on."""
    versions = {"python": ".".join(map(str, sys.version_info[:3]))}
    versions |= {name: version_of(name) for name in ("cellwright", "pybamm", "numpy", "scipy")}
    if as_json:
        _print_json(versions)
    else:
        for name, number in sorted(versions.items(), key=lambda item: item[0] != "cellwright"):
            print(f"{name} {number}")


def _log_folder() -> Path:
    from cellwright.store.location import default_home

    folder = default_home() / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _log_to_file() -> None:
    """Send what is logged to a file, for the screen belongs to the run; CELLWRIGHT_DEBUG=1 leaves it there."""
    if os.environ.get("CELLWRIGHT_DEBUG") != "1":
        logging.basicConfig(
            filename=_log_folder() / "cellwright.log", format="%(asctime)s %(levelname)s %(name)s: %(message)s"
        )


def _execute(pipeline: "Pipeline", quiet: bool) -> "PipelineResult":
    from cellwright.cli.progress import RunDisplay

    _log_to_file()
    with _patience("starting"):
        from cellwright.service.assembly import run_pipeline
    try:
        with _interruptible() as canceled, RunDisplay(_console(stderr=True), quiet) as display:
            return run_pipeline(pipeline, store=_store(), executor="processes", on_event=display, canceled=canceled)
    except CanceledError as error:
        error.hint = "the same command goes on from where it stopped"
        raise


def _conclude(result: "PipelineResult", report: Path | None, as_json: bool) -> None:
    """Print the end of a run: its table and the report's place."""
    path = _write_report(result, report)
    if as_json:
        _print_json({**result.to_dict(), "report": str(path)})
    else:
        _print_result(result)
        print(f"report: {path}")


def _print_result(result: "PipelineResult") -> None:
    from cellwright.cli.tables import derived_table
    from cellwright.report.text import summary

    derived = derived_table(result)
    if derived.row_count:
        _console().print(derived, "")
    _console().print(summary(result))


@contextmanager
def _interruptible() -> Iterator[Callable[[], bool]]:
    """Let the first Ctrl-C ask the run to stop; the second stops at once."""
    asked = False

    def ask(*_: object) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _patience(words: str) -> Iterator[None]:
    """Show on a terminal that something is being done."""
    console = _console(stderr=True)
    if console.is_terminal:
        with console.status(words):
            yield
    else:
        yield


def _write_report(result: "PipelineResult", path: Path | None) -> Path:
    from cellwright.report.page import render
    from cellwright.store import default_home

    place = (path or default_home() / "reports" / f"{result.id}.html").absolute()
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(render(result), encoding="utf-8")
    return place


def _store() -> "Store":
    from cellwright.store import Store

    return Store()


def _kept(run_id: str) -> "PipelineResult":
    """Return the result of the run whose id begins so."""
    from cellwright.store.conditions import Where

    store = _store()
    matching, _ = store.runs.page([Where("id", "ilike", f"{run_id}%")], limit=2)
    try:
        return store.runs.result(matching[0].id if len(matching) == 1 else run_id)
    except NotFoundError as error:
        raise NotFoundError(
            f"the id {run_id!r} is that of {'several runs' if matching else 'no run'}",
            hint="'cellwright list' shows them",
        ) from error


def _console(stderr: bool = False) -> "Console":
    from rich.console import Console

    return Console(stderr=stderr, highlight=False)


def _print_json(document: Any) -> None:
    from cellwright.schema.values import to_wire

    sys.stdout.write(json.dumps(to_wire(document), indent=2) + "\n")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


if __name__ == "__main__":
    main()
