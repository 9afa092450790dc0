"""What goes over the wire: records as JSON objects, errors in their one shape, numbers that JSON knows."""

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from starlette.responses import JSONResponse

from cellwright.errors import CellwrightError
from cellwright.service.runs import Service
from cellwright.store.runs import Element, Run

LOCAL = "local"
"""The one organization and user of a server without keys."""
_JOB_STATUS = {"running": "processing", "skipped": "canceled"}
_FAILED = frozenset({"failed", "canceled"})
_ENDED = frozenset({"completed", "failed", "canceled"})


class Answer(JSONResponse):
    """JSON as strict as clients need it: numbers that are not finite become null."""

    def render(self, content: Any) -> bytes:
        """Return the bytes of the body."""
        return json.dumps(plain(content), allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode()


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it: arrays as lists, what is not finite as None."""
    match value:
        case float():
            return value if math.isfinite(value) else None
        case np.ndarray() | np.generic():
            return plain(value.tolist())
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case _:
            return value


def error_answer(error: CellwrightError) -> Answer:
    """Return an error as an answer; its message tells place and remedy too, for clients that show nothing else."""
    detail = {**error.detail, "reason": error.message, "at": list(error.at), "hint": error.hint}
    body = {"error_code": error.code, "message": str(error), "detail": detail}
    return Answer(body, status_code=error.http_status)


def run_document(run: Run) -> dict[str, Any]:
    """Return a run as clients know it."""
    return {
        "id": run.id,
        "name": run.name,
        "description": run.description,
        "status": run.status,
        "is_terminal": run.is_terminal,
        "is_failed": run.is_failed,
        "error": run.error,
        "error_code": run.error_code,
        "error_detail": run.error_detail,
        "options": run.options,
        "project_id": run.project_id,
        "organization_id": LOCAL,
        "user_id": LOCAL,
        "created_by_email": run.created_by_email,
        "created_at": run.created_at,
        "updated_at": run.updated_at,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "cancel_requested": run.cancel_requested,
    }


def element_document(element: Element) -> dict[str, Any]:
    """Return how far an element is, as clients know it."""
    return {
        "id": f"{element.run_id}:{element.position}",
        "pipeline_id": element.run_id,
        "organization_id": LOCAL,
        "name": element.name,
        "element_type": element.element_type,
        "element_order": element.position,
        "status": element.status,
        "job_id": element.job_id,
        "job_status": job_status(element) if element.job_id else None,
        "progress": element.progress,
        "error": element.error,
        "error_code": element.error_code,
        "created_at": element.created_at,
        "updated_at": element.updated_at,
    }


def job_status(element: Element) -> str:
    """Return an element's status in the words for jobs."""
    return _JOB_STATUS.get(element.status, element.status)


def job_document(element: Element, service: Service | None = None) -> dict[str, Any]:
    """Return the job of an element; with a service, its result too."""
    record = service.record(element) if service is not None else None
    status = job_status(element)
    return {
        "job_id": element.job_id,
        "pipeline_id": element.run_id,
        "name": element.name,
        "status": status,
        "job_type": element.element_type,
        "priority": 0,
        "is_terminal": status in _ENDED,
        "is_failed": status in _FAILED,
        "error": element.error,
        "error_code": element.error_code,
        "progress": element.progress,
        "result": record.result if record is not None else None,
        "created_at": element.created_at,
        "updated_at": element.updated_at,
    }
