"""Pipelines: submit, follow, fetch, change, cancel, delete."""

import builtins
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cellwright.client.connection import Connection
from cellwright.client.records import record_of
from cellwright.client.waiting import Watch
from cellwright.errors import ConflictError, error_of
from cellwright.schema.documents import from_text, unpack

if TYPE_CHECKING:
    from cellwright.schema.document import Pipeline
    from cellwright.schema.results import PipelineResult


@dataclass(frozen=True)
class PipelineRecord:
    """A run of a pipeline: what it is called and how it stands."""

    id: str
    name: str
    status: str
    is_terminal: bool
    is_failed: bool
    description: str | None = None
    error: str | None = None
    error_code: str | None = None
    error_detail: Mapping[str, Any] | None = field(default=None, repr=False)
    project_id: str | None = field(default=None, repr=False)
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)
    created_at: str = field(default="", repr=False)
    updated_at: str = field(default="", repr=False)
    started_at: str | None = field(default=None, repr=False)
    finished_at: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class ElementProgress:
    """How far an element is."""

    name: str
    element_type: str
    status: str
    job_id: str | None = None
    progress: Mapping[str, Any] = field(default_factory=dict)
    error: str | None = None


class Pipelines:
    """What a server knows of pipelines."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def create(
        self,
        pipeline: "Pipeline | Mapping[str, Any]",
        *,
        name: str | None = None,
        description: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> PipelineRecord:
        """Submit a pipeline and return at once; files that its data refer to are read here and sent along.

        Raises: `ConfigurationError` and `DataError`, each with its place in the document.
        """
        from cellwright.data.sources import inlined
        from cellwright.schema.document import Pipeline

        said = pipeline if isinstance(pipeline, Pipeline) else Pipeline.from_config(pipeline)
        beside = {"name": name, "description": description, "options": dict(options or {})}
        given = {key: value for key, value in beside.items() if value is not None}
        return self._record(self._connection.post("/pipelines", {**inlined(said).to_config(), **given}))

    def get(self, pipeline_id: str) -> PipelineRecord:
        """Return a run.

        Raises: `NotFoundError`.
        """
        return self._record(self._connection.get(f"/pipelines/{pipeline_id}"))

    def list(
        self,
        *,
        limit: int | None = None,
        skip: int | None = None,
        order_by: str | None = None,
        order: str | None = None,
        **filters: str,
    ) -> list[PipelineRecord]:
        """Return runs, the newest first.

        Filters: `name="cell"`, `name="ilike.%cell%"`, `status="in.(completed,failed)"`, `created_at="gte.2026-01-01"`.
        """
        paging = {"limit": limit, "skip": skip, "order_by": order_by, "order": order}
        page = self._connection.get("/pipelines", **paging, **filters)
        return [self._record(document) for document in page["pipelines"]]

    def update(self, pipeline_id: str, *, name: str | None = None, description: str | None = None) -> PipelineRecord:
        """Change a run's name or description."""
        given = {"name": name, "description": description}
        changes = {key: value for key, value in given.items() if value is not None}
        return self._record(self._connection.patch(f"/pipelines/{pipeline_id}", changes))

    def cancel(self, pipeline_id: str) -> PipelineRecord:
        """Ask a run to stop; one that has ended stays as it is."""
        return self._record(self._connection.post(f"/pipelines/{pipeline_id}/cancel", {}))

    def delete(self, pipeline_id: str) -> None:
        """Remove a run and what came of it."""
        self._connection.delete(f"/pipelines/{pipeline_id}")

    def elements(self, pipeline_id: str) -> builtins.list[ElementProgress]:
        """Return how far the elements of a run are, in order."""
        documents: Iterable[Mapping[str, Any]] = self._connection.get(f"/pipelines/{pipeline_id}/elements")
        return [record_of(ElementProgress, document) for document in documents]

    def result(self, pipeline_id: str) -> "PipelineResult":
        """Return what a run came to, with the curves of its fits and validations.

        Raises: `ConflictError` where it has not ended; the error of a run that failed.
        """
        from cellwright.schema.results import PipelineResult

        record = self.get(pipeline_id)
        if not record.is_terminal:
            raise ConflictError(
                f"the run {record.name!r} has no result yet: it is {record.status}",
                hint=f"client.pipeline.wait_for_completion({pipeline_id!r})",
            )
        raise_for_failure(record)
        document = unpack(self._connection.get(f"/pipelines/{pipeline_id}/record"), from_text)
        return PipelineResult.from_dict(document["result"], document["series"])

    def wait_for_completion(
        self,
        pipeline_id: str,
        timeout: float = 600,
        poll_interval: float | None = None,
        raise_on_failure: bool = True,
        verbose: bool = True,
    ) -> PipelineRecord:
        """Wait for the end of a run, showing how far it is, and return its record.

        Without a `poll_interval` [s] it looks often at first, then once a second.

        Raises: the error of a run that failed, with its element and remedy; `PipelineTimeoutError` (a `TimeoutError`)
        where it takes longer than `timeout` [s], and the run goes on.
        """
        with Watch(timeout, poll_interval, verbose) as watch:
            while True:
                record = self.get(pipeline_id)
                watch.show(record.name, record.status, self.elements(pipeline_id) if verbose else ())
                if record.is_terminal:
                    break
                watch.wait(record.id, record.name, record.status)
        if raise_on_failure:
            raise_for_failure(record)
        return record

    def _record(self, document: Mapping[str, Any]) -> PipelineRecord:
        return record_of(PipelineRecord, document)


def raise_for_failure(record: PipelineRecord) -> None:
    """Raise the error of a run that failed or was canceled."""
    if record.is_failed:
        told = {"error_code": record.error_code, "message": record.error or f"the run {record.name!r} {record.status}"}
        raise error_of(record.error_detail or told)
