"""The LG M50 by MSMR sets: what the example states of measured data, and what its cell says of them."""

import importlib.util
from pathlib import Path

import pytest

import cellwright as cw

PATH = Path(__file__).parents[2] / "examples" / "msmr_half_cell.py"
ERROR = "RMSE [mV] (Voltage [V])"


@pytest.fixture(scope="module")
def example():
    spec = importlib.util.spec_from_file_location("msmr_half_cell", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def half_cells(example):
    return {electrode: cw.run(example.pipeline(electrode)) for electrode in example.CURVES}


@pytest.mark.oracle("MSMRHalfCell")
@pytest.mark.parametrize(("electrode", "stated"), [("negative", 1.9), ("positive", 1.7)])
def test_measured_electrodes_are_fitted_from_published_sets(half_cells, electrode, stated):
    fit = half_cells[electrode].element("fit").result
    assert fit["success"]
    assert fit["objectives"]["half cell"][ERROR]["fitted"] < stated + 0.1  # mV
    total = sum(value for name, value in fit["parameter_values"].items() if "fraction" in name)
    assert total == pytest.approx(1, abs=1e-12)


def test_what_half_cells_leave_open_is_told(half_cells):
    """The measured points of graphite begin at 3 % and end at 90 % of its lithium."""
    told = half_cells["negative"].element("fit").result["identifiability"]
    open_ = {name for one in told["undetermined"] for name in one["parameters"]}
    assert {"Negative electrode capacity [A.h]", "Negative electrode lower excess capacity [A.h]"} <= open_
    words = half_cells["positive"].element("fit").result["identifiability"]["words"]
    assert any("an error of the model rather than noise" in one for one in words)


@pytest.mark.oracle("MSMRFullCell")
def test_the_sets_of_both_electrodes_make_the_discharge_of_their_cell(example, half_cells):
    record = cw.run(example.cell(half_cells)).element("fit")
    assert record.result["objectives"]["cell"][ERROR]["fitted"] < 8.0  # mV, and 7.6 is stated
    values = record.result["parameter_values"]
    # Between its ends the cell takes 4.85 A.h: none of its electrodes is smaller, none half as large again.
    for side in ("Negative", "Positive"):
        assert 4.85 < values[f"{side} electrode capacity [A.h]"] < 7.5
