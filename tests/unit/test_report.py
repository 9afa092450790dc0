"""The report as data and text: numbers as people write them, thinning that loses no extreme, findings, escaping."""

import hashlib
import json
import re
import time
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from importlib.resources import files
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from rich.console import Console

from cellwright.report.curves import (
    MOST_POINTS,
    POINTS,
    comparisons,
    convergence,
    decimate,
    parameter_curve,
    parameter_traces,
    points_each,
)
from cellwright.report.findings import verdict
from cellwright.report.notation import duration, measured, number, unit_text, value_text
from cellwright.report.page import elided, place_between, render, seeds, seeds_of
from cellwright.report.text import summary
from cellwright.schema.expressions import parameter
from cellwright.schema.parameters import Origin, ParameterSet
from cellwright.schema.results import ElementRecord, PipelineResult
from cellwright.schema.values import Function
from cellwright.testing.results import example_result

EVIL = "<script>alert('x')</script>&\"</table>"
VOID = {"meta", "link", "input", "br", "img", "hr"}


class Structure(HTMLParser):
    """Counts the scripts of a page, gathers its ids and links, and sees that every tag is closed in turn."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.scripts = 0
        self.ids: list[str] = []
        self.links: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.scripts += tag == "script"
        self.ids += [found["id"] or ""] if "id" in found else []
        self.links += [found["href"] or ""] if "href" in found else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def result() -> PipelineResult:
    return example_result()


@pytest.fixture(scope="module")
def page(result: PipelineResult) -> str:
    return render(result)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.85e-14, "1.85e-14"),
        (1.852714e-14, "1.8527e-14"),
        (9.999999e-4, "0.001"),
        (8.52e-5, "8.52e-5"),
        (0.008713, "0.008713"),
        (63104.0, "63104"),
        (382183.908, "382184"),
        (999999.7, "1e6"),
        (-4.2, "-4.2"),
        (100.0, "100"),
        (100.04, "100.04"),
        (2.5e7, "2.5e7"),
        (1e22, "1e22"),
        (0.0, "0"),
        (float("inf"), "∞"),
        ({"$type": "builtins.float", "value": "-Infinity"}, "-∞"),
        (None, "–"),
        ("Graphite", "Graphite"),
    ],
)
def test_numbers_are_written_with_five_digits_and_short_exponents(value: Any, text: str) -> None:
    assert number(value) == text


@given(st.floats(-1e300, 1e300))
def test_a_written_number_is_the_number_to_five_digits(value: float) -> None:
    assert float(number(value)) == pytest.approx(value, rel=5.001e-5, abs=0)


def test_millivolts_have_one_decimal_and_other_measures_four_digits() -> None:
    assert measured(12.345, "RMSE [mV] (Voltage [V])") == "12.3"
    assert measured(0.0123456, "RMSE [Ohm] (Z_Re [Ohm])") == "0.01235"
    assert measured(None, "RMSE [mV] (Voltage [V])") == "–"


@pytest.mark.parametrize(
    ("unit", "text"),
    [("mol.m-3", "mol m⁻³"), ("m2.s-1", "m² s⁻¹"), ("A.h.cm-2", "A h cm⁻²"), ("degC", "°C"), ("%", "%"), (None, "")],
)
def test_units_are_printed_as_in_books(unit: str | None, text: str) -> None:
    assert unit_text(unit) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.002, "2.0 ms"), (4.214, "4.21 s"), (59.94, "59.9 s"), (59.96, "1 min 00 s"), (3661, "1 h 01 min")],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_every_kind_of_value_has_one_line() -> None:
    area = 3 * 0.65 / parameter("Negative particle radius [m]")
    assert value_text(area) == "1.95 / 'Negative particle radius [m]'"
    assert value_text(Function.trace(lambda c_e, T: c_e**2 * T)) == "(c_e, T) ↦ c_e^2 · T"
    table = Function.table("sto", [0.0, 0.5, 1.0], [4.2, 3.7, 3.0], "pchip")
    assert value_text(table) == "table of 3 points, pchip: sto 0 to 1, value 3 to 4.2"
    assert value_text(np.array([[1.0, 2.0, np.nan]])) == "array of 1 × 3, 1 to 2"
    assert value_text([1, 2.5, "a"]) == "[1, 2.5, a]"
    assert value_text(True) == "true"


@settings(deadline=None)
@given(
    arrays.arrays(
        float,
        st.tuples(st.integers(1, 5), st.integers(1, 900)),
        elements=st.floats(-1e3, 1e3) | st.just(float("nan")),
    ),
    st.integers(12, 300),
)
def test_thinning_keeps_extremes_ends_and_order_within_its_budget(rows: np.ndarray, points: int) -> None:
    kept = decimate(rows, points)
    assert len(kept) <= min(max(points, 2 * len(rows) + 2), rows.shape[1])
    assert (np.diff(kept) > 0).all()
    assert kept[0] == 0
    assert kept[-1] == rows.shape[1] - 1
    for row in rows[np.isfinite(rows).any(axis=1)]:
        assert np.nanmax(row[kept]) == np.nanmax(row)
        assert np.nanmin(row[kept]) == np.nanmin(row)


def test_thinning_keeps_a_spike_of_one_sample_and_short_series_whole() -> None:
    rows = np.zeros((3, 30_000))
    rows[1, 17_321] = 5.0
    assert 17_321 in decimate(rows, POINTS)
    assert len(decimate(rows[:, :POINTS], POINTS)) == POINTS


def test_a_page_of_many_long_plots_gives_each_fewer_points(result: PipelineResult) -> None:
    (plot,) = comparisons("cycle", result.element("fit diffusivities").series["drive cycle"], fitted=True)
    assert points_each([plot]) == MOST_POINTS
    assert points_each([plot] * 100) == POINTS
    assert len(plot.to_json(POINTS)["x"]["values"]) <= POINTS


def test_a_comparison_shows_data_both_models_and_the_error_in_millivolts() -> None:
    time_, data = np.array([0.0, 10.0, 20.0]), np.array([4.0, 3.9, 3.8])
    channels = {"Time [s]": time_, "Voltage [V] (data)": data, "Voltage [V] (model)": data + 0.002}
    earlier = {"Time [s]": time_[::2], "Voltage [V] (model)": np.array([4.1, 4.0])}
    (plot,) = comparisons("1C", {"optimal": channels, "baseline": earlier}, fitted=True)
    shown, errors = plot.panels
    assert [line.label for line in shown.lines] == ["Data", "Model, initial", "Model, fitted"]
    assert errors.label == "Error [mV]"
    np.testing.assert_allclose(shown.lines[1].values, [4.1, 4.05, 4.0])
    np.testing.assert_allclose(errors.lines[1].values, 2.0)
    np.testing.assert_allclose(errors.lines[0].values, [100, 150, 200])


def test_long_runs_are_told_in_hours_and_spectra_on_a_logarithmic_axis() -> None:
    long = {"Time [s]": np.array([0.0, 36000.0]), "T [K] (data)": np.ones(2), "T [K] (model)": np.ones(2)}
    (plot,) = comparisons("long", {"optimal": long}, fitted=False)
    assert plot.x_label == "Time [h]"
    assert plot.x[-1] == 10
    assert plot.panels[1].label == "Error [K]"
    spectrum = {
        "Frequency [Hz]": np.array([1e3, 1.0]),
        "Z_Re [Ohm] (data)": np.ones(2),
        "Z_Re [Ohm] (model)": np.array([1.0, 2.0]),
    }
    (plot,) = comparisons("EIS", {"optimal": spectrum}, fitted=False)
    assert plot.log_x
    assert plot.x.tolist() == [1.0, 1e3]
    assert plot.panels[0].lines[1].values.tolist() == [2.0, 1.0]


def test_a_series_without_channels_gives_no_plot() -> None:
    assert list(comparisons("none", {}, fitted=True)) == []
    assert list(comparisons("none", {"optimal": {"Time [s]": np.zeros(3)}}, fitted=True)) == []


def test_costs_are_plotted_on_a_logarithmic_axis_unless_one_is_not_positive(result: PipelineResult) -> None:
    fit = result.element("fit diffusivities")
    plot = convergence(fit)
    assert plot is not None
    assert plot.panels[0].log
    assert len(plot.panels[0].lines) == 1, "where every row is an improvement, cost and best cost are one line"
    assert plot.x[-1] == fit.result["evaluations"]
    negative = convergence(replace(fit, trace=({"evaluations": 1, "cost": -3.0, "best_cost": -3.0},)))
    assert negative is not None
    assert not negative.panels[0].log
    assert next(parameter_traces(fit)).title == "Negative particle diffusivity"
    assert convergence(result.element("datasheet")) is None


def test_functions_of_one_known_variable_have_curves_and_others_none(result: PipelineResult) -> None:
    curve = parameter_curve("Negative electrode OCP [V]", result.parameters["Negative electrode OCP [V]"])
    assert curve is not None
    assert curve.x_label == "Stoichiometry"
    assert len(curve.x) == 161
    fitted = parameter_curve("D [m2.s-1]", np.array([[0.9, 0.1], [1e-14, 2e-14]]))
    assert fitted is not None
    assert fitted.x.tolist() == [0.1, 0.9]
    assert parameter_curve("j0 [A.m-2]", Function.trace(lambda c_e, c_s, T: c_e * c_s * T)) is None
    assert parameter_curve("f", Function.trace(lambda x: x * parameter("missing"))) is None
    assert parameter_curve("Nominal cell capacity [A.h]", 5.0) is None


def test_the_verdict_tells_the_worst_first_and_everything_to_look_at(result: PipelineResult) -> None:
    found = verdict(result)
    assert found.headline.startswith("The run is complete. Fit error ")
    assert [(error.objective, error.change[0]) for error in found.fits] == [("1C discharge", "-"), ("drive cycle", "-")]
    assert [error.measure for error in found.validations] == ["RMSE [mV] (Voltage [V])"]
    assert [care.kind for care in found.cares] == ["error", "bound", "unresolved", *["warning"] * 4]
    assert "ended at its upper bound, 1e-13 m² s⁻¹" in found.cares[1].what
    assert found.cares[2].what.endswith("it waits for Negative particle radius [m]")


def test_one_statistic_of_each_objective_is_told_and_nothing_twice() -> None:
    plain = [{"name": "MAE [mV] (Voltage [V])", "value": 9.0}, {"name": "RMSE [mV] (Voltage [V])", "value": 12.0}]
    named = [{"name": "Max [K] (T [K])", "value": None}]
    record = ElementRecord(
        "held out", "validation", "Validation", "completed",
        result={"summary_stats": {"1C": plain, "2C": named}, "failed_objectives": {"3C": "no solution"}},
        warnings=("the cell was warm",),
    )  # fmt: skip
    found = verdict(PipelineResult("r", "r", "completed", (record,), {}, warnings=("held out: the cell was warm",)))
    assert [(error.objective, error.value) for error in found.validations] == [("1C", 12.0), ("2C", None)]
    assert [care.what for care in found.cares] == ["objective 3C failed: no solution", "the cell was warm"]
    assert "12.0\xa0mV on 1C" in found.headline


def test_a_failed_run_says_where_and_why_once() -> None:
    error = {"error_code": "SOLVER_ERROR", "message": "all points failed", "at": ["fit"], "hint": "widen the bounds"}
    records = (
        ElementRecord("fit", "data_fit", "DataFit", "failed", 3.0, error=error),
        ElementRecord("check", "validation", "Validation", "skipped"),
    )
    failed = PipelineResult("r1", "", "failed", records, {}, error=error)
    found = verdict(failed)
    assert found.headline == "The run failed at fit. 1 finding to look at with care."
    assert [care.what for care in found.cares] == ["all points failed (widen the bounds)"]
    page = render(failed)
    Structure(page)
    assert "widen the bounds" in page
    assert "The run produced no parameters." in page


def test_the_page_has_its_parts_in_order_and_is_well_formed(page: str) -> None:
    found = Structure(page)
    headings = [unescape(text) for text in re.findall(r"<h2>(.*?)</h2>", page)]
    assert headings == [
        "Verdict", "Elements", "Parameters", "Fit: fit diffusivities", "Validation: held-out rates", "How to reproduce",
    ]  # fmt: skip
    assert len(set(found.ids)) == len(found.ids)
    assert {link.removeprefix("#") for link in found.links} <= set(found.ids)


def test_the_page_stays_light_and_quick_with_thirty_thousand_points(result: PipelineResult, page: str) -> None:
    assert len(page.encode()) < 1_000_000
    begin = time.perf_counter()
    render(result)
    assert time.perf_counter() - begin < 3, "0.2 s on a laptop's core; a page must not keep a run waiting"


def test_a_page_of_many_long_objectives_stays_below_its_limit(result: PipelineResult) -> None:
    fit = result.element("fit diffusivities")
    many = replace(fit, series={f"cycle {index}": fit.series["drive cycle"] for index in range(30)})
    page = render(replace(result, elements=(many,)))
    assert len(page.encode()) < 5_000_000


def test_the_same_result_gives_the_same_page(result: PipelineResult, page: str) -> None:
    assert render(result) == page


def test_what_users_write_is_escaped_everywhere(result: PipelineResult) -> None:
    fit, validation = result.element("fit diffusivities"), result.element("held-out rates")
    rows = [{**row, "name": f"{EVIL} [{EVIL}]", "unit": EVIL} for row in fit.result["parameters"]]
    errors = {EVIL: {f"RMSE [mV] ({EVIL})": {"initial": EVIL, "fitted": EVIL}}}
    hostile = replace(
        result,
        id=EVIL,
        name=EVIL,
        started_at=EVIL,
        elements=(
            replace(
                fit,
                name=EVIL,
                type=EVIL,
                result={**fit.result, "parameters": rows, "objectives": errors, "message": EVIL},
                series={EVIL: fit.series["1C discharge"]},
                error={"message": EVIL, "at": [EVIL], "hint": EVIL},
            ),
            replace(
                validation,
                result={"summary_stats": {EVIL: [{"name": EVIL, "value": 1.0}]}, "failed_objectives": {EVIL: EVIL}},
            ),
        ),
        parameters=ParameterSet().merge({EVIL: EVIL, "a [V]": parameter(EVIL + "2")}, Origin(EVIL, EVIL, EVIL)),
        config={EVIL: [EVIL], "seed": EVIL},
        versions={EVIL: EVIL},
        warnings=(EVIL,),
    )
    page = render(hostile)
    assert Structure(page).scripts == 3
    assert EVIL not in page
    assert "alert('x')" not in page
    (plots,) = re.findall(r'<script type="application/json" id="plots">(.*?)</script>', page, re.DOTALL)
    assert any(EVIL in plot["title"] for plot in json.loads(plots).values())


def test_a_result_that_came_through_json_gives_the_same_page(result: PipelineResult, page: str) -> None:
    series = {record.name: record.series for record in result.elements}
    # Functions stand in the elements' results as objects in memory and in wire form after the journey.
    document = json.loads(json.dumps(result.to_dict(), default=lambda value: value.to_wire()))
    assert render(PipelineResult.from_dict(document, series)) == page


def test_a_seed_that_a_fit_took_from_the_clock_is_shown(result: PipelineResult) -> None:
    name, *_ = [record.name for record in result.elements if record.element_type == "data_fit"]
    elements = tuple(
        replace(record, result={**record.result, "seed": 4711}) if record.name == name else record
        for record in result.elements
    )
    drawn = replace(result, config={}, elements=elements)
    assert list(seeds_of(drawn)) == [(name, 4711)]
    given = {"elements": {name: {"options": {"seed": 4711}}}}
    assert list(seeds_of(replace(drawn, config=given))) == [(name, 4711)]


def test_the_configuration_is_shown_without_its_rows_and_with_its_seed(page: str, result: PipelineResult) -> None:
    assert "Time [s]: 3,400 rows" in page
    assert ("fit diffusivities", 42) in list(seeds(result.config))
    assert elided({"a": [1.0] * 13, "b": [1.0, 2.0]}) == {"a": "13 rows", "b": [1.0, 2.0]}
    assert elided({"$type": "numpy.ndarray", "data": [[1, 2, 3]], "dtype": "float64"}) == "array of 1 × 3"


def test_places_between_bounds_go_by_logarithm_over_decades() -> None:
    assert place_between(1e-14, 1e-15, 1e-13) == 50
    assert place_between(0.7, 0.5, 0.9) == 50
    assert place_between(2.0, 0.5, 0.9) == 100
    assert place_between(1.0, 0.0, {"$type": "builtins.float", "value": "Infinity"}) is None
    assert place_between(1.0, None, 2.0) is None


def test_an_analysis_shows_its_tables(result: PipelineResult) -> None:
    interval = {"R [Ohm]": {"value": 0.01, "lower": 0.008, "upper": 0.012}}
    record = ElementRecord(
        "intervals",
        "linear_confidence_interval",
        "LinearConfidenceInterval",
        "completed",
        result={"intervals": interval},
    )
    page = render(replace(result, elements=(record,)))
    assert "Analysis: intervals" in page
    assert '<td class="n">0.008 to 0.012</td>' in page


def test_the_text_fits_a_terminal_and_says_what_counts(result: PipelineResult) -> None:
    console = Console(width=80, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(summary(result))
    text = console.export_text()
    assert max(len(line) for line in text.splitlines()) <= 80
    assert re.search(r"Positive particle diffusivity +4e-15 +1e-13 +m² s⁻¹ +at bound", text)
    assert re.search(r"1C discharge +RMSE \[mV\] \(Voltage \[V\]\) +70\.\d +5\.\d", text)
    assert re.search(r"C/2 discharge +RMSE", text)
    assert "it waits for Negative particle radius [m]" in " ".join(text.split())
    assert text.splitlines()[-1].strip() == "6 elements (1 cached), 826 solves (4 failed), 3 min 34 s"


def test_the_text_prints_brackets_in_names_as_they_are() -> None:
    record = ElementRecord(
        "a[bold]b",
        "data_fit",
        "DataFit",
        "completed",
        result={"parameters": [{"name": "R[red] [Ohm]", "initial": 1, "value": 2}]},
    )
    console = Console(width=80, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(summary(PipelineResult("r", "[b]", "completed", (record,), {})))
    text = console.export_text()
    assert "a[bold]b" in text
    assert "R[red]" in text


@pytest.mark.parametrize(
    ("name", "sha256"),
    [
        ("uPlot.iife.min.js", "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f"),
        ("uPlot.min.css", "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04"),
    ],
)
def test_the_plotting_library_is_the_published_one(name: str, sha256: str) -> None:
    content = (files("cellwright.report") / "assets" / name).read_bytes()
    assert hashlib.sha256(content).hexdigest() == sha256
