"""Features of pulses: closed forms of circuits and of diffusion, NumPy's own fits, a measured pulse worked by hand."""

from pathlib import Path

import numpy as np
import pytest

from cellwright.catalog.objectives import GITTFeatures, ICIFeatures, Overpotential, Resistances
from cellwright.data.sources import read_file
from cellwright.errors import ConfigurationError, DataError
from cellwright.physics.pulse_features import (
    CONCENTRATION,
    GITT_SLOPE,
    ICI_SLOPE,
    OHMIC_DROP,
    RELAXATION,
    FeaturesOfRows,
)
from cellwright.physics.pulses import find_pulses

ROUNDING = 1e-9
"""Relative: what is exact in closed form comes back to the rounding of voltages of some volts."""
R0, R1, TAU = 0.02, 0.015, 30.0
ON, OFF = 60.0, 600.0


def protocol(currents, on=ON, off=OFF, interval=0.5):
    """Rest, then a pulse of each current with a rest behind it; both sides of a switch are rows, 1 µs apart."""
    time, current = [np.arange(0, 10 + interval, interval)], [np.zeros(round(10 / interval) + 1)]
    now = 10.0
    for amps in currents:
        for length, value in ((on, amps), (off, 0.0)):
            time.append(now + np.append(1e-6, np.arange(interval, length + interval / 2, interval)))
            current.append(np.full(len(time[-1]), value))
            now += length
    return np.concatenate(time), np.concatenate(current)


def circuit(time, currents, on=ON, off=OFF):
    """Voltage of a source of 3.7 V with R0 and a pair of R1 and τ in series, by superposition of switched currents."""
    voltage = np.full(len(time), 3.7)
    for index, amps in enumerate(currents):
        begin = 10 + index * (on + off)
        for when, step in ((begin, amps), (begin + on, -amps)):
            since = np.maximum(time - when, 0)
            voltage -= step * (R0 * (time > when + 1e-9) + R1 * (1 - np.exp(-since / TAU)))
    return voltage


CURRENTS = [2.0, -1.0, 4.0]
TIME, CURRENT = protocol(CURRENTS)
VOLTAGE = circuit(TIME, CURRENTS)
PULSES = find_pulses(TIME, CURRENT)


@pytest.mark.oracle("Resistances")
def test_the_resistance_of_a_circuit_is_its_series_resistance_and_then_that_of_the_pair():
    found = Resistances(times=[10, 30.25]).measure(PULSES, TIME, CURRENT)(VOLTAGE)
    # The first row is 1 µs after the switch: the pair has 3e-8 of R1. What is left of the pulse before is e^-20 of it.
    assert found["Instantaneous resistance [Ohm]"] == pytest.approx([R0] * 3, rel=1e-7)
    assert found["Resistance after 10 s [Ohm]"] == pytest.approx([R0 + R1 * (1 - np.exp(-10 / TAU))] * 3, rel=1e-7)
    # Between two rows, 0.5 s apart, a line lies below the exponential by at most (0.5/τ)²/8 of R1.
    after = R0 + R1 * (1 - np.exp(-30.25 / TAU))
    assert found["Resistance after 30.25 s [Ohm]"] == pytest.approx([after] * 3, abs=R1 * (0.5 / TAU) ** 2 / 8)
    last = R0 + R1 * (1 - np.exp(-ON / TAU))
    assert found["Resistance at pulse end [Ohm]"] == pytest.approx([last] * 3, rel=1e-7)


@pytest.mark.oracle("Overpotential")
def test_the_overpotential_is_minus_current_times_resistance():
    eta = Overpotential(times=[20, 5]).measure(PULSES, TIME, CURRENT)(VOLTAGE)
    R = Resistances(times=[5, 20]).measure(PULSES, TIME, CURRENT)(VOLTAGE)
    assert list(eta) == [
        "Instantaneous overpotential [V]",
        "Overpotential after 5 s [V]",
        "Overpotential after 20 s [V]",
        "Overpotential at pulse end [V]",
    ]
    for one, other in zip(eta.values(), R.values(), strict=True):
        assert one == pytest.approx(-np.array(CURRENTS) * other, rel=1e-6)


@pytest.mark.oracle("GITTFeatures")
def test_the_relaxation_time_of_a_circuit_is_its_time_constant_whenever_it_is_looked_at():
    for window in ((0.5, 5.0), (1.0, 5.0), (7.0, 20.0)):
        found = GITTFeatures(rest_window=window).measure(PULSES, TIME, CURRENT)(VOLTAGE)
        # Rows 0.5 s apart: the line between two of them errs by less than 0.5²/(8 τ) s.
        assert found[RELAXATION] == pytest.approx([TAU] * 3, abs=0.5**2 / (8 * TAU) + 1e-4)


def diffusion(time, currents, k=0.004, drop=0.03, on=ON, off=OFF):
    """Voltage with an ohmic drop and Cottrell's root of time: I k √t in each pulse and its reverse after it."""
    voltage = np.full(len(time), 3.7)
    for index, amps in enumerate(currents):
        begin = 10 + index * (on + off)
        inside = (time > begin + 1e-9) & (time <= begin + on + 1e-9)
        after = (time > begin + on + 1e-9) & (time <= begin + on + off + 1e-9)
        voltage[inside] -= amps * (drop + k * np.sqrt(time[inside] - begin))
        left = k * (np.sqrt(on) - np.sqrt(np.minimum(time[after] - begin - on, on)))
        voltage[after] -= amps * left
    return voltage


@pytest.mark.oracle("GITTFeatures", "ICIFeatures")
def test_slopes_and_intercepts_over_the_root_of_time_come_back():
    time, current = protocol(CURRENTS)
    pulses = find_pulses(time, current)
    voltage = diffusion(time, CURRENTS)
    found = GITTFeatures(pulse_window=(1, 40), rest_window=(1, 10)).measure(pulses, time, current)(voltage)
    amps = np.array(CURRENTS)
    blur = {"rel": 1e-7}  # rounding of 3.7 V against slopes of some mV
    assert found[GITT_SLOPE] == pytest.approx(-0.004 * amps, **blur)
    assert found[OHMIC_DROP] == pytest.approx(0.03 * amps, **blur)
    assert found[ICI_SLOPE] == pytest.approx(0.004 * amps, **blur)
    assert found[CONCENTRATION] == pytest.approx(-0.004 * np.sqrt(ON) * amps, **blur)
    brief = ICIFeatures(rest_window=(1, 10)).measure(pulses, time, current)(voltage)
    assert {name: values.tolist() for name, values in brief.items()} == {
        name: found[name].tolist() for name in (CONCENTRATION, ICI_SLOPE)
    }


def test_lines_are_those_of_numpy_pulse_by_pulse():
    rng = np.random.default_rng(0)
    voltage = VOLTAGE + 1e-3 * rng.normal(size=len(VOLTAGE))
    found = GITTFeatures(pulse_window=(2, 31), rest_window=(1, 55)).measure(PULSES, TIME, CURRENT)(voltage)
    for k in range(len(PULSES)):
        for zero, rows, low, high, slope in (
            (PULSES.on[k], slice(PULSES.start[k], PULSES.stop[k]), 2, 31, GITT_SLOPE),
            (PULSES.off[k], slice(PULSES.stop[k], PULSES.end[k]), 1, 55, ICI_SLOPE),
        ):
            since = TIME[rows] - zero
            chosen = (since >= low) & (since <= high)
            b, a = np.polyfit(np.sqrt(since[chosen]), voltage[rows][chosen], 1)
            assert found[slope][k] == pytest.approx(b, rel=1e-8)
            intercept = (
                voltage[PULSES.start[k] - 1] - found[OHMIC_DROP][k]
                if slope == GITT_SLOPE
                else voltage[PULSES.end[k] - 1] + found[CONCENTRATION][k]
            )
            assert intercept == pytest.approx(a, rel=ROUNDING)


def test_the_slope_of_a_sphere_is_weppner_and_huggins_at_short_times():
    # Crank: U - U_0 = -s (2 √(θ/π) + θ) with θ = D t / R²; the share of the second term is √(π θ)/2 at most.
    D, R, s = 1e-14, 5e-6, 0.2
    time, current = protocol([1.0], on=20.0)
    theta = D * np.clip(time - 10, 0, 20) / R**2
    voltage = 4 - s * (2 * np.sqrt(theta / np.pi) + theta)
    slope = GITTFeatures(pulse_window=(0, 4)).measure(find_pulses(time, current), time, current)(voltage)[GITT_SLOPE]
    planar = -2 * s * np.sqrt(D / np.pi) / R
    assert 1 < slope[0] / planar < 1 + 2 * np.sqrt(np.pi * D * 4 / R**2) / 2


def test_a_measured_pulse_is_worked_by_hand():
    table = read_file(Path(__file__).parents[1] / "data" / "lg_m50" / "pulse_25degC_SoC5_Cell1.csv")
    time = np.concatenate([[0], np.cumsum(np.maximum(np.diff(table["Time [s]"]), 1e-6))])
    current, voltage = table["Current [A]"], table["Voltage [V]"]
    pulses = find_pulses(time, current, table["Step from cycler"])
    found = Resistances(times=[1.24]).measure(pulses, time, current)(voltage)
    assert found["Instantaneous resistance [Ohm]"] == pytest.approx([(3.70106 - 3.46507) / 7.49571])
    # The row at 1.24 s is the fifteenth; one pair of rows of the same time before it moves it by 1 µs.
    assert found["Resistance after 1.24 s [Ohm]"] == pytest.approx([(3.70106 - 3.4535) / 7.49965], rel=1e-5)
    assert found["Resistance at pulse end [Ohm]"] == pytest.approx([(3.70106 - 3.4297) / 7.49965])
    gitt = GITTFeatures(rest_window=(1.0, 6.5)).measure(pulses, time, current)(voltage)
    assert 0.22 < gitt[OHMIC_DROP][0] < 3.70106 - 3.46507  # a line through the root of time, carried to the switch
    assert gitt[ICI_SLOPE][0] > 0 > gitt[GITT_SLOPE][0]


def test_features_need_their_own_rows_alone():
    for feature in (Overpotential(times=[3]), Resistances(), ICIFeatures(), GITTFeatures()):
        features = feature.measure(PULSES, TIME, CURRENT)
        assert len(features.rows) < len(TIME)
        some = FeaturesOfRows(features, len(TIME))({"Voltage [V]": VOLTAGE[features.rows]})
        for name, values in features(VOLTAGE).items():
            assert some[name].tolist() == values.tolist(), name


def test_a_voltage_that_ends_early_leaves_the_pulses_before_its_end():
    voltage = VOLTAGE.copy()
    voltage[PULSES.start[2] + 5 :] = np.nan
    for feature in (Resistances(), ICIFeatures(), GITTFeatures()):
        features = feature.measure(PULSES, TIME, CURRENT)
        for name, whole in features(VOLTAGE).items():
            part = features(voltage)[name]
            assert part[:2].tolist() == whole[:2].tolist()
            assert np.isnan(part[2]) or name.startswith("Instantaneous")


def test_a_pulse_without_the_rest_that_is_needed_is_left_out():
    begun = slice(int(PULSES.start[0]), int(PULSES.stop[2]))
    time, current, voltage = TIME[begun], CURRENT[begun], VOLTAGE[begun]
    pulses = find_pulses(time, current)
    assert Resistances().measure(pulses, time, current).pulses.numbers.tolist() == [2, 3]
    assert ICIFeatures().measure(pulses, time, current).pulses.numbers.tolist() == [1, 2]
    both = GITTFeatures().measure(pulses, time, current)
    assert both.pulses.numbers.tolist() == [2]
    assert both(voltage)[OHMIC_DROP].shape == (1,)


@pytest.mark.parametrize(
    ("feature", "rows", "told"),
    [
        (Resistances(), slice(21, 60), "no pulse of 1 has a rest before it"),
        (ICIFeatures(), slice(0, 60), "no pulse of 1 has a rest after it"),
        (GITTFeatures(), slice(21, 400), "no pulse of 1 has a rest before and after it"),
        (Resistances(times=[90]), slice(0, 200), "pulse 1 has rows from 1e-06 to 60 s after its beginning, and 90 s"),
        (
            ICIFeatures(rest_window=(1, 1.6)),
            slice(0, 400),
            "rest after pulse 1 has too few rows .2. between 1 s and 1.6",
        ),
        (
            GITTFeatures(pulse_window=(59.2, None)),
            slice(0, 400),
            "pulse 1 has too few rows .2. between 59.2 s and its end",
        ),
    ],
    ids=["no rest before", "no rest after", "no rests", "time outside", "few rows of rest", "few rows of pulse"],
)
def test_what_a_feature_lacks_is_told(feature, rows, told):
    time, current = TIME[rows], CURRENT[rows]
    with pytest.raises(DataError, match=told) as caught:
        feature.measure(find_pulses(time, current), time, current)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: Resistances(times=[0]), "above 0 s, not 0"),
        (lambda: Overpotential(times=[float("nan")]), "above 0 s, not nan"),
        (lambda: ICIFeatures(rest_window=(5, 1)), "the first below the second"),
        (lambda: GITTFeatures(pulse_window=(-1, None)), "from 0 s on"),
    ],
)
def test_options_that_cannot_be_meant_are_told(make, told):
    with pytest.raises(ConfigurationError, match=told):
        make()
