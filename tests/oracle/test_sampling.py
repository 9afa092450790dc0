"""Samplers of the posterior: their draws against closed forms, their path against seeds, kills and limits.

Where draws are compared with a closed form, a mean may be off by 4 of its standard errors, std/√ESS, and a variance by
4 √(2/ESS) of itself, with ESS the independent draws that the draws are worth.
"""

import json
import re

import numpy as np
import pybamm
import pytest
from lines import WIDE, V, fitted, free, objective, problems, world
from scipy.stats import binom, truncnorm

import cellwright as cw
from cellwright.catalog.estimators.chains import METHODS
from cellwright.catalog.estimators.log_posterior import LogPosterior, frame_at
from cellwright.engine.posterior import Posterior, doubts
from cellwright.schema.parameters import Origin
from cellwright.schema.posterior import CHAINS, PosteriorResult, stored
from cellwright.schema.results import ElementRecord
from cellwright.schema.search import Batch, Dimension, Space
from cellwright.testing import searches
from cellwright.testing.cells import discharge, published

pytestmark = pytest.mark.oracle("PintsSampler")

Sampler = cw.optimizers.PintsSampler
TIME = np.linspace(0, 2, 41)
NOISE = 0.3
DATA = 1.0 + 2.0 * TIME + np.random.default_rng(4).normal(scale=NOISE, size=len(TIME))
DESIGN = np.column_stack([np.ones_like(TIME), TIME])
LIKELIHOOD = cw.costs.GaussianLogLikelihood(sigma={V: NOISE})
MEAN = np.array([0.8, -0.4])
COVARIANCE = np.array([[0.04, 0.04], [0.04, 0.0625]])
"""A correlation of 0.8."""
BOX = Space(tuple(Dimension(f"x{i}", start, -2.0, 3.0, float, float) for i, start in enumerate((0.5, 0.0))))


class Gaussian:
    """-ln p of a normal distribution at points of `BOX`; it keeps the sizes of the batches."""

    def __init__(self, mean=MEAN, covariance=COVARIANCE):
        self.mean, self.precision, self.batches = mean, np.linalg.inv(covariance), []

    def __call__(self, points):
        self.batches.append(len(points))
        away = -2 + 5 * points - self.mean
        costs = 0.5 * np.einsum("ni,ij,nj->n", away, self.precision, away)
        return Batch(points, costs, None, ("solved",) * len(points))


def result_of(space, found):
    posterior = Posterior.of(space, found.draws)
    series = stored(posterior.names, posterior.chains, posterior.log_pdfs)
    return PosteriorResult.of({**posterior.to_wire(), "parameter_values": {}, "cost": 0.0}, series)


def line(cost=LIKELIHOOD, data=DATA, **fields):
    given = {"parameters": free(a=1.0, b=2.0), "options": {"seed": 1}} | fields
    return cw.DataFit(objective(TIME, data), cost=cost, **{"optimizer": Sampler(max_iterations=600), **given})


def assert_normal(found, mean, covariance):
    draws = np.array([found.marginal(name) for name in found.parameter_names])
    worth = np.array([found.ess[name] for name in found.parameter_names])
    assert worth.min() > 100
    assert np.abs((draws.mean(axis=1) - mean) / np.sqrt(np.diag(covariance) / worth)).max() < 4
    deviations = np.sqrt(np.diag(covariance))
    off = (np.cov(draws) - covariance) / np.outer(deviations, deviations)
    assert np.abs(off).max() < 4 * np.sqrt(2 / worth.min())


DRAWS = {
    "DramACMC": 1000,
    "HamiltonianMCMC": 100,
    "HaarioBardenetACMC": 1000,
    "MALAMCMC": 400,
    "MetropolisRandomWalkMCMC": 1000,
    "MonomialGammaHamiltonianMCMC": 80,
    "NoUTurnMCMC": 400,
    "PopulationMCMC": 2500,
    "RelativisticMCMC": 100,
    "SliceDoublingMCMC": 100,
    "SliceRankShrinkingMCMC": 400,
    "SliceStepoutMCMC": 200,
}
"""Draws of each chain that are worth a few hundred independent ones in all."""
SLOPES = {name for name in METHODS if "Hamiltonian" in name} | {
    "MALAMCMC", "NoUTurnMCMC", "RelativisticMCMC", "SliceRankShrinkingMCMC",
}  # fmt: skip


@pytest.mark.parametrize("method", METHODS)
def test_each_method_draws_a_correlated_normal_distribution(method):
    evaluate = Gaussian()
    found = Sampler(method=method, max_iterations=DRAWS[method]).search(evaluate, BOX, np.random.default_rng(3))
    assert found.draws.points.shape == (4, DRAWS[method], 2)
    assert_normal(result_of(BOX, found), MEAN, COVARIANCE)
    np.testing.assert_allclose(found.draws.costs, evaluate(found.draws.points.reshape(-1, 2)).costs.reshape(4, -1))
    # One batch a step: a point of each chain, with two more for each parameter where slopes are asked for.
    assert sorted(evaluate.batches[:-1])[len(evaluate.batches) // 2] == (20 if method in SLOPES else 4)


def test_draws_of_a_line_are_the_closed_form():
    prior_mean, prior = np.array([0.5, 3.0]), np.array([[0.02, 0.005], [0.005, 0.01]])
    joint = cw.priors.Prior(["a", "b"], cw.stats.MultivariateNormal(prior_mean.tolist(), prior.tolist()))
    record = fitted(line(priors=joint, optimizer=Sampler(max_iterations=1000)))
    # Bishop (2006), eqs. 3.50 and 3.51.
    precision = DESIGN.T @ DESIGN / NOISE**2 + np.linalg.inv(prior)
    mean = np.linalg.solve(precision, DESIGN.T @ DATA / NOISE**2 + np.linalg.solve(prior, prior_mean))
    assert_normal(record.posterior, mean, np.linalg.inv(precision))
    assert record.warnings == ()
    best = record.posterior
    assert record.result["cost"] == pytest.approx(best.costs.min(), rel=1e-12)
    assert record.result["parameter_values"] == dict(zip(best.parameter_names, best.x, strict=True))
    # 4000 draws come near the mode: with n of them, about √(2/n) standard deviations.
    assert np.abs(best.x - mean).max() < 0.1 * np.sqrt(np.linalg.inv(precision).diagonal().max())


def test_intervals_cover_as_often_as_they_say():
    rng = np.random.default_rng(8)
    inside = {0.5: 0, 0.9: 0}
    runs, root = 40, np.linalg.cholesky(COVARIANCE)
    for _ in range(runs):
        seen = MEAN + root @ rng.standard_normal(2)
        found = Sampler(method="HaarioBardenetACMC", max_iterations=120).search(Gaussian(seen), BOX, rng)
        for level in inside:
            low, high = result_of(BOX, found).credible_interval("x0", level)
            inside[level] += low < MEAN[0] < high
    for level, count in inside.items():
        assert 1e-3 < binom.cdf(count, runs, level) < 1 - 1e-3, (level, count)


@pytest.mark.parametrize("method", ["DramACMC", "NoUTurnMCMC", "SliceStepoutMCMC"])
@pytest.mark.parametrize("transform", [None, cw.transforms.Log, cw.transforms.Inverse], ids=["plain", "log", "inverse"])
def test_the_posterior_is_that_of_the_parameter_whatever_it_is_searched_in(method, transform):
    # A normal distribution that the bounds cut at half a standard deviation below its mean.
    low, high, mean, std = 0.4, 4.0, 1.0, 1.2
    level = np.full(len(TIME), mean)
    parameter = cw.Parameter("a", 0.9, (low, high))
    noise = std * np.sqrt(len(TIME))
    record = fitted(
        line(
            cw.costs.GaussianLogLikelihood(sigma={V: noise}),
            level,
            parameters={"a": transform(parameter) if transform else parameter},
            optimizer=Sampler(method=method, max_iterations=400),
        ),
        {"b": 0.0},
    )
    exact = truncnorm((low - mean) / std, (high - mean) / std, mean, std)
    draws, worth = record.posterior.marginal("a"), record.posterior.ess["a"]
    assert low <= draws.min() < low + 0.1
    assert abs(draws.mean() - exact.mean()) < 4 * exact.std() / np.sqrt(worth)
    assert abs(draws.std() / exact.std() - 1) < 4 / np.sqrt(2 * worth)
    # Without the stretch of the transform it would be 0.5 (logarithm) or 0.9 (inverse) standard deviations lower.


def test_a_noise_that_is_fitted_has_a_posterior():
    record = fitted(
        line(
            cw.costs.GaussianLogLikelihood(sigma={V: "noise"}),
            parameters={**free(a=1.0, b=2.0), "noise": cw.transforms.Log(cw.Parameter("noise", 0.3, (1e-3, 10)))},
            optimizer=Sampler(max_iterations=1000),
        )
    )
    n, rss = len(TIME), np.sum((DATA - DESIGN @ np.linalg.lstsq(DESIGN, DATA, rcond=None)[0]) ** 2)
    # With a uniform prior on σ, RSS/σ² has a χ² distribution with n - 3 degrees of freedom: E[σ⁻²] = (n - 3)/RSS.
    draws, worth = record.posterior.marginal("noise") ** -2.0, record.posterior.ess["noise"]
    assert draws.mean() == pytest.approx((n - 3) / rss, rel=4 * np.sqrt(2 / (n - 3)) / np.sqrt(worth))


PATHS = ("DramACMC", "HaarioBardenetACMC", "NoUTurnMCMC", "PopulationMCMC", "SliceDoublingMCMC")


@pytest.mark.parametrize("method", PATHS)
def test_the_path_is_the_seeds_alone_and_goes_on_by_replay(method):
    estimator = Sampler(method=method, max_iterations=10)
    searches.takes_the_same_path(estimator)
    searches.goes_on_by_replay(estimator)
    searches.ends_when_cancelled(estimator)
    one, other = searches.Search(estimator, searches.bowl), searches.Search(estimator, searches.bowl)
    assert not np.array_equal(one.run(1).draws.points, other.run(2).draws.points)
    assert all(searches.Search(estimator).run(5).draws.costs.min(axis=1) < np.inf)


def test_what_was_drawn_before_a_limit_stands():
    search = searches.Search(Sampler(max_iterations=500), searches.bowl, evaluations=400)
    found = search.run()
    assert not found.success
    assert re.match("stopped at the limit of 400 evaluations, with 4 chains of [0-9]+ draws", found.message)
    assert 20 < found.iterations < 100
    assert found.draws.burnin in {50, found.iterations // 2}
    early = searches.Search(Sampler(), searches.bowl, evaluations=2).run()
    assert early.draws is None
    assert not early.success


def test_options_cap_the_draws():
    record = fitted(line(options={"seed": 1, "max_iterations": 40}, optimizer=Sampler(burnin_iterations=80)))
    assert record.posterior.chains.shape == (4, 40, 2)
    assert record.posterior.burnin == 4


def test_the_frame_has_the_width_of_the_posterior():
    frame = frame_at(LogPosterior(Gaussian(), BOX), BOX.initial)
    # The Hessian of a quadratic function is exact by differences, to rounding.
    np.testing.assert_allclose(25 * frame.axes @ frame.axes.T, COVARIANCE, rtol=1e-6)
    flat = frame_at(LogPosterior(Gaussian(covariance=np.diag([0.04, 1e12])), BOX), BOX.initial)
    np.testing.assert_allclose(5 * np.linalg.norm(flat.axes, axis=1), [0.2, 5 / np.sqrt(12)], rtol=1e-6)


def test_starts_are_those_of_the_fit():
    def begun(**fields):
        return fitted(line(optimizer=Sampler(max_iterations=10), **fields)).posterior.chains[:, 0]

    listed = [{"a": 1.1, "b": 2.1}, {"a": 0.9, "b": 1.9}]
    np.testing.assert_allclose(begun(initial_guesses=listed), [[1.1, 2.1], [0.9, 1.9]])
    near = {name: cw.Parameter(name, None, (at - 0.2, at + 0.2)) for name, at in (("a", 1.0), ("b", 2.0))}
    several = begun(parameters=near, multistarts=3)
    assert several.shape == (3, 2)
    assert len({int(7.5 * (a - 0.8)) for a in several[:, 0]}) == 3  # one in each third of the range
    drawn = {
        "a": cw.Parameter("a", 1.0, WIDE, initial_guess_distribution=cw.stats.Uniform(1.1, 1.2)),
        "b": cw.Parameter("b", 2.0, WIDE),
    }
    chains = begun(parameters=drawn)
    assert tuple(chains[0]) == (1.0, 2.0)
    assert ((chains[1:, 0] > 1.1) & (chains[1:, 0] < 1.2)).all()
    assert len({*chains[:, 1]}) == 4


def test_a_start_that_cannot_be_solved_is_moved_to_one_that_can():
    space = Space(BOX.dimensions, starts=({"x0": 0.5, "x1": 0.0}, {"x0": 2.9, "x1": 0.0}))

    def evaluate(points):
        costs = np.where(points[:, 0] > 0.7, np.inf, Gaussian()(points).costs)
        return Batch(points, costs, None, ("solved",) * len(points))

    found = Sampler(max_iterations=20).search(evaluate, space, np.random.default_rng(0))
    assert (found.draws.points[..., 0] <= 0.7).all()
    assert np.isfinite(found.draws.costs).all()
    assert found.draws.points[1, 0, 0] > found.draws.points[0, 0, 0]


def test_chains_in_different_places_are_told():
    square = pybamm.InputParameter("c") ** 2
    record = fitted(
        line(
            parameters={"c": cw.Parameter("c", 1.0, (-3, 3)), "b": cw.Parameter("b", 2.0, WIDE), "a": square},
            initial_guesses=[{"c": 1.0}, {"c": -1.0}],
            optimizer=Sampler(max_iterations=200),
        )
    )
    assert record.result["r_hat"]["c"] > 1.5
    (apart,) = (text for text in record.warnings if "do not agree" in text)
    assert re.search(r"on 'c'.*R-hat is \d\.\d+, and 1.01 at most.*raise max_iterations", apart)
    assert any("worth" in text and "independent ones, and 200 are needed" in text for text in record.warnings)


def test_doubts_are_put_in_words():
    good = {"acceptance_rate": 0.3, "r_hat": {"a": 1.002}, "ess": {"a": 900.0}}
    assert list(doubts(good, 4)) == []
    assert "one chain alone" in next(doubts(good, 1))
    stuck = list(doubts({"acceptance_rate": 0.002, "r_hat": {"a": None}, "ess": {"a": None}}, 4))
    assert [text[:24] for text in stuck] == [
        "the chains hardly move, ",
        "the chains do not agree ",
        "the draws of 'a' are wor",
    ]
    assert "there is no R-hat" in stuck[1]


@pytest.mark.parametrize(
    ("cost", "at"),
    [
        (None, ("cost",)),
        (cw.costs.ChiSquare(variable_standard_deviations={V: NOISE}), ("cost",)),
        (cw.costs.MultiCost(costs=[cw.costs.WeightedCost(cost=LIKELIHOOD, weight=2.0)]), ("cost",)),
        (cw.costs.MultiCost(costs=[LIKELIHOOD]), None),
        (LIKELIHOOD, None),
    ],
    ids=["default", "chi-square", "weighted", "sum", "likelihood"],
)
def test_a_cost_that_is_no_likelihood_is_told_and_does_not_keep_a_fit_from_running(cost, at):
    told = [(place, text) for place, text in problems(line(cost)) if "likelihood" in text]
    assert [place for place, _ in told] == ([at] if at else [])
    assert all("says nothing of what is known" in text and "GaussianLogLikelihood" in text for _, text in told)
    own = cw.DataFit(objective(TIME, DATA, cost=LIKELIHOOD), parameters=free(a=1.0, b=2.0), optimizer=Sampler())
    assert problems(own) == []
    assert problems(line(cw.costs.SSE(), optimizer=cw.optimizers.ScipyMinimize())) == []
    assert fitted(line(cost, optimizer=Sampler(max_iterations=10))).status == "completed"


REFUSED = {
    "burn-in": ({"max_iterations": 100, "burnin_iterations": 100}, "burnin_iterations", "leaves nothing of 100"),
    "negative": ({"burnin_iterations": -1}, "burnin_iterations", "0 draws at least"),
    "none": ({"max_iterations": 0}, "max_iterations", "1 draw at least"),
    "phase": ({"initial_phase_iterations": 200}, "initial_phase_iterations", "part of the burn-in of 100"),
    "one parameter": ({"method": "RelativisticMCMC"}, "method", "two parameters"),
    "method": ({"method": "NoUTurnMC"}, "method", "there is no method 'NoUTurnMC'"),
}


@pytest.mark.parametrize(("fields", "field", "told"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_sampled_is_told_with_its_place(fields, field, told):
    one = line(parameters=free(a=1.0), optimizer=Sampler(**fields))
    found = problems(one, {"b": 2.0})
    assert any(at == ("optimizer", field) and told in text for at, text in found), found


def test_a_record_keeps_its_draws_beside_its_json():
    record = fitted(line(optimizer=Sampler(max_iterations=20)))
    assert set(record.curves) == {"CurrentDriven"}
    document = json.loads(json.dumps(record.to_dict()))
    assert document["result"]["chains"] is None
    again = ElementRecord.from_dict(document, {CHAINS: record.series[CHAINS]}).posterior
    found = record.posterior
    assert np.array_equal(again.chains, found.chains)
    assert np.array_equal(again.log_pdfs, found.log_pdfs)
    assert again.chains.shape == (4, 20, 2)
    assert again.marginal("a").shape == (4 * 18,)
    assert again.posterior_mean()["b"] == pytest.approx(again.marginal("b").mean())
    low, high = again.credible_interval("a", 0.5)
    assert np.mean((again.marginal("a") > low) & (again.marginal("a") < high)) == pytest.approx(0.5, abs=2 / 72)
    assert record.intervals["a"] == again.credible_interval("a")
    assert ElementRecord.from_dict(document).posterior is None
    with pytest.raises(cw.CellwrightError, match=r"no parameter 'c'.*there are 'a', 'b'"):
        found.marginal("c")
    with pytest.raises(cw.CellwrightError, match="between 0 and 1, and 95"):
        found.credible_interval("a", 95)


def test_a_sampler_that_breaks_down_is_told_in_our_words(monkeypatch):
    import pints

    def broken(self):
        raise ValueError("array must not contain infs or NaNs")

    monkeypatch.setattr(pints.HaarioBardenetACMC, "_generate_proposal", broken)
    with pytest.raises(cw.CellwrightError, match="HaarioBardenetACMC broke down after 1 draws: array must not"):
        fitted(line(optimizer=Sampler(method="HaarioBardenetACMC")))


def test_the_same_run_gives_the_same_bits():
    one = line(optimizer=Sampler(method="NoUTurnMCMC", max_iterations=20))
    chains = [fitted(one, within=world(now=now)).posterior.chains for now in ("2026-01-01", "2026-02-01")]
    assert np.array_equal(*chains)


DN, DP = "Negative particle diffusivity [m2.s-1]", "Positive particle diffusivity [m2.s-1]"


def test_the_posterior_of_a_cell_model_is_as_wide_as_its_linearised_fit():
    truth, noise = {DN: 2e-14, DP: 5e-15}, 1e-3
    cell = published().merge(truth, Origin("truth"))
    data = discharge(cell, noise=noise, points=51)
    known = {name: value for name, value in cell.values_.items() if name not in truth}
    starts = {DN: (6e-14, (1e-15, 1e-12)), DP: (2e-15, (1e-16, 1e-13))}

    def parameters(started):
        given = {n: cw.Parameter(n, at if started else None, bounds) for n, (at, bounds) in starts.items()}
        return {name: cw.transforms.Log10(one) for name, one in given.items()}

    objective_ = cw.objectives.CurrentDriven(data, options={"model": "SPM"})
    sample = cw.DataFit(
        objective_,
        parameters=parameters(False),
        cost=cw.costs.GaussianLogLikelihood(sigma={V: noise}),
        optimizer=Sampler(max_iterations=300),
        options={"seed": 3},
    )
    elements = {
        "known": cw.direct_entries.DirectEntry(known, source="truth"),
        "fit": cw.DataFit(objective_, parameters=parameters(True)),
        "sample": sample,
        "after": cw.Validation({"1C": objective_}),
    }
    run_ = cw.run(cw.Pipeline(elements))
    record, fit = run_.element("sample"), run_.element("fit")
    found = record.posterior
    linear = record.result["identifiability"]["parameters"]
    for name, true in truth.items():
        row = found.posterior_summary[name]
        assert abs(row["mean"] - true) < 4 * row["std"]  # missed by one noise in 16,000
        assert max(found.r_hat.values()) < 1.05
        # The noise of a standard deviation from so many draws; the voltage bends over the width of the posterior, some
        # thousandths of the value, by less than as much again.
        relative = row["std"] / row["mean"]
        assert 1e-4 < relative < 0.1
        tolerance = 4 / np.sqrt(2 * found.ess[name]) + relative
        assert row["std"] == pytest.approx(linear[name]["std_error"], rel=tolerance)
        assert found.chains[0, 0, found.parameter_names.index(name)] == fit.result["parameter_values"][name]
        assert run_.parameters[name] == record.result["parameter_values"][name]
    shared = np.corrcoef(found.marginal(DN), found.marginal(DP))[0, 1]
    assert shared == pytest.approx(record.result["identifiability"]["correlation"][0][1], abs=0.15)
