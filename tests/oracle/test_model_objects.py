"""Models given as objects: PyBaMM's own, changed ones, and classes of one's own."""

import json
import pickle

import numpy as np
import pybamm
import pytest

import cellwright as cw
from cellwright.catalog.models import ModelObject, PyBaMMModel
from cellwright.catalog.named_models import spec_of
from cellwright.engine.world import problem_digest
from cellwright.errors import ConfigurationError
from cellwright.models.build import build
from cellwright.schema.live_model import LiveModel, content_digest
from cellwright.schema.parameters import Origin
from cellwright.schema.simulation import ImpedanceProblem, SimulationProblem
from cellwright.testing.cells import discharge, published

WIRE = "Wire resistance [Ohm]"
DP = "Positive particle diffusivity [m2.s-1]"
CELL = published()


class Wired(pybamm.lithium_ion.SPM):
    """A single particle model whose voltage is measured behind a wire."""

    def __init__(self, options=None):
        super().__init__({"x-average side reactions": "true", **(options or {})})
        wired(self)


def wired(model):
    current = model.variables["Current [A]"]
    model.variables["Voltage [V]"] = model.variables["Voltage [V]"] - current * pybamm.Parameter(WIRE)
    return model


def known(*drop):
    return cw.direct_entries.DirectEntry({n: v for n, v in CELL.values_.items() if n not in drop}, source="truth")


def curve(model, cell=CELL):
    time = np.linspace(0, 600, 13)
    spec = spec_of(model)
    problem = SimulationProblem(spec, cell, time, np.full(13, 5.0), time, ("Voltage [V]",))
    return build(problem).solve({}).outputs["Voltage [V]"]


@pytest.mark.parametrize("name", ["SPM", "SPMe", "DFN", "MPM", "NewmanTobias"])
def test_models_of_pybamm_are_told_by_their_name(name):
    kept = cw.objectives.CurrentDriven(discharge(CELL), {"model": getattr(pybamm.lithium_ion, name)()}).options.model
    assert type(kept) is PyBaMMModel
    assert (kept.type, kept.module) == (name, "lithium_ion")


def test_an_object_gives_what_its_name_gives():
    by_name = curve(cw.models.PyBaMMModel("SPM", {"thermal": "lumped"}))
    assert np.array_equal(curve(pybamm.lithium_ion.SPM({"thermal": "lumped"})), by_name)


@pytest.mark.parametrize("make", [Wired, lambda: wired(pybamm.lithium_ion.SPM())], ids=["subclass", "changed"])
def test_what_was_changed_in_a_model_counts(make):
    cell = CELL.merge({WIRE: 0.01}, Origin("truth"))
    # 5 A through 0.01 Ohm; the solver's relative tolerance is 1e-4 and both take the same steps.
    assert curve(make(), cell) == pytest.approx(curve("SPM") - 0.05, abs=1e-9)


def test_a_parameter_of_ones_own_model_is_fitted_beside_another():
    truth = CELL.merge({DP: 5e-15}, Origin("truth"))
    data = discharge(truth)
    data["Voltage [V]"] = np.asarray(data["Voltage [V]"]) - 0.01 * np.asarray(data["Current [A]"])
    parameters = {
        WIRE: cw.Parameter(WIRE, 0.002, (0.0, 0.1)),
        DP: cw.transforms.Log10(cw.Parameter(DP, 2e-15, (1e-16, 1e-13))),
    }
    element = cw.DataFit(cw.objectives.CurrentDriven(data, {"model": Wired()}), parameters=parameters)
    found = cw.run(cw.Pipeline({"known": known(DP), "fit": element})).element("fit").result["parameter_values"]
    # Exact data: least squares ends at its xtol.
    assert found == pytest.approx({WIRE: 0.01, DP: 5e-15}, rel=2e-3)


def test_an_event_that_was_taken_away_makes_another_model():
    model = pybamm.lithium_ion.SPM()
    model.events = model.events[:-1]
    kept = cw.objectives.CurrentDriven(discharge(CELL), {"model": model}).options.model
    assert isinstance(kept, ModelObject)


def test_a_later_change_of_the_object_changes_nothing():
    model = wired(pybamm.lithium_ion.SPM())
    kept = cw.objectives.CurrentDriven(discharge(CELL), {"model": model}).options.model
    model.variables.clear()
    cell = CELL.merge({WIRE: 0.01}, Origin("truth"))
    assert curve(kept, cell) == pytest.approx(curve("SPM") - 0.05, abs=1e-9)


def test_an_impedance_has_the_wire_in_its_real_part():
    cell = CELL.merge({WIRE: 0.01}, Origin("truth"))
    frequencies = np.logspace(-2, 3, 6)

    def spectrum(model):
        outputs = build(ImpedanceProblem(spec_of(model), cell, frequencies)).solve({}).outputs
        return outputs["Z_Re [Ohm]"], outputs["Z_Im [Ohm]"]

    real, imaginary = spectrum(Wired({"surface form": "differential"}))
    plain_real, plain_imaginary = spectrum({"type": "SPM"})
    assert real - plain_real == pytest.approx(0.01, rel=1e-9)
    assert imaginary == pytest.approx(plain_imaginary, rel=1e-9)


def test_a_model_object_without_double_layers_has_no_impedance_and_is_told_how():
    with pytest.raises(ConfigurationError, match="has no impedance of its interfaces") as told:
        build(ImpedanceProblem(spec_of(Wired()), CELL, np.array([1.0])))
    assert "differential" in told.value.hint


def test_models_of_other_content_are_never_taken_for_each_other():
    one, two = Wired(), Wired()
    two.variables["Voltage [V]"] = two.variables["Voltage [V]"] * 2
    time = np.linspace(0, 600, 3)

    def key(model):
        return problem_digest(SimulationProblem(spec_of(model), CELL, time, time, time, ("Voltage [V]",)))

    assert key(one) == key(Wired())
    assert len({key(one), key(two), key("SPM"), key(Wired({"thermal": "lumped"}))}) == 4


def test_every_part_of_a_model_is_in_its_digest():
    grid = np.arange(3.0)
    changes = [
        lambda m: None,
        lambda m: m.rhs.update({key: 2 * value for key, value in m.rhs.items()}),
        lambda m: m.initial_conditions.update({key: value + 1 for key, value in m.initial_conditions.items()}),
        lambda m: m.variables.update({"mine": pybamm.t}),
        lambda m: m.events.append(pybamm.Event("mine", pybamm.t - 5)),
        lambda m: m.events.append(pybamm.Event("mine", pybamm.t - 6)),
        lambda m: m.variables.update({"mine": pybamm.Interpolant(grid, grid, pybamm.t)}),
        lambda m: m.variables.update({"mine": pybamm.Interpolant(grid, np.ones(3), pybamm.t)}),
    ]
    found = set()
    for change in changes:
        model = pybamm.lithium_ion.SPM()
        change(model)
        found.add(content_digest(model))
    assert len(found) == len(changes)
    assert content_digest(pybamm.lithium_ion.SPM()) in found


def test_a_processed_model_is_refused():
    model = wired(pybamm.lithium_ion.SPM())
    built = pybamm.ParameterValues("Chen2020")
    built.update({WIRE: 0.0}, check_already_exists=False)
    processed = built.process_model(model, inplace=False)
    with pytest.raises(ConfigurationError, match="processed"):
        cw.objectives.CurrentDriven(discharge(CELL), {"model": processed})


def test_a_document_tells_which_model_it_was_and_check_says_that_it_holds_none():
    objective = cw.objectives.CurrentDriven(discharge(CELL), {"model": Wired()})
    fit = cw.DataFit(objective, parameters={WIRE: cw.Parameter(WIRE, 0.002, (0.0, 0.1))})
    pipeline = cw.Pipeline({"known": known(), "fit": fit})
    assert cw.check(pipeline).ok
    again = cw.Pipeline.from_config(json.loads(json.dumps(pipeline.to_config())))
    (problem,) = cw.check(again).problems
    assert "the model Wired" in problem.message
    assert problem.at[0] == "fit"
    assert problem.at[-1] == "model"
    assert "cellwright.run" in problem.hint


def test_a_model_goes_to_another_process_if_its_class_can():
    model = pickle.loads(pickle.dumps(LiveModel.of(Wired())))
    assert content_digest(model.fresh()) == model.digest

    class Local(Wired):
        pass

    lost = pickle.loads(pickle.dumps(LiveModel.of(Local())))
    with pytest.raises(ConfigurationError, match="cannot be sent to another process"):
        lost.fresh()


def test_pulses_and_ageing_take_objects():
    cell = CELL.merge({WIRE: 0.01}, Origin("truth"))
    steps = [["Discharge at 1C for 5 minutes", "Charge at 1C for 5 minutes"]] * 2
    voltage = cw.metrics.Last("Voltage [V]").by_cycle(step=0)

    def found(model):
        pulse = cw.objectives.Pulse(discharge(CELL), {"model": model})
        ageing = cw.objectives.CycleAgeing(
            {"Cycle number": [0, 1], "end": [3.9, 3.9]},
            {"model": model, "experiment": steps, "metrics": {"end": voltage}},
        )
        return [one.prepare(cell, (), build).predict({}).outputs for one in (pulse, ageing)]

    (pulse, ageing), (plain_pulse, plain_ageing) = found(Wired()), found("SPM")
    # 5 A through 0.01 Ohm; the same steps of the same solver.
    assert pulse["Voltage [V]"] == pytest.approx(plain_pulse["Voltage [V]"] - 0.05, abs=1e-9)
    assert ageing["end"] == pytest.approx(plain_ageing["end"] - 0.05, abs=1e-6)


def test_a_model_of_nothing_but_equations_runs_and_its_document_is_refused():
    charge, current = pybamm.Variable("q"), pybamm.FunctionParameter("Current function [A]", {"Time [s]": pybamm.t})
    model = pybamm.BaseModel("tank")
    model.rhs, model.initial_conditions = {charge: -current / 3600}, {charge: pybamm.Scalar(5)}
    model.variables = {"Voltage [V]": charge + pybamm.Scalar(2)}
    # 5 A take 5/6 A.h in 600 s out of 5 A.h; the solver's relative tolerance is 1e-4.
    assert curve(model) == pytest.approx(7 - np.linspace(0, 5 / 6, 13), rel=1e-4)
    pipeline = cw.Pipeline({"v": cw.Validation({"o": cw.objectives.CurrentDriven(discharge(CELL), {"model": model})})})
    (problem,) = cw.check(cw.Pipeline.from_config(pipeline.to_config())).problems
    assert "not implemented yet" in problem.message
    assert "cellwright.run" in problem.hint
