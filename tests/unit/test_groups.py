"""Parameters that keep a condition together: shares of a whole, values in an order; what a search makes of them."""

import numpy as np
import pytest
from scipy.optimize import isotonic_regression, minimize

from cellwright.errors import ConfigurationError
from cellwright.schema.groups import Descending, Shares
from cellwright.schema.search import Dimension, Space

RNG = np.random.default_rng(3)
BOUNDS = ((0.0,) * 5, (1.0,) * 5)
NARROW = ((0.05, 0.0, 0.1, 0.0, 0.2), (0.3, 0.4, 0.5, 0.2, 0.6))


def shares(bounds=BOUNDS):
    return Shares(tuple("abcde"), *bounds)


def differences(function, y, h=1e-7):
    return np.array([(function(y + h * e) - function(y - h * e)) / (2 * h) for e in np.eye(len(y))]).T


def test_shares_are_divided_by_their_sum():
    for y in RNG.uniform(0.0, 1.2, (5, 5)):
        np.testing.assert_allclose(shares().kept(y), y / y.sum(), rtol=1e-15)


def test_shares_that_would_leave_their_bounds_are_the_nearest_ones_that_add_up_to_one():
    for y in RNG.uniform(0.0, 1.2, (8, 5)):
        found, scaled = shares(NARROW).kept(y), y / y.sum()
        best = minimize(
            lambda x, y=scaled: np.sum((x - y) ** 2), np.full(5, 0.2), method="SLSQP", options={"ftol": 1e-14},
            bounds=list(zip(*NARROW, strict=True)), constraints={"type": "eq", "fun": lambda x: x.sum() - 1},
        )  # fmt: skip
        assert found.sum() == pytest.approx(1, abs=1e-14)
        np.testing.assert_allclose(found, best.x, atol=1e-6)  # what SLSQP resolves
        np.testing.assert_allclose(shares(NARROW).kept(found), found, atol=1e-14)


@pytest.mark.parametrize("bounds", [BOUNDS, NARROW], ids=["simplex", "within bounds"])
def test_shares_move_as_differences_tell(bounds):
    for y in RNG.uniform(0.01, 1.2, (5, 5)):
        np.testing.assert_allclose(shares(bounds).slopes(y), differences(shares(bounds).kept, y), atol=1e-8)


def test_bounds_that_allow_no_sum_of_one_are_refused():
    with pytest.raises(ConfigurationError, match=r"sums from 0 to 0\.5"):
        shares(((0.0,) * 5, (0.1,) * 5))


def test_values_in_order_are_the_isotonic_regression():
    group = Descending(tuple("abcde"))
    for y in RNG.normal(size=(5, 5)):
        np.testing.assert_allclose(group.kept(y), isotonic_regression(y, increasing=False).x, atol=1e-15)
        np.testing.assert_allclose(group.slopes(y), differences(group.kept, y), atol=1e-8)
    falling = np.array([5.0, 4.0, 3.0, 3.0, 1.0])
    np.testing.assert_array_equal(group.kept(falling), falling)


def space(*starts):
    dimensions = tuple(
        Dimension(name, start, 0.0, 1.0, float, float) for name, start in zip("abc", starts, strict=True)
    )
    return Space(dimensions, groups=(Shares(tuple("abc"), (0.0,) * 3, (1.0,) * 3),))


def test_the_values_of_every_point_add_up_to_one_and_their_slopes_know_it():
    one = space(0.2, 0.2, 0.2)
    point = np.array([0.5, 0.9, 0.3])
    assert sum(one.values(point).values()) == pytest.approx(1, abs=1e-15)
    numbers = differences(lambda x: np.array(list(one.values(x).values())), point)
    np.testing.assert_allclose(one.slopes(point), numbers, atol=1e-8)
    settled = one.settled(point)
    assert one.values(settled) == pytest.approx(one.values(point), abs=1e-15)
    np.testing.assert_allclose(one.settled(settled), settled, atol=1e-15)


def test_what_has_no_effect_is_held():
    one, point = space(0.2, 0.3, 0.5), np.array([0.2, 0.3, 0.5])
    (row,) = one.held(point)
    np.testing.assert_allclose(one.slopes(point) @ point, 0, atol=1e-15)  # all in proportion
    assert abs(row @ point) > 0.1
