"""Pools: order, equal answers, hung and dying solves, errors, no orphans."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cellwright.compute.inline import InlinePool
from cellwright.compute.processes import ProcessPool
from cellwright.errors import ConfigurationError, InternalError
from cellwright.schema.work import Task

sys.path.insert(0, str(Path(__file__).parent))
from pool_jobs import CannotBeBuilt, Squares


def tasks(*xs):
    return [Task("a", {"x": float(x)}) for x in xs]


def squares(answers):
    return [float(a.predicted["y"][0]) if a.status == "solved" else a.status for a in answers]


@pytest.fixture(scope="module")
def pool():
    pool = ProcessPool(2)
    yield pool
    pool.close()


def test_answers_come_in_order_and_equal_to_inline(pool):
    asked = tasks(*range(11))
    assert (
        squares(pool.map(Squares(), asked)) == squares(InlinePool().map(Squares(), asked)) == [x**2 for x in range(11)]
    )


def test_a_solve_that_kills_its_worker_loses_nothing_else(pool):
    assert squares(pool.map(Squares(), tasks(1, -1, 2, 3))) == [1, "crashed", 4, 9]
    assert squares(pool.map(Squares(), tasks(5))) == [25]


def test_a_hung_solve_is_ended_at_its_time_limit(pool):
    began = time.monotonic()
    assert squares(pool.map(Squares(), tasks(1, -2, 2), time_limit=0.5)) == [1, "time limit", 4]
    assert time.monotonic() - began < 30  # the hang alone would take minutes


def test_the_error_of_a_job_that_cannot_be_built_arrives_as_it_is(pool):
    with pytest.raises(ConfigurationError, match="no such model") as error:
        pool.map(CannotBeBuilt(), tasks(1))
    assert error.value.at == ("objectives", "a")


def test_a_fault_in_the_work_is_told(pool):
    with pytest.raises(InternalError, match="ZeroDivisionError: fault"):
        pool.map(Squares(), tasks(-3))


def test_workers_do_not_outlive_a_killed_parent():
    script = Path(__file__).parent / "pool_jobs.py"
    parent = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True)
    workers = [int(pid) for pid in parent.stdout.readline().split()]
    assert workers
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 15
    while any(_alive(pid) for pid in workers) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(_alive(pid) for pid in workers)


def _alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


def test_the_environment_is_left_as_it_was():
    before = dict(os.environ)
    ProcessPool(1).close()
    assert dict(os.environ) == before
