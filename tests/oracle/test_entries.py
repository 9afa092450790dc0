"""Entries: against PyBaMM's own parameter sets and functions, closed forms, and simulations that run with them."""

import json

import numpy as np
import pybamm
import pytest

import cellwright as cw
from cellwright.catalog.entries import (
    ArrheniusButlerVolmerExchangeCurrentDensity,
    ArrheniusElectrolyteConductivity,
    ArrheniusElectrolyteDiffusivity,
    ArrheniusParticleDiffusivity,
    AverageOCP,
    Bruggeman,
    ConstantElectrolyte,
    DirectEntry,
    FromJson,
    InitialStateOfCharge,
    InitialTemperature,
    InitialVoltage,
    LandesfeindElectrolyte,
    LiPlatingDefaults,
    LithiumMetalAnode,
    MechanicalDegradationDefaults,
    NymanElectrolyte,
    OneCm2Cell,
    PiecewiseInterpolation1D,
    PiecewiseInterpolation2D,
    SeiDefaults,
    SpmDefaults,
    StandardDefaults,
    Temperatures,
    ZeroActivationEnergy,
    ZeroEntropicChange,
)
from cellwright.catalog.entries.defaults import mechanics
from cellwright.errors import ConfigurationError, MissingParameterError
from cellwright.models.exchange import parameter_values
from cellwright.physics.constants import GAS
from cellwright.schema.parameters import Origin, ParameterSet
from cellwright.schema.values import Function
from cellwright.service.runs import Service
from cellwright.store import Store
from cellwright.testing.cells import discharge
from cellwright.testing.cells import published as chen2020

EMPTY = ParameterSet()
C_E = np.linspace(200, 2500, 12)
T = np.linspace(265, 320, 12)


def merged(*elements, **values):
    p = EMPTY
    for element in elements:
        p = p.merge(element.compute(p), Origin(type(element).__name__))
    return p.merge(values, Origin("values")) if values else p


def at(function, *columns):
    """Evaluate one of PyBaMM's functions on numbers, row by row."""
    rows = zip(*columns, strict=True)
    return np.array([float(pybamm.simplify_if_constant(function(*map(pybamm.Scalar, row))).evaluate()) for row in rows])


@pytest.mark.oracle("NymanElectrolyte")
def test_nyman_is_that_of_pybamms_chen2020():
    theirs, ours = pybamm.ParameterValues("Chen2020"), NymanElectrolyte(c_e=1000).compute(EMPTY)
    for name in ("Electrolyte diffusivity [m2.s-1]", "Electrolyte conductivity [S.m-1]"):
        np.testing.assert_allclose(ours[name](C_E, T), at(theirs[name], C_E, T), rtol=1e-12)
    for name in (
        "Cation transference number",
        "Thermodynamic factor",
        "Initial concentration in electrolyte [mol.m-3]",
    ):
        assert ours[name] == pytest.approx(theirs[name])


@pytest.mark.oracle("LandesfeindElectrolyte")
def test_landesfeind_is_that_of_pybamms_oregan2022():
    theirs = pybamm.ParameterValues("ORegan2022")
    ours = LandesfeindElectrolyte(c_e=1000, system="EC:EMC (3:7)").compute(EMPTY)
    for name in ("Electrolyte diffusivity [m2.s-1]", "Electrolyte conductivity [S.m-1]"):
        np.testing.assert_allclose(ours[name](C_E, T), at(theirs[name], C_E, T), rtol=1e-12)
    for name in ("Cation transference number", "Thermodynamic factor"):
        np.testing.assert_allclose(ours[name](C_E, T), at(theirs[name], C_E, T), rtol=1e-12)


@pytest.mark.oracle("LandesfeindElectrolyte")
def test_the_other_solvents_at_one_point_worked_by_hand():
    c, temperature = 1.5, 300.0
    e = np.exp(1000 / temperature)
    dmc = LandesfeindElectrolyte(c_e=1000, system="EC:DMC (1:1)").compute(EMPTY)
    kappa = 0.1 * 0.798 * (1 + 300 - 228) * c * (1 - 1.22 * c**0.5 + 0.509 * (1 - 0.004 * e) * c)
    kappa /= 1 + c**4 * 0.00379 * e
    assert dmc["Electrolyte conductivity [S.m-1]"](1500.0, 300.0) == pytest.approx(kappa, rel=1e-12)
    D = 1e-10 * 1470 * np.exp(1.33 * c - 1690 / 300 - 563 * c / 300)
    assert dmc["Electrolyte diffusivity [m2.s-1]"](1500.0, 300.0) == pytest.approx(D, rel=1e-12, abs=0)
    fec = LandesfeindElectrolyte(c_e=1000, system="EMC:FEC (19:1)").compute(EMPTY)
    chi = 3.22 - 10.1 * c - 0.0158 * 300 + 6.12 * c**2 + 0.0296 * c * 300 + 2.42e-5 * 300**2
    chi += -0.222 * c**3 - 0.0157 * c**2 * 300 + 6.3e-6 * c * 300**2
    assert fec["Thermodynamic factor"](1500.0, 300.0) == pytest.approx(chi, rel=1e-10)
    t = -12.2 - 3.05 * c + 0.0838 * 300 + 1.78 * c**2 + 0.00151 * c * 300 - 1.37e-4 * 300**2
    t += -0.0245 * c**3 - 0.00515 * c**2 * 300 + 2.14e-5 * c * 300**2
    assert fec["Cation transference number"](1500.0, 300.0) == pytest.approx(t, rel=1e-10)
    chi = -5.58 + 7.17 * c + 0.038 * 300 + 1.91 * c**2 - 0.0665 * c * 300 - 5.08e-5 * 300**2
    chi += 0.11 * c**3 - 0.0061 * c**2 * 300 + 1.51e-4 * c * 300**2
    assert dmc["Thermodynamic factor"](1500.0, 300.0) == pytest.approx(chi, rel=1e-10)
    t = -7.91 + 0.245 * c + 0.0528 * 300 + 0.698 * c**2 - 0.0108 * c * 300 - 8.21e-5 * 300**2
    t += 7.43e-4 * c**3 - 0.00222 * c**2 * 300 + 3.07e-5 * c * 300**2
    assert dmc["Cation transference number"](1500.0, 300.0) == pytest.approx(t, rel=1e-10)
    kappa = 0.1 * 0.0251 * (1 + 300 - 175) * c * (1 + 1.23 * c**0.5 + 0.205 * (1 - 0.0881 * e) * c)
    kappa /= 1 + c**4 * 0.00283 * e
    assert fec["Electrolyte conductivity [S.m-1]"](1500.0, 300.0) == pytest.approx(kappa, rel=1e-12)
    D = 1e-10 * 586 * np.exp(1.33 * c - 1380 / 300 - 582 * c / 300)
    assert fec["Electrolyte diffusivity [m2.s-1]"](1500.0, 300.0) == pytest.approx(D, rel=1e-12, abs=0)


@pytest.mark.oracle("LandesfeindElectrolyte")
@pytest.mark.parametrize("system", ["EC:DMC (1:1)", "EC:EMC (3:7)", "EMC:FEC (19:1)"])
def test_the_solvents_are_electrolytes_in_their_range(system):
    ours = LandesfeindElectrolyte(c_e=1000, system=system).compute(EMPTY)
    c, temperature = (column.ravel() for column in np.meshgrid([500.0, 1000.0, 2000.0], [273.15, 298.15, 323.15]))
    assert (ours["Electrolyte conductivity [S.m-1]"](c, temperature) > 0.05).all()
    assert (ours["Electrolyte conductivity [S.m-1]"](c, temperature) < 3).all()
    assert (ours["Electrolyte diffusivity [m2.s-1]"](c, temperature) > 1e-11).all()
    assert (ours["Thermodynamic factor"](c, temperature) > 0).all()


def test_electrolytes_that_cannot_be():
    with pytest.raises(ConfigurationError, match=r"no system 'EC:EMC \(3:8\)'.*did you mean 'EC:EMC \(3:7\)'"):
        LandesfeindElectrolyte(c_e=1000, system="EC:EMC (3:8)")
    with pytest.raises(ConfigurationError, match="must be above 0"):
        NymanElectrolyte(c_e=-1).compute(EMPTY)


@pytest.mark.oracle("ConstantElectrolyte", "StandardDefaults", "OneCm2Cell", "Bruggeman", "ZeroEntropicChange")
def test_plain_sets_have_the_names_of_pybamm():
    chen = pybamm.ParameterValues("Chen2020")
    p = merged(ConstantElectrolyte(c_e=1000), StandardDefaults(), OneCm2Cell(), Bruggeman(), ZeroEntropicChange())
    assert set(p) <= set(chen.keys())
    for name in set(p) - {"Electrode height [m]", "Electrode width [m]"}:
        assert p[name] == pytest.approx(chen[name]), name
    assert p["Electrode height [m]"] * p["Electrode width [m]"] * 1e4 == pytest.approx(1.0)


@pytest.mark.oracle("Temperatures", "InitialTemperature", "InitialStateOfCharge", "InitialVoltage")
def test_states_stand_under_their_names():
    assert dict(merged(Temperatures(T=310))) == {
        "Reference temperature [K]": 310,
        "Ambient temperature [K]": 310,
        "Initial temperature [K]": 310,
    }
    assert dict(merged(InitialTemperature(290))) == {"Ambient temperature [K]": 290, "Initial temperature [K]": 290}
    assert InitialStateOfCharge(40).to_config() == {"values": {"Initial SOC [%]": 40}}
    assert InitialVoltage(3.9).to_config() == {"values": {"Initial voltage [V]": 3.9}}
    for wrong in (
        lambda: InitialStateOfCharge(140),
        lambda: InitialTemperature(-3),
        lambda: Temperatures(T=0).compute(EMPTY),
    ):
        with pytest.raises(ConfigurationError):
            wrong()


@pytest.mark.oracle(
    "ZeroActivationEnergy", "ArrheniusParticleDiffusivity", "ArrheniusButlerVolmerExchangeCurrentDensity"
)
def test_without_activation_energies_nothing_depends_on_temperature():
    p = merged(
        Temperatures(),
        NymanElectrolyte(c_e=1000),
        ZeroActivationEnergy(),
        ArrheniusParticleDiffusivity(electrode="negative"),
        ArrheniusButlerVolmerExchangeCurrentDensity(electrode="negative"),
        **{
            "Negative particle reference diffusivity [m2.s-1]": 3e-14,
            "Negative electrode reference exchange-current density [A.m-2]": 2.0,
        },
    )
    D, j0 = p["Negative particle diffusivity [m2.s-1]"], p["Negative electrode exchange-current density [A.m-2]"]
    assert not D.names
    assert not j0.names
    np.testing.assert_allclose(D(0.5, T), 3e-14, rtol=1e-14)
    np.testing.assert_allclose(j0(1000.0, 1.5e4, 3e4, T), 2.0 * 0.5, rtol=1e-14)


@pytest.mark.oracle("ArrheniusButlerVolmerExchangeCurrentDensity")
def test_the_exchange_current_is_that_of_chen2020_with_its_prefactor():
    # Chen2020 writes j0 = m_ref exp(...) c_e^½ c_s^½ (c_max - c_s)^½, so j_ref = m_ref c_e0^½ c_max.
    theirs = pybamm.ParameterValues("Chen2020")["Negative electrode exchange-current density [A.m-2]"]
    maximum = 33133.0
    p = merged(
        Temperatures(),
        ConstantElectrolyte(c_e=1000),
        ArrheniusButlerVolmerExchangeCurrentDensity(electrode="negative"),
        **{
            "Negative electrode reference exchange-current density [A.m-2]": 6.48e-7 * 1000**0.5 * maximum,
            "Negative electrode reaction activation energy [J.mol-1]": 35000.0,
        },
    )
    surface = np.linspace(500, 32000, 12)
    expected = at(theirs, C_E, surface, np.full(12, maximum), T)
    ours = p["Negative electrode exchange-current density [A.m-2]"](C_E, surface, maximum, T)
    np.testing.assert_allclose(ours, expected, rtol=1e-6)
    beyond = p["Negative electrode exchange-current density [A.m-2]"](
        1000.0, np.array([-1.0, 0.0, 1.0, 1.01]) * maximum, maximum, 300.0
    )
    assert beyond.tolist() == [0.0] * 4


@pytest.mark.oracle(
    "ArrheniusParticleDiffusivity", "ArrheniusElectrolyteDiffusivity", "ArrheniusElectrolyteConductivity"
)
@pytest.mark.parametrize("before", [True, False])
def test_references_may_be_numbers_or_functions_before_or_after(before):
    values = {
        "Positive particle reference diffusivity [m2.s-1]": lambda sto: 1e-15 * (1 + sto),
        "Positive particle diffusivity activation energy [J.mol-1]": 2e4,
        "Electrolyte reference diffusivity [m2.s-1]": 2e-10,
        "Electrolyte diffusivity activation energy [J.mol-1]": 1e4,
        "Electrolyte reference conductivity [S.m-1]": lambda c_e, T: c_e / 1000 + T / 1000,
        "Electrolyte conductivity activation energy [J.mol-1]": 1.5e4,
    }
    known = DirectEntry(values)
    members = (
        ArrheniusParticleDiffusivity(electrode="positive"),
        ArrheniusElectrolyteDiffusivity(),
        ArrheniusElectrolyteConductivity(),
    )
    p = merged(Temperatures(), *((known, *members) if before else (*members, known)))
    factor = lambda energy: np.exp(energy / GAS * (1 / 298.15 - 1 / T))  # noqa: E731
    sto = np.linspace(0.1, 0.9, 12)
    D = p["Positive particle diffusivity [m2.s-1]"]
    np.testing.assert_allclose(D(sto, T), 1e-15 * (1 + sto) * factor(2e4), rtol=1e-12)
    np.testing.assert_allclose(p["Electrolyte diffusivity [m2.s-1]"](C_E, T), 2e-10 * factor(1e4), rtol=1e-12)
    expected = (C_E / 1000 + T / 1000) * factor(1.5e4)
    np.testing.assert_allclose(p["Electrolyte conductivity [S.m-1]"](C_E, T), expected, rtol=1e-12)


@pytest.mark.oracle("AverageOCP")
def test_the_mean_of_both_branches():
    branches = {
        "Primary: Negative electrode lithiation OCP [V]": Function.table("sto", [0.0, 1.0], [0.2, 0.0]),
        "Primary: Negative electrode delithiation OCP [V]": lambda sto: 0.4 - 0.4 * sto**2,
    }
    p = merged(DirectEntry(branches), AverageOCP(electrode="negative", phase="primary"))
    x = np.linspace(0, 1, 11)
    expected = ((0.2 - 0.2 * x) + (0.4 - 0.4 * x**2)) / 2
    np.testing.assert_allclose(p["Primary: Negative electrode OCP [V]"](x), expected, atol=1e-15)
    with pytest.raises(MissingParameterError, match="Positive electrode delithiation OCP"):
        AverageOCP(electrode="positive").compute(EMPTY)


@pytest.mark.oracle("SeiDefaults", "LiPlatingDefaults", "MechanicalDegradationDefaults")
@pytest.mark.parametrize(
    "entry",
    [
        SeiDefaults(),
        LiPlatingDefaults(),
        MechanicalDegradationDefaults(electrode="negative"),
        MechanicalDegradationDefaults(electrode="positive"),
    ],
)
def test_degradation_is_that_of_pybamms_okane2022(entry):
    theirs = pybamm.ParameterValues("OKane2022")
    p = merged(SeiDefaults(), LiPlatingDefaults(), entry, **{MAXIMUM: theirs[MAXIMUM]})
    for name in entry.compute(EMPTY):
        expected = theirs[name]
        if not callable(expected):
            # PyBaMM rounds the LAM constant, 1 per 1000 h, to five digits.
            value = p[name] if not isinstance(p[name], Function) else p[name](0.5)
            assert value == pytest.approx(expected, rel=2e-5, abs=0), name
        elif isinstance(p[name], Function):
            columns = [np.array([0.3, 0.6, 0.9])] * len(p[name].arguments)
            found = [
                float(theirs.process_symbol(pybamm.simplify_if_constant(expected(*map(pybamm.Scalar, row)))).evaluate())
                for row in zip(*columns, strict=True)
            ]
            np.testing.assert_allclose(p[name](*columns), found, rtol=1e-6, err_msg=name)
        else:
            assert p[name] == pytest.approx(at(expected, [300.0])[0], rel=1e-12, abs=0), name


MAXIMUM = "Maximum concentration in positive electrode [mol.m-3]"


@pytest.mark.oracle("SpmDefaults")
def test_a_single_particle_model_runs_on_entries_and_does_not_feel_its_defaults():
    chen = pybamm.ParameterValues("Chen2020")
    defaults = SpmDefaults().fixed
    model = pybamm.lithium_ion.SPM()
    rest = {
        name: chen[name]
        for name in model.get_parameter_info()
        if name in chen.keys() and name not in {*defaults, *merged(Temperatures(), StandardDefaults())}  # noqa: SIM118
    }
    p = merged(Temperatures(), StandardDefaults(), SpmDefaults(), DirectEntry(rest))
    times = np.linspace(0, 3000, 31)
    voltages = []
    for values in (parameter_values(p), chen):
        simulation = pybamm.Simulation(pybamm.lithium_ion.SPM(), parameter_values=values)
        voltages.append(simulation.solve([0, 3000])["Voltage [V]"](times))
    np.testing.assert_allclose(*voltages, atol=2e-4)


@pytest.mark.oracle("LithiumMetalAnode")
def test_the_counter_electrode_adds_nothing_to_a_half_cell():
    options = {"working electrode": "positive"}
    xu = pybamm.ParameterValues("Xu2019")
    own = LithiumMetalAnode().fixed
    p = merged(LithiumMetalAnode(), DirectEntry({name: xu[name] for name in xu if name not in own}))
    voltages = []
    for density in (own["Exchange-current density for lithium metal electrode [A.m-2]"], 1e12):
        values = parameter_values(p)
        values["Exchange-current density for lithium metal electrode [A.m-2]"] = density
        solver = pybamm.IDAKLUSolver(rtol=1e-9, atol=1e-9)
        simulation = pybamm.Simulation(pybamm.lithium_ion.SPM(options), parameter_values=values, solver=solver)
        voltages.append(simulation.solve([0, 1000])["Voltage [V]"](np.linspace(0, 1000, 21)))
    np.testing.assert_allclose(*voltages, atol=2e-6)
    assert set(own) <= set(xu.keys())


@pytest.mark.oracle("NymanElectrolyte", "Bruggeman")
def test_an_spme_runs_on_entries():
    chen = pybamm.ParameterValues("Chen2020")
    sets = (Temperatures(), StandardDefaults(), NymanElectrolyte(c_e=1000), Bruggeman(), ZeroEntropicChange())
    given = merged(*sets)
    names = pybamm.lithium_ion.SPMe().get_parameter_info()
    p = merged(*sets, DirectEntry({name: chen[name] for name in names if name in chen and name not in given}))
    times = np.linspace(0, 3000, 31)
    voltages = [
        pybamm.Simulation(pybamm.lithium_ion.SPMe(), parameter_values=values).solve([0, 3000])["Voltage [V]"](times)
        for values in (parameter_values(p), chen)
    ]
    np.testing.assert_allclose(*voltages, atol=2e-4)


DIFFUSIVITY = "Negative particle diffusivity [m2.s-1]"


@pytest.mark.oracle("SeiDefaults", "LiPlatingDefaults", "MechanicalDegradationDefaults")
def test_degradation_runs_as_with_pybamms_okane2022():
    sets = (
        SeiDefaults(),
        LiPlatingDefaults(),
        MechanicalDegradationDefaults(electrode="negative"),
        MechanicalDegradationDefaults(electrode="positive"),
    )
    options = {
        "SEI": "solvent-diffusion limited",
        "SEI on cracks": "true",
        "lithium plating": "partially reversible",
        "particle mechanics": ("swelling and cracking", "swelling only"),
        "loss of active material": "stress-driven",
    }
    ours, theirs = both_ways("OKane2022", sets, pybamm.lithium_ion.SPM(options), until=1800)
    for name in (
        "Voltage [V]",
        "Loss of lithium to negative SEI [mol]",
        "Loss of lithium to negative lithium plating [mol]",
        "Loss of active material in negative electrode [%]",
    ):
        # PyBaMM rounds the LAM constant to five digits.
        expected = theirs[name].entries[-1]
        assert abs(expected) > 1e-8
        assert ours[name].entries[-1] == pytest.approx(expected, rel=2e-5, abs=0), name


@pytest.mark.oracle("LandesfeindElectrolyte")
def test_a_dfn_runs_on_landesfeind():
    sets = (LandesfeindElectrolyte(c_e=1000, system="EC:EMC (3:7)"),)
    ours, theirs = both_ways("ORegan2022", sets, pybamm.lithium_ion.DFN(), until=600)
    np.testing.assert_allclose(ours["Voltage [V]"].entries[-1], theirs["Voltage [V]"].entries[-1], atol=1e-6)


@pytest.mark.oracle("ArrheniusButlerVolmerExchangeCurrentDensity", "PiecewiseInterpolation2D")
def test_a_dfn_runs_on_kinetics_and_a_surface_of_diffusivities():
    # Chen2020's diffusivity is 3.3e-14 everywhere, and its j_ref = m_ref c_e0^½ c_max.
    stoichiometries, temperatures = [0.0, 0.5, 1.0], [280.0, 320.0]
    known = {
        f"Negative particle diffusivity at SOC {a:g} and Temperature [K] {b:g} [m2.s-1]": 3.3e-14
        for a in stoichiometries
        for b in temperatures
    }
    known |= {
        "Negative electrode reference exchange-current density [A.m-2]": 6.48e-7 * 1000**0.5 * 33133.0,
        "Negative electrode reaction activation energy [J.mol-1]": 35000.0,
        "Positive electrode reference exchange-current density [A.m-2]": 3.42e-6 * 1000**0.5 * 63104.0,
        "Positive electrode reaction activation energy [J.mol-1]": 17800.0,
    }
    sets = (
        ArrheniusButlerVolmerExchangeCurrentDensity(electrode="negative"),
        ArrheniusButlerVolmerExchangeCurrentDensity(electrode="positive"),
        PiecewiseInterpolation2D(DIFFUSIVITY, stoichiometries, "SOC", temperatures, "Temperature [K]", 1e-2, 0.1),
        DirectEntry(known),
    )
    ours, theirs = both_ways("Chen2020", sets, pybamm.lithium_ion.DFN(), until=1800)
    np.testing.assert_allclose(ours["Voltage [V]"].entries[-1], theirs["Voltage [V]"].entries[-1], atol=1e-6)


def both_ways(name, sets, model, until):
    """Solve a model with one of PyBaMM's sets in which entries stand for a part of it, and with the set itself."""
    theirs = pybamm.ParameterValues(name)
    given = merged(*sets)
    p = merged(*sets, DirectEntry({key: theirs[key] for key in theirs if key not in given and key != "citations"}))
    return [
        pybamm.Simulation(model.new_copy(), parameter_values=values).solve([0, until])
        for values in (parameter_values(p), theirs)
    ]


@pytest.mark.oracle("PiecewiseInterpolation1D")
def test_knots_are_met_and_joined_by_lines():
    x, y = [0.0, 0.3, 1.0], [1e-14, 4e-14, 2e-14]
    entry = PiecewiseInterpolation1D(DIFFUSIVITY, x, "SOC")
    knots = {f"Negative particle diffusivity at SOC {at:g} [m2.s-1]": value for at, value in zip(x, y, strict=True)}
    function = merged(entry, **knots)[DIFFUSIVITY]
    assert function.arguments == ("sto", "T")
    np.testing.assert_allclose(function(np.array(x), 300.0), y, rtol=1e-9)
    away = np.array([0.05, 0.2, 0.5, 0.9])
    np.testing.assert_allclose(function(away, 300.0), np.interp(away, x, y), rtol=1e-9)
    np.testing.assert_allclose(function(np.array([-0.2, 1.3]), 300.0), [1e-14, 2e-14], rtol=1e-9)
    # Continuous derivative: it changes over the width of the step and not at once.
    near = 0.3 + np.linspace(-5e-4, 5e-4, 2001)
    slope = np.gradient(function(near, 300.0), near)
    assert np.abs(np.diff(slope)).max() < 0.02 * np.ptp(slope)


@pytest.mark.oracle("PiecewiseInterpolation1D")
def test_slopes_say_the_same_as_knots():
    slopes = {
        "Positive electrode exchange-current density at SOC 0 [A.m-2]": 1.0,
        "Positive electrode exchange-current density slope from SOC 0 to 0.5 [A.m-2]": 4.0,
        "Positive electrode exchange-current density slope from SOC 0.5 to 1 [A.m-2]": -2.0,
    }
    base = "Positive electrode exchange-current density [A.m-2]"
    function = merged(PiecewiseInterpolation1D(base, [0, 0.5, 1], "SOC", formulation="slopes"), **slopes)[base]
    assert function.arguments == ("c_e", "c_s_surf", "c_s_max", "T")
    filling = np.array([0.0, 0.25, 0.5, 0.75, 1.0])
    np.testing.assert_allclose(function(1000.0, filling * 3e4, 3e4, 300.0), [1.0, 2.0, 3.0, 2.5, 2.0], rtol=1e-9)


def test_the_source_of_a_piecewise_function_stands_where_the_contract_has_it():
    assert PiecewiseInterpolation1D("a [m]", [0, 1], "SOC", 1e-3, "slopes", "a paper").source == "a paper"
    two = PiecewiseInterpolation2D("a [m]", [0, 1], "SOC", [280, 320], "Temperature [K]", 1e-3, 0.1, "knots", "a paper")
    assert two.source == "a paper"


@pytest.mark.oracle("PiecewiseInterpolation2D")
def test_the_surface_is_bilinear():
    x, z = [0.0, 0.4, 1.0], [273.15, 323.15]
    grid = np.array([[1.0, 2.0], [3.0, 1.0], [0.5, 5.0]]) * 1e-14
    entry = PiecewiseInterpolation2D(DIFFUSIVITY, x, "Stoichiometry", z, "Temperature [K]", smoothing2=0.1)
    knots = {
        f"Negative particle diffusivity at Stoichiometry {a:g} and Temperature [K] {b:g} [m2.s-1]": grid[i, j]
        for i, a in enumerate(x)
        for j, b in enumerate(z)
    }
    function = merged(entry, **knots)[DIFFUSIVITY]
    sto, temperature = (column.ravel() for column in np.meshgrid([0.0, 0.1, 0.4, 0.7, 1.0], [273.15, 285.0, 310.0]))
    expected = [
        np.interp(b, z, [np.interp(a, x, grid[:, 0]), np.interp(a, x, grid[:, 1])])
        for a, b in zip(sto, temperature, strict=True)
    ]
    # tanh(25/0.1) is 1 to the last digit; at the edge itself the ramp is exact.
    np.testing.assert_allclose(function(sto, temperature), expected, rtol=1e-9)


def test_piecewise_functions_that_cannot_be():
    with pytest.raises(ConfigurationError, match="is a function of T, sto, and not of 'Voltage"):
        PiecewiseInterpolation1D(DIFFUSIVITY, [0, 1], "Voltage [V]").compute(EMPTY)
    with pytest.raises(ConfigurationError, match="at least two different breakpoints"):
        PiecewiseInterpolation1D(DIFFUSIVITY, [1, 1], "SOC")
    with pytest.raises(ConfigurationError, match="above 0, not 0"):
        PiecewiseInterpolation1D(DIFFUSIVITY, [0, 1], "SOC", smoothing=0)


@pytest.mark.oracle("FromJson", "DirectEntry")
def test_a_file_of_values_travels_as_values(tmp_path):
    path = tmp_path / "values.json"
    known = DirectEntry({"a [m]": 1.5, "b": lambda sto: 1 - sto}, source="a paper")
    path.write_text(json.dumps(known.to_config()["values"]), encoding="utf-8")
    entry = FromJson(file_path=str(path))
    assert entry.compute(EMPTY)["a [m]"] == 1.5
    assert entry.compute(EMPTY)["b"](0.25) == 0.75
    config = cw.Pipeline({"file": entry}).to_config()["elements"]["file"]
    assert config["values"] == known.to_config()["values"]
    assert config["source"].endswith(str(path))
    with pytest.raises(ConfigurationError, match=r"cannot be read.*did you mean 'values.json'"):
        FromJson(file_path=str(tmp_path / "value.json")).compute(EMPTY)
    path.write_text("[1]", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="holds a list"):
        entry.compute(EMPTY)


def test_the_file_of_a_document_lies_beside_it_and_no_server_reads_files(tmp_path):
    (tmp_path / "values.json").write_text('{"Electrode area [m2]": 0.1}', encoding="utf-8")
    (tmp_path / "cell.yaml").write_text("elements: {known: {element_type: entry, path: values.json}}", encoding="utf-8")
    pipeline = cw.Pipeline.from_file(tmp_path / "cell.yaml")
    assert cw.run(pipeline).parameters["Electrode area [m2]"] == 0.1
    assert pipeline.to_config()["elements"]["known"]["values"] == {"Electrode area [m2]": 0.1}
    service = Service(Store(tmp_path / "home"))
    with pytest.raises(ConfigurationError, match=r"known: the file 'values.json' is not read here"):
        service.submit({"elements": {"known": {"element_type": "entry", "path": "values.json"}}})


REFERENCE = "Negative particle reference diffusivity [m2.s-1]"


@pytest.mark.oracle("ArrheniusParticleDiffusivity", "PiecewiseInterpolation1D")
@pytest.mark.parametrize(
    ("entry", "free", "given"),
    [
        (
            ArrheniusParticleDiffusivity(electrode="negative"),
            [REFERENCE],
            {"Negative particle diffusivity activation energy [J.mol-1]": 3e4},
        ),
        (
            PiecewiseInterpolation1D(DIFFUSIVITY, [0, 1], "Stoichiometry"),
            [f"Negative particle diffusivity at Stoichiometry {at} [m2.s-1]" for at in (0, 1)],
            {},
        ),
    ],
)
def test_what_stays_free_is_found_by_a_fit(entry, free, given):
    cell = chen2020()
    known = {name: value for name, value in cell.values_.items() if name != DIFFUSIVITY}
    fit = cw.DataFit(
        {"discharge": cw.objectives.CurrentDriven(discharge(cell), {"model": "SPM"})},
        parameters={name: cw.transforms.Log10(cw.Parameter(name, 1e-14, (1e-15, 1e-12))) for name in free},
    )
    result = cw.run(cw.Pipeline({"known": DirectEntry(known | given), "diffusivity": entry, "fit": fit}))
    for name in free:
        # The cell's own is 3.3e-14 everywhere; without noise the search ends at the solver's tolerance.
        assert result.parameters[name] == pytest.approx(3.3e-14, rel=1e-3, abs=0)


def test_sources_stand_with_the_values():
    result = cw.run(cw.Pipeline({"electrolyte": NymanElectrolyte(c_e=1000)}))
    assert result.parameters.origins["Cation transference number"].source == NymanElectrolyte.literature


def test_mechanics_know_both_electrodes():
    assert {name.split()[0] for name in mechanics("positive")} == {"Positive"}
