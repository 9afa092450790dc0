"""Fits: parameters come back from synthetic cells with known truth."""

import numpy as np
import pytest

import cellwright as cw
from cellwright.schema.parameters import Origin
from cellwright.testing.cells import discharge, published

DN, DP = "Negative particle diffusivity [m2.s-1]", "Positive particle diffusivity [m2.s-1]"
EN, EP = (f"{e} electrode active material volume fraction" for e in ("Negative", "Positive"))
TRUTH = {DN: 2e-14, DP: 5e-15}
CELL = published().merge(TRUTH, Origin("truth"))


def known(*drop):
    return cw.direct_entries.DirectEntry({n: v for n, v in CELL.values_.items() if n not in drop}, source="truth")


def objective(data, model="SPM"):
    return cw.objectives.CurrentDriven(data, options={"model": model})


def diffusivities(**changes):
    start = {DN: 6e-14, DP: 2e-15} | changes
    bounds = {DN: (1e-15, 1e-12), DP: (1e-16, 1e-13)}
    return {n: cw.transforms.Log10(cw.Parameter(n, start[n], bounds[n])) for n in start}


def fitted(element, *drop):
    return cw.run(cw.Pipeline({"known": known(*drop), "fit": element})).element("fit")


@pytest.mark.parametrize(
    ("optimizer", "tolerance"),
    # Exact data: least squares ends at its xtol; gradients of the scalar cost and a small population end less sharply.
    [
        (cw.optimizers.ScipyLeastSquares(), 2e-3),
        (cw.optimizers.ScipyMinimize(), 5e-2),
        (cw.optimizers.ScipyDifferentialEvolution(max_iterations=15, population_size=8), 5e-2),
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_estimator_recovers_two_diffusivities(optimizer, tolerance):
    element = cw.DataFit(
        objective(discharge(CELL)), parameters=diffusivities(), optimizer=optimizer, options={"seed": 0}
    )
    record = fitted(element, DN, DP)
    for name, true in TRUTH.items():
        assert record.result["parameter_values"][name] == pytest.approx(true, rel=tolerance)


def test_noise_is_reached_and_not_overfitted():
    # 1 mV of noise on 101 points: the RMSE of a right model is 1 mV within 3/sqrt(2·101) = 21 %.
    element = cw.DataFit(objective(discharge(CELL, noise=1e-3)), parameters=diffusivities())
    record = fitted(element, DN, DP)
    rmse = record.result["objectives"]["CurrentDriven"]["RMSE [mV] (Voltage [V])"]
    assert rmse["fitted"] == pytest.approx(1.0, rel=0.21)
    assert rmse["initial"] > 5
    for name, true in TRUTH.items():
        assert record.result["parameter_values"][name] == pytest.approx(true, rel=0.1)


@pytest.mark.oracle("GaussianLogLikelihood", "Prior")
def test_the_noise_of_a_measurement_is_fitted_beside_the_parameters():
    points, noise = 101, 1e-3
    parameters = {**diffusivities(), "noise [V]": cw.transforms.Log(cw.Parameter("noise [V]", 0.01, (1e-5, 1.0)))}
    record = fitted(
        cw.DataFit(
            objective(discharge(CELL, noise=noise, points=points)),
            parameters=parameters,
            priors=[cw.priors.Prior(n, cw.stats.LogNormal(np.log(2 * true), 1.0)) for n, true in TRUTH.items()],
            cost=cw.costs.GaussianLogLikelihood(sigma={"Voltage [V]": "noise [V]"}),
        ),
        DN,
        DP,
    )
    found = record.result["parameter_values"]
    # Two standard errors of a standard deviation, σ/√(2N).
    assert abs(found["noise [V]"] - noise) < 2 * noise / np.sqrt(2 * points)
    for name, true in TRUTH.items():
        assert found[name] == pytest.approx(true, rel=0.1)


@pytest.mark.parametrize("factors", [(3, 3), (3, 1 / 3), (1 / 3, 3), (1 / 3, 1 / 3)])
def test_least_squares_finds_the_way_from_every_side(factors):
    # A factor 3 off, some starts end early: the cost has to stay continuous there.
    start = {name: true * factor for (name, true), factor in zip(TRUTH.items(), factors, strict=True)}
    data = discharge(CELL, model="SPMe", duration=3400, points=151, noise=1e-3)
    element = cw.DataFit(objective(data, "SPMe"), parameters=diffusivities(**start))
    record = fitted(element, DN, DP)
    for name, true in TRUTH.items():
        assert record.result["parameter_values"][name] == pytest.approx(true, rel=0.1)


def test_two_rates_balance_the_electrodes():
    truth = {EN: 0.7, EP: 0.62}
    cell = CELL.merge(truth, Origin("truth"))
    objectives = {
        "C/2": objective(discharge(cell, current=2.5, duration=6000)),
        "1C": objective(discharge(cell, current=5.0, duration=2800)),
    }
    parameters = {EN: cw.Parameter(EN, 0.75, (0.5, 0.9)), EP: cw.Parameter(EP, 0.665, (0.45, 0.9))}
    record = fitted(cw.DataFit(objectives, parameters=parameters), EN, EP)
    for name, true in truth.items():
        assert record.result["parameter_values"][name] == pytest.approx(true, rel=1e-3)
    assert set(record.series) == {"C/2", "1C"}
    # Two objectives: each evaluation, the start and the end, and the best point with a step to both sides of each.
    assert record.counts["solves"] == 2 * (record.counts["evaluations"] + 2 + 5)


def test_starts_are_ordered_by_cost_and_the_best_is_the_result():
    element = cw.DataFit(
        objective(discharge(CELL, points=31)), parameters=diffusivities(), multistarts=3, options={"seed": 5}
    )
    first, again = (fitted(element, DN, DP) for _ in range(2))
    costs = [child["cost"] for child in first.result["children"]]
    assert len(costs) == 3
    assert costs == sorted(costs)
    assert first.result["cost"] == costs[0]
    assert first.result["parameter_values"] == again.result["parameter_values"]
    guesses = {tuple(child["initial_guess"].values()) for child in first.result["children"]}
    assert len(guesses) == 3


def test_worker_processes_give_the_same_bits_as_this_process():
    objectives = {
        "C/2": objective(discharge(CELL, current=2.5, points=31)),
        "1C": objective(discharge(CELL, points=31)),
    }
    pipeline = cw.Pipeline({"known": known(DN, DP), "fit": cw.DataFit(objectives, parameters=diffusivities())})
    here, there = (cw.run(pipeline, executor=kind).element("fit") for kind in ("inline", "processes"))
    assert here.result["parameter_values"] == there.result["parameter_values"]
    assert here.result["cost"] == there.result["cost"]


def test_a_fit_carries_through_expressions_that_wait_for_it():
    free = EP
    pipeline = cw.Pipeline({
        "known": known(free),
        "Q": cw.calculations.ElectrodeCapacity("positive"),
        "fit": cw.DataFit(objective(discharge(CELL, points=31)), parameters={free: cw.Parameter(free, 0.6, (0.5, 1))}),
    })  # fmt: skip
    result = cw.run(pipeline)
    assert result.element("Q").unresolved == {"Positive electrode capacity [A.h]": [free]}
    fitted_fraction = result.parameters.number(free)
    full = 63104.0 * fitted_fraction * 7.56e-5 * 0.065 * 1.58 * 96485.33212331 / 3600
    assert result.parameters.number("Positive electrode capacity [A.h]") == pytest.approx(full, rel=1e-9)


def test_a_parameter_at_its_bound_is_told():
    parameters = {DN: cw.transforms.Log10(cw.Parameter(DN, 6e-14, (4e-14, 1e-12)))}
    record = fitted(cw.DataFit(objective(discharge(CELL, points=31)), parameters=parameters), DN)
    assert record.result["parameters"][0]["at_bound"] == "lower"


def test_a_search_in_which_nothing_can_be_solved_is_one_clear_error():
    name = "Maximum concentration in negative electrode [mol.m-3]"
    data = discharge(CELL, points=11)
    element = cw.DataFit(objective(data), parameters={name: cw.Parameter(name, -5.0, (-10.0, -1.0))})
    with pytest.raises(cw.CellwrightError, match=r"not one of .* points could be solved") as error:
        fitted(element, name)
    assert error.value.at[0] == "fit"


def test_validation_has_rmse_mae_and_max_in_millivolts():
    data = discharge(CELL, points=31)
    shifted = data | {"Voltage [V]": (np.array(data["Voltage [V]"]) + 0.01).tolist()}
    result = cw.run(cw.Pipeline({"known": known(), "validate": cw.Validation({"shifted": objective(shifted)})}))
    rows = result.element_results["validate"]["summary_stats"]["shifted"]
    assert [row["name"].split()[0] for row in rows] == ["RMSE", "MAE", "Max"]
    # 10 mV everywhere, exactly: model and data come from the same integrator.
    assert [row["value"] for row in rows] == pytest.approx([10.0] * 3, rel=1e-6)


def test_limits_stop_a_search_at_its_best_point():
    element = cw.DataFit(
        objective(discharge(CELL, points=31)), parameters=diffusivities(), options={"max_iterations": 1}
    )
    record = fitted(element, DN, DP)
    assert not record.result["success"]
    assert record.result["cost"] <= record.trace[0]["cost"]


def test_a_point_estimate_leaves_the_parameters_at_their_start():
    element = cw.DataFit(
        objective(discharge(CELL, points=31)),
        parameters=diffusivities(),
        optimizer=cw.optimizers.PointEstimateOptimizer(),
        options={"max_iterations": 5},
    )
    fit = fitted(element, DN, DP)
    start = [dimension.initial for dimension in element.dimensions]
    assert fit.result["x"] == pytest.approx(start, rel=1e-12, abs=0)
    assert fit.result["evaluations"] == 1
    assert fit.result["cost"] > 0
