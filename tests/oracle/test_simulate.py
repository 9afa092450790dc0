"""Simulations against PyBaMM's own, run plainly."""

import numpy as np
import pybamm
import pytest

from cellwright.errors import ConfigurationError, MissingParameterError
from cellwright.models.simulate import build
from cellwright.physics.timeseries import compress_current
from cellwright.schema.expressions import parameter
from cellwright.schema.parameters import Origin
from cellwright.schema.simulation import ModelSpec, SimulationProblem
from cellwright.schema.values import Function
from cellwright.testing.cells import published

END = 3000.0
TIMES = np.linspace(0, END, 61)
SAME = 1e-4
"""Volts: 0.1 mV, the error of the integrator at its default tolerances."""


def problem(p=None, model="SPMe", free=(), current=None, variables=("Voltage [V]",), **changes):
    time, amps = current if current is not None else (np.array([0.0, END]), np.array([5.0, 5.0]))
    return SimulationProblem(
        model=ModelSpec(model, changes.pop("options", {}), settings=changes.pop("settings", {})),
        parameters=p if p is not None else published(),
        time=time,
        current=amps,
        output_times=TIMES,
        variables=variables,
        free=tuple(free),
        **changes,
    )


def without(*names):
    return published().without(names)


def plain(changes=None, model="SPMe", current=5.0, options=None):
    """PyBaMM as everybody writes it."""
    values = pybamm.ParameterValues("Chen2020")
    values.update({"Current function [A]": current} | (changes or {}), check_already_exists=False)
    solver = pybamm.IDAKLUSolver(rtol=1e-4, atol=1e-6)
    simulation = pybamm.Simulation(
        getattr(pybamm.lithium_ion, model)(options or {}), parameter_values=values, solver=solver
    )
    return simulation.solve([0, END])["Voltage [V]"](TIMES)


@pytest.mark.parametrize("model", ["SPM", "SPMe", "DFN"])
def test_constant_current_agrees_with_pybamm(model):
    solved = build(problem(model=model)).solve({})
    assert solved.status == "solved"
    np.testing.assert_allclose(solved.outputs["Voltage [V]"], plain(model=model), atol=SAME)


def test_measured_current_agrees_with_pybamm_on_every_row():
    rng = np.random.default_rng(0)
    time = np.linspace(0, END, 601)
    amps = 4 + np.sin(time / 200) + 1e-3 * rng.normal(size=time.size)
    everything = pybamm.Interpolant(time, amps, pybamm.t)
    # 10 mA of tolerance on about 40 mOhm of resistance (ohmic, kinetic, diffusive) move the voltage by 0.4 mV.
    knots = compress_current(time, amps, atol=1e-2, rtol=0.0)
    assert len(knots[0]) < 100
    solved = build(problem(current=knots)).solve({})
    np.testing.assert_allclose(solved.outputs["Voltage [V]"], plain(current=everything), atol=5e-4)


def test_inputs_agree_with_values():
    names = ("Negative particle diffusivity [m2.s-1]", "Positive electrode active material volume fraction")
    changes = dict(zip(names, (1e-14, 0.6), strict=True))
    solved = build(problem(without(*names), free=names)).solve(changes)
    np.testing.assert_allclose(solved.outputs["Voltage [V]"], plain(changes), atol=SAME)


@pytest.mark.parametrize("name", ["Negative electrode thickness [m]", "Positive particle radius [m]"])
def test_parameters_that_shape_the_mesh_are_rebuilt_for(name):
    simulation = build(problem(without(name), free=(name,)))
    for factor in (1.0, 0.9):
        value = factor * pybamm.ParameterValues("Chen2020")[name]
        np.testing.assert_allclose(
            simulation.solve({name: value}).outputs["Voltage [V]"], plain({name: value}), atol=SAME
        )


def test_initial_concentration_as_input_acts():
    name = "Initial concentration in negative electrode [mol.m-3]"
    simulation = build(problem(without(name), free=(name,)))
    np.testing.assert_allclose(
        simulation.solve({name: 28000.0}).outputs["Voltage [V]"], plain({name: 28000.0}), atol=SAME
    )


def test_expressions_of_inputs_feed_the_model():
    law = Function.trace(lambda sto, T: parameter("D_ref") * (1 + 0 * sto) * T / 298.15)
    p = published().merge({"Negative particle diffusivity [m2.s-1]": law}, Origin("law"))
    simulation = build(problem(p, free=("D_ref",)))
    assert simulation.used == {"D_ref"}
    np.testing.assert_allclose(
        simulation.solve({"D_ref": 1e-14}).outputs["Voltage [V]"],
        plain({"Negative particle diffusivity [m2.s-1]": 1e-14}),
        atol=SAME,
    )


@pytest.mark.parametrize("kind", ["linear", "cubic", "pchip"])
def test_tables_are_interpolated_alike_here_and_there(kind):
    x = np.linspace(0.005, 0.995, 40)
    ocp = published()["Positive electrode OCP [V]"]
    table = Function.table("sto", x, ocp(x), kind)
    p = published().merge({"Positive electrode OCP [V]": table}, Origin("table"))
    theirs = {"Positive electrode OCP [V]": lambda sto: pybamm.Interpolant(x, ocp(x), sto, interpolator=kind)}
    np.testing.assert_allclose(build(problem(p)).solve({}).outputs["Voltage [V]"], plain(theirs), atol=SAME)


def test_start_from_a_voltage_is_that_of_pybamm():
    lithium = pybamm.ParameterValues("Chen2020").evaluate(pybamm.LithiumIonParameters().Q_Li_particles_init)
    p = published().merge({"Initial voltage [V]": 4.0}, Origin("start"))
    values = pybamm.ParameterValues("Chen2020")
    values.set_initial_state("4.0 V")
    ours = build(problem(p)).solve({}).outputs["Voltage [V]"]
    theirs = plain({name: values[name] for name in values if name.startswith("Initial concentration in ")})
    assert_same_where_both(ours, theirs)
    given = without(
        "Initial concentration in negative electrode [mol.m-3]", "Initial concentration in positive electrode [mol.m-3]"
    ).merge({"Cyclable lithium capacity [A.h]": float(lithium)}, Origin("lithium"))
    measured = build(problem(given, initial_voltage=4.0)).solve({}).outputs["Voltage [V]"]
    assert_same_where_both(measured, theirs)


def test_start_from_a_state_of_charge_is_that_of_pybamm():
    p = published().merge({"Initial SOC [%]": 60.0}, Origin("start"))
    values = pybamm.ParameterValues("Chen2020")
    values.set_initial_state(0.6)
    theirs = plain({name: values[name] for name in values if name.startswith("Initial concentration in ")})
    ours = build(problem(p)).solve({})
    assert_same_where_both(ours.outputs["Voltage [V]"], theirs)


def test_every_missing_parameter_is_named():
    names = {"Positive particle radius [m]", "Separator porosity"}
    with pytest.raises(MissingParameterError) as missing:
        build(problem(without(*names)))
    assert set(missing.value.detail["missing"]) == names


def assert_same_where_both(ours, theirs):
    """PyBaMM stops at the cut-off voltage; before that both are there."""
    both = np.isfinite(ours) & np.isfinite(theirs)
    assert both.sum() > 20
    np.testing.assert_allclose(ours[both], theirs[both], atol=SAME)


def test_voltage_cut_offs_do_not_end_a_simulation_that_follows_data():
    p = published().merge({"Lower voltage cut-off [V]": 3.5}, Origin("cut"))
    solved = build(problem(p)).solve({})
    assert solved.status == "solved"
    assert solved.outputs["Voltage [V]"][-1] < 3.5


def test_leaving_the_voltage_window_ends_it_early_and_the_rest_is_nan():
    nine = (np.array([0.0, END]), np.array([9.0, 9.0]))
    solved = build(problem(current=nine, voltage_window=(2.0, 4.7))).solve({})
    assert solved.status == "ended early"
    assert "voltage under 2 V" in solved.message
    voltage = solved.outputs["Voltage [V]"]
    assert np.isfinite(voltage[:10]).all()
    assert np.isnan(voltage[-1])


@pytest.mark.parametrize("value", [-1e-14, 0.0, float("nan"), float("inf")])
def test_impossible_inputs_are_a_status(value):
    name = "Negative particle diffusivity [m2.s-1]"
    simulation = build(problem(without(name), free=(name,), model="SPM"))
    assert simulation.solve({name: value}).status == "failed"
    assert simulation.solve({name: 3e-14}).status == "solved"


def test_unknown_models_options_and_variables_are_refused_with_the_nearest():
    with pytest.raises(ConfigurationError, match="SPMee") as error:
        build(problem(model="SPMee"))
    assert "'SPMe'" in error.value.hint
    with pytest.raises(ConfigurationError, match="options of SPMe"):
        build(problem(options={"thermal": "warm"}))
    with pytest.raises(ConfigurationError, match="Volts") as error:
        build(problem(variables=("Volts [V]",)))


def test_the_mesh_can_be_chosen():
    coarse = build(problem(model="SPM", settings={"var_pts": {"r_n": 5, "r_p": 5}})).solve({})
    fine = build(problem(model="SPM", settings={"var_pts": {"r_n": 60, "r_p": 60}})).solve({})
    assert 1e-4 < np.abs(coarse.outputs["Voltage [V]"] - fine.outputs["Voltage [V]"]).max() < 0.1
