"""Jobs: what fits and validations leave behind."""

from typing import Annotated

from fastapi import APIRouter, Query

from cellwright.http.answers import Answer, job_document
from cellwright.service import plots
from cellwright.service.runs import Service


def router(service: Service) -> APIRouter:
    """Return the routes of jobs."""
    routes = APIRouter(prefix="/jobs")

    @routes.get("/")
    def every() -> Answer:
        return Answer([job_document(element) for element in service.jobs()])

    @routes.post("/")
    def submit() -> Answer:
        message = "Jobs are not submitted one by one; submit a pipeline with POST /pipelines."
        return Answer({"error_code": "GONE", "message": message, "detail": None}, status_code=410)

    @routes.get("/{job_id}")
    def get(job_id: str) -> Answer:
        return Answer(job_document(service.job(job_id), service))

    @routes.post("/{job_id}/cancel")
    def cancel(job_id: str) -> Answer:
        service.cancel(service.job(job_id).run_id)
        return Answer(job_document(service.job(job_id)))

    @routes.get("/{job_id}/metadata")
    def metadata(job_id: str) -> Answer:
        return Answer(plots.metadata(service.finished(job_id)))

    @routes.get("/{job_id}/series/channels")
    def channels(job_id: str) -> Answer:
        return Answer(plots.channel_names(service.finished(job_id)))

    @routes.get("/{job_id}/series")
    def series(
        job_id: str,
        objective: str,
        source: str = "optimal",
        columns: str = "",
        x_column: str | None = None,
        max_points: Annotated[int, Query(ge=2)] = 2000,
        x_min: float | None = None,
        x_max: float | None = None,
    ) -> Answer:
        found = plots.curves(service.finished(job_id), objective, source)
        names = [name for name in columns.split(",") if name]
        return Answer(plots.columns(found, names, x_column, plots.Window(x_min, x_max, max_points)))

    return routes
