"""Cell specifications: what is written down of a kind of cell, in whatever form its author likes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from cellwright.errors import ConflictError, NotFoundError
from cellwright.schema.documents import unpack
from cellwright.store.blobs import Blobs
from cellwright.store.conditions import Where, condition
from cellwright.store.database import Database
from cellwright.store.tables import Clock, cell_specifications, stamp

SLOTS = ("anode", "cathode", "electrolyte", "separator", "case")
"""The components of a cell, each an object in the content of a specification."""
FILTERED = ("id", "name", "project_id", "created_by_email", "created_at", "updated_at")
"""The columns that a list may be filtered and ordered by."""
FORM_FACTOR = "form_factor"
"""What a list may be filtered by beside them: a text in the content."""


@dataclass(frozen=True)
class CellSpecification:
    """A cell specification; `content` is what its author has written, but for the name."""

    id: str
    project_id: str
    name: str
    created_by_email: str
    content: Mapping[str, Any]
    created_at: str
    updated_at: str

    @property
    def document(self) -> dict[str, Any]:
        """The specification as its author has written it."""
        return {"name": self.name, **self.content}


class CellSpecifications:
    """The table of cell specifications."""

    def __init__(self, database: Database, blobs: Blobs, clock: Clock) -> None:
        self._database = database
        self._blobs = blobs
        self._clock = clock

    def create(
        self, name: str, content: Mapping[str, Any], *, project_id: str, created_by_email: str = ""
    ) -> CellSpecification:
        """Keep a specification.

        Raises: `ConflictError` where the project has one of that name (`detail["existing_id"]`).
        """
        new_id = str(uuid4())
        now = stamp(self._clock())
        with self._database.write() as connection:
            _be_alone(connection, new_id, project_id, name)
            connection.execute(
                sa.insert(cell_specifications).values(
                    id=new_id,
                    project_id=project_id,
                    name=name,
                    created_by_email=created_by_email,
                    content=self._blobs.keeping(_owner(new_id), connection).document(content),
                    created_at=now,
                    updated_at=now,
                )
            )
        return self.get(new_id)

    def get(self, cell_spec_id: str) -> CellSpecification:
        """Return a specification.

        Raises: `NotFoundError`.
        """
        with self._database.read() as connection:
            return self._specification(_one(connection, cell_spec_id))

    def page(
        self,
        where: Sequence[Where] = (),
        materials: Mapping[str, Sequence[str]] = MappingProxyType({}),
        order_by: str = "created_at",
        descending: bool = True,
        limit: int = 1000,
        skip: int = 0,
    ) -> tuple[list[CellSpecification], int]:
        """Return some of the specifications that meet every condition, and how many there are in all.

        With `materials` (slot → ids) those alone that have, in some slot, one of its materials.
        """
        conditions = [condition(_expression(part.column), part) for part in where]
        if materials:
            c = cell_specifications.c.content
            conditions.append(
                sa.or_(*(c[(slot, "material_id")].as_string().in_(ids) for slot, ids in materials.items()))
            )
        chosen = sa.select(cell_specifications).where(*conditions)
        column, last = cell_specifications.c[order_by], cell_specifications.c.id
        order = (column.desc(), last.desc()) if descending else (column.asc(), last.asc())
        with self._database.read() as connection:
            total = connection.scalar(sa.select(sa.func.count()).select_from(chosen.subquery()))
            rows = connection.execute(chosen.order_by(*order).limit(limit).offset(skip))
            return [self._specification(row) for row in rows], total or 0

    def update(self, cell_spec_id: str, name: str | None, changes: Mapping[str, Any]) -> CellSpecification:
        """Change a specification: objects are merged, null takes a key away, anything else replaces (RFC 7396).

        Raises: `NotFoundError`, `ConflictError` where the project has another one of the new name.
        """
        with self._database.write() as connection:
            old = self._specification(_one(connection, cell_spec_id))
            new_name = name if name is not None else old.name
            _be_alone(connection, cell_spec_id, old.project_id, new_name)
            self._blobs.release(_owner(cell_spec_id), connection)
            content = self._blobs.keeping(_owner(cell_spec_id), connection).document(_merged(old.content, changes))
            this = cell_specifications.c.id == cell_spec_id
            values = {"name": new_name, "content": content, "updated_at": stamp(self._clock())}
            connection.execute(sa.update(cell_specifications).where(this).values(values))
        self._blobs.sweep()
        return self.get(cell_spec_id)

    def delete(self, cell_spec_id: str) -> None:
        """Remove a specification; runs that have read it keep what they have read."""
        with self._database.write() as connection:
            _one(connection, cell_spec_id)
            connection.execute(sa.delete(cell_specifications).where(cell_specifications.c.id == cell_spec_id))
            self._blobs.release(_owner(cell_spec_id), connection)
        self._blobs.sweep()

    def _specification(self, row: Any) -> CellSpecification:
        return CellSpecification(**unpack(dict(row._mapping), self._blobs.load))


def _owner(cell_spec_id: str) -> str:
    return f"cell_specification:{cell_spec_id}"


def _one(connection: sa.Connection, cell_spec_id: str) -> Any:
    this = cell_specifications.c.id == cell_spec_id
    row = connection.execute(sa.select(cell_specifications).where(this)).one_or_none()
    if row is None:
        raise NotFoundError(f"Cell specification {cell_spec_id!r} not found")
    return row


def _be_alone(connection: sa.Connection, cell_spec_id: str, project_id: str, name: str) -> None:
    """Make sure that no other specification of the project has the name."""
    c = cell_specifications.c
    others = sa.select(c.id).where(c.project_id == project_id, c.name == name, c.id != cell_spec_id)
    existing = connection.scalar(others)
    if existing is not None:
        raise ConflictError(f"the project has a cell specification {name!r} already", detail={"existing_id": existing})


def _expression(name: str) -> sa.ColumnElement[Any]:
    """Return a column, or the text of that name in the content."""
    c = cell_specifications.c
    return c[name] if name in FILTERED else c.content[(name,)].as_string()


def _merged(old: Any, changes: Any) -> Any:
    if not isinstance(changes, Mapping):
        return changes
    result = dict(old) if isinstance(old, Mapping) else {}
    for key, change in changes.items():
        if change is None:
            result.pop(key, None)
        else:
            result[key] = _merged(result.get(key), change)
    return result
