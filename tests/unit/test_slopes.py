"""Searches that know their slopes: formulas' derivatives through ties, transforms, costs and priors."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest

import cellwright as cw
from cellwright.catalog.estimators.slopes import Remembered, central_differences
from cellwright.engine.search import Evaluation, Question, TotalCost
from cellwright.engine.terms import Lookup, Term, Terms
from cellwright.engine.world import MemoryJournal, World
from cellwright.schema.expressions import parameter
from cellwright.schema.prepared import PreparedCurve
from cellwright.schema.search import Dimension, Space
from cellwright.schema.work import Answer

X = np.linspace(0.1, 2.0, 12)
TRUTH = {"a": 1.5, "b": 0.8, "c": 0.3}


@dataclass(frozen=True)
class Decay(PreparedCurve):
    """y = a exp(-b x) + c, and its slope."""

    known: bool = True
    predictions: ClassVar[list[int]] = []

    def curves(self, values):
        self.predictions.append(1)
        part = values["a"] * np.exp(-values["b"] * self.x)
        return {"y": part + values["c"], "slope": -values["b"] * part}

    def derivatives(self, values):
        if not self.known:
            return None
        a, b, e = values["a"], values["b"], np.exp(-values["b"] * self.x)
        return {
            "y": {"a": e, "b": -a * self.x * e, "c": np.ones_like(e)},
            "slope": {"a": -b * e, "b": (b * self.x - 1) * a * e},
        }


def decay(known=True, **quantities):
    rng = np.random.default_rng(1)
    clean = Decay("x", X, {}, TRUTH, frozenset()).predict({}).outputs
    observed = {name: curve + 0.01 * rng.normal(size=len(X)) for name, curve in clean.items()}
    observed["y"][3] = np.nan  # not measured there
    open_ = {name: parameter(name) for name in TRUTH}
    return Decay("x", X, observed, {**open_, **quantities}, frozenset(), known=known)


class Here:
    """A pool that predicts at once."""

    workers = 1
    digest = "decay"

    def __init__(self, ready):
        self.ready = ready

    def __call__(self):
        return lambda tasks: self.map(None, tasks)

    def map(self, job, tasks, time_limit=None):
        solved = [self.ready[task.objective].predict(task.inputs) for task in tasks]
        return [Answer(one.status, one.outputs, one.message) for one in solved]

    def close(self):
        pass


def space(**parameters):
    given = parameters or {
        "a": cw.Parameter("a", 1.2, (0.5, 3.0)), "b": cw.Parameter("b", 1.0), "c": cw.Parameter("c", 0.2, (-1.0, 1.0)),
    }  # fmt: skip
    objective = cw.objectives.Resistance({"SOC": [0.1, 0.2], "Resistance [Ohm]": [1.0, 1.0]})
    dimensions = cw.DataFit(objective, parameters=given).dimensions
    return Space(tuple(dimensions), closed_form=True)


def evaluation(ready, where, cost=None, terms=()):
    total = TotalCost(cost or cw.costs.SSE(), terms=Terms(tuple(Term(one, (), Lookup()) for one in terms)))
    pool = Here(ready)
    question = Question("fit", where, ready, pool, total, True)
    return Evaluation(question, World(None, None, pool, None), "key")


def compared(one, where):
    """The Jacobian that a search is told, and that of central differences, at the start."""
    told = one.jacobian(where.initial)
    return told, central_differences(Remembered(lambda points: one(points).residuals), where.initial, where)


COSTS = {
    "SSE": cw.costs.SSE(),
    "SSE of the plain differences": cw.costs.SSE(normalization="identity"),
    "MSE with weights": cw.costs.MSE(variable_weights={"slope": 4.0}, objective_weights={"one": 0.3}),
    "MAE": cw.costs.MAE(),
    "Max": cw.costs.Max(),
    "chi square": cw.costs.ChiSquare(variable_standard_deviations={"y": 0.01, "slope": 0.02}),
    "one variable": cw.costs.SSE(calculation_structure={"one": ["slope"]}),
    "several": cw.costs.MultiCost(costs=[cw.costs.SSE(), {"cost": cw.costs.MAE(), "weight": 0.2}]),
}


@pytest.mark.parametrize("cost", COSTS.values(), ids=COSTS.keys())
def test_a_cost_differentiates_its_residuals(cost):
    told, differences = compared(evaluation({"one": decay()}, space(), cost), space())
    # Central differences of steps of 6e-6 err by their square, and by rounding over the step: 1e-10 of the slopes.
    np.testing.assert_allclose(told, differences, rtol=1e-7, atol=1e-8 * np.abs(differences).max())


@pytest.mark.parametrize("transform", ["Identity", "Log", "Log10", "Exp", "Pow10", "Inverse", "Negate"])
def test_slopes_go_through_a_transform(transform):
    changed = getattr(cw.transforms, transform)(cw.Parameter("b", 0.9, (0.2, 2.0)))
    where = space(a=cw.Parameter("a", 1.2, (0.5, 3.0)), b=changed, c=cw.Parameter("c", 0.2))
    told, differences = compared(evaluation({"one": decay()}, where), where)
    np.testing.assert_allclose(told, differences, rtol=1e-7, atol=1e-8 * np.abs(differences).max())


@pytest.mark.parametrize("value", [1e-14, 3e-3, 0.9, 250.0])
@pytest.mark.parametrize("transform", ["Log", "Log10", "Inverse"])
def test_a_transform_is_differentiated_over_orders_of_magnitude(transform, value):
    plain = cw.Parameter("b", value, (value / 1e3, value * 1e3))
    (dimension,) = space(b=getattr(cw.transforms, transform)(plain)).dimensions
    at, scale = dimension.coordinate(value), dimension.scaling[1]
    exact = {"Log": value, "Log10": value * np.log(10), "Inverse": -(value**2)}[transform]
    assert dimension.slope(at) == pytest.approx(scale * exact, rel=1e-9)


def test_slopes_go_through_ties():
    tied = decay(c=parameter("a") * parameter("k") ** 2, b=parameter("rate"))
    parameters = {
        name: cw.Parameter(name, start, (0.1, 3.0)) for name, start in (("a", 1.2), ("k", 0.5), ("rate", 1.0))
    }
    where = space(**parameters)
    told, differences = compared(evaluation({"one": tied}, where), where)
    np.testing.assert_allclose(told, differences, rtol=1e-7, atol=1e-8 * np.abs(differences).max())
    assert tied.used == {"a", "k", "rate"}


def test_priors_and_constraints_have_their_rows():
    terms = [
        cw.priors.Prior("a", cw.stats.Normal(1.0, 0.1)),
        cw.priors.Constraint(parameter("a") + parameter("c") <= 1.0, 10.0),
        cw.priors.Penalty(parameter("b") * parameter("c")),
    ]
    told, differences = compared(evaluation({"one": decay()}, space(), terms=terms), space())
    assert told.shape == (11 + 12 + 3, 3)
    np.testing.assert_allclose(told, differences, rtol=1e-7, atol=1e-8 * np.abs(differences).max())


def test_objectives_stand_in_their_order_and_one_that_knows_no_slopes_leaves_all_to_differences():
    two = {"one": decay(), "other": decay(c=0.3)}
    told, differences = compared(evaluation(two, space()), space())
    np.testing.assert_allclose(told, differences, rtol=1e-7, atol=1e-8 * np.abs(differences).max())
    assert evaluation({**two, "third": decay(known=False)}, space()).jacobian(space().initial) is None


def test_a_search_that_knows_its_slopes_ends_where_differences_end_and_asks_less():
    ends, asked = [], []
    for known in (True, False):
        one = evaluation({"one": decay(known)}, space())
        found = cw.optimizers.ScipyLeastSquares().search(one, space(), np.random.default_rng(0))
        ends.append(list(space().values(found.point).values()))
        asked.append(one.counts["evaluations"])
    # Both go on to eight digits of the step.
    np.testing.assert_allclose(*ends, rtol=1e-7)
    assert asked[0] < asked[1] / 3


def test_formulas_are_worked_out_here_without_journal_and_again_to_the_same_bits():
    class Nowhere:
        workers = 1

        def map(self, job, tasks, time_limit=None):
            raise AssertionError("a formula was sent away")

    journal, ends = MemoryJournal(), []
    for _ in range(2):
        one = evaluation({"one": decay()}, space())
        one.world = replace(one.world, pool=Nowhere(), journal=journal)
        ends.append(cw.optimizers.ScipyLeastSquares().search(one, space(), np.random.default_rng(0)).point)
    assert journal.read("key") == []
    assert np.array_equal(*ends)


def test_a_flat_valley_is_left_where_the_cost_hardly_falls():
    """The parameter k acts a billionth as much as a."""
    flat = decay(a=parameter("a") * (1 + 1e-9 * parameter("k")), c=0.3)
    where = space(a=cw.Parameter("a", 1.2, (0.5, 3.0)), b=cw.Parameter("b", 1.0), k=cw.Parameter("k", 0.5, (0.0, 1.0)))
    one = evaluation({"one": flat}, where)
    found = cw.optimizers.ScipyLeastSquares().search(one, where, np.random.default_rng(0))
    assert found.success
    assert one.counts["evaluations"] < 200


def test_a_search_inside_another_knows_the_slopes_of_its_own_parameters():
    nested = {"parameters": ["b"], "optimizer": {"type": "ScipyMinimize"}, "inner": {"type": "ScipyLeastSquares"}}
    found, asked = [], []
    for known in (True, False):
        one = evaluation({"one": decay(known)}, space())
        search = cw.optimizers.Nested(**nested)
        found.append(search.search(one, space(), np.random.default_rng(0)).point)
        asked.append(one.counts["evaluations"])
    # The outer search is by differences of a scalar cost, to some 1e-5 of the range.
    np.testing.assert_allclose(*found, atol=1e-4)
    assert asked[0] < 0.8 * asked[1]


def test_a_bound_is_no_corner_of_a_slope():
    one = Dimension("a", 1.0, 0.0, 1.0, lambda x: x, lambda x: x)
    assert one.slope(1.0) == pytest.approx(1.0, rel=1e-12)
