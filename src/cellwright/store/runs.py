"""Runs and their elements: what was submitted, who works on it, what came of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from typing import Any, Literal

import sqlalchemy as sa

from cellwright.errors import ConflictError, NotFoundError
from cellwright.schema.documents import unpack
from cellwright.schema.results import ElementRecord, ElementStatus, PipelineResult, RunStatus
from cellwright.store.blobs import Blobs
from cellwright.store.conditions import Where, condition
from cellwright.store.database import Database
from cellwright.store.tables import Clock, elements, runs, stamp

TERMINAL = frozenset({"completed", "failed", "canceled"})


class LeaseLostError(ConflictError):
    """Another worker has taken the run over; what this one still finds is not kept."""


@dataclass(frozen=True)
class NewElement:
    """An element of a run that is submitted."""

    name: str
    element_type: str
    job_id: str | None = None


@dataclass(frozen=True)
class NewRun:
    """A run as it is submitted: its configuration in wire form."""

    id: str
    name: str
    config: Mapping[str, Any]
    elements: Sequence[NewElement]
    description: str | None = None
    project_id: str = "default"
    created_by_email: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    """What is known of a run, without its configuration and result."""

    id: str
    project_id: str
    name: str
    description: str | None
    created_by_email: str
    status: RunStatus
    options: Mapping[str, Any]
    error: str | None
    error_code: str | None
    error_detail: Mapping[str, Any] | None
    created_at: str
    updated_at: str
    started_at: str | None
    finished_at: str | None
    attached: bool
    cancel_requested: bool
    attempts: int
    worker: str | None

    @property
    def is_terminal(self) -> bool:
        """Whether nothing more will happen to the run."""
        return self.status in TERMINAL

    @property
    def is_failed(self) -> bool:
        """Whether the run ended without a result."""
        return self.status in {"failed", "canceled"}


@dataclass(frozen=True)
class Element:
    """What is known of an element, without its record and series."""

    run_id: str
    position: int
    name: str
    element_type: str
    job_id: str | None
    status: ElementStatus
    progress: Mapping[str, Any]
    error: str | None
    error_code: str | None
    created_at: str
    updated_at: str


@dataclass(frozen=True)
class Claim:
    """A worker's right to write to a run; a later attempt takes it away."""

    run_id: str
    attempt: int
    worker: str


@dataclass(frozen=True)
class Failure:
    """Why a run or element ended: one sentence, a code, and the error as a document."""

    sentence: str
    code: str
    detail: Mapping[str, Any] | None = None


FILTERED = (
    "id",
    "name",
    "description",
    "status",
    "project_id",
    "created_by_email",
    "created_at",
    "updated_at",
    "started_at",
    "finished_at",
)
"""The columns that a list may be filtered and ordered by."""

UNFINISHED = runs.c.status.in_(("pending", "running")) & ~runs.c.attached
"""The runs that are a worker's business and have not ended."""
_RUN_FIELDS = tuple(column.name for column in fields(Run))
_RUN = tuple(runs.c[name] for name in _RUN_FIELDS)
_ELEMENT = tuple(elements.c[column.name] for column in fields(Element))


class Runs:
    """The table of runs."""

    def __init__(self, database: Database, blobs: Blobs, clock: Clock) -> None:
        self._database = database
        self._blobs = blobs
        self._clock = clock

    def create(self, new: NewRun) -> Run:
        """Keep a run that waits for a worker."""
        self._create(new, status="pending", attached=False, attempts=0)
        return self.get(new.id)

    def start(self, new: NewRun, worker: str, lease: timedelta) -> Claim:
        """Keep a run that the process works on that submits it; it ends with that process."""
        moment = self._clock()
        self._create(
            new,
            status="running",
            attached=True,
            attempts=1,
            worker=worker,
            started_at=stamp(moment),
            lease_expires_at=stamp(moment + lease),
        )
        return Claim(new.id, 1, worker)

    def _create(self, new: NewRun, **state: Any) -> None:
        now = stamp(self._clock())
        with self._database.write() as connection:
            keeping = self._blobs.keeping(_owner(new.id), connection)
            connection.execute(
                sa.insert(runs).values(
                    id=new.id,
                    project_id=new.project_id,
                    name=new.name,
                    description=new.description,
                    created_by_email=new.created_by_email,
                    config=keeping.document(new.config),
                    options=keeping.document(new.options),
                    created_at=now,
                    updated_at=now,
                    cancel_requested=False,
                    **state,
                )
            )
            rows = [
                {
                    **vars(element),
                    "run_id": new.id,
                    "position": position,
                    "status": "pending",
                    "progress": {},
                    "created_at": now,
                    "updated_at": now,
                }
                for position, element in enumerate(new.elements, start=1)
            ]
            if rows:
                connection.execute(sa.insert(elements), rows)

    def get(self, run_id: str) -> Run:
        """Return what is known of a run.

        Raises: `NotFoundError`.
        """
        with self._database.read() as connection:
            return self._run(_one(connection, _RUN, run_id))

    def config(self, run_id: str) -> dict[str, Any]:
        """Return the configuration of a run as it was submitted."""
        with self._database.read() as connection:
            (packed,) = _one(connection, (runs.c.config,), run_id)
        config: dict[str, Any] = unpack(packed, self._blobs.load)
        return config

    def page(
        self,
        where: Sequence[Where] = (),
        order_by: str = "created_at",
        descending: bool = True,
        limit: int = 1000,
        skip: int = 0,
    ) -> tuple[list[Run], int]:
        """Return some of the runs that meet every condition, and how many there are in all."""
        conditions = [condition(runs.c[part.column], part) for part in where]
        column = runs.c[order_by]
        order = (column.desc(), runs.c.id.desc()) if descending else (column.asc(), runs.c.id.asc())
        with self._database.read() as connection:
            total = connection.scalar(sa.select(sa.func.count()).select_from(runs).where(*conditions))
            page = sa.select(*_RUN).where(*conditions).order_by(*order).limit(limit).offset(skip)
            return [self._run(row) for row in connection.execute(page)], total or 0

    def update(self, run_id: str, *, name: str | None = None, description: str | None = None) -> Run:
        """Change a run's name or description, where one is given."""
        given = {"name": name, "description": description}
        changes = {key: value for key, value in given.items() if value is not None}
        with self._database.write() as connection:
            _one(connection, (runs.c.id,), run_id)
            changes["updated_at"] = stamp(self._clock())
            connection.execute(sa.update(runs).where(runs.c.id == run_id).values(changes))
        return self.get(run_id)

    def delete(self, run_id: str) -> None:
        """Remove a run and the arrays that nobody else uses; a worker that is at it loses its lease."""
        with self._database.write() as connection:
            _one(connection, (runs.c.id,), run_id)
            connection.execute(sa.delete(runs).where(runs.c.id == run_id))
            self._blobs.release(_owner(run_id), connection)
        self._blobs.sweep()

    def request_cancel(self, run_id: str) -> Run:
        """Cancel a run that waits, ask the worker of one that runs to stop; one that has ended stays."""
        now = stamp(self._clock())
        with self._database.write() as connection:
            (status,) = _one(connection, (runs.c.status,), run_id)
            this = runs.c.id == run_id
            if status == "pending":
                ended = {
                    "status": "canceled",
                    "finished_at": now,
                    "updated_at": now,
                    "error_code": "CANCELED",
                }
                connection.execute(sa.update(runs).where(this).values(**ended, error="The run was canceled."))
                _end_elements(connection, run_id, "canceled", now)
            elif status == "running":
                connection.execute(sa.update(runs).where(this).values(cancel_requested=True, updated_at=now))
        return self.get(run_id)

    def waiting(self) -> int:
        """Return how many runs are a worker's business and have not ended."""
        with self._database.read() as connection:
            return connection.scalar(sa.select(sa.func.count()).select_from(runs).where(UNFINISHED)) or 0

    def claim(self, worker: str, lease: timedelta, gone: Callable[[str], bool]) -> Claim | None:
        """Take the oldest run that waits, or whose worker's lease has expired or who is known to be gone."""
        moment = self._clock()
        now = stamp(moment)
        with self._database.read() as connection:  # most of the time there is none, and a read locks nobody out
            if not _claimable(connection, now, gone):
                return None
        with self._database.write() as connection:
            found = _claimable(connection, now, gone)
            if not found:
                return None
            run_id, attempts, started_at = found
            connection.execute(
                sa.update(runs)
                .where(runs.c.id == run_id)
                .values(
                    status="running",
                    attempts=attempts + 1,
                    worker=worker,
                    lease_expires_at=stamp(moment + lease),
                    started_at=started_at or now,
                    updated_at=now,
                )
            )
        return Claim(run_id, attempts + 1, worker)

    def release(self, claim: Claim) -> None:
        """Give a run back, to be taken by another worker at once.

        Raises: `LeaseLostError`.
        """
        with self._database.write() as connection:
            self._write(connection, claim, status="pending", worker=None, lease_expires_at=None)

    def reap(self, gone: Callable[[str], bool]) -> None:
        """End the runs whose process has gone with which they were to end."""
        now = stamp(self._clock())
        orphans = sa.select(runs.c.id, runs.c.worker, runs.c.lease_expires_at).where(
            runs.c.status == "running", runs.c.attached
        )
        with self._database.read() as connection:
            rows = connection.execute(orphans).all()
        dead = [row.id for row in rows if row.lease_expires_at < now or gone(row.worker)]
        if not dead:
            return
        said = "The process that ran this has ended; run it again, and it goes on from where it stopped."
        with self._database.write() as connection:
            these = runs.c.id.in_(dead) & (runs.c.status == "running")
            ended = {"status": "canceled", "finished_at": now, "updated_at": now}
            connection.execute(sa.update(runs).where(these).values(**ended, error=said, error_code="CANCELED"))
            for run_id in dead:
                _end_elements(connection, run_id, "canceled", now)

    def heartbeat(self, claim: Claim, lease: timedelta) -> bool:
        """Prolong a lease and return whether somebody has asked the run to stop.

        Raises: `LeaseLostError`.
        """
        with self._database.write() as connection:
            self._write(connection, claim, lease_expires_at=stamp(self._clock() + lease))
            (asked,) = _one(connection, (runs.c.cancel_requested,), claim.run_id)
            return bool(asked)

    def progress(self, claim: Claim, name: str, status: ElementStatus, progress: Mapping[str, Any]) -> None:
        """Note how far an element has come.

        Raises: `LeaseLostError`.
        """
        with self._database.write() as connection:
            now = self._write(connection, claim)
            packed = self._blobs.keeping(_owner(claim.run_id), connection).document(progress)
            _update_element(connection, claim, name, status=status, progress=packed, updated_at=now)

    def record_element(self, claim: Claim, record: ElementRecord) -> None:
        """Keep what a finished element did, with its series.

        Raises: `LeaseLostError`.
        """
        with self._database.write() as connection:
            now = self._write(connection, claim)
            keeping = self._blobs.keeping(_owner(claim.run_id), connection)
            _update_element(
                connection,
                claim,
                record.name,
                status=record.status,
                record=keeping.document(record.to_dict()),
                series=keeping.series(record.series),
                updated_at=now,
            )

    def fail_element(self, claim: Claim, name: str, failure: Failure) -> None:
        """Note why an element has failed.

        Raises: `LeaseLostError`.
        """
        with self._database.write() as connection:
            now = self._write(connection, claim)
            told = {"error": failure.sentence, "error_code": failure.code}
            _update_element(connection, claim, name, status="failed", updated_at=now, **told)

    def finish(self, claim: Claim, result: PipelineResult) -> None:
        """Keep the result of a run whose elements are recorded.

        Raises: `LeaseLostError`.
        """
        document = result.to_dict()
        for elsewhere in ("elements", "config", "id", "name", "status", "error"):
            document.pop(elsewhere)
        with self._database.write() as connection:
            keeping = self._blobs.keeping(_owner(claim.run_id), connection)
            self._end(connection, claim, status=result.status, result=keeping.document(document))

    def abandon(self, claim: Claim, status: Literal["failed", "canceled"], failure: Failure) -> None:
        """End a run without a result.

        Raises: `LeaseLostError`.
        """
        with self._database.write() as connection:
            keeping = self._blobs.keeping(_owner(claim.run_id), connection)
            told = {"error": failure.sentence, "error_code": failure.code}
            detail = keeping.document(failure.detail)
            now = self._end(connection, claim, status=status, error_detail=detail, **told)
            left: ElementStatus = "canceled" if status == "canceled" else "skipped"
            _end_elements(connection, claim.run_id, left, now)

    def elements(self, run_id: str) -> list[Element]:
        """Return what is known of the elements of a run, in order."""
        with self._database.read() as connection:
            _one(connection, (runs.c.id,), run_id)
            mine = sa.select(*_ELEMENT).where(elements.c.run_id == run_id).order_by(elements.c.position)
            return [self._element(row) for row in connection.execute(mine)]

    def jobs(self, limit: int = 1000) -> list[Element]:
        """Return the newest elements that are jobs."""
        with self._database.read() as connection:
            newest = sa.select(*_ELEMENT).where(elements.c.job_id.is_not(None)).order_by(elements.c.created_at.desc())
            return [self._element(row) for row in connection.execute(newest.limit(limit))]

    def job(self, job_id: str) -> Element:
        """Return the element of a job.

        Raises: `NotFoundError`.
        """
        with self._database.read() as connection:
            row = connection.execute(sa.select(*_ELEMENT).where(elements.c.job_id == job_id)).one_or_none()
        if row is None:
            raise NotFoundError(f"Job {job_id!r} not found")
        return self._element(row)

    def records(self, run_id: str, *, series: bool = False) -> list[ElementRecord]:
        """Return the records of the elements of a run that have one, with their series where asked."""
        with self._database.read() as connection:
            chosen = sa.select(elements.c.record, elements.c.series).where(elements.c.run_id == run_id)
            rows = connection.execute(chosen.order_by(elements.c.position)).all()
        return [
            ElementRecord.from_dict(
                unpack(row.record, self._blobs.load),
                self._blobs.load_series(row.series or {}) if series else None,
            )
            for row in rows
            if row.record is not None
        ]

    def record(self, element: Element) -> ElementRecord | None:
        """Return the record of one element with its series, or None where it has none yet."""
        place = (elements.c.run_id == element.run_id) & (elements.c.position == element.position)
        with self._database.read() as connection:
            row = connection.execute(sa.select(elements.c.record, elements.c.series).where(place)).one_or_none()
        if row is None or row.record is None:
            return None
        record = unpack(row.record, self._blobs.load)
        return ElementRecord.from_dict(record, self._blobs.load_series(row.series or {}))

    def result(self, run_id: str, *, series: bool = True) -> PipelineResult:
        """Return what a run came to; of one that failed, as far as it got.

        Raises: `NotFoundError`, `ConflictError` where it has not ended.
        """
        with self._database.read() as connection:
            row = _one(connection, (*_RUN, runs.c.config, runs.c.result), run_id)
        if row.status not in TERMINAL:
            raise ConflictError(f"Pipeline {run_id!r} has no result yet: it is {row.status}")
        document = unpack(row.result or {"started_at": row.started_at or ""}, self._blobs.load)
        config = unpack(row.config, self._blobs.load)
        head = {"id": row.id, "name": row.name, "status": row.status, "error": row.error_detail}
        result = PipelineResult.from_dict({**document, **head, "config": config, "elements": []})
        return replace(result, elements=tuple(self.records(run_id, series=series)))

    def _run(self, row: Any) -> Run:
        known = {name: row._mapping[name] for name in _RUN_FIELDS}
        return Run(**unpack(known, self._blobs.load))

    def _element(self, row: Any) -> Element:
        return Element(**unpack(dict(row._mapping), self._blobs.load))

    def _write(self, connection: sa.Connection, claim: Claim, **values: Any) -> str:
        """Change a run that a worker holds, and return the moment."""
        now = stamp(self._clock())
        held = (
            (runs.c.id == claim.run_id)
            & (runs.c.attempts == claim.attempt)
            & (runs.c.worker == claim.worker)
            & (runs.c.status == "running")
        )
        changed = connection.execute(sa.update(runs).where(held).values(updated_at=now, **values))
        if changed.rowcount != 1:
            raise LeaseLostError(f"worker {claim.worker} no longer holds run {claim.run_id}")
        return now

    def _end(self, connection: sa.Connection, claim: Claim, **values: Any) -> str:
        now = stamp(self._clock())
        return self._write(connection, claim, finished_at=now, worker=None, lease_expires_at=None, **values)


def _owner(run_id: str) -> str:
    return f"run:{run_id}"


def _one(connection: sa.Connection, columns: Sequence[Any], run_id: str) -> Any:
    row = connection.execute(sa.select(*columns).where(runs.c.id == run_id)).one_or_none()
    if row is None:
        raise NotFoundError(f"Pipeline {run_id!r} not found")
    return row


def _update_element(connection: sa.Connection, claim: Claim, name: str, **values: Any) -> None:
    place = (elements.c.run_id == claim.run_id) & (elements.c.name == name)
    if connection.execute(sa.update(elements).where(place).values(**values)).rowcount != 1:
        raise NotFoundError(f"run {claim.run_id} has no element {name!r}")


def _end_elements(connection: sa.Connection, run_id: str, status: ElementStatus, now: str) -> None:
    unfinished = (elements.c.run_id == run_id) & elements.c.status.in_(("pending", "running"))
    connection.execute(sa.update(elements).where(unfinished).values(status=status, updated_at=now))


def _claimable(connection: sa.Connection, now: str, gone: Callable[[str], bool]) -> tuple[str, int, str | None] | None:
    unfinished = sa.select(
        runs.c.id, runs.c.attempts, runs.c.started_at, runs.c.status, runs.c.worker, runs.c.lease_expires_at
    ).where(UNFINISHED)
    for row in connection.execute(unfinished.order_by(runs.c.created_at, runs.c.id)):
        if row.status == "pending" or row.lease_expires_at < now or gone(row.worker):
            return row.id, row.attempts, row.started_at
    return None
