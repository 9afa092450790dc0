"""Request bodies: gzip unpacked, JSON read, sizes bounded."""

import json
import zlib
from typing import Any, ClassVar

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cellwright.errors import CellwrightError
from cellwright.http.answers import error_answer

LARGEST_BODY = 512 * 2**20
"""Bytes of a request body, unpacked."""


class BadRequestError(CellwrightError):
    """The request itself cannot be read."""

    code: ClassVar[str] = "BAD_REQUEST"
    exit_status: ClassVar[int] = 2
    http_status: ClassVar[int] = 400


class BodyTooLargeError(BadRequestError):
    """The body of the request is larger than the server takes."""

    http_status: ClassVar[int] = 413


class MediaTypeError(BadRequestError):
    """The body of the request is of a kind that the server does not read."""

    http_status: ClassVar[int] = 415


class Bodies:
    """Middleware that hands request bodies on unpacked and refuses those that are too large."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            body = await _body(request)
        except BadRequestError as error:
            await error_answer(error)(scope, receive, send)
            return
        left = [body]

        async def replay() -> Message:
            if left:
                return {"type": "http.request", "body": left.pop(), "more_body": False}
            return await receive()

        await self.app(scope, replay, send)


async def _body(request: Request) -> bytes:
    encoding = request.headers.get("content-encoding", "identity").lower()
    if encoding not in {"identity", "gzip"}:
        raise MediaTypeError(f"a body encoded as {encoding!r} cannot be read", hint="send gzip or nothing of the kind")
    unpack = zlib.decompressobj(wbits=31) if encoding == "gzip" else None
    parts: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        try:
            part = unpack.decompress(chunk, LARGEST_BODY - size + 1) if unpack and chunk else chunk
        except zlib.error as cause:
            raise BadRequestError(f"the body is no gzip: {cause}") from None
        size += len(part)
        if size > LARGEST_BODY:
            raise BodyTooLargeError(f"the body is larger than {LARGEST_BODY >> 20} MiB")
        parts.append(part)
    if unpack and parts and not unpack.eof:
        raise BadRequestError("the gzip body is cut off")
    return b"".join(parts)


async def json_object(request: Request) -> dict[str, Any]:
    """Return the JSON object of a request's body.

    Raises: `BadRequestError` where it is none. The content type must say JSON, which a web page of another origin
    cannot send without asking first.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise MediaTypeError(f"the body is of type {kind or 'nothing'!r}", hint="send application/json")
    try:
        document = json.loads(await request.body())
    except ValueError as cause:
        raise BadRequestError(f"the body is no JSON: {cause}") from None
    except RecursionError:
        raise BadRequestError("the body is nested too deeply") from None
    if not isinstance(document, dict):
        raise BadRequestError("the body is no JSON object")
    return document
