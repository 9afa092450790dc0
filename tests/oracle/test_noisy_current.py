"""Fits reach the noise of the voltage: on a measured, noisy current, and from where a cell is empty too soon.

The data are plain PyBaMM's, at a tolerance of 1e-8; the current's noise drives the model. What our own tolerance leaves
in the predictions, about 1e-5 V a row, hides slopes over small steps: SciPy's default ends where it starts.
"""

from functools import cache

import numpy as np
import pybamm
import pytest

import cellwright as cw
from cellwright.testing.cells import published

DN, DP = "Negative particle diffusivity [m2.s-1]", "Positive particle diffusivity [m2.s-1]"
TRUTH = {DN: 3.3e-14, DP: 4e-15}
END = 3400.0
NOISE = 1e-3
DIRECTIONS = [(3, 3), (3, 1 / 3), (1 / 3, 3), (1 / 3, 1 / 3)]


@cache
def cell(model, current_noise, rows=101):
    """The columns of a 1C discharge, and the function that gives the RMSE [V] of some values on them."""
    rng = np.random.default_rng(0)
    time = np.linspace(0.0, END, rows)
    current = 5 + current_noise * rng.normal(size=rows)
    values = pybamm.ParameterValues("Chen2020")
    driven = pybamm.Interpolant(time, current, pybamm.t)
    values.update({"Current function [A]": driven, **dict.fromkeys(TRUTH, "[input]"), "Lower voltage cut-off [V]": 1.5})
    solver = pybamm.IDAKLUSolver(rtol=1e-8, atol=1e-8)
    simulation = pybamm.Simulation(getattr(pybamm.lithium_ion, model)(), parameter_values=values, solver=solver)

    def voltage(inputs):
        return simulation.solve([0.0, END], inputs=inputs, t_interp=time)["Voltage [V]"](time)

    measured = voltage(TRUTH) + NOISE * rng.normal(size=rows)
    data = {"Time [s]": time, "Current [A]": current, "Voltage [V]": measured}
    return data, lambda inputs: float(np.sqrt(np.mean((voltage(inputs) - measured) ** 2)))


def fitted(model, data, factors, spread=10, **fields):
    known = {name: value for name, value in published().values_.items() if name not in TRUTH}
    parameters = {
        name: cw.transforms.Log10(cw.Parameter(name, true * factor, (true / spread, true * spread)))
        for (name, true), factor in zip(TRUTH.items(), factors, strict=True)
    }
    element = cw.DataFit(cw.objectives.CurrentDriven(data, options={"model": model}), parameters=parameters, **fields)
    entry = cw.direct_entries.DirectEntry(known, source="Chen2020")
    record = cw.run(cw.Pipeline({"known": entry, "fit": element})).element("fit")
    return record, {name: record.result["parameter_values"][name] for name in TRUTH}


@pytest.mark.slow
@pytest.mark.parametrize("factors", DIRECTIONS)
@pytest.mark.parametrize("current_noise", [2e-3, 20e-3])
@pytest.mark.parametrize("model", ["SPMe", "DFN"])
def test_the_noise_is_reached(model, current_noise, factors):
    data, rmse = cell(model, current_noise)
    record, found = fitted(model, data, factors)
    assert record.result["success"]
    # A right fit has less than the truth's RMSE, by 1/N for two parameters; 2 % above is the benchmark's "found".
    assert rmse(found) < 1.02 * rmse(TRUTH)
    # 26 to 60 solves here; before early ends and noise had slopes of their own, up to 78.
    assert record.counts["solves"] < 75


@pytest.mark.parametrize("rows", [101, 681])
@pytest.mark.parametrize("factors", [(3, 1 / 3), (0.15, 0.15), (9, 1 / 9)])
def test_the_noise_is_reached_from_where_the_cell_is_empty_too_soon(factors, rows):
    data, rmse = cell("SPMe", 0.0, rows)
    record, found = fitted("SPMe", data, factors)
    assert record.counts["ended_early"] >= 3
    assert rmse(found) < 1.02 * rmse(TRUTH)
    # 35 to 50 solves here. With small steps the search follows the end of the simulation row by row: up to 275.
    assert record.counts["solves"] < 75


@pytest.mark.slow
def test_the_noise_is_reached_from_where_it_hides_the_slope():
    # Nine times the truth is a diffusivity that hardly matters: the noise of neighbouring solves is larger than what it
    # does over 0.2 % of the range, and a search by that alone ends there with 14 times the noise.
    data, rmse = cell("SPMe", 2e-3, 681)
    _, found = fitted("SPMe", data, (9, 9))
    assert rmse(found) < 1.02 * rmse(TRUTH)


@pytest.mark.slow
def test_a_scalar_search_reaches_it_too():
    # With a gradient over 0.1 % of the range alone it ends with 9 times the noise.
    data, rmse = cell("SPMe", 2e-3, 201)
    record, found = fitted("SPMe", data, (1 / 3, 3), optimizer=cw.optimizers.ScipyMinimize())
    assert rmse(found) < 1.02 * rmse(TRUTH)
    assert record.counts["solves"] < 700
