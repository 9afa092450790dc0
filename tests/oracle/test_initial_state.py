"""Initial states of electrodes: closed forms, round trips and PyBaMM's own."""

import numpy as np
import pybamm
import pytest

from cellwright.catalog.calculations import (
    ElectrodeSOHHalfCell,
    InitialConcentrationFromInitialStoichiometryHalfCell,
    InitialSOCfromMaximumStoichiometry,
    InitialSOCHalfCell,
    InitialStoichiometryFromVoltageHalfCell,
    InitialStoichiometryFromVoltageMSMRHalfCell,
    InitialVoltageFromConcentration,
    MSMRElectrodeSOHHalfCell,
)
from cellwright.errors import ConfigurationError, MissingParameterError
from cellwright.models.published import published
from cellwright.physics.msmr import Sites, lithiation, potential
from cellwright.schema.parameters import Origin, ParameterSet
from cellwright.schema.values import Function

SITES = {
    "Negative electrode host site standard potential [V]": [0.088, 0.13, 0.2],
    "Negative electrode host site occupancy fraction": [0.5, 0.3, 0.2],
    "Negative electrode host site ideality factor": [0.1, 0.8, 4.0],
}
SET = Sites(*SITES.values())
MAXIMUM = "Maximum concentration in positive electrode [mol.m-3]"


@pytest.mark.oracle("ElectrodeSOHHalfCell", "InitialSOCHalfCell")
def test_the_window_and_states_of_a_half_cell_are_those_of_pybamm():
    options = {"working electrode": "positive"}
    values = pybamm.ParameterValues("Xu2019")
    p = published("Xu2019")
    window = ElectrodeSOHHalfCell("positive").compute(p)
    p = p.merge(window, Origin("window"))
    for soc in (0, 0.3, 1):
        values.set_initial_state(soc, options=options)
        state = InitialSOCHalfCell("positive", soc).compute(p)
        expected = values["Initial concentration in positive electrode [mol.m-3]"]
        # PyBaMM's Newton method has a tolerance of 1e-6.
        found = state["Initial concentration in positive electrode [mol.m-3]"]
        assert found == pytest.approx(expected, rel=1e-5)
        assert found / p[MAXIMUM] == pytest.approx(state["Initial stoichiometry in positive electrode"])


@pytest.mark.oracle("InitialSOCHalfCell")
@pytest.mark.parametrize(
    ("soc", "theta"), [("0%", 0.9), ("minimum", 0.9), ("100%", 0.3), ("maximum", 0.3), (0.5, 0.6), ("start", 0.75)]
)
def test_a_state_of_charge_by_name(soc, theta):
    given = {"Minimum positive stoichiometry": 0.3, "Maximum positive stoichiometry": 0.9, "start": 0.25, MAXIMUM: 1e4}
    state = InitialSOCHalfCell("positive", soc).compute(ParameterSet(given))
    assert state["Initial stoichiometry in positive electrode"] == pytest.approx(theta)


def test_a_full_negative_electrode_is_full_of_lithium():
    given = {"Minimum negative stoichiometry": 0.1, "Maximum negative stoichiometry": 0.8}
    state = InitialSOCHalfCell("negative", 1).compute(ParameterSet(given))
    assert state["Initial stoichiometry in negative electrode"] == pytest.approx(0.8)


def test_states_of_charge_outside_their_range():
    with pytest.raises(ConfigurationError, match="between 0 and 1, not 50"):
        InitialSOCHalfCell("negative", 50)
    with pytest.raises(ConfigurationError, match=r"is 1.2, and it must lie"):
        InitialSOCfromMaximumStoichiometry().compute(ParameterSet({"Initial SOC [%]": 120.0}))


@pytest.mark.oracle("InitialSOCfromMaximumStoichiometry")
def test_the_state_counted_from_the_full_cell_is_the_one_between_the_ends():
    window = {"n": (0.1, 0.9, 5.0), "p": (0.75, 0.25, 8.0)}
    given = {"Usable capacity [A.h]": 4.0, "Initial SOC [%]": 30.0}
    for electrode, (_, full, capacity) in zip(("negative", "positive"), window.values(), strict=True):
        given |= {
            f"{electrode.capitalize()} electrode stoichiometry at 100% SOC": full,
            f"{electrode.capitalize()} electrode capacity [A.h]": capacity,
        }
    bare = InitialSOCfromMaximumStoichiometry({"include concentration": "false"}).compute(ParameterSet(given))
    assert bare == {
        f"Initial stoichiometry in {electrode} electrode": pytest.approx(empty + 0.3 * (full - empty))
        for electrode, (empty, full, _) in zip(("negative", "positive"), window.values(), strict=True)
    }


@pytest.mark.oracle("InitialSOCfromMaximumStoichiometry")
def test_phases_move_between_their_ends():
    given = {
        "Initial SOC [%]": 25.0,
        "Primary: Negative electrode stoichiometry at 0% SOC": 0.0,
        "Primary: Negative electrode stoichiometry at 100% SOC": 0.8,
        "Secondary: Negative electrode stoichiometry at 0% SOC": 0.1,
        "Secondary: Negative electrode stoichiometry at 100% SOC": 0.9,
        "Positive electrode stoichiometry at 100% SOC": 0.25,
        "Positive electrode capacity [A.h]": 8.0,
        "Nominal cell capacity [A.h]": 4.0,
    }
    options = {"particle phases": ("2", "1"), "include concentration": "false"}
    assert InitialSOCfromMaximumStoichiometry(options).compute(ParameterSet(given)) == {
        "Primary: Initial stoichiometry in negative electrode": pytest.approx(0.2),
        "Secondary: Initial stoichiometry in negative electrode": pytest.approx(0.3),
        "Initial stoichiometry in positive electrode": pytest.approx(0.25 + 0.75 * 0.5),
    }


@pytest.mark.oracle("InitialConcentrationFromInitialStoichiometryHalfCell")
def test_the_concentration_of_a_stoichiometry():
    given = {
        "Secondary: Initial stoichiometry in negative electrode": 0.35,
        "Secondary: Maximum concentration in negative electrode [mol.m-3]": 278000.0,
    }
    calculation = InitialConcentrationFromInitialStoichiometryHalfCell("negative", {"phase": "secondary"})
    assert calculation.compute(ParameterSet(given)) == {
        "Secondary: Initial concentration in negative electrode [mol.m-3]": pytest.approx(97300.0)
    }
    bad = {"Initial stoichiometry in negative electrode": 1.5}
    with pytest.raises(ConfigurationError, match=r"is 1\.5"):
        InitialConcentrationFromInitialStoichiometryHalfCell("negative").compute(ParameterSet(bad))


@pytest.mark.oracle("InitialStoichiometryFromVoltageHalfCell")
@pytest.mark.parametrize("theta", [0.02, 0.3, 0.95])
def test_the_stoichiometry_of_a_voltage_comes_back(theta):
    p = published("Chen2020")
    voltage = float(p.function("Negative electrode OCP [V]")(theta))
    state = InitialStoichiometryFromVoltageHalfCell("negative").compute(
        p.merge({"Initial voltage [V]": voltage}, Origin("x"))
    )
    # Where the potential is flat the last digit of the voltage is worth 1e-9 of stoichiometry.
    assert state["Initial stoichiometry in negative electrode"] == pytest.approx(theta, abs=1e-8)


def test_the_branch_and_phase_of_a_potential_and_voltages_out_of_reach():
    curve = "Primary: Negative electrode lithiation OCP [V]"
    options = {"direction": "lithiation", "phase": "primary"}
    p = ParameterSet({curve: Function.table("sto", [0.1, 0.9], [0.9, 0.1]), "Initial voltage [V]": 0.95})
    view = p.recording()
    state = InitialStoichiometryFromVoltageHalfCell("negative", options).compute(view)
    assert state == {"Primary: Initial stoichiometry in negative electrode": pytest.approx(0.05)}
    assert view.remarks == [f"{curve!r} is a table from 0.1 to 0.9 and is used at 0.05, where its end piece goes on"]
    far = p.merge({"Initial voltage [V]": 4.0}, Origin("x"))
    with pytest.raises(ConfigurationError, match="does not reach 4 V: its open-circuit potential goes from 1 V"):
        InitialStoichiometryFromVoltageHalfCell("negative", options).compute(far)
    with pytest.raises(MissingParameterError, match="Initial voltage"):
        InitialStoichiometryFromVoltageHalfCell("negative", options).compute(p.without(["Initial voltage [V]"]))


@pytest.mark.oracle("MSMRElectrodeSOHHalfCell", "InitialStoichiometryFromVoltageMSMRHalfCell")
@pytest.mark.parametrize("T", [None, 318.15])
def test_msmr_states_come_back_from_the_potential(T):
    at = T or 298.15
    low, high, middle = potential([0.97, 0.02, 0.4], SET, at)
    given = {
        **SITES,
        "Lower voltage cut-off [V]": float(low),
        "Upper voltage cut-off [V]": float(high),
        "Initial voltage [V]": float(middle),
        **({"Ambient temperature [K]": T} if T else {}),
    }
    window = MSMRElectrodeSOHHalfCell("negative").compute(ParameterSet(given))
    assert window["Minimum negative stoichiometry"] == pytest.approx(0.02, abs=1e-10)
    assert window["Maximum negative stoichiometry"] == pytest.approx(0.97, abs=1e-10)
    state = InitialStoichiometryFromVoltageMSMRHalfCell("negative").compute(ParameterSet(given))
    assert state["Initial stoichiometry in negative electrode"] == pytest.approx(0.4, abs=1e-10)


@pytest.mark.oracle("InitialVoltageFromConcentration")
def test_the_voltage_of_a_concentration_is_the_potential_of_its_stoichiometry():
    given = {
        "Negative electrode lithiation": Function.trace(lambda U: lithiation(U, SET)),
        "Maximum concentration in negative electrode [mol.m-3]": 30000.0,
        "Initial concentration in negative electrode [mol.m-3]": 12000.0,
    }
    found = InitialVoltageFromConcentration("negative").compute(ParameterSet(given))
    assert found == {"Initial voltage in negative electrode [V]": pytest.approx(float(potential(0.4, SET)), abs=1e-10)}
    over = {**given, "Initial concentration in negative electrode [mol.m-3]": 36000.0}
    with pytest.raises(ConfigurationError, match=r"is 1.2, and it must lie"):
        InitialVoltageFromConcentration("negative").compute(ParameterSet(over))


def test_limits_of_a_half_cell_that_cannot_be():
    p = published("Xu2019").without([f"Open-circuit voltage at {soc}% SOC [V]" for soc in (0, 100)])
    with pytest.raises(ConfigurationError, match="upside down"):
        ElectrodeSOHHalfCell("positive").compute(p.merge({"Lower voltage cut-off [V]": 5.0}, Origin("x")))
    with pytest.raises(ConfigurationError, match="does not reach 9 V"):
        ElectrodeSOHHalfCell("positive").compute(p.merge({"Upper voltage cut-off [V]": 9.0}, Origin("x")))


@pytest.mark.oracle("MSMRElectrodeSOHHalfCell", "InitialStoichiometryFromVoltageMSMRHalfCell")
def test_msmr_states_are_the_published_formula_and_may_wait_for_their_numbers():
    f = 1.602176634e-19 / (1.380649e-23 * 298.15)  # F/(R T) = e/(k T)
    low, high, start = 0.05, 0.6, 0.11

    def formula(V):
        return sum(X / (1 + np.exp(f * (V - U0) / w)) for U0, X, w in zip(*SITES.values(), strict=True))

    limits = {"Lower voltage cut-off [V]": low, "Upper voltage cut-off [V]": high}
    window = MSMRElectrodeSOHHalfCell("negative").compute(ParameterSet(SITES))
    assert {name: value.substitute(limits) for name, value in window.items()} == {
        "Minimum negative stoichiometry": pytest.approx(formula(high), abs=1e-12),
        "Maximum negative stoichiometry": pytest.approx(formula(low), abs=1e-12),
    }
    (state,) = InitialStoichiometryFromVoltageMSMRHalfCell("negative").compute(ParameterSet(SITES)).values()
    assert state.substitute({"Initial voltage [V]": start}) == pytest.approx(formula(start), abs=1e-12)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"Lower voltage cut-off [V]": 0.9}, "upside down"),
        ({"Negative electrode host site ideality factor": [0.1, 0.0, 4.0]}, "ideality factor' is 0"),
        ({"Negative electrode host site occupancy fraction": [0.5, -0.3, 0.8]}, r"fraction' is -0\.3"),
        (
            {"Negative electrode host site occupancy fraction": [0.9, 0.9, 0.9]},
            r"stoichiometry.* is 2\.\d+, and it must",
        ),
        ({"Ambient temperature [K]": 0.0}, r"'Ambient temperature \[K\]' is 0, and it must be above 0"),
        ({"Ambient temperature [K]": Function.trace(lambda t: 300 + t)}, "is a function, and a number is needed"),
    ],
)
def test_msmr_sets_that_are_none(change, said):
    limits = {"Lower voltage cut-off [V]": 0.05, "Upper voltage cut-off [V]": 0.6}
    given = ParameterSet(SITES | limits | {"Initial voltage [V]": 0.05} | change)
    with pytest.raises(ConfigurationError, match=said):
        MSMRElectrodeSOHHalfCell("negative").compute(given)
    if "Lower voltage cut-off [V]" not in change:
        with pytest.raises(ConfigurationError, match=said):
            InitialStoichiometryFromVoltageMSMRHalfCell("negative").compute(given)


@pytest.mark.parametrize("most", [0.0, -2.0])
def test_a_maximum_concentration_that_is_none(most):
    given = {
        "Negative electrode lithiation": Function.trace(lambda U: 1 - U),
        "Maximum concentration in negative electrode [mol.m-3]": most,
        "Initial concentration in negative electrode [mol.m-3]": most / 2,
    }
    with pytest.raises(ConfigurationError, match=f"is {most:g}, and it must be above 0"):
        InitialVoltageFromConcentration("negative").compute(ParameterSet(given))


def test_a_half_cell_window_that_is_none():
    given = {"Minimum positive stoichiometry": 0.9, "Maximum positive stoichiometry": 0.3, MAXIMUM: 1e4}
    with pytest.raises(ConfigurationError, match=r"upside down: 0\.9 is not below 0\.3"):
        InitialSOCHalfCell("positive", 0.5).compute(ParameterSet(given))
    with pytest.raises(ConfigurationError, match="'50%' is no state of charge"):
        InitialSOCHalfCell("positive", "50%").compute(ParameterSet(given))


@pytest.mark.parametrize(("soc", "remarks"), [(0.0, 0), (50.0, 1), (100.0, 0)])
def test_phases_between_their_ends_are_told_of(soc, remarks):
    given = {
        "Initial SOC [%]": soc,
        "Primary: Negative electrode stoichiometry at 0% SOC": 0.0,
        "Primary: Negative electrode stoichiometry at 100% SOC": 0.8,
        "Secondary: Negative electrode stoichiometry at 0% SOC": 0.1,
        "Secondary: Negative electrode stoichiometry at 100% SOC": 0.9,
        "Positive electrode stoichiometry at 100% SOC": 0.25,
        "Positive electrode capacity [A.h]": 8.0,
        "Nominal cell capacity [A.h]": 4.0,
    }
    options = {"particle phases": ("2", "1"), "include concentration": "false"}
    view = ParameterSet(given).recording()
    InitialSOCfromMaximumStoichiometry(options).compute(view)
    assert len(view.remarks) == remarks
    assert all("the phases of the negative electrode start on straight lines" in remark for remark in view.remarks)
