"""The wire: requests out, documents or errors back."""

import gzip
import json
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any, ClassVar, Self

import httpx

from cellwright.errors import CellwrightError, InternalError, error_of

TIMEOUT = httpx.Timeout(60.0, connect=10.0)
COMPRESS_FROM = 2**19
"""Bytes from which on a body is sent packed, as the contract has it."""


class ConnectionFailedError(CellwrightError):
    """The server cannot be reached, or what answers is no Cellwright server."""

    code: ClassVar[str] = "CONNECTION_FAILED"
    exit_status: ClassVar[int] = 9
    http_status: ClassVar[int] = 502


class Connection:
    """Speaks JSON to one server."""

    def __init__(self, http: httpx.Client, address: str, compresses: bool) -> None:
        self.address = address
        self._http = http
        self._compresses = compresses

    @classmethod
    def to(cls, url: str, api_key: str | None) -> Self:
        """Return a connection to a server."""
        headers = {"X-API-Key": api_key} if api_key else {}
        transport = httpx.HTTPTransport(retries=2)
        http = httpx.Client(
            base_url=url.rstrip("/"), headers={**_HEADERS, **headers}, timeout=TIMEOUT, transport=transport
        )
        return cls(http, url, compresses=True)

    @classmethod
    def embedded(cls, transport: httpx.BaseTransport) -> Self:
        """Return a connection to an application in this process."""
        headers = {**_HEADERS, "Accept-Encoding": "identity"}
        http = httpx.Client(base_url="http://cellwright", headers=headers, timeout=TIMEOUT, transport=transport)
        return cls(http, "on this computer", compresses=False)

    def get(self, path: str, **query: Any) -> Any:
        """Return the document at a path."""
        return self._send("GET", path, params={key: value for key, value in query.items() if value is not None})

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Send a document and return the answer."""
        return self._send("POST", path, **self._packed(body))

    def patch(self, path: str, body: Mapping[str, Any]) -> Any:
        """Change what is at a path and return it."""
        return self._send("PATCH", path, **self._packed(body))

    def delete(self, path: str) -> None:
        """Remove what is at a path."""
        self._send("DELETE", path)

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def _packed(self, body: Mapping[str, Any]) -> dict[str, Any]:
        content = json.dumps(body, separators=(",", ":")).encode()
        headers = {"Content-Type": "application/json"}
        if self._compresses and len(content) >= COMPRESS_FROM:
            return {"content": gzip.compress(content, 3), "headers": {**headers, "Content-Encoding": "gzip"}}
        return {"content": content, "headers": headers}

    def _send(self, method: str, path: str, **rest: Any) -> Any:
        try:
            answer = self._http.request(method, path, **rest)
        except httpx.InvalidURL as cause:
            raise ConnectionFailedError(f"{self.address!r} is no address: {cause}", hint="http://host:port") from None
        except httpx.TransportError as cause:
            raise ConnectionFailedError(
                f"the server {self.address} does not answer: {cause or type(cause).__name__}",
                hint="see that it runs ('cellwright serve'); without a url everything runs on this computer",
            ) from cause
        if answer.is_success:
            return self._document(answer) if answer.content else None
        raise self._error(answer)

    def _document(self, answer: httpx.Response) -> Any:
        try:
            return answer.json()
        except ValueError:
            raise ConnectionFailedError(
                f"{answer.url} answered with {answer.headers.get('content-type', 'nothing')}, not with JSON",
                hint="is this the address of a Cellwright server?",
            ) from None

    def _error(self, answer: httpx.Response) -> CellwrightError:
        body = self._document(answer)
        if not isinstance(body, dict) or "error_code" not in body:
            return InternalError(f"{answer.url} answered {answer.status_code}: {answer.text[:200]}")
        detail = body.get("detail") if isinstance(body.get("detail"), dict) else {}
        message = (detail or {}).pop("reason", body.get("message"))
        at, hint = (detail or {}).pop("at", ()), (detail or {}).pop("hint", None)
        return error_of(
            {"error_code": body["error_code"], "message": message, "at": at, "hint": hint, "detail": detail}
        )


_HEADERS = {"User-Agent": f"cellwright/{version('cellwright')}", "Accept": "application/json"}
