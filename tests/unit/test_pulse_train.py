"""A measurement taken apart into pulses: how they are found and named, what they carry, what is warned of."""

from pathlib import Path

import numpy as np
import pytest

import cellwright as cw
from cellwright.errors import ConfigurationError, DataError

CAPACITY = 2.0


def measurement(*stages, ohm=0.05, noise=0.0, sag=0.0):
    """A table of stages (current, seconds): a cell of 2 A.h whose voltage is 4 V less 1 V per A.h, less 0.05 Ohm.

    After a pulse the voltage is `sag` [V] from its rest and comes back with a time constant of 600 s.
    """
    rng = np.random.default_rng(0)
    columns = {name: [] for name in ("Time [s]", "Current [A]", "Voltage [V]", "Step count", "SOC")}
    now = charge = 0.0
    off, last = 0.0, 0.0
    for step, (amps, seconds) in enumerate(stages):
        elapsed = np.linspace(0.0, seconds, 61)
        charges = charge + amps * elapsed / 3600
        rest = np.sign(last) * sag * np.exp(-(now + elapsed - off) / 600) if amps == 0 else 0.0
        columns["Time [s]"].append(now + elapsed)
        columns["Current [A]"].append(np.full(61, amps))
        columns["Voltage [V]"].append(4.0 - charges - ohm * amps - rest + noise * rng.standard_normal(61))
        columns["Step count"].append(np.full(61, step))
        columns["SOC"].append(1 - charges / CAPACITY)
        now, charge = now + seconds, charges[-1]
        if amps:
            off, last = now, amps
    return {name: np.concatenate(parts) for name, parts in columns.items()}


def without(table, *names):
    return {name: column for name, column in table.items() if name not in names}


GITT = measurement((0, 600), *[(0.4, 900), (0, 3600)] * 4)


@pytest.mark.parametrize("steps", [True, False], ids=["with steps", "by the current"])
def test_each_pulse_has_its_rests_its_charge_and_its_voltages(steps):
    train = cw.split_pulses(GITT if steps else without(GITT, "Step count"))
    assert train.doubts == ()
    assert [one.number for one in train] == [1, 2, 3, 4]
    assert [one.duration for one in train] == pytest.approx([900.0] * 4, rel=1e-6)
    assert [one.rest for one in train] == pytest.approx([3600.0] * 4, rel=1e-6)
    # 0.4 A for 900 s is 0.1 A.h, which is 0.1 V.
    assert [one.discharged for one in train] == [pytest.approx((0.1 * k, 0.1 * (k + 1)), abs=1e-6) for k in range(4)]
    assert [one.voltages for one in train] == [pytest.approx((4 - 0.1 * k, 3.9 - 0.1 * k)) for k in range(4)]
    second = train[1].table
    assert second["Time [s]"][0] == 0
    assert second["Voltage [V]"][:2] == pytest.approx([3.9, 3.88])
    assert np.unique(second["Step number"], return_counts=True)[1].tolist() == [1, 61, 61]
    assert "Step count" not in second
    assert len(train[1:3]) == 2
    assert str(train).count("\n") == 4


def test_pulses_are_named_by_what_is_asked_for():
    train = cw.split_pulses(GITT)
    assert list(train.by_number()) == [1, 2, 3, 4]
    middles = [0.975, 0.925, 0.875, 0.825]
    assert list(train.by_column("SOC")) == middles
    assert list(train.by_soc(start=1.0, capacity=CAPACITY)) == middles
    # Electrodes of 4 A.h: 0.1 A.h is 0.025.
    assert list(train.by_stoichiometry(0.3, 4.0)) == pytest.approx([0.3125, 0.3375, 0.3625, 0.3875])
    assert list(train.by_stoichiometry(0.9, 4.0, "negative")) == pytest.approx([0.8875, 0.8625, 0.8375, 0.8125])
    # The potential 4.5 - θ is 4.0 V at 0.5.
    assert list(train.by_potential(lambda sto: 4.5 - sto)) == pytest.approx([0.55, 0.65, 0.75, 0.85], abs=1e-6)
    assert list(train.by([280, 290, 300, 310])) == [280, 290, 300, 310]
    with pytest.raises(DataError, match="4 pulses and 2 values"):
        train.by([1, 2])
    with pytest.raises(DataError, match="pulses 1 and 3 would both be called 1"):
        train.by([1, 2, 1, 3])
    with pytest.raises(ConfigurationError, match="does not reach 4 V"):
        train.by_potential(lambda sto: 3.5 - sto)


def test_a_pipeline_of_pulses_travels_and_is_as_large_as_the_measurement():
    pulses = cw.split_pulses(GITT).by_soc(1.0, CAPACITY)
    fit = cw.ArrayDataFit(
        {soc: cw.objectives.Pulse(pulse, options={"model": "SPM"}) for soc, pulse in pulses.items()},
        parameters={"Positive particle diffusivity [m2.s-1]": cw.Parameter("", 1e-14, (1e-16, 1e-12))},
    )
    written = cw.Pipeline({"fit": fit}).to_config()
    assert cw.Pipeline.from_config(written).to_config() == written
    objectives = written["elements"]["fit"]["objectives"]
    assert list(objectives) == ["0.975", "0.925", "0.875", "0.825"]
    rows = [len(one["data"]["data"]["Time [s]"]) for one in objectives.values()]
    assert rows == [123] * 4


def test_files_of_one_pulse_each_are_one_measurement(tmp_path):
    whole = cw.split_pulses(GITT)
    files = []
    for one in whole:
        files.append(tmp_path / f"pulse_{one.number}.csv")
        names = ("Time [s]", "Current [A]", "Voltage [V]")
        rows = np.column_stack([one.table[name] for name in names])
        np.savetxt(files[-1], rows, delimiter=",", header=",".join(names), comments="")
    parted = cw.split_pulses(files)
    assert [one.number for one in parted] == [1, 2, 3, 4]
    assert [one.discharged for one in parted] == [pytest.approx(one.discharged) for one in whole]
    assert list(cw.split_pulses([f"file:{file}" for file in files]).by_soc(1.0, 2.0)) == list(whole.by_soc(1.0, 2.0))
    selected = cw.split_pulses({"data": GITT, "options": {"first_step": 2, "last_step": 4}})
    assert [one.voltages for one in selected] == [pytest.approx((3.9, 3.8))]


def test_hppc_has_pulses_of_both_signs_and_discharges_between_them():
    stages = [(2.0, 10), (0, 40), (-1.5, 10), (0, 40), (0.5, 720), (0, 3600)]
    table = measurement((0, 60), *stages * 3)
    train = cw.split_pulses(table)
    assert [len(train), len(train.discharge), len(train.charge)] == [9, 6, 3]
    brief = train.lasting(5, 30)
    assert [one.number for one in brief.discharge] == [1, 4, 7]
    assert [one.current for one in brief.charge] == [-1.5] * 3
    with pytest.warns(UserWarning, match=r"discharge and of charge are mixed; take those of one direction"):
        brief.by_number()
    with pytest.raises(DataError, match="no pulse left"):
        train.lasting(1e4).by_number()
    # Charged and discharged alike, the pulses of a pair stand at one state of charge.
    alike = cw.split_pulses(measurement((0, 60), (1, 36), (0, 600), (-1, 36), (0, 600)))
    with pytest.raises(DataError, match="pulses 1 and 2 would both be called") as error:
        alike.by_soc(1.0, CAPACITY)
    assert ".discharge" in error.value.hint


def test_a_last_pulse_without_its_rest_is_left_out_with_a_warning():
    table = measurement((0, 600), *[(0.4, 900), (0, 3600)] * 2, (0.4, 900))
    with pytest.warns(UserWarning, match=r"without a rest before or after and left out: pulse 3"):
        train = cw.split_pulses(table)
    assert [one.number for one in train] == [1, 2]
    with pytest.warns(UserWarning, match="but kept: pulse 3"):
        whole = cw.split_pulses(table, incomplete=True)
    assert [one.whole for one in whole] == [True, True, False]
    with pytest.raises(DataError, match="no pulse of 1 has a rest before and after it"):
        cw.split_pulses(measurement((0, 600), (0.4, 900)))


def test_a_last_pulse_that_was_cut_short_is_told():
    with pytest.warns(UserWarning, match=r"the last pulse \(number 3\) lasts 500 s where 900 s are usual"):
        cw.split_pulses(measurement((0, 600), *[(0.4, 900), (0, 3600)] * 2, (0.4, 500), (0, 3600)))


def test_a_voltage_that_has_not_come_to_rest_is_told_with_its_drift():
    # 20 mV come back with 600 s. After 1200 s 20 e^-2 = 2.7 mV are left, falling at 16 mV/h: 5 mV in one more such
    # rest, of the 100 mV that a pulse moves the voltage by less the 2.7 mV.
    table = measurement((0, 600), *[(0.4, 900), (0, 1200)] * 2, sag=0.02)
    with pytest.warns(UserWarning, match="still moves at the end of the rest: pulses 1 to 2") as told:
        train = cw.split_pulses(table)
    # A line through the last 240 s has about their mean slope.
    expected = 20 * (np.exp(-960 / 600) - np.exp(-1200 / 600)) / 240 * 3600
    assert 1e3 * train[0].drift == pytest.approx(expected, rel=0.02)
    assert "mV/h, which in one more such rest is 7% of what the pulse has moved it by" in str(told[0].message)
    # Long rests are at rest, and noise is no drift.
    assert cw.split_pulses(measurement((0, 600), *[(0.4, 900), (0, 7200)] * 2, sag=0.02, noise=1e-4)).doubts == ()


def test_currents_of_the_wrong_sign_no_pulse_and_missing_columns_are_errors():
    wrong = {**GITT, "Current [A]": -GITT["Current [A]"]}
    with pytest.raises(DataError, match="the voltage rises in 4 of 4 pulses") as error:
        cw.split_pulses(wrong)
    assert "change the sign" in error.value.hint
    with pytest.raises(DataError, match="no pulse: the current is 0 everywhere"):
        cw.split_pulses(measurement((0, 600)))
    with pytest.raises(DataError, match=r"no column 'Voltage \[V\]'"):
        cw.split_pulses(without(GITT, "Voltage [V]"))
    with pytest.raises(DataError, match="is not there"):
        cw.split_pulses("file:nothing.csv")


def test_one_pulse_whose_voltage_goes_the_wrong_way_is_told():
    table = {name: column.copy() for name, column in GITT.items()}
    pulse = table["Step count"] == 3
    table["Voltage [V]"][pulse] = 8 - table["Voltage [V]"][pulse]
    with pytest.warns(UserWarning, match="rises under a positive current, or falls under a negative one: pulse 2"):
        cw.split_pulses(table)


def test_rests_are_points_of_an_open_circuit_potential():
    rests = cw.split_pulses(GITT).rests
    assert rests["Capacity [A.h]"] == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4], abs=1e-6)
    points = cw.split_pulses(GITT).open_circuit(0.3, 4.0)
    assert points["Voltage [V]"].tolist() == rests["Voltage [V]"].tolist()
    assert points["Stoichiometry"] == pytest.approx([0.3, 0.325, 0.35, 0.375, 0.4])
    assert points["Voltage [V]"] == pytest.approx([4.0, 3.9, 3.8, 3.7, 3.6])
    emptied = cw.split_pulses(GITT).open_circuit(0.9, 4.0, "negative")
    assert emptied["Stoichiometry"][-1] == pytest.approx(0.8)


def test_features_of_each_pulse_are_those_of_its_own_rests():
    found = cw.split_pulses(GITT).features({"type": "resistances", "times": [450]})
    # 0.05 Ohm, and 1 V per A.h: 0.25 Ohm in 900 s.
    assert found["Instantaneous resistance [Ohm]"] == pytest.approx([0.05] * 4)
    assert found["Resistance after 450 s [Ohm]"] == pytest.approx([0.175] * 4, abs=1e-6)
    assert found["Resistance at pulse end [Ohm]"] == pytest.approx([0.3] * 4)
    with pytest.raises(DataError, match="the features of a pulse are"):
        cw.split_pulses(GITT).features("voltage")


def test_a_measured_pulse_is_told_by_its_step_where_the_current_comes_late():
    # The row at 23 ms has the voltage under load beside a current of 0 A; the first row at full current is the next.
    file = Path(__file__).parents[1] / "data" / "lg_m50" / "pulse_25degC_SoC5_Cell1.csv"
    with pytest.warns(UserWarning, match="still moves"):
        train = cw.split_pulses(file)
    assert train[0].voltages == (3.70106, 3.68427)
    (instant,) = train.features("resistances")["Instantaneous resistance [Ohm]"]
    assert instant == pytest.approx((3.70106 - 3.46507) / 7.49571)


def test_noise_in_the_current_of_rests_is_no_pulse():
    current = GITT["Current [A]"]
    noise = np.where(current == 0, 1e-3 * np.random.default_rng(0).standard_normal(len(current)), 0.0)
    noisy = {**without(GITT, "Step count"), "Current [A]": current + noise}
    with pytest.raises(DataError, match="stretches of current are below 1% of the largest: noise in rests") as error:
        cw.split_pulses(noisy)
    assert "rest=0.01" in error.value.hint
    train = cw.split_pulses(noisy, rest=0.01)
    assert [one.discharged for one in train] == [pytest.approx((0.1 * k, 0.1 * (k + 1)), abs=1e-6) for k in range(4)]
    assert train[0].table["Current [A]"][-1] == 0
    with pytest.warns(UserWarning, match=r"and a rest perhaps \(see `rest`\): pulse 3"):
        cw.split_pulses(
            measurement((0, 600), *[(0.4, 900), (0, 3600)] * 2, (0.002, 900), (0, 3600), (0.4, 900), (0, 60))
        )


@pytest.mark.parametrize(
    ("named", "said"),
    [
        (lambda train: train.by_soc(1.0, 0.3), "the state of charge of the pulses goes from 0.833 to -0.167"),
        (lambda train: train.by_soc(1.0, 2000.0), "a capacity in mA.h or a current in mA"),
        (lambda train: train.by_soc(1.0, 0.0), "a capacity is a number of A.h above 0, not 0.0"),
        (
            lambda train: train.by_stoichiometry(0.9, CAPACITY),
            "the stoichiometry of the pulses goes from 0.925 to 1.08",
        ),
        (lambda train: train.by_stoichiometry(0.1, CAPACITY, "anode"), "'negative' or 'positive', not 'anode'"),
        (lambda train: train.open_circuit(0.1, 2000.0), "a capacity in mA.h or a current in mA"),
        (lambda train: train.by([float("nan")] * 4), "are NaN or infinite"),
        (lambda train: train.lasting(1, 2).rests, "no pulse left with a rest"),
        (lambda train: train.lasting(1, 2).by_soc(1.0, CAPACITY), "no pulse left to fit"),
    ],
)
def test_capacities_and_starts_that_cannot_be_are_refused(named, said):
    with pytest.raises(DataError) as told:
        named(cw.split_pulses(GITT))
    assert said in str(told.value)


def test_a_voltage_that_is_no_number_is_refused_with_its_row():
    table = {**GITT, "Voltage [V]": np.where(np.arange(len(GITT["Time [s]"])) == 60, np.nan, GITT["Voltage [V]"])}
    with pytest.raises(DataError, match="the first in row 60"):
        cw.split_pulses(table)


@pytest.mark.parametrize("rest", [1.5, -0.1, "0.01", float("nan")])
def test_a_rest_is_a_fraction(rest):
    with pytest.raises(DataError, match="no fraction of the largest current"):
        cw.split_pulses(GITT, rest=rest)


def test_no_measurement_is_told():
    with pytest.raises(DataError, match="no measurement"):
        cw.split_pulses([])


def test_steps_selected_from_a_pulse_on_begin_with_the_rest_before_it():
    selected = cw.split_pulses({"data": without(GITT, "Step count"), "options": {"first_step": 3, "last_step": 6}})
    whole = cw.split_pulses(GITT)[1:3]
    assert [one.voltages for one in selected] == [one.voltages for one in whole]
    assert [one.current for one in selected] == [one.current for one in whole]
    assert [one.duration for one in selected] == pytest.approx([900.0, 900.0])
    assert selected.rests["Capacity [A.h]"] == pytest.approx([0.0, 0.1, 0.2], abs=1e-6)
    assert selected[0].table["Current [A]"][0] == 0
