"""Electrodes laid on the curve of a cell or a half cell: signs, derivatives, what comes back of a known cell."""

import itertools
import json

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
VOLTAGE, SLOPE = "Voltage [V]", "Differential voltage [V/Ah]"
N, P = "Negative electrode", "Positive electrode"
LOWER, WHOLE, UPPER = "lower excess capacity [A.h]", "capacity [A.h]", "upper excess capacity [A.h]"
SPAN = 5.0
TRUTH = {
    f"{N} {LOWER}": 0.2, f"{N} {WHOLE}": 5.8, f"{N} {UPPER}": 0.6,
    f"{P} {LOWER}": 2.0, f"{P} {WHOLE}": 7.6, f"{P} {UPPER}": 0.6,
}  # fmt: skip
FOUR = {f"{N} {LOWER}": (0.1, (0, 1)), f"{N} {UPPER}": (0.3, (0, 3)), f"{P} {LOWER}": (1.5, (0, 4)),
        f"{P} {UPPER}": (1.0, (0, 3))}  # fmt: skip
Q = np.linspace(0, SPAN, 201)


def negative(x):
    return 0.6 * np.exp(-40 * x) + 0.22 - 0.05 * np.tanh(20 * (x - 0.2)) - 0.05 * np.tanh(25 * (x - 0.55)) - 0.05 * x


def positive(x):
    return 4.9 - 1.1 * x - 0.05 * np.tanh(12 * (x - 0.45)) - 0.02 * np.exp(30 * (x - 1))


POTENTIALS = cw.direct_entries.DirectEntry({f"{N} OCP [V]": negative, f"{P} OCP [V]": positive})
KNOWN = POTENTIALS.compute(ParameterSet())


def voltage(discharged=Q):
    return positive((2.0 + discharged) / 7.6) - negative((0.2 + SPAN - discharged) / 5.8)


def cell(capacity=Q, volts=None, options=None, **more):
    data = {"Capacity [A.h]": np.asarray(capacity), VOLTAGE: voltage() if volts is None else volts, **more}
    return cw.objectives.ElectrodeBalancing(data, options=options)


def prepared(objective, free=(), given=None):
    return objective.prepare(ParameterSet({**KNOWN, **(given or {})}), free, None)


def predicted(objective, given):
    one = prepared(objective, given=given)
    answer = one.predict({})
    assert answer.status == "solved"
    return answer.outputs, one


def fitted(objective, starts=FOUR, cost=None, optimizer=None, before=POTENTIALS):
    parameters = {name: cw.Parameter(name, *given) for name, given in starts.items()}
    fit = cw.DataFit({"data": objective}, parameters=parameters, cost=cost, optimizer=optimizer)
    return run(cw.Pipeline({"known": before, "fit": fit}), WORLD).element("fit")


def some(*parts):
    return {f"{one} {part}": TRUTH[f"{one} {part}"] for one in (N, P) for part in parts}


@pytest.mark.oracle("ElectrodeBalancing")
def test_lithium_leaves_the_negative_electrode_and_enters_the_positive_one_on_discharge():
    # By hand: full, the negative electrode holds 0.2 + 5 of 5.8 A.h and the positive one 2 of 7.6; empty, 0.2 and 7.
    lines = {f"{N} OCP [V]": lambda x: 1 - x, f"{P} OCP [V]": lambda x: 5 - 2 * x}
    found, _ = predicted(cell(), {**cw.direct_entries.DirectEntry(lines).compute(ParameterSet()), **some(LOWER, WHOLE)})
    assert found[VOLTAGE][0] == pytest.approx((5 - 2 * 2 / 7.6) - (1 - 5.2 / 5.8), rel=1e-14)
    assert found[VOLTAGE][-1] == pytest.approx((5 - 2 * 7 / 7.6) - (1 - 0.2 / 5.8), rel=1e-14)
    np.testing.assert_allclose(found[SLOPE], -2 / 7.6 - 1 / 5.8, rtol=1e-9)


@pytest.mark.parametrize("parts", list(itertools.combinations((LOWER, WHOLE, UPPER), 2)))
def test_two_of_the_three_capacities_say_where_an_electrode_works(parts):
    found, one = predicted(cell(), some(*parts))
    np.testing.assert_allclose(found[VOLTAGE], voltage(), rtol=1e-13)
    np.testing.assert_allclose(found[SLOPE], one.observed[SLOPE], rtol=1e-9)


def test_what_is_free_goes_before_numbers():
    given = {name: value for name, value in some(LOWER, UPPER).items() if name != f"{N} {LOWER}"} | {
        f"{N} {UPPER}": 9.9
    }
    free = {f"{N} {LOWER}": 0.2, f"{N} {WHOLE}": 5.8}
    one = prepared(cell(), tuple(free), given)
    np.testing.assert_allclose(one.predict(free).outputs[VOLTAGE], voltage(), rtol=1e-13)
    assert one.used == free.keys()


@pytest.mark.parametrize(
    ("capacity", "volts", "direction"),
    [
        (Q, voltage()[::-1], "charge"),
        (Q, voltage()[::-1], None),
        (Q[::-1], voltage()[::-1], "charge"),
        (Q + 3.3, voltage(), "discharge"),
        (Q - 9.1, voltage(), None),
    ],
    ids=["charged", "charged, unsaid", "net of a charge", "from another origin", "below 0"],
)
def test_a_charge_is_a_discharge_backwards_wherever_its_capacity_begins(capacity, volts, direction):
    found, one = predicted(cell(capacity, volts, {"direction": direction} if direction else None), some(LOWER, UPPER))
    for name in (VOLTAGE, SLOPE):
        np.testing.assert_allclose(found[name], one.observed[name], rtol=1e-9)


@pytest.mark.parametrize("parts", list(itertools.combinations((LOWER, WHOLE, UPPER), 2)))
def test_slopes_by_the_parameters_are_those_of_differences(parts):
    free = some(*parts)
    one = prepared(cell(), tuple(free))
    found = one.slopes(free)
    for name, value in free.items():
        step = 1e-6
        above, below = (one.predict({**free, name: value + side * step}).outputs for side in (1, -1))
        for variable in (VOLTAGE, SLOPE):
            # Central differences of 1e-6: rounding leaves 1e-9 of the voltage's slope, and 1e-7 of its derivative.
            expected = (above[variable] - below[variable]) / (2 * step)
            np.testing.assert_allclose(found[variable][name], expected, rtol=1e-5, atol=1e-6)


def test_coefficients_of_a_potential_may_be_free_beside_the_capacities():
    base, step = "Negative electrode OCP offset [V]", "Negative electrode OCP step [V]"
    entry = cw.direct_entries.DirectEntry(
        {
            f"{N} OCP [V]": {
                "arguments": ["sto"],
                "expression": f"0.6*exp(-40*sto) + '{base}' - '{step}'*(tanh(20*(sto-0.2)) + tanh(25*(sto-0.55)))"
                " - 0.05*sto",
            },
            f"{P} OCP [V]": positive,
        }
    )
    starts = {base: (0.1, (0, 1)), step: (0.03, (0, 0.2)), f"{P} {LOWER}": (1.5, (0, 4))}
    rest = cw.direct_entries.DirectEntry({name: value for name, value in some(LOWER, UPPER).items()
                                          if name != f"{P} {LOWER}"})  # fmt: skip
    fit = cw.DataFit({"data": cell()}, parameters={name: cw.Parameter(name, *given) for name, given in starts.items()})
    record = run(cw.Pipeline({"known": entry, "rest": rest, "fit": fit}), WORLD).element("fit")
    assert record.result["x"] == pytest.approx([0.22, 0.05, 2.0], rel=1e-8)


def test_the_balance_of_a_noisy_cell_comes_back_within_its_intervals():
    noise = 1e-3 * np.random.default_rng(5).standard_normal(len(Q))
    record = fitted(cell(volts=voltage() + noise, options={"objective variables": [VOLTAGE]}))
    for row in record.result["parameters"]:
        assert abs(row["value"] - TRUTH[row["name"]]) < 3.5 * row["std_error"]
        assert row["std_error"] < 5e-3  # 0.1 % of the capacity, from 1 mV on 200 points
    assert record.warnings == ()


def test_the_balance_of_a_cell_of_pybamm_comes_back():
    import pybamm

    p = pybamm.ParameterValues("Chen2020")
    simulation = pybamm.Simulation(pybamm.lithium_ion.SPM(), parameter_values=p)
    found = simulation.solve(np.linspace(0, 3400, 200), initial_soc=1)
    discharged, volts = found["Discharge capacity [A.h]"].entries, found["Bulk open-circuit voltage [V]"].entries
    whole = {}
    for electrode, title in (("negative", N), ("positive", P)):
        sides = p["Electrode height [m]"] * p["Electrode width [m]"] * p[f"{title} thickness [m]"]
        host = p[f"Maximum concentration in {electrode} electrode [mol.m-3]"]
        whole[title] = host * p[f"{title} active material volume fraction"] * sides * 96485.33212 / 3600
    names = {electrode: f"{title} OCP [V]" for electrode, title in (("negative", N), ("positive", P))}
    curves = {name: p[name] for name in names.values()}
    record = fitted(cell(discharged, volts), before=cw.direct_entries.DirectEntry(curves))
    x = dict(zip(FOUR, record.result["x"], strict=True))
    full = {N: x[f"{N} {LOWER}"] + discharged[-1], P: x[f"{P} {LOWER}"]}
    for electrode, title in (("negative", N), ("positive", P)):
        known = found[f"Average {electrode} particle stoichiometry"].entries[0]
        # The solver keeps the lithium to about 1e-9.
        capacity = x[f"{title} {LOWER}"] + discharged[-1] + x[f"{title} {UPPER}"]
        assert capacity == pytest.approx(whole[title], rel=1e-6)
        assert full[title] / capacity == pytest.approx(known, abs=1e-6)


def test_rests_are_all_that_counts_of_a_titration():
    time = np.arange(0, 20 * 7200 + 3600, 600.0)
    resting = (time // 3600) % 2 == 0
    current = np.where(resting, 0.0, 0.25)
    charge = np.concatenate([[0], np.cumsum(current[:-1] * 600 / 3600)])
    truth = voltage(charge * SPAN / charge.max()) - 0.05 * current
    data = {"Time [s]": time, "Current [A]": current * SPAN / charge.max(), VOLTAGE: truth}
    objective = cw.objectives.ElectrodeBalancing(data, options={"GITT": True, "direction": "discharge"})
    one = prepared(objective, tuple(FOUR))
    assert len(one.x) == 21
    np.testing.assert_allclose(one.observed[VOLTAGE], voltage(one.x), atol=1e-6)
    record = fitted(objective)
    for name, value in zip(FOUR, record.result["x"], strict=True):
        assert value == pytest.approx(TRUTH[name], rel=1e-4)  # the currents are switched within a microsecond


def test_a_direction_chooses_the_branch_of_a_potential_with_hysteresis():
    branches = {
        f"{N} delithiation OCP [V]": lambda x: negative(x) + 0.02,
        f"{N} lithiation OCP [V]": lambda x: negative(x) - 0.02,
        f"{P} delithiation OCP [V]": lambda x: positive(x) + 0.01,
        f"{P} lithiation OCP [V]": lambda x: positive(x) - 0.01,
    }
    given = {**cw.direct_entries.DirectEntry(branches).compute(ParameterSet()), **some(LOWER, UPPER)}
    discharge, _ = predicted(cell(options={"direction": "discharge"}), given)
    np.testing.assert_allclose(discharge[VOLTAGE], voltage() - 0.03, rtol=1e-12)
    charge, _ = predicted(cell(Q[::-1], voltage()[::-1], options={"direction": "charge"}), given)
    np.testing.assert_allclose(charge[VOLTAGE], voltage() + 0.03, rtol=1e-12)
    p = ParameterSet(given)
    with pytest.raises(MissingParameterError, match="say the 'direction', or use average_ocp"):
        cell().prepare(p, (), None)
    means = [cw.direct_entries.average_ocp(electrode=one).compute(p) for one in ("negative", "positive")]
    between = cell().prepare(ParameterSet({**given, **means[0], **means[1]}), (), None)
    np.testing.assert_allclose(between.predict({}).outputs[VOLTAGE], voltage(), rtol=1e-12)


def test_cut_offs_leave_steep_points_out():
    one = prepared(cell(options={"dUdQ cutoff": 0.4}), tuple(FOUR))
    slope = np.gradient(voltage(), Q)
    assert np.abs(np.interp(one.x, Q, slope)).max() < 0.45
    assert len(one.x) < len(Q)
    np.testing.assert_allclose(one.predict(some(LOWER, UPPER)).outputs[VOLTAGE], np.interp(one.x, Q, voltage()))


def test_differential_capacity_stands_at_the_measured_voltages_and_on_the_axis_of_the_model():
    options = {"objective variables": ["Differential capacity [Ah/V]"], "dQdU model axis": True, "dQdU cutoff": 5.0}
    one = prepared(cell(options=options), tuple(FOUR))
    at = {**some(LOWER, UPPER), f"{P} {LOWER}": 2.1}
    found = one.predict(at).outputs
    exact = positive((2.1 + Q) / 7.7) - negative((0.2 + SPAN - Q) / 5.8)
    np.testing.assert_allclose(found["Voltage [V] (model axis)"], exact, rtol=1e-13)
    np.testing.assert_array_equal(found["Voltage [V] (dQdU)"], voltage())
    rate = 1 / np.gradient(exact, Q)
    # Windows of 3 % around a peak err by up to V''' h² / 10 of the slope, 2.4 % here.
    inner = slice(3, -3)
    np.testing.assert_allclose(found["Differential capacity [Ah/V] (model axis)"][inner], rate[inner], rtol=3e-2)
    expected = np.interp(voltage(), exact[::-1], Q[::-1])
    np.testing.assert_allclose(found["Capacity [A.h] (dQdU)"], expected, rtol=1e-12)
    data = one.observed["Differential capacity [Ah/V]"]
    assert np.nanmax(np.abs(data)) <= 5.0
    assert np.isnan(data).any()
    assert one.slopes(at) is None


def test_peaks_of_the_differential_capacity_find_their_places_by_the_wasserstein_distance():
    options = {"objective variables": ["Differential capacity [Ah/V]"], "dQdU model axis": True, "dQdU cutoff": 30.0}
    known = {name: value for name, value in some(LOWER, UPPER).items() if name != f"{P} {LOWER}"}
    entry = cw.direct_entries.DirectEntry({f"{N} OCP [V]": negative, f"{P} OCP [V]": positive, **known})
    cost = cw.costs.Wasserstein(
        position_variable="Voltage [V] (model axis)", weight_variable="Differential capacity [Ah/V] (model axis)"
    )
    start = {f"{P} {LOWER}": (2.4, (1.0, 3.0))}
    record = fitted(cell(options=options), start, cost=cost, optimizer=cw.optimizers.ScipyMinimize(), before=entry)
    assert record.result["x"][0] == pytest.approx(2.0, abs=2e-3)


def test_a_document_holds_all_of_an_objective():
    objective = cell(options={"direction": "discharge", "GITT": True, "dQdU cutoff": 12.0})
    again = cw.objectives.ElectrodeBalancing(**json.loads(json.dumps(objective.to_config())))
    first, second = (prepared(one, given=some(LOWER, UPPER)).predict({}).outputs for one in (objective, again))
    np.testing.assert_array_equal(first[VOLTAGE], second[VOLTAGE])


@pytest.mark.oracle("ElectrodeBalancingHalfCell")
@pytest.mark.parametrize("leaves", [False, True], ids=["lithium enters", "lithium leaves"])
def test_a_half_cell_is_moved_and_stretched_onto_its_potential(leaves):
    entered = np.linspace(0, 3e-3, 121)
    volts = positive((1.2e-3 + entered) / 4.5e-3)
    data = {"Capacity [A.h]": entered[::-1] if leaves else entered, VOLTAGE: volts}
    objective = cw.objectives.ElectrodeBalancingHalfCell("positive", data)
    starts = {f"{P} {LOWER}": (1e-3, (0, 3e-3)), f"{P} {WHOLE}": (5e-3, (3e-3, 8e-3))}
    record = fitted(objective, starts)
    assert record.result["x"] == pytest.approx([1.2e-3, 4.5e-3], rel=1e-8)


# What cannot be.


@pytest.mark.parametrize(
    ("objective", "error", "said"),
    [
        (cell(1000 * Q), DataError, "the data span 5000 A.h, and 'Negative electrode capacity [A.h]' is 5.8: the column"
         " 'Capacity [A.h]' seems to be in mA.h"),
        (cell(2 * Q), DataError, "the data span 10 A.h, and 'Negative electrode capacity [A.h]' is 5.8"),
        (cell(volts=voltage()[::-1], options={"direction": "discharge"}), DataError, "and on discharge it falls"),
        (cell(options={"direction": "charge"}), DataError, "and on charge it rises"),
        (cell(volts=1000 * voltage()), DataError, "the potentials of the electrodes make voltages between"),
        (cell(options={"dUdQ cutoff": 1e-3}), DataError, "0 points are left below the 'dUdQ cutoff'"),
        (cell(options={"dQdU cutoff": 1e-3, "objective variables": ["Differential capacity [Ah/V]"]}), DataError,
         "0 points have a differential capacity"),
        (cell(options={"objective variables": ["Differential voltage"]}), ConfigurationError,
         "there is no objective variable 'Differential voltage'"),
        (cell(np.concatenate([Q, Q[::-1]]), np.concatenate([voltage(), voltage()[::-1]])), DataError, "goes back by"),
    ],
    ids=["mA.h", "too much", "charge as discharge", "discharge as charge", "mV", "cut-off", "dQdU cut-off", "variable",
         "two sweeps"],
)  # fmt: skip
def test_data_that_cannot_be_are_refused(objective, error, said):
    with pytest.raises(error) as found:
        prepared(objective, given=some(LOWER, WHOLE))
    assert said in str(found.value)
    assert found.value.hint


def test_electrodes_that_have_changed_places_are_told():
    changed = {f"{N} OCP [V]": KNOWN[f"{P} OCP [V]"], f"{P} OCP [V]": KNOWN[f"{N} OCP [V]"]}
    with pytest.raises(DataError, match="the voltage of the data runs from") as found:
        prepared(cell(), given={**changed, **some(LOWER, WHOLE)})
    assert "changed places" in str(found.value.hint)


def test_capacities_that_are_missing_or_too_many_are_told():
    with pytest.raises(MissingParameterError, match="said by two of") as found:
        prepared(cell(), (f"{N} {LOWER}",), some(LOWER))
    assert found.value.detail["missing"] == [f"{N} {WHOLE}"]
    with pytest.raises(ConfigurationError, match="of these three two are free"):
        prepared(cell(), tuple(TRUTH))
    with pytest.raises(MissingParameterError, match="waits for 'Spare"):
        prepared(cell(), given={**some(LOWER, WHOLE), f"{N} {LOWER}": cw.direct_entries.DirectEntry(
            {"a": {"expression": "'Spare [A.h]' * 2"}}).compute(ParameterSet())["a"]})  # fmt: skip


def warnings_of(objective, starts=FOUR, before=POTENTIALS):
    parameters = {name: cw.Parameter(name, *given) for name, given in starts.items()}
    fit = cw.DataFit({"data": objective}, parameters=parameters)
    return [problem.message for problem in check(cw.Pipeline({"known": before, "fit": fit}), WORLD).problems]


def test_a_check_doubts_milliamperehours_where_capacities_are_free():
    starts = {f"{one} {part}": (value, (0, 20)) for one in (N, P) for part, value in ((LOWER, 0.5), (WHOLE, 6.0))}
    assert [said for said in warnings_of(cell(1000 * Q), starts) if "seems to be in mA.h" in said]
    assert warnings_of(cell(), starts) == []


def test_a_check_doubts_a_voltage_that_goes_back():
    bump = 0.03 * np.exp(-(((Q - 2) / 0.02) ** 2))
    (said,) = warnings_of(cell(volts=voltage() + bump))
    assert "the voltage goes back by up to" in said


def test_a_table_that_does_not_reach_where_the_cell_works_is_told_after_the_fit():
    x = np.linspace(0.35, 0.9, 200)
    narrow = cw.calculations.OCPDataInterpolant("positive", {"Stoichiometry": x, VOLTAGE: positive(x)})
    fit = cw.DataFit({"data": cell()}, parameters={name: cw.Parameter(name, *given) for name, given in FOUR.items()})
    record = run(cw.Pipeline({"known": POTENTIALS, "narrow": narrow, "fit": fit}), WORLD).element("fit")
    (said,) = record.warnings
    assert said.startswith("data: 'Positive electrode OCP [V]' is a table from 0.35 to 0.9 and is used from 0.2")


def test_what_the_middle_of_a_curve_leaves_open_is_said():
    middle = (Q > 2.0) & (Q < 2.6)
    objective = cell(Q[middle], voltage()[middle] + 5e-4 * np.random.default_rng(2).standard_normal(middle.sum()))
    words = fitted(objective).result["identifiability"]["words"]
    assert any("electrode" in said and ("determine" in said or "told apart" in said) for said in words)


def test_a_plateau_does_not_say_where_on_it_an_electrode_works():
    def plateau(x):
        return 3.42 + 0.3 * np.exp(-80 * x) - 0.3 * np.exp(80 * (x - 1))

    entry = cw.direct_entries.DirectEntry({f"{N} OCP [V]": negative, f"{P} OCP [V]": plateau})
    noise = 1e-3 * np.random.default_rng(4).standard_normal(len(Q))
    volts = plateau((2.0 + Q) / 7.6 * 0.5 + 0.2) - negative((0.2 + SPAN - Q) / 5.8) + noise
    starts = {**FOUR, f"{P} {UPPER}": (2.0, (0.5, 3)), f"{P} {LOWER}": (2.0, (0.5, 3))}
    cost = cw.costs.ChiSquare(variable_standard_deviations={VOLTAGE: 1e-3, SLOPE: 0.03})
    record = fitted(cell(volts=volts), starts, cost=cost, before=entry)
    words = record.result["identifiability"]["words"]
    assert f"these data do not determine {P} lower excess capacity within its range" in words
    width = {name: high - low for name, (low, high) in record.intervals.items()}
    assert width[f"{P} {UPPER}"] > 0.5
    assert max(width[f"{N} {part}"] for part in (LOWER, UPPER)) < 0.02


def test_a_formula_without_a_value_is_told_with_the_stoichiometries():
    nernst = {f"{P} OCP [V]": lambda x: 3.9 - 0.05 * np.log(x / (1 - x)), f"{N} OCP [V]": negative}
    given = cw.direct_entries.DirectEntry(nernst).compute(ParameterSet())
    one = cell().prepare(ParameterSet({**given, **some(LOWER)}), (f"{N} {UPPER}", f"{P} {WHOLE}"), None)
    answer = one.predict({f"{N} {UPPER}": 0.6, f"{P} {WHOLE}": 6.5})
    assert answer.status == "failed"
    assert answer.message == (
        "a potential has no value: the stoichiometries are positive from 0.3077 to 1.077 and negative from 0.03448 to "
        "0.8966"
    )


def test_a_number_beside_what_is_fitted_that_does_not_go_with_it_is_told_where_it_could_be_taken_for_it():
    for given, told in ((6.4, True), (5.8, False), (4e-3, False)):
        entry = cw.direct_entries.DirectEntry(
            {f"{N} OCP [V]": negative, f"{P} OCP [V]": positive, f"{N} {WHOLE}": given}
        )
        warnings = fitted(cell(), before=entry).warnings
        assert any("was given as 6.4, and the other two make it 5.8" in said for said in warnings) is told


SETS = {
    "lithiation": ([4.22, 4.0, 3.72, 3.55], [0.33, 0.25, 0.28, 0.14], [1.5, 2.5, 1.8, 1.2]),
    "delithiation": ([4.23, 4.01, 3.73, 3.56], [0.33, 0.25, 0.28, 0.14], [1.5, 2.5, 1.8, 1.2]),
}
"""Two directions of one electrode, as a fit of an MSMR model to each gives them."""


def test_half_cells_of_both_directions_carried_on_by_their_sites_balance_a_cell_that_works_beyond_them():
    from cellwright.physics.msmr import Sites, potential

    half, lower = 4e-3, 1.4e-3  # A.h: the half cell is measured from 0.35 to 0.9
    known, elements = {f"{P} {WHOLE}": half, f"{P} {LOWER}": lower}, {}
    for direction, (U0, X, w) in SETS.items():
        sites = f"{P} {direction} host site"
        known |= {
            f"{sites} standard potential [V]": U0,
            f"{sites} occupancy fraction": X,
            f"{sites} ideality factor": w,
        }
        x = np.linspace(0.35, 0.9, 300)
        data = {"Capacity [A.h]": x * half - lower, VOLTAGE: potential(x, Sites(U0, X, w))}
        elements[direction] = cw.calculations.OCPDataInterpolantMSMRExtrapolation(
            "positive", data, (3.0, 4.6), options={"direction": direction}
        )
    parameters = {name: cw.Parameter(name, *given) for name, given in FOUR.items()}
    entry = cw.direct_entries.DirectEntry({f"{N} OCP [V]": negative, **known})
    volts = potential((2.0 + Q) / 7.6, Sites(*SETS["lithiation"])) - negative((0.2 + SPAN - Q) / 5.8)
    fit = cw.DataFit({"data": cell(volts=volts, options={"direction": "discharge"})}, parameters=parameters)
    record = run(cw.Pipeline({"known": entry, **elements, "fit": fit}), WORLD).element("fit")
    assert record.warnings == ()
    for row in record.result["parameters"]:
        # Tables whose chords are off by 10 µV, of a cell of 5 A.h.
        assert row["value"] == pytest.approx(TRUTH[row["name"]], abs=5e-3)
    mean = cw.direct_entries.average_ocp(electrode="positive")
    both = cw.DataFit({"data": cell(volts=volts + 5e-3)}, parameters=parameters)
    record = run(cw.Pipeline({"known": entry, **elements, "mean": mean, "fit": both}), WORLD).element("fit")
    for row in record.result["parameters"]:
        assert row["value"] == pytest.approx(TRUTH[row["name"]], abs=5e-3)
