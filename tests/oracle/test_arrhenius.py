"""Arrhenius lines against published kinetics, PyBaMM's own functions of temperature and SciPy's regression."""

import numpy as np
import pybamm
import pytest
from scipy.stats import linregress

from cellwright.catalog.calculations import ArrheniusLogLinear
from cellwright.catalog.calculations.arrhenius import (
    activation_energy_name,
    arguments_of,
    pre_exponential_name,
    reference_name,
)
from cellwright.errors import ConfigurationError, DataError
from cellwright.physics.constants import GAS
from cellwright.schema.parameters import Origin, ParameterSet

COLUMN = "Negative particle diffusivity [m2.s-1]"
ENERGY = "Negative particle diffusivity activation energy [J.mol-1]"
REFERENCE = "Negative particle reference diffusivity [m2.s-1]"


def fitted(temperature, column, values, **fields):
    data = {"Temperature [K]": list(temperature), column: list(values)}
    return ArrheniusLogLinear(data, **fields).compute(ParameterSet())


@pytest.mark.oracle("ArrheniusLogLinear")
def test_decomposition_of_dinitrogen_pentoxide():
    # Daniels & Johnston, J. Am. Chem. Soc. 43 (1921) 53: 24.7 kcal/mol = 103.3 kJ/mol; 1 % for their rounding.
    temperature = 273.15 + np.array([0, 25, 35, 45, 55, 65])
    rate = [7.87e-7, 3.46e-5, 1.35e-4, 4.98e-4, 1.50e-3, 4.87e-3]
    found = fitted(temperature, "Decomposition rate [s-1]", rate)
    assert found["Decomposition rate activation energy [J.mol-1]"] == pytest.approx(103.3e3, rel=1e-2)
    assert 3e13 < found["Decomposition rate pre-exponential factor [s-1]"] < 8e13


@pytest.mark.oracle("ArrheniusLogLinear")
def test_finds_what_pybamm_computes_with():
    # Marquis2019's graphite: 3.9e-14 m2/s at 298.15 K and 42770 J/mol.
    temperature = np.array([273.15, 283.15, 298.15, 318.15])
    theirs = pybamm.ParameterValues("Marquis2019")[COLUMN]
    measured = [float(theirs(0.5, pybamm.Scalar(T)).evaluate()) for T in temperature]
    found = fitted(temperature, COLUMN, measured, reference_temperature=298.15, include_func=True)
    assert found[ENERGY] == pytest.approx(42770.0, rel=1e-9)
    assert found[REFERENCE] == pytest.approx(3.9e-14, rel=1e-9, abs=0)
    p = ParameterSet().merge(found, Origin("line"))
    between = np.array([278.0, 305.0])
    expected = [float(theirs(0.5, pybamm.Scalar(T)).evaluate()) for T in between]
    assert p.function(COLUMN)(0.5, between) == pytest.approx(expected, rel=1e-9)


@pytest.mark.oracle("ArrheniusLogLinear")
def test_noisy_values_give_the_line_of_least_squares():
    rng = np.random.default_rng(5)
    temperature = np.linspace(263, 333, 12)
    values = 1e-14 * np.exp(-30e3 / GAS * (1 / temperature - 1 / 298.15) + 0.2 * rng.normal(size=12))
    line = linregress(1 / temperature, np.log(values))
    found = fitted(temperature, COLUMN, values)
    assert found[ENERGY] == pytest.approx(-line.slope * GAS, rel=1e-9)
    factor = found["Negative particle diffusivity pre-exponential factor [m2.s-1]"]
    assert np.log(factor) == pytest.approx(line.intercept, rel=1e-9)
    shifted = fitted(temperature, COLUMN, values, reference_temperature=310)
    assert shifted[ENERGY] == found[ENERGY]
    assert shifted[REFERENCE] == pytest.approx(np.exp(line.intercept + line.slope / 310), rel=1e-9)


@pytest.mark.oracle("ArrheniusLogLinear")
@pytest.mark.parametrize("reference", [None, 300.0])
def test_the_function_follows_its_parameters(reference):
    # Doubling the activation energy squares the ratio of two values.
    found = fitted([290.0, 310.0], COLUMN, [1e-14, 3e-14], reference_temperature=reference, include_func=True)
    p = ParameterSet().merge(found, Origin("line"))
    function = p.function(COLUMN)
    assert function.arguments == ("sto", "T")
    assert function(0.3, 290.0) == pytest.approx(1e-14, rel=1e-10, abs=0)
    assert function(0.3, 310.0) == pytest.approx(3e-14, rel=1e-10, abs=0)
    steeper = p.merge({ENERGY: 2 * found[ENERGY]}, Origin("fit")).function(COLUMN)
    assert steeper(0.3, 310.0) / steeper(0.3, 290.0) == pytest.approx(9.0, rel=1e-10)


@pytest.mark.oracle("ArrheniusLogLinear")
def test_a_falling_property_has_a_negative_energy():
    found = fitted([280.0, 320.0], "Contact resistance [Ohm]", [0.02, 0.01], reference_temperature=300)
    # ln 2 / (1/280 - 1/320) = 1552.65 K; times R
    assert found["Contact resistance activation energy [J.mol-1]"] == pytest.approx(-1552.65 * GAS, rel=1e-5)
    assert 0.01 < found["Reference contact resistance [Ohm]"] < 0.02


@pytest.mark.oracle("ArrheniusLogLinear")
@pytest.mark.parametrize(
    ("column", "reference", "energy"),
    [
        (COLUMN, REFERENCE, ENERGY),
        (
            "Secondary: Positive particle lithiation diffusivity [m2.s-1]",
            "Secondary: Positive particle lithiation reference diffusivity [m2.s-1]",
            "Secondary: Positive particle lithiation diffusivity activation energy [J.mol-1]",
        ),
        (
            "Negative electrode exchange-current density [A.m-2]",
            "Negative electrode reference exchange-current density [A.m-2]",
            "Negative electrode reaction activation energy [J.mol-1]",
        ),
        (
            "Electrolyte conductivity [S.m-1]",
            "Electrolyte reference conductivity [S.m-1]",
            "Electrolyte conductivity activation energy [J.mol-1]",
        ),
        ("SEI resistivity [Ohm.m]", "Reference SEI resistivity [Ohm.m]", "SEI resistivity activation energy [J.mol-1]"),
        ("Rate", "Reference rate", "Rate activation energy [J.mol-1]"),
    ],
)
def test_names(column, reference, energy):
    found = fitted([280.0, 320.0], column, [1.0, 2.0], reference_temperature=300)
    assert list(found) == [reference, energy] == [reference_name(column), activation_energy_name(column)]
    assert list(fitted([280.0, 320.0], column, [1.0, 2.0])) == [pre_exponential_name(column), energy]


@pytest.mark.oracle("ArrheniusLogLinear")
def test_functions_take_the_arguments_that_pybamm_gives():
    parameters = pybamm.LithiumIonParameters()
    c, T = pybamm.Scalar(1000.0), pybamm.Scalar(300.0)
    calls = [
        parameters.n.prim.D(c, T),
        parameters.p.prim.j0(c, c, T),
        parameters.D_e(c, T),
        parameters.kappa_e(c, T),
        parameters.n.sigma(None, T),
    ]
    for call in calls:
        names = arguments_of(call.name)
        assert len(names) == len(call.children), call.name
        assert call.children[names.index("T")] == T


@pytest.mark.oracle("ArrheniusLogLinear")
def test_tells_where_two_reference_temperatures_differ():
    p = ParameterSet({"Reference temperature [K]": 298.15}).recording()
    data = {"Temperature [K]": [280.0, 320.0], COLUMN: [1e-14, 2e-14]}
    ArrheniusLogLinear(data, 300).compute(p)
    assert p.remarks == ["the reference value is the one at 300 K, and 'Reference temperature [K]' is 298.15"]


@pytest.mark.oracle("ArrheniusLogLinear")
@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"Temperature [K]": [280, 300], COLUMN: [1, 0]}, "every value above 0, and one is 0"),
        ({"Temperature [K]": [280, 300], COLUMN: [1, None]}, "every value above 0, and one is nan"),
        ({"Temperature [K]": [25, -5], COLUMN: [1, 2]}, "every temperature above 0, and one is -5"),
        ({"Temperature [K]": [300, 300], COLUMN: [1, 2]}, "at least two different temperatures, the data have 1"),
        ({"Temperature [K]": [280, 300]}, "and the data have none"),
        ({"Temperature [K]": [280, 300], COLUMN: [1, 2], "Time [s]": [0, 1]}, "particle diffusivity.*'Time"),
        ({"Temperature [degC]": [280, 300], COLUMN: [1, 2]}, r"the data have 'Temperature \[degC\]'"),
        ({"Temperature [K]": [300, 300.001], COLUMN: [1, 2]}, r"factor of .* would be e\^"),
    ],
)
def test_data_without_a_line(data, said):
    with pytest.raises(DataError, match=said):
        ArrheniusLogLinear(data).compute(ParameterSet())


@pytest.mark.oracle("ArrheniusLogLinear")
def test_the_reference_temperature_is_above_zero():
    with pytest.raises(ConfigurationError, match="'reference_temperature' is 0, and it must be above 0"):
        ArrheniusLogLinear({"Temperature [K]": [280, 300], COLUMN: [1, 2]}, reference_temperature=0)
