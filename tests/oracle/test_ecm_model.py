"""The model ECM against PyBaMM's Thevenin model, closed forms, the balance of heat, and the fit of circuits."""

import json

import numpy as np
import pybamm
import pytest

import cellwright as cw
from cellwright.catalog.named_models import spec_of
from cellwright.errors import ConfigurationError, MissingParameterError
from cellwright.models.build import build
from cellwright.physics.constants import FARADAY, GAS
from cellwright.physics.equivalent_circuit import Circuit, Course, state_of_charge, voltage
from cellwright.schema.parameters import Origin, ParameterSet
from cellwright.schema.simulation import SimulationProblem

VOLTAGE, SOC, OCV = "Voltage [V]", "SoC", "Open-circuit voltage [V]"
TIGHT = {"solver": {"rtol": 1e-9, "atol": 1e-11}}
TIMES = np.linspace(0, 1800, 181)
PULSES = np.where((TIMES // 300) % 2 == 0, 4.0, 0.0) - np.where(TIMES > 1500, 6.0, 0.0)
SAME = 2e-6
"""Volts: the same equations, integrated to 1e-9 here and there."""


def ocv(soc):
    return 3.3 + 0.7 * soc + 0.1 * np.tanh(8 * (soc - 0.4))


CELL = {
    "Nominal cell capacity [A.h]": 3.0,
    "Initial SoC": 0.9,
    OCV: ocv,
    "R0 [Ohm]": lambda soc: 0.02 + 0.01 * soc**2,
    "R1 [Ohm]": lambda soc: 0.01 + 0.004 * soc,
    "C1 [F]": lambda soc: 2000 + 500 * soc,
    "R2 [Ohm]": 0.015,
    "C2 [F]": 3e4,
    "Lower voltage cut-off [V]": 2.5,
    "Upper voltage cut-off [V]": 4.5,
    "Ambient temperature [K]": 298.15,
    "Initial temperature [K]": 303.15,
    "Cell thermal mass [J/K]": 60.0,
    "Cell-jig heat transfer coefficient [W/K]": 0.2,
    "Jig thermal mass [J/K]": 150.0,
    "Jig-air heat transfer coefficient [W/K]": 0.4,
    "Entropic change [V/K]": 1e-4,
}


def solved(options, cell=None, current=PULSES, variables=(VOLTAGE,), times=TIMES, **rest):
    p = ParameterSet().merge(CELL | (cell or {}), Origin("test"))
    spec = spec_of({"type": "ECM", "options": options}, TIGHT)
    amps = np.full(len(times), float(current)) if np.isscalar(current) else current
    one = build(SimulationProblem(spec, p, times, amps, times, variables, **rest)).solve({})
    assert one.status == "solved", one.message
    return one.outputs


def thevenin(pairs, cell=None, current=PULSES, variables=(VOLTAGE,)):
    """PyBaMM's answer to the same parameters, with its names and arguments."""
    values = CELL | (cell or {})
    given = {name: value for name, value in values.items() if name not in {OCV, "Nominal cell capacity [A.h]"}}
    for name in ("R0 [Ohm]", "R1 [Ohm]", "C1 [F]"):
        function = values[name]
        given[name] = lambda T, I, soc, function=function: function(soc)  # noqa: E741 (the symbol of current)
    given[OCV] = lambda soc: 3.3 + 0.7 * soc + 0.1 * pybamm.tanh(8 * (soc - 0.4))
    given["Entropic change [V/K]"] = lambda ocv, T: values["Entropic change [V/K]"] + 0 * T
    given |= {f"Element-{number} initial overpotential [V]": 0.0 for number in range(1, pairs + 1)}
    given["Cell capacity [A.h]"] = given["Nominal cell capacity [A.h]"] = values["Nominal cell capacity [A.h]"]
    given["Current function [A]"] = pybamm.Interpolant(TIMES, current, pybamm.t)
    model = pybamm.equivalent_circuit.Thevenin(options={"number of rc elements": pairs})
    solver = pybamm.IDAKLUSolver(rtol=1e-9, atol=1e-11)
    simulation = pybamm.Simulation(model, parameter_values=pybamm.ParameterValues(given), solver=solver)
    answer = simulation.solve(TIMES, t_interp=TIMES)
    return {name: answer[name].data for name in variables}


@pytest.mark.oracle("ECM")
@pytest.mark.parametrize("pairs", [0, 1, 2])
def test_it_has_the_voltage_of_pybamms_thevenin_model(pairs):
    ours = solved({"rc pairs": str(pairs)}, variables=(VOLTAGE, SOC))
    theirs = thevenin(pairs, variables=(VOLTAGE, SOC))
    np.testing.assert_allclose(ours[VOLTAGE], theirs[VOLTAGE], atol=SAME)
    np.testing.assert_allclose(ours[SOC], theirs[SOC], atol=1e-7)


def test_it_heats_cell_and_jig_as_pybamms_thevenin_model():
    variables = ("Cell temperature [degC]", "Jig temperature [degC]", "Reversible heat generation [W]")
    ours = solved({"rc pairs": "1", "thermal": "two-state"}, variables=variables)
    theirs = thevenin(1, variables=variables)
    for name in variables:
        np.testing.assert_allclose(ours[name], theirs[name], atol=1e-5)


def test_a_step_of_the_current_is_answered_with_exponentials():
    """Constant elements: V = OCV(z) - I (R0 + Σ R (1 - e^(-t/RC)))."""
    cell = {"R0 [Ohm]": 0.02, "R1 [Ohm]": 0.01, "C1 [F]": 3000.0}
    found = solved({"rc pairs": "2"}, cell, current=2.0)[VOLTAGE]
    z = 0.9 - 2.0 * TIMES / 3600 / 3.0
    lost = 0.02 + 0.01 * (1 - np.exp(-TIMES / 30)) + 0.015 * (1 - np.exp(-TIMES / 450))
    np.testing.assert_allclose(found, ocv(z) - 2.0 * lost, atol=SAME)


@pytest.mark.parametrize("current", [-4.0, 0.5, 6.0])
def test_charge_transfer_is_the_inverse_hyperbolic_sine(current):
    name = "Charge-transfer overpotential [V]"
    cell = {"Exchange current [A]": lambda soc: 0.3 + soc}
    found = solved({"butler-volmer": "true"}, cell, current, (VOLTAGE, SOC, name), times=TIMES[:31])
    expected = 2 * GAS * 298.15 / FARADAY * np.arcsinh(current / (2 * (0.3 + found[SOC])))
    np.testing.assert_allclose(found[name], expected, atol=1e-9)
    ohmic = current * (0.02 + 0.01 * found[SOC] ** 2)
    np.testing.assert_allclose(found[VOLTAGE], ocv(found[SOC]) - ohmic - expected, atol=1e-9)


def test_a_small_current_sees_charge_transfer_as_a_resistance():
    """2 R T / F arsinh(x/2) → R T / (F i0) x, to (x/2)²/6 = 4e-5 at x = 0.03."""
    name = "Charge-transfer overpotential [V]"
    found = solved({"butler-volmer": "true"}, {"Exchange current [A]": 1.0}, 0.03, (name,))[name]
    np.testing.assert_allclose(found, GAS * 298.15 / FARADAY * 0.03, rtol=5e-5)


def test_the_resistance_scale_multiplies_resistances_and_no_more():
    """A pair's time constant grows with its resistance; charge transfer does not."""
    name = "Charge-transfer overpotential [V]"
    options = {"rc pairs": "1", "butler-volmer": "true"}
    cell = {"R0 [Ohm]": 0.02, "R1 [Ohm]": 0.01, "C1 [F]": 3000.0, "Exchange current [A]": 2.0}
    variables = (VOLTAGE, name, "R0 [Ohm]", "tau1 [s]")
    scaled = solved({**options, "resistance scale": "function"}, {**cell, "Resistance scale": 1.5}, 2.0, variables)
    grown = solved(options, {**cell, "R0 [Ohm]": 0.03, "R1 [Ohm]": 0.015}, 2.0, variables)
    plain = solved(options, cell, 2.0, variables)
    np.testing.assert_allclose(scaled[VOLTAGE], grown[VOLTAGE], atol=SAME)
    np.testing.assert_allclose(scaled[name], plain[name], atol=1e-12)
    np.testing.assert_allclose(scaled["tau1 [s]"], 45.0)


def test_ageing_functions_are_given_throughput_and_time():
    """The throughput counts both directions; a capacity that falls with it lets the state of charge fall faster."""
    options = {"capacity": "function", "resistance scale": "function"}
    cell = {
        "Capacity [A.h]": lambda throughput, time: 3.0 - 0.5 * throughput,
        "Resistance scale": lambda throughput, time: 1 + time / 3600,
    }
    steady = solved(options, cell, 2.0, (SOC, "Capacity throughput [A.h]", "R0 [Ohm]"))
    passed = 2.0 * TIMES / 3600
    np.testing.assert_allclose(steady["Capacity throughput [A.h]"], passed, atol=1e-8)
    expected = 0.9 + np.log(1 - passed / 6.0) / 0.5  # ∫ dq / (3 - q/2)
    np.testing.assert_allclose(steady[SOC], expected, atol=1e-7)
    np.testing.assert_allclose(steady["R0 [Ohm]"], (1 + TIMES / 3600) * (0.02 + 0.01 * steady[SOC] ** 2), atol=1e-9)
    charged = solved(options, cell, -0.5, ("Capacity throughput [A.h]",))
    np.testing.assert_allclose(charged["Capacity throughput [A.h]"], 0.5 * TIMES / 3600, atol=1e-8)


def test_a_parameter_depends_on_what_it_is_said_to():
    """In the order that is given; on nothing it is a constant, and a number serves everywhere."""
    options = {
        "parameter_dependencies": {"R0": ["current", "soc"], "R_rc": [], "C_rc": ["temperature"]},
        "rc pairs": "1",
    }
    cell = {
        "R0 [Ohm]": lambda current, soc: 0.01 + 0.001 * current + 0.005 * soc,
        "R1 [Ohm]": 0.012,
        "C1 [F]": lambda T: 10.0 * T,
    }
    found = solved(options, cell, 3.0, ("R0 [Ohm]", "R1 [Ohm]", "C1 [F]", SOC))
    np.testing.assert_allclose(found["R0 [Ohm]"], 0.013 + 0.005 * found[SOC], atol=1e-12)
    np.testing.assert_allclose(found["R1 [Ohm]"], 0.012)
    np.testing.assert_allclose(found["C1 [F]"], 2981.5)


def test_heat_is_what_the_cell_holds_and_gives_away():
    """Lumped: thermal mass times the rise is the integral of heat less what goes to the jig."""
    names = ("Cell temperature [K]", "Total heat generation [W]", "Heat transfer from cell to jig [W]", VOLTAGE, OCV)
    times = np.linspace(0, 1800, 7201)
    found = solved({"rc pairs": "2", "thermal": "lumped"}, current=4.0, variables=names, times=times)
    T, heat, lost, volts, open_circuit = (found[name] for name in names)
    gained = 60.0 * (T[-1] - T[0])
    assert gained == pytest.approx(np.trapezoid(heat + lost, times), rel=1e-5)
    np.testing.assert_allclose(heat, 4.0 * (open_circuit - volts) - 4.0 * T * 1e-4, atol=1e-9)
    np.testing.assert_allclose(lost, -0.2 * (T - 298.15), atol=1e-9)


def test_a_jig_of_endless_mass_is_none():
    """Lumped is the limit of two states whose jig stays at the ambient temperature."""
    endless = {"Jig thermal mass [J/K]": 1e12, "Initial temperature [K]": 298.15}
    one, two = (
        solved({"thermal": thermal}, endless, 4.0, ("Cell temperature [K]",)) for thermal in ("lumped", "two-state")
    )
    np.testing.assert_allclose(one["Cell temperature [K]"], two["Cell temperature [K]"], atol=1e-5)


def test_it_starts_at_the_voltage_or_the_state_of_charge_that_is_given():
    p = dict(CELL)
    del p["Initial SoC"]
    for extra, rest in (
        ({"Initial SOC [%]": 62.0}, {}),
        ({"Initial voltage [V]": float(ocv(0.62))}, {}),
        ({}, {"initial_voltage": float(ocv(0.62))}),
    ):
        values = ParameterSet().merge(p | extra, Origin("test"))
        problem = SimulationProblem(spec_of({"type": "ECM"}, TIGHT), values, TIMES, PULSES, TIMES, (SOC,), **rest)
        assert build(problem).solve({}).outputs[SOC][0] == pytest.approx(0.62, abs=1e-9)


def test_what_cannot_be_meant_is_told():
    with pytest.raises(ConfigurationError, match="did you mean 'R_rc'"):
        solved({"parameter_dependencies": {"Rrc": ["soc"]}})
    with pytest.raises(ConfigurationError, match="cannot depend on 'temprature'; did you mean 'temperature'"):
        solved({"parameter_dependencies": {"R0": ["temprature"]}})
    lacking = ParameterSet().merge({name: CELL[name] for name in CELL if "R1" not in name}, Origin("test"))
    with pytest.raises(MissingParameterError, match=r"R1 \[Ohm\]"):
        build(SimulationProblem(spec_of({"type": "ECM", "options": {"rc pairs": "1"}}), lacking, TIMES, PULSES, TIMES,
                                (VOLTAGE,)))  # fmt: skip
    nowhere = ParameterSet().merge({name: CELL[name] for name in CELL if name != "Initial SoC"}, Origin("test"))
    with pytest.raises(MissingParameterError, match="in which state"):
        build(SimulationProblem(spec_of({"type": "ECM"}), nowhere, TIMES, PULSES, TIMES, (VOLTAGE,)))
    with pytest.raises(ConfigurationError, match="depends on states by name, and not on 3"):
        solved({"parameter_dependencies": {"R0": 3}})
    falling = nowhere.merge({OCV: lambda soc: 4 - soc}, Origin("test"))
    with pytest.raises(ConfigurationError, match="falls from 4 V at a state of charge of 0"):
        build(
            SimulationProblem(spec_of({"type": "ECM"}), falling, TIMES, PULSES, TIMES, (VOLTAGE,), initial_voltage=3.7)
        ).settled({})
    percent = ParameterSet().merge(CELL | {"Initial SoC": 70.0}, Origin("test"))
    failed = build(SimulationProblem(spec_of({"type": "ECM"}), percent, TIMES, PULSES, TIMES, (VOLTAGE,))).solve({})
    assert failed.status == "failed"
    assert "a state of charge of 70, where 0 is empty and 1 is full" in failed.message
    with pytest.raises(ConfigurationError, match=r"from 3\.2"):
        build(
            SimulationProblem(spec_of({"type": "ECM"}), nowhere, TIMES, PULSES, TIMES, (VOLTAGE,), initial_voltage=5.0)
        ).settled({})


def test_it_runs_an_experiment_with_a_constant_voltage():
    model = cw.models.ECM({"rc pairs": "1"})
    from cellwright.models.simulate import pybamm_model

    values = cw.parameter_values({**CELL, "Current function [A]": 1.0})
    experiment = pybamm.Experiment(
        ["Discharge at 1 A for 10 minutes", "Charge at 1 A until 4.02 V", "Hold at 4.02 V until 0.2 A"]
    )
    solution = pybamm.Simulation(pybamm_model(model.spec()), parameter_values=values, experiment=experiment).solve()
    assert solution["Voltage [V]"].data[-1] == pytest.approx(4.02, abs=1e-4)
    assert solution["Current [A]"].data[-1] == pytest.approx(-0.2, abs=1e-3)


def train(circuit, rows=600):
    """Pulses of 4 A, each switch told by two rows a millisecond apart, so that lines between rows are steps."""
    switches = np.arange(300.0, 6000.0, 300.0)
    t = np.union1d(np.linspace(0, 6000, rows), np.concatenate([switches, switches - 1e-3]))
    amps = np.where((np.minimum(t, 5999) // 300) % 2 == 0, 0.0, 4.0)
    course = Course(t, amps, np.array([0]))
    z = state_of_charge(course, np.array([0.95]), np.array([5.0]))
    volts = voltage(circuit, course, z) + 1e-4 * np.random.default_rng(1).standard_normal(len(t))
    return {"Time [s]": t, "Current [A]": amps, VOLTAGE: volts}


def constants(r0, r, tau):
    """A circuit whose elements are the same everywhere, over an open-circuit voltage that is a straight line."""
    ends, one = np.array([0.0, 1.0]), np.array([0.5])
    return Circuit(ends, np.array([3.3, 4.1]), one, np.array([r0]), one, np.array([[r]]), np.array([[tau]]))


def test_what_a_fit_found_is_validated_in_a_pipeline_with_the_same_voltage():
    """By the entry and the model of a fit, 0.05 mV from its own validation: interpolated times, halfway elements."""
    truth = Circuit(
        np.linspace(0, 1, 9), np.linspace(3.3, 4.1, 9), np.array([0.0, 1.0]), np.array([0.03, 0.02]),
        np.array([0.0, 1.0]), np.array([[0.02, 0.015]]), np.array([[60.0, 90.0]]),
    )  # fmt: skip
    found = cw.ecm.fit(train(truth), capacity=5.0, num_rcs=1, num_knots=5, num_knots_ocv=9)
    held_out = train(truth, rows=401)
    own = found.validate(held_out)
    options = {"model": found.model(), "interpolant_lossless": True, "simulation_kwargs": TIGHT}
    element = cw.Validation({"CurrentDriven": cw.objectives.CurrentDriven(held_out, options=options)})
    written = cw.Pipeline({"circuit": found.entry(own.initial_soc), "validation": element}).to_config()
    result = cw.run(json.loads(json.dumps(written)))
    series = result.element("validation").series["CurrentDriven"]["optimal"]
    np.testing.assert_allclose(series[f"{VOLTAGE} (model)"], own.model_voltage, atol=5e-5)


def test_knots_of_a_resistance_are_fitted_by_a_current_driven_fit():
    data = train(constants(0.02, 0.015, 60.0), rows=300)
    names = [f"R0 at SOC {soc} [Ohm]" for soc in (0.5, 0.7, 0.9)]
    base = cw.direct_entries.PiecewiseInterpolation1D("R0 [Ohm]", [0.5, 0.7, 0.9], "SOC")
    known = {
        "Nominal cell capacity [A.h]": 5.0,
        "Initial SoC": 0.95,
        OCV: lambda soc: 3.3 + 0.8 * soc,
        "R1 [Ohm]": 0.015,
        "C1 [F]": 4000.0,
        "Lower voltage cut-off [V]": 2.5,
        "Upper voltage cut-off [V]": 4.5,
    }
    fit = cw.DataFit(
        {"pulses": cw.objectives.CurrentDriven(data, options={"model": cw.models.ECM({"rc pairs": "1"})})},
        parameters={name: cw.Parameter(name, initial_value=0.03, bounds=(0.005, 0.1)) for name in names},
        optimizer=cw.optimizers.ScipyLeastSquares(),
    )
    known_entry = cw.direct_entries.DirectEntry(parameters=known, source="test")
    result = cw.run(cw.Pipeline({"cell": known_entry, "R0": base, "fit": fit}))
    for name in names:
        assert result.parameters[name] == pytest.approx(0.02, rel=2e-2)


@pytest.mark.parametrize(("option", "given", "said"), [("rc pairs", 2, "'2'"), ("butler-volmer", True, "'true'")])
def test_numbers_and_truth_values_of_a_file_are_to_be_text(option, given, said):
    with pytest.raises(ConfigurationError, match=f"in quotation marks: {said}"):
        cw.models.ECM({option: given})
