"""Pools on executors of the caller's: threads, processes, a Dask cluster; one fit on each gives the same numbers."""

import os
import signal
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import dask
import distributed
import numpy as np
import pytest

# Workers import the jobs as a module of the tests.
from pool_jobs import DIES, CannotBeBuilt, Squares

import cellwright as cw
from cellwright.compute.executor import ExecutorPool
from cellwright.errors import ConfigurationError, InternalError
from cellwright.schema.work import Task
from cellwright.service.assembly import fits
from cellwright.testing.cells import discharge, published

D_N, D_P = "Negative particle diffusivity [m2.s-1]", "Positive particle diffusivity [m2.s-1]"


def tasks(*inputs):
    return [Task("a", {"x": float(x)}) for x in inputs]


@pytest.fixture(scope="module")
def processes():
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as executor:
        yield executor


@pytest.fixture(scope="module")
def local_cluster():
    with (
        # On a busy machine a worker takes longer to start than Dask waits for it, and it is not started again.
        dask.config.set({"distributed.comm.timeouts.connect": "120s"}),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, worker_dashboard_address=None
        ) as local,
        distributed.Client(local) as client,
    ):
        yield client
        client.wait_for_workers(2, timeout=120)  # Dask does not close a worker that is on its way to start


@pytest.fixture
def cluster(local_cluster):
    """The cluster with both its workers, also behind a test that has ended one."""
    local_cluster.wait_for_workers(2, timeout=120)
    local_cluster.run(_know_the_jobs, os.path.dirname(__file__))
    return local_cluster


def _know_the_jobs(folder):
    import sys

    sys.path.insert(0, folder)


@pytest.fixture(params=["threads", "processes", "dask"])
def executor(request):
    if request.param == "threads":
        with ThreadPoolExecutor(2) as threads:
            yield threads
    elif request.param == "processes":
        yield request.getfixturevalue("processes")
    else:
        yield request.getfixturevalue("cluster").get_executor()


def test_answers_come_in_order_and_a_job_is_built_once_in_each_process(executor):
    pool = ExecutorPool(executor)
    for _ in range(3):
        answers = pool.map(Squares("in order"), tasks(*range(20)))
        assert [answer.predicted["y"][0] for answer in answers] == [x**2 for x in range(20)]
    assert pool.workers == 2
    assert len({answer.predicted["y"][1] for answer in answers}) <= 2


def test_a_worker_that_does_not_know_a_job_gets_it_sent(executor):
    ExecutorPool(executor).map(Squares("known"), tasks(1))
    pool = ExecutorPool(executor)
    pool._sent.add("unknown")
    assert pool.map(Squares("unknown"), tasks(3))[0].predicted["y"][0] == 9


def test_the_error_of_a_job_that_cannot_be_built_arrives_as_it_is(executor):
    with pytest.raises(ConfigurationError, match="no such model"):
        ExecutorPool(executor).map(CannotBeBuilt(), tasks(1))


def test_a_broken_executor_is_told_with_what_to_do():
    executor = ProcessPoolExecutor(1, mp_context=get_context("spawn"))
    pool = ExecutorPool(executor)
    with pytest.raises(InternalError, match="takes no tasks") as told:
        pool.map(Squares(), tasks(DIES, 1))
    assert "goes on where it stood" in (told.value.hint or "")


@pytest.fixture(scope="module")
def fit():
    data = discharge(published(), duration=1500.0, points=61, noise=1e-3)
    known = {k: v for k, v in published().values_.items() if k not in {D_N, D_P}}
    return cw.Pipeline(
        {
            "known": cw.direct_entries.DirectEntry(parameters=known),
            "fit": cw.DataFit(
                objectives={"1C": cw.objectives.CurrentDriven(data_input=data, options={"model": "SPM"})},
                parameters={
                    D_N: cw.Parameter(D_N, initial_value=1e-14, bounds=(1e-15, 1e-12)),
                    D_P: cw.Parameter(D_P, initial_value=1e-15, bounds=(1e-16, 1e-13)),
                },
            ),
        }
    )


def numbers(result):
    record = next(record for record in result.elements if record.name == "fit")
    return record.result["x"], record.result["cost"]


def test_a_fit_on_an_executor_has_the_numbers_of_one_inline(executor, fit):
    there, here = cw.run(fit, executor=executor), cw.run(fit)
    assert numbers(there) == numbers(here)


def test_the_fits_of_an_array_on_an_executor_have_the_numbers_of_those_inline(processes, fit):
    one = fit.elements["fit"]
    short = discharge(published(), duration=600.0, points=31)
    objectives = {"1": one.objectives["1C"], "2": cw.objectives.CurrentDriven(short, options={"model": "SPM"})}
    array = cw.Pipeline({**fit.elements, "fit": cw.ArrayDataFit(objectives, parameters=one.parameters)})
    there, here = (cw.run(array, executor=executor).element("fit").result for executor in (processes, "inline"))
    assert there["parameter_values"] == here["parameter_values"]
    assert there["fits"]["1"]["x"] == list(numbers(cw.run(fit))[0])


def test_processes_serve_the_fits_of_an_array_too(fit):
    one = fit.elements["fit"]
    array = cw.ArrayDataFit({"1": one.objectives["1C"]}, parameters=one.parameters)
    assert fits(fit)
    assert fits(cw.Pipeline({**fit.elements, "fit": array}))
    assert not fits(cw.Pipeline({"known": fit.elements["known"]}))


def test_a_fit_survives_the_death_of_a_cluster_worker(cluster, fit):
    expected = numbers(cw.run(fit))
    killed = []

    def kill(event):
        if event.kind == "progress" and not killed:
            pids = cluster.run(os.getpid)
            killed.append(next(iter(pids.values())))
            os.kill(killed[0], signal.SIGKILL)

    result = cw.run(fit, executor=cluster.get_executor(), on_event=kill)
    assert killed
    assert numbers(result) == expected


def test_a_worker_that_dies_again_and_again_is_told_by_its_task(cluster):
    answers = ExecutorPool(cluster.get_executor(retries=0)).map(Squares("dies"), tasks(1, DIES, 2))
    assert [answer.status for answer in answers] == ["solved", "crashed", "solved"]
    assert np.isclose(answers[2].predicted["y"][0], 4.0)
