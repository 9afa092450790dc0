"""Every registered member keeps the contract of its family."""

import numpy as np
import pytest

from cellwright.catalog.costs import ErrorFunction
from cellwright.catalog.entries import FromJson
from cellwright.catalog.estimators.slopes import FAILED_COST, Remembered, central_gradient
from cellwright.errors import ConfigurationError
from cellwright.schema.variant import members
from cellwright.testing import kits
from cellwright.testing.searches import STAYS

FAMILIES = members()
CALCULATIONS = list(FAMILIES["Calculation"].values())
ENTRIES = [kind for kind in FAMILIES["Entry"].values() if kind is not FromJson]
"""Those whose example stands by itself; `FromJson` reads a file (tests/oracle/test_entries.py)."""
COSTS = [kind for kind in FAMILIES["Cost"].values() if kind.implemented()]
ALL = [member for family in FAMILIES.values() for member in family.values()]


def name(member):
    return member.__name__


@pytest.mark.parametrize("member", ALL, ids=name)
def test_is_documented(member):
    kits.has_documentation(member)


@pytest.mark.parametrize("member", ALL, ids=name)
def test_has_a_json_schema(member):
    kits.has_json_schema(member)


@pytest.mark.parametrize("member", [member for member in ALL if member is not FromJson], ids=name)
def test_survives_wire_and_pickle(member):
    place = {"name": member.example.fields["name"]} if "name" in member.unwritten else {}
    kits.survives_wire_and_pickle(kits.example_of(member), **place)


@pytest.mark.parametrize("member", [*ENTRIES, *CALCULATIONS], ids=name)
def test_works_its_example(member):
    kits.works_its_example(member)


@pytest.mark.parametrize("member", CALCULATIONS, ids=name)
def test_agrees_on_expressions(member):
    kits.agrees_on_expressions(member)


@pytest.mark.parametrize("member", [*ENTRIES, *CALCULATIONS], ids=name)
def test_declares_its_reads(member):
    kits.declares_its_reads(member)


@pytest.mark.parametrize("member", COSTS, ids=name)
def test_residuals_make_the_scalar(member):
    kits.scalar_is_sum_of_squares(kits.example_of(member))
    if issubclass(member, ErrorFunction) and not member.refused:
        kits.scalar_is_sum_of_squares(
            member(normalization="range", objective_weights={"a": 3}, variable_weights={"T": 0.5})
        )


@pytest.mark.parametrize("member", FAMILIES["Distribution"].values(), ids=name)
def test_residuals_make_the_density(member):
    kits.density_is_sum_of_squares(kits.example_of(member))


@pytest.mark.parametrize("tag", sorted(STAYS))
@pytest.mark.parametrize("fails_above", [float("inf"), -3.0])
def test_a_point_estimate_asks_for_the_start_alone(tag, fails_above):
    space = kits.box(-1.0, 2.0)
    evaluate = kits.Recorded(space.initial.__sub__, fails_above=fails_above)
    found = FAMILIES["Estimator"][tag]().search(evaluate, space, np.random.default_rng(0))
    assert [points.tolist() for points in evaluate.points] == [[space.initial.tolist()]]
    assert found.point.tolist() == space.initial.tolist()
    assert found.success is (fails_above > 0)


@pytest.mark.parametrize(("fails_above", "slope"), [(float("inf"), 0.8), (0.7, 0.8), (0.6, 0.0)])
def test_a_gradient_at_the_edge_of_what_can_be_solved_is_no_cliff(fails_above, slope):
    space = kits.box(1.5)
    evaluate = kits.Recorded(lambda point: point - 0.3, fails_above=fails_above)
    cost = Remembered(lambda points: np.minimum(evaluate(points).costs, FAILED_COST)[:, None])
    [gradient] = central_gradient(cost, space.initial, space)
    # One-sided differences of a parabola err by its curvature times half the step.
    assert gradient == pytest.approx(slope, abs=1e-3)


@pytest.mark.parametrize("tag", ["ScipyBasinhopping", "ScipyDualAnnealing", "ScipyShgo"])
def test_keywords_of_the_local_search_that_are_none_are_told(tag):
    estimator = FAMILIES["Estimator"][tag](minimizer_kwargs="Powell")
    with pytest.raises(ConfigurationError, match="a dict, not 'Powell'"):
        estimator.search(kits.Recorded(lambda point: point), kits.box(-1.0, 2.0), np.random.default_rng(0))
