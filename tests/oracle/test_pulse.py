"""The objective Pulse: parameters come back from synthetic titrations through each of its choices."""

import json

import numpy as np
import pytest
from ionworks_schema.results import from_config

import cellwright as cw
from cellwright.errors import CheckFailedError, ConfigurationError
from cellwright.models import simulate
from cellwright.schema.parameters import Origin
from cellwright.schema.simulation import ModelSpec, SimulationProblem
from cellwright.testing.cells import published

DN, DP = "Negative particle diffusivity [m2.s-1]", "Positive particle diffusivity [m2.s-1]"
R = "Contact resistance [Ohm]"
TRUTH = {DN: 2e-14, DP: 5e-15}
CELL = published().merge(TRUTH, Origin("truth"))
TIGHT = {"type": "IDAKLUSolver", "rtol": 1e-8, "atol": 1e-10}


def stages(*lengths_and_currents, interval=10.0):
    """Time, current and step count of stages (length [s], current [A]) that are sampled densely after each switch."""
    time, current, step, now = [], [], [], 0.0
    for number, (length, amps) in enumerate(lengths_and_currents):
        dense = np.arange(0.5, min(10, length), 0.5)
        rows = np.unique(np.concatenate([[0.0], dense, np.arange(10, length, interval), [length]]))
        time.append(now + rows)
        current.append(np.full(len(rows), amps))
        step.append(np.full(len(rows), number))
        now += length
    return tuple(np.concatenate(one).astype(float) for one in (time, current, step))


def measured(time, current, step, cell=CELL, options=None):
    """Columns of a synthetic measurement, solved more exactly than any fit."""
    increasing = np.concatenate([[0], np.cumsum(np.maximum(np.diff(time), 1e-6))])
    problem = SimulationProblem(
        model=ModelSpec("SPM", options or {}, settings={"solver": TIGHT}),
        parameters=cell,
        time=increasing,
        current=current,
        output_times=increasing,
        variables=("Voltage [V]",),
    )
    solved = simulate.build(problem).solve({})
    assert solved.status == "solved", solved.message
    columns = {"Time [s]": time, "Current [A]": current, "Voltage [V]": solved.outputs["Voltage [V]"]}
    return {name: values.tolist() for name, values in {**columns, "Step count": step}.items()}


GITT = measured(*stages((60, 0.0), *[(600, 2.5), (1800, 0.0)] * 4))
ICI = measured(*stages(*[(300, 1.0), (10, 0.0)] * 20, interval=30.0))


def known(*drop, cell=CELL):
    return cw.direct_entries.DirectEntry({n: v for n, v in cell.values_.items() if n not in drop}, source="truth")


def objective(data=GITT, choice=None, **options):
    chosen = {} if choice is None else {"objective variables": choice}
    return cw.objectives.Pulse(data, options={"model": "SPM", **chosen, **options})


def free():
    start, bounds = {DN: 6e-14, DP: 2e-15}, {DN: (1e-15, 1e-12), DP: (1e-16, 1e-13)}
    return {n: cw.transforms.Log10(cw.Parameter(n, start[n], bounds[n])) for n in start}


def fitted(one, parameters=None, executor="inline"):
    element = cw.DataFit({"pulses": one}, parameters=parameters or free())
    drop = list(parameters or free())
    return cw.run(cw.Pipeline({"known": known(*drop), "fit": element}), executor=executor).element("fit")


@pytest.mark.oracle("Overpotential", "Resistances", "GITTFeatures", "ICIFeatures")
@pytest.mark.parametrize(
    ("choice", "tolerance"),
    [
        # The integrator's tolerance (1e-4) against data of 1e-8; its error is felt where the voltage answers least.
        ("voltage", 1e-2),
        # Features are solved with 1e-7, which moves no slope by more than 1e-4 of itself.
        ("overpotential", 1e-3),
        ({"type": "resistances", "times": [10, 300]}, 1e-3),
        ("ici features", 1e-3),
        ("gitt features", 1e-3),
    ],
    ids=str,
)
def test_a_titration_recovers_two_diffusivities_through_each_choice(choice, tolerance):
    record = fitted(objective(choice=choice))
    for name, true in TRUTH.items():
        assert record.result["parameter_values"][name] == pytest.approx(true, rel=tolerance)


def test_interruptions_recover_two_diffusivities():
    record = fitted(objective(ICI, "ici features"))
    for name, true in TRUTH.items():
        assert record.result["parameter_values"][name] == pytest.approx(true, rel=1e-2)
    channels = record.series["pulses"]["optimal"]
    assert channels["Pulse number"].tolist() == list(range(1, 21))


def test_features_do_not_see_a_wrong_open_circuit_voltage():
    # 20 mV on all data, as of a wrong open-circuit potential: the voltage alone is misled by it.
    shifted = GITT | {"Voltage [V]": (np.array(GITT["Voltage [V]"]) + 0.02).tolist()}
    for choice, misled in (("voltage", True), ("overpotential", False)):
        record = fitted(objective(shifted, choice))
        off = [abs(record.result["parameter_values"][name] / true - 1) for name, true in TRUTH.items()]
        assert (max(off) > 0.02) is misled, (choice, off)


def test_a_contact_resistance_is_the_instantaneous_resistance():
    option = {"contact resistance": "true"}
    cell = CELL.merge({R: 0.015}, Origin("truth"))
    data = measured(*stages((60, 0.0), *[(10, 7.5), (60, 0.0)] * 3), cell=cell, options=option)
    model = {"type": "SPM", "options": option}
    parameters = {R: cw.Parameter(R, 0.05, (0.0, 0.1))}
    record = fitted(
        cw.objectives.Pulse(data, options={"model": model, "objective variables": "resistances"}), parameters
    )
    assert record.result["parameter_values"][R] == pytest.approx(0.015, rel=1e-4)


def test_steps_or_the_current_tell_the_pulses():
    plain = {name: values for name, values in GITT.items() if name != "Step count"}
    renamed = plain | {"Step number": GITT["Step count"]}
    found = [validated(objective(data, "gitt features")).series["pulses"]["optimal"] for data in (GITT, plain, renamed)]
    for other in found[1:]:
        assert {n: v.tolist() for n, v in other.items()} == {n: v.tolist() for n, v in found[0].items()}


def validated(one, cell=CELL):
    element = cw.Validation({"pulses": one})
    return cw.run(cw.Pipeline({"known": known(cell=cell), "validate": element})).element("validate")


def test_a_validation_of_features_says_that_they_are_no_time_series():
    record = validated(objective(choice={"type": "resistances", "times": [10]}))
    assert list(record.result["validation_not_supported"]) == ["pulses"]
    names = [row["name"] for row in record.result["summary_stats"]["pulses"]]
    assert names[0] == "RMSE [Ohm] (Instantaneous resistance [Ohm])"
    assert max(row["value"] for row in record.result["summary_stats"]["pulses"]) < 1e-6
    assert "validation_not_supported" not in validated(objective(choice="voltage")).result
    theirs = from_config(json.loads(json.dumps(record.result)))
    assert type(theirs).__name__ == "ValidationResult"
    assert theirs.summary_stats == record.result["summary_stats"]


def test_features_stand_over_the_state_of_charge_where_the_data_tell_it():
    soc = 1 - np.cumsum(np.append(0, np.diff(GITT["Time [s]"]) * np.array(GITT["Current [A]"])[1:])) / (5 * 3600)
    channels = validated(objective(GITT | {"SOC": soc.tolist()}, "overpotential")).series["pulses"]["optimal"]
    # Each pulse takes 600 s · 2.5 A of 5 A.h.
    assert channels["SOC"] == pytest.approx([1 - k / 12 for k in range(4)], abs=1e-9)


def test_worker_processes_give_the_same_bits_as_this_process():
    here, there = (fitted(objective(choice="gitt features"), executor=kind) for kind in ("inline", "processes"))
    assert here.result["parameter_values"] == there.result["parameter_values"]


def test_what_is_known_of_one_objective_holds_for_it_alone():
    at = {"Ambient temperature [K]": 310.0, "Initial temperature [K]": 310.0}
    warm = measured(*stages((60, 0.0), *[(600, 2.5), (1800, 0.0)] * 2), cell=CELL.merge(at, Origin("truth")))
    pulse = objective(warm, "resistances")
    own = pulse.model_copy(update={"parameters": at})
    values = [
        max(row["value"] for row in validated(one).result["summary_stats"]["pulses"] if row["name"].startswith("Max"))
        for one in (own, pulse)
    ]
    assert values[0] < 1e-6 < 1e-4 < values[1]


def written(one):
    return json.loads(json.dumps(one.to_config()))


@pytest.mark.parametrize(
    ("given", "means"),
    [
        ("gitt features", {"type": "gitt features", "pulse_window": [1.0, None], "rest_window": [1.0, 5.0]}),
        ("ici_features_objective_variables", {"type": "ici features", "rest_window": [1.0, 5.0]}),
        ("resistances", {"type": "resistances", "times": []}),
        ({"type": "overpotential", "times": [5, 1]}, {"type": "overpotential", "times": [1.0, 5.0]}),
        (cw.objectives.Resistances(times=[2]), {"type": "resistances", "times": [2.0]}),
        ("voltage_objective_variables", "voltage"),
        ("voltage", "voltage"),
    ],
    ids=str,
)
def test_a_choice_travels_over_the_wire(given, means):
    one = objective(choice=given)
    config = written(one)
    assert config["options"]["objective variables"] == means
    again = cw.objectives.Pulse(**{name: value for name, value in config.items() if name != "type"})
    assert written(again) == config
    assert again.digest() == one.digest()


def test_the_contracts_functions_are_taken_by_their_names():
    def gitt_features_objective_variables(model):
        raise AssertionError("it is not called")

    one = objective(choice=gitt_features_objective_variables)
    assert written(one)["options"]["objective variables"]["type"] == "gitt features"


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        (
            "git features",
            r"options › objective variables: nothing of a pulse is called 'git features'.*'gitt features'",
        ),
        ({"type": "resistance"}, r"there is no feature 'resistance'.*'resistances'"),
        ({"type": "resistances", "times": [-1]}, r"objective variables › times: .*above 0 s, not -1"),
        ({"type": "ici features", "rest_windw": [1, 2]}, r"rest_windw.*'rest_window'"),
        (3, "is a name, not 3"),
    ],
    ids=str,
)
def test_a_choice_that_does_not_exist_is_told(choice, told):
    with pytest.raises(ConfigurationError, match=told):
        objective(choice=choice)


def rows(data, count=None, **changes):
    return {name: values[:count] for name, values in (data | changes).items()}


@pytest.mark.parametrize(
    ("data", "choice", "told"),
    [
        (
            rows(GITT, **{"Current [A]": [0.0] * len(GITT["Time [s]"])}),
            "voltage",
            "no pulse: the current is 0 everywhere",
        ),
        (rows(GITT, 40), "gitt features", "no pulse of 1 has a rest before and after it"),
        ({n: v[26:70] for n, v in GITT.items()}, "resistances", "no pulse of 1 has a rest before it"),
        (GITT, {"type": "ici features", "rest_window": [1, 1.7]}, "too few rows .2. between 1 s and 1.7 s"),
        ({n: v for n, v in GITT.items() if n != "Voltage [V]"}, "overpotential", r"no column 'Voltage \[V\]'"),
        (rows(GITT, **{"Voltage [V]": [4.0] * len(GITT["Time [s]"])}), "gitt features", "'Relaxation time' of pulse 1"),
    ],
    ids=["no pulse", "no rest after", "no rest before", "few rows", "no voltage", "no relaxation"],
)
def test_data_that_do_not_hold_what_is_compared_are_found_by_the_check(data, choice, told):
    pipeline = cw.Pipeline({"known": known(), "validate": cw.Validation({"pulses": objective(data, choice)})})
    (problem,) = cw.check(pipeline).errors
    assert problem.at[:3] == ("validate", "objectives", "pulses")
    with pytest.raises(CheckFailedError, match=told):
        cw.run(pipeline)
