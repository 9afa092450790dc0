"""What data say of parameters: against regression in closed form, scipy's covariance, repeated noise, and in words."""

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest
from curves import LINE, TIME, V, X, done, free, measured, world
from scipy.optimize import curve_fit
from scipy.stats import norm, t

import cellwright as cw
from cellwright.compute.inline import InlinePool
from cellwright.engine.linearisation import blocks_of
from cellwright.engine.search import TotalCost
from cellwright.engine.verdicts import verdicts
from cellwright.engine.world import MemoryJournal
from cellwright.errors import CanceledError, SolverError
from cellwright.physics.identifiability import determination, slopes
from cellwright.schema.expressions import parameter
from cellwright.schema.parameters import Origin
from cellwright.schema.search import Space
from cellwright.testing.cells import discharge, published


def fitted(objectives, parameters, given=None, where=None, **fields):
    return done(where, given, fit=cw.DataFit(objectives, parameters=parameters, **fields)).element("fit")


def covariance(record):
    return np.array(record.result["identifiability"]["covariance"], dtype=float)


def test_a_line_has_the_covariance_of_linear_regression():
    y, objective = measured("line", a=1.0, b=2.0)
    record = fitted(objective, LINE)
    best, sse, *_ = np.linalg.lstsq(X, y)
    exact = sse[0] / (len(TIME) - 2) * np.linalg.inv(X.T @ X)
    # The model is linear, so differences err by rounding alone; the search ends within 1e-8.
    assert covariance(record) == pytest.approx(exact, rel=1e-6)
    for row, value, variance in zip(record.result["parameters"], best, np.diag(exact), strict=True):
        assert row["std_error"] == pytest.approx(np.sqrt(variance), rel=1e-6)
        expected = t.interval(0.95, len(TIME) - 2, value, np.sqrt(variance))
        assert row["interval"] == pytest.approx(expected, rel=1e-6)
    assert record.result["identifiability"]["words"] == []


def test_a_constraint_that_is_kept_gives_the_intervals_of_a_tied_parameter():
    """y = a + b t with a + b = 3 is y - 3 = b (t - 1), of one parameter."""
    y, objective = measured("line", a=1.0, b=2.0)
    constraint = cw.priors.Constraint(parameter("a") + parameter("b") - 3, 1e8)
    record = fitted(objective, LINE, constraints=[constraint])
    b = float((y - 3) @ (TIME - 1) / ((TIME - 1) @ (TIME - 1)))
    sse = float(np.sum((y - 3 - b * (TIME - 1)) ** 2))
    variance = sse / (len(TIME) - 1) / float((TIME - 1) @ (TIME - 1))
    # The penalty of a finite weight leaves 1e-7 of the sum.
    assert covariance(record) == pytest.approx(variance * np.array([[1, -1], [-1, 1]]), rel=1e-4)
    assert record.result["identifiability"]["undetermined"] == []


TRANSFORMS = [None, "Identity", "Log", "Log10", "Exp", "Pow10", "Inverse", "Negate"]


@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("bounds", [(0.1, 3.0), None], ids=["bounded", "free"])
def test_a_decay_has_the_covariance_of_scipy_in_every_variable(transform, bounds):
    y, objective = measured("decay", noise=0.01, a=2.0, b=0.7)
    plain = {name: cw.Parameter(name, start, bounds) for name, start in (("a", 1.5), ("b", 1.0))}
    parameters = {n: getattr(cw.transforms, transform)(one) if transform else one for n, one in plain.items()}
    record = fitted(objective, parameters)
    _, expected = curve_fit(lambda x, a, b: a * np.exp(-b * x), TIME, y, (1.5, 1.0), xtol=1e-12, ftol=1e-12)
    # Central differences with a step of 2 % err by step²/6 of the slope, 7e-5; scipy's own by about 1e-6. In the
    # variable 10^θ the model is bent so much more that it is 5e-3.
    tolerance = 1e-2 if transform in {"Exp", "Pow10"} else 1e-3
    assert covariance(record) == pytest.approx(expected, rel=tolerance)
    for row in record.result["parameters"]:
        low, high = row["interval"]
        assert low < row["value"] < high


def test_a_logarithmic_parameter_has_an_asymmetric_interval():
    _, objective = measured("decay", noise=0.2, a=2.0, b=0.7)
    record = fitted(objective, free(True, a=(1.5, 0.1, 10), b=(1.0, 0.1, 10)))
    for row in record.result["parameters"]:
        low, high = row["interval"]
        reach = t(len(TIME) - 2).ppf(0.975) * row["std_error"] / row["value"]
        assert high / row["value"] == pytest.approx(np.exp(reach), rel=1e-6)
        assert low / row["value"] == pytest.approx(np.exp(-reach), rel=1e-6)


def test_two_objectives_with_different_noise_each_count_with_their_own():
    first, quiet = measured("line", noise=0.01, a=1.0, b=2.0)
    second, loud = measured("line", noise=0.5, seed=1, a=1.0, b=2.0)
    cost = cw.costs.SSE(normalization="identity", objective_weights={"quiet": 4.0})
    record = fitted({"quiet": quiet, "loud": loud}, LINE, cost=cost)
    best = np.linalg.lstsq(5 * X.T @ X, X.T @ (4 * first + second))[0]
    # Weighted least squares with weights 4 and 1, and noise told from each objective's own residuals.
    n = len(TIME)
    s1, s2 = (np.sum((y - X @ best) ** 2) / n * 2 * n / (2 * n - 2) for y in (first, second))
    inverse = np.linalg.inv(5 * X.T @ X)
    exact = inverse @ (16 * s1 * X.T @ X + s2 * X.T @ X) @ inverse
    assert covariance(record) == pytest.approx(exact, rel=1e-6)


@pytest.mark.parametrize(("model", "combination"), [("product", "product"), ("ratio", "ratio"), ("sum", "sum")])
def test_two_parameters_that_appear_together_alone_are_named_in_words(model, combination):
    _, objective = measured(model, a=2.0, b=3.0, c=1.0)
    record = fitted(objective, free(a=(1, 0.1, 10), b=(2, 0.1, 10), c=(0, -5, 5)))
    found = record.result["identifiability"]
    assert found["words"][0] == (f"a and b cannot be told apart by these data: only their {combination} is determined")
    assert found["undetermined"][0]["parameters"] == ["a", "b"]
    rows = {row["name"]: row for row in record.result["parameters"]}
    assert rows["a"]["interval"] is None
    assert rows["b"]["std_error"] is None
    # The intercept of a line is not touched by what its slope is made of.
    sigma = found["noise"][0]["left"] * np.sqrt(len(TIME) / (len(TIME) - 3))
    assert rows["c"]["std_error"] == pytest.approx(sigma * np.sqrt(np.linalg.inv(X.T @ X)[0, 0]), rel=1e-3)


def test_two_pairs_are_told_one_by_one():
    _, objective = measured("two pairs", a=2.0, b=3.0, c=1.0, d=2.0)
    record = fitted(objective, free(a=(1, 0.1, 10), b=(2, 0.1, 10), c=(2, 0.1, 10), d=(1, 0.1, 10)))
    words = record.result["identifiability"]["words"]
    said = "{} cannot be told apart by these data: only their product is determined"
    assert {said.format("a and b"), said.format("c and d")} == set(words[:2])


def test_a_parameter_without_effect_is_told_and_does_not_spoil_the_others():
    y, objective = measured("idle", a=1.0, b=2.0, c=1.0)
    record = fitted(objective, free(a=(0.5, -5, 5), b=(1, -5, 5), c=(1, 0, 2)))
    found = record.result["identifiability"]
    assert found["without_effect"] == ["c"]
    assert found["words"] == ["c has no effect on these data"]
    exact = np.linalg.lstsq(X, y)[1][0] / (len(TIME) - 2) * np.linalg.inv(X.T @ X)
    assert covariance(record)[:2, :2] == pytest.approx(exact, rel=1e-6)


def test_what_the_noise_hides_is_told():
    # The columns x and x + x²/100 differ by 1 %: enough for exact data, not for these.
    parameters = free(a=(1, -3, 3), b=(1, -3, 3), c=(0, -3, 3))
    _, loud = measured("nearly", noise=0.3, a=1.0, b=1.0, c=0.5)
    _, quiet = measured("nearly", noise=1e-5, a=1.0, b=1.0, c=0.5)
    words = fitted(loud, parameters).result["identifiability"]["words"]
    assert words[0].startswith("a and b cannot be told apart by these data")
    told = fitted(quiet, parameters).result["identifiability"]
    assert told["undetermined"] == []
    assert told["words"][0].startswith("a and b are hard to tell apart by these data (correlation -")


def test_of_many_pairs_that_are_hard_to_tell_apart_the_strongest_are_named_and_the_rest_counted():
    names = list("abcde")
    correlation = [[None if i == j else -0.96 - 0.001 * (i + j) for j in range(5)] for i in range(5)]
    found = {"names": names, "correlation": correlation, "undetermined": [], "without_effect": [], "noise": []}
    words = verdicts(found)
    assert words[0] == "d and e are hard to tell apart by these data (correlation -0.967)"
    assert words[4:] == ["6 more pairs are hard to tell apart: look at the correlations"]
    found["undetermined"] = [{"parameters": names, "direction": dict.fromkeys(names)}]
    assert not any("hard to tell" in said for said in verdicts(found))


def test_a_parameter_at_its_bound_has_a_one_sided_slope_and_is_told():
    _, objective = measured("line", noise=0.01, a=1.0, b=2.0)
    record = fitted(objective, free(a=(0.5, -5, 5), b=(1, -5, 1.5)))
    found = record.result["identifiability"]
    assert found["at_bounds"] == {"b": "upper"}
    assert "b is at its upper bound, where its interval says little" in found["remarks"]
    assert record.result["parameters"][1]["interval"][1] == 1.5
    sigma = found["noise"][0]["sigma"]
    assert covariance(record) == pytest.approx(sigma**2 * np.linalg.inv(X.T @ X), rel=1e-6)


def test_a_side_that_fails_leaves_the_other():
    y, objective = measured("line", a=1.0, b=2.0)
    best = np.linalg.lstsq(X, y)[0][0]
    # Above d, within a step of the best a, the model cannot be solved.
    record = fitted(objective, LINE, {"d": best + 1e-6})
    assert record.counts["failed"] > 0
    sigma = record.result["identifiability"]["noise"][0]["sigma"]
    assert covariance(record) == pytest.approx(sigma**2 * np.linalg.inv(X.T @ X), rel=1e-6)


@pytest.mark.parametrize("cost", [cw.costs.RMSE(), cw.costs.MAE()], ids=["RMSE", "MAE"])
def test_a_cost_that_is_no_sum_of_squares_has_the_intervals_of_plain_differences(cost):
    _, objective = measured("line", a=1.0, b=2.0)
    parameters = LINE
    plain = fitted(objective, parameters)
    record = fitted(objective, parameters, cost=cost, optimizer=cw.optimizers.ScipyMinimize())
    sigma = record.result["identifiability"]["noise"][0]["sigma"]
    assert covariance(record) == pytest.approx(sigma**2 * np.linalg.inv(X.T @ X), rel=1e-6)
    assert sigma == pytest.approx(plain.result["identifiability"]["noise"][0]["sigma"], rel=0.1)
    (said,) = record.result["identifiability"]["remarks"]
    assert said.startswith(f"{type(cost).__name__} is no sum of squares: the intervals are those of the plain differ")


def test_a_noise_that_is_given_is_believed():
    _, objective = measured("line", noise=0.05, a=1.0, b=2.0)
    cost = cw.costs.ChiSquare(variable_standard_deviations={V: 0.02})
    record = fitted(objective, LINE, cost=cost)
    assert covariance(record) == pytest.approx(0.02**2 * np.linalg.inv(X.T @ X), rel=1e-6)
    row = record.result["parameters"][0]
    assert row["interval"] == pytest.approx(norm.interval(0.95, row["value"], row["std_error"]), rel=1e-6)
    (said,) = record.result["identifiability"]["words"]
    assert said.startswith("what the model leaves of Voltage of CurrentDriven is 2.")


def test_a_noise_that_is_fitted_has_its_own_error():
    _, objective = measured("line", noise=0.05, a=1.0, b=2.0)
    cost = cw.costs.GaussianLogLikelihood(sigma={V: "noise"})
    parameters = free(a=(0.9, -5, 5), b=(1.9, -5, 5), noise=(0.1, 1e-3, 1))
    record = fitted(objective, parameters, cost=cost)
    row = record.result["parameters"][2]
    # The information in n normal numbers on their standard deviation is 2 n/σ².
    assert row["std_error"] == pytest.approx(row["value"] / np.sqrt(2 * len(TIME)), rel=1e-2)
    assert record.result["identifiability"]["without_effect"] == []


def test_errors_of_a_model_are_not_taken_for_noise():
    _, objective = measured("decay", noise=1e-3, a=2.0, b=0.7)
    bent = cw.objectives.CurrentDriven(objective.data_input, options={"model": "line"})
    (said,) = fitted(bent, LINE).result["identifiability"]["words"]
    assert "an error of the model rather than noise" in said


@dataclass
class FailingPool(InlinePool):
    """Fails once it has answered some tasks."""

    answers: float = float("inf")
    error: type[BaseException] = SolverError
    answered: int = 0

    def __post_init__(self):
        super().__init__()

    def map(self, job, tasks, time_limit=None):
        if self.answered >= self.answers and len(tasks) == 5:
            raise self.error("the pool is gone")
        self.answered += len(tasks)
        return super().map(job, tasks, time_limit)


def test_a_failure_is_told_and_the_fit_stands():
    _, objective = measured("line", a=1.0, b=2.0)
    pool = FailingPool(answers=6)
    record = fitted(objective, LINE, where=world(pool=pool))
    assert record.result["parameter_values"]["b"] == pytest.approx(2.0, abs=0.1)
    assert record.result["identifiability"]["words"] == ["there are no intervals: the pool is gone"]
    assert record.result["parameters"][0]["interval"] is None


def test_a_fit_that_its_time_ended_is_judged_and_one_that_was_killed_goes_on_without_solving_again():
    _, objective = measured("decay", noise=0.01, a=2.0, b=0.7)
    ticks = iter(range(10**6))
    fields = {"options": {"maxtime": 12}, "where": world(clock=lambda: float(next(ticks)))}
    parameters = free(a=(1.5, 0.1, 10), b=(1.0, 0.1, 10))
    record = fitted(objective, parameters, **fields)
    assert "time limit" in record.result["message"]
    assert record.result["parameters"][0]["std_error"] > 0

    journal, pool = MemoryJournal(), FailingPool()
    fitted(objective, parameters, where=world(journal=journal))
    again = fitted(objective, parameters, where=world(journal=journal, pool=pool))
    assert pool.answered == 2  # the start and the end, for their curves
    assert again.counts["replayed"] == again.counts["evaluations"] + 5
    with pytest.raises(KeyboardInterrupt):
        fitted(objective, parameters, where=world(pool=FailingPool(answers=6, error=KeyboardInterrupt)))


def test_cancel_is_heard_before_the_slopes():
    _, objective = measured("line", a=1.0, b=2.0)
    optimizer = cw.optimizers.PointEstimateOptimizer()
    asked = iter([False, True])
    with pytest.raises(CanceledError):
        fitted(
            objective,
            LINE,
            optimizer=optimizer,
            where=world(canceled=lambda: next(asked)),
        )


def test_slopes_are_those_of_the_parabola_and_of_the_side_that_is_there():
    def f(x):
        return np.array([x**2 + 3 * x, 2 * x])

    offsets = np.array([[-0.1, 0.3], [0.1, 0.2]])
    sides = np.array([[f(1 + a) for a in pair] for pair in offsets])
    assert slopes(f(1.0), sides, offsets) == pytest.approx(np.array([[5.0, 5.0], [2.0, 2.0]]), rel=1e-12)
    sides[0, 0] = np.nan
    # The secant of a parabola from 1 to 1.3: 5 + 0.3.
    assert slopes(f(1.0), sides, offsets)[:, 0] == pytest.approx([5.3, 2.0], rel=1e-12)


def test_the_covariance_survives_columns_of_any_size():
    rng = np.random.default_rng(0)
    J = rng.normal(size=(50, 3))
    scales = np.array([1e-12, 1.0, 1e12])
    plain = determination(J, np.ones(50), np.full(3, True), 2.0).covariance
    scaled = determination(J * scales, np.ones(50), np.full(3, True), 2.0).covariance
    assert plain == pytest.approx(np.linalg.inv(J.T @ J), rel=1e-9)
    assert scaled * np.outer(scales, scales) == pytest.approx(plain, rel=1e-9)


def test_the_standard_errors_of_a_cell_are_the_scatter_over_repeated_noise():
    truth = {"Negative particle diffusivity [m2.s-1]": 2e-14, "Positive particle diffusivity [m2.s-1]": 5e-15}
    cell = published().merge(truth, Origin("truth"))
    clean = discharge(cell, points=51)
    known = cw.direct_entries.DirectEntry({n: v for n, v in cell.values_.items() if n not in truth}, source="truth")
    deviations = []
    for seed in range(12):
        voltage = np.array(clean[V]) + 1e-3 * np.random.default_rng(seed).normal(size=51)
        fit = cw.DataFit(
            cw.objectives.CurrentDriven({**clean, V: voltage.tolist()}, options={"model": "SPM"}),
            parameters={
                n: cw.transforms.Log10(cw.Parameter(n, true, (true / 10, true * 10))) for n, true in truth.items()
            },
        )
        rows = cw.run(cw.Pipeline({"known": known, "fit": fit})).element("fit").result["parameters"]
        deviations.append([(row["value"] - truth[row["name"]]) / row["std_error"] for row in rows])
    # The mean square of 24 normal deviations, correlated in pairs by 0.5, is 1 with a scatter of √(2·1.25/24) = 0.32.
    assert 0.3 < np.mean(np.square(deviations)) < 2.0


@pytest.mark.parametrize(
    ("cost", "weight"),
    [
        # What a square of the unit counts: 1, 1/mean², 1/n, 1/σ², ½/σ², and the sum of two.
        (cw.costs.SSE(normalization="identity"), 1.0),
        (cw.costs.SSE(), 1 / 3.0**2),
        (cw.costs.MSE(normalization="identity"), 1 / 2),
        (cw.costs.ChiSquare(variable_standard_deviations={V: 0.1}), 100.0),
        (cw.costs.GaussianLogLikelihood(sigma={V: 0.1}), 50.0),
        (cw.costs.MultiCost(costs=[cw.costs.SSE(normalization="identity"), cw.costs.SSE()]), 1 + 1 / 9),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, float) else "",
)
def test_weights_are_read_off_the_cost_and_values_that_were_not_measured_do_not_count(cost, weight):
    ready = {"o": SimpleNamespace(observed={V: np.array([2.0, np.nan, 4.0])})}
    question = SimpleNamespace(space=Space(()), ready=ready, cost=TotalCost(cost))
    ((block,), standing_in) = blocks_of(question, np.zeros(0), {})
    assert block.weight == pytest.approx(weight, rel=1e-6)
    assert block.size == 3.0
    assert not standing_in


def test_what_a_cost_leaves_out_is_no_block():
    cost = cw.costs.SSE(calculation_structure={"o": [V]})
    ready = {"o": SimpleNamespace(observed={V: np.array([2.0, 4.0]), "T": np.array([1.0, 2.0])})}
    question = SimpleNamespace(space=Space(()), ready=ready, cost=TotalCost(cost))
    ((block,), _) = blocks_of(question, np.zeros(0), {})
    assert (block.variable, block.rows) == (V, slice(0, 2))
