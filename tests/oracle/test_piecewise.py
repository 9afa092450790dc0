"""Knots from slopes against the slopes that NumPy finds between them, and against the names that documents use."""

import numpy as np
import pytest

from cellwright.catalog.breakpoints import knot_name, knot_name_2d, ordered, slope_name, slope_name_2d
from cellwright.catalog.calculations import SlopesToKnots, SlopesToKnots2D
from cellwright.errors import ConfigurationError
from cellwright.schema.parameters import Origin, ParameterSet

BASE, SOC, T = "Diffusivity [m2.s-1]", "SOC", "Temperature [K]"
X, Z = [0.0, 0.3, 0.55, 1.0], [273.15, 298.15, 318.0]
VALUES = np.array([[1.0, 3.0, 2.0], [4.0, 4.0, 9.0], [-1.0, 2.0, 2.5], [6.0, 0.0, 1.0]])


@pytest.mark.oracle("SlopesToKnots")
def test_slopes_between_knots_lead_back_to_them():
    knots = VALUES[:, 0]
    slopes = np.diff(knots) / np.diff(X)
    given = {knot_name(BASE, SOC, 0.0): knots[0]}
    given |= {slope_name(BASE, SOC, a, b): s for a, b, s in zip(X[:-1], X[1:], slopes, strict=True)}
    for order in (X, X[::-1], [*X, X[1]]):
        found = SlopesToKnots(BASE, order, SOC).compute(ParameterSet(given))
        assert list(found) == [f"Diffusivity at SOC {x} [m2.s-1]" for x in ("0", "0.3", "0.55", "1")]
        assert list(found.values()) == pytest.approx(knots, rel=1e-13)


@pytest.mark.oracle("SlopesToKnots")
def test_slopes_may_come_from_a_fit():
    member = SlopesToKnots("Resistance [Ohm]", [273.15, 293.15], T)
    first, slope = (
        "Resistance at Temperature [K] 273.15 [Ohm]",
        ("Resistance slope from Temperature [K] 273.15 to 293.15 [Ohm]"),
    )
    last = "Resistance at Temperature [K] 293.15 [Ohm]"
    free = member.compute(ParameterSet())
    assert list(free) == [last]
    assert free[last].names == {first, slope}
    p = ParameterSet().merge(free, Origin("knots")).merge({first: 2.0, slope: -0.05}, Origin("fit"))
    # 2 Ohm - 20 K · 0.05 Ohm/K
    assert p.number(last) == pytest.approx(1.0, rel=1e-14)


def slopes_of_the_grid():
    given = {knot_name_2d(BASE, SOC, X[0], T, Z[0]): VALUES[0, 0]}
    along_x, along_z = np.diff(VALUES[:, 0]) / np.diff(X), np.diff(VALUES, axis=1) / np.diff(Z)
    for i, slope in enumerate(along_x):
        given[slope_name_2d(BASE, SOC, X[i], X[i + 1], T, Z[0])] = slope
    for (i, j), slope in np.ndenumerate(along_z):
        given[slope_name_2d(BASE, T, Z[j], Z[j + 1], SOC, X[i])] = slope
    return given


@pytest.mark.oracle("SlopesToKnots2D")
def test_slopes_of_a_grid_lead_back_to_it():
    given = slopes_of_the_grid()
    assert len(given) == VALUES.size
    found = SlopesToKnots2D(BASE, X, SOC, Z, T).compute(ParameterSet(given))
    assert len(found) == VALUES.size
    for (i, j), value in np.ndenumerate(VALUES):
        assert found[knot_name_2d(BASE, SOC, X[i], T, Z[j])] == pytest.approx(value, abs=1e-12)
    free = SlopesToKnots2D(BASE, X, SOC, Z, T).compute(ParameterSet())
    assert knot_name_2d(BASE, SOC, X[0], T, Z[0]) not in free
    p = ParameterSet().merge(free, Origin("knots")).merge(given, Origin("fit"))
    assert p.number(knot_name_2d(BASE, SOC, 1.0, T, 318.0)) == pytest.approx(VALUES[-1, -1], abs=1e-12)


@pytest.mark.oracle("SlopesToKnots", "SlopesToKnots2D")
def test_names_are_those_of_the_documentation():
    assert knot_name("Negative particle diffusivity [m2.s-1]", "SOC", 0.3) == (
        "Negative particle diffusivity at SOC 0.3 [m2.s-1]"
    )
    assert slope_name("Particle diffusion time [s]", "SOC", 0, 0.5) == (
        "Particle diffusion time slope from SOC 0 to 0.5 [s]"
    )
    assert slope_name_2d(BASE, SOC, 0, 1, T, 273.15) == (
        "Diffusivity SOC-slope from SOC 0 to 1 at Temperature [K] 273.15 [m2.s-1]"
    )
    assert slope_name_2d(BASE, T, 273.15, 323.15, SOC, 0) == (
        "Diffusivity Temperature [K]-slope from Temperature [K] 273.15 to 323.15 at SOC 0 [m2.s-1]"
    )
    assert knot_name("Transference number", "c", 1e-7) == "Transference number at c 1e-07"
    assert knot_name("A [m]", "x", 1 / 3) == "A at x 0.333333 [m]"
    assert knot_name("A [m]", "x", -0.0) == "A at x 0 [m]"


@pytest.mark.oracle("SlopesToKnots", "SlopesToKnots2D")
@pytest.mark.parametrize("values", [[0.5], [0.5, 0.5], []])
def test_breakpoints_are_two_at_least(values):
    with pytest.raises(ConfigurationError, match="at least two different breakpoints"):
        SlopesToKnots(BASE, values, SOC)
    with pytest.raises(ConfigurationError, match="at least two different breakpoints"):
        SlopesToKnots2D(BASE, [0, 1], SOC, values, T)
    with pytest.raises(ConfigurationError, match="the same six digits"):
        ordered([0.1, 0.1 + 1e-9])
