"""Fits with more than data: priors, a noise that is fitted, constraints and penalties, against closed forms.

The model is a straight line, so that posteriors and constrained minima are known. Tolerances are those of gradients by
differences: a step of some 1e-3 of the range, of which a quadratic cost feels nothing but rounding.
"""

import re

import numpy as np
import pybamm
import pytest
from lines import WIDE, V, fitted, free, objective, problems, values, world
from scipy.stats import norm

import cellwright as cw
from cellwright.engine.fit_setup import set_up
from cellwright.engine.objectives import comparison
from cellwright.schema.families import Distribution
from cellwright.schema.parameters import Origin, ParameterSet

A, B, C = (pybamm.InputParameter(name) for name in "abc")
Prior, Constraint, Penalty = cw.priors.Prior, cw.priors.Constraint, cw.priors.Penalty
TIME = np.linspace(0, 2, 41)
NOISE = 0.3
DATA = 1.0 + 2.0 * TIME + np.random.default_rng(4).normal(scale=NOISE, size=len(TIME))
DESIGN = np.column_stack([np.ones_like(TIME), TIME])
MEAN, COVARIANCE = np.array([0.5, 3.0]), np.array([[0.02, 0.005], [0.005, 0.01]])
JOINT = Prior(["a", "b"], cw.stats.MultivariateNormal(MEAN.tolist(), COVARIANCE.tolist()))
LIKELIHOOD = cw.costs.GaussianLogLikelihood(sigma={V: NOISE})
CHI_SQUARE = cw.costs.ChiSquare(variable_standard_deviations={V: NOISE})
LEAST_SQUARES, SCALAR = cw.optimizers.ScipyLeastSquares(), cw.optimizers.ScipyMinimize()


def posterior_mode():
    """(XᵀX/σ² + Σ⁻¹)⁻¹ (Xᵀy/σ² + Σ⁻¹μ): Bishop (2006), eqs. 3.50 and 3.51."""
    precision = np.linalg.inv(COVARIANCE)
    left = DESIGN.T @ DESIGN / NOISE**2 + precision
    return np.linalg.solve(left, DESIGN.T @ DATA / NOISE**2 + precision @ MEAN)


@pytest.mark.oracle("Prior", "GaussianLogLikelihood")
@pytest.mark.parametrize(
    ("cost", "weight", "optimizer"),
    # χ² is twice the negative log likelihood, so the prior counts twice beside it.
    [(LIKELIHOOD, 1, SCALAR), (CHI_SQUARE, 2, SCALAR), (CHI_SQUARE, 2, LEAST_SQUARES)],
    ids=["likelihood", "chi-square", "residuals"],
)
def test_the_mode_of_a_linear_gaussian_problem_is_the_closed_form(cost, weight, optimizer):
    prior = JOINT.model_copy(update={"regularizer_weight": weight})
    element = cw.DataFit(
        objective(TIME, DATA), parameters=free(a=0.0, b=0.0), cost=cost, priors=prior, optimizer=optimizer
    )
    record = fitted(element)
    np.testing.assert_allclose(values(record), posterior_mode(), rtol=2e-5)
    least = np.linalg.lstsq(DESIGN, DATA, rcond=None)[0]
    assert np.abs(posterior_mode() - least).max() > 0.1  # the prior has moved it
    assert record.result["cost"] == pytest.approx(
        cost.scalar({"o": {V: (DESIGN @ values(record), DATA)}}) + prior.term(record.result["parameter_values"])
    )


@pytest.mark.oracle("Prior")
@pytest.mark.parametrize("form", ["of the fit", "of the parameters", "as a list", "weighted"])
def test_priors_of_single_parameters_say_the_same_in_every_form(form):
    deviations = np.sqrt(np.diag(COVARIANCE))
    distributions = {n: cw.stats.Normal(m, s) for n, m, s in zip("ab", MEAN, deviations, strict=True)}
    parameters, priors = free(a=0.0, b=0.0), {name: Prior(name, d) for name, d in distributions.items()}
    if form == "of the parameters":
        parameters = {n: cw.Parameter(n, 0.0, WIDE, prior=d) for n, d in distributions.items()}
        priors = None
    elif form == "as a list":
        priors = list(priors.values())
    elif form == "weighted":
        # A weight of 1/4 of a density twice as narrow.
        priors = {n: Prior(n, cw.stats.Normal(d.mean, d.std / 2), 0.25) for n, d in distributions.items()}
    element = cw.DataFit(objective(TIME, DATA), parameters=parameters, priors=priors, cost=LIKELIHOOD, optimizer=SCALAR)
    precision = np.diag(1 / deviations**2)
    left = DESIGN.T @ DESIGN / NOISE**2 + precision
    mode = np.linalg.solve(left, DESIGN.T @ DATA / NOISE**2 + precision @ MEAN)
    np.testing.assert_allclose(values(fitted(element)), mode, rtol=2e-5)


@pytest.mark.oracle("GaussianLogLikelihood")
def test_a_noise_that_is_fitted_is_the_known_one_within_its_standard_error():
    parameters = {**free(a=0.0, b=0.0), "noise": cw.transforms.Log(cw.Parameter("noise", 1.0, (1e-3, 10)))}
    cost = cw.costs.GaussianLogLikelihood(sigma={V: "noise"})
    found = fitted(cw.DataFit(objective(TIME, DATA), parameters=parameters, cost=cost)).result["parameter_values"]
    residuals = DATA - DESIGN @ np.linalg.lstsq(DESIGN, DATA, rcond=None)[0]
    # Its maximum of likelihood is √(RSS/N), of which the standard error is σ/√(2N).
    assert found["noise"] == pytest.approx(np.sqrt(np.mean(residuals**2)), rel=1e-4)
    assert abs(found["noise"] - NOISE) < 2 * NOISE / np.sqrt(2 * len(TIME))
    np.testing.assert_allclose([found["a"], found["b"]], np.linalg.lstsq(DESIGN, DATA, rcond=None)[0], rtol=1e-4)


@pytest.mark.oracle("GaussianLogLikelihood")
def test_a_noise_may_be_known_before_or_tied_to_another():
    cost = cw.costs.GaussianLogLikelihood(sigma={V: "noise"})
    plain = fitted(cw.DataFit(objective(TIME, DATA), parameters=free(a=0.0, b=0.0), cost=LIKELIHOOD))
    known = fitted(cw.DataFit(objective(TIME, DATA), parameters=free(a=0.0, b=0.0), cost=cost), {"noise": NOISE})
    assert known.result["cost"] == plain.result["cost"]
    assert "noise" in known.reads
    noise = cw.transforms.Log(cw.Parameter("half", 0.05, (1e-3, 5.0)))
    parameters = {**free(a=0.0, b=0.0), "half": noise, "noise": lambda half: 2 * half}
    half = cw.DataFit(objective(TIME, DATA), parameters=parameters, cost=cost)
    found = fitted(half).result["parameter_values"]
    assert found["noise"] == 2 * found["half"]
    assert found["noise"] == pytest.approx(NOISE, rel=0.25)  # two standard errors


@pytest.mark.oracle("Constraint", "Penalty", "Prior")
def test_scalar_and_residual_modes_agree():
    element = cw.DataFit(
        objective(
            TIME, DATA, parameters={"c": 0.25}, penalties=[Penalty(A - C, 3)], constraints=[Constraint(B <= A, 2)]
        ),
        parameters={**free(a=0.0, b=0.0), "d": lambda a, b: a + b},
        priors=[Prior("a", cw.stats.Normal(0, 1)), Prior("d", cw.stats.LogNormal(1, 0.5), 2)],
        constraints=[Constraint(pybamm.InputParameter("d") - 3), Constraint(A * C <= B)],
        penalties=[Penalty(C)],
        initial_guesses={"a": 1.0, "b": 1.0},
    )
    setup, errors = set_up("fit", element, ParameterSet().merge({"c": 2.0}, Origin("known")), world())
    assert errors == []
    rests = []
    for a, b in np.random.default_rng(0).uniform(0.1, 4, (50, 2)):
        both = comparison(setup.ready, {"CurrentDriven": {V: a + b * TIME}})
        point = {"a": a, "b": b}
        r = setup.cost.residuals(both, point)
        rests.append(setup.cost.scalar(both, point) - r @ r)
        by_hand = 3 * (a - 0.25) ** 2 + 2 * max(0, b - a) ** 2 + (a + b - 3) ** 2 + max(0, 2 * a - b) ** 2 + 4
        priors = sum(one.term({**point, "d": a + b}) for one in element.priors.values())
        assert setup.cost.terms.scalar(point) == pytest.approx(by_hand + priors)
    np.testing.assert_allclose(rests, rests[0], rtol=1e-9)


ZEROS = np.zeros(5)
"""Five measurements of 3 at time 0: the sum of squares of V = a is 5 (a - 3)²."""


def level(**fields):
    cost = cw.costs.SSE(normalization="identity")
    given = {"parameters": free(a=0.5), "cost": cost} | fields
    return cw.DataFit(objective(np.arange(5), ZEROS + 3), **given)


@pytest.mark.oracle("Constraint")
@pytest.mark.parametrize("optimizer", [SCALAR, LEAST_SQUARES, cw.optimizers.ScipyMinimize(method="SLSQP")])
@pytest.mark.parametrize("weight", [1, 20])
def test_a_soft_constraint_gives_way_as_its_weight_says(optimizer, weight):
    element = level(constraints=[Constraint(A <= 1, weight)], optimizer=optimizer)
    # 5 (a - 3)² + w (a - 1)² is least at (15 + w)/(5 + w).
    found = fitted(element, {"b": 0.0}).result["parameter_values"]["a"]
    assert found == pytest.approx((15 + weight) / (5 + weight), rel=1e-4)


@pytest.mark.oracle("Penalty")
def test_a_penalty_draws_the_parameter_towards_it():
    element = level(penalties=[Penalty(A - C, 3)])
    # 5 (a - 3)² + 3 (a - 2)² with c = 2 is least at 21/8.
    found = fitted(element, {"b": 0.0, "c": 2.0}).result["parameter_values"]["a"]
    assert found == pytest.approx(21 / 8, rel=1e-6)


HARD = {
    # With a = 2 - b the sum of ((1 - 2 t) + b (t - 1))² for t = 0 … 4 is least at 15 b = 35.
    "equality": (A + B - 2, (-1 / 3, 7 / 3), lambda a, b: abs(a + b - 2)),
    # At b = 3/2 the best a is the mean of 1 + t/2.
    "inequality": (B <= 1.5, (2.0, 1.5), lambda a, b: max(0.0, b - 1.5)),
    "of tiny numbers": (1e-14 * B <= 1.5e-14, (2.0, 1.5), lambda a, b: max(0.0, b - 1.5)),
    "inactive": (A - B < 5, (1.0, 2.0), lambda a, b: 0.0),
}


@pytest.mark.filterwarnings("ignore:delta_grad:UserWarning")  # SciPy tells that a constraint is linear.
@pytest.mark.parametrize("method", ["SLSQP", "trust-constr", "COBYLA", "COBYQA"])
@pytest.mark.parametrize(("fun", "expected", "broken"), HARD.values(), ids=HARD)
def test_hard_constraints_are_kept_exactly_where_they_are_asked_for(method, fun, expected, broken):
    time = np.arange(5.0)
    element = cw.DataFit(
        objective(time, 1 + 2 * time),
        parameters={name: cw.Parameter(name, start, (-5, 5)) for name, start in (("a", 0.0), ("b", 1.0))},
        cost=cw.costs.SSE(normalization="identity"),
        constraints=[Constraint(fun, 1e-6)],
        optimizer=cw.optimizers.ScipyMinimize(method=method, hard_constraints=True),
    )
    a, b = values(fitted(element))
    # COBYLA ends at a radius of 1e-4 of the range of 10, in a valley ten times as long as it is wide.
    np.testing.assert_allclose([a, b], expected, atol=2e-2)
    assert broken(a, b) < 1e-4


def test_a_method_without_constraints_cannot_keep_them():
    with pytest.raises(cw.CellwrightError, match="L-BFGS-B knows no constraints"):
        cw.optimizers.ScipyMinimize(hard_constraints=True)
    assert "hard_constraints" not in cw.optimizers.ScipyMinimize(method="SLSQP").to_config()


@pytest.mark.oracle("Prior")
def test_priors_alone_make_the_fit_parameters():
    element = cw.DataFit(objective(TIME, DATA), priors=JOINT, cost=LIKELIHOOD, optimizer=SCALAR)
    assert [(d.name, d.initial) for d in element.dimensions] == [("a", 0.5), ("b", 3.0)]
    np.testing.assert_allclose(values(fitted(element)), posterior_mode(), rtol=2e-5)
    again = cw.Pipeline.from_config(cw.Pipeline({"fit": element}).to_config()).elements["fit"]
    assert again.to_config() == element.to_config()
    assert again.dimensions[1].name == "b"


def test_priors_alone_give_the_search_its_variable_its_bounds_and_its_starts():
    priors = {"a": Prior("a", cw.stats.LogNormal(-32.2, 2.0)), "b": Prior("b", cw.stats.Uniform(1, 4))}
    element = cw.DataFit(objective(TIME, DATA), priors=priors, multistarts=4, options={"seed": 1})
    a, b = element.dimensions
    assert a.initial == pytest.approx(np.exp(-32.2))
    assert a.forward(np.e) == pytest.approx(1.0)
    assert (b.initial, b.lower, b.upper) == (2.5, 1.0, 4.0)
    starts = [child["initial_guess"] for child in fitted(element).result["children"]]
    # One start in each quarter of either distribution.
    for fractions in ([norm.cdf(np.log(s["a"]), -32.2, 2.0) for s in starts], [(s["b"] - 1) / 3 for s in starts]):
        assert sorted(int(4 * fraction) for fraction in fractions) == [0, 1, 2, 3]


TOLD = {
    "prior-misspelt": (
        {"priors": {"aa": Prior("aa", cw.stats.Normal(0, 1))}}, ("priors", "aa"), "'aa' is no parameter.*mean 'a'",
    ),
    "prior-of-what-is-known": (
        {"priors": {"c": Prior("c", cw.stats.Normal(0, 1))}}, ("priors", "c"), "'c', which is no parameter of the fit",
    ),
    "prior-twice": (
        {
            "parameters": {"a": cw.Parameter("a", 0.0, WIDE, prior=cw.stats.Normal(0, 1))},
            "priors": {"a": Prior("a", cw.stats.Normal(0, 1))},
        },
        ("priors", "a"), "two priors: there is one at parameters › a › prior",
    ),
    "prior-outside": (
        {"priors": {"a": Prior("a", cw.stats.Uniform(1, 2))}}, ("priors", "a"), "no density at the start of the fit",
    ),
    "prior-of-a-point": ({"priors": {"a": Prior("a", cw.stats.PointMass(0.5))}}, ("priors", "a"), "leaves nothing"),
    "prior-of-shares": (
        {"priors": [Prior(["a", "b"], cw.stats.Dirichlet([2, 2]))], "parameters": free(a=0.5, b=0.5)},
        ("priors", "a, b", "name"), "cannot all be free.*tie one",
    ),
    "prior-of-several-on-one": (
        {"parameters": {"a": cw.Parameter("a", 0.5, WIDE, prior=cw.stats.Dirichlet([2, 2]))}},
        ("parameters", "a", "prior", "name"), "is of 2 parameters, and one name is given",
    ),
    "constraint-misspelt": ({"constraints": [Constraint(A - pybamm.InputParameter("cc"))]},
        ("constraints", "0"), "'cc' is no parameter of the fit.*mean 'c'"),
    "penalty-without-value": ({"penalties": [Penalty(pybamm.log(-A))]}, ("penalties", "0"), "no value at the start"),
    "noise-misspelt": (
        {"cost": cw.costs.GaussianLogLikelihood(sigma={V: "cc"})}, ("cost", "sigma"), "'cc' is no parameter.*mean 'c'",
    ),
    "metrics-of-data": ({"cost": cw.costs.DesignFunction()}, ("cost",), "DesignFunction is a sum of metrics"),
}  # fmt: skip


@pytest.mark.parametrize(("fields", "at", "told"), TOLD.values(), ids=TOLD)
def test_what_cannot_be_added_is_told_with_its_place(fields, at, told):
    found = problems(level(**fields), {"b": 0.0, "c": 2.0} if "b" not in fields.get("parameters", {}) else None)
    assert any(place == at and re.search(told, text) for place, text in found), found


def test_terms_of_an_objective_stand_in_its_own_parameters():
    (told,) = problems(
        cw.DataFit(
            objective(TIME, DATA, constraints=[Constraint(A - pybamm.InputParameter("cc"))]),
            parameters=free(a=0.0, b=0.0),
        )
    )
    assert told[0] == ("objectives", "CurrentDriven", "constraints", "0")
    assert "did you mean 'c'" in told[1]


def test_a_prior_without_a_sum_of_squares_needs_a_scalar_search(monkeypatch):
    monkeypatch.setattr(cw.stats.Normal, "residuals", Distribution.residuals)
    element = level(
        parameters={"a": cw.Parameter("a", 0.5, WIDE, prior=cw.stats.Normal(0, 1))}, optimizer=LEAST_SQUARES
    )
    told = problems(element, {"b": 0.0})
    assert any("ScipyLeastSquares needs a cost with residuals, and a Normal prior has none" in text for _, text in told)
    assert problems(element.model_copy(update={"optimizer": None}), {"b": 0.0}) == []
