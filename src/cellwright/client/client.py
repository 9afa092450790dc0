"""The client: one door to a server, or to an application in this process."""

import os
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cellwright.client.cell_specifications import CellSpecifications
from cellwright.client.connection import Connection
from cellwright.client.jobs import Jobs
from cellwright.client.pipelines import Pipelines


class Client:
    """Submits pipelines, follows them and fetches what came of them.

    With a `url` (or `CELLWRIGHT_URL`) it speaks to that server. Without, everything stays on this computer: the
    database is in `home` (default `CELLWRIGHT_HOME`, else the user's data folder), and a process of its own does the
    work, which finishes what is submitted even where this program ends before.
    """

    def __init__(self, url: str | None = None, api_key: str | None = None, *, home: str | Path | None = None) -> None:
        address = url or (None if home is not None else os.environ.get("CELLWRIGHT_URL")) or None
        if address is None:
            from cellwright.client.embedded import EmbeddedTransport

            self._connection = Connection.embedded(EmbeddedTransport(Path(home) if home is not None else None))
        else:
            self._connection = Connection.to(address, api_key or os.environ.get("CELLWRIGHT_API_KEY"))
        self.pipeline = Pipelines(self._connection)
        self.job = Jobs(self._connection)
        self.cell_spec = CellSpecifications(self._connection)

    def health(self) -> dict[str, Any]:
        """Return what the server says of itself."""
        answer: dict[str, Any] = self._connection.get("/healthz")
        return answer

    def close(self) -> None:
        """Close the connection; what is submitted goes on."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Client({self._connection.address})"
