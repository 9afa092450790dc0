"""Fits of MSMR electrodes and cells: what they predict, sets that come back, measured curves, sums and orders kept."""

import json
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest
from msmr_cells import (
    CAPACITY,
    GRAPHITE,
    INVERSE,
    NMC,
    SLOPE,
    VOLTAGE,
    fitted,
    free,
    half_cell,
    name,
    population,
    potential,
    truth,
    world,
)

import cellwright as cw
from cellwright.catalog.estimators.slopes import Remembered, central_differences
from cellwright.engine.job import ObjectiveJob
from cellwright.engine.run import run
from cellwright.engine.search import Evaluation, Question, TotalCost
from cellwright.engine.world import World
from cellwright.physics.differential import Slopes
from cellwright.schema.expressions import parameter
from cellwright.schema.parameters import Origin, ParameterSet
from cellwright.schema.search import Space

Q, LOW = 5.0, 0.1
FILLED = np.linspace(0.0, 4.85, 400)
TRUTH = truth("negative", GRAPHITE, Q, LOW)
CURVE = potential(GRAPHITE, Q, FILLED + LOW)


def noisy(volts, seed=0):
    return CURVE + volts * np.random.default_rng(seed).normal(size=len(CURVE))


def given(values):
    return ParameterSet().merge(values, Origin("test"))


def predicted(objective, values):
    found = objective.prepare(given(values), (), None).predict({})
    assert found.status == "solved", found.message
    return found.outputs


@pytest.mark.oracle("MSMRHalfCell", "MSMRHalfCellModel")
def test_a_half_cell_is_its_formula():
    everything = (CAPACITY, VOLTAGE, SLOPE, INVERSE)
    found = predicted(half_cell("negative", FILLED, CURVE, everything, dUdQ_cutoff="none"), TRUTH)
    # The curve is known to 1e-12 V, of which a plateau makes more capacity.
    np.testing.assert_allclose(found[CAPACITY], FILLED, atol=1e-8)
    np.testing.assert_allclose(found[VOLTAGE], CURVE, atol=1e-11)
    slopes = Slopes(FILLED)(CURVE)  # without noise the windows are 1 % wide
    np.testing.assert_allclose(found[SLOPE], slopes, atol=1e-8)
    np.testing.assert_allclose(found[INVERSE], 1 / slopes, rtol=1e-6)


@pytest.mark.oracle("MSMRHalfCell", "MSMRHalfCellModel")
def test_sites_are_given_by_capacity_in_lists_by_direction_and_by_phase():
    U0, X, w = GRAPHITE
    by_list = {
        "Negative electrode host site standard potential [V]": U0.tolist(),
        "Negative electrode host site occupancy fraction": X.tolist(),
        "Negative electrode host site ideality factor": w.tolist(),
        "Negative electrode capacity [A.h]": Q,
        "Negative electrode lower excess capacity [A.h]": LOW,
    }
    by_capacity = {key: value for key, value in TRUTH.items() if "fraction" not in key and " electrode cap" not in key}
    by_capacity |= {name("negative", "occupancy capacity", j): Q * float(x) for j, x in enumerate(X)}
    phases = {"Negative electrode lower excess capacity [A.h]": LOW}
    for phase, which in (("Primary", slice(0, 2)), ("Secondary", slice(2, 6))):
        phases[f"{phase}: Negative electrode capacity [A.h]"] = Q * float(X[which].sum())
        part = truth("negative", (U0[which], X[which] / X[which].sum(), w[which]), Q, LOW)
        phases |= {f"{phase}: {key}": value for key, value in part.items() if "host site" in key}
    split = {f"{phase}: Negative electrode lower excess capacity [A.h]": LOW / 2 for phase in ("Primary", "Secondary")}
    each = {key: value for key, value in phases.items() if "lower excess" not in key} | split
    turned = truth("negative", GRAPHITE, Q, LOW, "delithiation ")
    cases = [
        (by_list, {}),
        (by_capacity, {"species format": "Qj"}),
        (phases, {"particle phases": "2"}),
        (each, {"particle phases": "2"}),
        (turned, {"direction": "delithiation"}),
    ]
    for values, model in cases:
        found = predicted(half_cell("negative", FILLED, CURVE, [CAPACITY], model), values)
        np.testing.assert_allclose(found[CAPACITY], FILLED, atol=1e-8)


def test_a_delithiation_counts_what_leaves():
    """The capacity that was taken out rises with the potential; the lower excess is what was in at the start."""
    turned = truth("negative", GRAPHITE, Q, LOW + FILLED[-1], "delithiation ")
    objective = half_cell("negative", FILLED, CURVE[::-1], [CAPACITY], {"direction": "delithiation"})
    np.testing.assert_allclose(predicted(objective, turned)[CAPACITY], -FILLED[::-1], atol=1e-8)


@pytest.mark.oracle("MSMRHalfCellModel")
def test_a_function_of_ones_own_is_the_electrode():
    sites = population(GRAPHITE, Q)
    functions = {
        "capacity function": lambda U, values: values[name("negative", "capacity")] / Q * sites.at(U).q,
        "differential capacity function": lambda U, values: sites.at(U).slope,
    }
    objective = half_cell("negative", FILLED, CURVE, (CAPACITY, VOLTAGE, SLOPE), functions, dUdQ_cutoff="none")
    found = predicted(objective, TRUTH)
    np.testing.assert_allclose(found[CAPACITY], FILLED, atol=1e-8)
    # A table of 2001 potentials is joined by chords.
    np.testing.assert_allclose(found[VOLTAGE], CURVE, atol=1e-3)
    np.testing.assert_allclose(found[SLOPE], 1 / sites.at(found[VOLTAGE]).slope, rtol=1e-12)
    other = half_cell("negative", FILLED, CURVE, (CAPACITY,), {"capacity function": lambda U, values: 0 * U})
    assert other.digest() != objective.digest()
    record = fitted(
        half_cell("negative", FILLED, CURVE, (CAPACITY,), functions),
        {name("negative", "capacity"): cw.Parameter("Q", 4.0, (3.0, 7.0))},
        {key: value for key, value in TRUTH.items() if key != name("negative", "capacity")},
    )
    assert record.result["x"][0] == pytest.approx(Q, rel=1e-6)


def full_cell(spread=0.0, variables=None, count=300, fields=None):
    """A cell of graphite and NMC, its parameters and the objective of its open-circuit voltage."""
    values = {**truth("negative", GRAPHITE, 5.6, 0.15), **truth("positive", NMC, 8.0, 1.2)}
    out = np.linspace(0.0, 4.8, count)
    V = potential(NMC, 8.0, 1.2 + out) - potential(GRAPHITE, 5.6, 0.15 + 4.8 - out)
    V = V + spread * np.random.default_rng(1).normal(size=count)
    asked = {} if variables is None else {"objective variables": variables}
    return values, out, V, cw.objectives.MSMRFullCell({CAPACITY: out, VOLTAGE: V}, options=asked, **(fields or {}))


@pytest.mark.oracle("MSMRFullCell", "MSMRFullCellModel")
def test_a_cell_is_the_difference_of_its_electrodes_charged_or_discharged():
    values, out, V, objective = full_cell(variables=[VOLTAGE, SLOPE, INVERSE])
    found = predicted(objective, values)
    np.testing.assert_allclose(found[VOLTAGE], V, atol=1e-10)
    np.testing.assert_allclose(found[SLOPE], Slopes(out)(V), atol=1e-8)
    np.testing.assert_allclose(found[INVERSE], 1 / Slopes(out)(V), rtol=1e-6)
    charged = cw.objectives.MSMRFullCell({CAPACITY: out, VOLTAGE: V[::-1]}, options={"dUdQ cutoff": "none"})
    again = predicted(charged, values)
    np.testing.assert_allclose(again[VOLTAGE], V[::-1], atol=1e-10)
    np.testing.assert_allclose(again[SLOPE], Slopes(out)(V[::-1]), atol=1e-8)


def evaluation(objective, values, tied=None, **starts):
    """What a search of an objective asks, with all these parameters free, and its space."""
    inner = given(tied or {})
    fit = cw.DataFit({"o": objective}, parameters={**free(values, seed=5), **starts})
    bare = Space(fit.dimensions, closed_form=True)
    space = Space(fit.dimensions, closed_form=True, groups=tuple(objective.groups(inner, bare)))
    ready = {"o": objective.prepare(inner, space.names, None)}
    job = ObjectiveJob.of(ready, {}, inner, space.names, None)
    question = Question("fit", space, ready, job, TotalCost(cw.costs.SSE()), True)
    return Evaluation(question, World(None, None, None, None), "key"), space


def test_derivatives_are_those_of_differences():
    half = half_cell("negative", FILLED[::8], CURVE[::8], (CAPACITY, SLOPE, VOLTAGE, INVERSE), dQdU_cutoff=30.0)
    # Four sites rather than six keep the differences of a cell's plateaus from each other.
    cell = full_cell(variables=[VOLTAGE, SLOPE, INVERSE], count=60)
    for objective, values in ((half, TRUTH), (cell[3], cell[0])):
        one, space = evaluation(objective, values)
        at = space.initial + 0.01
        told = one.jacobian(at)
        found = central_differences(Remembered(lambda x, one=one: one(x).residuals), at, space)
        assert told.shape == found.shape
        # The differences err by the square of their step over the width of a site, in each column.
        assert np.abs(told - found).max() < 2e-5 * np.abs(found).max()
        np.testing.assert_allclose(told, found, rtol=2e-4, atol=2e-6 * np.abs(found).max())


@pytest.mark.parametrize("variables", [(VOLTAGE,), None], ids=["voltage", "capacity and slope"])
def test_a_graphite_of_six_sites_comes_back_from_its_own_curve(variables):
    record = fitted(half_cell("negative", FILLED, CURVE, variables), free(TRUTH, seed=3))
    # Without noise the cost falls to nothing, and the search goes on until a step changes 1e-10 of the parameters.
    for one in record.result["parameters"]:
        assert one["value"] == pytest.approx(TRUTH[one["name"]], rel=1e-8), one["name"]


def test_a_graphite_of_six_sites_comes_back_from_a_fifth_of_a_millivolt_of_noise_as_its_intervals_say():
    """Each number lies within four standard errors, which tell the narrow plateaus from the wide slopes."""
    record = fitted(half_cell("negative", FILLED, noisy(2e-4), (VOLTAGE,)), free(TRUTH, seed=1))
    rows = {one["name"]: one for one in record.result["parameters"]}
    for key, value in TRUTH.items():
        # 20 numbers of which none is further off than in 1 of 10,000 cases.
        assert abs(rows[key]["value"] - value) < 4 * rows[key]["std_error"], key
    relative = {key: row["std_error"] / row["value"] for key, row in rows.items()}
    # The plateaus are known to a thousandth; the broad sites, a slope beside each other, to a tenth at best.
    assert all(relative[name("negative", "standard potential", j)] < 1e-3 for j in (0, 1, 4))
    assert all(relative[name("negative", "occupancy fraction", j)] > 0.1 for j in (3, 5))
    fit = record.result["objectives"]["ocp"]["RMSE [mV] (Voltage [V])"]["fitted"]
    assert fit == pytest.approx(0.2, rel=0.1)  # √(2/400), three times


def test_fractions_add_up_to_one_by_projection_and_only_their_sum_is_known_beforehand():
    record = fitted(half_cell("negative", FILLED, noisy(2e-4), (VOLTAGE,)), free(TRUTH, seed=1))
    values = record.result["parameter_values"]
    fractions = [values[name("negative", "occupancy fraction", j)] for j in range(6)]
    assert sum(fractions) == pytest.approx(1, abs=1e-15)
    told = record.result["identifiability"]
    assert not any(len(one["parameters"]) == 6 for one in told["undetermined"])
    assert told["freedom"] == 400 - 20 + 1
    places = [told["names"].index(name("negative", "occupancy fraction", j)) for j in range(6)]
    covariance = np.array(told["covariance"])[np.ix_(places, places)]
    # The sum of what adds up to 1 has no variance.
    assert abs(covariance.sum()) < 1e-6 * np.trace(covariance)


def test_the_other_ways_to_a_sum_of_one_find_the_same_set():
    start = free(TRUTH, seed=1)
    found = {}
    for method in ("project", "explicit", "reformulate"):
        options = {"constrain_Xj_method": method}
        record = fitted(half_cell("negative", FILLED, noisy(2e-4), (VOLTAGE,), **options), start)
        found[method] = record.result
        values = record.result["parameter_values"]
        total = sum(values[name("negative", "occupancy fraction", j)] for j in range(6))
        # The term of the cost holds the sum softly.
        assert total == pytest.approx(1, abs=1e-4 if method == "explicit" else 1e-12)
        for one in (0, 1, 4):
            assert values[name("negative", "standard potential", one)] == pytest.approx(GRAPHITE[0][one], abs=2e-4)
    assert name("negative", "occupancy fraction", 5) not in [row["name"] for row in found["reformulate"]["parameters"]]
    assert found["reformulate"]["cost"] == pytest.approx(found["project"]["cost"], rel=1e-3)
    errors = [{row["name"]: row["std_error"] for row in found[one]["parameters"]} for one in ("project", "explicit")]
    # Both fits end within 1e-5 of the least cost, and so at slightly other sites.
    assert errors[0] == pytest.approx(errors[1], rel=0.05)


def test_slopes_that_share_their_noise_are_no_error_of_the_model():
    known = {key: value for key, value in TRUTH.items() if "capacity" not in key}
    start = free({key: value for key, value in TRUTH.items() if key not in known})
    record = fitted(half_cell("negative", FILLED, noisy(2e-4), (VOLTAGE, SLOPE)), start, known)
    rows = {one["variable"]: one for one in record.result["identifiability"]["noise"]}
    assert rows[SLOPE]["left"] > 0
    assert not [one for one in record.result["identifiability"]["words"] if "error of the model" in one]


def test_a_last_fraction_is_held_in_its_bounds():
    """Without the term the others would leave it less than its lower bound of 0.2."""
    last = name("negative", "occupancy fraction", 5)
    bounds = {**free(TRUTH, seed=1), last: cw.Parameter(last, 0.25, (0.2, 1.0))}
    ends = {}
    for held in (False, True):
        options = {"constrain_Xj_method": "reformulate", "penalize_Xj_complement_bounds": held}
        record = fitted(half_cell("negative", FILLED, noisy(2e-4), (VOLTAGE,), **options), bounds)
        ends[held] = record.result["parameter_values"][last]
    assert ends[False] < 0.15
    assert ends[True] == pytest.approx(0.2, abs=0.01)


def test_potentials_keep_their_order():
    order = np.argsort(-NMC[0])
    sites = tuple(part[order] for part in NMC)
    values = truth("positive", sites, 3.0, 0.2)
    q = np.linspace(0, 2.6, 150)
    U = potential(sites, 3.0, q + 0.2)
    # The bounds let the two in the middle change places.
    start = {**free(values), **{
        name("positive", "standard potential", j): cw.Parameter("U", u, (3.4, 4.4)) for j, u in ((1, 3.72), (2, 3.71))
    }}  # fmt: skip
    record = fitted(half_cell("positive", q, U, (VOLTAGE,), preserve_U0j_order=True), start)
    found = [record.result["parameter_values"][name("positive", "standard potential", j)] for j in range(4)]
    assert (np.diff(found) <= 0).all()
    np.testing.assert_allclose(found, sites[0], atol=1e-3)


def test_a_fraction_may_be_tied_and_others_known():
    """Then nothing is projected: what is given is taken."""
    X = GRAPHITE[1]
    known = {key: value for key, value in TRUTH.items() if key != name("negative", "lower excess capacity")}
    keys = [name("negative", "occupancy fraction", j) for j in (0, 1)]
    tied = {keys[0]: cw.Parameter(keys[0], 0.3, (0.1, 0.6)), keys[1]: float(X[0] + X[1]) - parameter(keys[0])}
    low = {name("negative", "lower excess capacity"): cw.Parameter("low", 0.02, (0.0, 0.5))}
    record = fitted(half_cell("negative", FILLED, CURVE, (VOLTAGE,)), {**tied, **low}, known)
    assert record.result["parameter_values"][keys[0]] == pytest.approx(X[0], rel=1e-6)
    assert record.result["parameter_values"][keys[1]] == pytest.approx(X[1], rel=1e-6)


def test_a_set_of_the_library_is_where_a_fit_starts_and_what_it_finds_goes_on():
    """The entry has lists; a parameter of a site stands for its place in them, before and after the fit."""
    known = {key: value for key, value in TRUTH.items() if "host site" not in key}
    lists = cw.Material.from_library("Graphite - Verbrugge 2017").parameter_values
    moved = name("negative", "standard potential", 4)
    shifted = [*GRAPHITE[0][:4], 0.25, GRAPHITE[0][5]]
    U = potential((np.array(shifted), *GRAPHITE[1:]), Q, FILLED + LOW)
    elements = {
        "material": cw.direct_entries.DirectEntry({**lists, **known}, source="Verbrugge 2017"),
        "fit": cw.DataFit(half_cell("negative", FILLED, U, (VOLTAGE,)), parameters={moved: cw.Parameter(moved)}),
        "potential": cw.calculations.OCPMSMRInterpolant("negative", (0.05, 0.4)),
    }
    result = run(cw.Pipeline(elements), world())
    fit = result.element("fit").result
    assert fit["initial_guess"][moved] == 0.21
    assert fit["parameter_values"][moved] == pytest.approx(
        0.25, abs=1e-3
    )  # the fractions of the library sum to 0.99999
    q = np.linspace(0.3, 4.3, 9)
    ocp = result.parameters["Negative electrode OCP [V]"]
    np.testing.assert_allclose(ocp((q + LOW) / Q), np.interp(q, FILLED, U), atol=2e-3)


def test_every_pool_and_the_wire_form_find_the_same_bits():
    values = truth("positive", NMC, 3.0, 0.2)
    q = np.linspace(0, 2.6, 80)
    objective = half_cell("positive", q, potential(NMC, 3.0, q + 0.2), None)
    pipeline = cw.Pipeline({"fit": cw.DataFit(objective, parameters=free(values, seed=2))})
    again = cw.Pipeline.from_config(json.loads(json.dumps(pipeline.to_config())))
    with ThreadPoolExecutor(1) as threads:
        found = [cw.run(pipeline), cw.run(again), cw.run(pipeline, executor=threads)]
    first, *others = (one.element("fit").result["x"] for one in found)
    assert all(other == first for other in others)


def test_each_direction_of_an_array_has_its_table():
    values = truth("positive", NMC, 3.0, 0.2)
    q = np.linspace(0, 2.6, 80)
    low = name("positive", "lower excess capacity")
    known = {key: value for key, value in values.items() if key != low}
    objectives = {
        float(lower): half_cell("positive", q, potential(NMC, 3.0, q + lower), (VOLTAGE,)) for lower in (0.1, 0.3)
    }
    elements = {
        "known": cw.direct_entries.DirectEntry(known, source="given"),
        "fits": cw.ArrayDataFit(objectives, parameters={low: cw.Parameter(low, 0.2, (0.0, 0.4))}),
    }
    table = run(cw.Pipeline(elements), world()).parameters[low]
    np.testing.assert_allclose(table, [[0.1, 0.3], [0.1, 0.3]], rtol=1e-8)


def test_rests_of_a_gitt_are_taken():
    """Pulses of an hour at C/20, with overpotential, each followed by a rest that ends at open circuit."""
    rows = {"Time [s]": [0.0], "Current [A]": [0.0], VOLTAGE: [float(CURVE[0])], CAPACITY: [0.0]}
    points = np.linspace(0.0, 4.5, 19)
    for before, q in pairwise(points):
        for share, current in ((0.0, 0.25), (1.0, 0.25), (1.0, 0.0), (1.0, 0.0)):
            here = before + share * (q - before)
            rows["Time [s]"].append(rows["Time [s]"][-1] + 3600.0)
            rows["Current [A]"].append(current)
            rows[CAPACITY].append(here)
            rows[VOLTAGE].append(float(np.interp(here, FILLED, CURVE)) - 0.08 * current / 0.25)
    model = {"electrode": "negative", "options": {"species format": "Xj"}}
    options = {"model": model, "GITT": True, "objective variables": [VOLTAGE]}
    ready = cw.objectives.MSMRHalfCell(rows, options=options).prepare(given(TRUTH), (), None)
    observed = ready.observed[VOLTAGE]
    np.testing.assert_allclose(observed, np.interp(points, FILLED, CURVE), atol=1e-12)


@pytest.mark.oracle("MSMRFullCell")
def test_a_cell_tells_the_capacities_of_its_known_electrodes():
    values, _, _, objective = full_cell(spread=2e-4)
    asked = [name(side, what) for side in ("negative", "positive") for what in ("capacity", "lower excess capacity")]
    known = {key: value for key, value in values.items() if key not in asked}
    record = fitted(objective, free({key: values[key] for key in asked}, seed=3), known)
    for row in record.result["parameters"]:
        # The windows smooth the noise of the slopes, which is then not independent: intervals are too narrow.
        assert row["value"] == pytest.approx(values[row["name"]], rel=0.02, abs=0.02), row["name"]


def test_several_starts_find_the_set_and_the_best_goes_on_to_the_end():
    values = truth("positive", NMC, 3.0, 0.2)
    q = np.linspace(0, 2.6, 120)
    objective = half_cell("positive", q, potential(NMC, 3.0, q + 0.2), (VOLTAGE,))
    record = fitted(objective, free(values), multistarts=10, options={"seed": 4})
    children = record.result["children"]
    assert len(children) == 10
    assert children[0]["cost"] < 1e-12 < children[-1]["cost"]
    found = record.result["parameter_values"]
    # Which site has which number is the start's choice.
    potentials = sorted(found[name("positive", "standard potential", j)] for j in range(4))
    np.testing.assert_allclose(potentials, NMC[0], rtol=1e-6)
    assert found[name("positive", "capacity")] == pytest.approx(3.0, rel=1e-6)
