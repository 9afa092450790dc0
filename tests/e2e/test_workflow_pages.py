"""The programs on the pages of workflows at open circuit and of design run as they stand, on data as they ask for."""

import re
from pathlib import Path

import numpy as np
import pytest

import cellwright as cw
from cellwright.errors import ConfigurationError

PAGES = Path(__file__).parents[2] / "docs" / "workflows"
THETA = np.linspace(0.005, 0.995, 150)


def graphite(x):
    return 0.09 + 1.1 * np.exp(-25 * x) + 0.03 * np.tanh(20 * (0.5 - x)) + 0.05 * np.tanh(15 * (0.15 - x))


def nmc(x):
    return 4.4 - 0.8 * x - 0.05 * np.tanh(15 * (x - 0.55))


def write(name, first, **columns):
    rows = np.column_stack(list(columns.values()))
    np.savetxt(name, rows, delimiter=",", header=",".join([first, "Voltage [V]"]), comments="")


def half_cell_of(electrode, capacity):
    def files():
        potential = graphite if electrode == "negative" else nmc
        write("half-cell.csv", "Capacity [A.h]", q=capacity * (THETA - THETA[0]), U=potential(THETA))

    return files


def cell():
    write("graphite.csv", "Stoichiometry", x=THETA, U=graphite(THETA))
    write("nmc.csv", "Stoichiometry", x=THETA, U=nmc(THETA))
    q = np.linspace(0, 4.8, 200)
    write("discharge.csv", "Capacity [A.h]", q=q, V=nmc((1.55 + q) / 6.6) - graphite((0.15 + 4.8 - q) / 5.8))


FILES = {
    "half-cell-ocp": half_cell_of("negative", 5.0),
    "electrode-balancing": cell,
    "ocp-functions": half_cell_of("positive", 4.2e-3),
    "design": lambda: None,
}


@pytest.mark.parametrize("page", FILES)
def test_the_programs_of_a_page_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    FILES[page]()
    programs = re.findall(r"```python\n(.*?)```", (PAGES / f"{page}.md").read_text(encoding="utf-8"), re.DOTALL)
    assert programs
    for program in programs:
        names = {}
        exec(program.replace('"DFN"', '"SPM"'), names)  # the same by a model that takes a sixth of the time
        result = names["result"] if "result" in names else cw.run(names["pipeline"])
        assert result.status == "completed"
        fits = [one for one in result.elements if one.type == "DataFit"]
        assert fits
        assert all(np.isfinite(one.result["cost"]) for one in fits)


def test_a_voltage_that_the_cell_reaches_is_no_error_where_the_guess_of_its_fit_does_not(tmp_path, monkeypatch):
    """At rest the cell goes up to 4.355 V, and that of the guess to 4.326 V."""
    monkeypatch.chdir(tmp_path)
    cell()

    def ready(high):
        files = "file:discharge.csv", "file:graphite.csv", "file:nmc.csv"
        return cw.Pipeline(cw.pipelines.full_cell.balancing(*files, voltage_limits=(2.5, high)))

    report = cw.check(ready(4.34))
    assert report.ok
    said = "at the initial guess of the fit before, the cell does not reach 4.34 V"
    assert any(said in one.message for one in report.problems)
    p = cw.run(ready(4.34)).parameters
    x, y = (p.number(f"{side} electrode stoichiometry at 100% SOC") for side in ("Negative", "Positive"))
    assert nmc(y) - graphite(x) == pytest.approx(4.34, abs=1e-3)  # the tables' chords
    with pytest.raises(ConfigurationError, match=r"does not reach 4\.4 V"):
        cw.run(ready(4.4))
