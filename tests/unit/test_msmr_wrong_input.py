"""What is wrong with the data or the sites of an MSMR fit, and how it is told."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "oracle"))
from msmr_cells import CAPACITY, GRAPHITE, NMC, VOLTAGE, fitted, free, half_cell, name, potential, truth, world

import cellwright as cw
from cellwright.engine.check import check
from cellwright.errors import CheckFailedError, ConfigurationError, DataError, MissingParameterError
from cellwright.schema.parameters import Origin, ParameterSet

FILLED = np.linspace(0.0, 4.85, 200)
TRUTH = truth("negative", GRAPHITE, 5.0, 0.1)
CURVE = potential(GRAPHITE, 5.0, FILLED + 0.1)


def prepared(objective, values=TRUTH, free_names=()):
    return objective.prepare(ParameterSet().merge(values, Origin("test")), tuple(free_names), None)


def told(objective, parameters=None):
    """What the check of a fit says, errors and warnings."""
    fit = cw.DataFit({"ocp": objective}, parameters=parameters or free(TRUTH))
    return check(cw.Pipeline({"fit": fit}), world()).problems


def test_a_capacity_that_counts_the_wrong_way_is_told_with_the_remedy():
    with pytest.raises(DataError, match="falls as lithium enters") as caught:
        prepared(half_cell("negative", FILLED, CURVE[::-1]))
    assert "'direction': 'delithiation'" in caught.value.hint


def test_a_window_without_data_is_told():
    with pytest.raises(DataError, match=r"0 points lie between 3 and 4 V: they run from 0\.01476 to") as caught:
        prepared(half_cell("negative", FILLED, CURVE, voltage_limits=(3.0, 4.0)))
    assert "'voltage limits'" in caught.value.hint
    with pytest.raises(ConfigurationError, match="a lower and an upper one"):
        prepared(half_cell("negative", FILLED, CURVE, voltage_limits=(0.5, 0.1)))


def test_sites_that_do_not_overlap_the_data_are_doubted():
    high = {key: value + 3.0 if "potential" in key else value for key, value in TRUTH.items()}
    said = [one.message for one in told(half_cell("negative", FILLED, CURVE), free(high))]
    assert any("sites fill between 3.088 and 3.36 V" in one and "do not overlap" in one for one in said)


def test_a_single_site_beside_the_data_is_doubted():
    aside = {**TRUTH, name("negative", "standard potential", 4): 2.1}
    said = [one.message for one in told(half_cell("negative", FILLED, CURVE), free(aside))]
    assert any("potential (4) [V]' starts at 2.1 V" in one and "say nothing of that site" in one for one in said)


def test_milliampere_hours_are_doubted():
    said = [one.message for one in told(half_cell("negative", 1000 * FILLED, CURVE))]
    assert any("the data span 4850 A.h" in one and "is in mA.h" in one for one in said)


def test_a_potential_that_goes_back_is_doubted():
    bumpy = CURVE + 0.02 * np.exp(-(((FILLED - 2.0) / 0.1) ** 2))
    said = [one.message for one in told(half_cell("negative", FILLED, bumpy))]
    assert any("goes back by up to" in one for one in said)


def test_too_few_points_are_told():
    with pytest.raises(DataError, match="at least"):
        prepared(half_cell("negative", [0.0, 1.0], [0.5, 0.2]))
    record = fitted(half_cell("negative", FILLED[::14], CURVE[::14], (VOLTAGE,)), free(TRUTH))
    assert "15 data points for 19 parameters" in record.result["identifiability"]["error"]


def test_a_site_that_lacks_a_parameter_is_told_with_the_nearest_name():
    values = {key.replace("factor (3)", "facter (3)"): value for key, value in TRUTH.items()}
    with pytest.raises(
        MissingParameterError, match=r"no 'Negative electrode host site ideality factor \(3\)'"
    ) as caught:
        prepared(half_cell("negative", FILLED, CURVE), values)
    assert "facter (3)" in caught.value.hint
    other = {key.replace("Negative", "Positive"): value for key, value in TRUTH.items()}
    with pytest.raises(MissingParameterError, match="needs sites") as caught:
        prepared(half_cell("negative", FILLED, CURVE), other)
    assert "Positive electrode host site" in caught.value.hint
    with pytest.raises(MissingParameterError, match="its lower excess capacity"):
        prepared(half_cell("negative", FILLED, CURVE), {k: v for k, v in TRUTH.items() if "excess" not in k})


def test_fractions_where_capacities_are_asked_for_are_told():
    with pytest.raises(MissingParameterError) as caught:
        prepared(half_cell("negative", FILLED, CURVE, model={"species format": "Qj"}))
    assert "'species format': 'Xj'" in caught.value.hint


def test_the_check_tells_the_option_for_fractions():
    said = told(half_cell("negative", FILLED, CURVE, model={"species format": "Qj"}))
    assert any("'species format': 'Xj'" in (one.hint or "") for one in said), said


def test_data_that_need_more_than_the_electrode_holds_are_doubted():
    few = {**TRUTH, name("negative", "capacity"): 4.9}
    said = [one.message for one in told(half_cell("negative", FILLED, CURVE), free(few))]
    assert any("to 4.899 A.h between" in one and "need 0.1 to 4.95 A.h" in one for one in said), said
    held = {name("negative", "capacity"): cw.Parameter("Q", 4.8, (4.7, 4.9))}
    known = {key: value for key, value in TRUTH.items() if key not in held}
    record = fitted(half_cell("negative", FILLED, CURVE), held, known)
    assert any("beyond, its potential is a straight line" in one for one in record.warnings)


def test_limits_of_an_electrode_that_the_cell_goes_beyond_are_told():
    values = {**TRUTH, **truth("positive", NMC, 5.6, 0.4)}
    V = potential(NMC, 5.6, 0.4 + FILLED) - CURVE[::-1]
    held = {name("positive", "capacity"): cw.Parameter("Q", 5.6, (5.5, 5.7))}
    known = {key: value for key, value in values.items() if key not in held}
    for limits, expected in (((2.5, 5.0), 0), ((2.5, 4.2), 1)):
        options = {"positive voltage limits": list(limits)}
        record = fitted(cw.objectives.MSMRFullCell({CAPACITY: FILLED, VOLTAGE: V}, options=options), held, known)
        assert sum("between 4.2 and 2.5 V" in one for one in record.warnings) == expected
        assert len(record.warnings) == expected


def test_a_misspelt_parameter_of_a_fit_is_named():
    parameters = {key.replace("factor (3)", "facter (3)"): value for key, value in free(TRUTH).items()}
    said = [one for one in told(half_cell("negative", FILLED, CURVE), parameters) if one.severity == "error"]
    assert any("ideality factor (3)" in one.message and "facter (3)" in (one.hint or "") for one in said), said


def test_too_many_sites_are_told_by_what_the_data_leave_open():
    """A seventh site of the potential of the first: of the two only the sum is known."""
    U0, X, w = (np.append(part, part[:1]) for part in GRAPHITE)
    X[0], X[6] = X[0] / 2, X[0] / 2
    record = fitted(half_cell("negative", FILLED, CURVE, (VOLTAGE,)), free(truth("negative", (U0, X, w), 5.0, 0.1)))
    told = record.result["identifiability"]
    pair = {name("negative", "occupancy fraction", 0), name("negative", "occupancy fraction", 6)}
    assert any(pair <= set(one["parameters"]) for one in told["undetermined"])
    assert any("cannot be told apart" in one for one in told["words"])
    assert told["condition"] > 1e6


def test_too_few_sites_are_told_by_what_the_model_leaves():
    few = tuple(part[[0, 1, 5]] for part in GRAPHITE)
    few = (few[0], few[1] / few[1].sum(), few[2])
    noisy = CURVE + 2e-4 * np.random.default_rng(0).normal(size=len(CURVE))
    record = fitted(half_cell("negative", FILLED, noisy, (VOLTAGE,)), free(truth("negative", few, 5.0, 0.1)))
    assert any("an error of the model rather than noise" in one for one in record.result["identifiability"]["words"])


def test_orders_and_bounds_that_cannot_be_kept_are_refused():
    with pytest.raises(CheckFailedError, match="fall from site to site"):
        fitted(half_cell("negative", FILLED, CURVE, preserve_U0j_order=True), free(TRUTH))
    narrow = free(TRUTH)
    for j in range(6):
        key = name("negative", "occupancy fraction", j)
        narrow[key] = cw.Parameter(key, 0.05, (0.0, 0.1))
    with pytest.raises(CheckFailedError, match=r"their bounds allow sums from 0 to 0\.6"):
        fitted(half_cell("negative", FILLED, CURVE), narrow)


def test_variables_and_models_that_are_not_there_are_refused():
    with pytest.raises(ConfigurationError, match="variable 'Voltag") as caught:
        prepared(half_cell("negative", FILLED, CURVE, ["Voltag [V]"]))
    assert "Voltage [V]" in caught.value.hint
    data = {CAPACITY: FILLED, VOLTAGE: CURVE}
    with pytest.raises(ConfigurationError, match="needs the model of an electrode"):
        prepared(cw.objectives.MSMRHalfCell(data))
    said = [one for one in told(cw.objectives.MSMRHalfCell(data)) if one.severity == "error"]
    assert [one.message for one in said] == ["the objective needs the model of an electrode"]
    with pytest.raises(ConfigurationError, match="no MSMR model of an electrode"):
        prepared(cw.objectives.MSMRHalfCell(data, options={"model": "SPM"}))
    with pytest.raises(ConfigurationError, match="not driven by a current"):
        cw.models.MSMRHalfCellModel("negative").spec()


def test_cells_tell_of_electrodes_that_are_too_small():
    values = {**TRUTH, **truth("positive", GRAPHITE, 3.0, 0.1)}
    cell = cw.objectives.MSMRFullCell({CAPACITY: FILLED, VOLTAGE: 4.2 - 0.2 * FILLED})
    said = [one.message for one in told(cell, free(values))]
    assert any("the positive electrode holds" in one and "need 0.1 to 4.95 A.h" in one for one in said)
    small = cw.objectives.MSMRFullCell({CAPACITY: 1000 * FILLED, VOLTAGE: 4.2 - 0.2 * FILLED})
    said = [one.message for one in told(small, free(values))]
    assert any("the negative electrode holds 5 A.h at the start" in one and "mA.h" in one for one in said)
