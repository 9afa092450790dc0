"""What models call functions with, beside what these are functions of."""

import numpy as np
import pytest

import cellwright as cw
from cellwright.catalog.named_models import spec_of
from cellwright.errors import ConfigurationError, MissingParameterError
from cellwright.models.build import build
from cellwright.schema.parameters import Origin, ParameterSet
from cellwright.schema.simulation import SimulationProblem
from cellwright.testing.cells import published

TIMES = np.linspace(0.0, 600.0, 61)
CIRCUIT = {
    "Nominal cell capacity [A.h]": 5.0,
    "Cell capacity [A.h]": 5.0,
    "Initial SoC": 0.7,
    "Open-circuit voltage [V]": lambda soc: 3 + soc,
    "R0 [Ohm]": 0.02,
    "R1 [Ohm]": 0.01,
    "Exchange current [A]": 5.0,
    "C1 [F]": 1000.0,
    "Element-1 initial overpotential [V]": 0.0,
    "Ambient temperature [K]": 298.15,
    "Initial temperature [K]": 298.15,
    "Cell thermal mass [J/K]": 1000.0,
    "Cell-jig heat transfer coefficient [W/K]": 10.0,
    "Jig thermal mass [J/K]": 500.0,
    "Jig-air heat transfer coefficient [W/K]": 10.0,
    "Entropic change [V/K]": 0.0,
    "Lower voltage cut-off [V]": 2.0,
    "Upper voltage cut-off [V]": 5.0,
}
THEVENIN = {"type": "Thevenin", "module": "equivalent_circuit"}
HALF_CELL = {"type": "GITTModel", "options": {"working electrode": "positive"}}
ELECTRODE = {
    "Positive electrode OCP [V]": lambda sto: 4.3 - 0.6 * sto,
    "Positive particle diffusivity [m2.s-1]": 5e-15,
    "Positive particle radius [m]": 5e-6,
    "Maximum concentration in positive electrode [mol.m-3]": 5e4,
    "Initial concentration in positive electrode [mol.m-3]": 2e4,
    "Positive electrode active material volume fraction": 0.6,
    "Positive electrode thickness [m]": 8e-5,
    "Electrode cross-sectional area [m2]": 0.1,
    "Ohmic resistance [Ohm]": 0.01,
}


def voltage(model, values, current=1.0):
    p = ParameterSet().merge(values, Origin("test"))
    problem = SimulationProblem(spec_of(model), p, TIMES, np.full(61, current), TIMES, ("Voltage [V]",))
    solved = build(problem).solve({})
    assert solved.status == "solved", solved.message
    return solved.outputs["Voltage [V]"]


def test_a_function_of_the_state_of_charge_is_not_given_a_temperature():
    rising = {"R0 [Ohm]": lambda soc: 0.02 * soc}
    with pytest.raises(
        ConfigurationError, match=r"'R0 \[Ohm\]' is a function of \(soc\), and Thevenin calls it"
    ) as told:
        voltage(THEVENIN, CIRCUIT | rising)
    assert "'ECM'" in told.value.hint
    in_order = {"R0 [Ohm]": lambda T_cell, current, soc: 0.02 * soc}
    ours = voltage({"type": "ECM", "options": {"rc pairs": "1"}}, CIRCUIT | rising)
    np.testing.assert_allclose(voltage(THEVENIN, CIRCUIT | in_order), ours, atol=1e-4)  # the solver's tolerance


@pytest.mark.parametrize(
    "function", [lambda T, soc: 0.02 * soc * T / 300, lambda T: 0.02 * T / 300, lambda z, other: z * other]
)
def test_a_function_of_what_the_model_does_not_say_is_refused(function):
    with pytest.raises(ConfigurationError, match=r"ECM calls it with \(soc\)") as told:
        voltage({"type": "ECM", "options": {"rc pairs": "1"}}, CIRCUIT | {"R0 [Ohm]": function})
    assert "parameter_dependencies" in told.value.hint


def test_dependencies_are_the_arguments_in_the_order_in_which_they_are_named():
    options = {"rc pairs": "1", "parameter_dependencies": {"R0": ["temperature", "soc"]}}
    given = CIRCUIT | {"R0 [Ohm]": lambda T, soc: 0.02 * soc * T / 298.15}
    plain = CIRCUIT | {"R0 [Ohm]": lambda soc: 0.02 * soc}
    ours = voltage({"type": "ECM", "options": {"rc pairs": "1"}}, plain)
    np.testing.assert_allclose(voltage({"type": "ECM", "options": options}, given), ours, atol=1e-9)
    with pytest.raises(ConfigurationError, match=r"a function of \(soc, T\)"):
        voltage({"type": "ECM", "options": options}, CIRCUIT | {"R0 [Ohm]": lambda soc, T: 0.02 * soc * T / 298.15})


def test_arguments_that_pybamm_adds_and_a_function_does_not_use_are_no_matter():
    spm = published().merge({"Positive particle diffusivity [m2.s-1]": lambda sto, T: 4e-15 + 0 * sto}, Origin("test"))
    assert len(voltage("SPM", dict(spm.values_))) == 61


def test_a_temperature_is_asked_for_where_something_looks_at_it():
    without = voltage(HALF_CELL, ELECTRODE)
    np.testing.assert_array_equal(voltage(HALF_CELL, ELECTRODE | {"Initial temperature [K]": 320.0}), without)
    for unaware in (lambda sto: 5e-15, lambda sto, T: 5e-15 * (1 + 0 * sto)):
        found = voltage(HALF_CELL, ELECTRODE | {"Positive particle diffusivity [m2.s-1]": unaware})
        np.testing.assert_allclose(found, without, atol=1e-9)
    warm = {"Positive particle diffusivity [m2.s-1]": lambda sto, T: 5e-15 * T / 298.15}
    with pytest.raises(MissingParameterError, match=r"Initial temperature \[K\]"):
        voltage(HALF_CELL, ELECTRODE | warm)
    at_rest = voltage(HALF_CELL, ELECTRODE | warm | {"Initial temperature [K]": 298.15})
    np.testing.assert_allclose(at_rest, without, atol=1e-9)


def test_a_temperature_that_is_compared_is_asked_for():
    p = ParameterSet().merge(ELECTRODE, Origin("test"))
    variables = ("Volume-averaged cell temperature [K]",)
    with pytest.raises(MissingParameterError, match=r"Initial temperature \[K\]"):
        build(SimulationProblem(spec_of(HALF_CELL), p, TIMES, np.ones(61), TIMES, variables))


def test_a_lumped_cell_of_one_temperature_needs_none():
    cell = {
        "Lumped electrode OCP [V]": lambda sto: 4.2 - sto,
        "Lumped electrode capacity [A.h]": 5.0,
        "Particle diffusion time [s]": 5000.0,
        "Series resistance [Ohm]": 0.02,
        "Initial stoichiometry in lumped electrode": 0.1,
    }
    without = voltage("SingleElectrodeLumpedSPMR", cell)
    np.testing.assert_array_equal(
        voltage("SingleElectrodeLumpedSPMR", cell | {"Ambient temperature [K]": 300.0}), without
    )
    with pytest.raises(MissingParameterError, match=r"Ambient temperature \[K\]"):
        voltage("SingleElectrodeLumpedSPMR", cell | {"Series resistance [Ohm]": lambda T: 0.02 * T / 300})


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("R0 [Ohm]", -0.02, "R0 [Ohm] is -0.02, and cannot be negative"),
        ("R1 [Ohm]", 0.0, "R1 [Ohm] is 0, and must be positive"),
        ("C1 [F]", -1000.0, "C1 [F] is -1000, and must be positive"),
        ("Nominal cell capacity [A.h]", -5.0, "must be positive"),
        ("Ambient temperature [K]", 25.0, "is 25, which is no temperature of a cell in kelvins"),
        ("R0 [Ohm]", np.array([[0.0, 1.0], [0.02, 0.03]]), "'R0 [Ohm]' is an array, and a model takes a number"),
        ("R0 [Ohm]", {"x": [0.0, 1.0], "y": [0.02, 0.03]}, "'R0 [Ohm]' is a table of columns"),
    ],
)
def test_values_that_no_model_can_take_are_refused(name, value, said):
    values = cw.direct_entries.DirectEntry({**CIRCUIT, name: value}).compute(ParameterSet())
    with pytest.raises(ConfigurationError) as told:
        voltage({"type": "ECM", "options": {"rc pairs": "1", "butler-volmer": "true"}}, values)
    assert said in str(told.value)


def test_no_series_resistance_is_no_mistake():
    without = voltage({"type": "ECM", "options": {"rc pairs": "1"}}, CIRCUIT | {"R0 [Ohm]": 0.0})
    # 1 A over 20 mOhm; the solver's tolerance
    np.testing.assert_allclose(
        without - voltage({"type": "ECM", "options": {"rc pairs": "1"}}, CIRCUIT), 0.02, atol=1e-6
    )


def test_a_capacity_in_another_unit_is_doubted():
    data = {"Time [s]": [0.0, 10.0, 20.0], "Current [A]": [0.0, 1.0, 1.0], "Voltage [V]": [3.7, 3.68, 3.68]}
    for capacity, doubts in ((5.0, 0), (5000.0, 1)):
        entry = cw.direct_entries.DirectEntry(CIRCUIT | {"Nominal cell capacity [A.h]": capacity})
        one = cw.objectives.CurrentDriven(data, options={"model": {"type": "ECM", "options": {"rc pairs": "1"}}})
        report = cw.check(cw.Pipeline({"cell": entry, "v": cw.Validation({"o": one})}))
        assert ["mA.h" in problem.hint for problem in report.problems] == [True] * doubts


def test_where_nothing_says_how_a_cell_begins_the_check_says_all_that_would():
    data = {"Time [s]": [0.0, 10.0, 20.0], "Current [A]": [0.0, 1.0, 1.0], "Voltage [V]": [3.7, 3.68, 3.68]}
    one = cw.objectives.CurrentDriven(data, options={"model": "GITTModel"})
    report = cw.check(cw.Pipeline({"cell": cw.direct_entries.DirectEntry(ELECTRODE), "v": cw.Validation({"o": one})}))
    assert all("or 'Cyclable lithium capacity [A.h]'" in problem.hint for problem in report.problems)
    assert len(report.problems) == 1  # the concentration of the negative electrode; the other one is there
