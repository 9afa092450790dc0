"""The server inside this process: the same application, called directly, and a worker in a process of its own."""

import asyncio
import threading
from pathlib import Path

import httpx

from cellwright.http.app import create_app
from cellwright.service.runs import Service
from cellwright.service.supervisor import Supervisor
from cellwright.store import Store

IDLE_EXIT = 60.0
"""Seconds that the worker waits for more work; its loaded models make the next run quicker."""


class EmbeddedTransport(httpx.BaseTransport):
    """Hands requests to the application on an event loop in a thread, which ends with the program."""

    def __init__(self, home: Path | None = None) -> None:
        self._store = Store(home)
        self._supervisor = Supervisor(self._store, idle_exit=IDLE_EXIT)
        app = create_app(Service(self._store, self._supervisor.tend))
        self._transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="cellwright application", daemon=True)
        self._thread.start()
        self._supervisor.tend()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Return the application's answer; see that there is a worker."""
        request.read()
        answer = asyncio.run_coroutine_threadsafe(self._answer(request), self._loop).result()
        self._supervisor.tend(now=False)
        return answer

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        answer = await self._transport.handle_async_request(request)
        content = await answer.aread()
        return httpx.Response(answer.status_code, headers=answer.headers, content=content, request=request)

    def close(self) -> None:
        """Stop the event loop and close the database; the worker finishes what is submitted."""
        if self._loop.is_closed():
            return
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._supervisor.close()
        self._store.close()
