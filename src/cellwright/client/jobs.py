"""Jobs: the fits and validations of pipelines, one by one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cellwright.client.connection import Connection
from cellwright.client.records import record_of


@dataclass(frozen=True)
class JobRecord:
    """A fit or a validation: how far it is and, when it has finished, its result in wire form."""

    job_id: str
    status: str
    job_type: str
    is_terminal: bool
    is_failed: bool
    created_at: str
    updated_at: str
    name: str = ""
    pipeline_id: str = ""
    error: str | None = None
    progress: Mapping[str, Any] = field(default_factory=dict)
    result: Mapping[str, Any] | None = field(default=None, repr=False)


class Jobs:
    """What a server knows of jobs."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(self) -> list[JobRecord]:
        """Return the newest jobs."""
        return [record_of(JobRecord, document) for document in self._connection.get("/jobs/")]

    def get(self, job_id: str) -> JobRecord:
        """Return one job.

        Raises: `NotFoundError`.
        """
        return record_of(JobRecord, self._connection.get(f"/jobs/{job_id}"))

    def metadata(self, job_id: str) -> dict[str, Any]:
        """Return the plots that a job has and the improvements of its search."""
        document: dict[str, Any] = self._connection.get(f"/jobs/{job_id}/metadata")
        return document
