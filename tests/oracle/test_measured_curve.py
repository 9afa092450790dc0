"""What becomes of measured curves before they are compared, and which mistakes in them are told."""

import numpy as np
import pytest

from cellwright.catalog.measured_curve import checked_direction, measured_curve
from cellwright.data.sources import settle
from cellwright.errors import DataError
from cellwright.schema.datasource import parse
from cellwright.schema.tables import Columns

Q = np.linspace(0, 5, 51)
V = 4.2 - 0.25 * Q - 0.05 * np.tanh(3 * (Q - 2))


def curve(capacity=Q, voltage=V, at_rest=False, **more):
    return measured_curve(Columns({"Capacity [A.h]": capacity, "Voltage [V]": voltage, **more}), at_rest=at_rest)


def test_a_curve_is_in_order_whatever_way_its_rows_come():
    backwards = curve(Q[::-1], V[::-1])
    np.testing.assert_array_equal(backwards.capacity, Q)
    np.testing.assert_array_equal(backwards.voltage, V)
    assert (backwards.falls, backwards.forward, curve().forward) == (True, False, True)
    assert curve().span == 5


def test_what_is_discharged_counts_from_the_highest_voltage():
    np.testing.assert_allclose(curve().discharged, Q)
    np.testing.assert_allclose(curve(Q - 5).discharged, Q)
    np.testing.assert_allclose(curve(Q, V[::-1]).discharged, Q[::-1])


def test_without_a_capacity_it_is_the_integral_of_the_current():
    time = np.linspace(0, 36_000, 51)
    found = measured_curve(Columns({"Time [s]": time, "Current [A]": np.full(51, 0.5), "Voltage [V]": V}))
    np.testing.assert_allclose(found.capacity, Q, rtol=1e-12)


def test_rows_at_rest_are_left_out_of_a_sweep_and_are_all_that_counts_of_a_titration():
    time = np.arange(12) * 360.0
    current = np.array([0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 0.0])
    voltage = 4.2 - 0.01 * np.arange(12)
    table = Columns({"Time [s]": time, "Current [A]": current, "Voltage [V]": voltage})
    np.testing.assert_array_equal(measured_curve(table).voltage, voltage[[2, 3, 6, 7, 10]])
    rests = measured_curve(table, at_rest=True)
    np.testing.assert_array_equal(rests.voltage, voltage[[1, 5, 9, 11]])
    np.testing.assert_allclose(rests.capacity, [0, 0.2, 0.4, 0.5])


def test_points_of_one_capacity_are_their_mean():
    found = curve(np.repeat(Q, 2), np.repeat(V, 2) + np.tile([-0.01, 0.01], 51))
    np.testing.assert_allclose(found.voltage, V, rtol=1e-12)


@pytest.mark.parametrize(
    ("capacity", "voltage", "said"),
    [
        (np.concatenate([Q, Q[::-1]]), np.concatenate([V, V[::-1] + 0.02]), "goes back by 5 A.h, from row 51 on"),
        (np.full(51, 2.0), V, "is 2 throughout"),
        (Q, np.full(51, 3.7), "spans 0 mV"),
        (Q[:2], V[:2], "3 points at least, and there are 2 of the data"),
        (np.where(Q == 1, np.nan, Q), V, "no numbers"),
    ],
    ids=["two sweeps", "no capacity", "no voltage", "few points", "gaps"],
)
def test_what_is_no_curve_is_refused(capacity, voltage, said):
    with pytest.raises(DataError) as error:
        curve(capacity, voltage)
    assert said in str(error.value)


def test_few_rests_and_a_time_that_goes_back_are_refused():
    current = np.where(np.arange(51) < 30, 1.0, 0.0)
    with pytest.raises(DataError, match="there are 1 at rest"):
        curve(at_rest=True, **{"Current [A]": current})
    with pytest.raises(DataError, match="goes back in row 2"):
        measured_curve(
            Columns({"Time [s]": [0, 10, 5, 20.0], "Current [A]": [1, 1, 1, 1.0], "Voltage [V]": [4, 3.9, 3.8, 3.7]})
        )


def test_a_voltage_that_goes_back_is_told_and_noise_is_not():
    assert curve(voltage=V + 1e-3 * np.sin(50 * Q)).remarks == ()
    (said,) = curve(voltage=V + 0.06 * np.exp(-(((Q - 3) / 0.1) ** 2))).remarks
    assert "goes back by up to 12.7 mV" in said
    assert "at 3 A.h" in said


def test_the_direction_is_that_of_voltage_and_capacity():
    charge = curve(Q, V[::-1])
    for direction in ("discharge", "lithiation", None):
        checked_direction(curve(), direction)
    for direction in ("charge", "delithiation", None):
        checked_direction(charge, direction)
    checked_direction(curve(Q[::-1], V[::-1]), "charge")  # what is taken out becomes less
    checked_direction(curve(Q[::-1], V), "lithiation")  # a half cell, counted from its other end


@pytest.mark.parametrize(
    ("capacity", "voltage", "direction", "said"),
    [
        (Q, V[::-1], "discharge", "rises with the column 'Capacity [A.h]', and on discharge it falls"),
        (Q[::-1], V, "discharge", "rises with the column 'Capacity [A.h]', and on discharge it falls"),
        (Q, V, "charge", "falls with the column 'Capacity [A.h]', and on charge it rises"),
        (Q, V[::-1], "lithiation", "and on lithiation it falls"),
        (Q, V, "delithiation", "and on delithiation it rises"),
    ],
    ids=["charge as discharge", "what is left", "discharge as charge", "delithiation", "lithiation"],
)
def test_data_of_the_other_direction_are_refused(capacity, voltage, direction, said):
    with pytest.raises(DataError) as error:
        checked_direction(curve(capacity, voltage), direction)
    assert said in str(error.value)
    assert error.value.hint


@pytest.mark.parametrize("direction", ["discharge", "lithiation"])
def test_rows_in_the_order_of_time_tell_a_charge_however_its_capacity_counts(direction):
    time = 3600.0 * np.arange(51)
    charges = [
        Columns({"Time [s]": time, "Current [A]": np.full(51, -0.1), "Voltage [V]": V[::-1]}),
        Columns({"Time [s]": time, "Capacity [A.h]": Q[::-1], "Voltage [V]": V[::-1]}),
        Columns({"Time [s]": time, "Capacity [A.h]": Q, "Voltage [V]": V[::-1]}),
    ]
    for table in charges:
        found = measured_curve(table)
        checked_direction(found, "charge")
        checked_direction(found, "delithiation")
        with pytest.raises(DataError, match="the voltage rises with time") as error:
            checked_direction(found, direction)
        assert error.value.hint


def test_points_at_rest_all_count_though_their_currents_are_not_quite_0():
    offset = np.where(np.arange(51) % 3 == 0, -8e-10, 0.0)
    for at_rest in (False, True):
        found = curve(at_rest=at_rest, **{"Time [s]": 3600.0 * np.arange(51), "Current [A]": offset})
        np.testing.assert_array_equal(found.capacity, Q)


def test_rests_chosen_by_the_loader_are_those_of_a_titration():
    time = np.arange(0, 20 * 7200 + 3600, 600.0)
    current = np.where((time // 3600) % 2 == 0, 0.0, 0.25)
    data = {"Time [s]": time, "Current [A]": current, "Voltage [V]": 4.2 - 1e-6 * time}
    whole = measured_curve(Columns(data), at_rest=True)
    points = measured_curve(settle(parse({"data": data, "options": {"rest_to_ocp": True}})).table)
    np.testing.assert_array_equal(points.voltage, whole.voltage)
    np.testing.assert_allclose(points.capacity, whole.capacity, atol=1e-12)


def test_a_current_of_the_other_sign_is_told_as_that():
    time = 720.0 * np.arange(51)
    found = measured_curve(Columns({"Time [s]": time, "Current [A]": np.full(51, -0.5), "Voltage [V]": V}))
    with pytest.raises(
        DataError, match="rises with the capacity, the integral of the current, and on discharge it falls"
    ) as error:
        checked_direction(found, "discharge")
    assert "change the sign of the current" in str(error.value.hint)


def test_very_many_points_become_means_of_parts_of_the_capacity_that_lie_on_the_curve():
    q = np.linspace(0, 5, 100_001)
    noise = 1e-3 * np.random.default_rng(3).standard_normal(len(q))
    exact = 4.2 - 0.25 * q - 0.05 * np.tanh(3 * (q - 2))
    found = curve(q, exact + noise)
    assert 2000 <= len(found.capacity) <= 2003
    assert (found.capacity[0], found.capacity[-1]) == (0, 5)
    error = (found.voltage - (4.2 - 0.25 * found.capacity - 0.05 * np.tanh(3 * (found.capacity - 2))))[1:-1]
    assert np.std(error) == pytest.approx(1e-3 / np.sqrt(50), rel=0.1)  # the mean of 50 points
