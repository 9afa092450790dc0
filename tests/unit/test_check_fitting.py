"""Costs, transforms and distributions in a fit: what the check tells of them, and that a run finds the truth."""

import warnings

import numpy as np
import pytest

import cellwright as cw
from cellwright.engine.objectives import statistics
from cellwright.testing.cells import discharge, published

V = "Voltage [V]"
DIFFUSIVITY = "Positive particle diffusivity [m2.s-1]"
PUBLISHED = published()
DATA = {"Time [s]": [0.0, 10.0, 20.0], "Current [A]": [5.0, 5.0, 5.0], V: [4.0, 3.99, 3.98]}
KNOWN = cw.direct_entries.DirectEntry(dict(PUBLISHED.values_), source="Chen2020")


def pipeline(data=DATA, **fields):
    free = {DIFFUSIVITY: cw.Parameter(DIFFUSIVITY, 3e-15, (1e-15, 1e-14))}
    objectives = {"o": cw.objectives.CurrentDriven(data, options={"model": "SPM"})}
    fit = cw.DataFit(**{"objectives": objectives, "parameters": free, **fields})
    return cw.Pipeline({"known": KNOWN, "fit": fit})


def errors(**fields):
    return [problem for problem in cw.check(pipeline(**fields)).problems if problem.severity == "error"]


@pytest.mark.parametrize(("cost", "at", "told"), [
    (cw.costs.ChiSquare(variable_standard_deviations={"Voltage": 1}), "variable_standard_deviations", "'Voltage'"),
    (cw.costs.ChiSquare(variable_standard_deviations={}), "variable_standard_deviations", "no standard deviation"),
    (cw.costs.GaussianLogLikelihood(sigma={}), "sigma", "no standard deviation"),
    (cw.costs.GaussianLogLikelihood(sigma={V: "noise"}), "sigma", "'noise' is no parameter of the fit"),
    (cw.costs.Wasserstein(position_variable=V, weight_variable="dQ"), "weight_variable", "'dQ' is not there"),
])  # fmt: skip
def test_costs_that_do_not_go_with_the_data_are_told(cost, at, told):
    (problem,) = errors(cost=cost)
    assert problem.at[:3] == ("fit", "cost", at)
    assert told in problem.message


@pytest.mark.parametrize("cost", [
    cw.costs.ChiSquare(variable_standard_deviations={V: 0.01}),
    cw.costs.GaussianLogLikelihood(sigma={V: 0.01}),
    cw.costs.Wasserstein(),
    cw.costs.MultiCost(costs=[cw.costs.MSE(), cw.costs.Max()]),
])  # fmt: skip
def test_costs_that_do_are_sound(cost):
    assert errors(cost=cost) == []


def test_a_cost_without_residuals_needs_another_estimator():
    least = cw.optimizers.ScipyLeastSquares()
    (problem,) = errors(cost=cw.costs.MultiCost(costs=[cw.costs.SSE(), cw.costs.RMSE()]), optimizer=least)
    assert "MultiCost has none" in problem.message
    assert errors(cost=cw.costs.MultiCost(costs=[cw.costs.SSE(), cw.costs.MSE()]), optimizer=least) == []


def test_priors_alone_are_sound_and_a_misspelt_one_is_told():
    prior = cw.priors.Prior(DIFFUSIVITY, cw.stats.LogNormal(-33, 1))
    assert errors(parameters=None, priors={DIFFUSIVITY: prior}) == []
    misspelt = DIFFUSIVITY.replace("diffus", "difus")
    (problem,) = errors(parameters=None, priors=cw.priors.Prior(misspelt, cw.stats.LogNormal(-33, 1)))
    assert problem.at == ("fit", "priors", misspelt)
    assert f"did you mean {DIFFUSIVITY!r}" in problem.hint


def test_a_chain_that_starts_where_the_elements_before_left_it_is_sound():
    chain = cw.transforms.Log(cw.transforms.Inverse(cw.Parameter(DIFFUSIVITY, bounds=(1e-15, 1e-14))))
    assert errors(parameters={DIFFUSIVITY: chain}, multistarts=2) == []


@pytest.mark.parametrize("transform", ["Inverse", "Log", "Negate"])
def test_a_fit_in_another_variable_finds_the_truth(transform, tmp_path, monkeypatch):
    monkeypatch.setenv("CELLWRIGHT_HOME", str(tmp_path))
    free = getattr(cw.transforms, transform)(cw.Parameter(DIFFUSIVITY, 2e-15, (1e-15, 1e-14)))
    cost = cw.costs.ChiSquare(variable_standard_deviations={V: 1e-3})
    data = discharge(PUBLISHED, duration=1500.0, points=51)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        result = cw.run(pipeline(data, parameters={DIFFUSIVITY: free}, cost=cost))
    found = result.element_results["fit"]["parameter_values"][DIFFUSIVITY]
    assert found == pytest.approx(PUBLISHED.values_[DIFFUSIVITY], rel=1e-2)


def test_statistics_are_told_in_the_units_of_their_costs():
    model, data = np.array([4.001, 3.9]), np.array([4.0, 3.9])
    costs = [cw.costs.MSE(), cw.costs.Wasserstein(), cw.costs.ChiSquare(variable_standard_deviations={V: 1e-3})]
    told = dict(statistics(model, data, V, costs))
    assert told == pytest.approx({f"MSE [mV2] ({V})": 0.5, f"Wasserstein [mV] ({V})": 0.5, f"ChiSquare ({V})": 1.0})
