"""The same fit at each temperature or stoichiometry: tables that calculations take, and models after these."""

import numpy as np
import pytest
from curves import LINE, V, done, measured, world
from scipy.constants import R

import cellwright as cw
from cellwright.compute.inline import InlinePool
from cellwright.engine.world import MemoryJournal
from cellwright.errors import CheckFailedError, SolverError
from cellwright.schema.parameters import Origin
from cellwright.schema.values import normalise
from cellwright.schema.work import Answer
from cellwright.testing.cells import discharge, published

DP = "Positive particle diffusivity [m2.s-1]"


def lines(**truth):
    """Return objectives at each key with a line of slope `truth[key]`, named by numbers."""
    return {key: measured("line", noise=0.0, a=1.0, b=slope)[1] for key, slope in truth.items()}


def test_each_value_is_fitted_on_its_own_in_the_order_of_numbers():
    objectives = lines(**{"100": 3.0, "20": 2.0, "3.5": 1.5})
    record = done(fit=cw.ArrayDataFit(objectives, parameters=LINE)).element("fit")
    table = normalise(record.result["parameter_values"]["b"])
    assert table == pytest.approx(np.array([[3.5, 20, 100], [1.5, 2.0, 3.0]]), rel=1e-6)
    assert list(record.result["fits"]) == ["3.5", "20", "100"]
    assert record.result["fits"]["20"]["identifiability"]["points"] == 31
    assert set(record.series) == {"3.5", "20", "100"}
    assert record.counts["solves"] == sum(
        one["evaluations"] + 5 + 2 for one in record.result["fits"].values()
    )  # slopes, start and end


def test_numbers_as_keys_are_read():
    objectives = {313.15: lines(x=2.0)["x"], 298: lines(x=1.0)["x"]}
    table = done(fit=cw.ArrayDataFit(objectives, parameters=LINE)).parameters["b"]
    assert table == pytest.approx(np.array([[298, 313.15], [1.0, 2.0]]), rel=1e-6)


def test_one_that_fails_is_told_and_leaves_the_others():
    objectives = lines(**{"1": 1.0, "2": 2.0, "3": 3.0})

    class Failing(InlinePool):
        def map(self, job, tasks, time_limit=None):
            lost = Answer("failed", message="this one never ends")
            answers = zip(tasks, super().map(job, tasks, time_limit), strict=True)
            return [lost if task.objective == "2" else answer for task, answer in answers]

    record = done(world(pool=Failing()), fit=cw.ArrayDataFit(objectives, parameters=LINE)).element("fit")
    assert normalise(record.result["parameter_values"]["b"])[0].tolist() == [1.0, 3.0]
    assert "this one never ends" in record.result["failed_objectives"]["2"]
    assert "parameters at 2 values" in str(record)
    assert "2 failed: " in str(record)
    with pytest.raises(SolverError, match="never ends"):
        done(world(pool=Failing()), fit=cw.ArrayDataFit({"2": objectives["2"]}, parameters=LINE))


class Counting(InlinePool):
    """A pool that notes how many tasks each batch has, and dies at one of them."""

    def __init__(self, dies_at=None):
        super().__init__()
        self.batches, self.dies_at = [], dies_at

    def map(self, job, tasks, time_limit=None):
        if len(self.batches) == self.dies_at:
            raise KeyboardInterrupt
        self.batches.append(len(tasks))
        return super().map(job, tasks, time_limit)


def test_those_that_were_stopped_go_on_where_they_were():
    objectives = lines(**{"1": 1.0, "2": 2.0, "3": 3.0})
    journal, dying = MemoryJournal(), Counting(dies_at=2)
    element = cw.ArrayDataFit(objectives, parameters=LINE)
    with pytest.raises(KeyboardInterrupt):
        done(world(pool=dying, journal=journal), fit=element)
    record = done(world(journal=journal), fit=element).element("fit")
    assert record.counts["replayed"] == sum(dying.batches) > 0
    assert record.result["parameter_values"] == done(fit=element).element("fit").result["parameter_values"]


@pytest.mark.parametrize("changes", [{"objective_parallelism": "off"}, {"options": {"maxtime": 60.0}}])
def test_fits_share_their_batches_unless_each_is_to_be_done_alone(changes):
    objectives = lines(**{"1": 1.0, "2": 2.0, "3": 3.0})
    together, alone = Counting(), Counting()
    both = [
        done(world(pool=pool), fit=cw.ArrayDataFit(objectives, parameters=LINE, **more)).element("fit")
        for pool, more in ((together, {}), (alone, changes))
    ]
    assert sum(together.batches) == sum(alone.batches)
    assert len(together.batches) < len(alone.batches) / 2
    assert both[0].result["parameter_values"] == both[1].result["parameter_values"]


def test_progress_is_that_of_all_fits_together():
    told = []
    objectives = lines(**{"1": 1.0, "2": 2.0, "3": 3.0})
    record = done(world(emit=told.append), fit=cw.ArrayDataFit(objectives, parameters=LINE)).element("fit")
    last = [event.data for event in told if event.kind == "progress"][-1]
    assert last["evaluations"] == record.counts["evaluations"]
    assert last["best_cost"] == pytest.approx(record.result["cost"], abs=1e-12)


@pytest.mark.parametrize(
    ("keys", "message"),
    [(("cold", "1"), "'cold' is no number"), (("1", "1.0"), "are the same number"), (("nan", "1"), "is no number")],
)
def test_keys_that_are_no_numbers_are_told(keys, message):
    objectives = lines(**dict.fromkeys(keys, 1.0))
    with pytest.raises(CheckFailedError, match=message):
        done(fit=cw.ArrayDataFit(objectives, parameters=LINE))


def test_a_table_that_is_not_there_and_an_element_that_takes_none_are_told():
    arrhenius = cw.calculations.ArrheniusLogLinear(data="table:c")
    with pytest.raises(CheckFailedError, match=r"law › data: 'c' is needed as a table .* it is not there"):
        done(fit=cw.ArrayDataFit(lines(**{"1": 1.0}), parameters=LINE), law=arrhenius)
    ocp = cw.calculations.OCPDataInterpolant("positive", data="table:b")
    with pytest.raises(CheckFailedError, match="OCPDataInterpolant takes no table of a fit"):
        done(fit=cw.ArrayDataFit(lines(**{"1": 1.0}), parameters=LINE), ocp=ocp)


def test_values_at_temperatures_become_an_arrhenius_law():
    # b = exp(-E / R (1/T - 1/298.15)) with E = 20 kJ/mol at three temperatures.
    energy = 20e3
    slopes = {str(T): np.exp(-energy / R * (1 / T - 1 / 298.15)) for T in (283.15, 298.15, 313.15)}
    result = done(
        fit=cw.ArrayDataFit(lines(**slopes), parameters=LINE),
        law=cw.calculations.ArrheniusLogLinear(data="table:b", reference_temperature=298.15),
    )
    assert result.parameters.number("b activation energy [J.mol-1]") == pytest.approx(energy, rel=1e-5)
    assert result.parameters.number("Reference b") == pytest.approx(1.0, rel=1e-6)
    assert "b" in result.element("law").reads


def test_diffusivities_found_at_stoichiometries_become_a_function_that_a_model_takes():
    # The cell's positive electrode goes from 0.27 to 0.9 on discharge; two short pulses see D near 0.3 and 0.6.
    truth = {"0.3": 3e-15, "0.6": 6e-15}
    cell = published()
    objectives = {}
    for sto, D in truth.items():
        data = discharge(cell.merge({DP: D}, Origin("truth")), duration=600.0, points=31)
        objectives[sto] = cw.objectives.CurrentDriven(data, options={"model": "SPM"})
    known = cw.direct_entries.DirectEntry({n: v for n, v in cell.values_.items() if n != DP}, source="truth")
    fit = cw.ArrayDataFit(objectives, parameters={DP: cw.transforms.Log10(cw.Parameter(DP, 4e-15, (1e-16, 1e-13)))})
    law = cw.calculations.DiffusivityDataInterpolant("positive", data=f"table:{DP}", options={"transformation": "log"})
    check = cw.Validation({"1C": cw.objectives.CurrentDriven(discharge(cell, points=31), options={"model": "SPM"})})
    pipeline = cw.Pipeline({"known": known, "fit": fit, "law": law, "check": check})
    assert cw.Pipeline.from_config(pipeline.to_config()).to_config() == pipeline.to_config()
    result = cw.run(pipeline)
    D = result.parameters[DP]
    # Exact data: least squares ends within 0.2 % of the truth.
    assert [float(D(x, 298.15) if len(D.arguments) > 1 else D(x)) for x in (0.3, 0.45, 0.6)] == pytest.approx(
        [3e-15, np.sqrt(18e-30), 6e-15], rel=2e-3
    )
    (rmse, *_) = result.element_results["check"]["summary_stats"]["1C"]
    # D = 4e-15 in the cell that is compared, within a factor of 1.5 of the function: a few millivolts.
    assert 0.1 < rmse["value"] < 20
    assert result.element("fit").result["objectives"]["0.3"][f"RMSE [mV] ({V})"]["fitted"] < 0.01
