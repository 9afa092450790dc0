"""The short forms on the page of all workflows run as they stand, on measurements of the LG M50."""

import re
from importlib.resources import files
from pathlib import Path

import polars as pl
import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "workflows" / "README.md"
DEMO = Path(str(files("cellwright"))) / "demo" / "lg_m50"
MEASURED = ROOT / "examples" / "data" / "lg_m50"
TIME, CURRENT, VOLTAGE = "Time [s]", "Current [A]", "Voltage [V]"


def cycle(rate, every=1):
    """The discharge of a cycle, with the rows at its ends."""
    rows = pl.read_csv(DEMO / f"cycle_25degC_{rate}.csv").select(TIME, CURRENT, VOLTAGE)
    loaded = rows.with_row_index().filter(pl.col(CURRENT) > 0)["index"]
    part = rows[int(loaded[0]) : int(loaded[-1]) + 1]
    return pl.concat([part[:-1].gather_every(every), part[-1:]])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the files that the page names."""
    place = tmp_path_factory.mktemp("workflows")
    pulses = [pl.read_csv(MEASURED / "gitt" / f"pulse_{number}.csv") for number in range(1, 6)]
    gitt = pl.concat(pulses).unique(subset=TIME, keep="first", maintain_order=True)
    electrode = pl.col("Positive electrode potential [V]").alias(VOLTAGE)
    tables = {
        "half-cell": pl.read_csv(MEASURED / "ocp-gitt" / "anode_OCP_3_lit.csv"),
        "gitt": gitt.select(TIME, -pl.col(CURRENT), electrode),
        "discharge": cycle("0.1C"),
        "half_c": cycle("0.5C", 60),
        "one_c": cycle("1C", 30),
        "two_c": cycle("2C", 15),
        "pulses": pl.read_csv(DEMO / "cycle_25degC_0.5C.csv"),
        "drive_cycle": pl.read_csv(DEMO / "cycle_25degC_1C.csv"),
    }
    names = ["Stoichiometry", VOLTAGE]
    for name in ("graphite", "nmc"):
        path = DEMO / f"{name}_LGM50_ocp_Chen2020.csv"
        tables[name] = pl.read_csv(path, comment_prefix="#", has_header=False, new_columns=names)
    for name, table in tables.items():
        table.write_csv(place / f"{name}.csv")
    return place


HEAD, *FORMS = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("form", FORMS, ids=["potential", "diffusivity", "balance", "rates", "circuit"])
@pytest.mark.filterwarnings("ignore::UserWarning")  # rests that still move, a circuit without pulses
def test_a_short_form_runs(form, folder, monkeypatch):
    monkeypatch.chdir(folder)
    exec(HEAD + form, {})


def test_the_page_leads_to_each_other_page():
    text = PAGE.read_text(encoding="utf-8")
    assert [path.name for path in PAGE.parent.glob("*.md") if path != PAGE and f"]({path.name})" not in text] == []
