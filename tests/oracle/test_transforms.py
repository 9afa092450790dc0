"""Transforms against their formulas, as a search sees them: bounds, starts, chains."""

import math

import numpy as np
import pytest

from cellwright.catalog.transforms import Exp, Identity, Inverse, Log, Log10, Negate, Pow10
from cellwright.errors import ConfigurationError
from cellwright.schema.elements import dimension
from cellwright.schema.free_parameter import Parameter
from cellwright.schema.search import Space

BY_HAND = [
    (Identity, 2.0, 2.0),
    (Log, 2.0, 0.6931471805599453),
    (Log10, 2.0, 0.3010299956639812),
    (Exp, 2.0, 7.38905609893065),
    (Pow10, 2.0, 100.0),
    (Inverse, 2.0, 0.5),
    (Negate, 2.0, -2.0),
]
ALL = [kind for kind, _, _ in BY_HAND]


def free(*args, **fields):
    return Parameter("k", *args, **fields)


@pytest.mark.oracle("Identity", "Log", "Log10", "Exp", "Pow10", "Inverse", "Negate")
@pytest.mark.parametrize(("kind", "value", "variable"), BY_HAND)
def test_by_hand_and_back(kind, value, variable):
    given = kind(free(1.0))
    assert given.forward(value) == pytest.approx(variable, rel=1e-15)
    assert given.inverse(variable) == pytest.approx(value, rel=1e-15)
    for x in (0.3, 1.0, 5.5):
        assert given.value(given.variable(x)) == pytest.approx(x, rel=1e-14)


@pytest.mark.oracle("Identity", "Log", "Log10", "Exp", "Pow10", "Inverse", "Negate")
@pytest.mark.parametrize(("kind", "ends"), [
    (Identity, (0.5, 4.0)), (Log, (math.log(0.5), math.log(4))), (Log10, (math.log10(0.5), math.log10(4))),
    (Exp, (math.exp(0.5), math.exp(4))), (Pow10, (10**0.5, 1e4)), (Inverse, (0.25, 2.0)), (Negate, (-4.0, -0.5)),
])  # fmt: skip
def test_bounds_follow_and_the_start_is_in_the_middle(kind, ends):
    searched = dimension("k", kind(free(bounds=(0.5, 4))))
    assert searched.transformed_bounds == pytest.approx(ends)
    assert searched.forward(searched.initial) == pytest.approx(sum(ends) / 2)
    assert (searched.lower, searched.upper) == (0.5, 4)


@pytest.mark.parametrize("kind", ALL)
def test_a_search_goes_from_bound_to_bound(kind):
    space = Space((dimension("k", kind(free(1.0, bounds=(0.5, 4)))),))
    assert (space.lower, space.upper) == (0, 1)
    reached = sorted(space.values(point)["k"] for point in (space.lower, space.upper))
    assert reached == pytest.approx([0.5, 4])
    assert space.values(space.initial)["k"] == pytest.approx(1.0)


@pytest.mark.parametrize("kind", [Inverse, Negate])
def test_what_turns_round_turns_the_bounds_round(kind):
    space = Space((dimension("k", kind(free(bounds=(0.5, 4)))),))
    assert space.values(space.lower)["k"] == pytest.approx(4)
    assert space.values(space.upper)["k"] == pytest.approx(0.5)


@pytest.mark.parametrize(("given", "bounds", "ends"), [
    (Log(free(2.0)), (0, math.inf), (-math.inf, math.inf)),
    (Log10(free(2.0, bounds=(-math.inf, 100))), (0, 100), (-math.inf, 2)),
    (Exp(free(2.0)), (-math.inf, math.inf), (0, math.inf)),
    (Pow10(free(2.0, bounds=(None, 3))), (-math.inf, 3), (0, 1000)),
    (Inverse(free(2.0)), (0, math.inf), (0, math.inf)),
    (Inverse(free(-2.0)), (-math.inf, 0), (-math.inf, 0)),
    (Inverse(free(2.0, bounds=(0.5, None))), (0.5, math.inf), (0, 2)),
    (Inverse(free(bounds=(None, -0.5))), (-math.inf, -0.5), (-2, 0)),
    (Negate(free(2.0, bounds=(1, None))), (1, math.inf), (-math.inf, -1)),
    (Inverse(Negate(free(-2.0))), (-math.inf, 0), (0, math.inf)),
])  # fmt: skip
def test_open_ends_stay_open_inside_the_domain(given, bounds, ends):
    if given.plain.initial_value is not None:
        searched = dimension("k", given)
        assert searched.transformed_bounds == pytest.approx(ends)
        assert searched.value(searched.coordinate(searched.initial)) == pytest.approx(searched.initial)
    assert given.limits == pytest.approx(bounds)


@pytest.mark.parametrize(("chain", "formula"), [
    (lambda p: Log(Inverse(p)), lambda x: math.log(1 / x)),
    (lambda p: Negate(Log10(p)), lambda x: -math.log10(x)),
    (lambda p: Inverse(Negate(Inverse(p))), lambda x: -x),
    (lambda p: Exp(Negate(Identity(p))), lambda x: math.exp(-x)),
    (lambda p: Log(Exp(p)), lambda x: x),
])  # fmt: skip
def test_chains_go_from_the_parameter_outwards(chain, formula):
    searched = dimension("k", chain(free(1.5, bounds=(0.5, 4))))
    for x in (0.5, 1.5, 4.0):
        assert searched.forward(x) == pytest.approx(formula(x), rel=1e-14)
        assert searched.value(searched.coordinate(x)) == pytest.approx(x, rel=1e-12)
    assert searched.transformed_bounds == pytest.approx(sorted([formula(0.5), formula(4)]))


def test_large_exponents_do_not_fail():
    assert Exp(free()).forward(1000.0) == math.inf
    assert Pow10(free()).forward(400.0) == math.inf
    assert Log(free()).inverse(1000.0) == math.inf
    assert Exp(free()).inverse(0.0) == -math.inf


@pytest.mark.parametrize(("build", "told"), [
    (lambda: Log(free(bounds=(0, 1))), "searched in ln x, so its lower bound 0 must be above 0"),
    (lambda: Log10(free(0.0)), "searched in log₁₀ x, so its initial value 0 must be above 0"),
    (lambda: Inverse(free(bounds=(-1, 2))), "searched in 1/x, so its lower bound -1 must be above 0"),
    (lambda: Inverse(free(0.0)), "searched in 1/x, so its initial value 0 must be above 0"),
    (lambda: Log(Negate(free(1.0))), "searched in ln x, so its initial value 1, here -1, must be above 0"),
    (lambda: Inverse(Log(free(bounds=(0.5, 2)))), "searched in 1/x, so its lower bound 0.5, here -0.69.*, must be"),
])  # fmt: skip
def test_outside_the_domain_is_refused(build, told):
    with pytest.raises(ConfigurationError, match=told):
        build()


@pytest.mark.oracle("Log10", "Log")
def test_a_step_of_the_logarithm_is_a_factor():
    for kind in (Log, Log10):
        searched = dimension("k", kind(free(bounds=(1e-16, 1e-12))))
        values = [searched.value(u) for u in np.linspace(0, 1, 5)]
        np.testing.assert_allclose(values, [1e-16, 1e-15, 1e-14, 1e-13, 1e-12], rtol=1e-12)
        assert searched.initial == pytest.approx(1e-14)
