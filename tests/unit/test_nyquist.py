"""Spectra in the plane of complex numbers: in the report, and in what clients ask for."""

import json
from dataclasses import replace

import numpy as np

from cellwright.report.nyquist import is_spectrum, nyquist
from cellwright.report.page import render
from cellwright.schema.results import ElementRecord, PipelineResult
from cellwright.service.plots import Window, metadata, plot

FREQUENCY = np.array([10.0, 1.0, 100.0])
REAL, IMAGINARY = np.array([0.02, 0.03, 0.01]), np.array([-0.01, -0.005, 0.002])


def channels(shift=0.0):
    return {
        "Frequency [Hz]": FREQUENCY,
        "Z_Re [Ohm] (data)": REAL,
        "Z_Re [Ohm] (model)": REAL + shift,
        "Z_Im [Ohm] (data)": IMAGINARY,
        "Z_Im [Ohm] (model)": IMAGINARY,
    }


SERIES = {"optimal": channels(0.001), "baseline": channels(0.01)}
RECORD = ElementRecord("fit", "data_fit", "DataFit", "completed", result={"objectives": {}}, series={"EIS": SERIES})
VOLTAGE = {"Time [s]": FREQUENCY, "Voltage [V] (data)": REAL, "Voltage [V] (model)": REAL}


def test_data_and_both_models_lie_over_each_other_in_the_order_of_the_frequencies():
    found = nyquist("EIS", SERIES, fitted=True)
    assert found is not None
    assert [(locus.label, locus.role) for locus in found.loci] == [
        ("Data", "data"), ("Model, initial", "initial"), ("Model, fitted", "fitted"),
    ]  # fmt: skip
    document = found.to_json(2000)
    assert document["loci"][0]["x"] == [0.03, 0.02, 0.01]
    assert document["loci"][0]["y"] == [0.005, 0.01, -0.002]
    assert document["loci"][2]["x"] == [0.031, 0.021, 0.011]
    assert (document["x"]["label"], document["y"]["label"]) == ("Re Z [Ω]", "-Im Z [Ω]")


def test_a_spectrum_without_values_and_other_curves_have_no_such_plot():
    broken = channels() | {"Z_Re [Ohm] (model)": np.full(3, np.nan)}
    found = nyquist("EIS", {"optimal": broken}, fitted=False)
    assert found is not None
    assert json.loads(json.dumps(found.to_json(10)))["loci"][1] == {
        "label": "Model",
        "role": "fitted",
        "x": [],
        "y": [],
    }
    assert nyquist("1C", {"optimal": VOLTAGE}, fitted=True) is None
    assert not is_spectrum(VOLTAGE)


def test_the_page_has_the_spectrum_before_its_parts():
    record = replace(RECORD, result={"parameters": [], "objectives": {"EIS": {}}})
    page = render(PipelineResult("r", "r", "completed", (record,), {}))
    places = [page.index(title) for title in ("EIS: impedance", "EIS: Z_Re", "EIS: Z_Im")]
    assert places == sorted(places)


def test_clients_get_one_plot_that_they_draw_on_equal_axes():
    assert metadata(RECORD)["validation_plot_config"]["objectives"]["EIS"] == {"plot_count": 1, "type": "EIS"}
    found = plot(RECORD, "EIS", 0, Window())
    assert [trace["name"] for trace in found["traces"]] == ["Data", "Fit"]
    np.testing.assert_array_equal(found["traces"][1]["x"], REAL + 0.001)
    np.testing.assert_array_equal(found["traces"][0]["y"], -IMAGINARY)
    assert found["layout"]["xaxis"]["title"]["text"] == "Z_Re [Ohm]"
    assert found["layout"]["yaxis"]["title"]["text"] == "-Z_Im [Ohm]"
    near = plot(RECORD, "EIS", 0, Window(x_min=0.015))
    assert len(near["traces"][0]["x"]) == 2
