"""What batches gain from two cores, and what a task costs on each kind of pool.

    python benchmarks/parallel.py [--rounds 5] [--model SPMe]

A population of 24 points of one objective (681 rows, 1C), as a population search asks for it, generation by generation:
in this process on one thread and on all, in worker processes, on a `ProcessPoolExecutor`, and on Dask's executor with a
local cluster of as many workers as processors. The overhead of a pool is what a task of an empty job costs there, in
batches of 24. First answer: from making the pool (of Dask: from a
cluster that is up), the model being built and the workers cold.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

POPULATION = 24
NAMES = ("Negative particle diffusivity [m2.s-1]", "Positive particle diffusivity [m2.s-1]")
ONE_THREAD = "one thread"


@dataclass(frozen=True)
class Nothing:
    """A job whose tasks are done at once."""

    digest: str = "nothing"

    def __call__(self) -> Callable[[Sequence[Any]], list[Any]]:
        """Return the work."""
        from cellwright.schema.work import Answer

        return lambda tasks: [Answer("solved", {"y": np.zeros(1)}) for _ in tasks]


def job_of(model: str) -> Any:
    """Return the job of a fit of two diffusivities, its model built."""
    import cellwright as cw
    from cellwright.engine.job import ObjectiveJob
    from cellwright.service.assembly import simulate
    from cellwright.testing.cells import discharge, published

    p = published().without(NAMES)
    data = discharge(published(), model, duration=3400.0, points=681, noise=1e-3)
    objectives = {"1C": cw.objectives.CurrentDriven(data_input=data, options={"model": model})}
    ready = {name: one.prepare(p, NAMES, simulate) for name, one in objectives.items()}
    points = [{NAMES[0]: 3.3e-14 * x, NAMES[1]: 4e-15 / x} for x in (0.5, 1.0, 1.5)]
    return ObjectiveJob.of(ready, objectives, p, NAMES, simulate).thinned(points)


def generation(number: int) -> list[Any]:
    """Return the tasks of a generation."""
    from cellwright.schema.work import Task

    factors = np.random.default_rng(number).uniform(0.7, 1.4, size=(POPULATION, 2))
    return [Task("1C", {NAMES[0]: 3.3e-14 * a, NAMES[1]: 4e-15 * b}) for a, b in factors]


def timed(pool: Any, job: Any, rounds: int, began: float) -> tuple[float, list[float], list[float]]:
    """Return the seconds to the first answer, and for each round those of a task and of an empty task."""
    pool.map(job, generation(0)[:1])
    first = time.perf_counter() - began
    for number in range(3):
        pool.map(job, generation(number))
    tasks, empty = [], []
    for number in range(rounds):
        began = time.perf_counter()
        pool.map(job, generation(number))
        tasks.append((time.perf_counter() - began) / POPULATION)
        began = time.perf_counter()
        pool.map(Nothing(), generation(number))
        empty.append((time.perf_counter() - began) / POPULATION)
    return first, tasks, empty


def measured(kind: str, model: str, rounds: int) -> tuple[float, list[float], list[float]]:
    """Return the times of one kind of pool."""
    from cellwright.compute.executor import ExecutorPool
    from cellwright.compute.inline import InlinePool
    from cellwright.compute.processes import ProcessPool

    job, cores = job_of(model), len(os.sched_getaffinity(0))
    began = time.perf_counter()
    if kind in {ONE_THREAD, "all threads"}:
        return timed(InlinePool(), job, rounds, began)
    if kind == "processes":
        pool = ProcessPool(cores, warm="cellwright.models.simulation")
        times = timed(pool, job, rounds, began)
        pool.close()
    elif kind == "ProcessPoolExecutor":
        with ProcessPoolExecutor(cores, mp_context=get_context("spawn")) as executor:
            times = timed(ExecutorPool(executor), job, rounds, began)
    else:
        import distributed

        with (
            distributed.LocalCluster(cores, threads_per_worker=1, dashboard_address=None) as cluster,
            distributed.Client(cluster) as client,
        ):
            client.run(sys.path.insert, 0, os.path.dirname(os.path.abspath(__file__)))
            times = timed(ExecutorPool(client.get_executor()), job, rounds, time.perf_counter())
    return times


def spread(values: Sequence[float]) -> str:
    """Return median, least and largest in milliseconds."""
    return f"{1e3 * statistics.median(values):.2f} ({1e3 * min(values):.2f}–{1e3 * max(values):.2f})"


def main() -> None:
    """Measure each kind in a process of its own and print the table."""
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--rounds", type=int, default=15)
    given.add_argument("--model", default="SPMe")
    given.add_argument("--kind")
    asked = given.parse_args()
    if asked.kind:
        first, tasks, empty = measured(asked.kind, asked.model, asked.rounds)
        print(first, *tasks, ";", *empty)
        return
    table = Table("pool", "first answer [s]", "a solve [ms]", "× one thread", "an empty task [ms]", title=asked.model)
    base = 0.0
    for kind in (ONE_THREAD, "all threads", "processes", "ProcessPoolExecutor", "Dask"):
        environment = os.environ | ({"OMP_NUM_THREADS": "1"} if kind == ONE_THREAD else {})
        said = subprocess.run(
            [sys.executable, __file__, "--kind", kind, "--model", asked.model, "--rounds", str(asked.rounds)],
            capture_output=True,
            text=True,
            check=True,
            env=environment,
        ).stdout.split("\n")[-2]
        numbers, empty = (list(map(float, part.split())) for part in said.split(";"))
        base = base or statistics.median(numbers[1:])
        gain = base / statistics.median(numbers[1:])
        table.add_row(kind, f"{numbers[0]:.2f}", spread(numbers[1:]), f"{gain:.2f}", spread(empty))
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
