"""Measured open-circuit potentials: SciPy's tables, points that count as one, tables that no electrode has."""

import numpy as np
import pytest
from scipy.interpolate import CubicSpline, PchipInterpolator

from cellwright.catalog.calculations import ElectrodeSOHHalfCell, OCPDataInterpolant
from cellwright.catalog.calculations.open_circuit import distinct
from cellwright.errors import DataError
from cellwright.schema.parameters import Origin, ParameterSet

OCP = "Negative electrode OCP [V]"
X, U = np.array([0.01, 0.1, 0.3, 0.6, 0.99]), np.array([1.2, 0.3, 0.18, 0.12, 0.01])
AT = np.linspace(0.01, 0.99, 99)


def given(x, U):
    return {"Stoichiometry": x, "Voltage [V]": U}


@pytest.mark.oracle("OCPDataInterpolant")
@pytest.mark.parametrize(
    ("interpolator", "expected"),
    [
        ("linear", np.interp(AT, X, U)),
        ("cubic", CubicSpline(X, U)(AT)),
        ("pchip", PchipInterpolator(X, U)(AT)),
    ],
)
def test_points_in_any_order_are_joined_as_scipy_does(interpolator, expected):
    order = np.random.default_rng(5).permutation(len(X))
    data = given(X[order], U[order])
    function = OCPDataInterpolant("negative", data, {"interpolator": interpolator}).compute(ParameterSet())[OCP]
    np.testing.assert_allclose(function(AT), expected, rtol=1e-12)


@pytest.mark.oracle("OCPDataInterpolant")
def test_the_name_has_phase_and_direction():
    calculation = OCPDataInterpolant("positive", given(X, U), {"phase": "primary", "direction": "delithiation"})
    assert set(calculation.compute(ParameterSet())) == {"Primary: Positive electrode delithiation OCP [V]"}


@pytest.mark.oracle("OCPDataInterpolant")
def test_points_that_are_too_close_count_as_their_mean():
    view = ParameterSet().recording()
    data = given([0.2, 0.2 + 5e-7, 0.8], [0.301, 0.303, 0.1])
    function = OCPDataInterpolant("negative", data).compute(view)[OCP]
    assert function(0.2 + 2.5e-7) == pytest.approx(0.302, abs=1e-12)
    assert view.remarks == []


def test_a_tolerance_wider_than_the_sampling_thins_and_does_not_swallow():
    # Points 1e-4 apart under a tolerance of 1e-3: each group spans the tolerance, not the table.
    x = np.arange(10001) / 1e4
    kept, mean = distinct(x, 1 - x, 1.05e-3)
    assert len(kept) == pytest.approx(10001 / 11, abs=1)
    assert np.diff(kept)[:-1] == pytest.approx(1.1e-3)
    np.testing.assert_allclose(mean, 1 - kept, atol=1e-12)


def test_two_directions_in_one_table_are_told():
    view = ParameterSet().recording()
    OCPDataInterpolant("negative", given([*X, *X], [*U, *(U + 0.04)])).compute(view)
    assert "10 points of a potential have 5 distinct stoichiometries" in view.remarks[0]
    assert "0.02 V from their mean" in view.remarks[0]


@pytest.mark.oracle("OCPDataInterpolant")
def test_a_table_beyond_its_ends_goes_straight_on_and_is_told():
    p = ParameterSet({"Lower voltage cut-off [V]": 3.0, "Upper voltage cut-off [V]": 4.4})
    table = OCPDataInterpolant("positive", given([0.3, 0.6, 0.9], [4.2, 3.9, 3.3]))
    p = p.merge(table.compute(p), Origin("ocp"))
    function = p.function("Positive electrode OCP [V]")
    assert function(0.1) == pytest.approx(4.2 + 0.2, abs=1e-12)
    assert function(1.0) == pytest.approx(3.3 - 0.2, abs=1e-12)
    view = p.merge({"Lower voltage cut-off [V]": 3.2}, Origin("x")).recording()
    window = ElectrodeSOHHalfCell("positive").compute(view)
    assert sorted(window.values())[0] == pytest.approx(0.1, abs=1e-9)
    assert "is a table from 0.3 to 0.9 and is used at" in view.remarks[0]


@pytest.mark.parametrize(
    ("x", "U", "told"),
    [
        (1 - X, U, r"rises with the column 'Stoichiometry', by .* V from end to end.*count from the other end"),
        (100 * X, U, "goes from 1 to 99; stoichiometries lie between 0 and 1"),
        (-X, -U, "goes from -0.99 to -0.01"),
        ([0.5, 0.5, 0.5], [0.1, 0.1, 0.1], "at least two distinct points, the data have 1"),
        ([], [], "at least two distinct points, the data have 0"),
        ([0.1, np.nan, 0.9], [1.0, 0.5, 0.1], "no numbers"),
        ([0.1, 0.5, 0.9], [1.0, np.inf, 0.1], "no numbers"),
    ],
)
def test_tables_that_no_electrode_has(x, U, told):
    with pytest.raises(DataError, match=told):
        OCPDataInterpolant("negative", given(x, U)).compute(ParameterSet())


@pytest.mark.oracle("OCPDataInterpolant")
def test_noise_on_a_plateau_is_no_error():
    x = np.linspace(0.2, 0.8, 200)
    noisy = 3.43 + 1e-3 * np.random.default_rng(2).normal(size=200) + 1e-3 * x
    function = OCPDataInterpolant("positive", given(x, noisy)).compute(ParameterSet())["Positive electrode OCP [V]"]
    np.testing.assert_allclose(function(x), noisy, rtol=1e-12)
