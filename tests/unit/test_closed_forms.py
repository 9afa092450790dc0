"""Fits of formulas: slopes by small differences, up to bounds, beside points without a value, of flat directions."""

import numpy as np
import pytest

import cellwright as cw
from cellwright.catalog.estimators.slopes import Remembered, central_differences
from cellwright.compute.inline import InlinePool
from cellwright.data.sources import settle
from cellwright.engine.run import run
from cellwright.engine.world import World
from cellwright.schema.search import Dimension, Space

SOC = np.linspace(0.1, 0.9, 9)


def same(x):
    return x


def space(*bounds):
    ends = [(0.5, *pair, same, same, False) for pair in bounds]
    return Space(tuple(Dimension(f"x{i}", *each) for i, each in enumerate(ends)), closed_form=True)


def fitted(formula, resistance, **starts):
    objective = cw.objectives.Resistance({"SOC": SOC, "Resistance [Ohm]": resistance}, options={"model": formula})
    parameters = {name: cw.Parameter(name, *given) for name, given in starts.items()}
    world = World(simulate=None, worker_simulate=None, pool=InlinePool(), load=settle)
    return run(cw.Pipeline({"fit": cw.DataFit(objective, parameters=parameters)}), world).element("fit")


def test_slopes_are_those_of_the_formula_at_and_between_the_bounds():
    asked = []

    def function(points):
        asked.extend(points)
        return np.stack([np.sin(points[:, 0]) * points[:, 1], points[:, 1] ** 2], axis=1)

    x = np.array([0.5, 1.0])
    found = central_differences(Remembered(function), x, space((0, 1), (0, 1)))
    exact = [[np.cos(0.5), np.sin(0.5)], [0, 2]]
    # Central differences err by the square of 6e-6, and the one-sided one at the bound by 6e-6.
    np.testing.assert_allclose(found, exact, rtol=0, atol=1e-5)
    np.testing.assert_allclose(found[:, 0], [np.cos(0.5), 0], rtol=0, atol=1e-9)
    assert np.max(asked) <= 1.0


def test_a_side_without_a_value_leaves_the_other_and_none_a_slope_of_zero():
    def function(points):
        return np.where((points[:, :1] > 0.5) | (points[:, 1:] != 0.5), np.nan, 3 * points[:, :1])

    found = central_differences(Remembered(function), np.array([0.5, 0.5]), space((0, 1), (0, 1)))
    np.testing.assert_allclose(found, [[3, 0]], atol=1e-6)


def test_a_formula_is_fitted_to_nine_digits():
    truth = 0.02 + 0.03 * np.exp(-4 * SOC)
    record = fitted("'a' + 'b' * exp(-'c' * 'SOC')", truth, a=(0.05, (0, 1)), b=(0.05, (0, 1)), c=(1.0, (0.1, 20)))
    assert record.result["x"] == pytest.approx([0.02, 0.03, 4.0], rel=1e-9)


@pytest.mark.parametrize(
    ("formula", "starts", "combination"),
    [
        ("'a' + 'b'", (3.0, -2.97), "sum"),
        ("'a' - 'b'", (3.0, 2.97), "difference"),
        ("'a' * 'b'", (0.1, 0.3), "product"),
        ("'a' / 'b' - 0.6", (-2.0, -3.0), "ratio"),
    ],
)
def test_what_two_parameters_determine_together_is_named_whatever_their_signs(formula, starts, combination):
    a, b = ((start, (-5, 5)) for start in starts)
    record = fitted(f"{formula} + 'c' * 'SOC'", 0.03 + 0.01 * SOC, a=a, b=b, c=(0.0, (-1, 1)))
    said = f"a and b cannot be told apart by these data: only their {combination} is determined"
    assert record.result["identifiability"]["words"][0] == said


def test_what_a_formula_leaves_open_is_told_all_the_same():
    record = fitted(
        "'a' * 'b' + 'c' * 'SOC' + 0 * 'd'", 0.02 + 0.01 * SOC + 1e-4 * np.cos(9 * SOC),
        a=(0.1, (0.01, 1)), b=(0.3, (0.01, 1)), c=(0.0, (-1, 1)), d=(0.5, (0, 1)),
    )  # fmt: skip
    found = record.result["identifiability"]
    assert found["words"][:2] == [
        "d has no effect on these data",
        "a and b cannot be told apart by these data: only their product is determined",
    ]
    rows = {row["name"]: row for row in record.result["parameters"]}
    design = np.column_stack([np.ones_like(SOC), SOC])
    y = 0.02 + 0.01 * SOC + 1e-4 * np.cos(9 * SOC)
    rest = np.linalg.lstsq(design, y)[1][0]
    exact = np.sqrt(rest / (len(SOC) - 3) * np.linalg.inv(design.T @ design)[1, 1])
    # The three that act are counted as spent, though two of them are one.
    assert rows["c"]["std_error"] == pytest.approx(exact, rel=1e-6)
