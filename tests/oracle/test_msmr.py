"""MSMR: identities, closed forms of one kind of sites, finite differences, and PyBaMM's example set."""

import numpy as np
import pybamm
import pytest

from cellwright.catalog.calculations import (
    AverageMSMRParameters,
    MSMRFunction,
    OCPDataInterpolantMSMRExtrapolation,
    OCPMSMRInterpolant,
)
from cellwright.catalog.library import Library
from cellwright.errors import ConfigurationError, DataError, MissingParameterError
from cellwright.physics.constants import FARADAY, GAS
from cellwright.physics.msmr import Sites, lithiation, lithiation_slope, potential
from cellwright.schema.expressions import parameter
from cellwright.schema.parameters import Origin, ParameterSet

OCP = "Negative electrode OCP [V]"
T = 298.15


def named(sites, electrode="Negative", direction=""):
    prefix = f"{electrode} electrode {direction}host site"
    return {
        f"{prefix} standard potential [V]": list(sites.U0),
        f"{prefix} occupancy fraction": list(sites.X),
        f"{prefix} ideality factor": list(sites.w),
    }


def sites_of_material(material):
    values = list(material.parameter_values.values())
    return Sites(*values[:3])


MATERIALS = {name: Library.get_material(name) for name in Library.list_materials()}
GRAPHITE = Sites([0.08843, 0.12799, 0.14331], [0.5, 0.3, 0.2], [0.08611, 0.08009, 0.72469])


@pytest.mark.parametrize("name", MATERIALS)
def test_the_published_sets_keep_the_identities(name):
    sites = sites_of_material(MATERIALS[name])
    assert sum(sites.X) == pytest.approx(1, abs=2e-4)
    x = np.linspace(1e-5, sum(sites.X) - 1e-5, 301)
    U = potential(x, sites)
    assert (np.diff(U) < 0).all()
    np.testing.assert_allclose(lithiation(U, sites), x, atol=1e-10)
    step = 1e-6
    slope = (lithiation(U + step, sites) - lithiation(U - step, sites)) / (2 * step)
    np.testing.assert_allclose(lithiation_slope(U, sites), slope, rtol=1e-4, atol=1e-6)
    assert potential(lithiation(0.2, sites) if lithiation(0.2, sites) < sum(sites.X) else 0.5, sites).shape == ()


def test_stoichiometries_that_the_sites_do_not_reach():
    with pytest.raises(ConfigurationError, match=r"the stoichiometry 1\.2 is not inside 0 to 1"):
        potential([0.5, 1.2], GRAPHITE)
    with pytest.raises(ConfigurationError, match="there are 2, 1 and 1"):
        Sites([0.1, 0.2], [1.0], [1.0])


@pytest.mark.oracle("MSMRFunction")
@pytest.mark.parametrize(("U0", "X", "w"), [(0.1, 1.0, 1.0), (3.4, 1.0, 0.05), (0.2, 1.0, 4.0)])
def test_one_kind_of_sites_has_a_closed_form(U0, X, w):
    function = MSMRFunction("negative").compute(ParameterSet(named(Sites([U0], [X], [w]))))[OCP]
    x = np.linspace(0.001, 0.999, 777)
    np.testing.assert_allclose(function(x), U0 + w * GAS * T / FARADAY * np.log((X - x) / x), atol=1.01e-6)


@pytest.mark.oracle("MSMRFunction", "OCPMSMRInterpolant")
@pytest.mark.parametrize("name", MATERIALS)
def test_the_potential_of_a_lithiation_comes_back(name):
    sites = sites_of_material(MATERIALS[name])
    electrode = next(iter(MATERIALS[name].parameter_values)).split()[0]
    p = ParameterSet(named(sites, electrode))
    total = sum(sites.X)
    low, high = potential(np.array([total * (1 - 2e-6), total * 2e-6]), sites)
    U = np.linspace(low, high, 5003)
    x = lithiation(U, sites)
    whole = MSMRFunction(electrode.lower()).compute(p)[f"{electrode} electrode OCP [V]"]
    np.testing.assert_allclose(whole(x), U, atol=1.01e-6)
    assert (np.diff(whole(np.linspace(-0.05, 1.05, 999))) < 0).all()
    inside = (x > 1e-3 * total) & (x < 0.999 * total)
    part = OCPMSMRInterpolant(electrode.lower(), (float(low), float(high))).compute(p)
    np.testing.assert_allclose(part[f"{electrode} electrode OCP [V]"](x[inside]), U[inside], atol=1.01e-5)
    np.testing.assert_allclose(part[f"{electrode} electrode lithiation"](U), x, atol=1e-12)


@pytest.mark.oracle("MSMRFunction")
def test_plateaus_that_are_narrow_against_the_window_are_followed():
    sites = Sites([0.1, 3.4], [0.5, 0.5], [0.01, 0.02])
    function = MSMRFunction("negative").compute(ParameterSet(named(sites)))[OCP]
    x = np.concatenate([np.linspace(1e-5, 0.4999, 301), np.linspace(0.5001, 1 - 1e-5, 301)])
    np.testing.assert_allclose(function(x), potential(x, sites), atol=1.01e-6)


@pytest.mark.oracle("MSMRFunction")
def test_the_temperature_of_the_cell_counts():
    p = ParameterSet({**named(GRAPHITE), "Ambient temperature [K]": 320.0})
    x = np.linspace(0.01, 0.99, 57)
    np.testing.assert_allclose(MSMRFunction("negative").compute(p)[OCP](x), potential(x, GRAPHITE, 320.0), atol=1.01e-6)


@pytest.mark.oracle("MSMRFunction", "OCPMSMRInterpolant")
def test_a_phase_and_a_direction_have_names_of_their_own():
    given = {f"Primary: {name}": value for name, value in named(GRAPHITE, direction="lithiation ").items()}
    own = "Primary: Negative electrode lithiation OCP [V]"
    whole = MSMRFunction("negative", "lithiation", "primary").compute(ParameterSet(given))
    assert set(whole) == {own}
    options = {"direction": "lithiation", "phase": "primary", "create_lithiation_function": False}
    part = OCPMSMRInterpolant("negative", (0.05, 0.4), options).compute(ParameterSet(given))
    assert set(part) == {own}
    assert part[own](0.5) == pytest.approx(float(potential(0.5, GRAPHITE)), abs=1e-5)


@pytest.mark.oracle("OCPMSMRInterpolant")
def test_the_lithiation_of_pybamms_example_set_is_that_of_its_model():
    values = pybamm.ParameterValues("MSMR_Example")
    options = {
        "number of MSMR reactions": ("6", "4"),
        "open-circuit potential": "MSMR",
        "particle": "MSMR",
        "intercalation kinetics": "MSMR",
    }
    symbols = pybamm.LithiumIonParameters(options)
    voltages = np.linspace(0.05, 0.4, 8)
    theirs = [
        sum(float(values.evaluate(symbols.n.prim.x_j(pybamm.Scalar(U), pybamm.Scalar(T), j))) for j in range(6))
        for U in voltages
    ]
    given = {name: values[name] for name in values if "Negative electrode host site" in name}
    result = OCPMSMRInterpolant("negative", (0.05, 0.4)).compute(ParameterSet(given))
    np.testing.assert_allclose(result["Negative electrode lithiation"](voltages), theirs, rtol=1e-9)


def test_numbers_and_limits_that_are_needed():
    p = ParameterSet(named(GRAPHITE))
    with pytest.raises(ConfigurationError, match="a lower and an upper one"):
        OCPMSMRInterpolant("negative", (0.4, 0.1)).compute(p)
    with pytest.raises(ConfigurationError, match=r"between 3 and 4 V the stoichiometry does not change: it is"):
        OCPMSMRInterpolant("negative", (3.0, 4.0)).compute(p)
    with pytest.raises(ConfigurationError, match="a lower and an upper one"):
        OCPMSMRInterpolant("negative", (0.1, float("inf"))).compute(p)
    with pytest.raises(ConfigurationError, match=r"holds -0\.2, and the fractions"):
        MSMRFunction("negative").compute(ParameterSet(named(Sites([0.1, 0.2], [1.2, -0.2], [1.0, 1.0]))))
    with pytest.raises(ConfigurationError, match="holds 0, and ideality factors"):
        MSMRFunction("negative").compute(ParameterSet(named(Sites([0.1, 0.2], [0.8, 0.2], [1.0, 0.0]))))
    with pytest.raises(MissingParameterError, match="an MSMR set is needed"):
        MSMRFunction("positive").compute(p)
    waiting = {**named(GRAPHITE), "Negative electrode host site ideality factor": [0.1, 0.2, parameter("w")]}
    with pytest.raises(MissingParameterError, match="still depends on 'w'"):
        MSMRFunction("negative").compute(ParameterSet(waiting))


CELL = {"Negative electrode capacity [A.h]": 2.0, "Negative electrode lower excess capacity [A.h]": 0.1}


@pytest.mark.oracle("OCPDataInterpolantMSMRExtrapolation")
def test_data_of_the_set_itself_are_carried_on_by_it():
    x = np.linspace(0.05, 0.9, 400)
    data = {"Capacity [A.h]": 2 * x - 0.1, "Voltage [V]": potential(x, GRAPHITE)}
    blended = OCPDataInterpolantMSMRExtrapolation("negative", data, (0.02, 0.5))
    function = blended.compute(ParameterSet(CELL | named(GRAPHITE)))[OCP]
    everywhere = np.linspace(lithiation(0.5, GRAPHITE) + 1e-3, lithiation(0.02, GRAPHITE) - 1e-3, 501)
    # 400 points of data, joined by chords
    np.testing.assert_allclose(function(everywhere), potential(everywhere, GRAPHITE), atol=5e-4)


@pytest.mark.oracle("OCPDataInterpolantMSMRExtrapolation")
def test_data_above_the_set_stay_above_it_without_a_step():
    x = np.linspace(0.2, 0.8, 301)
    data = {"Capacity [A.h]": 2 * x - 0.1, "Voltage [V]": potential(x, GRAPHITE) + 0.01}
    function = OCPDataInterpolantMSMRExtrapolation("negative", data, (0.02, 0.5)).compute(
        ParameterSet(CELL | named(GRAPHITE))
    )[OCP]
    everywhere = np.linspace(0.05, 0.95, 2001)
    np.testing.assert_allclose(function(everywhere), potential(everywhere, GRAPHITE) + 0.01, atol=5e-4)


@pytest.mark.oracle("OCPDataInterpolantMSMRExtrapolation")
def test_the_points_of_the_data_are_kept_inside_them():
    x = np.linspace(0.2, 0.8, 41)
    U = potential(x, GRAPHITE) + 0.01 * np.sin(40 * x)
    data = {"Capacity [A.h]": 2 * x - 0.1, "Voltage [V]": U}
    # Limits that leave out most of the data leave out the set alone.
    for limits in ((0.02, 0.5), (0.12, 0.13)):
        calculation = OCPDataInterpolantMSMRExtrapolation("negative", data, limits)
        function = calculation.compute(ParameterSet(CELL | named(GRAPHITE)))[OCP]
        inside = (x > 0.23) & (x < 0.77)
        np.testing.assert_allclose(function(x[inside]), U[inside], atol=1e-12)


def test_data_that_do_not_go_with_the_electrode():
    x = np.linspace(0.2, 0.8, 30)
    rising = {"Capacity [A.h]": 2 * x, "Voltage [V]": x}
    p = ParameterSet(CELL | named(GRAPHITE))
    with pytest.raises(DataError, match="rises with the column"):
        OCPDataInterpolantMSMRExtrapolation("negative", rising, (0.02, 0.5)).compute(p)
    too_much = {"Capacity [A.h]": 4 * x, "Voltage [V]": -x}
    with pytest.raises(DataError, match="outside 0 to 1"):
        OCPDataInterpolantMSMRExtrapolation("negative", too_much, (0.02, 0.5)).compute(p)


@pytest.mark.oracle("AverageMSMRParameters")
def test_the_mean_of_two_unit_sums_is_one():
    one = Sites([0.1, 0.2], [0.3, 0.7], [0.5, 1.5])
    two = Sites([0.12, 0.26], [0.45, 0.55], [0.7, 1.1])
    p = ParameterSet(named(one, direction="lithiation ") | named(two, direction="delithiation "))
    mean = AverageMSMRParameters("negative").compute(p)
    assert mean["Negative electrode host site standard potential [V]"] == pytest.approx([0.11, 0.23])
    assert mean["Negative electrode host site occupancy fraction"] == pytest.approx([0.375, 0.625])
    assert mean["Negative electrode host site ideality factor"] == pytest.approx([0.6, 1.3])


@pytest.mark.oracle("AverageMSMRParameters")
def test_indexed_sets_with_capacities_stay_indexed():
    def indexed(direction, Q):
        prefix = f"Negative electrode {direction} host site"
        return {
            f"{prefix} standard potential (0) [V]": 0.1,
            f"{prefix} occupancy capacity (0) [A.h]": Q,
            f"{prefix} ideality factor (0)": 1.0,
        }

    p = ParameterSet(indexed("lithiation", 2.0) | indexed("delithiation", 3.0))
    mean = AverageMSMRParameters("negative", {"species_format": "Qj"}).compute(p)
    assert mean["Negative electrode host site occupancy capacity (0) [A.h]"] == 2.5
    unequal = p.merge(
        {
            "Negative electrode lithiation host site standard potential (1) [V]": 0.1,
        },
        Origin("x"),
    )
    with pytest.raises(ConfigurationError, match="lithiation has 2 kinds of sites, delithiation 1"):
        AverageMSMRParameters("negative", {"species_format": "Qj"}).compute(unequal)


@pytest.mark.oracle("AverageMSMRParameters")
def test_sites_in_another_order_are_told():
    one, two = Sites([0.1, 0.2], [0.3, 0.7], [0.5, 1.5]), Sites([0.26, 0.12], [0.45, 0.55], [0.7, 1.1])
    view = ParameterSet(named(one, direction="lithiation ") | named(two, direction="delithiation ")).recording()
    mean = AverageMSMRParameters("negative").compute(view)
    assert mean["Negative electrode host site standard potential [V]"] == pytest.approx([0.18, 0.16])
    assert "are not in the same order" in view.remarks[0]


def test_fractions_that_do_not_make_a_whole_are_told():
    view = ParameterSet(named(Sites([0.1, 0.2], [0.3, 0.4], [1.0, 1.0]))).recording()
    MSMRFunction("negative").compute(view)
    assert view.remarks == ["the occupancy fractions of 'Negative electrode host site' add up to 0.7, not to 1"]
