"""The page and the terminal on how far to trust a fit: intervals, sentences, correlations, indices, arrays of fits."""

from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from cellwright.report.findings import verdict
from cellwright.report.page import render
from cellwright.report.text import summary
from cellwright.report.uncertainty import interval_text, uncertainty
from cellwright.schema.results import ElementRecord, PipelineResult
from cellwright.testing.results import example_result

SAID = "D and R cannot be told apart by these data: only their ratio is determined"


def identified(**changes: Any) -> dict[str, Any]:
    return {
        "level": 0.95,
        "points": 101,
        "noise": [{"objective": "1C", "variable": "Voltage [V]", "sigma": 0.001234, "given": False}],
        "parameters": {"D [m2.s-1]": {"std_error": 2e-16, "interval": [1.9e-14, 2.1e-14]}},
        "names": ["D [m2.s-1]", "R [m]", "k"],
        "correlation": [[1.0, -0.976, None], [-0.976, 1.0, None], [None, None, None]],
        "condition": 58.21,
        "words": [SAID, "k has no effect on these data"],
        "remarks": ["RMSE is no sum of squares"],
    } | changes


def row(name: str, value: float, interval: list[float] | None) -> dict[str, Any]:
    bounds = {"initial": value, "lower": 0.0, "upper": 1.0, "at_bound": None}
    return {"name": name, "value": value, "std_error": None, "interval": interval, **bounds}


def fitted(**changes: Any) -> dict[str, Any]:
    return {
        "type": "OptimizationResult",
        "parameter_values": {"D [m2.s-1]": 2e-14, "R [m]": 5e-6},
        "cost": 1.0,
        "parameters": [row("D [m2.s-1]", 2e-14, [1.9e-14, 2.1e-14]), row("R [m]", 5e-6, None)],
        "identifiability": identified(),
    } | changes


def record(name: str, kind: str, result: dict[str, Any]) -> ElementRecord:
    return ElementRecord(name, kind, kind, "completed", 1.0, result=result)


def run_of(*records: ElementRecord) -> PipelineResult:
    return replace(example_result(), elements=records)


def printed(result: PipelineResult, width: int = 100) -> str:
    console = Console(width=width, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(summary(result))
    return console.export_text()


FIT = record("fit", "data_fit", fitted())


def test_a_fit_shows_its_intervals_its_sentences_and_its_correlations() -> None:
    page = render(run_of(FIT))
    assert '<th scope="col" class="n">95 % interval</th>' in page
    assert "1.9e-14 to 2.1e-14" in page
    assert "not determined" in page
    assert '<td class="n minus" style="--r:98%">-0.98</td>' in page
    assert "<b>noise of Voltage, 1C</b> 1.23 mV" in page
    assert "<b>condition</b> 58.2" in page
    assert page.count(SAID) == 2  # with the fit, and among what to look at with care
    assert "RMSE is no sum of squares" in page


def test_a_parameter_without_effect_has_no_place_in_the_correlations() -> None:
    found = uncertainty(FIT.result)
    assert found is not None
    assert found.labels == ["D", "R"]
    assert [[cell.text for cell in cells] for cells in found.cells] == [[], ["-0.98"]]


def test_what_the_data_leave_open_is_to_be_looked_at_with_care_once() -> None:
    again = record("ci", "linear_confidence_interval", {"intervals": {}, "identifiability": identified()})
    cares = [(care.kind, care.where, care.what) for care in verdict(run_of(FIT, again)).cares if care.kind == "open"]
    assert cares == [("open", "fit", SAID), ("open", "fit", "k has no effect on these data")]


def test_why_there_are_no_intervals_is_told() -> None:
    why = {"level": 0.95, "error": "the pool is gone", "words": ["there are no intervals: the pool is gone"]}
    failed = record("fit", "data_fit", fitted(identifiability=why))
    page = render(run_of(failed))
    assert "there are no intervals: the pool is gone" in page
    assert "% interval" not in page
    assert "interval" not in printed(run_of(failed)).split("To look at")[0]


def test_the_terminal_shows_intervals() -> None:
    lines = printed(run_of(FIT)).splitlines()
    assert any(line.split() == ["D", "2e-14", "2e-14", "1.9e-14", "to", "2.1e-14", "m²", "s⁻¹"] for line in lines)
    assert any("not determined" in line for line in lines)
    assert max(map(len, printed(run_of(FIT), 80).splitlines())) <= 80


def test_an_analysis_shows_its_intervals_at_its_point() -> None:
    result = {
        "intervals": {"D [m2.s-1]": {"lower": 1.9e-14, "upper": 2.1e-14}, "R [m]": {"lower": None, "upper": 1e-5}},
        "point": {"D [m2.s-1]": 2e-14, "R [m]": 5e-6},
        "identifiability": identified(),
    }
    page = render(run_of(record("ci", "linear_confidence_interval", result)))
    assert "Analysis: ci" in page
    assert '<td class="n strong">2e-14</td><td class="n">2e-16</td><td class="n">1.9e-14 to 2.1e-14</td>' in page
    assert "-∞ to 1e-5" in page


def test_a_sensitivity_shows_its_indices_the_largest_first() -> None:
    result = {
        "total_order": {"a": 0.4, "b": 0.6},
        "total_order_ci": {"a": 0.01, "b": 0.02},
        "first_order": {"a": 0.3, "b": 0.5},
        "first_order_ci": {"a": 0.01, "b": 0.02},
        "second_order": {"a": {"b": 0.1}},
        "second_order_ci": {"a": {"b": 0.03}},
        "evaluation_stats": {"evaluations": 1024, "failed": 3},
    }
    sobol = record("sobol", "sobol_sensitivity", result)
    page, text = render(run_of(sobol)), printed(run_of(sobol))
    assert page.index("0.600 ± 0.020") < page.index("0.400 ± 0.010")
    assert "0.100 ± 0.030" in page
    assert "<b>evaluations</b> 1024" in page
    assert text.index("0.600 ± 0.020") < text.index("0.400 ± 0.010")
    assert sobol.top_contributors(1) == [("b", 0.6)]


def test_an_array_of_fits_shows_each_with_its_interval_and_what_failed() -> None:
    result = {
        "fits": {"298.15": fitted(), "313.15": fitted()},
        "objectives": {},
        "cost": 2.0,
        "parameter_values": {},
        "failed_objectives": {"273.15": "the solver stopped"},
    }
    array = record("array", "array_data_fit", result)
    page, text = render(run_of(array)), printed(run_of(array))
    assert '<td class="n strong">2e-14<small>1.9e-14 to 2.1e-14</small></td>' in page
    assert "<b>273.15</b> the solver stopped" in page
    assert page.count("<h2>") == page.count("</h2>") == len(["Verdict", "Elements", "Parameters", "Fit", "How to"])
    assert text.count("1.9e-14 to 2.1e-14") == 2
    assert ("open", f"at 298.15: {SAID}") in [(care.kind, care.what) for care in verdict(run_of(array)).cares]


@pytest.mark.parametrize(
    ("interval", "text"),
    [((1.0, 2.5), "1 to 2.5"), (None, "not determined"), ((None, None), "not determined"), ((0.5, None), "0.5 to ∞")],
)
def test_an_interval_in_words(interval: Any, text: str) -> None:
    assert interval_text(interval) == text
