"""kill -9 in the middle of a fit: run again, finished elements stand, the fit goes on and ends at the same bits."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

import cellwright as cw
from cellwright.testing.cells import discharge, published

DN, DP = "Negative particle diffusivity [m2.s-1]", "Positive particle diffusivity [m2.s-1]"


def pipeline() -> cw.Pipeline:
    cell = published()
    data = discharge(cell, points=61, noise=1e-3)
    objective = cw.objectives.CurrentDriven(data, options={"model": "SPM"})
    first = {DP: cw.transforms.Log10(cw.Parameter(DP, 2e-15, (1e-16, 1e-13)))}
    second = {DN: cw.transforms.Log10(cw.Parameter(DN, 9e-15, (1e-15, 1e-12)))} | first
    return cw.Pipeline({
        "known": cw.direct_entries.DirectEntry(dict(cell.values_), source="Chen2020"),
        "first": cw.DataFit(objective, parameters=first),
        "second": cw.DataFit(
            objective,
            parameters=second,
            optimizer=cw.optimizers.ScipyDifferentialEvolution(max_iterations=12, population_size=8),
            options={"seed": 4},
        ),
        "validate": cw.Validation({"same": objective}),
    }, name="killed")  # fmt: skip


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("killed") / "cell.json"
    path.write_text(json.dumps(pipeline().to_config()))
    return path


def start(file: Path, home: Path) -> subprocess.Popen:
    command = [sys.executable, "-m", "cellwright.cli.main", "run", str(file), "--json"]
    return subprocess.Popen(
        command,
        env=os.environ | {"CELLWRIGHT_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen) -> dict:
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return json.loads(out)


def batches(home: Path) -> int:
    """How many batches the journal holds."""
    if not (home / "cellwright.db").exists():
        return 0
    try:
        with sqlite3.connect(f"file:{home}/cellwright.db?mode=ro", uri=True) as connection:
            return connection.execute("SELECT count(*) FROM batches").fetchone()[0]
    except sqlite3.OperationalError:
        return 0


def kill_at(file: Path, home: Path, count: int) -> None:
    process = start(file, home)
    deadline = time.monotonic() + 60
    while batches(home) < count and process.poll() is None:
        assert time.monotonic() < deadline, "the run did not get that far"
        time.sleep(0.02)
    assert process.poll() is None, f"the run ended before it had {count} batches"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    process.stderr.close()


def numbers(result: dict) -> dict:
    fits = {e["name"]: e["result"] for e in result["elements"] if e["element_type"] == "data_fit"}
    return {name: (fit["parameter_values"], fit["cost"], fit["evaluations"]) for name, fit in fits.items()} | {
        "stats": result["elements"][-1]["result"]["summary_stats"]
    }


def test_a_run_that_is_killed_twice_ends_at_the_same_bits(file, tmp_path):
    whole = finish(start(file, tmp_path / "whole"))
    home = tmp_path / "killed"
    total = batches(tmp_path / "whole")
    kill_at(file, home, 2)
    kill_at(file, home, total - 3)
    resumed = finish(start(file, home))
    assert numbers(resumed) == numbers(whole)
    first, second = resumed["elements"][1], resumed["elements"][2]
    assert first["cached"]
    assert not second["cached"]
    assert second["counts"]["replayed"] > 0
    again = finish(start(file, home))
    assert [e["cached"] for e in again["elements"]] == [False, True, True, True]
    assert numbers(again) == numbers(whole)
