"""Screening of generations: what the quadratic model knows, how many points it spares, and when it spares none."""

import numpy as np
import pytest

import cellwright as cw
from cellwright.catalog.estimators.screening import QuadraticScreen, _kendall
from cellwright.testing.searches import Search, bowl, valley

CMAES = cw.optimizers.CMAES
HESSIAN = np.array([[6.0, 2.0, 0.0], [2.0, 3.0, -1.0], [0.0, -1.0, 1.5]])
MINIMUM = np.array([0.3, -0.2, 0.9])


def quadratic(points):
    away = points - MINIMUM
    return 0.5 * np.einsum("ni,ij,nj->n", away, HESSIAN, away) + 4.0


@pytest.mark.oracle("CMAES")
def test_a_quadratic_is_known_to_rounding_once_there_are_points_enough():
    rng, screen = np.random.default_rng(0), QuadraticScreen(3)
    for _ in range(4):
        screen(quadratic, rng.normal(size=(10, 3)))
    unseen = rng.normal(size=(50, 3))
    np.testing.assert_allclose(screen.said(unseen), quadratic(unseen), rtol=1e-9)
    np.testing.assert_allclose(screen.lowest, MINIMUM, rtol=1e-9)


def test_what_it_ranks_right_it_leaves_out_and_gives_no_cost_below_the_best():
    rng, screen, asked = np.random.default_rng(1), QuadraticScreen(3), []

    def costs_of(points):
        asked.append(len(points))
        return quadratic(points)

    for _ in range(6):
        points = rng.normal(size=(20, 3))
        costs, known = screen(costs_of, points)
        np.testing.assert_array_equal(costs[known], quadratic(points[known]))
        assert costs.min() == costs[known].min()
    assert asked[-1] == known.sum() == 2  # the least of a generation


def test_a_cost_that_no_quadratic_resembles_is_evaluated_everywhere():
    rng, screen = np.random.default_rng(2), QuadraticScreen(2)
    shares = [
        screen(lambda points: rng.normal(size=len(points)), rng.normal(size=(12, 2)))[1].mean() for _ in range(20)
    ]
    assert np.mean(shares) > 0.95


def test_where_a_point_cannot_be_solved_all_are_evaluated():
    rng, screen = np.random.default_rng(3), QuadraticScreen(3)
    for _ in range(4):
        screen(quadratic, rng.normal(size=(10, 3)))
    points = np.vstack([MINIMUM, rng.normal(size=(9, 3))])
    costs, known = screen(lambda asked: np.where(asked[:, 0] == MINIMUM[0], np.inf, quadratic(asked)), points)
    assert known.all()
    assert np.isinf(costs[0])
    assert np.isfinite(screen.costs).all()


def test_without_points_of_its_own_it_has_no_lowest_point_and_a_saddle_has_none():
    rng, screen = np.random.default_rng(4), QuadraticScreen(2)
    assert screen.lowest is None
    for _ in range(4):
        screen(lambda points: points[:, 0] ** 2 - points[:, 1] ** 2, rng.normal(size=(12, 2)))
    assert screen.lowest is None


def test_ranks_are_compared_by_kendalls_tau():
    from scipy.stats import kendalltau

    rng = np.random.default_rng(5)
    for _ in range(20):
        a, b = rng.integers(0, 6, size=(2, 9)).astype(float)  # with ties
        assert _kendall(a, b) == pytest.approx(kendalltau(a, b).statistic, rel=1e-12)
    assert _kendall(np.ones(5), np.arange(5.0)) == 0


@pytest.mark.oracle("CMAES")
@pytest.mark.parametrize(("function", "at", "share"), [(bowl, -0.5, 0.35), (valley, 1.0, 0.7)], ids=["bowl", "valley"])
def test_the_same_minimum_is_found_with_fewer_evaluations(function, at, share):
    # Hansen (2019) reports a half to a tenth of the evaluations on such functions. A search ends where its population
    # has shrunk to 0.5 % of its first width, which leaves some 1e-3 of the place in a valley.
    spent = {"off": [], "auto": []}
    for screen, counts in spent.items():
        for seed in range(5):
            search = Search(CMAES(screen=screen, population_size=12), function)
            found = search.run(seed)
            counts.append(len(search.path))
            assert list(search.space.values(found.point).values()) == pytest.approx([at, at], abs=1e-2)
    assert np.median(spent["auto"]) < share * np.median(spent["off"])
