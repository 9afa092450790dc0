"""What becomes of points that fail, crash, hang or end early: counted, told, and no obstacle to the search."""

import sys
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

import cellwright as cw
from cellwright.compute.inline import InlinePool
from cellwright.compute.processes import ProcessPool
from cellwright.data.sources import settle
from cellwright.engine.outcomes import commonest, failures_told, tally
from cellwright.engine.run import run
from cellwright.engine.world import MemoryJournal, World
from cellwright.errors import CheckFailedError, SolverError
from cellwright.report.findings import verdict
from cellwright.report.page import render
from cellwright.report.text import summary

sys.path.insert(0, str(Path(__file__).parent))
from troubled import Troubled

TIME = np.arange(4.0)
GRID = cw.optimizers.GridSearch(7)
"""Points at a = 0, 1, … 6."""


def objective(voltage=1 + 2 * TIME):
    data = {"Time [s]": TIME, "Current [A]": np.ones(4), "Voltage [V]": voltage}
    return cw.objectives.CurrentDriven(data, options={"model": "troubled"})


def fit(start=0.0, low=0.0, high=6.0, **fields):
    return cw.DataFit(objective(), parameters={"a": cw.Parameter("a", start, (low, high))}, **fields)


def world(pool, **changes):
    given = {"simulate": Troubled, "worker_simulate": Troubled, "pool": pool, "load": settle}
    return World(**given | {"solve_time_limit": 0.7} | changes)


@pytest.fixture(scope="module")
def pool():
    pool = ProcessPool(2)
    yield pool
    pool.close()


@pytest.fixture(scope="module")
def result(pool):
    return run(cw.Pipeline({"fit": fit(optimizer=GRID)}), world(pool))


def test_each_outcome_is_counted_and_the_best_point_is_found_all_the_same(result):
    record = result.element("fit")
    assert record.result["parameter_values"]["a"] == pytest.approx(1.0)
    counts = record.counts
    # The interval's two steps beside a = 1 succeed.
    assert {name: counts[name] for name in ("evaluations", "failed", "crashed", "timed_out", "ended_early")} == {
        "evaluations": 7, "failed": 3, "crashed": 1, "timed_out": 1, "ended_early": 1,
    }  # fmt: skip


def test_they_are_told_in_the_record_the_report_and_the_terminal(result):
    (warning, *_) = result.element("fit").warnings
    assert warning.startswith("3 of 7 points could not be solved (1 ended their process, 1 took too long); most often")
    assert [care.what for care in verdict(result).cares if "points" in care.what] == [warning]
    ends = "3 failed, 1 ended their process, 1 took too long, 1 ended before the data"
    assert ends in render(result)
    console = Console(file=StringIO(), width=200)
    console.print(summary(result))
    assert ends in console.file.getvalue()


class Interrupted(InlinePool):
    """Stops after so many points."""

    left = 4

    def map(self, job, tasks, time_limit=None):
        if self.left < len(tasks):
            raise KeyboardInterrupt
        self.left -= len(tasks)
        return super().map(job, tasks, time_limit)


def test_a_search_that_goes_on_after_a_stop_tells_the_failures_before_it():
    search = cw.optimizers.ScipyDifferentialEvolution(max_iterations=3, population_size=4, tol=0)
    pipeline = cw.Pipeline({"fit": fit(start=4.0, low=3.6, high=6.0, optimizer=search, options={"seed": 1})})
    whole = run(pipeline, world(InlinePool())).element("fit")
    assert whole.counts["failed"] > 0
    assert whole.counts["ended_early"] > 0
    journal, stopped = MemoryJournal(), Interrupted()
    stopped.left = 9
    with pytest.raises(KeyboardInterrupt):
        run(pipeline, world(stopped, journal=journal))
    resumed = run(pipeline, world(InlinePool(), journal=journal)).element("fit")
    assert resumed.counts["replayed"] > 0
    for name in ("evaluations", "failed", "ended_early"):
        assert resumed.counts[name] == whole.counts[name]


def test_where_all_points_fail_the_commonest_cause_of_all_starts_is_the_error():
    element = fit(start=4.0, low=3.7, high=4.3, multistarts=3, options={"seed": 0})
    said = r"not one of \d+ points could be solved; most often \(\d+ times\): a is near 4"
    with pytest.raises(SolverError, match=said):
        run(cw.Pipeline({"fit": element}), world(InlinePool()))


def test_where_all_hang_the_time_limit_is_the_cause(pool):
    element = fit(start=3.0, low=2.9, high=3.1, optimizer=cw.optimizers.GridSearch(2))
    with pytest.raises(SolverError, match=r"not one of 2 points could be solved; .*: a solve took longer than 0.7 s"):
        run(cw.Pipeline({"fit": element}), world(pool))


@pytest.mark.parametrize("start", [5.2, 4.5])
def test_least_squares_steps_over_what_fails_and_ends_early(start):
    # Between the start and the optimum at 6 lie points that end early, or beside it points that fail.
    element = cw.DataFit(objective(6 + 2 * TIME), parameters={"a": cw.Parameter("a", start, (3.5, 8.0))})
    record = run(cw.Pipeline({"fit": element}), world(InlinePool())).element("fit")
    assert record.result["parameter_values"]["a"] == pytest.approx(6.0, abs=1e-4)


def test_voltages_that_were_not_measured_are_told_by_the_check():
    gaps = 1 + 2 * TIME
    gaps[2] = np.nan
    element = cw.DataFit(objective(gaps), parameters={"a": cw.Parameter("a", 0.3, (0, 1.5))})
    with pytest.raises(CheckFailedError, match=r"'Voltage \[V\]' holds 1 values that are no numbers .* row 2"):
        run(cw.Pipeline({"fit": element}), world(InlinePool()))


def test_one_that_ends_early_is_compared_where_both_are_and_penalised_for_the_rest():
    point, cost = cw.optimizers.PointEstimateOptimizer(), cw.costs.SSE(normalization="identity")
    element = fit(start=5.0, low=4.9, high=5.1, optimizer=point, cost=cost)
    record = run(cw.Pipeline({"fit": element}), world(InlinePool())).element("fit")
    # Model 5, 7 and then 7, 7 beside 1, 3, 5, 7.
    assert record.result["cost"] == pytest.approx(16 + 16 + 4 + 0)
    assert record.counts["ended_early"] > 0
    assert any("ended before the data" in warning for warning in record.warnings)


def test_outcomes_in_words():
    statuses = ["solved", "failed", "crashed", "time limit", "ended early", "failed"]
    counts = tally(statuses)
    assert counts == {"failed": 4, "crashed": 1, "timed_out": 1, "ended_early": 1}
    assert failures_told({**counts, "evaluations": 1500}, {"x": 1, "y": 3}) == [
        "4 of 1,500 points could not be solved (1 ended their process, 1 took too long); most often (3 times): y"
    ]
    assert failures_told({"evaluations": 5}, {}) == []
    assert commonest({}) == "the cause is not known"
