"""What is wrong with measurements and options of the fit of an equivalent circuit, in the user's words."""

import numpy as np
import pytest

import cellwright as cw
from cellwright.errors import CellwrightError, ConfigurationError, DataError

T = np.arange(0.0, 6000.0, 10.0)
I = np.where((T // 300) % 2 == 0, 0.0, 5.0)  # noqa: E741
Q = np.concatenate([[0.0], np.cumsum(np.diff(T) * I[1:])]) / 3600  # a current is switched behind a row
V = 4.1 - 0.1 * Q - 0.03 * I
CURVE = {"soc": [0.0, 1.0], "ocv": [3.6, 4.1]}


def data(**columns):
    return {"Time [s]": T, "Current [A]": I, "Voltage [V]": V} | columns


def refused(kind, measurements, **options):
    with pytest.raises(kind) as caught:
        cw.ecm.fit(measurements, **options)
    return str(caught.value)


def test_the_data_themselves_are_fine():
    found = cw.ecm.fit(data(), num_rcs=0, num_knots=2, capacity=5.0)
    assert found.rmse_mV < 0.1
    assert np.interp(0.5, found.soc, found.r0) == pytest.approx(0.03, rel=1e-3)


def test_charge_given_as_discharge_is_refused():
    said = refused(DataError, data(**{"Current [A]": -I}), capacity=5.0)
    assert "rises where the discharge current is switched on" in said
    assert "change its sign" in said


def test_a_steady_current_of_the_other_sign_is_refused():
    steady = np.full(len(T), -2.0)
    falling = 4.1 - 0.1 * T / 3600
    said = refused(DataError, data(**{"Current [A]": steady, "Voltage [V]": falling}), capacity=5.0)
    assert "while the current says charge" in said


def test_milliampere_hours_for_ampere_hours_are_doubted():
    assert "mA.h" in refused(DataError, data(), capacity=5000.0)


def test_milliamperes_for_amperes_are_doubted():
    assert "current in mA" in refused(DataError, data(**{"Current [A]": 1e3 * I}), capacity=5.0, ocv_soc_curve=CURVE)


def test_millivolts_are_doubted():
    assert "in mV" in refused(DataError, data(**{"Voltage [V]": 1e3 * V}), capacity=5.0)


def test_a_capacity_that_is_too_small_for_the_charge_is_refused():
    said = refused(DataError, data(), capacity=1.0)
    assert "4.15" in said or "4.1" in said
    assert "look at the capacity" in said


def test_values_that_are_no_numbers_are_refused_with_their_row():
    gap = V.copy()
    gap[17] = np.nan
    said = refused(DataError, data(**{"Voltage [V]": gap}), capacity=5.0)
    assert "row 17" in said
    assert said.startswith("measurements › 0")


def test_time_that_runs_backward_is_refused():
    back = T.copy()
    back[100] = 0.0
    assert "time runs backward at row 100" in refused(DataError, data(**{"Time [s]": back}), capacity=5.0)


def test_a_current_of_zero_is_refused():
    assert "0 everywhere" in refused(DataError, data(**{"Current [A]": 0 * I}), capacity=5.0)


def test_a_column_that_is_not_there_is_named():
    columns = data()
    columns["Voltage [mV]"] = columns.pop("Voltage [V]")
    assert "Voltage [V]" in refused(DataError, columns, capacity=5.0)


def test_more_unknowns_than_rows_are_refused():
    few = {name: column[:40] for name, column in data().items()}
    said = refused(DataError, few, capacity=5.0, num_knots=16)
    assert "cannot be fitted to 40 rows" in said
    assert "fewer knots" in said


def test_too_many_knots_for_the_data_are_told():
    found = cw.ecm.fit(data(), capacity=5.0, num_rcs=2, num_knots=20)
    assert any("fewer knots" in warning for warning in found.warnings)


def test_a_range_of_states_of_charge_that_is_too_small_is_told():
    short = {name: column[:70] for name, column in data().items()}
    found = cw.ecm.fit(short, capacity=50.0, num_rcs=0)
    assert any("visit states of charge from 0.9" in warning for warning in found.warnings)
    assert len(found.r0) <= 3


def test_a_capacity_that_nobody_gave_is_told():
    found = cw.ecm.fit(data(), num_rcs=0, num_knots=2)
    assert any("no capacity was given: 4.1" in warning for warning in found.warnings)


def test_a_capacity_that_ends_at_its_bound_is_told():
    bounds = {"lo": 5.5, "hi": 7.0}  # the curve of these data is that of 5 A.h
    found = cw.ecm.fit(data(), num_rcs=0, num_knots=2, ocv_soc_curve=CURVE, bounds_capacity=bounds)
    assert found.capacity_Ah[0] == pytest.approx(5.5, rel=1e-3)
    assert any("ends at its bound" in warning for warning in found.warnings)


def test_rows_that_tell_of_another_current_are_corrected_and_told():
    current = I.copy()
    current[30] = 0.0  # the voltage has fallen already
    found = cw.ecm.fit(data(**{"Current [A]": current}), capacity=5.0, num_rcs=0, num_knots=2)
    assert any(warning.startswith("1 rows") for warning in found.warnings)
    assert found.rmse_mV < 1.0


def test_several_measurements_need_their_states_of_charge():
    said = refused(ConfigurationError, [data(), data()], capacity=5.0)
    assert "in which state of charge measurement 0 begins" in said


def test_a_voltage_beyond_the_known_open_circuit_voltage_is_refused():
    curve = {"soc": [0.0, 1.0], "ocv": [2.0, 3.0]}
    assert "begins at an open-circuit voltage of 4.1 V" in refused(DataError, data(), ocv_soc_curve=curve, capacity=5.0)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"num_rcs": 6}, "less than or equal to 5"),
        ({"num_knots": 65}, "less than or equal to 64"),
        ({"clamp_max_ratio": 1.0}, "greater than 1"),
        ({"regularization": -1.0}, "greater than or equal to 0"),
        ({"num_knot": 5}, "num_knots"),
        ({"knot_schedule": [4, 2]}, "rises strictly"),
        ({"knot_schedule": [2, 4], "num_knots": 8}, "ends at 4"),
        ({"bounds_capacity": {"lo": 4.0, "hi": 6.0}}, "without a known open-circuit voltage"),
        ({"bounds_capacity": {"lo": 6.0, "hi": 4.0}, "ocv_soc_curve": CURVE}, "between 6 and 4"),
        ({"ocv_soc_curve": CURVE, "bounds_capacity": {"lo": 4.0, "hi": 6.0}, "capacity": 5.0}, "give one of them"),
        ({"ocv_soc_curve": {"soc": [0.0, 100.0], "ocv": [3.0, 4.2]}}, "divide percentages by 100"),
        ({"ocv_soc_curve": {"soc": [0.0, 1.0], "ocv": [4.2, 3.0]}}, "does not rise"),
        ({"ocv_soc_curve": {"soc": [0.5, 0.5], "ocv": [4.0, 4.2]}}, "do not rise strictly"),
        ({"fit_ocv": False}, "neither fitted nor known"),
    ],
)
def test_options_that_cannot_be_meant(options, said):
    assert said in refused(CellwrightError, data(), **options)


def test_capacities_are_given_for_all_measurements_or_none():
    parts = [{"data": data(), "initial_soc": 1.0, "capacity": 5.0}, {"data": data(), "initial_soc": 1.0}]
    assert "some have none" in refused(ConfigurationError, parts)


def test_a_document_that_is_no_fit_is_refused():
    with pytest.raises(ConfigurationError, match="incomplete"):
        cw.ecm.validate({"soc": [0, 1]}, data())
    with pytest.raises(ConfigurationError, match="equally long"):
        cw.ecm.validate({"soc": [0, 1], "ocv": [3, 4], "r0": [0.1], "capacity_Ah": [5.0]}, data())
    with pytest.raises(ConfigurationError, match="positive"):
        cw.ecm.validate({"soc": [0, 1], "ocv": [3, 4], "r0": [0.1, -0.1], "capacity_Ah": [5.0]}, data())


def test_a_column_of_open_circuit_voltages_is_used_where_it_is_not_fitted():
    known = data(**{"Open-circuit voltage [V]": 4.1 - 0.1 * Q})
    found = cw.ecm.fit(known, capacity=5.0, num_rcs=0, num_knots=2, fit_ocv=False)
    assert found.ocv_provided
    assert found.rmse_mV < 0.1


def test_a_measurement_that_begins_before_the_cell_is_at_rest_is_told():
    relaxing = V + 0.03 * np.exp(-T / 100)
    found = cw.ecm.fit(data(**{"Voltage [V]": relaxing}), capacity=5.0, num_rcs=0, num_knots=2)
    assert any("still moves in the rest in which measurement 0 begins" in warning for warning in found.warnings)


def test_rows_that_are_written_twice_count_once():
    doubled = {name: np.repeat(column, 2) for name, column in data().items()}
    found = cw.ecm.fit(doubled, num_rcs=0, num_knots=2, capacity=5.0)
    assert len(found.time[0]) == len(T)
    assert found.rmse_mV < 0.1


def test_a_measurement_that_does_not_say_where_it_begins_is_told_to_be_taken_for_full():
    found = cw.ecm.fit(data(), capacity=8.0, num_rcs=0, num_knots=2)
    assert found.initial_soc[0] == 1.0
    assert any("its fullest row is taken to be full" in warning for warning in found.warnings)


def test_steps_of_a_measurement_are_chosen():
    found = cw.ecm.fit({"data": data(), "start_step": 1, "end_step": 4, "initial_soc": 0.9}, capacity=5.0, num_rcs=0)
    assert len(found.time[0]) == 4 * 30
    assert found.initial_soc[0] == 0.9


def test_a_validation_in_another_unit_is_refused():
    found = cw.ecm.fit(data(), capacity=5.0, num_rcs=0, num_knots=2)
    with pytest.raises(DataError, match=r"mA\.h"):
        found.validate(data(), capacity=5000.0)
    with pytest.raises(DataError, match="rises where the discharge current"):
        found.validate(data(**{"Current [A]": -I}))


def test_a_voltage_that_does_not_move_is_refused():
    assert "3.7 V in all rows" in refused(DataError, data(**{"Voltage [V]": np.full(len(T), 3.7)}), capacity=5.0)


def test_time_that_does_not_pass_is_refused():
    assert "no time passes" in refused(DataError, data(**{"Time [s]": np.zeros(len(T))}), capacity=5.0)


def test_a_circuit_that_was_read_is_written_again_without_its_traces():
    found = cw.ecm.fit(data(), num_rcs=1, num_knots=2, capacity=5.0)
    again = cw.ecm.ECMFit.from_dict(found.to_dict())
    written = again.to_dict()
    assert np.isnan(again.rmse_mV)
    assert (written["rmse_mV"], written["time"], written["model_voltage"]) == (None, [], [])
    assert written["r0"] == found.to_dict()["r0"]
    assert cw.ecm.ECMFit.from_dict(written).r0.tolist() == found.r0.tolist()


@pytest.mark.parametrize(
    ("measured", "options", "said"),
    [
        (data(), {"initial_soc": 80.0}, "less than or equal to 1"),
        (data(), {"capacity": -5.0}, "greater than 0"),
        (data(), {"initial_soc": 0.1}, "goes from a state of charge of -0.7"),
        (data(**{"Voltage [V]": V + 1}), {}, "the measurement begins at 5.1 V"),
    ],
)
def test_a_validation_that_the_circuit_cannot_follow_is_refused(measured, options, said):
    found = cw.ecm.fit(data(), num_rcs=0, num_knots=2, capacity=5.0)
    with pytest.raises(CellwrightError) as told:
        found.validate(measured, **options)
    assert said in str(told.value)


@pytest.mark.parametrize("tau", [10.0, 400.0])
def test_rows_too_far_apart_to_tell_a_fast_pair_from_the_series_resistance_are_told(tau):
    """A pair of 10 s goes 63 % of its way between two rows: whether it is in the first of them nobody knows."""
    pair = np.zeros(len(T))
    for row in range(1, len(T)):
        pair[row] = pair[row - 1] * np.exp(-10 / tau) + 0.02 * I[row] * -np.expm1(-10 / tau)
    noise = 1e-4 * np.random.default_rng(0).standard_normal(len(T))
    found = cw.ecm.fit(data(**{"Voltage [V]": V - pair + noise}), num_rcs=1, num_knots=1, capacity=5.0)
    told = [warning for warning in found.warnings if "rows that lie 10 s apart" in warning]
    assert len(told) == (tau == 10.0)
    assert found.rc_pairs[0].tau[0] == pytest.approx(tau, rel=0.05)  # by a tenth of a millivolt of noise
