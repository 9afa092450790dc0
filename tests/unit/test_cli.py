"""The command line: what it prints, how it ends."""

import json
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from cellwright.cli.main import app
from cellwright.cli.progress import RunDisplay, progress_words
from cellwright.engine.seams import Event
from cellwright.errors import CellwrightError

HELP_LIMIT = 0.5
"""Seconds of CPU time for `cellwright --help`."""

GOOD = """
name: Capacity
elements:
  known:
    element_type: entry
    source: a datasheet
    values:
      Maximum concentration in positive electrode [mol.m-3]: 51217
      Positive electrode active material volume fraction: 0.65
      Positive electrode thickness [m]: 80e-6
      Electrode area [m2]: 0.1
  Q_pos:
    element_type: calculation
    type: ElectrodeCapacity
    electrode: positive
"""
CAPACITY = "Positive electrode capacity [A.h]"
THREE_MISTAKES = """
elements:
  first:
    element_type: calculation
    type: ElectrodeCapacty
    electrode: positive
  second:
    element_type: calculation
    type: ElectrodeCapacity
    electrode: positve
  third:
    element_type: calculaton
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CELLWRIGHT_HOME", str(tmp_path / "home"))
    return tmp_path


@pytest.fixture
def good(home: Path) -> Path:
    path = home / "cell.yaml"
    path.write_text(GOOD, encoding="utf-8")
    return path


def cellwright(*arguments: Any) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def document(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


# Help


def test_help_answers_at_once_and_imports_nothing_heavy() -> None:
    program = (
        "import sys, time; from cellwright.cli.main import main\n"
        "sys.argv = ['cellwright', '--help']\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(time.process_time()); print(*sorted({name.split('.')[0] for name in sys.modules}))"
    )
    runs = [
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True) for _ in range(3)
    ]
    assert min(float(run.stdout.splitlines()[-2]) for run in runs) < HELP_LIMIT
    loaded = set(runs[0].stdout.splitlines()[-1].split())
    assert loaded & {"pybamm", "numpy", "pydantic", "sqlalchemy", "fastapi"} == set()


@pytest.mark.parametrize("command", ["run", "check", "describe", "export", "list", "show", "report", "demo", "version"])
def test_every_command_has_help_and_json(command: str) -> None:
    result = cellwright(command, "--help")
    assert result.exit_code == 0
    assert "--json" in result.output


# Describe


def test_describe_lists_every_family_with_its_members(home: Path) -> None:
    result = cellwright("describe")
    assert result.exit_code == 0, result.output
    for word in ("Calculation", "ElectrodeCapacity", "CurrentDriven", "ScipyLeastSquares", "DataFit"):
        assert word in result.output


def test_describe_shows_fields_formula_source_and_example(home: Path) -> None:
    result = cellwright("describe", "electrodecapacity")
    assert result.exit_code == 0, result.output
    for word in ("use_stoich_window", "Q = c_max", "Newman", "required", "51217"):
        assert word in result.output


def test_describe_as_json_has_each_field_with_type_and_default(home: Path) -> None:
    (note,) = document(cellwright("describe", "ElectrodeCapacity", "--json"))
    fields = {field["name"]: field for field in note["fields"]}
    assert fields["electrode"] == {"name": "electrode", "type": '"positive" | "negative" | "lumped"', "required": True}
    assert fields["use_stoich_window"]["default"] is False
    assert note["family"] == "Calculation"


def test_describe_offers_the_nearest_names(home: Path) -> None:
    result = cellwright("describe", "ElectrodeCapacty")
    assert result.exit_code == 6
    assert "'ElectrodeCapacity'" in result.stderr


# Check


def test_check_of_a_good_file_succeeds(good: Path) -> None:
    result = cellwright("check", good)
    assert result.exit_code == 0, result.output
    assert "0 errors" in result.stdout


def test_check_tells_every_mistake_in_one_go_and_fails(home: Path) -> None:
    path = home / "wrong.yaml"
    path.write_text(THREE_MISTAKES, encoding="utf-8")
    result = cellwright("check", path)
    assert result.exit_code == 1, result.output
    for words in (
        "first",
        "'ElectrodeCapacity'",
        "second",
        "'positive'",
        "third",
        "'calculation'",
        "3 errors",
    ):
        assert words in result.stdout


def test_check_as_json_carries_place_message_and_hint(home: Path) -> None:
    path = home / "wrong.yaml"
    path.write_text(THREE_MISTAKES, encoding="utf-8")
    result = cellwright("check", path, "--json")
    report = json.loads(result.stdout)
    assert result.exit_code == 1
    assert report["ok"] is False
    for element, problem in zip(("first", "second", "third"), report["problems"], strict=True):
        assert element in problem["at"]
    assert all(problem["severity"] == "error" and problem["hint"] for problem in report["problems"])


# Errors


@pytest.mark.parametrize("command", ["check", "run"])
def test_a_file_that_is_not_there_is_one_readable_block(good: Path, command: str) -> None:
    result = cellwright(command, good.with_name("cel.yaml"))
    assert result.exit_code == 2
    assert "'cell.yaml'" in result.stderr
    assert "Traceback" not in result.output


def test_an_error_as_json_goes_to_stderr(good: Path) -> None:
    result = cellwright("run", good.with_name("cel.yaml"), "--json")
    error = json.loads(result.stderr)
    assert set(error) == {"error_code", "message", "at", "hint", "detail"}
    assert result.stdout == ""


def test_an_unknown_command_is_a_usage_error(home: Path) -> None:
    assert cellwright("runn").exit_code == 2


@pytest.mark.parametrize("command", ["show", "report"])
def test_a_run_that_is_not_there_has_an_exit_status_of_its_own(home: Path, command: str) -> None:
    result = cellwright(command, "0000")
    assert result.exit_code == 6, result.output


def test_an_unforeseen_fault_goes_to_a_log_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cellwright.cli.describe.notes", lambda: 1 / 0)
    monkeypatch.setattr(Console, "width", 500)
    result = cellwright("describe")
    assert result.exit_code == 70
    assert "Traceback" not in result.output
    (log,) = (home / "home" / "logs").iterdir()
    assert str(log) in result.stderr
    assert "ZeroDivisionError" in log.read_text(encoding="utf-8")


def test_debug_shows_the_traceback(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cellwright.cli.describe.notes", lambda: 1 / 0)
    monkeypatch.setenv("CELLWRIGHT_DEBUG", "1")
    assert isinstance(cellwright("describe").exception, ZeroDivisionError)


def test_no_escape_codes_where_there_is_no_terminal(good: Path) -> None:
    assert "\x1b" not in cellwright("check", good).output
    assert "\x1b" not in cellwright("describe").output


# Run and what is kept


def test_a_run_is_kept_listed_shown_and_reported(good: Path) -> None:
    result = document(cellwright("run", good, "--json"))
    assert result["status"] == "completed"
    # c_max ε L A F / 3600
    assert result["parameters"][CAPACITY] == pytest.approx(51217 * 0.65 * 80e-6 * 0.1 * 96485.33212 / 3600, rel=1e-9)
    assert Path(result["report"]).read_text(encoding="utf-8").lstrip().lower().startswith("<!doctype html")
    listed = document(cellwright("list", "--json"))
    assert [(run["id"], run["status"]) for run in listed] == [(result["id"], "completed")]
    assert document(cellwright("show", result["id"], "--json"))["parameters"] == result["parameters"]
    again = good.with_name("again.html")
    assert document(cellwright("report", result["id"], "-o", again, "--json"))["report"] == str(again)
    assert again.is_file()


def test_a_run_ends_with_its_table_and_the_place_of_the_report(good: Path) -> None:
    result = cellwright("run", good, "--report", good.with_name("page.html"))
    assert result.exit_code == 0, result.output
    assert "✓ Q_pos" in result.stderr
    assert CAPACITY in result.stdout
    assert result.stdout.rstrip().endswith(f"report: {good.with_name('page.html')}")


def test_a_calculation_that_waits_says_for_what(good: Path) -> None:
    good.write_text(GOOD.replace("Electrode area [m2]: 0.1", ""), encoding="utf-8")
    result = cellwright("run", good)
    assert result.exit_code == 0, result.output
    assert "waits for" in result.stdout
    assert "Electrode area [m2]" in result.stdout


def test_the_pipeline_file_in_the_readme_runs(good: Path) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    good.write_text(readme.split("```yaml")[1].split("```")[0], encoding="utf-8")
    # c_max ε L A F / 3600 of the values in the file
    capacity = 63104 * 0.665 * 75.6e-6 * 0.065 * 1.58 * 96485.33212 / 3600
    assert document(cellwright("run", good, "--json"))["parameters"][CAPACITY] == pytest.approx(capacity, rel=1e-9)


def test_a_mistake_ends_a_run_before_anything_is_computed(home: Path) -> None:
    path = home / "wrong.yaml"
    path.write_text(THREE_MISTAKES, encoding="utf-8")
    result = cellwright("run", path)
    assert result.exit_code == 2
    assert result.stderr.count("remedy: ") == 3


def test_ctrl_c_cancels_and_says_how_to_go_on(home: Path) -> None:
    program = (
        "import cellwright.service.assembly as assembly, time\n"
        "from cellwright.errors import CanceledError\n"
        "def run_pipeline(pipeline, *, canceled, **_):\n"
        "    print('ready', flush=True)\n"
        "    while not canceled(): time.sleep(0.01)\n"
        "    raise CanceledError('stopped')\n"
        "assembly.run_pipeline = run_pipeline\n"
        "import sys; from cellwright.cli.main import main\n"
        "sys.argv = ['cellwright', 'run', sys.argv[1]]; main()\n"
    )
    path = home / "cell.yaml"
    path.write_text(GOOD, encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "the same command goes on from where it stopped" in errors
    assert "Traceback" not in errors


# Progress


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"seconds": 65.0}, "1:05"),
        (
            {"best_cost": 0.0123456, "rate": 4.0, "limit": 100},
            "best cost 0.01235 · 4.0 per second · 0:15 left",
        ),
        ({"replayed": 30, "seconds": 3600.0}, "30 from the journal · 1:00:00"),
    ],
)
def test_progress_tells_time_left_where_a_budget_is_known(data: Mapping[str, Any], words: str) -> None:
    assert progress_words({"evaluations": 40, **data}) == f"40 evaluations · {words}"


def test_elements_tick_off_in_order_without_a_terminal() -> None:
    console = Console(force_terminal=False, width=100, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    with RunDisplay(console) as display:
        display(Event("element started", "fit [1]"))
        display(Event("progress", "fit [1]", {"evaluations": 1}))
        display(Event("element finished", "fit [1]", {"status": "completed", "seconds": 1.25}))
        display(Event("element finished", "known", {"status": "completed", "cached": True}))
        display(Event("element finished", "check", {"status": "failed"}))
    assert console.export_text().splitlines() == [
        "✓ fit [1] 1.2 s",
        "✓ known kept from before",
        "✗ check failed",
    ]


def test_every_kind_of_error_has_an_exit_status_between_1_and_255() -> None:
    kinds = [CellwrightError, *CellwrightError.__subclasses__()]
    assert all(0 < kind.exit_status < 256 for kind in kinds)
