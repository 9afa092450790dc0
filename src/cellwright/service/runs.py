"""The service: what every door does with runs, over a store."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from uuid import uuid4

from cellwright.catalog.entries import FromJson
from cellwright.engine.stored_entries import resolved
from cellwright.errors import ConfigurationError, ConflictError, NotFoundError
from cellwright.schema.document import Pipeline, kind_of
from cellwright.schema.results import ElementRecord, PipelineResult
from cellwright.schema.variant import without_live
from cellwright.service import filters
from cellwright.service.process import is_gone
from cellwright.service.sources import KnownSources
from cellwright.store import Store
from cellwright.store.runs import Element, NewElement, NewRun, Run

LOCAL_PROJECT = "default"
LOCAL_EMAIL = "user@localhost"
MOST_RUNS = 1000
"""The longest page of a list."""
WITHOUT_JOB = frozenset({"entry", "calculation"})
"""The kinds of elements that leave no job behind."""


class Service:
    """Submit, get, list, cancel, delete; quick all of them: the work is a worker's.

    `on_submit` is called after a run is kept, for whoever sees to it that there is a worker.
    """

    def __init__(self, store: Store, on_submit: Callable[[], None] = lambda: None) -> None:
        self.store = store
        self._on_submit = on_submit

    def submit(
        self,
        config: Mapping[str, Any],
        *,
        name: str | None = None,
        description: str | None = None,
        project_id: str = LOCAL_PROJECT,
        options: Mapping[str, Any] | None = None,
    ) -> Run:
        """Keep a pipeline to be run; values that lie in earlier runs and cell specifications are read now.

        Raises: `ConfigurationError` where it does not follow the schema or a value cannot be read, `NotFoundError` and
        `ConflictError` for a run or a cell specification that is not there or not complete.
        """
        pipeline = Pipeline.from_config(config)
        if not pipeline.elements:
            raise ConfigurationError("a pipeline needs at least one element", at=("elements",))
        for place, element in pipeline.elements.items():
            if isinstance(element, FromJson):
                raise ConfigurationError(
                    f"the file {element.file_path!r} is not read here",
                    at=(place,),
                    hint="send its values: Pipeline.from_file(…).to_config() has them",
                )
        pipeline = resolved(pipeline, KnownSources(self.store))
        new = new_run(pipeline, name=name, description=description, project_id=project_id, options=options)
        run = self.store.runs.create(new)
        self._on_submit()
        return run

    def get(self, run_id: str) -> Run:
        """Return what is known of a run."""
        self.store.runs.reap(is_gone)
        return self.store.runs.get(run_id)

    def page(
        self,
        where: Iterable[tuple[str, str]] = (),
        *,
        order_by: str = "created_at",
        order: str = "desc",
        limit: int = MOST_RUNS,
        skip: int = 0,
    ) -> tuple[list[Run], int]:
        """Return a page of the runs that meet the filters, and how many there are in all."""
        self.store.runs.reap(is_gone)
        if order not in {"asc", "desc"}:
            raise ConfigurationError(f"the order is 'asc' or 'desc', not {order!r}")
        return self.store.runs.page(
            filters.parse(where),
            order_by=filters.column(order_by),
            descending=order == "desc",
            limit=min(max(limit, 0), MOST_RUNS),
            skip=max(skip, 0),
        )

    def update(self, run_id: str, *, name: str | None = None, description: str | None = None) -> Run:
        """Change a run's name or description."""
        return self.store.runs.update(run_id, name=name, description=description)

    def cancel(self, run_id: str) -> Run:
        """Ask a run to stop."""
        return self.store.runs.request_cancel(run_id)

    def delete(self, run_id: str) -> None:
        """Remove a run; one that is under way is stopped."""
        self.store.runs.delete(run_id)

    def config(self, run_id: str) -> dict[str, Any]:
        """Return the pipeline of a run in wire form."""
        return self.store.runs.config(run_id)

    def result(self, run_id: str, *, series: bool = True) -> PipelineResult:
        """Return the result of a run; of one that failed, as far as it got.

        Raises: `ConflictError` where it has not ended.
        """
        return self.store.runs.result(run_id, series=series)

    def completed(self, run_id: str, *, series: bool = False) -> PipelineResult:
        """Return the result of a run that has completed.

        Raises: `ConflictError` where it has not.
        """
        run = self.get(run_id)
        if run.status != "completed":
            why = f": {run.error}" if run.error else ""
            raise ConflictError(f"Pipeline {run_id!r} has no result: it is {run.status}{why}")
        return self.store.runs.result(run_id, series=series)

    def elements(self, run_id: str) -> list[Element]:
        """Return how far the elements of a run are, in order."""
        return self.store.runs.elements(run_id)

    def jobs(self) -> list[Element]:
        """Return the newest fits and validations."""
        return self.store.runs.jobs()

    def job(self, job_id: str) -> Element:
        """Return the fit or validation of a job."""
        return self.store.runs.job(job_id)

    def record(self, element: Element) -> ElementRecord | None:
        """Return what an element did, with its series, or None where it has not finished."""
        return self.store.runs.record(element)

    def finished(self, job_id: str) -> ElementRecord:
        """Return what a finished fit or validation did, with its series.

        Raises: `NotFoundError` where there is no such job or it has not finished.
        """
        element = self.job(job_id)
        record = self.record(element)
        if record is None:
            raise NotFoundError(f"Job {job_id!r} has left nothing yet: it is {element.status}")
        return record


def new_run(
    pipeline: Pipeline,
    *,
    name: str | None = None,
    description: str | None = None,
    project_id: str = LOCAL_PROJECT,
    options: Mapping[str, Any] | None = None,
) -> NewRun:
    """Return the run that a pipeline is submitted as; it gets a name where it has none."""
    run_id = str(uuid4())
    elements = [
        NewElement(key, kind_of(element), None if kind_of(element) in WITHOUT_JOB else str(uuid4()))
        for key, element in pipeline.elements.items()
    ]
    return NewRun(
        id=run_id,
        name=name or pipeline.name or f"Pipeline {run_id[:8]}",
        config=without_live(pipeline).to_config(),
        elements=elements,
        description=description or pipeline.description,
        project_id=project_id,
        created_by_email=LOCAL_EMAIL,
        options=options or {},
    )
