"""CurrentDriven over voltage, with temperatures and other variables, and with parameters of its own."""

import numpy as np
import pybamm
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cellwright as cw
from cellwright.errors import CheckFailedError
from cellwright.models import simulate
from cellwright.physics.crossings import read_at
from cellwright.schema.parameters import Origin
from cellwright.schema.simulation import ModelSpec, SimulationProblem
from cellwright.testing.cells import discharge, published

DN, DP = "Negative particle diffusivity [m2.s-1]", "Positive particle diffusivity [m2.s-1]"
EN, EP = (f"{e} electrode active material volume fraction" for e in ("Negative", "Positive"))
CONCENTRATIONS = tuple(f"Initial concentration in {e} electrode [mol.m-3]" for e in ("negative", "positive"))
CONTACT = "Contact resistance [Ohm]"
RESISTIVE = {"type": "SPM", "options": {"contact resistance": "true"}}
TRUTH = {DN: 2e-14, DP: 5e-15}
CELL = published().merge(TRUTH, Origin("truth"))
DISCHARGE = discharge(CELL)


def known(*drop, cell=CELL):
    return cw.direct_entries.DirectEntry({n: v for n, v in cell.values_.items() if n not in drop}, source="truth")


def objective(data=DISCHARGE, over="voltage", model="SPM", **options):
    return cw.objectives.CurrentDriven(data, options={"model": model, "independent variable": over, **options})


def diffusivities():
    start, bounds = {DN: 6e-14, DP: 2e-15}, {DN: (1e-15, 1e-12), DP: (1e-16, 1e-13)}
    return {n: cw.transforms.Log10(cw.Parameter(n, start[n], bounds[n])) for n in start}


def fitted(objectives, parameters):
    element = cw.DataFit(objectives, parameters=parameters)
    return cw.run(cw.Pipeline({"known": known(*parameters), "fit": element})).element("fit")


def validated(one, cell=CELL):
    record = cw.run(cw.Pipeline({"known": known(cell=cell), "v": cw.Validation({"o": one})})).element("v")
    return record.series["o"]["optimal"], record


# What a course is at the levels that it passes


@settings(max_examples=50)
@given(st.lists(st.floats(0.01, 1.0), min_size=3, max_size=20), st.booleans())
def test_a_monotone_course_is_read_as_numpy_interpolates_its_inverse(steps, falling):
    course = np.cumsum(steps) * (-1 if falling else 1)
    time = np.linspace(0, 7, len(course)) ** 2
    levels = np.linspace(course[0], course[-1], 31)
    found = read_at(levels, course, {"t": time}, falling)["t"]
    order = slice(None, None, -1) if falling else slice(None)
    np.testing.assert_allclose(found, np.interp(levels, course[order], time[order]), rtol=1e-9, atol=1e-9)


def test_levels_outside_the_course_give_its_first_and_its_last_row():
    course, columns = np.array([4.0, 3.9, 3.5, 3.0]), {"t": np.array([0.0, 1.0, 2.0, 3.0])}
    found = read_at(np.array([4.2, 4.0, 3.7, 3.0, 2.5]), course, columns, True)["t"]
    assert found == pytest.approx([0, 0, 1.5, 3, 3], abs=1e-12)
    assert read_at(np.array([2.9, 3.0, 4.2]), course[::-1], columns, False)["t"].tolist() == [0, 0, 3]


def test_a_course_that_comes_back_is_read_where_it_comes_first():
    course = np.array([4.0, 3.6, 3.8, 3.4, 3.0])
    found = read_at(np.array([3.7, 3.6, 3.5]), course, {"t": np.arange(5.0)}, True)["t"]
    assert found == pytest.approx([0.75, 1.0, 2.75])


def test_rows_behind_the_end_of_a_course_do_not_count():
    course, columns = np.array([4.0, 3.5, np.nan, np.nan]), {"t": np.arange(4.0)}
    assert read_at(np.array([3.75, 3.0]), course, columns, True)["t"].tolist() == [0.5, 1]
    assert read_at(np.array([3.0]), np.array([4.0, np.nan]), {"t": np.arange(2.0)}, True)["t"].tolist() == [0]


# Over voltage


def test_over_voltage_the_same_parameters_come_back_as_over_time():
    # Both are exact data: least squares ends at its xtol, over voltage where time is read between rows.
    for over in ("time", "voltage"):
        record = fitted(objective(over=over), diffusivities())
        for name, true in TRUTH.items():
            assert record.result["parameter_values"][name] == pytest.approx(true, rel=2e-3), over
    assert set(record.result["objectives"]["CurrentDriven"]) == {f"{s} [s] (Time [s])" for s in ("RMSE", "MAE", "Max")}


@pytest.mark.parametrize("start", [(0.62, 0.55), (0.85, 0.8)], ids=["model too early", "model too late"])
def test_capacities_come_back_from_models_that_end_before_and_after_the_data(start):
    truth = {EN: 0.75, EP: 0.665}
    data = discharge(CELL, current=2.5, duration=6600, points=151)
    parameters = {n: cw.Parameter(n, s, (0.5, 0.95)) for n, s in zip(truth, start, strict=True)}
    record = fitted(objective(data), parameters)
    for name, true in truth.items():
        assert record.result["parameter_values"][name] == pytest.approx(true, rel=2e-3)


def test_a_charge_is_compared_as_its_voltage_rises():
    empty = CELL.merge(dict(zip(CONCENTRATIONS, (0.1 * 33133, 0.85 * 63104), strict=True)), Origin("truth"))
    time = np.linspace(0, 4000, 101)
    data = columns(empty, time, np.full(101, -2.5), ("Voltage [V]",))
    element = cw.DataFit(objective(data), parameters=diffusivities())
    record = cw.run(cw.Pipeline({"known": known(DN, DP, cell=empty), "fit": element})).element("fit")
    for name, true in TRUTH.items():
        assert record.result["parameter_values"][name] == pytest.approx(true, rel=2e-3)


def columns(cell, time, current, variables, model="SPM", options=None):
    problem = SimulationProblem(ModelSpec(model, options or {}), cell, time, current, time, variables)
    solved = simulate.build(problem).solve({})
    assert solved.status == "solved", solved.message
    outputs = {name: solved.outputs[name].tolist() for name in variables}
    return {"Time [s]": time.tolist(), "Current [A]": current.tolist(), **outputs}


def test_rests_around_the_discharge_are_left_out():
    rest = 300.0
    shifted = {
        "Time [s]": [0.0, rest, *(rest + np.array(DISCHARGE["Time [s]"])), rest + 3100, rest + 4000],
        "Current [A]": [0.0, 0.0, *DISCHARGE["Current [A]"], 0.0, 0.0],
        "Voltage [V]": [4.18, 4.18, *DISCHARGE["Voltage [V]"], 3.5, 3.6],
    }
    channels, _ = validated(objective(shifted))
    assert channels["Voltage [V]"].tolist() == DISCHARGE["Voltage [V]"]
    # At the measured voltages the model, which is the truth, is there at the measured times.
    assert channels["Time [s] (data)"] == pytest.approx(rest + np.array(DISCHARGE["Time [s]"]), abs=1e-5)
    assert channels["Time [s] (model)"] == pytest.approx(channels["Time [s] (data)"], abs=0.05)


def test_voltages_that_the_model_is_beyond_give_its_start_and_those_it_never_reaches_its_end():
    # 20 mOhm more take 100 mV at 5 A: the model begins below the first voltages of the data.
    lower, _ = validated(objective(model=RESISTIVE), CELL.merge({CONTACT: 0.02}, Origin("own")))
    voltage, model = lower["Voltage [V]"], lower["Time [s] (model)"]
    below = voltage > voltage[0] - 0.09
    assert below.sum() > 1
    assert (model[below] == 0).all()
    assert (np.diff(model) >= 0).all()
    assert model[-1] < 3000
    # Twice the lithium and its places: at the last voltage it has come less far than the data go, twice over.
    late, record = validated(objective(), CELL.merge({EN: 0.75 * 2.5, EP: 0.665 * 2.5}, Origin("own")))
    assert late["Time [s] (model)"][-1] == pytest.approx(6000, rel=1e-9)
    assert record.result["validation_results"]["o"]["status"] == "solved"


def test_the_residual_is_continuous_where_voltages_leave_the_common_range():
    # A resistance of 30 mOhm moves the first 150 mV of the data out of the model's range. Four times smaller steps of
    # it give about four times smaller steps of every time; a jump would stay as large as it is.
    one = objective(model=RESISTIVE).prepare(CELL.without([CONTACT]), (CONTACT,), simulate.build)
    points = [{CONTACT: value} for value in np.linspace(0.0, 0.03, 241)]
    times = np.array([solved.outputs["Time [s]"] for solved in one.predict_many(points)])
    assert (times[0] > 0).sum() - (times[-1] > 0).sum() > 3
    coarse, fine = (np.abs(np.diff(times[::every], axis=0)).max() for every in (4, 1))
    assert fine < 0.4 * coarse


def test_noise_is_no_reversal():
    record = fitted(objective(discharge(CELL, noise=1e-3)), diffusivities())
    for name, true in TRUTH.items():
        # 1 mV over a slope of some 0.3 mV/s is 3 s; of 101 rows the diffusivities keep 10 %, as over time.
        assert record.result["parameter_values"][name] == pytest.approx(true, rel=0.1)


def test_other_variables_are_compared_over_voltage():
    time = np.linspace(0, 3000, 101)
    data = columns(CELL, time, np.full(101, 5.0), ("Voltage [V]", "Discharge capacity [A.h]"))
    variables = {"objective variables": ["Time [s]", "Discharge capacity [A.h]"]}
    channels, _ = validated(objective(data, **variables))
    model = channels["Discharge capacity [A.h] (model)"]
    assert model == pytest.approx(channels["Time [s] (model)"] * 5 / 3600, rel=1e-4, abs=1e-5)
    assert model == pytest.approx(channels["Discharge capacity [A.h] (data)"], abs=1e-4)


VOLTAGES = np.array(DISCHARGE["Voltage [V]"])
BROKEN = {
    "goes back": (
        DISCHARGE | {"Voltage [V]": np.where(np.arange(101) == 50, VOLTAGES[20], VOLTAGES).tolist()},
        r"one discharge or charge is compared, and the voltage rises by 0\.\d+ V before row 50",
    ),
    "turns": (
        DISCHARGE | {"Current [A]": [5.0] * 60 + [-5.0] * 41},
        "and the current turns at row 60",
    ),
    "rest": (DISCHARGE | {"Current [A]": [0.0] * 101}, "and 0 rows have a current"),
    "no voltage": ({n: v for n, v in DISCHARGE.items() if n != "Voltage [V]"}, r"no column 'Voltage \[V\]'"),
}


@pytest.mark.parametrize(("data", "told"), BROKEN.values(), ids=BROKEN)
def test_data_that_are_no_one_discharge_are_found_by_the_check(data, told):
    pipeline = cw.Pipeline({"known": known(), "v": cw.Validation({"o": objective(data)})})
    with pytest.raises(CheckFailedError, match=told):
        cw.run(pipeline)


def test_a_charge_that_falls_is_told():
    data = DISCHARGE | {"Current [A]": [-5.0] * 101}
    with pytest.raises(CheckFailedError, match=r"the voltage falls by 0\.\d+ V before row 100"):
        cw.run(cw.Pipeline({"known": known(), "v": cw.Validation({"o": objective(data)})}))


def test_the_voltage_is_not_compared_over_itself():
    one = objective(**{"objective variables": ["Voltage [V]"]})
    (problem,) = cw.check(cw.Pipeline({"known": known(), "v": cw.Validation({"o": one})})).errors
    assert problem.at == ("v", "objectives", "o", "options", "objective variables")
    assert "over itself" in problem.message


# Temperatures and other variables over time

COOLING = "Total heat transfer coefficient [W.m-2.K-1]"
MEAN = "Volume-averaged cell temperature"
TIME = np.linspace(0, 1800, 61)
WARM = columns(
    CELL, TIME, np.full(61, 10.0), ("Voltage [V]", f"{MEAN} [K]", f"{MEAN} [C]"), "SPM", {"thermal": "lumped"}
)
PLAIN = {name: WARM[name] for name in ("Time [s]", "Current [A]", "Voltage [V]")}
CELSIUS = WARM[f"{MEAN} [C]"]
THERMAL = {"type": "SPM", "options": {"thermal": "lumped"}}


@pytest.mark.parametrize(
    ("column", "values", "variable"),
    [
        ("Temperature [degC]", CELSIUS, "Temperature [degC]"),
        ("Temperature [degC]", CELSIUS, f"{MEAN} [K]"),
        (f"{MEAN} [K]", WARM[f"{MEAN} [K]"], f"{MEAN} [K]"),
        (f"{MEAN} [K]", WARM[f"{MEAN} [K]"], f"{MEAN} [degC]"),
        (f"{MEAN} [degC]", CELSIUS, f"{MEAN} [C]"),
        ("Temperature [K]", WARM[f"{MEAN} [K]"], f"{MEAN} [C]"),
    ],
)
def test_a_measured_temperature_recovers_the_cooling(column, values, variable):
    options = {"objective variables": ["Voltage [V]", variable]}
    one = objective(PLAIN | {column: values}, over="time", model=THERMAL, **options)
    record = fitted(one, {COOLING: cw.Parameter(COOLING, 25.0, (1.0, 100.0))})
    # The integrator's tolerance, 1e-4, on a rise of 20 K.
    assert record.result["parameter_values"][COOLING] == pytest.approx(CELL.values_[COOLING], rel=1e-3)
    assert f"{variable} (model)" in record.series["CurrentDriven"]["optimal"]


@pytest.mark.parametrize(
    ("data", "variable", "told"),
    [
        (PLAIN | {f"{MEAN} [K]": CELSIUS}, f"{MEAN} [K]", r"which are no kelvins.*rename it to .*\[degC\]"),
        (PLAIN, f"{MEAN} [K]", rf"no column '{MEAN} \[K\]'"),
        (PLAIN | {"Tempreature [degC]": CELSIUS}, "Temperature [degC]", r"'Tempreature \[degC\]'"),
        (PLAIN | {"Surface temperature [K]": CELSIUS}, "Surface temperature [K]", "no kelvins"),
        (PLAIN | {"Voltag [V]": CELSIUS}, "Voltag [V]", r"has no variable 'Voltag \[V\]'.*'Voltage \[V\]'"),
    ],
    ids=["degrees called kelvins", "no temperature", "misspelt", "another temperature", "no such variable"],
)
def test_a_variable_that_cannot_be_compared_is_found_by_the_check(data, variable, told):
    one = objective(data, over="time", model=THERMAL, **{"objective variables": [variable]})
    with pytest.raises(CheckFailedError, match=told):
        cw.run(cw.Pipeline({"known": known(), "v": cw.Validation({"o": one})}))


def test_any_variable_of_the_model_can_be_compared():
    names = ("X-averaged negative particle surface stoichiometry", "Discharge capacity [A.h]", "Voltage [V]")
    data = columns(CELL, np.linspace(0, 3000, 61), np.full(61, 5.0), names)
    one = objective(data, over="time", **{"objective variables": [names[0]]})
    record = fitted(one, {DN: diffusivities()[DN]})
    assert record.result["parameter_values"][DN] == pytest.approx(TRUTH[DN], rel=2e-3)


def test_objectives_at_temperatures_of_their_own_share_what_is_fitted():
    def at(kelvin):
        own = {"Ambient temperature [K]": kelvin, "Initial temperature [K]": kelvin}
        data = discharge(CELL.merge(own, Origin("truth")), points=61)
        return objective(data, over="time").model_copy(update={"parameters": own})

    record = fitted({"cold": at(283.15), "warm": at(313.15)}, diffusivities())
    for name, true in TRUTH.items():
        assert record.result["parameter_values"][name] == pytest.approx(true, rel=2e-3)
    assert max(rows["RMSE [mV] (Voltage [V])"]["fitted"] for rows in record.result["objectives"].values()) < 0.1


def test_a_measurement_that_begins_under_load_is_doubted_unless_the_initial_state_is_given():
    """5 A over 30 mOhm: a voltage that is taken for that at open circuit is 0.15 V too low, and all that follows."""
    circuit = {"Nominal cell capacity [A.h]": 5.0, "Open-circuit voltage [V]": lambda soc: 3 + soc, "R0 [Ohm]": 0.03}
    time = np.arange(0.0, 600.0, 10.0)
    loaded = {"Time [s]": time, "Current [A]": np.full(60, 5.0), "Voltage [V]": 3.9 - time / 3600 - 0.15}
    rested = {name: np.append(first, loaded[name]) for name, first in zip(loaded, (-1e-6, 0.0, 3.9), strict=True)}

    def compared(data, **state):
        one = cw.objectives.CurrentDriven(data, options={"model": "ECM"})
        pipeline = cw.Pipeline({"cell": cw.direct_entries.DirectEntry(circuit | state), "v": cw.Validation({"o": one})})
        record = cw.run(pipeline).element("v")
        channels = record.series["o"]["optimal"]
        told = [str(problem) for problem in cw.check(pipeline).problems]
        left = channels["Voltage [V] (model)"] - channels["Voltage [V] (data)"]
        return float(np.max(np.abs(left))), record.warnings, told

    worst, warnings, told = compared(loaded)
    assert worst == pytest.approx(0.15, abs=1e-3)
    assert "3.75 V, at which a current of 5 A flows" in warnings[0]
    assert "begin the data with a row at rest" in told[0]
    for data, state in ((rested, {}), (loaded, {"Initial SoC": 0.9}), (loaded, {"Initial voltage [V]": 3.9})):
        worst, warnings, told = compared(data, **state)
        assert worst < 1e-3
        assert (warnings, told) == ((), [])


# What PyBaMM counts alone where it is asked to


@pytest.mark.parametrize("live", [False, True], ids=["by name", "live"])
def test_an_energy_is_that_of_voltage_and_current(live):
    energy = np.concatenate([[0.0], np.cumsum(np.diff(DISCHARGE["Time [s]"]) * _power(DISCHARGE) / 3600)])
    data = {**DISCHARGE, "Discharge energy [W.h]": energy}
    model = pybamm.lithium_ion.SPM() if live else "SPM"
    series, _ = validated(objective(data, "time", model, **{"objective variables": ["Discharge energy [W.h]"]}))
    found = np.asarray(series["Discharge energy [W.h] (model)"])
    assert found[-1] > 10
    # The trapezoidal rule on the rows of the data.
    np.testing.assert_allclose(found, energy, atol=5e-3)


def test_a_changed_model_that_counts_no_energy_is_refused_where_it_is_compared():
    model = pybamm.lithium_ion.SPM()
    model.variables["Twice the voltage [V]"] = 2 * model.variables["Voltage [V]"]
    data = {**DISCHARGE, "Discharge energy [W.h]": DISCHARGE["Time [s]"]}
    with pytest.raises(CheckFailedError, match="does not count 'Discharge energy") as error:
        validated(objective(data, "time", model, **{"objective variables": ["Discharge energy [W.h]"]}))
    assert "'calculate discharge energy': 'true'" in str(error.value)


def _power(data):
    watts = np.asarray(data["Voltage [V]"]) * np.asarray(data["Current [A]"])
    return (watts[1:] + watts[:-1]) / 2


def test_a_cell_that_begins_at_another_voltage_than_its_data_at_rest_is_doubted():
    """The concentrations of a parameter set are those of a full cell: 4.18 V, by hand from its potentials."""
    data = {"Time [s]": [0.0, 1.0, 10.0, 20.0], "Current [A]": [0.0, 1.0, 1.0, 1.0]}
    chen = cw.from_pybamm("Chen2020").parameters
    theta_n, theta_p = 29866 / 33133, 17038 / 63104
    full = float(chen["Positive electrode OCP [V]"](theta_p) - chen["Negative electrode OCP [V]"](theta_n))
    for rest, extra, doubts in ((3.8, {}, 1), (full - 0.02, {}, 0), (3.8, {"Initial voltage [V]": 3.8}, 0)):
        one = cw.objectives.CurrentDriven(
            {**data, "Voltage [V]": rest - np.array([0.0, 0.03, 0.03, 0.03])}, {"model": "SPM"}
        )
        entry = cw.direct_entries.DirectEntry({**chen, **extra})
        told = cw.check(cw.Pipeline({"cell": entry, "v": cw.Validation({"o": one})})).problems
        assert [f"an open-circuit voltage of {full:.4g} V" in str(problem) for problem in told] == [True] * doubts
