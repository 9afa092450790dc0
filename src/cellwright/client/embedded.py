"""The server inside this process: the same application, called directly, and a worker in a process of its own."""

from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path

import httpx
from anyio.from_thread import BlockingPortal, start_blocking_portal

from cellwright.http.app import create_app
from cellwright.service.runs import Service
from cellwright.service.supervisor import Supervisor
from cellwright.store import Store

IDLE_EXIT = 60.0
"""Seconds that the worker waits for more work; its loaded models make the next run quicker."""


class EmbeddedTransport(httpx.BaseTransport):
    """Hands requests to the application on an event loop in a thread."""

    def __init__(self, home: Path | None = None) -> None:
        store = Store(home)
        self._supervisor = Supervisor(store, idle_exit=IDLE_EXIT)
        app = create_app(Service(store, self._supervisor.tend))
        self._transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        self._closing = ExitStack()
        self._closing.callback(store.close)
        self._portal: BlockingPortal = self._closing.enter_context(start_blocking_portal())
        self._closing.callback(self._supervisor.close)
        self._supervisor.tend()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Return the application's answer; see that there is a worker."""
        request.read()
        answer = self._portal.call(self._answer, request)
        self._supervisor.tend(now=False)
        return answer

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        answer = await self._transport.handle_async_request(request)
        assert isinstance(answer.stream, AsyncIterator | httpx.AsyncByteStream)
        content = b"".join([part async for part in answer.stream])
        return httpx.Response(answer.status_code, headers=answer.headers, content=content, request=request)

    def close(self) -> None:
        """Stop the event loop and close the database; the worker finishes what is submitted."""
        self._closing.close()
