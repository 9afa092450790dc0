"""Cell specifications: create, get, list, change, delete."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from cellwright.http.answers import LOCAL, Answer
from cellwright.http.bodies import json_object
from cellwright.service.cell_specifications import CellSpecifications
from cellwright.service.runs import MOST_RUNS
from cellwright.store.cell_specifications import SLOTS, CellSpecification

Body = Annotated[dict[str, Any], Depends(json_object)]
_OF_SLOTS = {slot: f"{slot}_material_id" for slot in SLOTS}
_NO_FILTERS = frozenset(
    {"full", "limit", "offset", "order_by", "order", "material_id", "material_ids", "exclude_cell_spec_id"}
).union(_OF_SLOTS.values())


def router(specifications: CellSpecifications) -> APIRouter:
    """Return the routes of cell specifications."""
    routes = APIRouter(prefix="/cell_specifications")

    @routes.post("")
    def create(body: Body) -> Answer:
        return Answer(_document(specifications.create(body)), status_code=201)

    @routes.get("")
    def page(
        request: Request,
        full: bool = False,
        limit: int = MOST_RUNS,
        offset: int = 0,
        order_by: str = "created_at",
        order: str = "desc",
        exclude_cell_spec_id: str | None = None,
    ) -> Answer:
        query = request.query_params
        filters = [(key, value) for key, value in query.multi_items() if key not in _NO_FILTERS]
        anywhere = [*query.getlist("material_id"), *query.getlist("material_ids")]
        materials = {slot: [*anywhere, *query.getlist(key)] for slot, key in _OF_SLOTS.items()}
        found, total = specifications.page(
            filters,
            without=exclude_cell_spec_id,
            materials={slot: ids for slot, ids in materials.items() if ids},
            order_by=order_by,
            order=order,
            limit=limit,
            skip=offset,
        )
        items = [_document(one, full) for one in found]
        return Answer({"items": items, "count": len(items), "total": total})

    @routes.get("/{cell_spec_id}")
    def get(cell_spec_id: str) -> Answer:
        return Answer(_document(specifications.get(cell_spec_id)))

    @routes.patch("/{cell_spec_id}")
    def update(cell_spec_id: str, body: Body) -> Answer:
        return Answer(_document(specifications.update(cell_spec_id, body)))

    @routes.delete("/{cell_spec_id}")
    def delete(cell_spec_id: str) -> Response:
        specifications.delete(cell_spec_id)
        return Response(status_code=204)

    return routes


def _document(one: CellSpecification, full: bool = True) -> dict[str, Any]:
    """Return a specification as clients know it; in lists they ask for the components on purpose."""
    content = {key: value for key, value in one.document.items() if full or key not in SLOTS}
    return {
        **content,
        "id": one.id,
        "project_id": one.project_id,
        "organization_id": LOCAL,
        "created_by_email": one.created_by_email,
        "created_at": one.created_at,
        "updated_at": one.updated_at,
    }
