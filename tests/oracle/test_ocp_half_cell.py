"""An open-circuit potential with free coefficients, fitted to a half cell."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

import cellwright as cw
from cellwright.compute.inline import InlinePool
from cellwright.data.sources import settle
from cellwright.engine.check import check
from cellwright.engine.run import run
from cellwright.engine.world import World
from cellwright.errors import ConfigurationError, DataError, MissingParameterError
from cellwright.schema.parameters import ParameterSet

WORLD = World(simulate=None, worker_simulate=None, pool=InlinePool(), load=settle)
VOLTAGE, OCP = "Voltage [V]", "Positive electrode OCP [V]"
CAPACITY, LOW, STEP = "Positive electrode capacity [A.h]", "Plateau [V]", "Step [V]"
FORMULA = {"arguments": ["sto"], "expression": f"'{LOW}' - '{STEP}' * tanh(8 * (sto - 0.4)) - 0.3 * sto"}
ENTERED = np.linspace(0, 3e-3, 81)
TRUTH = {CAPACITY: 4e-3, LOW: 3.9, STEP: 0.25}
STARTS = {CAPACITY: (4.5e-3, (3e-3, 8e-3)), LOW: (3.7, (3, 5)), STEP: (0.1, (0, 1))}


def potential(x):
    return 3.9 - 0.25 * np.tanh(8 * (x - 0.4)) - 0.3 * x


def half_cell(theta, capacity=ENTERED, electrode="positive", **options):
    data = {"Capacity [A.h]": capacity, VOLTAGE: potential(theta)}
    return cw.objectives.OCPHalfCell(electrode, data, options=options or None)


def pipeline(objective, starts, entry):
    parameters = {name: cw.Parameter(name, *given) for name, given in starts.items()}
    fit = cw.DataFit({"data": objective}, parameters=parameters)
    return cw.Pipeline({"formula": cw.direct_entries.DirectEntry(entry), "fit": fit})


def fitted(objective, starts=STARTS, entry=None):
    return run(pipeline(objective, starts, entry or {OCP: FORMULA}), WORLD).element("fit")


@pytest.mark.oracle("OCPHalfCell")
@pytest.mark.parametrize("leaves", [False, True], ids=["lithium enters", "lithium leaves"])
def test_coefficients_and_capacity_of_a_positive_electrode_that_is_full_at_its_lowest_potential(leaves):
    theta = 1 - (3e-3 - ENTERED) / 4e-3
    capacity = ENTERED[::-1] if leaves else ENTERED
    assert fitted(half_cell(theta, capacity)).result["x"] == pytest.approx(list(TRUTH.values()), rel=1e-9)


def test_those_of_a_negative_electrode_that_is_empty_at_its_highest():
    names = {name.replace("Positive", "Negative"): given for name, given in STARTS.items()}
    record = fitted(half_cell(ENTERED / 4e-3, electrode="negative"), names, {"Negative electrode OCP [V]": FORMULA})
    assert record.result["x"] == pytest.approx(list(TRUTH.values()), rel=1e-9)


def test_the_end_of_the_data_may_have_another_stoichiometry():
    objective = half_cell(0.9 - (3e-3 - ENTERED) / 4e-3, theta_ref=0.9)
    assert fitted(objective).result["x"] == pytest.approx(list(TRUTH.values()), rel=1e-9)


def test_a_branch_is_that_of_the_direction():
    theta = 1 - (3e-3 - ENTERED) / 4e-3
    entry = {"Positive electrode lithiation OCP [V]": FORMULA}
    assert fitted(half_cell(theta, direction="lithiation"), entry=entry).result["x"] == pytest.approx(
        list(TRUTH.values()), rel=1e-9
    )
    with pytest.raises(DataError, match="on delithiation it rises"):
        half_cell(theta, direction="delithiation").prepare(ParameterSet({}), (), None)


def test_slopes_are_those_of_differences():
    theta = 1 - (3e-3 - ENTERED) / 4e-3
    p = ParameterSet(cw.direct_entries.DirectEntry({OCP: FORMULA}).compute(ParameterSet()))
    one = half_cell(theta).prepare(p, tuple(TRUTH), None)
    for name, value in TRUTH.items():
        step = 1e-6 * value
        above, below = (one.predict({**TRUTH, name: value + side * step}).outputs[VOLTAGE] for side in (1, -1))
        # Rounding over the step leaves 1e-9.
        found = one.slopes(TRUTH)[VOLTAGE][name]
        np.testing.assert_allclose(found * value, (above - below) / 2e-6, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ({"stoichiometry limits": (0.1, 0.9)}, lambda x, V: (x >= 0.1) & (x <= 0.9)),
        ({"voltage limits": (3.5, 4.0)}, lambda x, V: (V >= 3.5) & (V <= 4.0)),
        ({"dUdQ cutoff": 200.0}, lambda x, V: np.abs(np.gradient(V, ENTERED)) <= 200.0),
    ],
    ids=["stoichiometry", "voltage", "slope"],
)
def test_limits_leave_points_out(options, kept):
    theta = 1 - (3e-3 - ENTERED) / 4e-3
    p = ParameterSet(cw.direct_entries.DirectEntry({OCP: FORMULA}).compute(ParameterSet()))
    one = half_cell(theta, **options).prepare(p, tuple(TRUTH), None)
    # While the capacity is fitted, the span of the data stands for it: 0 to 1 from end to end.
    expected = ENTERED[kept(ENTERED / 3e-3, potential(theta))]
    assert abs(len(one.x) - len(expected)) <= 2  # a slope is that of a line, and two points are on the edge
    assert 10 < len(one.x) < len(ENTERED) - 5


def test_with_a_known_capacity_the_limits_are_those_of_its_stoichiometries():
    theta = 1 - (3e-3 - ENTERED) / 4e-3
    p = ParameterSet({**cw.direct_entries.DirectEntry({OCP: FORMULA}).compute(ParameterSet()), CAPACITY: 4e-3})
    one = half_cell(theta, **{"stoichiometry limits": (0.5, 0.9)}).prepare(p, (LOW, STEP), None)
    np.testing.assert_array_equal(one.x, ENTERED[(theta >= 0.5) & (theta <= 0.9)])


def test_what_is_missing_is_told():
    theta = 1 - (3e-3 - ENTERED) / 4e-3
    p = ParameterSet(cw.direct_entries.DirectEntry({OCP: FORMULA}).compute(ParameterSet()))
    for given, free, said in (
        (ParameterSet({}), (), "provides the potential 'Positive electrode OCP"),
        (p, (LOW, STEP), "follow from 'Positive electrode capacity"),
        (p, (CAPACITY, LOW), "waits for 'Step"),
    ):
        with pytest.raises(MissingParameterError, match=said):
            half_cell(theta).prepare(given, free, None)
    with pytest.raises(DataError, match="0 of 81 points lie within the limits"):
        half_cell(theta, **{"voltage limits": (1, 2)}).prepare(p, tuple(TRUTH), None)


def test_limits_upside_down_and_a_reference_that_is_none_are_refused():
    p = ParameterSet(cw.direct_entries.DirectEntry({OCP: FORMULA}).compute(ParameterSet()))
    for options in ({"stoichiometry limits": (0.9, 0.1)}, {"theta_ref": 1.2}):
        with pytest.raises(ConfigurationError):
            half_cell(ENTERED / 3e-3, **options).prepare(p, tuple(TRUTH), None)


def test_a_check_doubts_data_that_span_more_than_the_electrode():
    theta = 1 - (3e-3 - ENTERED) / 4e-3
    milli = pipeline(half_cell(theta, 1e3 * ENTERED), STARTS, {OCP: FORMULA})
    assert [one.message for one in check(milli, WORLD).problems] == [
        "the data span 3 A.h, and 'Positive electrode capacity [A.h]' is 0.0045: the column 'Capacity [A.h]' seems to "
        "be in mA.h"
    ]
    assert check(pipeline(half_cell(theta), STARTS, {OCP: FORMULA}), WORLD).problems == ()


@pytest.mark.parametrize(("electrode", "stated"), [("negative", 5.2), ("positive", 1.6)])
def test_measured_half_cells_are_followed_as_the_example_states(electrode, stated):
    path = Path(__file__).parents[2] / "examples" / "ocp_function.py"
    spec = importlib.util.spec_from_file_location("ocp_function", path)
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    record = cw.run(example.pipeline(electrode)).element("fit")
    error = record.result["objectives"]["half cell"]["RMSE [mV] (Voltage [V])"]
    assert error["fitted"] < stated + 0.1
    assert error["initial"] > 50
