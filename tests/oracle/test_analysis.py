"""Confidence intervals and sensitivities at a fitted point: closed forms, a likelihood known in full, Ishigami."""

import json

import numpy as np
import pytest
from curves import LINE, TIME, Curve, V, X, done, free, measured, world
from scipy.stats import norm, t

import cellwright as cw
from cellwright.engine.world import MemoryJournal
from cellwright.errors import CheckFailedError, ConfigurationError, SolverError

PI = np.pi


def fit_and_interval(objective, parameters, **fields):
    fit = cw.DataFit(objective, parameters=parameters)
    return done(fit=fit, ci=cw.LinearConfidenceInterval(objective, parameters=parameters, **fields))


def covariance(record):
    return np.array(record.result["covariance"], dtype=float)


@pytest.mark.oracle("LinearConfidenceInterval")
@pytest.mark.parametrize("gauss_newton", [True, False])
def test_intervals_of_a_line_are_those_of_linear_regression(gauss_newton):
    y, objective = measured("line", a=1.0, b=2.0)
    result = fit_and_interval(objective, LINE, gauss_newton=gauss_newton, confidence_level=0.9)
    record = result.element("ci")
    best, sse, *_ = np.linalg.lstsq(X, y)
    exact = sse[0] / (len(TIME) - 2) * np.linalg.inv(X.T @ X)
    # Linear model, quadratic likelihood: both are exact but for rounding.
    assert covariance(record) == pytest.approx(exact, rel=1e-5)
    for place, name in enumerate("ab"):
        low, high = t.interval(0.9, len(TIME) - 2, best[place], np.sqrt(exact[place, place]))
        assert record.result["intervals"][name] == pytest.approx({"lower": low, "upper": high}, rel=1e-5)
    assert record.result["type"] == "ConfidenceIntervalResult"
    assert record.result["method"] == "linear"
    assert record.result["point"] == pytest.approx(result.element("fit").result["parameter_values"])
    assert record.warnings == ()
    assert result.parameters.origins["a"].element == "fit"


def test_a_given_noise_gives_normal_quantiles():
    y, objective = measured("line", a=1.0, b=2.0)
    record = fit_and_interval(objective, LINE, variable_standard_deviations={V: 0.07}).element("ci")
    exact = 0.07**2 * np.linalg.inv(X.T @ X)
    assert covariance(record) == pytest.approx(exact, rel=1e-6)
    low, high = norm.interval(0.95, np.linalg.lstsq(X, y)[0][1], np.sqrt(exact[1, 1]))
    assert record.result["intervals"]["b"] == pytest.approx({"lower": low, "upper": high}, rel=1e-6)


def test_the_curvature_of_a_likelihood_is_that_of_its_second_derivatives():
    # y = a exp(-b x): the Hessian of ½ Σ r²/σ² by hand has, beside JᵀJ, the second derivatives times the residuals.
    y, objective = measured("decay", noise=0.4, a=2.0, b=0.7)
    sigma = 0.4
    fields = {"variable_standard_deviations": {V: sigma}}
    parameters = free(a=(1.5, 0.1, 10), b=(1.0, 0.1, 10))
    plain = fit_and_interval(objective, parameters, **fields).element("ci")
    record = fit_and_interval(objective, parameters, gauss_newton=False, **fields).element("ci")
    a, b = record.result["point"].values()
    e = np.exp(-b * TIME)
    r, J = a * e - y, np.column_stack([e, -a * TIME * e])
    second = np.array([[0.0, -r @ (TIME * e)], [-r @ (TIME * e), r @ (a * TIME**2 * e)]])
    H = (J.T @ J + second) / sigma**2
    # Steps are one conditional standard error, 7 to 15 % of a parameter here: of fourth order they err by about 2 %.
    assert covariance(record) == pytest.approx(np.linalg.inv(H), rel=2e-2)
    assert covariance(plain) == pytest.approx(sigma**2 * np.linalg.inv(J.T @ J), rel=1e-3)
    assert np.abs(covariance(plain) / np.linalg.inv(H) - 1).max() > 0.035


def test_bounds_end_the_intervals_if_asked_for():
    _, objective = measured("line", noise=2.0, a=1.0, b=2.0)
    narrow = free(a=(0.5, -5, 5), b=(1, -5, 2.2))
    kept = fit_and_interval(objective, narrow).element("ci").result["intervals"]["b"]
    free_of = fit_and_interval(objective, narrow, use_parameter_bounds=False).element("ci").result["intervals"]["b"]
    assert kept["upper"] == 2.2
    assert free_of["upper"] > 2.2
    assert kept["lower"] == pytest.approx(free_of["lower"])


def test_what_is_not_determined_has_its_bounds_for_an_interval():
    _, objective = measured("product", a=2.0, b=3.0, c=1.0)
    parameters = free(a=(1, 0.1, 10), b=(2, 0.2, 20), c=(0, -5, 5))
    record = fit_and_interval(objective, parameters).element("ci")
    assert record.result["intervals"]["b"] == {"lower": 0.2, "upper": 20.0}
    assert "only their product is determined" in record.result["identifiability"]["words"][0]
    open_ended = fit_and_interval(objective, parameters, use_parameter_bounds=False).element("ci")
    assert open_ended.result["intervals"]["b"] == {"lower": None, "upper": None}
    assert json.dumps(open_ended.result, allow_nan=False)


def test_an_own_guess_comes_before_what_a_fit_has_left():
    _, objective = measured("line", a=1.0, b=2.0)
    record = fit_and_interval(objective, LINE, initial_guesses={"b": 1.5}).element("ci")
    assert record.result["point"]["b"] == pytest.approx(1.5)
    assert record.result["point"]["a"] == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"confidence_level": 1.2}, r"ci › confidence_level: .*between 0 and 1"),
        ({"variable_standard_deviations": {"Voltage": 1.0}}, r"no objective has the variable 'Voltage'"),
        ({"variable_standard_deviations": {V: -1.0}}, r"standard deviation of 'Voltage \[V\]' is -1.0"),
    ],
)
def test_the_check_tells_what_an_interval_cannot_be(fields, message):
    _, objective = measured("line", a=1.0, b=2.0)
    given = {"parameters": LINE} | fields
    elements = {"fit": cw.DataFit(objective, parameters=LINE), "ci": cw.LinearConfidenceInterval(objective, **given)}
    with pytest.raises(CheckFailedError, match=message):
        done(**elements)


def test_an_interval_at_a_value_outside_its_bounds_is_refused():
    _, objective = measured("line", noise=0.0, a=1.0, b=2.0)
    fit = cw.DataFit(objective, parameters=LINE)
    interval = cw.LinearConfidenceInterval(objective, parameters=free(a=(0, -5, 5), b=(7, 6, 8)))
    with pytest.raises(ConfigurationError, match="leave 'b' at 2, outside the bounds given here") as error:
        done(fit=fit, ci=interval)
    assert error.value.at == ("ci", "parameters", "b")


def ishigami_at(costs):
    """Return an objective of one point whose cost is the Ishigami function: its distance from data far below it."""
    data = {"Time [s]": [0.0, 1.0], "Current [A]": [1.0, 1.0], V: [-costs, -costs]}
    return cw.objectives.CurrentDriven(data, options={"model": "ishigami"})


@pytest.mark.oracle("SobolSensitivity")
def test_the_indices_of_ishigami_and_homma():
    # Ishigami & Homma (1990); variances in closed form: V₁ = ½ (1 + bπ⁴/5)², V₂ = a²/8, V₁₃ = b²π⁸ (1/18 - 1/50).
    A, B = 7.0, 0.1
    first, second = 0.5 * (1 + B * PI**4 / 5) ** 2, A**2 / 8
    both = B**2 * PI**8 * (1 / 18 - 1 / 50)
    total = first + second + both
    parameters = free(a=(0.1, -PI, PI), b=(0.1, -PI, PI), c=(0.1, -PI, PI))
    # MAE of a model that is above the data everywhere is the model itself, up to a constant.
    element = cw.SobolSensitivity(
        ishigami_at(100.0),
        parameters=parameters,
        cost=cw.costs.MAE(normalization="identity"),
        n_samples=1024,
        calc_second_order=True,
        options={"seed": 1},
    )
    record = done(sobol=element).element("sobol")
    result = record.result
    exact = {"a": first / total, "b": second / total, "c": 0.0}
    # A Sobol sequence of 1024 base points errs by about 1e-2 (the half-widths below are of the same size).
    assert result["first_order"] == pytest.approx(exact, abs=0.03)
    exact_total = {"a": (first + both) / total, "b": second / total, "c": both / total}
    assert result["total_order"] == pytest.approx(exact_total, abs=0.03)
    assert result["second_order"]["a"]["c"] == pytest.approx(both / total, abs=0.06)
    assert result["second_order"]["a"]["b"] == pytest.approx(0.0, abs=0.06)
    assert set(result["first_order_ci"]) == set("abc")
    assert result["evaluation_stats"]["evaluations"] == 1024 * 8
    assert result["type"] == "SensitivityResult"
    assert [name for name, _ in record.top_contributors(2)] == ["a", "b"]
    assert [name for name, _ in record.top_contributors(1, kind="first")] == ["b"]
    assert json.dumps(result, allow_nan=False)


def test_the_logarithm_spreads_a_parameter_over_its_decades():
    seen = []

    class Watched(Curve):
        def solve(self, inputs):
            seen.append(inputs["a"])
            return super().solve(inputs)

    _, objective = measured("decay", a=2.0, b=0.7)
    parameters = free(a=(1, 1e-3, 1e3), b=(1, 0.1, 10))
    for log, median in ((False, 500.0), (True, 1.0)):
        seen.clear()
        element = cw.SobolSensitivity(
            objective, parameters=parameters, n_samples=64, use_log_transform=log, options={"seed": 0}
        )
        record = done(world(simulate=Watched, worker_simulate=Watched), sobol=element).element("sobol")
        assert record.result["log_transformed"] is log
        assert np.median(seen) == pytest.approx(median, rel=0.3)


def test_failures_are_counted_and_their_base_points_left_out():
    _, objective = measured("line", a=1.0, b=2.0)
    element = cw.SobolSensitivity(objective, parameters=LINE, n_samples=128, options={"seed": 0})
    record = done(given={"d": 4.0}, sobol=element).element("sobol")
    stats = record.result["evaluation_stats"]
    # a is above d = 4 in a tenth of -5 to 5.
    assert stats["failed"] == record.counts["failed"] == pytest.approx(0.1 * 128 * 4, rel=0.1)
    assert 0 < stats["base_points_left_out"] < 0.3 * 128
    assert "of the points could not be solved" in record.warnings[0]
    with pytest.raises(SolverError, match="could not be solved"):
        done(given={"d": -6.0}, sobol=element)


def test_a_sensitivity_that_was_stopped_goes_on():
    _, objective = measured("line", a=1.0, b=2.0)
    element = cw.SobolSensitivity(objective, parameters=LINE, n_samples=128)
    journal = MemoryJournal()
    first = done(world(journal=journal), sobol=element).element("sobol")
    again = done(world(journal=journal), sobol=element).element("sobol")
    assert again.counts["replayed"] == 128 * 4
    assert again.result["total_order"] == first.result["total_order"]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"n_samples": 2}, "8 base points at least, not 2"),
        ({"use_log_transform": True}, "'a' has no logarithm at its lower bound -5"),
        ({"parameters": {"a": cw.Parameter("a", 1.0), "b": LINE["b"]}}, "between bounds, and 'a' has not both"),
    ],
)
def test_the_check_tells_what_a_sensitivity_cannot_be(fields, message):
    _, objective = measured("line", a=1.0, b=2.0)
    with pytest.raises(CheckFailedError, match=message):
        done(sobol=cw.SobolSensitivity(objective, **{"parameters": LINE} | fields))
