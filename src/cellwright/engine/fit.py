"""The fit of a `DataFit`: set up, searched from one start or several, told."""

from dataclasses import dataclass, replace

import numpy as np

from cellwright.engine.fit_record import record_of
from cellwright.engine.fit_setup import FitSetup, set_up
from cellwright.engine.identifiability import with_identifiability
from cellwright.engine.job import ObjectiveJob
from cellwright.engine.posterior import with_posterior
from cellwright.engine.search import Listener, Question
from cellwright.engine.searches import Child, searched
from cellwright.engine.seeds import seed_of
from cellwright.engine.starts import chained, starts
from cellwright.engine.world import World
from cellwright.schema.elements import DataFit, DataFitOptions
from cellwright.schema.families import Estimator
from cellwright.schema.parameters import ParameterSet
from cellwright.schema.results import ElementRecord
from cellwright.schema.search import Space
from cellwright.schema.values import digest
from cellwright.schema.variant import without_live
from cellwright.schema.work import Pool

LOOKED_AT = 5
"""Points beside the start whose curves decide at which times a search evaluates its models."""


@dataclass(frozen=True)
class Fitting:
    """A fit that is ready to be searched: what is asked at each start, by which estimator, with which seed."""

    element: DataFit
    setup: FitSetup
    question: Question
    job: ObjectiveJob
    """The models at all times of the data; the question's job has them at as few as a search needs."""
    estimator: Estimator
    spaces: list[Space]
    seed: int | None
    key: str
    began: float

    def children(self, world: World, pool: Pool) -> list[Child]:
        """Return what is found from each start, on a pool."""
        return searched(self.question, self.spaces, self.estimator, self.seed, self.key, world, pool)

    def record(self, children: list[Child], world: World) -> ElementRecord:
        """Return the record of what the searches have found, with how far the data determine it.

        Raises: `SolverError` where no point at all could be solved.
        """
        name = self.question.element
        record = record_of(name, self.element, self.setup, children, self.job, self.seed, world, self.began)
        best = min(children, key=lambda child: child.cost)
        question = replace(self.question, space=best.space, job=self.job)
        record = with_identifiability(record, question, best.space.settled(best.point), self.key, world)
        return record if best.found.draws is None else with_posterior(record, best.space, best.found.draws)


def fit(name: str, element: DataFit, p: ParameterSet, world: World) -> ElementRecord:
    """Return the record of the fit.

    Raises: the first error of `set_up`, `SolverError` where no point at all could be solved, `CanceledError`.
    """
    fitting = ready_to_search(name, element, p, world)
    return fitting.record(fitting.children(world, world.pool), world)


def ready_to_search(name: str, element: DataFit, p: ParameterSet, world: World) -> Fitting:
    """Return the fit with its models built and its starts drawn. Raises: the first error of `set_up`."""
    began = world.clock()
    setup, errors = set_up(name, element, p, world)
    if errors:
        raise errors[0]
    options = element.options or DataFitOptions()
    objectives = without_live(element.objectives)
    job = ObjectiveJob.of(setup.ready, objectives, setup.p, setup.space.names, world.worker_simulate)
    question = Question(
        name,
        setup.space,
        setup.ready,
        job.thinned(looked_at(setup.space)),
        setup.cost,
        setup.estimator.needs_residuals,
        seconds=options.maxtime,
        terse=_deterministic(setup.estimator) if options.low_memory is None else options.low_memory,
        together=element.objective_parallelism != "off",
        listeners=_listeners(element),
        ensemble=setup.estimator.ensemble,
    )
    start = setup.space.initial.tolist()
    key = digest([element.digest(), setup.p.digest_of(setup.reads), start, dict(world.versions)])
    chance = not _deterministic(setup.estimator) or element.multistarts is not None
    seed = seed_of(options.seed, key, world) if chance else options.seed
    estimator = setup.estimator if options.max_iterations is None else setup.estimator.limited(options.max_iterations)
    first = seed or 0
    spaces = [chained(element, setup.space, first)] if estimator.chained else starts(element, setup.space, first)
    return Fitting(element, setup, question, job, estimator, spaces, seed, key, began)


def looked_at(space: Space) -> list[dict[str, float]]:
    """Return the initial values and a few more points between the bounds, for the curves of the whole search."""
    low, high = space.lower, space.upper
    inside = np.isfinite(low) & np.isfinite(high)
    rng, count = np.random.default_rng(0), len(low)
    strata = rng.permuted(np.tile(np.arange(LOOKED_AT), (count, 1)), axis=1).T
    cube = (strata + rng.random((LOOKED_AT, count))) / LOOKED_AT  # a Latin hypercube
    with np.errstate(invalid="ignore"):
        points = np.where(inside, low + cube * (high - low), space.initial)
    return [space.values(point) for point in (space.initial, *points)]


def _deterministic(estimator: Estimator) -> bool:
    return not estimator.random and not estimator.samples


def _listeners(element: DataFit) -> tuple[Listener, ...]:
    """Return what hears of improvements: the fit's logger, and the callbacks of each objective with its name."""
    own = [
        (callback, name)
        for name, objective in element.objectives.items()
        for callback in (objective.callbacks if isinstance(objective.callbacks, list) else [objective.callbacks])
        if callback is not None
    ]
    callbacks = [lambda row, call=call, name=name: call({**row, "objective": name}) for call, name in own]
    return (element.cost_logger, *callbacks) if element.cost_logger is not None else tuple(callbacks)
