"""Costs against numbers worked by hand."""

import numpy as np
import pytest
from scipy import stats

from cellwright.catalog.costs import (
    MAE,
    MSE,
    RMSE,
    SSE,
    ChiSquare,
    DesignFunction,
    GaussianLogLikelihood,
    Max,
    MultiCost,
    Wasserstein,
    WeightedCost,
    earth_movers_distance,
)
from cellwright.errors import ConfigurationError

MODEL, DATA = np.array([1.0, 2.0, 4.0]), np.array([1.0, 4.0, 1.0])
ONE = {"a": {"V": (MODEL, DATA)}}
"""Differences 0, -2, 3."""


@pytest.mark.oracle("SSE", "MSE", "RMSE", "MAE", "Max")
@pytest.mark.parametrize(
    ("cost", "by_hand"),
    [(SSE, 13.0), (MSE, 13 / 3), (RMSE, np.sqrt(13 / 3)), (MAE, 5 / 3), (Max, 3.0)],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_costs_by_hand(cost, by_hand):
    assert cost(normalization="identity").scalar(ONE) == pytest.approx(by_hand)
    # The default divides by the mean of the data, 2: squares by 4.
    assert cost().scalar(ONE) == pytest.approx(by_hand / (4 if cost in {SSE, MSE} else 2))


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


@pytest.mark.parametrize(
    ("cost", "array"),
    [
        (SSE, [0, -2, 3]),
        (MSE, [0, -2 / np.sqrt(3), np.sqrt(3)]),
        (MAE, [0, -np.sqrt(2 / 3), 1]),
        (Max, [np.sqrt(3)]),
    ],
)
def test_residual_arrays_by_hand(cost, array):
    assert cost(normalization="identity").residuals(ONE) == pytest.approx(array)


def test_some_costs_have_no_residual_array():
    for cost in (RMSE(), Wasserstein(), GaussianLogLikelihood(sigma={"V": 1}), MultiCost(costs=[SSE(), RMSE()])):
        assert cost.residuals(ONE) is None
        assert not cost.has_residuals


@pytest.mark.oracle("ChiSquare")
def test_chi_square_by_hand():
    both = {"a": {"V": (MODEL, DATA), "T": (MODEL, DATA)}}
    cost = ChiSquare(variable_standard_deviations={"V": 0.5, "T": 2})
    # (0 + 4 + 9) / 0.25 + 13 / 4
    assert cost.scalar(both) == pytest.approx(52 + 3.25)
    assert cost.residuals(both) == pytest.approx([0, -4, 6, 0, -1, 1.5])


@pytest.mark.oracle("ChiSquare")
def test_chi_square_of_the_truth_is_the_number_of_points():
    rng = np.random.default_rng(2)
    truth = np.linspace(3, 4, 20000)
    cost = ChiSquare(variable_standard_deviations={"V": 0.01})
    # Its variance is 2N: three standard deviations are 600.
    assert cost.scalar({"a": {"V": (truth, truth + rng.normal(0, 0.01, 20000))}}) == pytest.approx(20000, abs=600)


def test_a_variable_without_a_standard_deviation_is_told():
    for cost in (ChiSquare(variable_standard_deviations={"T": 1}), GaussianLogLikelihood(sigma={"T": 1})):
        with pytest.raises(ConfigurationError, match=r"'V' has no standard deviation.*calculation_structure"):
            cost.scalar(ONE)
    scoped = ChiSquare(variable_standard_deviations={"T": 1}, calculation_structure={"a": ["T"]})
    assert scoped.scalar({"a": {"V": (MODEL, DATA), "T": (MODEL, DATA)}}) == pytest.approx(13)


@pytest.mark.oracle("GaussianLogLikelihood")
def test_likelihood_against_scipy():
    both = {"a": {"V": (MODEL, DATA), "T": (2 * MODEL, DATA)}, "b": {"V": (DATA, MODEL)}}
    cost = GaussianLogLikelihood(sigma={"V": 0.7, "T": 3})
    expected = -sum(
        stats.norm.logpdf(data, model, {"V": 0.7, "T": 3}[name]).sum()
        for variables in both.values()
        for name, (model, data) in variables.items()
    )
    assert cost.scalar(both) == pytest.approx(expected, rel=1e-12)


@pytest.mark.oracle("GaussianLogLikelihood")
def test_likelihood_is_highest_where_sigma_is_the_scatter():
    scatter = np.sqrt(13 / 3)
    costs = [GaussianLogLikelihood(sigma={"V": scatter * f}).scalar(ONE) for f in (0.9, 1.0, 1.1)]
    assert costs[1] == pytest.approx(1.5 * (np.log(2 * np.pi * 13 / 3) + 1))
    assert costs[1] < min(costs[0], costs[2])


def test_a_likelihood_of_what_the_model_does_not_have_is_no_likelihood():
    early = {"a": {"V": (np.array([1.0, 4.0, np.nan]), DATA)}}
    cost = GaussianLogLikelihood(sigma={"V": 1})
    assert cost.scalar(early) == pytest.approx(1.5 * np.log(2 * np.pi) + 0.5 * (1e6 - 1) ** 2)
    filled = GaussianLogLikelihood(sigma={"V": 1}, nan_values="min")
    assert filled.scalar(early) == pytest.approx(1.5 * np.log(2 * np.pi))


@pytest.mark.oracle("GaussianLogLikelihood")
def test_a_named_noise_is_looked_up():
    both = {"a": {"V": (MODEL, DATA), "T": (MODEL, DATA + 1)}}
    named, given = (GaussianLogLikelihood(sigma={"V": sigma, "T": 1}) for sigma in ("noise", 0.25))
    assert named.reads == {"noise"}
    assert named.at({"noise": 0.25, "other": 3.0}).scalar(both) == given.scalar(both)
    multi = MultiCost(costs=[named, SSE()])
    assert multi.reads == {"noise"}
    assert multi.at({"noise": 0.25}).scalar(both) == pytest.approx(given.scalar(both) + SSE().scalar(both))
    assert named.sigma["V"] == "noise"
    for impossible in (0.0, -0.25, float("nan")):
        assert named.at({"noise": impossible}).scalar(both) == np.inf
    with pytest.raises(ConfigurationError, match="the noise 'noise' of 'V' has no value"):
        named.scalar(both)


@pytest.mark.oracle("DesignFunction")
def test_a_design_is_the_weighted_sum_of_its_metrics():
    goal = np.array([np.nan])
    metrics = {"cell": {"energy": (np.array([-3.0]), goal), "mass": (np.array([0.5]), goal)}}
    both = {**metrics, "rate": {"time": (np.array([2.0]), goal)}}
    # By hand: 2 (-3 + 0.5) + 2.
    assert DesignFunction(objective_weights={"cell": 2}).scalar(both) == -3.0
    assert DesignFunction(calculation_structure={"cell": ["energy"]}).scalar(both) == -3.0
    assert DesignFunction().scalar({"cell": {"energy": (np.array([np.nan]), goal)}}) == np.inf
    assert not DesignFunction().has_residuals


@pytest.mark.oracle("Wasserstein")
def test_wasserstein_by_hand():
    # Sorted, 1 2 4 against 1 1 4: one sample of three moves by 1.
    assert Wasserstein(normalization="identity").scalar(ONE) == pytest.approx(1 / 3)
    assert Wasserstein().scalar(ONE) == pytest.approx(1 / 6)
    both = {"a": {"V": (MODEL, DATA), "T": (MODEL + 5, MODEL)}, "b": {"V": (MODEL, DATA)}}
    # The mean of 1/3 and 5 of the first objective, twice, and 1/3 of the second.
    weighted = Wasserstein(normalization="identity", objective_weights={"a": 2})
    assert weighted.scalar(both) == pytest.approx(2 * (1 / 3 + 5) / 2 + 1 / 3)


@pytest.mark.oracle("Wasserstein")
@pytest.mark.parametrize("seed", range(5))
def test_wasserstein_against_scipy(seed):
    rng = np.random.default_rng(seed)
    u, v = rng.normal(size=7).round(1), rng.normal(1, 2, size=11).round(1)
    u_mass, v_mass = rng.uniform(size=7), rng.uniform(size=11)
    assert earth_movers_distance(u, v) == pytest.approx(stats.wasserstein_distance(u, v), rel=1e-12)
    assert earth_movers_distance(u, v, u_mass, v_mass) == pytest.approx(
        stats.wasserstein_distance(u, v, u_mass, v_mass), rel=1e-12
    )


@pytest.mark.oracle("Wasserstein")
def test_a_weighted_wasserstein_distance_is_how_far_a_peak_has_moved():
    volts = np.linspace(3, 4, 2001)
    one = {"a": {"V": (volts, volts), "dQ/dV": (-peak(volts, 3.53), peak(volts, 3.5)), "T": (volts, 2 * volts)}}
    cost = Wasserstein(position_variable="V", weight_variable="dQ/dV", normalization="identity")
    # Peaks of width 0.02 are inside the range: what moves is their mean.
    assert cost.scalar(one) == pytest.approx(0.03, rel=1e-9)
    assert Wasserstein(position_variable="V", weight_variable="dQ/dV").scalar(one) == pytest.approx(0.03 / 3.5)
    heavier = Wasserstein(
        position_variable="V", weight_variable="dQ/dV", normalization="identity", variable_weights={"V": 2},
        objective_weights={"a": 3},
    )  # fmt: skip
    assert heavier.scalar(one) == pytest.approx(0.18, rel=1e-9)
    elsewhere = Wasserstein(position_variable="V", weight_variable="dQ/dV", calculation_structure={"b": None})
    assert elsewhere.scalar(one) == 0


def peak(x, at):
    return np.exp(-(((x - at) / 0.02) ** 2) / 2)


def test_a_weighted_wasserstein_distance_says_what_it_lacks():
    cost = Wasserstein(position_variable="V", weight_variable="dQ/dV")
    with pytest.raises(ConfigurationError, match=r"weight_variable 'dQ/dV' is not there .*'V'"):
        cost.scalar(ONE)
    nothing = {"a": {"V": (MODEL, DATA), "dQ/dV": (0 * MODEL, DATA)}}
    with pytest.raises(ConfigurationError, match="sum to 0"):
        cost.scalar(nothing)


@pytest.mark.oracle("MultiCost")
def test_several_costs_by_hand():
    plain = {"normalization": "identity"}
    cost = MultiCost(costs=[SSE(**plain), WeightedCost(cost=Max(**plain), weight=0.25)])
    assert cost.scalar(ONE) == pytest.approx(13 + 0.25 * 3)
    assert cost.residuals(ONE) == pytest.approx([0, -2, 3, 0.5 * np.sqrt(3)])
    nested = MultiCost(costs=[WeightedCost(cost=cost, weight=2), RMSE(**plain)])
    assert nested.scalar(ONE) == pytest.approx(2 * 13.75 + np.sqrt(13 / 3))


@pytest.mark.oracle("MultiCost")
def test_several_costs_of_a_scope():
    both = {"a": {"V": (MODEL, DATA), "T": (MODEL, DATA)}, "b": {"V": (MODEL, DATA)}}
    part = SSE(normalization="identity")
    assert MultiCost(costs=[part], objective_names=["b"]).scalar(both) == pytest.approx(13)
    assert MultiCost(costs=[part], calculation_structure={"a": None}).scalar(both) == pytest.approx(26)
    assert MultiCost(costs=[part], calculation_structure={"a": ["T"]}).scalar(both) == pytest.approx(13)


@pytest.mark.parametrize("cost", [SSE(), MSE(), RMSE(), MAE(), Max(), Wasserstein()], ids=lambda c: type(c).__name__)
def test_an_unscaled_cost_grows_with_the_unit_by_its_power(cost):
    millivolts = {"a": {"V": (1e3 * MODEL, 1e3 * DATA)}}
    assert cost.unscaled().scalar(millivolts) == pytest.approx(1e3**cost.power * cost.unscaled().scalar(ONE))
    assert cost.scalar(millivolts) == pytest.approx(cost.scalar(ONE))
