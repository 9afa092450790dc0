"""MSMR: identities, closed forms of one kind of sites, finite differences, and PyBaMM's example set."""

import numpy as np
import pybamm
import pytest

from cellwright.catalog.calculations import (
    AverageMSMRParameters,
    EntropicChangeDataInterpolant,
    EntropicChangeFromMSMRFunction,
    MSMRFunction,
    OCPDataInterpolantMSMRExtrapolation,
    OCPMSMRInterpolant,
)
from cellwright.catalog.library import Library
from cellwright.errors import ConfigurationError, DataError, MissingParameterError
from cellwright.physics.constants import FARADAY, GAS
from cellwright.physics.msmr import Sites, entropic_change, lithiation, lithiation_slope, potential
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
    np.testing.assert_allclose(function(x), U0 + w * GAS * T / FARADAY * np.log((X - x) / x), atol=1e-5)


@pytest.mark.oracle("MSMRFunction", "OCPMSMRInterpolant")
@pytest.mark.parametrize("name", [name for name in MATERIALS if "Manganese" not in name])
def test_the_potential_of_a_lithiation_comes_back(name):
    sites = sites_of_material(MATERIALS[name])
    electrode = next(iter(MATERIALS[name].parameter_values)).split()[0]
    p = ParameterSet(named(sites, electrode))
    x = np.linspace(0.01, sum(sites.X) - 0.01, 501)
    U = potential(x, sites)
    whole = MSMRFunction(electrode.lower()).compute(p)[f"{electrode} electrode OCP [V]"]
    np.testing.assert_allclose(whole(x), U, atol=1e-5)
    part = OCPMSMRInterpolant(electrode.lower(), (float(U.min()), float(U.max()))).compute(p)
    # The table is linear; its chords are off by the curvature between 2000 points.
    np.testing.assert_allclose(part[f"{electrode} electrode OCP [V]"](x), U, atol=2e-4)
    np.testing.assert_allclose(part[f"{electrode} electrode lithiation"](U), x, atol=1e-12)


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


@pytest.mark.oracle("EntropicChangeFromMSMRFunction")
def test_the_entropic_change_is_that_of_the_potential_with_temperature():
    p = ParameterSet(named(GRAPHITE))
    name = "Negative electrode OCP entropic change [V.K-1]"
    function = EntropicChangeFromMSMRFunction("negative", (0.03, 0.4)).compute(p)[name]
    x = np.linspace(0.05, 0.95, 201)
    step = 0.01
    difference = (potential(x, GRAPHITE, T + step) - potential(x, GRAPHITE, T - step)) / (2 * step)
    np.testing.assert_allclose(entropic_change(potential(x, GRAPHITE), GRAPHITE), difference, atol=1e-9)
    np.testing.assert_allclose(function(x), difference, atol=2e-6)
    warm = p.merge({"Ambient temperature [K]": 320.0}, Origin("x"))
    doubled = EntropicChangeFromMSMRFunction("negative", (0.03, 0.4), {"scale factor": 2.0}).compute(warm)[name]
    expected = 2 * entropic_change(potential(x, GRAPHITE, 320.0), GRAPHITE, 320.0)
    np.testing.assert_allclose(doubled(x), expected, atol=4e-6)


@pytest.mark.oracle("EntropicChangeDataInterpolant")
def test_measured_entropic_changes_are_joined_and_scaled():
    x, change = [0.0, 0.4, 1.0], np.array([1e-4, -1e-4, 3e-4])
    data = {"Stoichiometry": x, "Entropic change [V.K-1]": change}
    name = "Secondary: Negative electrode OCP entropic change [V.K-1]"
    options = {"phase": "secondary", "scale factor": 0.5}
    function = EntropicChangeDataInterpolant("negative", data, options).compute(ParameterSet())[name]
    at = np.array([0.0, 0.1, 0.4, 0.7])
    np.testing.assert_allclose(function(at), 0.5 * np.interp(at, x, change))
