"""Outputs evaluated for all times together against PyBaMM's own evaluation, one by one."""

import numpy as np
import pybamm
import pytest

from cellwright.models.outputs import Outputs
from cellwright.models.symbols import to_callable
from cellwright.schema.values import Function

TIMES = np.linspace(0, 1000.0, 41)


def solved(changes=None, model="SPMe", options=None):
    values = pybamm.ParameterValues("Chen2020")
    values.update({"Current function [A]": 5.0} | (changes or {}), check_already_exists=False)
    simulation = pybamm.Simulation(
        getattr(pybamm.lithium_ion, model)(options or {}),
        parameter_values=values,
        solver=pybamm.IDAKLUSolver(rtol=1e-4, atol=1e-6),
    )
    solution = simulation.solve(np.array([0.0, 300.0, 1000.0]), t_interp=TIMES)
    return simulation.built_model, solution


def agree(model, solution, *names):
    outputs = Outputs(model, names)
    values = outputs(solution, {})
    for name in names:
        assert values[name].shape == solution.t.shape
        np.testing.assert_allclose(values[name], solution[name].data, rtol=1e-9, atol=1e-12)
    return outputs


@pytest.mark.parametrize("model", ["SPM", "SPMe", "DFN"])
def test_voltage_and_others_agree(model):
    outputs = agree(*solved(model=model), "Voltage [V]", "Discharge capacity [A.h]", "Current [A]", "Time [s]")
    assert outputs.at_once


def test_a_thermal_model_with_a_measured_current_agrees():
    time = np.linspace(0, 1000, 101)
    current = pybamm.Interpolant(time, 4 + np.sin(time / 50), pybamm.t)
    names = ("Voltage [V]", "Volume-averaged cell temperature [C]")
    assert agree(*solved({"Current function [A]": current}, options={"thermal": "lumped"}), *names).at_once


@pytest.mark.parametrize("kind", ["linear", "cubic", "pchip"])
def test_tables_of_potentials_agree(kind):
    x = np.linspace(0.01, 0.99, 40)
    ocp = pybamm.ParameterValues("Chen2020")["Positive electrode OCP [V]"]
    y = [float(ocp(pybamm.Scalar(point)).evaluate()) for point in x]
    table = to_callable(Function.table("sto", x, y, kind), {})
    assert agree(*solved({"Positive electrode OCP [V]": table}), "Voltage [V]").at_once


def test_where_numpy_differs_pybamms_numbers_are_taken(monkeypatch):
    model, solution = solved(model="SPM")
    outputs = Outputs(model, ("Voltage [V]",))
    monkeypatch.setattr(pybamm.EvaluatorPython, "__call__", lambda *_, **__: np.zeros(solution.t.size))
    for _ in range(2):
        np.testing.assert_array_equal(outputs(solution, {})["Voltage [V]"], solution["Voltage [V]"].data)
    assert not outputs.at_once
