"""Runs: submission, claims, fencing, cancel, filters."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from cellwright.errors import ConfigurationError, ConflictError, NotFoundError
from cellwright.schema.parameters import Origin, ParameterSet
from cellwright.schema.results import ElementRecord, PipelineResult
from cellwright.service import filters
from cellwright.store import Store
from cellwright.store.runs import Failure, LeaseLostError, NewElement, NewRun

LEASE = timedelta(seconds=10)


def nobody_is_gone(worker: str) -> bool:
    return False


class HandClock:
    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def store(tmp_path: Path, clock: HandClock) -> Store:
    return Store(tmp_path, clock)


def new(run_id: str, name: str = "cell", **fields: object) -> NewRun:
    elements = [NewElement("known", "entry"), NewElement("fit", "data_fit", f"job-{run_id}")]
    return NewRun(run_id, name, {"elements": {"known": {"values": {"a": 1.0}}}}, elements, **fields)  # type: ignore[arg-type]


def record(name: str = "fit", **fields: object) -> ElementRecord:
    voltage = {"Time [s]": np.arange(3.0), "Voltage [V] (data)": np.array([4.0, np.nan, 3.0])}
    series = {"discharge": {"optimal": voltage}}
    return ElementRecord(name, "data_fit", "DataFit", "completed", series=series, **fields)  # type: ignore[arg-type]


def test_a_submitted_run_waits_with_its_elements_in_order(store: Store) -> None:
    run = store.runs.create(new("r1", description="first"))
    assert (run.status, run.is_terminal, run.is_failed, run.description) == ("pending", False, False, "first")
    assert run.created_at.endswith("+00:00")
    assert [(e.position, e.name, e.job_id, e.status) for e in store.runs.elements("r1")] == [
        (1, "known", None, "pending"),
        (2, "fit", "job-r1", "pending"),
    ]
    assert store.runs.config("r1") == {"elements": {"known": {"values": {"a": 1.0}}}}


def test_what_is_not_there_is_not_found(store: Store) -> None:
    for ask in (
        store.runs.get, store.runs.config, store.runs.elements, store.runs.delete, store.runs.update,
        store.runs.request_cancel, store.runs.result, store.runs.job,
    ):  # fmt: skip
        with pytest.raises(NotFoundError):
            ask("nothing")


def test_the_oldest_run_is_claimed_first_and_each_only_once(store: Store) -> None:
    for run_id in ("b", "a", "c"):
        store.runs.create(new(run_id))
    claimed = [store.runs.claim("w", LEASE, nobody_is_gone) for _ in range(4)]
    assert [claim.run_id if claim else None for claim in claimed] == ["b", "a", "c", None]


def test_an_expired_lease_is_claimed_again_and_the_old_worker_cannot_write(store: Store, clock: HandClock) -> None:
    store.runs.create(new("r1"))
    first = store.runs.claim("w1", LEASE, nobody_is_gone)
    assert first is not None
    clock.advance(8)
    store.runs.heartbeat(first, LEASE)
    clock.advance(8)
    assert store.runs.claim("w2", LEASE, nobody_is_gone) is None
    clock.advance(8)
    second = store.runs.claim("w2", LEASE, nobody_is_gone)
    assert second is not None
    assert second.attempt == 2
    result = PipelineResult("r1", "cell", "completed", (), {})
    for write in (
        lambda: store.runs.heartbeat(first, LEASE),
        lambda: store.runs.progress(first, "fit", "running", {}),
        lambda: store.runs.record_element(first, record()),
        lambda: store.runs.fail_element(first, "fit", Failure("no", "X")),
        lambda: store.runs.finish(first, result),
        lambda: store.runs.abandon(first, "failed", Failure("no", "X")),
        lambda: store.runs.release(first),
    ):
        with pytest.raises(LeaseLostError):
            write()
    assert [e.status for e in store.runs.elements("r1")] == ["pending", "pending"]
    store.runs.finish(second, result)
    assert store.runs.get("r1").status == "completed"


def test_the_same_worker_name_does_not_pass_the_fence(store: Store, clock: HandClock) -> None:
    store.runs.create(new("r1"))
    first = store.runs.claim("w", LEASE, nobody_is_gone)
    clock.advance(11)
    assert store.runs.claim("w", LEASE, nobody_is_gone)
    assert first is not None
    with pytest.raises(LeaseLostError):
        store.runs.heartbeat(first, LEASE)


def test_the_run_of_a_worker_known_to_be_gone_is_claimed_at_once(store: Store) -> None:
    store.runs.create(new("r1"))
    assert store.runs.claim("dead", LEASE, nobody_is_gone)
    claim = store.runs.claim("w2", LEASE, lambda worker: worker == "dead")
    assert claim is not None
    assert claim.attempt == 2


def test_a_released_run_waits_again(store: Store) -> None:
    store.runs.create(new("r1"))
    claim = store.runs.claim("w", LEASE, nobody_is_gone)
    assert claim is not None
    store.runs.release(claim)
    assert store.runs.get("r1").status == "pending"
    assert store.runs.claim("w2", LEASE, nobody_is_gone)


def test_a_finished_run_gives_its_result_back_to_the_bit(store: Store) -> None:
    store.runs.create(new("r1"))
    claim = store.runs.claim("w", LEASE, nobody_is_gone)
    assert claim is not None
    cost = 0.1 + 0.2
    done = record(result={"type": "OptimizationResult", "cost": cost}, trace=({"cost": float("inf")},))
    store.runs.record_element(claim, done)
    parameters = ParameterSet({"a [m]": cost}, {"a [m]": Origin("fit", "paper")})
    result = PipelineResult(
        "r1", "cell", "completed", (done,), {}, parameters, "2026", 1.5, {"numpy": "2"}, ("careful",)
    )
    store.runs.finish(claim, result)
    kept = store.runs.result("r1")
    assert kept.parameters == parameters
    assert kept.element("fit").result["cost"] == cost
    assert kept.element("fit").trace == ({"cost": float("inf")},)
    assert (kept.seconds, kept.versions, kept.warnings) == (1.5, {"numpy": "2"}, ("careful",))
    np.testing.assert_array_equal(
        kept.element("fit").series["discharge"]["optimal"]["Voltage [V] (data)"], [4.0, np.nan, 3.0]
    )
    assert store.runs.records("r1")[0].series == {}
    assert store.runs.get("r1").is_terminal
    assert store.runs.waiting() == 0


def test_a_long_configuration_is_kept_as_arrays_and_given_back_as_it_was(store: Store, tmp_path: Path) -> None:
    columns = {"t": [0.1 * i for i in range(2000)], "n": list(range(2000)), "odd": [1, 2.5] * 1000}
    config = {"elements": {"fit": {"data": columns, "bounds": [0.0, float("inf")]}}}
    store.runs.create(NewRun("r1", "cell", config, [NewElement("fit", "data_fit")]))
    kept = store.runs.config("r1")
    assert kept == config
    assert {type(value) for value in kept["elements"]["fit"]["data"]["n"]} == {int}
    assert len(list(tmp_path.glob("blobs/*/*.npy"))) == 2


def test_a_failed_run_tells_why_and_how_far_it_got(store: Store) -> None:
    store.runs.create(new("r1"))
    claim = store.runs.claim("w", LEASE, nobody_is_gone)
    assert claim is not None
    store.runs.fail_element(claim, "known", Failure("It went wrong.", "DATA_ERROR"))
    detail = {"error_code": "DATA_ERROR", "message": "wrong", "at": ["known"], "hint": None, "detail": None}
    store.runs.abandon(claim, "failed", Failure("Element 'known': it went wrong.", "DATA_ERROR", detail))
    run = store.runs.get("r1")
    assert (run.status, run.error, run.is_failed) == ("failed", "Element 'known': it went wrong.", True)
    assert [(e.status, e.error_code) for e in store.runs.elements("r1")] == [
        ("failed", "DATA_ERROR"),
        ("skipped", None),
    ]
    assert store.runs.result("r1").error == detail


def test_a_run_that_waits_is_canceled_and_one_that_runs_is_asked(store: Store) -> None:
    store.runs.create(new("r1"))
    assert store.runs.request_cancel("r1").status == "canceled"
    assert store.runs.request_cancel("r1").status == "canceled"
    assert store.runs.claim("w", LEASE, nobody_is_gone) is None
    store.runs.create(new("r2"))
    claim = store.runs.claim("w", LEASE, nobody_is_gone)
    assert claim is not None
    assert store.runs.heartbeat(claim, LEASE) is False
    assert store.runs.request_cancel("r2").status == "running"
    assert store.runs.heartbeat(claim, LEASE) is True


def test_a_run_ends_with_the_process_that_it_is_attached_to(store: Store) -> None:
    claim = store.runs.start(new("r1"), "here", LEASE)
    assert store.runs.get("r1").status == "running"
    assert store.runs.waiting() == 0
    assert store.runs.claim("w", LEASE, lambda worker: True) is None
    store.runs.reap(nobody_is_gone)
    assert store.runs.heartbeat(claim, LEASE) is False
    store.runs.reap(lambda worker: worker == "here")
    assert store.runs.get("r1").status == "canceled"
    assert "run it again" in str(store.runs.get("r1").error)


def test_no_result_before_the_end(store: Store) -> None:
    store.runs.create(new("r1"))
    with pytest.raises(ConflictError, match="pending"):
        store.runs.result("r1")


def test_delete_removes_what_nobody_else_uses(store: Store, tmp_path: Path) -> None:
    shared = {"data": [float(i) for i in range(2000)]}
    own = {"data": [float(-i) for i in range(2000)]}
    for run_id, config in (("r1", {"x": shared, "y": own}), ("r2", {"x": shared})):
        store.runs.create(NewRun(run_id, "cell", config, [NewElement("fit", "data_fit")]))
    assert len(list(tmp_path.glob("blobs/*/*.npy"))) == 2
    store.runs.delete("r1")
    assert len(list(tmp_path.glob("blobs/*/*.npy"))) == 1
    assert store.runs.config("r2") == {"x": shared}
    with pytest.raises(NotFoundError):
        store.runs.elements("r1")


def test_a_worker_loses_the_run_that_is_deleted(store: Store) -> None:
    store.runs.create(new("r1"))
    claim = store.runs.claim("w", LEASE, nobody_is_gone)
    assert claim is not None
    store.runs.delete("r1")
    with pytest.raises(LeaseLostError):
        store.runs.heartbeat(claim, LEASE)


def test_update_changes_what_is_given(store: Store) -> None:
    store.runs.create(new("r1", description="old"))
    run = store.runs.update("r1", name="new")
    assert (run.name, run.description) == ("new", "old")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ["r3", "r2", "r1"]),
        ({"name": "Alpha"}, ["r1"]),
        ({"name": "eq.Alpha"}, ["r1"]),
        ({"name": "alpha"}, []),
        ({"name": "ilike.%ALPHA%"}, ["r3", "r1"]),
        ({"status": "pending"}, ["r3", "r1"]),
        ({"status": "in.(canceled,completed)"}, ["r2"]),
        ({"created_at": "gte.2026-01-01T00:00:02"}, ["r3"]),
        ({"created_at_lt": "2026-01-01T00:00:02"}, ["r2", "r1"]),
        ({"project_id": "lab"}, []),
        ({"name": "ilike.%alpha%", "status": "neq.canceled"}, ["r3", "r1"]),
        ({"description": "eq.50%_off"}, []),
    ],
)
def test_filters(store: Store, clock: HandClock, query: dict[str, str], found: list[str]) -> None:
    for run_id, name in (("r1", "Alpha"), ("r2", "Beta"), ("r3", "my alpha cell")):
        store.runs.create(new(run_id, name))
        clock.advance(1)
    store.runs.request_cancel("r2")
    rows, total = store.runs.page(filters.parse(query.items()))
    assert [run.id for run in rows] == found
    assert total == len(found)


def test_pages_and_order(store: Store) -> None:
    for number in range(5):
        store.runs.create(new(f"r{number}", name=f"cell {4 - number}"))
    rows, total = store.runs.page(limit=2, skip=1)
    assert ([run.id for run in rows], total) == (["r3", "r2"], 5)
    rows, _ = store.runs.page(order_by="name", descending=False, limit=1)
    assert [run.id for run in rows] == ["r4"]


def test_an_unknown_filter_names_the_nearest() -> None:
    with pytest.raises(ConfigurationError) as caught:
        filters.parse([("statuss", "failed")])
    assert caught.value.hint == "did you mean 'status'?"


def test_a_worker_leaves_only_when_nothing_waits(store: Store, clock: HandClock) -> None:
    store.workers.seen("w1")
    store.runs.create(new("r1"))
    assert store.workers.leave_if_idle("w1") is False
    store.runs.request_cancel("r1")
    assert store.workers.since(timedelta(seconds=5)) == ["w1"]
    assert store.workers.leave_if_idle("w1") is True
    assert store.workers.since(timedelta(seconds=5)) == []
    store.workers.seen("w2")
    clock.advance(6)
    assert store.workers.since(timedelta(seconds=5)) == []
