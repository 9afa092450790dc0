"""kill -9: what is killed is done again from where it stood, and nothing that was kept is lost or torn."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from cellwright.client import Client
from cellwright.schema.document import Pipeline
from cellwright.service.assembly import run_pipeline
from cellwright.service.runs import Service
from cellwright.store import Store
from cellwright.store.tables import batches, cache

ENOUGH = 120.0
"""Seconds for what takes ten on a machine with nothing else to do."""


def until(condition: Callable[[], Any], what: str) -> Any:
    end = time.monotonic() + ENOUGH
    while not (found := condition()):
        assert time.monotonic() < end, f"it took too long until {what}"
        time.sleep(0.02)
    return found


@contextmanager
def worker(home: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "cellwright.service.worker", "--home", str(home), "--processes", "1"]
    with (home / "worker.log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


def kept_batches(store: Store) -> int:
    with store.database.read() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(batches)) or 0


@pytest.fixture(scope="module")
def longer_fit(fit_config: dict[str, Any]) -> dict[str, Any]:
    optimizer = {"type": "ScipyDifferentialEvolution", "maxiter": 7, "popsize": 5}
    elements = fit_config["elements"]
    return {"elements": {**elements, "fit": {**elements["fit"], "optimizer": optimizer}}}


@pytest.fixture(scope="module")
def undisturbed(longer_fit: dict[str, Any]) -> Any:
    return run_pipeline(Pipeline.from_config(longer_fit)).element("fit")


def test_a_killed_worker_is_replaced_and_the_fit_goes_on_to_the_same_bit(
    tmp_path: Path, longer_fit: dict[str, Any], undisturbed: Any
) -> None:
    store = Store(tmp_path)
    run = Service(store).submit(longer_fit)
    with worker(tmp_path) as first:
        until(lambda: kept_batches(store) >= 3, "three batches were kept")
        first.kill()  # it is not waited for: a zombie counts as gone
        before = kept_batches(store)
        killed = time.monotonic()
        assert store.runs.get(run.id).status == "running"
        with worker(tmp_path):
            until(lambda: store.runs.get(run.id).attempts == 2, "another worker claimed the run")
            assert time.monotonic() - killed < 10, "it waited for the lease though the worker is known to be gone"
            until(lambda: store.runs.get(run.id).is_terminal, "the run ended")
    assert store.runs.get(run.id).status == "completed", store.runs.get(run.id).error
    fit = store.runs.result(run.id).element("fit")
    assert fit.counts["replayed"] >= 10 * before
    assert fit.result["x"] == undisturbed.result["x"]
    assert fit.result["cost"] == undisturbed.result["cost"]
    assert fit.counts["evaluations"] == undisturbed.counts["evaluations"]


def test_a_waiting_client_starts_another_worker(home: Path, longer_fit: dict[str, Any], undisturbed: Any) -> None:
    with Client(home=home) as client:
        run = client.pipeline.create(longer_fit)
        store = Store(home)
        until(lambda: client.pipeline.get(run.id) and kept_batches(store) >= 1, "a batch was kept")
        holder = str(store.runs.get(run.id).worker)
        os.kill(int(holder.split(":")[-2]), signal.SIGKILL)
        client.pipeline.wait_for_completion(run.id, timeout=ENOUGH, verbose=False)
        assert store.runs.get(run.id).attempts == 2
        assert client.pipeline.result(run.id).element("fit").result["x"] == undisturbed.result["x"]


def test_a_terminated_worker_gives_its_run_back_at_once(tmp_path: Path, longer_fit: dict[str, Any]) -> None:
    store = Store(tmp_path)
    run = Service(store).submit(longer_fit)
    with worker(tmp_path) as process:
        until(lambda: kept_batches(store) >= 1, "a batch was kept")
        process.terminate()
        assert process.wait(30) == 0
    assert (store.runs.get(run.id).status, store.runs.get(run.id).worker) == ("pending", None)


WRITER = """
import sys
from pathlib import Path
import numpy as np
from cellwright.schema.results import ElementRecord
from cellwright.schema.search import Batch
from cellwright.store import Store

store = Store(Path(sys.argv[1]))
rng = np.random.default_rng(int(sys.argv[2]))
for index in range(10**6):
    points = rng.random((20, 3))
    store.journal.append(sys.argv[2], index, Batch(points, points.sum(axis=1), None, ("solved",) * 20))
    series = {"a": {"optimal": {"Time [s]": rng.random(2000)}}}
    record = ElementRecord("fit", "data_fit", "DataFit", result={"curve": rng.random(2000).tolist()}, series=series)
    store.cache.save(f"element {index % 7}", frozenset("a"), f"{sys.argv[2]} {index % 7}", record)
    print(index, flush=True)
"""


@pytest.mark.parametrize("seed", range(4))
def test_the_store_survives_a_kill_in_the_middle_of_writing(tmp_path: Path, seed: int) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path), str(seed)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(random.Random(seed).uniform(0.05, 0.4))
        process.kill()
        told = [int(line) for line in process.stdout]
    store = Store(tmp_path)
    with store.database.read() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
        assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
        keys = list(connection.scalars(sa.select(cache.c.key)))
    kept = store.journal.read(str(seed))
    assert len(kept) >= max(told, default=0) + 1  # what was told to be kept is there
    assert all(np.array_equal(one.costs, one.points.sum(axis=1)) for one in kept)
    assert keys
    assert all(store.cache.load(key) is not None for key in keys)
