"""Cell specifications: what is written down of a kind of cell, for pipelines to read from."""

import builtins
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cellwright.client.connection import Connection
from cellwright.client.records import record_of


@dataclass(frozen=True)
class CellSpecificationRecord:
    """A cell specification; `document` is all that the server says of it."""

    id: str
    name: str
    project_id: str | None = field(default=None, repr=False)
    created_at: str = field(default="", repr=False)
    updated_at: str = field(default="", repr=False)
    document: Mapping[str, Any] = field(default_factory=dict, repr=False)


class CellSpecifications:
    """What a server knows of cell specifications."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def create(self, document: Mapping[str, Any]) -> CellSpecificationRecord:
        """Keep a specification: a `name`, and what is known of the cell.

        Quantities are objects: `{"anode": {"properties": {"thickness": {"value": 72.2, "unit": "um"}}}}`.

        Raises: `ConflictError` where there is one of that name.
        """
        return _record(self._connection.post("/cell_specifications", dict(document)))

    def get(self, cell_spec_id: str) -> CellSpecificationRecord:
        """Return a specification.

        Raises: `NotFoundError`.
        """
        return _record(self._connection.get(f"/cell_specifications/{cell_spec_id}"))

    def list(
        self, *, limit: int | None = None, offset: int | None = None, **filters: str
    ) -> builtins.list[CellSpecificationRecord]:
        """Return specifications, the newest first; filters as for pipelines: `name="ilike.%cell%"`."""
        page = self._connection.get("/cell_specifications", full="true", limit=limit, offset=offset, **filters)
        return [_record(document) for document in page["items"]]

    def update(self, cell_spec_id: str, changes: Mapping[str, Any]) -> CellSpecificationRecord:
        """Change a specification: objects are merged, None takes a key away; runs that have read it stay."""
        return _record(self._connection.patch(f"/cell_specifications/{cell_spec_id}", dict(changes)))

    def delete(self, cell_spec_id: str) -> None:
        """Remove a specification; runs that have read it stay as they are."""
        self._connection.delete(f"/cell_specifications/{cell_spec_id}")


def _record(document: Mapping[str, Any]) -> CellSpecificationRecord:
    return record_of(CellSpecificationRecord, {**document, "document": document})
