"""Actions and the cost of designs: scores, bounds and the exactness of the penalty, by hand and in closed form."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

import cellwright as cw
from cellwright.catalog.metrics.composed import product
from cellwright.errors import ConfigurationError
from cellwright.schema.record import Stretch

a, m = cw.actions, cw.metrics
GOAL, BOUND = np.array([np.nan]), np.zeros(1)


def value(*numbers):
    return np.array(numbers, dtype=float)


@pytest.mark.oracle("Maximize", "Minimize")
def test_a_goal_is_the_metric_with_a_sign_and_a_weight():
    energy = m.Last("Discharge energy [W.h]")
    assert a.Maximize(energy, 2.0).score(value(18.0)) == -36.0
    assert a.Minimize(energy).score(value(18.0)) == 18.0
    assert np.isnan(a.Maximize(energy).score(value(np.nan)))
    assert a.Maximize(energy).excess(value(18.0)) == 0.0


@pytest.mark.oracle("GreaterThan", "LessThan")
@pytest.mark.parametrize(
    ("action", "given", "excess", "score"),
    [
        (a.GreaterThan(m.Last("Q"), 4.0), 3.0, 1.0, 0.25),
        (a.GreaterThan(m.Last("Q"), 4.0), 5.0, 0.0, 0.0),
        (a.LessThan(m.Last("Q"), -4.0, 2.0), -3.0, 1.0, 0.5),
        (a.LessThan(m.Last("Q"), 4.0), 4.0, 0.0, 0.0),
        (a.GreaterThan(m.Last("Q"), 0.0), -0.02, 0.02, 0.02),
    ],
)
def test_a_bound_is_broken_by_a_fraction_of_its_value(action, given, excess, score):
    assert action.excess(value(given)) == excess
    assert action.score(value(given)) == score
    assert np.isnan(action.score(value(np.nan)))


@pytest.mark.oracle("DesignFunction")
def test_a_broken_bound_makes_goals_worse_by_a_hundred_percent_a_percent():
    cost = cw.costs.DesignFunction()
    goals = {"good": (value(-3.0), GOAL), "bad": (value(2.0), GOAL)}
    # By hand, V = 0.01: -3 / 2 + 2 * 2 + 1.
    assert cost.scalar({"cell": {**goals, "bound": (value(0.01), BOUND)}}) == pytest.approx(3.5, rel=1e-15)
    assert cost.scalar({"cell": {**goals, "bound": (value(0.0), BOUND)}}) == -1.0
    assert cost.scalar({"cell": {"bound": (value(0.03), BOUND)}}) == 3.0
    weighted = cw.costs.DesignFunction(objective_weights={"other": 0.5})
    assert weighted.scalar({"cell": goals, "other": {"bound": (value(0.02), BOUND)}}) == pytest.approx(3.5, rel=1e-15)
    assert cost.scalar({"cell": {**goals, "bound": (value(np.nan), BOUND)}}) == np.inf


@pytest.mark.oracle("DesignFunction")
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e6])
@pytest.mark.parametrize("action", [a.Maximize, a.Minimize])
def test_the_best_design_keeps_its_bound_whatever_the_unit(action, scale):
    # Largest x (or smallest 1/x) with x² ≤ 2: the optimum is √2, where the penalty has its kink; Brent's method stops
    # at 1e-8 of x.
    power = 1 if action is a.Maximize else -1
    goal, bound = action(m.Last("x")), a.LessThan(m.Last("x"), 2.0)

    def cost(x):
        scores = {"g": (goal.score(value(scale * x**power)), GOAL), "b": (bound.score(value(x * x)), BOUND)}
        return cw.costs.DesignFunction().scalar({"cell": scores})

    assert minimize_scalar(cost, bounds=(0.1, 5.0), method="bounded", options={"xatol": 1e-10}).x == pytest.approx(
        np.sqrt(2), rel=1e-7
    )


@pytest.mark.oracle("Parameter")
def test_a_parameter_is_read_where_something_was_done():
    step = {"Time [s]": np.array([0.0, 1.0]), "E [W.h]": np.array([0.0, 8.0]), "Cell mass [kg]": np.array([0.04])}
    done, nothing = Stretch((None, step), complete=True), Stretch((None,), complete=True)
    mass = m.Parameter("Cell mass [kg]")
    assert (m.Last("E [W.h]") / mass).measure(done) == pytest.approx(200.0, rel=1e-15)
    assert np.isnan(mass.measure(nothing))
    assert (m.Last("E [W.h]") / mass).parameters == {"Cell mass [kg]"}
    assert (m.Last("E [W.h]") / mass).variables == {"E [W.h]"}


@pytest.mark.parametrize(
    ("metric", "unit"),
    [
        (m.Last("E [W.h]") / m.Parameter("Cell mass [kg]"), "W.h.kg-1"),
        ((m.Last("V [V]") - m.First("V [V]")) / m.Mean("I [A]"), "V.A-1"),
        (abs(2 * m.Last("V [V]")).by_cycle(), "V"),
        (m.Last("x") / m.Last("y"), None),
        (1 / m.Last("t [s]"), "s-1"),
        (m.Last("T [s]") / m.Last("t [s]"), None),
        (m.Last("P [W.m-2]") * m.Parameter("A [m2]"), "W"),
        (m.Last("k [A.m-2(m3.mol)1.5]") * m.Last("t [s]"), None),
    ],
    ids=lambda given: "" if given is None or isinstance(given, str) else repr(given)[:20],
)
def test_the_unit_of_a_metric_follows(metric, unit):
    assert metric.unit == unit


def test_powers_of_units_are_added_up():
    assert product("W.h", "h.m-2", -1) == "W.m2"
    assert product("", "", 1) is None


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: a.Action.parse({"type": "Maximise", "metric": {}}), "did you mean 'Maximize'"),
        (lambda: a.Action.parse({"type": "Maximize"}), "Maximize needs the field 'metric'"),
        (lambda: a.GreaterThan(m.Last("x")), "GreaterThan needs the field 'value'"),
        (lambda: a.LessThan(m.Last("x"), float("nan")), "a bound is a finite number"),
        (lambda: a.Maximize(m.Last("x"), -1.0), "the weight of an action is a finite number that is not negative"),
        (lambda: a.Maximize("Voltage [V]"), "a metric is an object with a 'type'"),
        (lambda: a.Maximize(m.Last), "Last is the class of such"),
    ],
)
def test_what_makes_no_sense_is_refused(make, said):
    with pytest.raises(ConfigurationError, match=said):
        make()
