"""Where engine, models, data, compute and store are put together."""

import json
import time
from collections.abc import Mapping
from concurrent.futures import Executor
from contextlib import ExitStack, closing
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from cellwright.compute.executor import ExecutorPool
from cellwright.compute.inline import InlinePool
from cellwright.compute.processes import ProcessPool
from cellwright.data.sources import settle
from cellwright.engine.check import CheckReport, check
from cellwright.engine.run import run
from cellwright.engine.seams import Canceled, Sink
from cellwright.engine.stored_entries import read, resolved
from cellwright.engine.world import BuiltOnce, MemoryJournal, NoCache, World
from cellwright.errors import ConfigurationError, Problem
from cellwright.schema.document import Pipeline
from cellwright.schema.elements import ArrayDataFit, DataFit
from cellwright.schema.results import PipelineResult
from cellwright.schema.simulation import Problem as ModelProblem
from cellwright.schema.simulation import Simulation
from cellwright.schema.work import Pool
from cellwright.service.execution import LEASE, carry_out
from cellwright.service.process import name_of_this_process
from cellwright.service.runs import new_run
from cellwright.service.sources import KnownSources
from cellwright.store import Store
from cellwright.store.location import default_home
from cellwright.store.tables import stamp, utc_now


@lru_cache(maxsize=1)
def versions() -> Mapping[str, str]:
    """Return the versions that decide the numbers of a result."""
    deciding = ("cellwright", "pybamm", "pybammsolvers", "casadi", "numpy", "scipy", "cma", "pints")
    return {package: version(package) for package in deciding}


def run_pipeline(
    pipeline: Pipeline | Mapping[str, Any],
    *,
    executor: Pool | Executor | Literal["inline", "processes"] = "inline",
    store: Store | Path | str | None = None,
    on_event: Sink | None = None,
    canceled: Canceled = lambda: False,
    name: str | None = None,
    cell_specifications: Mapping[str, Mapping[str, Any]] | None = None,
) -> PipelineResult:
    """Check and run a pipeline, or the wire form of one, in this process and return its result.

    With a store, or the folder of one, the run is kept in it, what has not changed since an earlier run is not computed
    again, and a run that was stopped goes on from where it was. `executor` does the solves: this process on all its
    cores, worker processes (a script that asks for them starts with `if __name__ == "__main__":`), any
    `concurrent.futures.Executor`, or a pool of your own. The merged parameters are written as JSON to the pipeline's
    `output_file`, where it names one. Entries that refer to an earlier run or to a cell specification are read first:
    from the store, or from `cell_specifications` (id → specification).

    Raises: `CheckFailedError` with every problem before anything is spent; the error of the element that fails, with
    its name first in `at`; `CanceledError`.
    """
    pipeline = _pipeline(pipeline)
    if pipeline.output_file is not None and not Path(pipeline.output_file).parent.is_dir():
        raise ConfigurationError(f"the folder of {pipeline.output_file!r} is not there", at=("output_file",))
    with ExitStack() as ends:
        kept = ends.enter_context(closing(Store(Path(store)))) if isinstance(store, str | Path) else store
        pipeline = resolved(pipeline, KnownSources(kept, cell_specifications))
        pool = pool_of(executor, pipeline)
        if pool is not executor:
            ends.callback(pool.close)  # one that was made here; an executor stays the caller's
        if kept is None:
            return _written(run(pipeline, world(pool, emit=on_event, canceled=canceled)), pipeline)
        new = new_run(pipeline, name=name)
        claim = kept.runs.start(new, name_of_this_process(), LEASE)
        result = carry_out(
            kept,
            claim,
            lambda emit, stop: stored(pipeline, kept, pool, claim.run_id, new.name, emit, stop),
            clock=time.monotonic,
            on_event=on_event,
            interrupted=canceled,
        )
        return _written(result, pipeline)


def _pipeline(given: Pipeline | Mapping[str, Any]) -> Pipeline:
    """Return a pipeline as it is, or that of a wire form, also of the contract's own package."""
    if isinstance(given, Pipeline):
        return given
    return Pipeline.from_config(given if isinstance(given, Mapping) else given.to_config())


def _written(result: PipelineResult, pipeline: Pipeline) -> PipelineResult:
    """Return the result, its parameters written to the pipeline's `output_file` where it names one."""
    if pipeline.output_file is not None:
        try:
            Path(pipeline.output_file).write_text(json.dumps(result.parameters.to_wire(), indent=1), encoding="utf-8")
        except OSError as cause:
            raise ConfigurationError(
                f"the parameters cannot be written: {cause.strerror}",
                at=("output_file",),
                hint=f"the result itself is kept; look at {pipeline.output_file!r}",
            ) from None
    return result


def pool_of(executor: Pool | Executor | Literal["inline", "processes"], pipeline: Pipeline) -> Pool:
    """Return the pool that an executor means; processes are started for pipelines alone that fit something."""
    if isinstance(executor, Executor):
        return ExecutorPool(executor)
    if not isinstance(executor, str):
        return executor
    if executor not in {"inline", "processes"}:
        raise ConfigurationError(f"the executor is 'inline', 'processes', an executor or a pool, not {executor!r}")
    if executor == "processes" and fits(pipeline):
        return ProcessPool(warm="cellwright.models.simulation")
    return InlinePool()


def fits(pipeline: Pipeline) -> bool:
    """Return whether a pipeline solves models again and again."""
    return any(isinstance(element, DataFit | ArrayDataFit) for element in pipeline.elements.values())


def simulate(problem: ModelProblem) -> Simulation:
    """Return a built model: one that was kept, or else a new one, for which PyBaMM is imported (seconds)."""
    from cellwright.models.shelf import put, taken

    folder = default_home() / "kernels"
    kept = taken(problem, folder)
    if kept is not None:
        return kept
    from cellwright.models.build import build

    built = build(problem, folder)
    put(built, folder)
    return built


def check_pipeline(
    pipeline: Pipeline | Mapping[str, Any],
    *,
    canceled: Canceled = lambda: False,
    store: Store | None = None,
    cell_specifications: Mapping[str, Mapping[str, Any]] | None = None,
) -> CheckReport:
    """Return everything that would keep a pipeline, or the wire form of one, from running; nothing is integrated.

    Entries that refer to an earlier run or to a cell specification are read as `run_pipeline` reads them.
    """
    whole, errors = read(_pipeline(pipeline), KnownSources(store, cell_specifications))
    unread = {error.at[0] for error in errors}
    rest = check(whole, world(InlinePool(), canceled=canceled)).problems
    told = [problem for problem in rest if not unread.intersection(problem.at[:1])]
    return CheckReport((*map(Problem.of, errors), *told))


def stored(
    pipeline: Pipeline, store: Store, pool: Pool, run_id: str, name: str, emit: Sink, canceled: Canceled
) -> PipelineResult:
    """Run a pipeline with the journal and the cache of a store."""
    named = pipeline.model_copy(update={"name": name})
    return run(named, world(pool, store=store, emit=emit, canceled=canceled), run_id)


def world(
    pool: Pool,
    *,
    store: Store | None = None,
    emit: Sink | None = None,
    canceled: Canceled = lambda: False,
) -> World:
    """Return what a run may touch: real models, data from files, the journal and cache of a store."""
    return World(
        simulate=BuiltOnce(simulate),
        worker_simulate=simulate,
        pool=pool,
        load=settle,
        journal=store.journal if store else MemoryJournal(),
        cache=store.cache if store else NoCache(),
        emit=emit or (lambda event: None),
        clock=time.monotonic,
        canceled=canceled,
        versions=versions(),
        now=stamp(utc_now()),
    )
