"""What SciPy's functions are told: methods and keywords are looked at before a search begins."""

import numpy as np
import pytest

import cellwright as cw
from cellwright.catalog.estimators.scipy import ScipyEstimator
from cellwright.errors import ConfigurationError
from cellwright.schema.variant import members
from cellwright.testing.kits import box
from cellwright.testing.searches import Search, bowl

o = cw.optimizers


def problems(estimator):
    return {error.at: f"{error.message} ({error.hint})" for error in estimator.refusals(box(-1.0, 2.0))}


@pytest.mark.parametrize(
    ("estimator", "at", "said"),
    [
        (o.ScipyMinimize(method="L-BFGS"), "method", "no method 'L-BFGS' (did you mean 'L-BFGS-B'"),
        (o.ScipyMinimize(method="dogleg"), "method", "asks for second derivatives"),
        (o.ScipyMinimize(tool=1e-6), "tool", "no field 'tool' (did you mean 'tol'"),
        (o.ScipyMinimize(bounds=[(0, 1)]), "bounds", "those of the fit"),
        (o.ScipyLeastSquares(ftol="small"), "ftol", "'ftol' is a number, not 'small'"),
        (o.ScipyLeastSquares(method="lma"), "method", "no method 'lma' (did you mean 'lm'"),
        (o.ScipyLeastSquares(max_nfe=4), "max_nfe", "did you mean 'max_nfev'"),
        (o.ScipyDifferentialEvolution(popsiz=4), "popsiz", "did you mean 'popsize'"),
        (o.ScipyBasinhopping(steps=4), "steps", "did you mean 'stepsize'"),
        (o.ScipyDualAnnealing(visits=4), "visits", "did you mean 'visit'"),
        (o.ScipyShgo(iter=4), "iter", "did you mean 'iters'"),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else "",
)
def test_what_scipy_does_not_know_is_told_before_the_search(estimator, at, said):
    found = problems(estimator)
    assert list(found) == [(at,)]
    assert said in found[at,]


def test_a_method_may_be_written_in_small_letters():
    estimator = o.ScipyMinimize(method="slsqp")
    assert not problems(estimator)
    found = Search(estimator, bowl).run()
    np.testing.assert_array_equal(found.point, Search(o.ScipyMinimize(method="SLSQP"), bowl).run().point)


@pytest.mark.parametrize("kind", [kind for kind in members()["Estimator"].values() if issubclass(kind, ScipyEstimator)])
def test_nothing_is_said_of_the_example_and_of_what_all_searches_are_told(kind):
    example = kind.example.fields if kind.example is not None else {}
    assert not problems(kind(**example))
    assert not problems(kind(**example).limited(7))


def test_what_scipy_cannot_do_with_an_option_is_no_traceback_of_its_own():
    with pytest.raises(ConfigurationError, match="SciPy's minimize refuses") as caught:
        Search(o.ScipyMinimize(options={"maxiter": "few"}), bowl).run()
    assert caught.value.at == ("optimizer",)


def test_a_mistake_in_what_is_searched_stays_what_it_is():
    def broken(points):
        raise TypeError("a mistake of ours")

    with pytest.raises(TypeError, match="a mistake of ours"):
        Search(o.ScipyMinimize(), broken).run()
