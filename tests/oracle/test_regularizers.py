"""Regularizers: what is typed today; that they do nothing yet is said, not hidden."""

import numpy as np
import pybamm
import pytest

import cellwright as cw
from cellwright.errors import NotImplementedYetError

MADE = [
    cw.priors.Prior("a", cw.stats.Normal(1, 2)),
    cw.objective_functions.Constraint(pybamm.InputParameter("a") <= 2),
    cw.objective_functions.Penalty(pybamm.InputParameter("a") ** 2),
]


@pytest.mark.parametrize("given", MADE, ids=lambda g: type(g).__name__)
def test_a_term_is_refused_by_name(given):
    with pytest.raises(NotImplementedYetError, match=f"the regularizer '{type(given).__name__}' is not implemented"):
        given.term({"a": 1.0})
    assert [problem.code for problem in given.unimplemented()] == [NotImplementedYetError.code]


@pytest.mark.parametrize("x", [-1.0, 0.5, 2.0, 3.0])
def test_the_formula_is_kept_as_an_expression(x):
    constraint, penalty = (one.fun.substitute({"a": x}) for one in MADE[1:])
    np.testing.assert_allclose([constraint, penalty], [float(x <= 2), x**2])
