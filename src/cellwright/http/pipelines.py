"""Pipelines: submit, follow, fetch, change, cancel, delete."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from cellwright.errors import ConfigurationError
from cellwright.http.answers import Answer, element_document, run_document
from cellwright.http.bodies import json_object
from cellwright.schema.documents import pack, to_text
from cellwright.service import plots
from cellwright.service.runs import LOCAL_PROJECT, MOST_RUNS, Service

Body = Annotated[dict[str, Any], Depends(json_object)]
_PAGING = frozenset({"limit", "skip", "offset", "order_by", "order"})
_BESIDE = frozenset({"project_id", "options", "name", "description"})
"""What stands in a submission beside the pipeline itself."""


def router(service: Service) -> APIRouter:
    """Return the routes of pipelines."""
    routes = APIRouter(prefix="/pipelines")

    @routes.post("")
    def create(body: Body) -> Answer:
        run = service.submit(
            {key: value for key, value in body.items() if key not in _BESIDE},
            name=_text(body, "name"),
            description=_text(body, "description"),
            project_id=_text(body, "project_id") or LOCAL_PROJECT,
            options=_options(body),
        )
        elements = [element_document(element) for element in service.elements(run.id)]
        return Answer({**run_document(run), "elements": elements}, status_code=201)

    @routes.get("")
    def page(
        request: Request,
        limit: int = MOST_RUNS,
        skip: int = 0,
        order_by: str = "created_at",
        order: str = "desc",
    ) -> Answer:
        filters = [(key, value) for key, value in request.query_params.multi_items() if key not in _PAGING]
        runs, total = service.page(filters, order_by=order_by, order=order, limit=limit, skip=skip)
        return Answer({"pipelines": [run_document(run) for run in runs], "total": total, "count": len(runs)})

    @routes.get("/{run_id}")
    def get(run_id: str) -> Answer:
        return Answer(run_document(service.get(run_id)))

    @routes.patch("/{run_id}")
    def update(run_id: str, body: Body) -> Answer:
        run = service.update(run_id, name=_text(body, "name"), description=_text(body, "description"))
        return Answer(run_document(run))

    @routes.delete("/{run_id}")
    def delete(run_id: str) -> Response:
        service.delete(run_id)
        return Response(status_code=204)

    @routes.post("/{run_id}/cancel")
    def cancel(run_id: str) -> Answer:
        return Answer(run_document(service.cancel(run_id)))

    @routes.get("/{run_id}/elements")
    def elements(run_id: str) -> Answer:
        return Answer([element_document(element) for element in service.elements(run_id)])

    @routes.get("/{run_id}/result")
    def result(run_id: str) -> Answer:
        found = service.completed(run_id)
        results = {record.name: record.result for record in found.elements if record.status == "completed"}
        return Answer({"result": found.result, "element_results": results})

    @routes.get("/{run_id}/config")
    def config(run_id: str) -> Answer:
        return Answer(service.config(run_id))

    @routes.get("/{run_id}/record")
    def record(run_id: str) -> Answer:
        """Answer everything that is kept of a run, to the bit: see `cellwright.schema.documents`."""
        found = service.result(run_id)
        series = {element.name: element.series for element in found.elements}
        return Answer(pack({"result": found.to_dict(), "series": series}, to_text))

    @routes.get("/datafits/{job_id}/plot_data")
    def plot_data(
        job_id: str,
        objective_name: str,
        plot_index: int = 0,
        max_points: Annotated[int, Query(ge=2)] = 2000,
        x_min: float | None = None,
        x_max: float | None = None,
    ) -> Answer:
        element = service.finished(job_id)
        return Answer(plots.plot(element, objective_name, plot_index, plots.Window(x_min, x_max, max_points)))

    return routes


def _text(body: dict[str, Any], key: str) -> str | None:
    value = body.get(key)
    if value is not None and not isinstance(value, str):
        raise ConfigurationError(f"{key!r} is a text, not {value!r}", at=(key,))
    return value


def _options(body: dict[str, Any]) -> dict[str, Any]:
    value = body.get("options")
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ConfigurationError(f"the options of a run are an object, not {value!r}", at=("options",))
    return value
