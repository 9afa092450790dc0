"""The HTTP door: the contract's endpoints over the service."""

from fastapi import APIRouter, FastAPI
from starlette.middleware.gzip import GZipMiddleware

from cellwright import __version__
from cellwright.http import cell_specifications, errors, jobs, pipelines
from cellwright.http.answers import LOCAL, Answer
from cellwright.http.bodies import Bodies
from cellwright.service.cell_specifications import CellSpecifications
from cellwright.service.runs import LOCAL_EMAIL, LOCAL_PROJECT, Service

_PROJECT = {"id": LOCAL_PROJECT, "name": "Default", "organization_id": LOCAL, "description": None}
_ORGANIZATION = {"id": LOCAL, "name": "Local"}


def create_app(service: Service) -> FastAPI:
    """Return the ASGI application over a service; the same one serves a network and the embedded client."""
    app = FastAPI(title="Cellwright", version=__version__, redirect_slashes=False)
    errors.install(app)
    app.add_middleware(GZipMiddleware, minimum_size=2**16)
    app.add_middleware(Bodies)
    app.include_router(_about(app))
    app.include_router(pipelines.router(service))
    app.include_router(jobs.router(service))
    app.include_router(cell_specifications.router(CellSpecifications(service.store)))
    return app


def _about(app: FastAPI) -> APIRouter:
    routes = APIRouter()

    @routes.get("/healthz")
    def health() -> Answer:
        return Answer({"status": "ok", "version": __version__})

    @routes.get("/users/me")
    def me() -> Answer:
        return Answer(
            {
                "id": LOCAL,
                "email": LOCAL_EMAIL,
                "authorized_organization": _ORGANIZATION,
                "organizations": [_ORGANIZATION],
            }
        )

    @routes.get("/projects")
    def projects() -> Answer:
        return Answer({"items": [_PROJECT], "count": 1, "total": 1})

    @routes.get("/projects/{project_id}")
    def project(project_id: str) -> Answer:
        return Answer(
            {**_PROJECT, "id": project_id, "name": _PROJECT["name"] if project_id == LOCAL_PROJECT else project_id}
        )

    @routes.get("/discovery/capabilities")
    def capabilities() -> Answer:
        return Answer(
            {
                "domain_context": "Battery cell models from datasheets, literature and measured curves.",
                "schemas": {},
                "openapi_spec": app.openapi_url,
                "authentication": {"type": "none"},
            }
        )

    return routes
