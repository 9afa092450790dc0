"""Regularizers: their terms by hand and against scipy.stats, and that residual arrays say the same."""

import numpy as np
import pybamm
import pytest
from scipy import stats

import cellwright as cw
from cellwright.errors import ConfigurationError

A, B = pybamm.InputParameter("a"), pybamm.InputParameter("b")
Prior, Constraint, Penalty = cw.priors.Prior, cw.priors.Constraint, cw.priors.Penalty
COV = np.array([[0.04, 0.01], [0.01, 0.09]])
FLAT = np.array([[1.0, 1.0], [1.0, 1.0]])
"""Of two parameters that vary together: x varies on a line alone."""
SINGLE = {
    "normal": (cw.stats.Normal(3, 0.2), stats.norm(3, 0.2)),
    "log-normal": (cw.stats.LogNormal(0.5, 0.3), stats.lognorm(s=0.3, scale=np.exp(0.5))),
    "uniform": (cw.stats.Uniform(1, 4), stats.uniform(1, 3)),
}
JOINT = {
    "normal": (cw.stats.MultivariateNormal([1, 2], COV.tolist()), stats.multivariate_normal([1, 2], COV)),
    "singular": (
        cw.stats.MultivariateNormal([1, 2], FLAT.tolist()),
        stats.multivariate_normal([1, 2], FLAT, allow_singular=True),
    ),
}


@pytest.mark.oracle("Prior")
@pytest.mark.parametrize(("distribution", "theirs"), SINGLE.values(), ids=SINGLE)
@pytest.mark.parametrize("x", [1.5, 2.9, 3.0, 3.3])
def test_a_prior_is_the_negative_logarithm_of_its_density(distribution, theirs, x):
    assert Prior("a", distribution).term({"a": x, "b": 7.0}) == pytest.approx(-theirs.logpdf(x))
    assert Prior("a", distribution, 2.5).term({"a": x}) == pytest.approx(-2.5 * theirs.logpdf(x))
    assert Prior("a", distribution, 0).term({"a": x}) == 0.0


@pytest.mark.oracle("Prior")
@pytest.mark.parametrize(("distribution", "theirs"), JOINT.values(), ids=JOINT)
def test_a_joint_prior_takes_its_names_in_their_order(distribution, theirs):
    prior = Prior(["b", "a"], distribution)
    assert prior.reads == {"a", "b"}
    assert prior.term({"a": 2.5, "b": 1.5}) == pytest.approx(-theirs.logpdf([1.5, 2.5]))


@pytest.mark.oracle("Prior")
def test_a_normal_prior_is_half_of_a_squared_deviation():
    prior = Prior("a", cw.stats.Normal(3, 0.2), 4)
    # √(w/2) (x - μ)/σ = √2 · 5 (x - 3): its square is w times ½ ((x - μ)/σ)².
    assert prior.residuals({"a": 3.2}) == pytest.approx([np.sqrt(2)])
    assert prior.residuals({"a": 2.8}) == pytest.approx([-np.sqrt(2)])


PRIORS = {
    "normal": (Prior("a", cw.stats.Normal(3, 0.2), 0.7), {"a": (2.0, 4.0)}),
    "log-normal": (Prior("a", cw.stats.LogNormal(-32.2, 2.0), 3), {"a": (1e-16, 1e-12)}),
    "uniform": (Prior("a", cw.stats.Uniform(-1, 4)), {"a": (-1.0, 4.0)}),
    "joint": (Prior(["a", "b"], cw.stats.MultivariateNormal([1, 2], COV.tolist()), 2), {"a": (0, 2), "b": (1, 3)}),
    "joint-log": (
        Prior(["a", "b"], cw.stats.MultivariateLogNormal([1, 2], COV.tolist()), 2), {"a": (1, 5), "b": (4, 12)},
    ),
}  # fmt: skip


@pytest.mark.oracle("Prior")
@pytest.mark.parametrize(("prior", "ranges"), PRIORS.values(), ids=PRIORS)
def test_the_residuals_of_a_prior_make_its_term_but_for_a_constant(prior, ranges):
    points = np.random.default_rng(1).random((30, len(ranges)))
    rests = []
    for point in points:
        values = {n: low + u * (high - low) for (n, (low, high)), u in zip(ranges.items(), point, strict=True)}
        r = prior.residuals(values)
        rests.append(prior.term(values) - r @ r)
    np.testing.assert_allclose(rests, rests[0], rtol=1e-9, atol=1e-9)


@pytest.mark.oracle("Prior")
def test_the_residuals_of_shares_make_the_term_on_the_simplex():
    prior = Prior(["a", "b", "c"], cw.stats.Dirichlet([2, 3.5, 1.5]), 2)
    shares = stats.dirichlet([2, 3.5, 1.5])
    for a, b in ((0.2, 0.3), (0.6, 0.1), (0.05, 0.9)):
        values = {"a": a, "b": b, "c": 1 - a - b}
        r = prior.residuals(values)
        assert prior.term(values) == pytest.approx(-2 * shares.logpdf(list(values.values())))
        # At x = (1, 1, 1) every residual would be 0: what is left is the constant of the density.
        assert prior.term(values) - r @ r == pytest.approx(-2 * np.log(48.3333, dtype=float), abs=10)
    rests = [
        prior.term(v) - prior.residuals(v) @ prior.residuals(v)
        for v in ({"a": 0.2, "b": 0.3, "c": 0.5}, {"a": 0.7, "b": 0.2, "c": 0.1})
    ]
    assert rests[0] == pytest.approx(rests[1])


@pytest.mark.oracle("Prior")
@pytest.mark.parametrize(
    ("distribution", "x"),
    [(cw.stats.LogNormal(0, 1), -1.0), (cw.stats.Uniform(0, 1), 1.5), (cw.stats.PointMass(1), 1.1)],
)
def test_where_a_prior_has_no_density_the_term_is_infinite(distribution, x):
    prior = Prior("a", distribution)
    assert prior.term({"a": x}) == np.inf
    assert np.isnan(prior.residuals({"a": x})).all()


@pytest.mark.oracle("Constraint")
@pytest.mark.parametrize(
    ("fun", "by_hand"),
    # At a = 3 and b = 1, with the weight 2.
    [(A <= B, 2 * (3 - 1) ** 2), (A < B, 8.0), (B <= A, 0.0), (A >= 5, 2 * (5 - 3) ** 2), (A - 2 * B, 2.0), (0.5, 0.5)],
    ids=str,
)
def test_a_constraint_by_hand(fun, by_hand):
    constraint = Constraint(fun, 2)
    values = {"a": 3.0, "b": 1.0}
    assert constraint.term(values) == by_hand
    r = constraint.residuals(values)
    assert r @ r == pytest.approx(by_hand)


@pytest.mark.oracle("Constraint")
def test_an_inequality_has_no_step_where_it_begins_to_be_broken():
    constraint = Constraint(A <= 1)
    assert [constraint.term({"a": 1 + e}) for e in (-1e-3, 0.0, 1e-3)] == pytest.approx([0, 0, 1e-6])


@pytest.mark.oracle("Penalty")
def test_a_penalty_by_hand():
    penalty = Penalty(A - B**2, 0.25)
    # (1 - 9)² / 4, and its root with the sign of the quantity.
    assert penalty.term({"a": 1.0, "b": 3.0}) == 16.0
    assert penalty.residuals({"a": 1.0, "b": 3.0}) == pytest.approx([-4.0])
    assert Penalty(3).term({}) == 9.0
    assert penalty.reads == {"a", "b"}


@pytest.mark.oracle("Penalty")
def test_a_formula_without_a_value_is_infinite_and_one_that_waits_says_for_what():
    assert Penalty(pybamm.log(A)).term({"a": -1.0}) == np.inf
    with pytest.raises(ConfigurationError, match="it depends on 'b'"):
        Penalty(A + B).term({"a": 1.0})


def test_conditions_that_are_joined_are_told_apart():
    (problem,) = Constraint((A <= 1) * (B <= 1)).unimplemented()
    assert "a constraint of its own" in problem.hint
    assert list(Constraint(A * B <= 1).unimplemented()) == []


@pytest.mark.parametrize(("text", "inequality"), [("'a' <= 2 * 'b'", True), ("'a' > 1", True), ("'a' - 'b'", False)])
def test_conditions_are_written_in_text_too(text, inequality):
    constraint = Constraint({"expression": text})
    assert constraint.inequality is inequality
    assert Constraint.from_config(constraint.to_config()).fun == constraint.fun
