"""Every exception as an answer of the one shape."""

import logging

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from cellwright.errors import CellwrightError, ConfigurationError, InternalError
from cellwright.http.answers import Answer, error_answer

log = logging.getLogger(__name__)
_CODES = {404: "NOT_FOUND", 405: "NOT_IMPLEMENTED"}


def install(app: FastAPI) -> None:
    """Map every kind of exception."""
    app.add_exception_handler(CellwrightError, _known)
    app.add_exception_handler(RequestValidationError, _query)
    app.add_exception_handler(HTTPException, _route)
    app.add_exception_handler(Exception, _unforeseen)


def _known(_: Request, error: Exception) -> Response:
    assert isinstance(error, CellwrightError)
    return error_answer(error)


def _query(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    place = " › ".join(str(part) for part in first["loc"][1:])
    return error_answer(ConfigurationError(f"the query parameter {place!r}: {first['msg'].lower()}"))


def _route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status = error.status_code
    message = (
        f"{request.method} {request.url.path} is not available on this server" if status in _CODES else error.detail
    )
    body = {"error_code": _CODES.get(status, "BAD_REQUEST"), "message": message, "detail": None}
    return Answer(body, status_code=status, headers=error.headers)


def _unforeseen(request: Request, error: Exception) -> Response:
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return error_answer(
        InternalError(
            f"the server failed at {request.method} {request.url.path} with a {type(error).__name__}",
            hint="this is a fault of Cellwright; the server's log has the traceback",
        )
    )
