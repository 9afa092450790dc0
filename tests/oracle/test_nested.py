"""One search inside another, linear least squares, and grids, against closed forms, NumPy and SciPy."""

import re

import numpy as np
import pytest
from ionworks_schema.results import BaseResults
from lines import V, fitted, free, objective, problems, values
from scipy.optimize import least_squares, lsq_linear

import cellwright as cw
from cellwright.catalog.estimators.nested import _Level
from cellwright.catalog.estimators.side_by_side import side_by_side
from cellwright.errors import ConfigurationError
from cellwright.schema.groups import Shares
from cellwright.schema.search import Dimension, Space
from cellwright.testing import kits

o = cw.optimizers
TIME = np.linspace(0, 4, 60)
TRUE = {"c0": 2.0, "c1": -0.7, "k0": 0.4, "k1": 2.5}
NOISE = np.random.default_rng(11).normal(scale=0.02, size=len(TIME))
RATES = ["k0", "k1"]


def decays(k0, k1):
    return np.column_stack([np.exp(-k0 * TIME), np.exp(-k1 * TIME)])


DATA = decays(TRUE["k0"], TRUE["k1"]) @ [TRUE["c0"], TRUE["c1"]] + NOISE


def space(bounds=(-5.0, 5.0), **starts):
    same = float
    given = {"c0": 0.5, "k0": 0.2, "c1": 0.5, "k1": 1.5} | starts
    edges = {"c0": bounds, "c1": bounds, "k0": (0.01, 1.0), "k1": (1.1, 8.0)}
    return Space(tuple(Dimension(name, start, *edges[name], same, same) for name, start in given.items()))


def sum_of_decays(where):
    """The residuals of a sum of two decays, whose amplitudes enter linearly and whose rates do not."""

    def residuals(point):
        p = where.values(point)
        return decays(p["k0"], p["k1"]) @ [p["c0"], p["c1"]] - DATA

    return kits.Recorded(residuals)


def sse(model):
    return cw.costs.SSE().scalar({"CurrentDriven": {V: (model, DATA)}})


def projected(k0, k1):
    """The least cost over the amplitudes: |(I - Φ Φ⁺) y|², Golub & Pereyra (2003), eq. 8."""
    design = decays(k0, k1)
    rest = DATA - design @ np.linalg.pinv(design) @ DATA
    return rest @ rest


@pytest.mark.oracle("Nested", "ScipyLsqLinear")
def test_the_outer_search_sees_the_projected_cost():
    # The model is linear in the amplitudes: differences are exact, and what is left is rounding.
    where = space()
    nested = o.Nested(parameters=RATES, optimizer=o.ScipyMinimize(), inner=o.ScipyLsqLinear())
    level = _Level(nested.inner, nested._parts(where), sum_of_decays(where), 0)
    points = np.random.default_rng(0).uniform(0.1, 0.9, (7, 2))
    batch = level(points)
    rates = [nested._parts(where).outer.values(point) for point in points]
    np.testing.assert_allclose(batch.costs, [projected(k["k0"], k["k1"]) for k in rates], rtol=1e-9)
    np.testing.assert_allclose((batch.residuals**2).sum(axis=1), batch.costs, rtol=1e-12)


@pytest.mark.oracle("Nested")
@pytest.mark.parametrize("inner", [o.ScipyLsqLinear(), o.ScipyLeastSquares()], ids=lambda one: one.type)
@pytest.mark.parametrize("outer", [o.ScipyLeastSquares(), o.ScipyMinimize()], ids=lambda one: one.type)
def test_a_nested_search_ends_where_the_search_of_all_parameters_does(outer, inner):
    full = least_squares(lambda x: decays(x[1], x[3]) @ x[[0, 2]] - DATA, [2, 0.4, -0.7, 2.5], xtol=1e-14)
    where = space()
    found = o.Nested(parameters=RATES, optimizer=outer, inner=inner).search(
        sum_of_decays(where), where, np.random.default_rng(0)
    )
    # The minimum is flat: differences of 1e-3 of the range leave the rates off by some 1e-3 of their noise (0.03).
    np.testing.assert_allclose(list(where.values(found.point).values()), full.x, rtol=2e-3)
    assert found.success


@pytest.mark.oracle("Nested")
def test_a_nested_search_may_be_nested_again():
    where = space()
    inner = o.Nested(parameters=["k1"], optimizer=o.ScipyLeastSquares(), inner=o.ScipyLsqLinear())
    nested = o.Nested(parameters=["k0"], optimizer=o.ScipyLeastSquares(), inner=inner)
    flat = o.Nested(parameters=RATES, optimizer=o.ScipyLeastSquares(), inner=o.ScipyLsqLinear())
    twice, once = (one.search(sum_of_decays(where), where, np.random.default_rng(0)) for one in (nested, flat))
    np.testing.assert_allclose(twice.point, once.point, atol=2e-3)
    assert list(nested.refusals(where)) == []


def test_the_inner_searches_of_a_batch_are_evaluated_together():
    where = space()
    nested = o.Nested(parameters=RATES, optimizer=o.ScipyLeastSquares(), inner=o.ScipyLsqLinear())
    evaluate = sum_of_decays(where)
    _Level(nested.inner, nested._parts(where), evaluate, 0)(np.full((5, 2), [[0.3, 0.4]]) + np.arange(5)[:, None] / 9)
    # Each asks for its start, for two differences, and for its end.
    assert [len(points) for points in evaluate.points] == [5, 10, 5]


def test_a_nested_search_finds_its_way_twice_to_the_bit():
    where = space()
    nested = o.Nested(
        parameters=RATES,
        optimizer=o.ScipyDifferentialEvolution(max_iterations=3, population_size=4),
        inner=o.ScipyLsqLinear(),
    )
    paths = []
    for _ in range(2):
        evaluate = sum_of_decays(where)
        nested.search(evaluate, where, np.random.default_rng(5))
        paths.append(np.vstack(evaluate.points))
    assert np.array_equal(*paths)
    assert nested.random
    assert nested.needs_residuals


@pytest.mark.parametrize("which", [0, 2])
def test_an_error_in_one_of_several_searches_ends_them_all(which):
    def search(index, evaluate):
        for _ in range(3):
            evaluate(np.full((1, 1), float(index)))
            if index == which:
                raise ConfigurationError("cannot go on")
        return index

    parts = [lambda evaluate, i=i: search(i, evaluate) for i in range(3)]
    with pytest.raises(ConfigurationError, match="cannot go on"):
        side_by_side(parts, kits.Recorded(lambda point: point))


def test_the_end_of_all_is_raised_to_the_outer_search():
    class LimitError(Exception):
        pass

    def evaluate(points):
        raise LimitError

    with pytest.raises(LimitError):
        side_by_side([lambda evaluate: evaluate(np.zeros((1, 1)))] * 3, evaluate)


@pytest.mark.parametrize(
    ("fields", "place", "said"),
    [
        ({"parameters": ["aa", "b"]}, ("optimizer", "parameters"), r"'aa' .*did you mean 'a'"),
        ({"parameters": []}, ("optimizer", "parameters"), "nothing is left for the outer search"),
        ({"parameters": ["a", "b"]}, ("optimizer", "parameters"), "nothing is left for the inner search"),
        (
            {"inner": {"type": "ScipyMinimize", "method": "SLSQP", "hard_constraints": True}},
            ("optimizer", "inner", "hard_constraints"),
            "cannot keep to constraints",
        ),
        (
            {"inner": {"type": "Nested", "parameters": ["c"], "optimizer": {"type": "ScipyMinimize"}}},
            ("optimizer", "inner", "parameters"),
            "'c' is not among .*there are 'b'",
        ),
    ],
)
def test_a_division_that_cannot_be_meant_is_told_by_the_check(fields, place, said):
    inner = {"type": "ScipyLsqLinear"}
    given = {"parameters": ["a"], "optimizer": {"type": "ScipyMinimize"}, "inner": inner} | fields
    if given["inner"]["type"] == "Nested":
        given["inner"] = {**given["inner"], "inner": inner}
    element = cw.DataFit(objective(TIME, DATA), parameters=free(a=0.0, b=0.0), optimizer=o.Nested(**given))
    (where, text), *more = problems(element)
    assert not more
    assert where == place
    assert re.search(said, text)


def test_a_search_between_bounds_inside_another_needs_them():
    parameters = free(a=0.0) | {"b": cw.Parameter("b", 0.0)}
    nested = o.Nested(parameters=["a"], optimizer=o.ScipyMinimize(), inner=o.ScipyDifferentialEvolution())
    element = cw.DataFit(objective(TIME, DATA), parameters=parameters, optimizer=nested)
    ((where, text),) = problems(element)
    assert where == ("optimizer", "inner")
    assert "'b' has none" in text


def test_a_nested_search_in_a_fit_is_the_straight_line_of_least_squares():
    nested = o.Nested(parameters=["a"], optimizer=o.ScipyLeastSquares(), inner=o.ScipyLsqLinear())
    record = fitted(cw.DataFit(objective(TIME, DATA), parameters=free(a=0.0, b=0.0), optimizer=nested))
    slope, offset = np.polyfit(TIME, DATA, 1)
    # Differences of a linear model are exact; the outer search ends at its tolerance of 1e-8 of the cost.
    np.testing.assert_allclose(values(record), [offset, slope], rtol=1e-4)
    assert record.result["success"]


def test_a_limit_of_time_ends_a_nested_search_at_its_best_point():
    nested = o.Nested(
        parameters=["a"],
        optimizer=o.ScipyDifferentialEvolution(max_iterations=50),
        inner=o.ScipyLeastSquares(),
    )
    element = cw.DataFit(
        objective(TIME, DATA), parameters=free(a=0.0, b=0.0), optimizer=nested, options={"maxtime": 20.0, "seed": 1}
    )
    record = fitted(element)
    assert "time limit" in record.result["message"]
    assert record.result["cost"] == min(row["cost"] for row in record.trace)


def test_a_limit_of_iterations_is_that_of_the_outer_search():
    nested = o.Nested(parameters=["a"], optimizer=o.CMAES(), inner=o.ScipyLsqLinear()).limited(3)
    assert nested.optimizer.max_iterations == 3


def linear_problem(start, lower=-1.0, upper=1.0, seed=0):
    """A linear problem with bounds that hold some of its four parameters."""
    rng = np.random.default_rng(seed)
    matrix, data = rng.normal(size=(12, 4)), 10 * rng.normal(size=12)
    same = float
    where = Space(tuple(Dimension(f"x{i}", x, lower, upper, same, same) for i, x in enumerate(start)))
    return matrix, data, where, kits.Recorded(lambda point: matrix @ list(where.values(point).values()) - data)


@pytest.mark.oracle("ScipyLsqLinear")
@pytest.mark.parametrize("method", ["bvls", "trf"])
@pytest.mark.parametrize("warm", [True, False])
@pytest.mark.parametrize("seed", range(4))
def test_linear_least_squares_within_bounds_is_scipys(method, warm, seed):
    matrix, data, where, evaluate = linear_problem([0.1, 0.2, -0.3, 0.0], seed=seed)
    search = o.ScipyLsqLinear(method=method, warm_start=warm, tol=1e-12)
    found = search.search(evaluate, where, np.random.default_rng(0))
    expected = lsq_linear(matrix, data, (-1, 1), method="bvls").x
    assert np.isclose(np.abs(expected), 1).any()  # a bound holds
    # "trf" stays a hair inside its bounds.
    np.testing.assert_allclose(
        list(where.values(found.point).values()), expected, atol=1e-9 if method == "bvls" else 1e-4
    )
    assert found.success
    assert [len(points) for points in evaluate.points] == [1, 4, 1]


def test_a_warm_start_knows_the_active_bounds_and_takes_no_iteration():
    *_, where, evaluate = linear_problem([0.1, 0.2, -0.3, 0.0])
    cold = o.ScipyLsqLinear(warm_start=False).search(evaluate, where, np.random.default_rng(0))
    *_, again, evaluate = linear_problem(list(where.values(cold.point).values()))
    warm = o.ScipyLsqLinear().search(evaluate, again, np.random.default_rng(0))
    assert "still the right ones" in warm.message
    assert warm.iterations == 0
    np.testing.assert_allclose(warm.point, cold.point, atol=1e-12)


def test_a_warm_start_at_the_wrong_bounds_starts_anew():
    matrix, data, where, evaluate = linear_problem([1.0, -1.0, 1.0, -1.0])
    found = o.ScipyLsqLinear().search(evaluate, where, np.random.default_rng(0))
    expected = lsq_linear(matrix, data, (-1, 1), method="bvls").x
    np.testing.assert_allclose(list(where.values(found.point).values()), expected, atol=1e-9)
    assert "still" not in found.message


@pytest.mark.parametrize("step", [1e-3, 0.25])
def test_the_step_of_the_differences_is_the_one_that_is_told(step):
    *_, where, evaluate = linear_problem([0.1, 0.2, -0.3, 0.0])
    o.ScipyLsqLinear(jac_rel_step=step).search(evaluate, where, np.random.default_rng(0))
    moved = np.abs(evaluate.points[1] - where.initial)
    np.testing.assert_allclose(moved, step * np.eye(4), atol=1e-12)


def test_a_problem_that_is_not_linear_is_told():
    where = kits.box(-1.0, 2.0)
    evaluate = kits.Recorded(lambda x: np.array([10 * (x[1] - x[0] ** 2), 1 - x[0]]))
    found = o.ScipyLsqLinear().search(evaluate, where, np.random.default_rng(0))
    assert not found.success
    assert "not linear" in found.message
    start, end = (float(evaluate(point[None]).costs[0]) for point in (where.initial, found.point))
    assert end <= start


def test_a_start_that_fails_is_told():
    evaluate = kits.Recorded(lambda point: point, fails_above=-10.0)
    found = o.ScipyLsqLinear().search(evaluate, kits.box(-1.0, 2.0), np.random.default_rng(0))
    assert not found.success
    assert "start" in found.message


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"method": "bvl"}, "did you mean 'bvls'"),
        ({"jac_rel_step": 0}, "above 0"),
        ({"jac_rel_step": True}, "above 0"),
        ({"warm_start": 1}, "true or false"),
        ({"jac_rel_stepp": 1e-3}, "did you mean 'jac_rel_step'"),
    ],
)
def test_fields_of_linear_least_squares_that_cannot_be_meant_are_told(fields, said):
    with pytest.raises(ConfigurationError, match=said):
        o.ScipyLsqLinear(**fields)


def test_keywords_of_linear_least_squares_reach_scipy():
    *_, where, evaluate = linear_problem([0.1, 0.2, -0.3, 0.0])
    found = o.ScipyLsqLinear(max_iterations=1, warm_start=False, method="trf").search(
        evaluate, where, np.random.default_rng(0)
    )
    assert found.iterations == 1
    assert not found.success


@pytest.mark.oracle("GridSearch")
@pytest.mark.parametrize(("npts", "d"), [(5, 3), (17, 2), (1, 2), (2, 1)])
def test_a_grid_is_numpys(npts, d):
    where = kits.box(*[0.5] * d)
    evaluate = kits.Recorded(lambda point: point - 0.3)
    found = o.GridSearch(npts).search(evaluate, where, np.random.default_rng(0))
    axis = np.linspace(0, 1, npts) if npts > 1 else [0.5]
    grid = np.column_stack([one.ravel() for one in np.meshgrid(*[axis] * d, indexing="ij")])
    np.testing.assert_allclose(np.vstack(evaluate.points), grid, atol=1e-15)
    assert max(map(len, evaluate.points)) <= 256
    costs = ((grid - 0.3) ** 2).sum(axis=1)
    np.testing.assert_allclose(found.point, grid[np.argmin(costs)])
    assert found.message == f"{npts**d} of {npts**d} points could be solved"


@pytest.mark.oracle("GridSearch")
def test_a_grid_in_a_fit_keeps_all_its_points_and_costs():
    parameters = {"a": cw.Parameter("a", 0.0, (-1, 1)), "b": cw.transforms.Log10(cw.Parameter("b", 1.0, (0.01, 100)))}
    record = fitted(cw.DataFit(objective(TIME, DATA), parameters=parameters, optimizer=o.GridSearch(3)))
    result = BaseResults.from_config(dict(record.result))
    assert (type(result).__name__, result.method) == ("EnsembleResult", "GridSearch")
    expected = [[a, b] for a in (-1, 0, 1) for b in (0.01, 1, 100)]
    np.testing.assert_allclose(result.samples, expected, rtol=1e-12, atol=1e-12)
    costs = [sse(a + b * TIME) for a, b in expected]
    np.testing.assert_allclose(result.costs, costs)
    assert result.cost == pytest.approx(min(costs))
    assert result.x == pytest.approx(expected[int(np.argmin(costs))])


@pytest.mark.parametrize("tag", ["PointEstimateSampler", "DummySampler", "PointEstimateOptimizer", "DummyOptimizer"])
def test_a_point_estimate_is_an_ensemble_of_one(tag):
    element = cw.DataFit(objective(TIME, DATA), parameters=free(a=0.5, b=-0.1), optimizer=getattr(o, tag)())
    result = BaseResults.from_config(dict(fitted(element).result))
    assert type(result).__name__ == "EnsembleResult"
    np.testing.assert_allclose(result.samples, [[0.5, -0.1]], rtol=1e-12)
    assert result.costs == [pytest.approx(sse(0.5 - 0.1 * TIME))]


@pytest.mark.parametrize(("npts", "said"), [(0, "1 point a parameter"), (1001, "use 1000 points at most")])
def test_a_grid_without_points_or_with_too_many_is_told_by_the_check(npts, said):
    element = cw.DataFit(objective(TIME, DATA), parameters=free(a=0.0, b=0.0), optimizer=o.GridSearch(npts))
    ((where, text),) = problems(element)
    assert where == ("optimizer", "npts")
    assert said in text


def test_points_of_a_grid_that_fail_cost_nothing_that_is_known():
    evaluate = kits.Recorded(lambda point: point, fails_above=0.5)
    found = o.GridSearch(5).search(evaluate, kits.box(0.0), np.random.default_rng(0))
    assert found.message == "3 of 5 points could be solved"
    assert found.point.tolist() == [0.0]


def test_parameters_that_keep_a_condition_together_are_searched_together():
    dimensions = tuple(Dimension(name, 0.3, 0.0, 1.0, float, float) for name in "abc")
    where = Space(dimensions, groups=(Shares(("a", "b"), (0.0, 0.0), (1.0, 1.0)),))

    def refused(*names):
        nested = o.Nested(parameters=list(names), optimizer=o.ScipyMinimize(), inner=o.ScipyLeastSquares())
        return list(nested.refusals(where))

    (error,) = refused("a", "c")
    assert "'a', 'b' keep a condition together, and the outer search has one of them alone" in error.message
    assert not refused("a", "b")
    assert not refused("c")
