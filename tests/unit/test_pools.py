"""Pools: order, equal answers, hung and dying solves, errors, no orphans."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from cellwright.compute.built import KEPT, dealt
from cellwright.compute.inline import InlinePool
from cellwright.compute.processes import ProcessPool
from cellwright.errors import CanceledError, ConfigurationError, InternalError, SolverError
from cellwright.schema.work import Task

sys.path.insert(0, str(Path(__file__).parent))
from pool_jobs import (
    BUILT,
    DIES,
    EXITS,
    FAULTY,
    HANGS,
    REFUSES,
    CannotBeBuilt,
    CannotBeSent,
    Squares,
    Surroundings,
)


def tasks(*xs):
    return [Task("a", {"x": float(x)}) for x in xs]


def squares(answers):
    return [float(a.predicted["y"][0]) if a.status == "solved" else a.status for a in answers]


@pytest.fixture(scope="module")
def pool():
    pool = ProcessPool(2)
    yield pool
    pool.close()


@pytest.fixture(params=["inline", "processes"])
def either(request, pool):
    return InlinePool() if request.param == "inline" else pool


def test_answers_come_in_order(either):
    assert squares(either.map(Squares(), tasks(*range(11)))) == [x**2 for x in range(11)]


def test_no_tasks_have_no_answers(either):
    assert either.map(Squares(), []) == []


def test_a_job_is_built_once_in_a_process():
    pool = ProcessPool(1)
    built = {float(a.predicted["y"][2]) for _ in range(3) for a in pool.map(Squares(), tasks(1, 2, 3))}
    pool.close()
    assert built == {1}


def test_a_job_goes_once_to_each_worker_and_again_to_those_that_do_not_know_it():
    pool, sent = ProcessPool(2), []
    schedule = pool._pool.schedule

    def counted(function, args):
        sent.append(args[1] is not None)
        return schedule(function, args=args)

    pool._pool.schedule = counted
    for _ in range(8):
        assert squares(pool.map(Squares("sent"), tasks(*range(20)))) == [x**2 for x in range(20)]
    assert sum(sent) <= 6, "four chunks of the first batch, and once more to each worker at most"
    before = sum(sent)
    assert squares(pool.map(Squares("sent"), tasks(DIES, 1, 2, 3))) == ["crashed", 1, 4, 9]
    for _ in range(4):
        assert squares(pool.map(Squares("sent"), tasks(*range(20)))) == [x**2 for x in range(20)]
    assert sum(sent) > before, "the worker in the place of the dead one was sent it too"
    pool.close()


def test_the_jobs_used_last_are_kept():
    pool = InlinePool()
    BUILT.clear()
    for i in range(2 * KEPT):
        pool.map(Squares("used again and again"), tasks(1))
        pool.map(Squares(str(i)), tasks(1))
    assert BUILT.count("used again and again") == 1
    pool.map(Squares("0"), tasks(1))
    assert BUILT.count("0") == 2


@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize("objectives", [1, 2, 3, 4, 6])
def test_every_chunk_gets_its_share_of_every_objective(workers, objectives):
    asked = [Task(str(objective), {"x": float(point)}) for point in range(25) for objective in range(objectives)]
    chunks = dealt(asked, workers)
    assert sorted(place for chunk in chunks for place in chunk) == list(range(len(asked)))
    for objective in range(objectives):
        shares = [sum(asked[place].objective == str(objective) for place in chunk) for chunk in chunks]
        assert max(shares) - min(shares) <= 1


def test_a_solve_that_kills_its_worker_loses_nothing_else(pool):
    assert squares(pool.map(Squares(), tasks(1, DIES, 2, 3, 4, 5, 6, 7, 8))) == [
        1,
        "crashed",
        *(4, 9, 16, 25, 36, 49, 64),
    ]
    assert squares(pool.map(Squares(), tasks(5))) == [25]


@pytest.mark.parametrize("time_limit", [None, 60.0])
def test_a_solve_that_exits_is_not_taken_for_a_hung_one(pool, time_limit):
    assert squares(pool.map(Squares(), tasks(1, EXITS), time_limit)) == [1, "crashed"]


def test_a_hung_solve_is_ended_at_its_time_limit(pool):
    began = time.monotonic()
    answers = pool.map(Squares(), tasks(1, HANGS, 2), time_limit=0.5)
    assert squares(answers) == [1, "time limit", 4]
    assert answers[1].message == "a solve took longer than 0.5 s"
    assert time.monotonic() - began < 30  # the hang alone would take minutes
    assert squares(pool.map(Squares(), tasks(3, 4))) == [9, 16]


def test_the_error_of_a_job_that_cannot_be_built_arrives_as_it_is(either):
    with pytest.raises(ConfigurationError, match="no such model") as error:
        either.map(CannotBeBuilt(), tasks(1))
    assert error.value.at == ("objectives", "a")


def test_an_error_of_ours_in_the_work_arrives_as_it_is(either):
    with pytest.raises(SolverError, match="cannot be solved") as error:
        either.map(Squares(), tasks(1, REFUSES))
    assert error.value.at == ("objectives", "a")


def test_a_fault_in_the_work_is_told(either):
    with pytest.raises(InternalError, match="ZeroDivisionError: fault"):
        either.map(Squares(), tasks(FAULTY))


def test_a_fault_beside_a_crash_is_told():
    pool = ProcessPool(1)
    with pytest.raises(InternalError, match="ZeroDivisionError: fault"):
        pool.map(Squares(), tasks(DIES, 1, FAULTY, 2))
    pool.close()


def test_a_job_that_cannot_be_pickled_is_told(pool):
    with pytest.raises(InternalError, match="cannot be sent to a worker"):
        pool.map(CannotBeSent(), tasks(1))


def test_a_script_without_a_main_guard_is_told_so(tmp_path):
    """A worker reads the script that started it, and would start workers of its own."""
    script = tmp_path / "unguarded.py"
    places = [str(Path(__file__).parent), str(Path(__file__).parents[2] / "src")]
    script.write_text(
        f"import sys\nsys.path[:0] = {places}\n"
        "from pool_jobs import Squares\n"
        "from cellwright.compute.processes import ProcessPool\n"
        "from cellwright.schema.work import Task\n"
        "ProcessPool(1).map(Squares(), [Task('a', {'x': 1.0})])\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=60, check=False)
    assert "ended before they had begun (they read the script too" in done.stderr


def test_a_pool_that_is_closed_meanwhile_does_not_wait_for_ever():
    pool = ProcessPool(2)
    pool.map(Squares(), tasks(1, 2))
    closing = threading.Timer(0.3, pool.close)
    closing.start()
    with pytest.raises(CanceledError):
        pool.map(Squares(), tasks(HANGS, HANGS, 1))
    closing.join()


def test_workers_are_warm_have_one_thread_and_leave_the_environment_alone(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    before = dict(os.environ)
    pool = ProcessPool(1, warm="wave")
    (answer,) = pool.map(Surroundings("wave"), tasks(1))
    pool.close()
    assert list(answer.predicted["y"]) == [1, True]
    assert dict(os.environ) == before


@pytest.mark.parametrize(
    ("doing", "ending"),
    [("hang", signal.SIGKILL), ("hang", signal.SIGTERM), ("hang", signal.SIGINT), ("end", None)],
    ids=["killed", "terminated", "Ctrl-C", "ended"],
)
def test_workers_do_not_outlive_their_parent(doing, ending):
    command = [sys.executable, str(Path(__file__).parent / "pool_jobs.py"), doing]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as parent:
        workers = [int(pid) for pid in parent.stdout.readline().split()]
        assert workers
        if ending:
            time.sleep(0.3)  # the workers are in the solve that hangs
            parent.send_signal(ending)
        parent.wait(timeout=20)
    deadline = time.monotonic() + 15
    while any(_alive(pid) for pid in workers) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(_alive(pid) for pid in workers)


def _alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False
