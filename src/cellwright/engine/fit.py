"""The fit of a `DataFit`: set up, searched from one start or several, told."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cellwright.catalog.costs import SSE
from cellwright.catalog.estimators import ScipyLeastSquares, ScipyMinimize
from cellwright.catalog.samplers import LatinHypercube
from cellwright.engine.objectives import ObjectiveJob, channels, comparison, prepared, statistics
from cellwright.engine.search import Evaluation, Question, SearchEndedError, TotalCost
from cellwright.engine.world import World
from cellwright.errors import CellwrightError, ConfigurationError, Path, SolverError, did_you_mean
from cellwright.schema.elements import DataFit, DataFitOptions
from cellwright.schema.expressions import Expression
from cellwright.schema.families import Array, Cost, Estimator, Prepared
from cellwright.schema.names import unit_of
from cellwright.schema.parameters import Origin, ParameterSet
from cellwright.schema.results import ElementRecord, Series
from cellwright.schema.search import Found, Space
from cellwright.schema.values import digest, to_wire
from cellwright.schema.work import Answer, Task

AT_BOUND = 1e-3
"""Distance from a bound, as a fraction of the range, within which a fitted value counts as being at it."""
DEFAULT_SEED = 0


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

    @property
    def reads(self) -> frozenset[str]:
        """All parameters that the fit reads of those before it."""
        inherited = {name for name in self.space.names if name not in self.started}
        own = set(self.space.names) - inherited
        return (frozenset().union(*(one.reads for one in self.ready.values())) | inherited) - own


def starting_values(element: DataFit, p: ParameterSet) -> Space:
    """Return the search space; a parameter without initial value starts where the elements before it left it."""
    started = []
    for dimension in element.dimensions:
        given = (element.parameters or {})[dimension.name]
        plain = getattr(given, "plain", given)
        known = p.get(dimension.name)
        if (
            plain.initial_value is None
            and isinstance(known, int | float)
            and dimension.lower <= known <= dimension.upper
        ):
            dimension = replace(dimension, initial=float(known))
        started.append(dimension)
    space = Space(tuple(started))
    return _with_guess(space, element.initial_guesses) if isinstance(element.initial_guesses, dict) else space


def set_up(name: str, element: DataFit, p: ParameterSet, world: World) -> tuple[FitSetup, list[CellwrightError]]:
    """Return the fit with its models built, and every error that stands in its way.

    Among them: parameters that models lack, data columns that are missing, fit parameters that no model uses (with the
    nearest that one does), costs that do not go with the estimator.
    """
    errors: list[CellwrightError] = []
    space = starting_values(element, p)
    inner = p.without(space.names).merge(element.tied, Origin(name)) if element.tied else p.without(space.names)
    ready, failed = prepared(element.objectives, inner, space.names, world.simulate)
    errors += failed
    cost, estimator = _cost_and_estimator(element)
    errors += _mismatches(cost, estimator, space)
    strangers = list(_strangers(element, ready)) if not failed else []
    errors += strangers or (_unjudged(cost, ready) if not failed else [])
    if ready and not failed and (element.options or DataFitOptions()).validate_:
        errors += _orphans(space, element.tied, ready)
    try:
        _starts(element, space, DEFAULT_SEED)
    except CellwrightError as error:
        errors.append(error)
    return FitSetup(space, inner, ready, cost, estimator, _started(element)), errors


def fit(name: str, element: DataFit, p: ParameterSet, world: World) -> ElementRecord:
    """Return the record of the fit.

    Raises: the first error of `set_up`, `SolverError` where no point at all could be solved, `CanceledError`.
    """
    began = world.clock()
    setup, errors = set_up(name, element, p, world)
    if errors:
        raise errors[0]
    options = element.options or DataFitOptions()
    job = ObjectiveJob.of(setup.ready, element.objectives, setup.p, setup.space.names, world.worker_simulate)
    question = Question(
        name,
        setup.space,
        setup.ready,
        job,
        setup.cost,
        setup.estimator.needs_residuals,
        seconds=options.maxtime,
    )
    start = setup.space.initial.tolist()
    key = digest([element.digest(), setup.p.digest_of(setup.reads), start, dict(world.versions)])
    seed = DEFAULT_SEED if options.seed is None else options.seed
    starts = _starts(element, setup.space, seed)
    estimator = _limited(setup.estimator, options.max_iterations)
    children = [
        _search(replace(question, space=start), estimator, seed, i, key, world) for i, start in enumerate(starts)
    ]
    return _record(name, element, setup, children, job, world, began)


@dataclass(frozen=True)
class Child:
    """One start's end: where it began, what it found, and the evaluation that kept the count."""

    space: Space
    found: Found
    evaluation: Evaluation

    @property
    def cost(self) -> float:
        """The best cost."""
        return self.evaluation.best_cost

    @property
    def values(self) -> dict[str, float]:
        """The best parameters in their units."""
        assert self.evaluation.best_point is not None
        return self.space.values(self.evaluation.best_point)


def _search(question: Question, estimator: Estimator, seed: int, number: int, key: str, world: World) -> Child:
    evaluation = Evaluation(question, world, digest([key, "start", number]))
    rng = np.random.default_rng([seed, number])
    try:
        found = estimator.search(evaluation, question.space, rng)
    except SearchEndedError as end:
        best = evaluation.best_point if evaluation.best_point is not None else question.space.initial
        found = Found(best, False, str(end))
    evaluation.tell()
    return Child(question.space, found, evaluation)


def _record(
    name: str,
    element: DataFit,
    setup: FitSetup,
    children: list[Child],
    job: ObjectiveJob,
    world: World,
    began: float,
) -> ElementRecord:
    ordered = sorted(children, key=lambda child: child.cost)
    best = ordered[0]
    if not np.isfinite(best.cost):
        causes = sum((child.evaluation.failures for child in children), start=type(best.evaluation.failures)())
        (cause, times) = causes.most_common(1)[0] if causes else ("unknown", 0)
        raise SolverError(
            f"not one of {best.evaluation.counts['evaluations']} points could be solved; "
            f"most often ({times} times): {cause}",
            hint="look at the bounds and the initial values of the fit parameters",
        )
    initial = {dimension.name: dimension.initial for dimension in best.space.dimensions}
    answers = world.pool.map(
        job,
        [Task(objective, point) for point in (initial, best.values) for objective in setup.ready],
        world.solve_time_limit,
    )
    before = dict(zip(setup.ready, answers[: len(setup.ready)], strict=True))
    after = dict(zip(setup.ready, answers[len(setup.ready) :], strict=True))
    counts: dict[str, int] = {}
    for child in children:
        for count, value in child.evaluation.counts.items():
            counts[count] = counts.get(count, 0) + value
    counts["solves"] = counts.get("solves", 0) + len(answers)
    values = {**best.values, **_tied_values(element, best.values)}
    rows = [_row(dimension, best.values[dimension.name]) for dimension in best.space.dimensions]
    return ElementRecord(
        name=name,
        element_type="data_fit",
        type="DataFit",
        status="completed",
        seconds=world.clock() - began,
        result={
            "type": "OptimizationResult",
            "parameter_values": {key: to_wire(value) for key, value in values.items()},
            "cost": best.cost,
            "fun": best.cost,
            "x": [best.values[dimension.name] for dimension in best.space.dimensions],
            "success": best.found.success,
            "message": best.found.message,
            "evaluations": counts.get("evaluations", 0),
            "iterations": best.found.iterations,
            "initial_guess": initial,
            "children": [_child(child) for child in ordered] if len(ordered) > 1 else [],
            "parameters": rows,
            "objectives": {n: _before_and_after(setup.ready[n], before[n], after[n]) for n in setup.ready},
        },
        reads=tuple(sorted(setup.reads)),
        series=_series(setup.ready, before, after),
        trace=tuple(best.evaluation.trace),
        counts=counts,
        warnings=tuple(_early(setup.ready, after)),
    )


def _early(ready: Mapping[str, Prepared], after: Mapping[str, Answer]) -> list[str]:
    """Return a warning for each objective whose best simulation does not last as long as the data."""
    return [
        f"{name}: even the best simulation ended before the data ({after[name].message}); what is missing was penalised"
        for name in ready
        if after[name].status == "ended early"
    ]


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


def _child(child: Child) -> dict[str, Any]:
    return {
        "type": "OptimizationResult",
        "parameter_values": child.values,
        "cost": to_wire(child.cost),
        "success": child.found.success,
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
    return {
        name: {
            "optimal": channels(one, after[name].predicted),
            "baseline": channels(one, before[name].predicted),
        }
        for name, one in ready.items()
    }


def _tied_values(element: DataFit, values: Mapping[str, float]) -> dict[str, Any]:
    return {name: expression.substitute(values) for name, expression in element.tied.items()}


def _cost_and_estimator(element: DataFit) -> tuple[TotalCost, Estimator]:
    own = {name: objective.cost for name, objective in element.objectives.items() if objective.cost is not None}
    cost = TotalCost(element.cost or SSE(), own)
    if element.optimizer is not None:
        return cost, element.optimizer
    return cost, ScipyLeastSquares() if _has_residuals(cost) else ScipyMinimize()


def _has_residuals(cost: TotalCost) -> bool:
    return all(one.has_residuals for one in (cost.whole, *cost.own.values()))


def _mismatches(cost: TotalCost, estimator: Estimator, space: Space) -> list[CellwrightError]:
    kind = type(estimator).__name__
    errors: list[CellwrightError] = []
    if estimator.needs_residuals and not _has_residuals(cost):
        names = {
            type(one).__name__ for one in (cost.whole, *cost.own.values()) if _has_residuals(TotalCost(one)) is False
        }
        errors.append(
            ConfigurationError(
                f"{kind} needs a cost with residuals, and {' and '.join(sorted(names))} has none",
                at=("cost",),
                hint="use SSE, or ScipyMinimize as the optimizer",
            )
        )
    if estimator.global_search and not space.bounded:
        unbounded = [d.name for d in space.dimensions if not np.isfinite(d.lower) or not np.isfinite(d.upper)]
        errors += [
            ConfigurationError(f"{kind} searches between bounds, and {n!r} has none", at=("parameters", n))
            for n in unbounded
        ]
    return errors


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


def _unjudged(cost: TotalCost, ready: Mapping[str, Prepared]) -> list[CellwrightError]:
    """Return the error of a cost that cannot be told of these data, such as one that knows no noise of a variable."""
    try:
        cost.scalar(comparison(ready, {name: one.observed for name, one in ready.items()}))
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


def _orphans(space: Space, tied: Mapping[str, Expression], ready: Mapping[str, Prepared]) -> list[CellwrightError]:
    used = frozenset().union(*(one.used for one in ready.values()))
    used |= frozenset().union(*(expression.names for expression in tied.values()))
    known = frozenset().union(*(one.reads for one in ready.values()))
    return [
        ConfigurationError(
            f"no model of this fit uses the parameter {name!r}",
            at=("parameters", name),
            hint=did_you_mean(name, known - set(space.names)) or "remove it from the fit",
        )
        for name in space.names
        if name not in used
    ]


def _started(element: DataFit) -> frozenset[str]:
    free = {n: getattr(v, "plain", v) for n, v in (element.parameters or {}).items() if n not in element.tied}
    return frozenset(name for name, plain in free.items() if plain.initial_value is not None)


def _starts(element: DataFit, space: Space, seed: int) -> list[Space]:
    guesses = element.initial_guesses
    if isinstance(guesses, list):
        if not guesses:
            raise ConfigurationError("a list of initial guesses names at least one", at=("initial_guesses",))
        return [_with_guess(space, guess) for guess in guesses]
    if element.multistarts is None:
        return [space]
    if not space.bounded:
        raise ConfigurationError("several starts are drawn between bounds, and not every fit parameter has them")
    sampler = element.initial_guess_sampler or LatinHypercube()
    cube = sampler.draw(element.multistarts, len(space.dimensions), np.random.default_rng(seed))
    return [_drawn(element, space, row) for row in cube]


def _drawn(element: DataFit, space: Space, fractions: Array) -> Space:
    """Return the space with the start at fractions (d,) of each parameter's range, or of its own distribution."""
    point = space.lower + fractions * (space.upper - space.lower)
    values = space.values(point)
    for dimension, fraction in zip(space.dimensions, fractions, strict=True):
        given = (element.parameters or {})[dimension.name]
        distribution = getattr(given, "plain", given).initial_guess_distribution
        if distribution is not None:
            value = float(distribution.quantile(np.array([fraction]))[0])
            values[dimension.name] = min(max(value, dimension.lower), dimension.upper)
    return _with_guess(space, values)


def _with_guess(space: Space, guess: Mapping[str, float]) -> Space:
    unknown = [name for name in guess if name not in space.names]
    if unknown:
        raise ConfigurationError(
            f"the initial guess names {unknown[0]!r}, which is no parameter of the fit",
            at=("initial_guesses",),
            hint=did_you_mean(unknown[0], space.names),
        )
    return Space(tuple(replace(d, initial=float(guess.get(d.name, d.initial))) for d in space.dimensions))


def _limited(estimator: Estimator, iterations: int | None) -> Estimator:
    limitable = estimator.model_config.get("extra") == "allow"
    if iterations is None or not limitable or (estimator.model_extra or {}).get("max_iterations") is not None:
        return estimator
    return type(estimator)(**{**(estimator.model_extra or {}), "max_iterations": iterations})
