"""Samplers against what they promise and against scipy.stats.qmc."""

import numpy as np
import pytest
from scipy.stats import kstest, qmc

from cellwright.catalog.samplers import LatinHypercube, Uniform


@pytest.mark.oracle("LatinHypercube")
def test_each_slice_of_each_side_holds_one_point():
    points = LatinHypercube().draw(16, 3, np.random.default_rng(5))
    assert points.shape == (16, 3)
    np.testing.assert_array_equal(np.sort(np.floor(points * 16), axis=0), np.arange(16)[:, None].repeat(3, axis=1))
    np.testing.assert_array_equal(points, qmc.LatinHypercube(d=3, rng=np.random.default_rng(5)).random(16))


@pytest.mark.oracle("Uniform")
def test_uniform_points_are_uniform_and_independent():
    points = Uniform().draw(5000, 2, np.random.default_rng(5))
    assert all(kstest(column, "uniform").pvalue > 1e-3 for column in points.T)
    # The standard error of a correlation is 0.014.
    assert abs(np.corrcoef(points.T)[0, 1]) < 0.05


@pytest.mark.parametrize("sampler", [LatinHypercube(), Uniform()], ids=lambda s: type(s).__name__)
def test_the_same_seed_draws_the_same_points_inside_the_cube(sampler):
    first, again = (sampler.draw(9, 4, np.random.default_rng(1)) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert ((first >= 0) & (first < 1)).all()
    assert not np.array_equal(first, sampler.draw(9, 4, np.random.default_rng(2)))


def test_a_latin_hypercube_fills_space_better():
    far = [qmc.discrepancy(s.draw(64, 2, np.random.default_rng(0))) for s in (LatinHypercube(), Uniform())]
    assert far[0] < far[1]
