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


def test_data_that_contradict_the_guess_of_an_earlier_fit_alone_are_no_error(tmp_path, monkeypatch):
    """The half cell says that the electrode has 5.8 A.h, where 4.5 are guessed, and 4.8 are taken out of the cell."""
    monkeypatch.chdir(tmp_path)
    cell()
    half_cell_of("negative", 5.8)()
    height, capacity = "Graphite height [V]", "Negative electrode capacity [A.h]"
    formula = f"0.09 + '{height}' * exp(-25 * sto) + 0.03 * tanh(20 * (0.5 - sto)) + 0.05 * tanh(15 * (0.15 - sto))"
    starts = {
        "Negative electrode lower excess capacity [A.h]": (0.1, (0, 1)),
        "Positive electrode lower excess capacity [A.h]": (1.5, (0, 3)),
        "Positive electrode upper excess capacity [A.h]": (0.3, (0, 2)),
    }

    def pipeline(file):
        half_cell = cw.objectives.OCPHalfCell("negative", "file:half-cell.csv", options={"theta_ref": THETA[0]})
        known = {height: cw.Parameter(height, 0.5, (0.1, 3)), capacity: cw.Parameter(capacity, 4.5, (3, 9))}
        balance = cw.objectives.ElectrodeBalancing(f"file:{file}", options={"objective variables": ["Voltage [V]"]})
        free = {name: cw.Parameter(name, start, bounds) for name, (start, bounds) in starts.items()}
        potential = {"arguments": ["sto"], "expression": formula}
        return cw.Pipeline(
            {
                "formula": cw.direct_entries.DirectEntry({"Negative electrode OCP [V]": potential}),
                "half cell": cw.DataFit({"h": half_cell}, parameters=known),
                "nmc": cw.calculations.OCPDataInterpolant("positive", "file:nmc.csv"),
                "balance": cw.DataFit({"cell": balance}, parameters=free),
            }
        )

    result = cw.run(pipeline("discharge.csv"))
    assert result.parameters.number(capacity) == pytest.approx(5.8, rel=1e-3)
    found = result.parameters.number("Negative electrode lower excess capacity [A.h]")
    assert found == pytest.approx(0.15, abs=5e-3)  # the chords of the table of the other electrode
    assert any("at the initial guess of the fit before, the data span 4.8 A.h" in one for one in result.warnings)
    Path("gap.csv").write_text("Capacity [A.h],Voltage [V]\n0,4.1\n1,nan\n2,3.5\n", encoding="utf-8")
    assert any("no numbers" in one.message for one in cw.check(pipeline("gap.csv")).errors)
