"""A fit made ready: its space, its models, its cost, and every error that stands in its way."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cellwright.catalog.costs import SSE, DesignFunction
from cellwright.catalog.estimators import CMAES, ScipyLeastSquares, ScipyMinimize
from cellwright.engine.objectives import comparison, prepared
from cellwright.engine.search import TotalCost
from cellwright.engine.starts import starting_values, starts
from cellwright.engine.terms import Lookup, Terms, terms_of
from cellwright.engine.world import World
from cellwright.errors import CellwrightError, ConfigurationError, Path, did_you_mean
from cellwright.schema.elements import DataFit, DataFitOptions
from cellwright.schema.families import Cost, Estimator, FittingObjective, Prepared
from cellwright.schema.groups import Group
from cellwright.schema.names import vocabulary
from cellwright.schema.parameters import Origin, ParameterSet
from cellwright.schema.search import Space
from cellwright.schema.values import free_names


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
