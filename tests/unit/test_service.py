"""The service: how a claimed run is carried out, and how failures are told."""

import contextlib
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cellwright.engine.seams import Canceled, Event, Sink
from cellwright.errors import CanceledError, CheckFailedError, ConflictError, DataError, InternalError, Problem
from cellwright.schema.document import Pipeline
from cellwright.schema.results import ElementRecord, PipelineResult
from cellwright.service import execution
from cellwright.service.assembly import run_pipeline
from cellwright.service.execution import carry_out
from cellwright.service.failures import sentence
from cellwright.service.process import is_gone, name_of_this_process
from cellwright.service.runs import Service
from cellwright.service.supervisor import Supervisor
from cellwright.service.worker import MOST_ATTEMPTS, Worker
from cellwright.store import Store
from cellwright.store.runs import Claim, LeaseLostError

CONFIG = {"elements": {"known": {"element_type": "entry", "values": {"Nominal cell capacity [A.h]": 5.0}}}}
LEASE = timedelta(seconds=10)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


@pytest.fixture
def service(store: Store) -> Service:
    return Service(store)


def claim(store: Store) -> Claim:
    found = store.runs.claim("w", LEASE, lambda worker: False)
    assert found is not None
    return found


def do(store: Store, held: Claim, work: Callable[[Sink, Canceled], PipelineResult], **options: Any) -> PipelineResult:
    return carry_out(store, held, work, clock=time.monotonic, **options)


def wait_until_stopped(emit: Sink, canceled: Canceled) -> PipelineResult:
    until = time.monotonic() + 20
    while not canceled():
        assert time.monotonic() < until
        time.sleep(0.005)
    raise CanceledError("the run was cancelled")


class TestSentences:
    def test_an_error_names_element_place_and_remedy(self) -> None:
        error = DataError("the data have no column 'Volts'", at=("fit", "objectives", "1C"), hint="did you mean 'V'?")
        assert sentence(error) == (
            "Element 'fit' (objectives › 1C): the data have no column 'Volts' (did you mean 'V'?)."
        )

    def test_of_many_problems_the_first_is_told_and_the_rest_counted(self) -> None:
        problems = [
            Problem("warning", "odd", ("a",)),
            Problem("error", "bad", ("b",), "mend it"),
            Problem("error", "worse", ("c",)),
        ]
        error = CheckFailedError("2 errors:\n  …", detail={"problems": [problem.to_dict() for problem in problems]})
        assert sentence(error) == "Element 'b': bad (mend it). There is 1 more problem like it."

    def test_what_belongs_to_no_element_is_a_sentence_too(self) -> None:
        assert sentence(InternalError("it broke")) == "It broke."


class TestCarryingOut:
    def test_events_become_what_clients_see(self, store: Store, service: Service) -> None:
        run = service.submit(CONFIG)
        seen: list[str] = []

        def work(emit: Sink, canceled: Canceled) -> PipelineResult:
            emit(Event("element started", "known"))
            seen.append(service.elements(run.id)[0].status)
            emit(Event("progress", "known", {"evaluations": 3, "best_cost": float("inf")}))
            seen.append(str(service.elements(run.id)[0].progress["evaluations"]))
            record = ElementRecord("known", "entry", "DirectEntry", "completed")
            emit(Event("element finished", "known", {"status": "completed", "record": record}))
            return PipelineResult(run.id, run.name, "completed", (record,), CONFIG)

        told: list[Event] = []
        do(store, claim(store), work, on_event=told.append)
        assert seen == ["running", "3"]
        assert [event.kind for event in told] == ["element started", "progress", "element finished"]
        assert service.get(run.id).status == "completed"
        assert service.completed(run.id).element("known").status == "completed"

    def test_a_failure_is_kept_as_a_sentence(self, store: Store, service: Service) -> None:
        run = service.submit(CONFIG)

        def work(emit: Sink, canceled: Canceled) -> PipelineResult:
            error = DataError("no data", at=("known",), hint="bring some")
            emit(Event("element finished", "known", {"status": "failed", "error": error.to_dict()}))
            raise error

        with pytest.raises(DataError):
            do(store, claim(store), work)
        kept = service.get(run.id)
        assert (kept.status, kept.error, kept.error_code) == (
            "failed", "Element 'known': no data (bring some).", "DATA_ERROR",
        )  # fmt: skip
        assert service.elements(run.id)[0].error == kept.error
        with pytest.raises(ConflictError, match="no data"):
            service.completed(run.id)

    def test_what_nobody_foresaw_is_an_internal_error(self, store: Store, service: Service) -> None:
        run = service.submit(CONFIG)

        def work(emit: Sink, canceled: Canceled) -> PipelineResult:
            raise ZeroDivisionError("oh")

        with pytest.raises(InternalError) as caught:
            do(store, claim(store), work)
        assert isinstance(caught.value.__cause__, ZeroDivisionError)
        assert (service.get(run.id).status, service.get(run.id).error_code) == ("failed", "INTERNAL_ERROR")

    def test_a_request_to_cancel_reaches_the_work(
        self, store: Store, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(execution, "HEARTBEAT_SECONDS", 0.02)
        run = service.submit(CONFIG)
        held = claim(store)
        service.cancel(run.id)
        with pytest.raises(CanceledError):
            do(store, held, wait_until_stopped, gives_back=True)
        assert (service.get(run.id).status, service.get(run.id).error) == ("canceled", "The run was canceled.")

    def test_an_interrupted_worker_gives_back_and_a_program_ends_its_run(self, store: Store, service: Service) -> None:
        run = service.submit(CONFIG)
        with pytest.raises(CanceledError):
            do(store, claim(store), wait_until_stopped, interrupted=lambda: True, gives_back=True)
        assert service.get(run.id).status == "pending"
        with pytest.raises(CanceledError):
            do(store, claim(store), wait_until_stopped, interrupted=lambda: True)
        assert service.get(run.id).status == "canceled"

    def test_a_lost_lease_stops_the_work_and_keeps_nothing(
        self, store: Store, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(execution, "HEARTBEAT_SECONDS", 0.02)
        run = service.submit(CONFIG)
        held = claim(store)

        def work(emit: Sink, canceled: Canceled) -> PipelineResult:
            assert store.runs.claim("other", LEASE, lambda worker: True)
            return wait_until_stopped(emit, canceled)

        with pytest.raises(LeaseLostError):
            do(store, held, work)
        assert (service.get(run.id).status, service.get(run.id).worker) == ("running", "other")


class TestWorker:
    def test_it_outlives_bad_runs(self, store: Store, service: Service) -> None:
        ocp = {"type": "OCPDataInterpolant", "electrode": "negative", "data": "file:/nowhere/ocp.csv"}
        bad = service.submit({"elements": {"q": {"element_type": "calculation", **ocp}}})
        good = service.submit(CONFIG)
        Worker(store, idle_exit=0).work()
        assert (service.get(bad.id).status, service.get(good.id).status) == ("failed", "completed")
        assert str(service.get(bad.id).error).startswith("Element 'q'")

    def test_a_run_that_kills_its_workers_is_given_up(self, store: Store, service: Service) -> None:
        run = service.submit(CONFIG)
        for _ in range(MOST_ATTEMPTS):
            assert store.runs.claim("dead", LEASE, lambda worker: True)
        Worker(store).carry_out(Claim(run.id, MOST_ATTEMPTS, "dead"))  # still tried
        assert service.get(run.id).status == "completed"
        run = service.submit(CONFIG)
        for _ in range(MOST_ATTEMPTS + 1):
            assert store.runs.claim("dead", LEASE, lambda worker: True)
        Worker(store).carry_out(Claim(run.id, MOST_ATTEMPTS + 1, "dead"))
        assert service.get(run.id).status == "failed"
        assert "died 10 times" in str(service.get(run.id).error)

    def test_a_worker_that_cannot_start_is_told_to_who_waits(
        self, store: Store, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("sys.executable", "/bin/false")
        service.submit(CONFIG)
        supervisor = Supervisor(store)

        def tend_until_told() -> None:
            for _ in range(200):
                supervisor.tend()
                time.sleep(0.02)

        with pytest.raises(InternalError, match="ends with status 1"):
            tend_until_told()


class TestProcesses:
    def test_this_process_is_there_and_an_ended_one_is_not(self) -> None:
        me = name_of_this_process()
        host, _, unique = me.rsplit(":", 2)
        assert not is_gone(me)
        assert is_gone(f"{host}:{2**22 + 1}:{unique}")
        assert not is_gone(f"elsewhere:1:{unique}")


def test_a_run_in_this_process_is_kept_in_the_store(store: Store) -> None:
    result = run_pipeline(Pipeline.from_config(CONFIG), store=store, name="mine")
    (kept,), total = store.runs.page()
    assert (kept.id, kept.name, kept.status, total) == (result.id, "mine", "completed", 1)
    assert store.runs.result(kept.id).parameters == result.parameters


def test_a_store_may_be_named_by_its_folder(tmp_path: Path) -> None:
    result = run_pipeline(Pipeline.from_config(CONFIG), store=str(tmp_path / "runs"), name="mine")
    with contextlib.closing(Store(tmp_path / "runs")) as store:
        assert [(one.id, one.name) for one in store.runs.page()[0]] == [(result.id, "mine")]
