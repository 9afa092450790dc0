"""Distributions against scipy.stats, integrals and samples."""

import numpy as np
import pytest
from scipy import integrate, stats

from cellwright.catalog.distributions import (
    Dirichlet,
    LogNormal,
    MultivariateLogNormal,
    MultivariateNormal,
    Normal,
    PointMass,
    Uniform,
)
from cellwright.errors import ConfigurationError

MEAN, COV = [1.0, -2.0, 0.5], [[0.5, 0.2, 0.0], [0.2, 1.0, -0.3], [0.0, -0.3, 0.8]]
UNIVARIATE = [
    (Normal(3, 0.2), stats.norm(3, 0.2)),
    (LogNormal(-32.2, 2.0), stats.lognorm(s=2.0, scale=np.exp(-32.2))),
    (Uniform(-1, 2.5), stats.uniform(-1, 3.5)),
]
JOINT = [
    (MultivariateNormal(MEAN, COV), stats.multivariate_normal(MEAN, COV)),
    (Dirichlet([2, 3.5, 1.2]), stats.dirichlet([2, 3.5, 1.2])),
]


def name(given):
    return type(given).__name__


@pytest.mark.oracle("Normal", "LogNormal", "Uniform")
@pytest.mark.parametrize(("ours", "theirs"), UNIVARIATE, ids=name)
def test_of_one_parameter_against_scipy(ours, theirs):
    q = np.linspace(0.001, 0.999, 41)
    np.testing.assert_allclose(ours.quantile(q), theirs.ppf(q), rtol=1e-12, atol=1e-300)
    x = np.concatenate([theirs.ppf(q), [-50.0, 0.0, 7.0]])
    np.testing.assert_allclose(ours.log_density(x), theirs.logpdf(x), rtol=1e-12)
    np.testing.assert_array_equal(ours.sample(q[:, None]), ours.quantile(q)[:, None])
    assert ours.dimensions == 1


@pytest.mark.oracle("Normal", "LogNormal", "Uniform")
@pytest.mark.parametrize("ours", [Normal(1, 0.5), LogNormal(0.2, 0.5), Uniform(-1, 2.5)], ids=name)
def test_the_density_is_the_slope_of_the_probability(ours):
    low, high = (float(value) for value in ours.quantile(np.array([0.2, 0.7])))
    probability, _ = integrate.quad(lambda x: float(np.exp(ours.log_density(x))), low, high)
    assert probability == pytest.approx(0.5, rel=1e-8)


@pytest.mark.oracle("PointMass")
def test_a_point_mass_against_a_discrete_distribution():
    theirs = stats.rv_discrete(values=([3], [1.0]))
    ours = PointMass(3)
    np.testing.assert_array_equal(ours.log_density(np.array([3.0, 2.0])), theirs.logpmf([3, 2]))
    q = np.array([0.1, 0.5, 0.9])
    np.testing.assert_array_equal(ours.quantile(q), theirs.ppf(q))


@pytest.mark.oracle("MultivariateNormal", "Dirichlet")
@pytest.mark.parametrize(("ours", "theirs"), JOINT, ids=name)
def test_of_several_parameters_against_scipy(ours, theirs):
    points = theirs.rvs(20, random_state=1)
    expected = [float(np.squeeze(theirs.logpdf(point))) for point in points]
    np.testing.assert_allclose(ours.log_density(points), expected, rtol=1e-10)
    assert ours.log_density(points[0]) == pytest.approx(expected[0], rel=1e-10)
    assert ours.dimensions == 3


@pytest.mark.oracle("MultivariateLogNormal")
def test_logarithms_are_jointly_normal():
    ours = MultivariateLogNormal([-32.0, 1.0], [[1.0, 0.5], [0.5, 2.0]])
    normal = stats.multivariate_normal([-32.0, 1.0], [[1.0, 0.5], [0.5, 2.0]])
    logs = normal.rvs(20, random_state=1)
    # p(x) dx = p(ln x) d ln x, and d ln x = dx/x.
    np.testing.assert_allclose(ours.log_density(np.exp(logs)), normal.logpdf(logs) - logs.sum(axis=1), rtol=1e-10)
    assert ours.log_density(np.array([-1.0, 1.0])) == -np.inf
    assert ours.log_density(np.array([0.0, 1.0])) == -np.inf


@pytest.mark.oracle("MultivariateLogNormal")
def test_without_correlation_it_is_a_product():
    ours = MultivariateLogNormal([0.5, -1], [[0.25, 0], [0, 4]])
    x = np.array([[1.5, 0.2], [0.4, 3.0]])
    one, other = stats.lognorm(s=0.5, scale=np.exp(0.5)), stats.lognorm(s=2, scale=np.exp(-1))
    np.testing.assert_allclose(ours.log_density(x), one.logpdf(x[:, 0]) + other.logpdf(x[:, 1]), rtol=1e-12)


@pytest.mark.oracle("MultivariateNormal")
def test_a_singular_covariance_is_a_distribution_on_a_line():
    ours = MultivariateNormal([0, 0], [[1, 1], [1, 1]])
    theirs = stats.multivariate_normal([0, 0], [[1, 1], [1, 1]], allow_singular=True)
    points = np.array([[0.3, 0.3], [-2.0, -2.0], [0.3, 0.4]])
    np.testing.assert_allclose(ours.log_density(points), theirs.logpdf(points), rtol=1e-10)
    # Along the line the standard deviation is √2.
    assert ours.log_density(points[0]) == pytest.approx(stats.norm.logpdf(0.3 * np.sqrt(2), 0, np.sqrt(2)))
    drawn = ours.sample(np.array([[0.2, 0.9], [0.7, 0.4]]))
    np.testing.assert_allclose(drawn[:, 0], drawn[:, 1])


def test_shares_off_the_simplex_have_no_density():
    given = Dirichlet([2, 2])
    np.testing.assert_array_equal(given.log_density(np.array([[0.5, 0.6], [1.5, -0.5]])), [-np.inf, -np.inf])
    assert given.log_density(np.array([0.0, 1.0])) == -np.inf
    # The density at the middle of Beta(2, 2) is 3/2.
    assert given.log_density(np.array([0.5, 0.5])) == pytest.approx(np.log(1.5))


@pytest.mark.oracle("MultivariateNormal", "MultivariateLogNormal", "Dirichlet")
def test_points_of_the_cube_become_points_of_the_distribution():
    cube = np.random.default_rng(4).random((40000, 3))
    normal = MultivariateNormal(MEAN, COV).sample(cube)
    # Standard errors of means and covariances are below 0.008.
    np.testing.assert_allclose(normal.mean(axis=0), MEAN, atol=0.03)
    np.testing.assert_allclose(np.cov(normal.T), COV, atol=0.03)
    np.testing.assert_allclose(np.log(MultivariateLogNormal(MEAN, COV).sample(cube)), normal, rtol=1e-9, atol=1e-9)
    theirs = stats.dirichlet([2, 3.5, 1.2])
    shares = Dirichlet([2, 3.5, 1.2]).sample(cube)
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    np.testing.assert_allclose(shares.mean(axis=0), theirs.mean(), atol=0.01)
    np.testing.assert_allclose(shares.var(axis=0), theirs.var(), atol=0.002)
    marginal = stats.beta(2, 4.7)
    assert stats.kstest(shares[:, 0], marginal.cdf).pvalue > 1e-3


@pytest.mark.parametrize("given", [MultivariateNormal(MEAN, COV), Dirichlet([2, 2])], ids=name)
def test_several_parameters_have_no_quantile(given):
    with pytest.raises(ConfigurationError, match="several parameters at once and has no quantile"):
        given.quantile(np.array([0.5]))


def test_points_of_another_dimension_are_refused():
    with pytest.raises(ConfigurationError, match=r"is of 3 parameters, and the points have shape \(2,\)"):
        MultivariateNormal(MEAN, COV).log_density(np.zeros(2))
    with pytest.raises(ConfigurationError, match="is of 2 parameters"):
        Dirichlet([2, 2]).sample(np.zeros((4, 3)))
