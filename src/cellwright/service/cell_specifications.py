"""Cell specifications: what every door does with them, over a store."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cellwright.errors import ConfigurationError
from cellwright.service import filters
from cellwright.service.runs import LOCAL_EMAIL, LOCAL_PROJECT, MOST_RUNS
from cellwright.store import Store
from cellwright.store.cell_specifications import FILTERED, FORM_FACTOR, CellSpecification
from cellwright.store.conditions import Where

OURS = frozenset({"id", "project_id", "organization_id", "created_by_email", "created_at", "updated_at"})
"""What stands in a document beside what its author has written; it cannot be changed."""


class CellSpecifications:
    """Create, get, list, change, delete."""

    def __init__(self, store: Store) -> None:
        self._kept = store.cell_specifications

    def create(self, document: Mapping[str, Any]) -> CellSpecification:
        """Keep a specification: any JSON object with a `name`.

        Raises: `ConflictError` where the project has one of that name (`detail["existing_id"]`).
        """
        project = document.get("project_id") or LOCAL_PROJECT
        if not isinstance(project, str):
            raise ConfigurationError(f"'project_id' is a text, not {project!r}", at=("project_id",))
        return self._kept.create(_name(document), _content(document), project_id=project, created_by_email=LOCAL_EMAIL)

    def get(self, cell_spec_id: str) -> CellSpecification:
        """Return a specification.

        Raises: `NotFoundError`.
        """
        return self._kept.get(cell_spec_id)

    def page(
        self,
        where: Iterable[tuple[str, str]] = (),
        *,
        without: str | None = None,
        materials: Mapping[str, Sequence[str]] | None = None,
        order_by: str = "created_at",
        order: str = "desc",
        limit: int = MOST_RUNS,
        skip: int = 0,
    ) -> tuple[list[CellSpecification], int]:
        """Return a page of the specifications that meet the filters, and how many there are in all.

        `without` is the id of one to leave out; with `materials` (component → ids) those alone stay that have one of a
        component's materials there.
        """
        if order not in {"asc", "desc"}:
            raise ConfigurationError(f"the order is 'asc' or 'desc', not {order!r}")
        conditions = filters.parse(where, (*FILTERED, FORM_FACTOR))
        return self._kept.page(
            [*conditions, *([Where("id", "neq", without)] if without else [])],
            materials or {},
            order_by=filters.column(order_by, FILTERED),
            descending=order == "desc",
            limit=min(max(limit, 0), MOST_RUNS),
            skip=max(skip, 0),
        )

    def update(self, cell_spec_id: str, changes: Mapping[str, Any]) -> CellSpecification:
        """Change a specification: objects are merged, null takes a key away, anything else replaces.

        Raises: `NotFoundError`, `ConflictError` where the project has another one of the new name.
        """
        name = _name(changes) if "name" in changes else None
        return self._kept.update(cell_spec_id, name, _content(changes))

    def delete(self, cell_spec_id: str) -> None:
        """Remove a specification; runs that have read it keep what they have read."""
        self._kept.delete(cell_spec_id)


def _name(document: Mapping[str, Any]) -> str:
    name = document.get("name")
    if not isinstance(name, str) or not name.strip():
        raise ConfigurationError(
            f"a cell specification needs a name, not {name!r}"
            if name is not None
            else "a cell specification needs a name",
            at=("name",),
        )
    return name


def _content(document: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key not in OURS | {"name"}}
