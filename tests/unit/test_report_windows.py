"""The windows of the electrodes in the report: a table, a figure, a table in the terminal."""

import json
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from cellwright.report.page import render
from cellwright.report.text import summary
from cellwright.report.windows import window_plot, window_rows, windows
from cellwright.schema.expressions import parameter
from cellwright.schema.parameters import Origin, ParameterSet
from cellwright.schema.results import ElementRecord, PipelineResult
from cellwright.schema.values import Function

N, P = "Negative electrode", "Positive electrode"
SOC = {
    f"{N} stoichiometry at 0% SOC": 0.1, f"{N} stoichiometry at 100% SOC": 0.9,
    f"{P} stoichiometry at 0% SOC": 0.8, f"{P} stoichiometry at 100% SOC": 0.3,
}  # fmt: skip
CAPACITIES = {
    f"{N} capacity [A.h]": 5.0, f"{N} lower excess capacity [A.h]": 0.5, f"{N} upper excess capacity [A.h]": 0.5,
    f"{P} capacity [A.h]": 8.0, f"{P} lower excess capacity [A.h]": 2.4, f"{P} upper excess capacity [A.h]": 1.6,
}  # fmt: skip
CURVES = {
    f"{N} OCP [V]": Function.trace(lambda sto: 0.5 - 0.4 * sto),
    f"{P} OCP [V]": Function.table("sto", [0.25, 0.9], [4.4, 3.5]),
}


def result(values):
    return PipelineResult("r", "balance", "completed", (), {}, ParameterSet(values, dict.fromkeys(values, Origin("a"))))


@pytest.mark.parametrize("given", [SOC, CAPACITIES, SOC | CAPACITIES], ids=["stoichiometries", "capacities", "both"])
def test_windows_are_those_of_the_stoichiometries_or_of_the_capacities(given):
    negative, positive = windows(result(given))
    assert (negative.empty, negative.full) == pytest.approx((0.1, 0.9))
    assert (positive.empty, positive.full) == pytest.approx((0.8, 0.3))
    assert (negative.share, positive.share) == pytest.approx((0.8, 0.5))


def test_with_a_capacity_the_excesses_follow_from_the_window():
    stale = {**SOC, f"{P} capacity [A.h]": 8.0, f"{P} lower excess capacity [A.h]": 99.0}
    _, row = window_rows(result(stale))
    assert (row.capacity, row.lower, row.upper) == ("8", "2.4", "1.6")
    assert window_rows(result(SOC))[0].capacity == "–"


def test_each_potential_goes_as_far_as_it_does_and_its_part_in_use_from_0_to_100_percent():
    plot = window_plot(result({**SOC, **CURVES}))
    upper, lower = plot.panels
    positive, in_use, cell = (line.values for line in upper.lines)
    # Beyond 100 % the positive electrode goes on to the end of its table, at 0.25 = 0.3 - 0.05: 110 %.
    assert plot.x[np.isfinite(positive)].max() == pytest.approx(110, abs=1e-6)
    assert plot.x[np.isfinite(positive)].min() == pytest.approx(-20, abs=1e-6)
    assert plot.x[np.isfinite(in_use)][[0, -1]] == pytest.approx([0, 100])
    full = np.flatnonzero(np.isfinite(cell))[-1]
    assert cell[full] == pytest.approx(4.4 - 0.9 * 0.05 / 0.65 - (0.5 - 0.4 * 0.9))
    assert lower.lines[1].values[full] == pytest.approx(0.5 - 0.4 * 0.9)
    json.dumps(plot.to_json(), allow_nan=False)


def test_there_is_no_figure_without_potentials_and_no_table_without_windows():
    waiting = Function(("sto",), parameter("sto") * parameter("k"), "f")
    assert window_plot(result(SOC)) is None
    assert window_plot(result({**SOC, **CURVES, f"{N} OCP [V]": waiting})) is None
    some = {name: value for name, value in SOC.items() if name.startswith(N)}
    assert windows(result({**some, **CURVES})) == []
    assert windows(result({**SOC, f"{N} stoichiometry at 100% SOC": parameter("x")})) == []
    assert 'id="windows"' not in render(result(CURVES))


def test_of_a_potential_with_hysteresis_the_branch_of_the_discharge_is_drawn():
    branches = {
        f"{N} delithiation OCP [V]": CURVES[f"{N} OCP [V]"], f"{P} lithiation OCP [V]": CURVES[f"{P} OCP [V]"]
    }  # fmt: skip
    np.testing.assert_array_equal(
        window_plot(result({**SOC, **branches})).panels[1].lines[0].values,
        window_plot(result({**SOC, **CURVES})).panels[1].lines[0].values,
    )


def test_the_page_shows_table_and_figure_after_the_parameters():
    page = render(result({**SOC, **CAPACITIES, **CURVES}))
    places = [page.index(part) for part in ('id="parameters"', 'id="windows"', "Where the electrodes work")]
    assert places == sorted(places)
    assert "80.0 %" in page


def test_the_terminal_shows_the_windows():
    console = Console(width=100, color_system=None)
    with console.capture() as captured:
        console.print(summary(result({**SOC, **CAPACITIES})))
    text = captured.get()
    assert "Stoichiometry windows" in text
    assert "80.0 %" in text


def test_excess_capacities_and_the_span_of_the_data_make_the_window_where_no_capacity_is_given():
    excess = {name: value for name, value in CAPACITIES.items() if "excess" in name}
    series = {"cell": {"optimal": {"Capacity [A.h]": np.linspace(1.0, 5.0, 9)}}}
    fit = ElementRecord("fit", "data_fit", "DataFit", "completed", series=series)
    config = {"elements": {"fit": {"objectives": {"cell": {"type": "ElectrodeBalancing"}}}}}
    told = replace(result(excess), elements=(fit,), config=config)
    negative, positive = windows(told)
    assert (negative.empty, negative.full, negative.capacity) == pytest.approx((0.1, 0.9, 5.0))
    assert (positive.empty, positive.full, positive.capacity) == pytest.approx((0.8, 0.3, 8.0))
    assert windows(replace(told, config={})) == []


def test_the_mean_of_two_tables_is_drawn_where_both_are():
    one, other = Function.table("sto", [0.25, 0.9], [4.4, 3.5]), Function.table("sto", [0.3, 1.0], [4.3, 3.4])
    mean = Function.trace(lambda sto: (one(sto) + other(sto)) / 2)
    assert mean.ends == (0.3, 0.9)
    plot = window_plot(result({**SOC, **CURVES, f"{P} OCP [V]": mean}))
    assert plot.x[np.isfinite(plot.panels[0].lines[0].values)].max() == pytest.approx(100)
