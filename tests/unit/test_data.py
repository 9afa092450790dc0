"""Measured data: files as they are, steps, time ranges, transforms, and what is refused."""

import numpy as np
import pytest

import cellwright as cw
from cellwright.data.sources import inlined, settle
from cellwright.data.steps import step_count
from cellwright.errors import CellwrightError, DataError, NotImplementedYetError
from cellwright.schema.datasource import parse
from cellwright.schema.tables import Columns

ROWS = {
    "Time [s]": [0.0, 0.0, 10.0, 20.0, 20.0, 30.0, 40.0],
    "Current [A]": [0.0, 5.0, 5.001, 4.999, 0.001, 0.0, -2.5],
    "Voltage [V]": [4.18, 4.05, 4.0, 3.9, 3.95, 4.0, 4.1],
}


def test_steps_change_with_the_direction_of_the_current():
    assert step_count(Columns(ROWS)).tolist() == [0, 1, 1, 1, 2, 2, 3]


def test_a_column_of_steps_decides_where_there_is_one():
    assert step_count(Columns({**ROWS, "Step count": [4, 4, 4, 5, 5, 6, 6]})).tolist() == [0, 0, 0, 1, 1, 2, 2]


def test_a_selected_step_knows_the_voltage_at_rest_before_it():
    source = settle(parse({"data": ROWS, "options": {"first_step": 1, "last_step": 1}}))
    assert source.table["Current [A]"].tolist() == [5.0, 5.001, 4.999]
    assert source.initial_voltage == 4.18
    charge = settle(parse({"data": ROWS, "options": {"first_step": 3}}))
    assert charge.initial_voltage == 4.0


def test_a_step_that_is_not_there_is_told_with_how_many_there_are():
    with pytest.raises(DataError, match="4 steps"):
        settle(parse({"data": ROWS, "options": {"first_step": 7}}))


def test_rows_at_a_spacing_keep_the_last_one():
    source = settle(
        parse({"data": {"Time [s]": [0.0, 1.0, 2.5], "x": [0.0, 1.0, 4.0]}, "options": {"interpolate": 1.0}})
    )
    assert source.table["Time [s]"].tolist() == [0.0, 1.0, 2.0, 2.5]
    np.testing.assert_allclose(source.table["x"], [0, 1, 3, 4])


def test_a_time_range_is_elapsed_time_within_the_steps():
    data = {"Time [s]": [100.0, 110.0, 120.0], "x": [1.0, 2.0, 3.0]}
    assert settle(parse({"data": data, "time_range": {"start": 5, "end": 15}})).table["x"].tolist() == [2.0]
    with pytest.raises(DataError, match="the data last 20 s"):
        settle(parse({"data": data, "time_range": {"start": 50, "end": 60}}))


def test_files_with_and_without_header_and_with_comments(tmp_path):
    bare = tmp_path / "ocp.csv"
    bare.write_text("# sto, ocp\n0.1,0.5\n0.2,0.4\n")
    named = settle(parse({"data": f"file:{bare}", "options": {"columns": ["Stoichiometry", "Voltage [V]"]}}))
    assert named.table["Voltage [V]"].tolist() == [0.5, 0.4]
    with pytest.raises(DataError, match="no column 'Stoichiometry'") as unnamed:
        settle(parse(f"file:{bare}")).table["Stoichiometry"]
    assert "the file has no header: name its 2 columns in order" in unnamed.value.hint
    with pytest.raises(DataError, match="3 column names"):
        settle(parse({"data": f"file:{bare}", "options": {"columns": ["a", "b", "c"]}}))
    headed = tmp_path / "cycle.csv"
    headed.write_text("Time [s],Current [A],Note\n0,-0,start\n1,5,\n")
    assert dict(settle(parse(f"file:{headed}")).table).keys() == {"Time [s]", "Current [A]"}


@pytest.mark.parametrize("gap", ["", "nan", "NaN", "NA", "null"])
def test_a_number_that_is_not_there_leaves_its_column_one_of_numbers(tmp_path, gap):
    file = tmp_path / "gap.csv"
    file.write_text(f"Capacity [A.h],Voltage [V]\n0,4.1\n1,{gap}\n2,3.5\n")
    np.testing.assert_array_equal(settle(parse(f"file:{file}")).table["Voltage [V]"], [4.1, np.nan, 3.5])


def test_semicolons_are_recognised(tmp_path):
    file = tmp_path / "german.csv"
    file.write_text("Time [s];Current [A]\n0,0;5,0\n1,0;5,0\n")
    with pytest.raises(DataError) as error:
        settle(parse(f"file:{file}"))
    assert "';'" in error.value.hint


def test_a_missing_column_and_ragged_columns_are_told():
    with pytest.raises(DataError, match="no column 'Voltage'") as error:
        Columns({"Voltage [V]": [1.0]})["Voltage"]
    assert "'Voltage [V]'" in error.value.hint
    with pytest.raises(DataError, match="differ in length"):
        Columns({"a": [1.0], "b": [1.0, 2.0]})


def test_rests_become_points_of_an_open_circuit_curve():
    # 5 A from 0 to 20 s, nothing until 30 s, -2.5 A until 40 s, all but the switches linear between rows.
    data = {**ROWS, "Time [s]": [0.0, 0.0, 10.0, 20.0, 20.0, 30.0, 30.0], "Current [A]": [0, 5, 5, 5, 0, 0, -2.5]}
    rest = settle(parse({"data": data, "options": {"rest_to_ocp": True}})).table
    assert rest["Voltage [V]"].tolist() == [4.18, 4.0]
    np.testing.assert_allclose(rest["Capacity [A.h]"], [0.0, 100 / 3600], atol=1e-8)
    # A rest at the beginning is a point like the others, whether or not the first one is asked for.
    kept = settle(parse({"data": data, "options": {"transforms": {"rest_to_ocp": True, "keep_first_ocp_point": True}}}))
    assert kept.table["Voltage [V]"].tolist() == [4.18, 4.0]
    own = settle(parse({"data": {**data, "Capacity [A.h]": np.arange(7.0)}, "options": {"rest_to_ocp": True}}))
    assert own.table["Capacity [A.h]"].tolist() == [0.0, 5.0]


def test_the_beginning_is_an_open_circuit_point_at_the_voltage_of_the_rest_before_it():
    selected = {"first_step": 1, "last_step": 2, "rest_to_ocp": True}
    assert settle(parse({"data": ROWS, "options": selected})).table["Voltage [V]"].tolist() == [4.0]
    kept = settle(parse({"data": ROWS, "options": {**selected, "keep_first_ocp_point": True}})).table
    assert kept["Voltage [V]"].tolist() == [4.18, 4.0]
    assert kept["Capacity [A.h]"][0] == 0
    loaded = {name: column[1:] for name, column in ROWS.items()}
    with pytest.raises(DataError, match="begin with a current") as error:
        settle(parse({"data": loaded, "options": {"rest_to_ocp": True, "keep_first_ocp_point": True}}))
    assert error.value.at == ("options", "keep_first_ocp_point")


def test_data_without_rests_or_without_pulses_have_no_open_circuit_curve():
    for current, said in ((5.0, "no rest"), (0.0, "no pulse")):
        data = {**ROWS, "Current [A]": [current] * 7}
        with pytest.raises(DataError, match=said):
            settle(parse({"data": data, "options": {"rest_to_ocp": True}}))


HALF_CELL = {"Q": [0.0, 2.0, 1.0, 1.0, 3.0], "Voltage [V]": [4.2, 3.8, 4.0, 4.1, 3.5]}


def test_a_curve_without_time_is_put_in_order_by_its_capacity_which_may_have_another_name():
    options = {"capacity_column": "Q", "sort": True, "remove_duplicates": True}
    table = settle(parse({"data": HALF_CELL, "options": options})).table
    assert table["Capacity [A.h]"].tolist() == [0.0, 1.0, 2.0, 3.0]
    assert table["Voltage [V]"].tolist() == [4.2, 4.0, 3.8, 3.5]
    inner = settle(parse({"data": HALF_CELL, "options": {**options, "remove_extremes": True}})).table
    assert inner["Voltage [V]"].tolist() == [4.0, 3.8]


def test_a_filter_smooths_a_column_and_leaves_lines_as_they_are():
    zigzag = np.linspace(4.2, 3.2, 51) + 1e-3 * (-1.0) ** np.arange(51)
    data = {"Capacity [A.h]": np.linspace(0, 5, 51), "Voltage [V]": zigzag}
    savgol = {"filter_type": "savgol", "parameters": {"window_length": 11, "polyorder": 1}}
    options = {"transforms": {"filters": {"Voltage [V]": savgol}}}
    smooth = settle(parse({"data": data, "options": options})).table["Voltage [V]"]
    # The mean of 11 values that alternate is one eleventh of one.
    np.testing.assert_allclose(smooth[5:-5], np.linspace(4.2, 3.2, 51)[5:-5], atol=1.01e-3 / 11)


@pytest.mark.parametrize(
    ("filters", "said"),
    [
        ({"Volts": {"filter_type": "savgol"}}, "no column 'Volts'"),
        ({"Voltage [V]": {"filter_type": "mean"}}, "no filter 'mean'"),
        ({"Voltage [V]": 1}, "no filter None"),
        ({"Voltage [V]": {"filter_type": "savgol", "parameters": {"window": 3}}}, "no parameter 'window'"),
        ({"Voltage [V]": {"filter_type": "savgol", "parameters": {"window_length": 99, "polyorder": 1}}}, "cannot be"),
    ],
)
def test_filters_that_cannot_be_are_told(filters, said):
    with pytest.raises(CellwrightError, match=said) as error:
        settle(parse({"data": ROWS, "options": {"filters": filters}}))
    assert error.value.at[:2] == ("options", "filters")


@pytest.mark.parametrize(
    "given",
    [
        {"data": ROWS, "options": {"first_step_dict": {"cycle": 1}}},
        {"data": ROWS, "options": {"first_step": "SELECT 1"}},
        {"data": "db:1", "analysis": {"name": "a"}},
        "folder:somewhere",
        "db:some-id",
    ],
)
def test_what_is_not_built_yet_is_said_and_not_ignored(given):
    with pytest.raises(NotImplementedYetError):
        settle(parse(given))


def test_a_table_that_a_fit_finds_stays_a_reference_where_the_data_of_a_pipeline_are_put_into_it(tmp_path):
    (tmp_path / "ocp.csv").write_text("Stoichiometry,Voltage [V]\n0.1,4.2\n0.9,3.6\n")
    pipeline = cw.Pipeline(
        {
            "ocp": cw.calculations.OCPDataInterpolant("positive", f"file:{tmp_path / 'ocp.csv'}"),
            "D": cw.calculations.DiffusivityDataInterpolant("positive", "table:Positive particle diffusivity [m2.s-1]"),
        }
    )
    elements = inlined(pipeline).to_config()["elements"]
    assert elements["D"]["data"] == "table:Positive particle diffusivity [m2.s-1]"
    assert "file:" not in str(elements["ocp"])


def test_a_path_is_that_of_a_file(tmp_path):
    assert parse(tmp_path / "cell.csv").reference == f"file:{tmp_path / 'cell.csv'}"
