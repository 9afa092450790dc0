"""The fit of a `DataFit`: set up, searched from one start or several, told."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cellwright.catalog.costs import SSE, DesignFunction
from cellwright.catalog.estimators import CMAES, ScipyLeastSquares, ScipyMinimize
from cellwright.engine.designs import bounds_told, courses, designs, metrics_told
from cellwright.engine.doubts import told_by
from cellwright.engine.identifiability import with_identifiability
from cellwright.engine.job import ObjectiveJob
from cellwright.engine.objectives import channels, comparison, prepared, statistics
from cellwright.engine.outcomes import commonest, failures_told
from cellwright.engine.posterior import with_posterior
from cellwright.engine.search import Listener, Question, TotalCost
from cellwright.engine.searches import Child, searched
from cellwright.engine.seeds import seed_of
from cellwright.engine.starts import chained, starting_values, starts
from cellwright.engine.terms import Lookup, Terms, terms_of
from cellwright.engine.world import World
from cellwright.errors import CellwrightError, ConfigurationError, Path, SolverError, did_you_mean
from cellwright.schema.elements import DataFit, DataFitOptions
from cellwright.schema.families import Cost, Estimator, FittingObjective, Prepared
from cellwright.schema.groups import Group
from cellwright.schema.names import unit_of, vocabulary
from cellwright.schema.parameters import Origin, ParameterSet
from cellwright.schema.results import ElementRecord, Series
from cellwright.schema.search import Space
from cellwright.schema.values import digest, free_names, to_wire
from cellwright.schema.variant import without_live
from cellwright.schema.work import Answer, Pool, Task

LOOKED_AT = 5
"""Points beside the start whose curves decide at which times a search evaluates its models."""
AT_BOUND = 1e-3
"""Distance from a bound, as a fraction of the range, within which a fitted value counts as being at it."""


@dataclass(frozen=True)
class FitSetup:
    """A fit whose models are built: the search space, the objectives, the cost and the estimator."""

    space: Space
    p: ParameterSet
    ready: Mapping[str, Prepared]
    cost: TotalCost
    estimator: Estimator
    started: frozenset[str]
    """The free parameters whose start the document gives; the others start where the elements before left them."""
    tied: frozenset[str] = frozenset()
    """The parameters that are expressions of the free ones."""

    @property
    def reads(self) -> frozenset[str]:
        """All parameters that the fit reads of those before it."""
        inherited = {name for name in self.space.names if name not in self.started}
        own = set(self.space.names) - inherited
        models = frozenset().union(*(one.reads for one in self.ready.values()))
        looked_up = self.cost.terms.reads | self.cost.lookup.known.keys() | self.tied
        return (models | inherited | self.p.behind(looked_up)) - own


def set_up(name: str, element: DataFit, p: ParameterSet, world: World) -> tuple[FitSetup, list[CellwrightError]]:
    """Return the fit with its models built, and every error that stands in its way.

    Among them: parameters that models lack, data columns that are missing, fit parameters that no model uses (with the
    nearest that one does), costs that do not go with the estimator, names in priors, constraints and penalties that
    are not there.
    """
    errors: list[CellwrightError] = []
    space = starting_values(element, p)
    if not space.names:
        errors.append(ConfigurationError("a fit needs a parameter that is free", at=("parameters",)))
    inner = p.without(space.names).merge(element.tied, Origin(name)) if element.tied else p.without(space.names)
    ready, failed = prepared(element.objectives, inner, space.names, world.simulate)
    errors += failed
    closed_form = all(getattr(one, "closed_form", False) for one in ready.values())
    groups, ungrouped = _groups(element, inner, space)
    errors += ungrouped
    space = replace(space, closed_form=closed_form, groups=groups)
    terms, refused = terms_of(element, inner, space)
    cost, estimator = _cost_and_estimator(element, terms, space)
    mixed = list(_metrics(element))
    errors += [*refused, *_mismatches(cost, estimator, space), *mixed]
    strangers = list(_strangers(element, ready)) if not failed else []
    cost, unknown = _looked_up(cost, inner, space)
    strangers += unknown
    errors += strangers or (_unjudged(cost, ready, space) if not failed and not mixed else [])
    if ready and not failed and (element.options or DataFitOptions()).validate_:
        errors += _orphans(element, space, inner, cost, ready)
    try:
        starts(element, space, 0)
    except CellwrightError as error:
        errors.append(error)
    return FitSetup(space, inner, ready, cost, estimator, _started(element), frozenset(element.tied)), errors


def _groups(element: DataFit, p: ParameterSet, space: Space) -> tuple[tuple[Group, ...], list[CellwrightError]]:
    """Return the groups of parameters that keep a condition together, each once, and what stands in their way."""
    found: dict[tuple[str, ...], Group] = {}
    errors: list[CellwrightError] = []
    for name, objective in element.objectives.items():
        try:
            found |= {group.names: group for group in objective.groups(p, space)}
        except CellwrightError as error:
            errors.append(error.within("objectives", name))
    return tuple(found.values()), errors


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
        record = _record(name, self.element, self.setup, children, self.job, self.seed, world, self.began)
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


def _record(
    name: str,
    element: DataFit,
    setup: FitSetup,
    children: list[Child],
    job: ObjectiveJob,
    seed: int | None,
    world: World,
    began: float,
) -> ElementRecord:
    ordered = sorted(children, key=lambda child: child.cost)
    best = ordered[0]
    counts = sum((child.evaluation.counts for child in children), start=Counter[str]())
    causes = sum((child.evaluation.failures for child in children), start=Counter[str]())
    if not np.isfinite(best.cost):
        raise SolverError(
            f"not one of {counts['evaluations']} points could be solved; {commonest(causes)}",
            hint="look at the bounds and the initial values of the fit parameters",
        )
    initial = {dimension.name: dimension.initial for dimension in best.space.dimensions}
    told = {} if (element.options or DataFitOptions()).skip_objective_callbacks else setup.ready
    tasks = [Task(objective, point) for point in (initial, best.values) for objective in told]
    answers = _answers(job, tasks, setup.space.closed_form, world)
    before = dict(zip(told, answers[: len(told)], strict=True))
    after = dict(zip(told, answers[len(told) :], strict=True))
    counts["solves"] += len(answers)
    metrics = {n: metrics_told(one, initial=before[n], fitted=after[n]) for n, one in designs(told).items()}
    bounds = [said for n, rows in metrics.items() for said in bounds_told(n, rows)]
    values = {**best.values, **_tied_values(element, setup.p, best.values)}
    rows = [_row(dimension, best.values[dimension.name]) for dimension in best.space.dimensions]
    return ElementRecord(
        name=name,
        element_type="data_fit",
        type="DataFit",
        status="completed",
        seconds=world.clock() - began,
        result={
            **_kind(best, setup.estimator),
            "parameter_values": {key: to_wire(value) for key, value in values.items()},
            "cost": best.cost,
            "fun": best.cost,
            "x": [best.values[dimension.name] for dimension in best.space.dimensions],
            "success": best.found.success,
            "message": best.found.message,
            "evaluations": counts["evaluations"],
            "iterations": best.found.iterations,
            "initial_guess": initial,
            "seed": seed,
            "children": [_child(child, setup.estimator) for child in ordered] if len(ordered) > 1 else [],
            "parameters": rows,
            "objectives": {n: _before_and_after(told[n], before[n], after[n]) for n in told if n not in metrics},
            **({"metrics": metrics} if metrics else {}),
        },
        reads=tuple(sorted(setup.reads)),
        series=_series(told, before, after),
        trace=tuple(best.evaluation.trace),
        counts=dict(counts),
        warnings=(
            *failures_told(counts, causes),
            *_early(told, after),
            *bounds,
            *_doubted(told, best.values),
        ),
    )


def _answers(job: ObjectiveJob, tasks: list[Task], here: bool, world: World) -> list[Answer]:
    """Return the answers of tasks: from the pool, or worked out here."""
    if not tasks:
        return []
    return job()(tasks) if here else world.pool.map(job, tasks, world.solve_time_limit)


def _kind(child: Child, estimator: Estimator) -> dict[str, Any]:
    """Return the type of a result, and with an ensemble all its points in their units (n, d) and their costs (n,)."""
    if not estimator.ensemble:
        return {"type": "OptimizationResult"}
    points = [child.space.values(point) for batch in child.evaluation.batches for point in batch.points]
    costs = [float(cost) for batch in child.evaluation.batches for cost in batch.costs]
    return {
        "type": "EnsembleResult",
        "method": type(estimator).__name__,
        "samples": [list(values.values()) for values in points],
        "costs": [cost if np.isfinite(cost) else None for cost in costs],
    }


def _early(ready: Mapping[str, Prepared], after: Mapping[str, Answer]) -> list[str]:
    """Return a warning for each objective whose best simulation does not last as long as the data, or the protocol."""
    planned, said = designs(ready), "even the best simulation ended before the data"
    return [
        f"{name}: the best design was not taken to the end of its experiment ({after[name].message})"
        if name in planned
        else f"{name}: {said} ({after[name].message}); what is missing was penalised"
        for name in ready
        if after[name].status == "ended early"
    ]


def _doubted(ready: Mapping[str, Prepared], values: Mapping[str, float]) -> list[str]:
    return [f"{problem.at[-1]}: {problem.message}" for problem in told_by(ready, values)]


def _row(dimension: Any, value: float) -> dict[str, Any]:
    low, high = dimension.transformed_bounds
    width = high - low
    at_bound = None
    if np.isfinite(width):
        place = (dimension.forward(value) - low) / width
        at_bound = "lower" if place < AT_BOUND else "upper" if place > 1 - AT_BOUND else None
    return {
        "name": dimension.name,
        "unit": unit_of(dimension.name),
        "initial": dimension.initial,
        "value": value,
        "lower": to_wire(dimension.lower),
        "upper": to_wire(dimension.upper),
        "at_bound": at_bound,
    }


def _child(child: Child, estimator: Estimator) -> dict[str, Any]:
    return {
        **_kind(child, estimator),
        "parameter_values": child.values,
        "cost": to_wire(child.cost),
        "success": child.found.success and bool(np.isfinite(child.cost)),
        "message": child.found.message,
        "evaluations": child.evaluation.counts["evaluations"],
        "initial_guess": {dimension.name: dimension.initial for dimension in child.space.dimensions},
    }


def _before_and_after(one: Prepared, before: Answer, after: Answer) -> dict[str, dict[str, float | None]]:
    rows: dict[str, dict[str, float | None]] = {}
    for column, answer in (("initial", before), ("fitted", after)):
        for variable, data in one.observed.items():
            model = answer.predicted.get(variable, np.full_like(data, np.nan))
            for statistic, value in statistics(model, data, variable):
                rows.setdefault(statistic, {})[column] = value if np.isfinite(value) else None
    return rows


def _series(ready: Mapping[str, Prepared], before: Mapping[str, Answer], after: Mapping[str, Answer]) -> Series:
    planned = designs(ready)
    return {
        name: courses(before[name], after[name])
        if name in planned
        else {
            "optimal": channels(one, after[name].predicted),
            "baseline": channels(one, before[name].predicted),
        }
        for name, one in ready.items()
    }


def _tied_values(element: DataFit, p: ParameterSet, values: Mapping[str, float]) -> dict[str, Any]:
    """Return the tied parameters at the fitted values, worked out as far as the elements before allow."""
    worked_out = {name: p.values_[name] for name in element.tied}
    return {n: value.substitute(values) if free_names(value) else value for n, value in worked_out.items()}


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


def _cost_and_estimator(element: DataFit, terms: Terms, space: Space) -> tuple[TotalCost, Estimator]:
    """Return the cost and the estimator, those that are not given by what the objectives are."""
    own = {name: objective.cost for name, objective in element.objectives.items() if objective.cost is not None}
    planned = _designs_in(element)
    if len(planned) == len(element.objectives):
        whole = element.cost or DesignFunction()
    else:
        whole = element.cost or SSE()
        own = {**({} if element.cost else {name: DesignFunction() for name in planned}), **own}
    cost = TotalCost(whole, own, terms)
    if element.optimizer is not None:
        return cost, element.optimizer
    if planned:  # a bound on a metric has a kink, which gradients stumble over
        return cost, CMAES() if space.bounded else ScipyMinimize(method="Nelder-Mead")
    return cost, ScipyLeastSquares() if _has_residuals(cost) else ScipyMinimize()


def _has_residuals(cost: TotalCost) -> bool:
    return all(one.has_residuals for one in (cost.whole, *cost.own.values())) and not _scalar_priors(cost)


def _scalar_priors(cost: TotalCost) -> list[str]:
    """Return the kinds of the distributions in priors that have no residual array."""
    return sorted(type(one.distribution).__name__ for one in cost.terms.priors if not one.distribution.has_residuals)


def _mismatches(cost: TotalCost, estimator: Estimator, space: Space) -> list[CellwrightError]:
    kind = type(estimator).__name__
    errors: list[CellwrightError] = []
    if estimator.needs_residuals and not _has_residuals(cost):
        names = {type(one).__name__ for one in (cost.whole, *cost.own.values()) if not one.has_residuals}
        names |= {f"a {distribution} prior" for distribution in _scalar_priors(cost)}
        errors.append(
            ConfigurationError(
                f"{kind} needs a cost with residuals, and {' and '.join(sorted(names))} has none",
                at=("cost",),
                hint="a design has no data to leave residuals of: use ScipyMinimize, CMAES or another as the optimizer"
                if "DesignFunction" in names
                else "use SSE, or ScipyMinimize as the optimizer",
            )
        )
    if estimator.global_search and not space.bounded:
        unbounded = [d.name for d in space.dimensions if not np.isfinite(d.lower) or not np.isfinite(d.upper)]
        errors += [
            ConfigurationError(f"{kind} searches between bounds, and {n!r} has none", at=("parameters", n))
            for n in unbounded
        ]
    return errors + [error.within("optimizer") for error in estimator.refusals(space)]


def _metrics(element: DataFit) -> Iterator[CellwrightError]:
    """Yield an error for a cost of metrics where objectives compare data, and for one of data where they do not."""
    data = [name for name, one in element.objectives.items() if isinstance(one, FittingObjective)]
    planned = _designs_in(element)
    judged = [(("objectives", name, "cost"), element.objectives[name].cost, name) for name in planned]
    whole = [name for name in planned if element.objectives[name].cost is None]
    for at, cost, name in [*judged, *[(("cost",), element.cost, name) for name in whole[:1]]]:
        wrong = [type(part).__name__ for part in _costs_in(cost) if part.of_data and not hasattr(part, "costs")]
        if wrong:
            said = f"{wrong[0]} compares data, and {name!r} is a design, without any"
            yield ConfigurationError(said, at=at, hint="leave the cost out, or use DesignFunction")
    places: list[tuple[Path, Cost | None, list[str]]] = [(("cost",), element.cost, data)]
    places += [(("objectives", name, "cost"), element.objectives[name].cost, [name]) for name in data]
    for at, cost, objectives in places:
        if objectives and not all(part.of_data for part in _costs_in(cost)):
            said = f"DesignFunction is a sum of metrics, and {objectives[0]!r} compares data"
            yield ConfigurationError(said, at=at, hint="use SSE, or a DesignObjective")


def _designs_in(element: DataFit) -> list[str]:
    """Return the names of the objectives that compare no data."""
    return [name for name, one in element.objectives.items() if not isinstance(one, FittingObjective)]


def _costs_in(cost: Cost | None) -> Iterator[Cost]:
    if cost is not None:
        yield cost
        for part in getattr(cost, "costs", ()):
            yield from _costs_in(part.cost)


def _strangers(element: DataFit, ready: Mapping[str, Prepared]) -> Iterator[CellwrightError]:
    """Yield an error for every objective or variable that a cost names and that is not there."""
    known = {name: one.observed.keys() for name, one in ready.items()}
    costs: list[tuple[Path, Cost | None, Mapping[str, Any]]] = [(("cost",), element.cost, known)]
    costs += [(("objectives", name, "cost"), one.cost, {name: known[name]}) for name, one in element.objectives.items()]
    for at, cost, objectives in costs:
        variables = set().union(*objectives.values())
        for part in _parts_of(cost):
            scope = part.get("calculation_structure") or {}
            named = [
                *(("objective_weights", name, objectives) for name in part.get("objective_weights") or {}),
                *(("objective_names", name, objectives) for name in part.get("objective_names") or []),
                *(("calculation_structure", name, objectives) for name in scope),
                *(
                    (field, name, variables)
                    for field in ("variable_weights", "variable_standard_deviations", "sigma")
                    for name in part.get(field) or {}
                ),
                *(
                    ("calculation_structure", name, objectives.get(objective, variables))
                    for objective, names in scope.items()
                    for name in names or []
                ),
            ]
            for field, name, there in named:
                if name not in there:
                    kind = "variable" if there is not objectives else "objective"
                    hint = did_you_mean(name, there) or f"there are {', '.join(map(repr, sorted(there)))}"
                    yield ConfigurationError(
                        f"the cost names the {kind} {name!r}, which is not there", at=(*at, field), hint=hint
                    )


def _looked_up(cost: TotalCost, p: ParameterSet, space: Space) -> tuple[TotalCost, list[CellwrightError]]:
    """Return the cost with the parameters that it looks up, and an error for each name that is not there."""
    errors: list[CellwrightError] = []
    known: dict[str, Any] = {}
    for at, one in ((("cost",), cost.whole), *((("objectives", n, "cost"), own) for n, own in cost.own.items())):
        try:
            known |= Lookup.of(one.reads, p, space.names).known
        except CellwrightError as error:
            errors.append(error.within(*at, "sigma"))
    return replace(cost, lookup=Lookup(known)), errors


def _unjudged(cost: TotalCost, ready: Mapping[str, Prepared], space: Space) -> list[CellwrightError]:
    """Return the error of a cost that cannot be told of these data, such as one that knows no noise of a variable."""
    both = comparison(ready, {name: one.observed for name, one in ready.items()})
    try:
        replace(cost, terms=Terms()).scalar(both, space.values(space.initial))
    except CellwrightError as error:
        return [error.within("cost")]
    return []


def _parts_of(cost: Cost | None) -> Iterator[dict[str, Any]]:
    """Yield the fields of a cost and of the costs in it."""
    if cost is not None:
        fields = dict(cost)
        yield fields
        for part in fields.get("costs") or []:
            yield from _parts_of(getattr(part, "cost", part))


def _orphans(
    element: DataFit, space: Space, p: ParameterSet, cost: TotalCost, ready: Mapping[str, Prepared]
) -> Iterator[CellwrightError]:
    """Yield an error for every free parameter that acts on no model and on no cost, with the nearest that do.

    A tied parameter may be meant for a prior, a constraint or a later element: it is told of where its name, or one in
    its expression, is nearly one that is there.
    """
    known = frozenset().union(*(one.reads for one in ready.values()))
    used = frozenset().union(*(one.used for one in ready.values())) | cost.reads | cost.lookup.free
    through = frozenset().union(*(free_names(value) for value in element.tied.values()))
    through |= frozenset().union(*(term.regularizer.reads for term in cost.terms.terms))
    field = "parameters" if element.parameters else "priors"
    for name in space.names:
        if name not in used:
            near = did_you_mean(name, known - {*space.names, *element.tied})
            said = f"no model of this fit uses the parameter {name!r}"
            yield ConfigurationError(said, at=(field, name), hint=near or "remove it from the fit")
    for name, value in element.tied.items():
        near = did_you_mean(name, known - element.tied.keys())
        if near and name not in known | through and name not in vocabulary():
            yield ConfigurationError(f"no model of this fit uses the parameter {name!r}", at=(field, name), hint=near)
        for missing in sorted(free_names(value) - {*space.names, *p}):
            near = did_you_mean(missing, {*space.names, *p})
            if near:
                yield ConfigurationError(f"{missing!r} is no parameter that is there", at=(field, name), hint=near)


def _started(element: DataFit) -> frozenset[str]:
    return frozenset(name for name, plain in element.plain.items() if plain.initial_value is not None)
