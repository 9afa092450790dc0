"""Costs against numbers worked by hand."""

import numpy as np
import pytest

from cellwright.catalog.costs import MAE, RMSE, SSE, Max
from cellwright.errors import ConfigurationError

MODEL, DATA = np.array([1.0, 2.0, 4.0]), np.array([1.0, 4.0, 1.0])
ONE = {"a": {"V": (MODEL, DATA)}}
"""Differences 0, -2, 3."""


@pytest.mark.parametrize(
    ("cost", "by_hand"),
    [(SSE, 13.0), (RMSE, np.sqrt(13 / 3)), (MAE, 5 / 3), (Max, 3.0)],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_costs_by_hand(cost, by_hand):
    assert cost(normalization="identity").scalar(ONE) == pytest.approx(by_hand)
    # The default divides by the mean of the data, 2: squares by 4.
    assert cost().scalar(ONE) == pytest.approx(by_hand / (4 if cost is SSE else 2))


@pytest.mark.parametrize(
    ("how", "scale"),
    [("mean", 2), ("range", 3), ("sum_squares", 18), ("mean_squares", 6), ("root_mean_squares", np.sqrt(6)), (5, 5)],
)
def test_normalizations_by_hand(how, scale):
    assert MAE(normalization=how).scalar(ONE) == pytest.approx(5 / 3 / scale)


def test_weights_multiply_the_costs_of_objectives_and_variables():
    both = {"a": {"V": (MODEL, DATA), "T": (MODEL, DATA)}, "b": {"V": (MODEL, DATA)}}
    cost = SSE(normalization="identity", objective_weights={"a": 2.0}, variable_weights={"T": 0.5})
    assert cost.scalar(both) == pytest.approx(13 * (2 + 2 * 0.5 + 1))


def test_scope_limits_what_counts():
    both = {"a": {"V": (MODEL, DATA), "T": (MODEL, DATA)}, "b": {"V": (MODEL, DATA)}}
    assert SSE(normalization="identity", objective_names=["b"]).scalar(both) == pytest.approx(13)
    assert SSE(normalization="identity", calculation_structure={"a": ["T"]}).scalar(both) == pytest.approx(13)
    assert SSE(normalization="identity", calculation_structure={"a": None}).scalar(both) == pytest.approx(26)


@pytest.mark.parametrize(("how", "filled"), [("mean", 1.5), ("min", 1.0), (7.0, 7.0)])
def test_missing_values_are_filled_as_asked(how, filled):
    early = {"a": {"V": (np.array([1.0, 2.0, np.nan]), DATA)}}
    assert SSE(normalization="identity", nan_values=how).scalar(early) == pytest.approx(4 + (filled - 1) ** 2)


def test_without_a_choice_the_last_value_goes_on():
    early = {"a": {"V": (np.array([1.0, 2.0, np.nan]), DATA)}}
    assert SSE(normalization="identity").scalar(early) == pytest.approx(4 + (2 - 1) ** 2)
    nothing = {"a": {"V": (np.full(3, np.nan), DATA)}}
    assert np.isfinite(SSE().scalar(nothing))


def test_unknown_words_are_refused_with_those_there_are():
    with pytest.raises(ConfigurationError, match="no normalization 'median'"):
        SSE(normalization="median")
    with pytest.raises(ConfigurationError, match="nan_values"):
        SSE(nan_values="median")
