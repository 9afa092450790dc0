"""Designs: metrics against PyBaMM's own simulations, best designs against grids and roots of such simulations."""

import json
from dataclasses import replace

import numpy as np
import pybamm
import pytest
from scipy.optimize import brentq

import cellwright as cw
from cellwright.compute.inline import InlinePool
from cellwright.data.sources import settle
from cellwright.engine.run import run
from cellwright.engine.world import MemoryJournal, World
from cellwright.errors import CheckFailedError
from cellwright.models.build import build
from cellwright.report.page import render
from cellwright.report.text import summary
from cellwright.schema.expressions import Expression
from cellwright.schema.parameters import Origin
from cellwright.testing.cells import discharge, published

a, m = cw.actions, cw.metrics
L_N, L_P, R_N = "Negative electrode thickness [m]", "Positive electrode thickness [m]", "Negative particle radius [m]"
ENERGY, TIME, VOLTAGE = "Discharge energy [W.h]", "Time [s]", "Voltage [V]"
MASS, CURRENT = "Cell mass [kg]", "Charging current [A]"
PLATING = "Negative electrode surface potential difference at separator interface [V]"
CELL = published()
DISCHARGE = [["Discharge at 5 A until 2.5 V"]]
AREA, DENSITY, REST = 0.1027, 3000.0, 0.03
"""Area [m2] of the LG M50, a density of its positive electrode [kg.m-3], and a mass [kg] of all else."""


def design(actions, constraints=None, experiment=DISCHARGE, model="SPM", **fields):
    """A design objective."""
    options = {"model": model, "experiment": experiment, **fields.pop("options", {})}
    return cw.objectives.DesignObjective(actions, constraints, options, **fields)


def entry(cell=CELL):
    """An entry that gives a cell."""
    return cw.direct_entries.DirectEntry(dict(cell.values_))


def weighed():
    """The cell with a mass that follows from the thickness of the positive electrode, as of a calculation."""
    return CELL.without((L_P,)).merge({MASS: AREA * DENSITY * Expression("parameter", payload=L_P) + REST}, Origin("m"))


def fit(one, optimizer, parameters=None, cell=CELL, **fields):
    """The record of a design fit."""
    parameters = parameters or {L_P: cw.Parameter(L_P, initial_value=60e-6, bounds=(40e-6, 120e-6))}
    element = cw.DataFit({"cell": one}, parameters=parameters, optimizer=optimizer, **fields)
    return cw.run(cw.Pipeline({"known": entry(cell), "fit": element})).element("fit")


def plain(experiment=DISCHARGE, model="SPM", var_pts=None, **values):
    """PyBaMM's own solution, at the tolerances that ours has."""
    p = pybamm.ParameterValues("Chen2020")
    p.update(values, check_already_exists=False)
    return pybamm.Simulation(
        getattr(pybamm.lithium_ion, model)({"calculate discharge energy": "true"}),
        experiment=pybamm.Experiment([tuple(cycle) for cycle in experiment]),
        parameter_values=p,
        solver=pybamm.IDAKLUSolver(rtol=1e-6, atol=1e-8),
        var_pts=var_pts,
    ).solve(calc_esoh=False)


CYCLE = [["Discharge at 1C until 3 V", "Rest for 10 minutes", "Charge at 1C until 4.1 V", "Hold at 4.1 V until C/10"]]
METRICS = {
    "energy": (m.Last(ENERGY, step=0), lambda s: s.cycles[0].steps[0][ENERGY].entries[-1]),
    "power": (m.Mean("Power [W]", step=0), None),
    "coldest": (m.Minimum(VOLTAGE), lambda s: s[VOLTAGE].entries.min()),
    "resistance": (
        (m.Last(VOLTAGE, step=1) - m.First(VOLTAGE, step=1)) / 5.0,
        lambda s: np.ptp(s.cycles[0].steps[1][VOLTAGE].entries[[0, -1]]) / 5.0,
    ),
    "to 3.9 V": (m.Voltage(TIME, 3.9, step=2), None),
    "charge": (m.First("Discharge capacity [A.h]", step=2) - m.Last("Discharge capacity [A.h]"), None),
}


@pytest.mark.oracle("DesignObjective")
def test_metrics_are_those_of_pybamms_own_simulation():
    one = design({name: a.Maximize(metric) for name, (metric, _) in METRICS.items()}, experiment=CYCLE)
    ours = one.prepare(CELL, (), build).predict({}).outputs
    theirs = plain(CYCLE)
    for name, (_, read) in METRICS.items():
        if read is not None:
            # Parameters went through our expressions: rounding, and with it time steps, differ; integrated to 1e-6.
            np.testing.assert_allclose(ours[f"{name} (metric)"], read(theirs), rtol=1e-5, err_msg=name)
            assert ours[name] == -ours[f"{name} (metric)"]
    first, charge = theirs.cycles[0].steps[0], theirs.cycles[0].steps[2]
    # Power is energy over time. The trapezoidal rule on PyBaMM's steps of some 15 s errs by (h/T)² of the curvature.
    mean = first[ENERGY].entries[-1] / (first[TIME].entries[-1] - first[TIME].entries[0]) * 3600
    assert ours["power (metric)"][0] == pytest.approx(mean, rel=1e-4)
    root = brentq(lambda t: charge[VOLTAGE](t) - 3.9, charge[TIME].entries[0], charge[TIME].entries[-1])
    assert ours["to 3.9 V (metric)"][0] == pytest.approx(root, abs=1.0)  # linear between steps of half a minute
    charged = theirs["Discharge capacity [A.h]"].entries
    assert ours["charge (metric)"][0] == pytest.approx(
        charge["Discharge capacity [A.h]"].entries[0] - charged[-1], rel=1e-5
    )


@pytest.mark.oracle("DesignObjective")
@pytest.mark.parametrize(
    ("model", "rtol"),
    # SPM has no equations in the electrodes: the particles' meshes are PyBaMM's own but for their length. SPMe's mesh
    # of the electrolyte differs by its error, which is 1e-5 of the time with 20 points.
    [("SPM", 1e-6), ("SPMe", 2e-5)],
)
def test_lengths_are_inputs_of_a_model_that_is_built_once(model, rtol):
    free = (L_N, L_P, R_N, "Nominal cell capacity [A.h]")
    one = design({"t": a.Minimize(m.Last(TIME))}, experiment=[["Discharge at 1C until 2.5 V"]], model=model)
    ready = one.prepare(CELL.without(free), free, build)
    assert ready.simulation.structural == ()
    assert ready.used == set(free)
    for values in ((85e-6, 75e-6, 6e-6, 5.0), (70e-6, 60e-6, 4e-6, 4.0), (110e-6, 100e-6, 8e-6, 6.0)):
        inputs = dict(zip(free, values, strict=True))
        theirs = plain([["Discharge at 1C until 2.5 V"]], model, **inputs)[TIME].entries[-1]
        np.testing.assert_allclose(ready.predict(inputs).outputs["t (metric)"], theirs, rtol=rtol)


def test_a_mesh_that_stretches_is_closer_to_the_limit_of_fine_meshes():
    pulse = [["Discharge at 5 A for 5 minutes"]]
    one = design({"v": a.Maximize(m.Last(VOLTAGE))}, experiment=pulse, model="DFN")
    ours = one.prepare(CELL.without((L_P,)), (L_P,), build).predict({L_P: 75.6e-6}).outputs["v (metric)"][0]
    coarse, finer, finest = (
        plain(pulse, "DFN", {"x_n": n, "x_s": n, "x_p": n, "r_n": 20, "r_p": 20})[VOLTAGE].entries[-1]
        for n in (20, 40, 80)
    )
    # PyBaMM's own mesh errs by 0.6 mV with 20 points and half of it with 40: the limit follows.
    limit = 2 * finest - finer
    assert abs(ours - limit) < 1e-4 < 5e-4 < abs(coarse - limit)


@pytest.mark.parametrize(
    "settings",
    [
        {"submesh_types": {"positive particle": "Exponential1DSubMesh"}},
        {"spatial_methods": {"positive particle": "SpectralVolume"}},
    ],
    ids=list,
)
def test_where_meshes_are_chosen_the_model_is_built_anew_for_each_length(settings):
    one = design({"t": a.Minimize(m.Last(TIME))}, options={"simulation_kwargs": settings})
    ready = one.prepare(CELL.without((R_N,)), (R_N,), build)
    assert ready.simulation.structural == (R_N,)
    fast, slow = (ready.predict({R_N: radius}).outputs["t (metric)"][0] for radius in (3e-6, 12e-6))
    assert fast > slow + 10  # s; what diffuses faster lasts longer


OPTIMIZERS = {
    "Nelder-Mead": (cw.optimizers.ScipyMinimize(method="Nelder-Mead", tol=1e-3), {}),
    "CMAES": (cw.optimizers.CMAES(max_iterations=12), {}),
    "PSO": (cw.optimizers.PSO(max_iterations=10, population_size=8), {}),
    "DE": (cw.optimizers.ScipyDifferentialEvolution(maxiter=6, popsize=8), {}),
    "BO": (cw.optimizers.BayesianOptimization(max_iterations=6), {}),
    "multistart": (cw.optimizers.ScipyMinimize(method="Nelder-Mead", tol=1e-3), {"multistarts": 3}),
}


@pytest.fixture(scope="module")
def grid():
    """Energy per mass [W.h.kg-1] over thickness [m], each point a simulation by PyBaMM alone."""
    thickness = np.linspace(60e-6, 76e-6, 9)
    energy = [plain(DISCHARGE, **{L_P: one})[ENERGY].entries[-1] for one in thickness]
    return thickness, np.array(energy) / (AREA * DENSITY * thickness + REST)


@pytest.mark.oracle("DesignObjective")
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_best_thickness_is_that_of_a_grid(name, grid):
    thickness, density = grid
    best = int(np.argmax(density))
    assert 0 < best < len(thickness) - 1
    optimizer, fields = OPTIMIZERS[name]
    one = design({"energy per mass": a.Maximize(m.Last(ENERGY) / m.Parameter(MASS))})
    record = fit(one, optimizer, cell=weighed(), options={"seed": 1}, **fields)
    # Between the neighbours on the grid. The few generations of a population end within half a micrometre of the best,
    # where the metric is flat to 1e-3.
    assert thickness[best - 1] < record.result["parameter_values"][L_P] < thickness[best + 1]
    (row,) = record.result["metrics"]["cell"]
    assert row["unit"] == "W.h.kg-1"
    assert row["fitted"] > density[best] * (1 - 1e-3)
    assert record.result["cost"] == pytest.approx(-row["fitted"], rel=1e-9)
    assert name == "multistart" or row["initial"] == pytest.approx(density[0], rel=1e-5)


@pytest.mark.oracle("DesignObjective")
def test_the_fastest_charge_without_plating_is_a_root_of_pybamms_own():
    def step(current):
        return {
            "type": "current", "value": current, "duration": 7200,
            "terminations": [{"type": "voltage", "value": 4.0, "operator": ">"}],
        }  # fmt: skip

    def potential(current):
        charge = pybamm.Experiment([(pybamm.step.current(-current, duration=7200, termination="4.0 V"),)])
        p = pybamm.ParameterValues("Chen2020")
        p.set_initial_state(0.1)
        solver = pybamm.IDAKLUSolver(rtol=1e-6, atol=1e-8)
        simulation = pybamm.Simulation(pybamm.lithium_ion.SPMe(), experiment=charge, parameter_values=p, solver=solver)
        return simulation.solve(calc_esoh=False)[PLATING].entries.min()

    one = design(
        {"time": a.Minimize(m.Last(TIME))},
        {"plating": a.GreaterThan(m.Minimum(PLATING), 0.0)},
        [[step(CURRENT)]],
        "SPMe",
        parameters={"Initial SOC [%]": 10.0},
    )
    current = {CURRENT: cw.Parameter(CURRENT, initial_value=-3.0, bounds=(-8.0, -1.0))}
    record = fit(one, cw.optimizers.ScipyMinimize(method="Nelder-Mead", tol=1e-4), current)
    root = brentq(potential, 1.0, 8.0, xtol=1e-3)
    # The potential is recorded at the solver's own times, so that its minimum is known to some 0.1 mV: 5 mA.
    assert -record.result["parameter_values"][CURRENT] == pytest.approx(root, abs=0.01)
    plating = record.result["metrics"]["cell"][1]
    assert plating["kept"]
    assert not [warning for warning in record.warnings if "violated" in warning]


def test_what_the_record_and_the_reports_tell_of_a_design():
    one = design({"energy": a.Maximize(m.Last(ENERGY))}, {"time": a.LessThan(m.Last(TIME), 2000.0)})
    element = cw.DataFit(
        {"cell": one},
        parameters={L_P: cw.Parameter(L_P, initial_value=60e-6, bounds=(50e-6, 70e-6))},
        optimizer=cw.optimizers.ScipyMinimize(method="Nelder-Mead", tol=1e-3),
    )
    result = cw.run(cw.Pipeline({"known": entry(), "fit": element}))
    record = result.element("fit")
    energy, time = record.result["metrics"]["cell"]
    assert energy["asked"] == "maximize"
    assert time["asked"] == "at most 2000"
    assert time["excess"] == pytest.approx(time["fitted"] - 2000.0)
    assert any(f"violated: time is to be at most 2000 s, and is beyond by {time['excess']:.3g} s" in one
               for one in record.warnings)  # fmt: skip
    assert record.result["parameters"][0]["at_bound"] == "lower"  # the shortest discharge there is
    best, first = record.series["cell"]["optimal"], record.series["cell"]["baseline"]
    assert best[TIME][-1] == pytest.approx(time["fitted"])
    assert first[TIME][-1] == pytest.approx(time["initial"])
    assert set(best) == {TIME, "Voltage [V] (model)", "Current [A] (model)", f"{ENERGY} (model)"}
    assert json.loads(json.dumps(record.result["metrics"])) == record.result["metrics"]
    console = _printed(summary(result))
    assert "at most 2000" in console
    assert "violated by" in console
    page = render(result)
    assert "Metrics of the design" in page
    assert "First design" in page
    assert "time (at most 2000)" in str(record)
    assert "not determined" not in str(record)  # nothing was measured that could


def _printed(renderable):
    from rich.console import Console

    console = Console(width=160, record=True)
    with console.capture() as captured:
        console.print(renderable)
    return captured.get()


def test_workers_and_a_stopped_search_end_at_the_same_bits():
    one = design({"energy": a.Maximize(m.Last(ENERGY))}, {"time": a.LessThan(m.Last(TIME), 3300.0)})
    pipeline = cw.Pipeline(
        {
            "known": entry(),
            "fit": cw.DataFit(
                {"cell": one},
                parameters={L_P: cw.Parameter(L_P, initial_value=60e-6, bounds=(40e-6, 120e-6))},
                optimizer=cw.optimizers.CMAES(max_iterations=2, population_size=4),
                options={"seed": 3},
            ),
        }
    )
    here, there = (cw.run(pipeline, executor=kind).element("fit").result for kind in ("inline", "processes"))
    for key in ("parameter_values", "cost", "metrics"):
        assert here[key] == there[key]

    class Dies(InlinePool):
        batches = 0

        def map(self, job, tasks, time_limit):
            self.batches += 1
            if self.batches == 2:
                raise KeyboardInterrupt
            return super().map(job, tasks, time_limit)

    world = World(build, build, Dies(), settle, MemoryJournal())
    with pytest.raises(KeyboardInterrupt):
        run(pipeline, world)
    resumed = run(pipeline, replace(world, pool=InlinePool())).element("fit")
    assert resumed.counts["replayed"] > 0
    assert resumed.result["parameter_values"] == here["parameter_values"]
    assert resumed.result["cost"] == here["cost"]


IMPOSSIBLE = [["Discharge at 5 A for 1 hour", "Rest for 1 minute"]]
"""The first step lasts longer than a thin electrode."""


@pytest.mark.parametrize("validate", [True, False])
def test_a_design_whose_experiment_does_not_end_is_a_status(validate):
    one = design({"least": a.Maximize(m.First(VOLTAGE))}, experiment=IMPOSSIBLE,
                 validate_against_experiment_steps=validate)  # fmt: skip
    ready = one.prepare(CELL.without((L_P,)), (L_P,), build)
    thin, thick = (ready.predict({L_P: thickness}) for thickness in (40e-6, 90e-6))
    assert thick.status == "solved"
    assert thin.status == ("failed" if validate else "solved")
    assert not validate or "cycle 0, step 0" in thin.message
    free = {L_P: cw.Parameter(L_P, initial_value=90e-6, bounds=(20e-6, 120e-6))}
    record = fit(one, cw.optimizers.PSO(max_iterations=2, population_size=8), free, options={"seed": 1})
    assert (record.counts.get("failed", 0) > 0) == validate


def test_a_validation_has_the_metrics_as_statistics_and_tells_what_failed():
    result = cw.run(
        cw.Pipeline(
            {
                "known": entry(CELL.merge({MASS: 0.07}, Origin("m"))),
                "look": cw.Validation(
                    {
                        "good": design(
                            {"energy": a.Maximize(m.Last(ENERGY) / m.Parameter(MASS))},
                            {"time": a.LessThan(m.Last(TIME), 1800.0)},
                        ),
                        "never": design({"t": a.Minimize(m.Voltage(TIME, 2.6))}, experiment=[["Rest for 1 hour"]]),
                    },
                    [cw.costs.RMSE()],
                ),
            }
        )
    ).element("look")
    energy, time = result.result["summary_stats"]["good"]
    assert energy["name"] == "energy [W.h.kg-1]"
    assert energy["value"] == pytest.approx(plain()[ENERGY].entries[-1] / 0.07, rel=1e-5)
    assert time["name"] == "time [s] (at most 1800)"
    assert "'t' has no value: 'Voltage [V]' runs from" in result.result["failed_objectives"]["never"]
    assert any("LessThan is violated" in warning for warning in result.warnings)
    assert result.series["good"]["optimal"][TIME][-1] == pytest.approx(time["value"])


def test_of_long_experiments_the_cycles_named_are_kept():
    cycle = ["Discharge at 1C for 10 minutes", "Charge at 1C for 10 minutes"]
    metric = m.Last(VOLTAGE).by_cycle(step=0)
    whole = design({"v": a.Maximize(metric)}, experiment=[cycle] * 4).prepare(CELL, (), build).predict({})
    some = design({"v": a.Maximize(metric)}, experiment=[cycle] * 4, save_at_cycles=[1, 3])
    kept = some.prepare(CELL, (), build).predict({})
    np.testing.assert_array_equal(kept.outputs["v (metric)"], whole.outputs["v (metric)"][[1, 3]])
    assert len(kept.outputs["Time [s] (course)"]) < len(whole.outputs["Time [s] (course)"])
    rows = fit(some, cw.optimizers.PointEstimateOptimizer()).result["metrics"]["cell"]
    assert len(rows[0]["fitted"]) == 2


def found(one, optimizer=None, **fields):
    """What the check says of a design fit."""
    parameters = {L_P: cw.Parameter(L_P, initial_value=60e-6, bounds=(40e-6, 120e-6))}
    element = cw.DataFit(
        {"cell": one}, parameters=parameters, optimizer=optimizer or cw.optimizers.ScipyMinimize(), **fields
    )
    return cw.check(cw.Pipeline({"known": entry(), "fit": element}))


DATA = discharge(CELL, duration=1200.0, points=25)
BLIND = {"type": "power", "value": L_P, "terminations": [{"type": "voltage", "value": 3}]}
"""A step that does not say whether it is a charge."""
E_MAX = {"energy": a.Maximize(m.Last(ENERGY))}


@pytest.mark.parametrize(
    ("one", "at", "said"),
    [
        (design({"e": a.Maximize(m.Last("Discharge enrgy [W.h]"))}), ("actions", "e"), "did you mean 'Discharge"),
        (design({"e": a.Maximize(m.Last("Electrolyte concentration [mol.m-3]"))}, model="SPMe"), ("actions", "e"),
         "varies over"),
        (design(E_MAX, {"v": a.LessThan(m.Last("Voltag [V]"), 4)}), ("constraints", "v"), "did you mean 'Voltage [V]"),
        (design(E_MAX, output_variables_full=["Curent [A]"]), ("output_variables_full",), "did you mean 'Current [A]'"),
        (design(E_MAX, save_at_cycles=[0, 1]), ("save_at_cycles",), "cycle 1 is to be kept, and the experiment has 1"),
        (design({"m": a.Minimize(m.Parameter("Cel mass [kg]"))}), (), "'Cel mass [kg]'"),
        (design({"e": {"type": "Maximise", "metric": {"type": "Last", "variable": ENERGY}}}), ("actions", "e"),
         "did you mean 'Maximize'"),
        (design({"e": {"type": "Maximize"}}), ("actions", "e", "metric"), "needs the field 'metric'"),
        (design({"e": {"type": "GreaterThan", "metric": {"type": "Last", "variable": ENERGY}}}),
         ("actions", "e", "value"), "needs the field 'value'"),
        (design({"e": {"type": "Maximize", "metric": {"type": "Lst", "variable": ENERGY}}}), ("actions", "e", "metric"),
         "did you mean 'Last'"),
        (design({}), ("actions",), "nothing is asked"),
        (design(E_MAX, {"e": a.Minimize(m.Last(TIME))}), ("constraints", "e"), "a constraint is GreaterThan"),
        (design(E_MAX, {"energy": a.LessThan(m.Last(TIME), 1)}), ("constraints", "energy"), "an action is called"),
        (design({"t": a.Minimize(m.Voltage(TIME, 5.5))}), ("actions", "t", "metric"), "never at 5.5 V"),
        (design({"t": a.Minimize(m.Last(TIME, step=1))}), ("actions", "t", "metric"), "step 1 is read"),
        (design({"t": a.Minimize(m.Last(TIME).by_cycle(step=2))}), ("actions", "t", "metric"), "step 2 is read"),
        (design({"t": a.Minimize(m.Last(TIME).by_cycle(cycles=[3]))}), ("actions", "t", "metric"), "cycle 3 is read"),
        (design({"t": a.Minimize(m.SOC(TIME, 0.99999))}, experiment=[["Charge at 1 A for 10 s"]]), (),
         "never at 0.99999"),
        (design(E_MAX, experiment=IMPOSSIBLE), (), "ended in cycle 0, step 0"),
        (design(E_MAX, experiment=[[BLIND]]), ("options", "experiment", "cycles", "0", "0"), "rise or fall to 3 V"),
        (design(E_MAX, experiment=None), ("options", "experiment"), "needs an experiment"),
        (design(E_MAX, experiment=[["Discharge until 2.5"]]), ("options", "experiment", "cycles", "0", "0"),
         "does not understand"),
        (design(E_MAX, model=None), ("options", "model"), "needs a model"),
        (design(E_MAX, options={"experimnt": 1}), ("options", "experimnt"), "did you mean 'experiment'"),
        (design(E_MAX, options={"parameterized_model_id": "a"}), ("options", "parameterized_model_id"), "implemented"),
    ],
    ids=lambda given: given if isinstance(given, str) else "",
)  # fmt: skip
def test_the_check_tells_what_is_wrong_with_a_design(one, at, said):
    problems = [problem for problem in found(one).errors if said in f"{problem.message} {problem.hint}"]
    assert problems, found(one).problems
    assert problems[0].at[:1] == ("fit",)
    place = problems[0].at[3:]
    assert place[: len(at)] == at, place


def test_costs_and_optimizers_that_need_data_are_refused():
    report = found(design(E_MAX), cw.optimizers.ScipyLeastSquares())
    assert any("ScipyLeastSquares needs a cost with residuals" in str(error) and "a design has no data" in str(error)
               for error in report.errors)  # fmt: skip
    report = found(design(E_MAX), cost=cw.costs.SSE())
    assert any("SSE compares data, and 'cell' is a design" in str(error) for error in report.errors)
    assert found(design(E_MAX), cost=cw.costs.DesignFunction(objective_weights={"cell": 2.0})).ok
    assert found(design(E_MAX)).ok


def test_goals_in_several_units_are_doubted_unless_they_are_weighed():
    energy, time = a.Maximize(m.Last(ENERGY)), a.Minimize(m.Last(TIME))
    (warning,) = found(design({"energy": energy, "time": time})).problems
    assert warning.severity == "warning"
    assert "'energy' [W.h], 'time' [s] are added up" in warning.message
    assert not found(design({"energy": energy, "time": a.Minimize(m.Last(TIME), 1e-3)})).problems
    assert not found(design({"energy": energy, "twice": energy})).problems


def test_a_design_is_searched_by_what_minds_no_kinks():
    one = design({"t": a.LessThan(m.Last(TIME), 3400.0)})
    record = fit(one, None, options={"max_iterations": 2})
    assert record.result["seed"] is not None  # CMA-ES draws
    free = {L_P: cw.Parameter(L_P, initial_value=60e-6)}
    assert fit(one, None, free, options={"max_iterations": 2}).result["seed"] is None
    both = cw.DataFit(
        {"cell": one, "data": cw.objectives.CurrentDriven(DATA, {"model": "SPM"})},
        parameters={L_P: cw.Parameter(L_P, initial_value=65e-6, bounds=(40e-6, 120e-6))},
        optimizer=cw.optimizers.ScipyMinimize(method="Nelder-Mead", options={"xatol": 1e-3, "fatol": 1e-12}),
    )
    found = cw.run(cw.Pipeline({"known": entry(), "fit": both})).element("fit").result
    # The data are those of 75.6 um, and the bound holds up to 64: the data are fitted where it is kept.
    assert found["metrics"]["cell"][0]["fitted"] == pytest.approx(3400.0, rel=2e-3)
    assert any(name.startswith("RMSE [mV]") for name in found["objectives"]["data"])


@pytest.mark.parametrize(
    "steps", [["Charge at 1C until 4.1 V"], ["Charge at 1C until 4.1 V", "Hold at 4.1 V until 10 A"]]
)
def test_an_experiment_that_has_nothing_to_do_is_told_in_words(steps):
    one = design({"energy": a.Maximize(m.Last(ENERGY))}, experiment=[steps])
    found = one.prepare(CELL, (), build).predict({})
    assert found.status == "failed"
    assert "nothing to do: the cell is where its steps end" in found.message


def test_a_first_design_that_fails_is_a_warning_where_the_search_goes_elsewhere():
    one = design(E_MAX, experiment=IMPOSSIBLE)
    assert found(one, cw.optimizers.CMAES()).ok
    report = found(one, cw.optimizers.ScipyDifferentialEvolution())
    assert report.ok
    assert any("has no cost: the experiment ended in cycle 0" in str(problem) for problem in report.problems)
    with pytest.raises(CheckFailedError, match="the design that the search begins with has no cost"):
        fit(one, cw.optimizers.ScipyMinimize())


def test_conditions_on_the_parameters_hold_beside_bounds_on_metrics():
    total = pybamm.InputParameter(L_P) + pybamm.InputParameter(L_N) <= 145e-6
    one = design(E_MAX, [cw.priors.Constraint(total, 1e14)])
    free = {name: cw.Parameter(name, initial_value=60e-6, bounds=(40e-6, 120e-6)) for name in (L_P, L_N)}
    record = fit(one, cw.optimizers.ScipyMinimize(method="Nelder-Mead", tol=1e-2), free)
    values = record.result["parameter_values"]
    assert values[L_P] + values[L_N] == pytest.approx(145e-6, rel=2e-3)


def test_a_design_is_written_and_read():
    steps = pybamm.Experiment([("Discharge at 1C until 2.5 V", "Rest for 1 minute")])
    one = design(E_MAX, {"t": a.LessThan(m.Last(TIME), 3000)}, steps, pybamm.lithium_ion.SPMe())
    config = json.loads(json.dumps(one.to_config()))
    assert config["options"]["actions"]["energy"]["metric"] == {"type": "Last", "variable": ENERGY}
    again = cw.objectives.DesignObjective.parse(config)
    assert again.to_config() == config
    ours, theirs = (each.prepare(CELL, (), build).predict({}).outputs["energy"] for each in (one, again))
    np.testing.assert_array_equal(ours, theirs)
