"""Ageing: experiments against PyBaMM's own, storage against the law of diffusion, a parameter of the SEI recovered."""

import json

import ionworks_schema
import numpy as np
import pandas as pd
import pybamm
import pytest

import cellwright as cw
from cellwright.errors import CellwrightError
from cellwright.models.build import build
from cellwright.schema.parameters import Origin
from cellwright.testing.cells import published

m = cw.metrics
D_SEI = "SEI solvent diffusivity [m2.s-1]"
LLI, LAM_NE, LAM_PE = "LLI [%]", "LAM_ne [%]", "LAM_pe [%]"
CELL = published()
SEI = {"type": "SPM", "options": {"SEI": "solvent-diffusion limited"}}
SHORT = [["Discharge at 1C for 20 minutes", "Charge at 1C for 19 minutes"]] * 6
"""Six short cycles that stay far from both voltage limits."""
EVERYTHING = {
    "SEI": "interstitial-diffusion limited",
    "lithium plating": "irreversible",
    "particle mechanics": ("swelling and cracking", "swelling only"),
    "SEI on cracks": "true",
    "loss of active material": "stress-driven",
}
"""All ways of ageing at once (O'Kane et al. 2022)."""


def objective(data, experiment=SHORT, model=SEI, **options):
    """An objective of cycling."""
    return cw.objectives.CycleAgeing(data, options={"model": model, "experiment": experiment, **options})


def rows(variables, cycles=range(6)):
    """Data that ask for variables at cycles; the values do not matter."""
    return {"Cycle number": list(cycles), **dict.fromkeys(variables, [0.0] * len(list(cycles)))}


def predicted(one, cell=CELL, free=(), **inputs):
    """What an objective predicts at values of its free parameters."""
    names = tuple(inputs) or free
    return one.prepare(cell.without(names), names, build).predict(inputs)


def plain(experiment, model=SEI, cell="Chen2020", mode="unified", calc_esoh=True, tolerances=(1e-4, 1e-6), **values):
    """PyBaMM's own solution of an experiment, by default at the tolerances (rtol, atol) that ours has."""
    p = pybamm.ParameterValues(cell)
    p.update(values)
    return pybamm.Simulation(
        getattr(pybamm.lithium_ion, model["type"])(dict(model["options"])),
        experiment=pybamm.Experiment([tuple(cycle) for cycle in experiment]),
        parameter_values=p,
        solver=pybamm.IDAKLUSolver(**dict(zip(("rtol", "atol"), tolerances, strict=True))),
        experiment_model_mode=mode,
    ).solve(calc_esoh=calc_esoh)


@pytest.mark.oracle("CycleAgeing")
@pytest.mark.parametrize(
    ("cell", "options", "mode", "rtol"),
    # The parameters went through our expressions, so that rounding and with it the time steps differ; integrated
    # to 1e-8. The rates of plating, cracks and stress have kinks, which cost two digits.
    [
        ("Chen2020", SEI["options"], "unified", 1e-6),
        ("Chen2020", SEI["options"], "legacy", 1e-6),
        ("OKane2022", EVERYTHING, "unified", 1e-5),
    ],
    ids=["SEI", "SEI, a model for each step", "SEI, plating, cracks and loss of active material"],
)
def test_summaries_are_pybamms(cell, options, mode, rtol):
    model = {"type": "SPM", "options": options}
    names = {
        LLI: "Loss of lithium inventory [%]",
        LAM_NE: "Loss of active material in negative electrode [%]",
        LAM_PE: "Loss of active material in positive electrode [%]",
        **{n: n for n in ("Capacity [A.h]", "Local ECM resistance [Ohm]", "Throughput capacity [A.h]", "x_100")},
    }
    tight = {"rtol": 1e-8, "atol": 1e-10}
    settings = {"experiment_model_mode": mode, "solver_kwargs": tight}
    one = objective(rows(names, range(7)), model=model, simulation_kwargs=settings)
    ours = predicted(one, published(cell))
    assert ours.status == "solved"
    theirs = plain(SHORT, model, cell, mode, tolerances=tight.values()).summary_variables
    for name, known in names.items():
        # Losses are percentages of contents, so that an integration to 1e-8 knows them to 1e-6.
        np.testing.assert_allclose(ours.outputs[name][1:], theirs[known], rtol=rtol, atol=1e-7, err_msg=name)
    assert ours.outputs[LLI][0] == pytest.approx(0.0, abs=1e-6)
    assert (np.diff(ours.outputs[LLI]) > 0).all()
    assert (np.diff(ours.outputs[LAM_NE]) > 0).all() == (cell == "OKane2022")


@pytest.mark.oracle("CycleAgeing")
def test_the_published_example_comes_out():
    rest = {"type": "rest", "duration": "10 minutes"}
    empty, full = ([{"type": "voltage", "value": value}] for value in (2.5, 4.2))
    rpt = [{"type": "c-rate", "value": 0.2, "terminations": empty, "period": 60.0}, rest]
    cycle = [
        {"type": "c-rate", "value": 1.0, "terminations": empty},
        {"type": "c-rate", "value": -0.5, "terminations": full},
    ]
    data = pd.read_csv(ionworks_schema.example_data("cycle_ageing_summary"))
    one = objective(data, {"cycles": [rpt] + ([cycle] * 3 + [rpt]) * 2}, SEI | {"type": "SPMe"})
    ours = predicted(one, **{D_SEI: 2e-19}).outputs[LLI]
    # The published numbers come from an integration at rtol 1e-4, and other rounding takes other time steps.
    np.testing.assert_allclose(ours, data[LLI], rtol=1e-4, atol=1e-6)


@pytest.mark.oracle("CycleAgeing")
def test_one_build_serves_all_values():
    one = objective(rows([LLI])).prepare(CELL.without((D_SEI,)), (D_SEI,), build)
    assert one.used == {D_SEI}
    for value in (1e-19, 5e-19, 1e-19):
        theirs = plain(SHORT, calc_esoh=False, **{D_SEI: value}).summary_variables["Loss of lithium inventory [%]"]
        np.testing.assert_allclose(one.predict({D_SEI: value}).outputs[LLI][1:], theirs[:5], rtol=1e-6)


@pytest.mark.oracle("CycleAgeing")
@pytest.mark.parametrize(
    ("name", "value"), [("Negative particle radius [m]", 4e-6), ("Nominal cell capacity [A.h]", 4.0)]
)
def test_what_shapes_the_model_or_its_experiment_is_built_anew(name, value):
    ours = predicted(objective(rows([LLI])), **{name: value})
    theirs = plain(SHORT, calc_esoh=False, **{name: value}).summary_variables["Loss of lithium inventory [%]"]
    np.testing.assert_allclose(ours.outputs[LLI][1:], theirs[:5], rtol=1e-6)


def test_the_value_of_a_step_may_be_a_parameter():
    name = "Charging current [A]"
    steps = [[{"type": "rest", "duration": 60}, {"type": "current", "value": name, "duration": 600}]]
    one = objective(rows(["q"], [0]), steps, metrics={"q": m.Last("Discharge capacity [A.h]").by_cycle()})
    for current in (2.0, 3.0):
        assert predicted(one, **{name: current}).outputs["q"][0] == pytest.approx(current / 6, rel=1e-6)
    known = CELL.merge({name: 4.0}, Origin("protocol"))
    assert predicted(one, known).outputs["q"][0] == pytest.approx(4 / 6, rel=1e-6)
    report = cw.check(cw.Pipeline({"known": entry(), "check": cw.Validation({"o": one})}))
    assert any(name in str(error) for error in report.errors)


@pytest.mark.oracle("CycleAgeing")
def test_metrics_of_a_step_are_those_of_pybamms_steps():
    metrics = {
        "Q [A.h]": m.Last("Discharge capacity [A.h]").by_cycle(step=0)
        - m.First("Discharge capacity [A.h]").by_cycle(step=0),
        "R [Ohm]": (abs(m.Last("Voltage [V]") - m.First("Voltage [V]")) / abs(m.Mean("Current [A]"))).by_cycle(step=1),
    }
    ours = predicted(objective(rows(metrics, [0, 3]), metrics=metrics)).outputs
    for place, number in enumerate([0, 3]):
        first, second = plain(SHORT, calc_esoh=False).cycles[number].steps
        charge, voltage = first["Discharge capacity [A.h]"].entries, second["Voltage [V]"].entries
        assert ours["Q [A.h]"][place] == pytest.approx(charge[-1] - charge[0], rel=1e-6)
        # 5 A is 1C of this cell.
        assert ours["R [Ohm]"][place] == pytest.approx(abs(voltage[-1] - voltage[0]) / 5, rel=1e-6)


@pytest.mark.oracle("SOC")
def test_the_state_of_charge_falls_with_the_charge_taken_out():
    model = {"type": "SPM", "options": {}}
    levels = (0.9, 0.6, 0.3)
    metrics = {f"q {z}": m.SOC("Discharge capacity [A.h]", z).by_cycle() for z in levels}
    metrics["Q"] = m.First("Capacity [A.h]").by_cycle()
    slow = [[{"type": "c-rate", "value": 0.5, "duration": 6600, "period": 60}]]
    start = CELL.merge({"Initial SOC [%]": 100.0}, Origin("start"))
    ours = predicted(objective(rows(metrics, [0]), slow, model, metrics=metrics), start).outputs
    for z in levels:
        # Without side reactions no lithium is lost: z = 1 - q/Q. The integrator's tolerance is 1e-4.
        assert ours[f"q {z}"][0] == pytest.approx((1 - z) * ours["Q"][0], rel=5e-4)


@pytest.mark.oracle("CycleAgeing")
def test_a_parameter_of_the_sei_is_recovered_from_noisy_losses():
    truth, noise = 2.5e-19, 2e-3
    clean = predicted(objective(rows([LLI])), **{D_SEI: truth}).outputs[LLI]
    data = {"Cycle number": np.arange(6), LLI: clean + noise * np.random.default_rng(3).normal(size=6)}
    element = cw.DataFit(
        objective(data, simulation_kwargs={"var_pts": {"r_n": 10, "r_p": 10}}),
        parameters={D_SEI: cw.transforms.Log10(cw.Parameter(D_SEI, 1e-18, (1e-20, 1e-17)))},
        optimizer=cw.optimizers.ScipyLeastSquares(),
    )
    record = cw.run(cw.Pipeline({"known": entry(D_SEI), "fit": element})).element("fit")
    # LLI ~ sqrt(D t) there: its derivative by ln D is half of it, so that σ(ln D) = 2 σ / |LLI|; three of these.
    bound = 3 * 2 * noise / np.linalg.norm(clean)
    assert record.result["parameter_values"][D_SEI] == pytest.approx(truth, rel=bound)
    assert 0.01 < bound < 0.1


def entry(*free):
    """The known parameters of the cell."""
    return cw.direct_entries.DirectEntry({n: v for n, v in CELL.values_.items() if n not in free}, source="truth")


@pytest.mark.oracle("CycleAgeing")
def test_missing_values_count_for_the_other_variables_alone():
    nan = float("nan")
    data = {"Cycle number": [0, 2, 2, 4], LLI: [0.1, nan, 0.2, 0.5], "Capacity [A.h]": [nan, 5.0, 5.2, nan]}
    metric = objective(data)
    inputs = {D_SEI: 2e-19}
    ours = predicted(metric, **inputs).outputs
    full = predicted(objective(rows([LLI, "Capacity [A.h]"])), **inputs).outputs
    np.testing.assert_allclose(ours[LLI], full[LLI][[0, 2, 2, 4]] + [0, nan, 0, 0], rtol=1e-9)
    np.testing.assert_allclose(ours["Capacity [A.h]"], full["Capacity [A.h]"][[0, 2, 2, 4]] + [nan, 0, 0, nan])
    both = {"o": {name: (ours[name], np.array(data[name])) for name in (LLI, "Capacity [A.h]")}}
    left = {"o": {name: tuple(side[~np.isnan(pair[1])] for side in pair) for name, pair in both["o"].items()}}
    for cost in (cw.costs.SSE(), cw.costs.RMSE(normalization="range"), cw.costs.Max(), cw.costs.Wasserstein()):
        assert cost.scalar(both) == cost.scalar(left)
        assert np.isfinite(cost.scalar(both))
    assert len(cw.costs.SSE().residuals(both)) == 5
    likelihood = cw.costs.GaussianLogLikelihood(sigma={LLI: 0.1, "Capacity [A.h]": 0.2})
    assert likelihood.scalar(both) == likelihood.scalar(left)
    peaks = cw.costs.Wasserstein(position_variable=LLI, weight_variable="Capacity [A.h]")
    only = {"o": {name: tuple(side[[2]] for side in pair) for name, pair in both["o"].items()}}
    assert peaks.scalar(both) == peaks.scalar(only)


DRAINED = [["Discharge at 1C for 25 minutes"]] * 5
"""Each cycle takes two fifths of the charge: the cell is empty before the third ends."""


@pytest.mark.oracle("CycleAgeing")
def test_an_experiment_that_ends_early_has_no_values_behind_its_end():
    end = m.Last("Discharge capacity [A.h]").by_cycle()
    one = objective(rows([LLI, "q"], range(5)), DRAINED, metrics={"q": end})
    solved = predicted(one)
    assert solved.status == "ended early"
    assert "the experiment ended in cycle 2, step 0 (event: Minimum voltage" in solved.message
    # Two cycles came to their ends: the state of the cell behind them is known.
    assert np.isnan(solved.outputs[LLI]).tolist() == [False, False, False, True, True]
    assert np.isnan(solved.outputs["q"]).tolist() == [False, False, True, True, True]
    assert predicted(objective(rows([LLI], range(2)), DRAINED)).status == "solved"


@pytest.mark.oracle("CycleAgeing")
def test_what_cannot_begin_has_failed():
    empty = CELL.merge({"Initial SOC [%]": 0.0}, Origin("start"))
    solved = predicted(objective(rows([LLI], [1, 2]), DRAINED), empty)
    assert solved.status == "failed"
    assert solved.message
    impossible = predicted(objective(rows([LLI])), **{"Negative electrode thickness [m]": -1.0})
    assert (impossible.status, impossible.message) == (
        "failed",
        "Negative electrode thickness [m] is -1, and must be positive",
    )


def test_the_experiments_own_end_is_told():
    experiment = {"cycles": SHORT, "termination": "100 minutes"}
    solved = predicted(objective(rows([LLI]), experiment))
    assert solved.status == "ended early"
    assert "the experiment's own time was up" in solved.message
    # 39 minutes a cycle: 2.56 of them.
    assert np.isnan(solved.outputs[LLI]).tolist() == [False] * 3 + [True] * 3
    capacity = plain(SHORT).summary_variables["Capacity [A.h]"]
    between = 50 * (capacity[2] + capacity[3]) / capacity[0]
    solved = predicted(objective(rows([LLI]), {"cycles": SHORT, "termination": f"{between:.10f}% capacity"}))
    assert np.isnan(solved.outputs[LLI]).tolist() == [False] * 5 + [True]
    assert "the experiment's own end was reached after 4 cycles" in solved.message


@pytest.mark.oracle("CycleAgeing")
def test_a_validation_tells_what_was_not_reached():
    data = rows([LLI], range(5))
    element = cw.Validation({"drained": objective(data, DRAINED), "short": objective(data)})
    record = cw.run(cw.Pipeline({"known": entry(), "check": element})).element("check")
    found = record.result["validation_results"]
    assert [found["drained"][name] for name in ("status", "points", "compared")] == ["ended early", 5, 3]
    assert found["short"]["compared"] == 5
    assert "drained: the simulation ended before the data; 3 of 5 rows are compared" in record.warnings
    json.dumps(record.result)


def measured(experiment, **values):
    """What a cycler would have written down, once a minute, the steps numbered as it logs them."""
    solution = plain(experiment, calc_esoh=False, **values)
    columns = {name: [] for name in ("Time [s]", "Current [A]", "Voltage [V]", "Step count", "Cycle count")}
    count = 0
    for number, cycle in enumerate(solution.cycles):
        for step in cycle.steps:
            time = np.append(np.arange(step.t[0], step.t[-1], 60.0), step.t[-1])
            columns["Time [s]"] += list(time)
            for name in ("Current [A]", "Voltage [V]"):
                columns[name] += list(step[name](time))
            columns["Step count"] += [count] * len(time)
            columns["Cycle count"] += [number] * len(time)
            count += 1
    return solution, {name: np.array(values) for name, values in columns.items()}


CCCV = [
    ["Discharge at 1C for 30 minutes", "Rest for 10 minutes", "Charge at 1C until 4.1 V", "Hold at 4.1 V until C/20"]
] * 2


@pytest.mark.oracle("CycleAgeing")
@pytest.mark.parametrize(
    ("logged", "options"),
    [
        ("two steps", {}),
        ("two steps", {"use_cv": True, "termination": "events"}),
        ("two steps", {"termination": "events"}),
        ("one step", {}),
        ("one step", {"split_cc_cv": False}),
    ],
    ids=str,
)
def test_an_experiment_is_made_of_the_steps_of_a_measurement(logged, options):
    solution, table = measured(CCCV)
    if logged == "one step":
        table["Step count"] = table["Step count"] - (table["Step count"] + 1) // 4
    last = m.Last("Throughput capacity [A.h]").by_cycle(step=-1)
    one = objective(rows([LLI, "Ah"], [0, 1]), {"from data": table}, metrics={"Ah": last}, **options)
    ours = predicted(one).outputs
    theirs = solution.summary_variables
    # Replayed once a minute: the current of the held voltage, 1C at first, is cut by half of a minute's decay.
    assert ours[LLI][1] == pytest.approx(theirs["Loss of lithium inventory [%]"][0], rel=5e-3)
    np.testing.assert_allclose(ours["Ah"], theirs["Throughput capacity [A.h]"], rtol=5e-3)


def test_a_charge_logged_as_one_step_counts_as_one():
    _, table = measured(CCCV)
    joined = table | {"Step count": table["Step count"] - (table["Step count"] + 1) // 4}
    counts = {}
    for name, each in (("two", table), ("one", joined)):
        problem = []
        objective(rows([LLI], [0]), {"from data": each}).prepare(CELL, (), lambda asked, p=problem: p.append(asked))
        counts[name] = [tuple(step["type"] for step in problem[0].cycles[0]), problem[0].joined[0]]
    # Without use_cv a held voltage of its own is replayed as a current; one behind a constant current is held.
    assert counts["two"] == [("current", "rest", "current", "current"), (1, 1, 1, 1)]
    assert counts["one"] == [("current", "rest", "current", "voltage"), (1, 1, 2)]


def test_the_data_themselves_may_be_the_measurement():
    _, table = measured(CCCV)
    nan = np.full(len(table["Time [s]"]), np.nan)
    nan[0] = 0.0
    data = table | {"Cycle number": table["Cycle count"], LLI: nan}
    one = objective(data, "from data", **{"objective variables": [LLI]})
    assert predicted(one).outputs[LLI][0] == pytest.approx(0.0, abs=1e-9)


def test_data_of_the_protocol_are_read_from_a_file(tmp_path):
    _, table = measured(CCCV)
    pd.DataFrame(table).to_csv(tmp_path / "cycling.csv", index=False)
    one = objective(rows([LLI], [0, 1]), {"from data": f"file:{tmp_path / 'cycling.csv'}"})
    assert one.to_config()["options"]["experiment"] == {"from data": f"file:{tmp_path / 'cycling.csv'}"}
    result = cw.run(cw.Pipeline({"known": entry(), "check": cw.Validation({"c": one})}))
    assert result.element("check").result["validation_results"]["c"]["status"] == "solved"


STORED = np.array([0.0, 4e6, 4e6, 1.6e7, 8e6])


def storage(data, **options):
    """An objective of storage."""
    return cw.objectives.CalendarAgeing(data, options={"model": SEI, **options})


def losses(time, D=None):
    """The loss of lithium [%] of the cell at rest, by the law of diffusion through the growing layer.

    Solvent diffuses through the layer of thickness L: dL/dt = V D c / (z L), so that L² = L0² + 2 V D c t / z, with V
    the layer's molar volume, c the solvent's concentration, z the lithium bound by each mole of the layer. The layer
    covers the surface of the particles, 3 ε / R of the electrode's volume (Ploehn et al., J. Electrochem. Soc. 151
    (2004) A456, doi:10.1149/1.1644601).
    """
    p = {name: value for name, value in CELL.values_.items() if isinstance(value, float)}
    D = p[D_SEI] if D is None else D
    V, z, L0 = (
        p["SEI partial molar volume [m3.mol-1]"],
        p["Ratio of lithium moles to SEI moles"],
        p["Initial SEI thickness [m]"],
    )
    L = np.sqrt(L0**2 + 2 * V * D * p["Bulk solvent concentration [mol.m-3]"] * time / z)
    host = {
        e: p[f"{e} electrode active material volume fraction"] * p[f"{e} electrode thickness [m]"]
        for e in ("Negative", "Positive")
    }
    lithium = sum(host[e] * p[f"Initial concentration in {e.lower()} electrode [mol.m-3]"] for e in host)
    return 100 * z / V * 3 / p["Negative particle radius [m]"] * host["Negative"] * (L - L0) / lithium


@pytest.mark.oracle("CalendarAgeing")
def test_storage_follows_the_root_of_time():
    one = storage({"Time [s]": STORED, LLI: np.zeros(5)})
    for D in (None, 1e-20, 4e-19):
        ours = predicted(one, **({} if D is None else {D_SEI: D}))
        assert ours.status == "solved"
        # The integrator's rtol is 1e-4, of the layer's thickness.
        np.testing.assert_allclose(ours.outputs[LLI], losses(STORED, D), rtol=1e-3, atol=1e-5)
    long = losses(np.array([1e9, 4e9]), 4e-19)
    assert long[1] / long[0] == pytest.approx(2.0, rel=1e-2)


@pytest.mark.oracle("CalendarAgeing")
def test_a_diffusivity_is_recovered_from_storage_with_missing_values():
    noise, rng = 5e-3, np.random.default_rng(8)
    time = np.linspace(0, 1.6e7, 9)
    values = losses(time, 4e-20) + noise * rng.normal(size=9)
    values[[3, 6]] = np.nan
    data = {"Time [s]": time, LLI: values, LAM_NE: np.where(np.arange(9) == 4, 0.0, np.nan)}
    element = cw.DataFit(
        storage(data, modes=[LLI, LAM_NE]),
        parameters={D_SEI: cw.transforms.Log10(cw.Parameter(D_SEI, 1e-18, (1e-21, 1e-17)))},
        optimizer=cw.optimizers.ScipyLeastSquares(),
    )
    record = cw.run(cw.Pipeline({"known": entry(D_SEI), "fit": element})).element("fit")
    # As in the fit over cycles, LLI ~ sqrt(D).
    bound = 3 * 2 * noise / np.linalg.norm(losses(time, 4e-20)[~np.isnan(values)])
    assert record.result["parameter_values"][D_SEI] == pytest.approx(4e-20, rel=bound)
    assert bound < 0.1


@pytest.mark.oracle("CalendarAgeing")
def test_storage_depends_on_the_state_of_charge():
    model = {"type": "SPM", "options": {"SEI": "interstitial-diffusion limited"}}
    data = {"Time [s]": [1e7], LLI: [0.0]}
    found = {}
    for soc in (20.0, 80.0):
        one = cw.objectives.CalendarAgeing(data, options={"model": model}, parameters={"Initial SOC [%]": soc})
        found[soc] = predicted(one).outputs[LLI][0]
    # Interstitials are driven by the negative electrode's potential, which falls as it is filled.
    assert found[80.0] > 1.5 * found[20.0] > 0


BAD = {
    "beyond": (objective(rows([LLI], [0, 7])), r"data name cycle 7, and the experiment has 6 cycles, 0 to 5"),
    "half": (objective({"Cycle number": [0.5], LLI: [1.0]}), r"'Cycle number' holds 0.5 in row 0"),
    "before": (objective({"Cycle number": [-1], LLI: [1.0]}), r"holds -1 in row 0"),
    "column": (objective(rows([LLI]), **{"objective variables": ["LLI"]}), r"no column 'LLI'.*'LLI \[%\]'"),
    "number": (objective({LLI: [1.0]}), r"no column 'Cycle number'"),
    "nothing": (objective({"Cycle number": [0]}), r"beside 'Cycle number' the data have no column"),
    "no rows": (objective({"Cycle number": [], LLI: []}), r"the data have no rows"),
    "no values": (objective({"Cycle number": [0], LLI: [float("nan")]}), r"'LLI \[%\]' holds no measured value"),
    "variable": (
        objective(rows(["Loss of lithium inventry [%]"])),
        r"no summary of a cycle of SPM.*'Loss of lithium inventory \[%\]'",
    ),
    "no summary": (objective(rows(["Voltage [V]"])), r"'Voltage \[V\]' is no summary.*say in 'metrics'"),
    "metric variable": (
        objective(rows(["V"]), metrics={"V": m.First("Voltge [V]").by_cycle()}),
        r"SPM has no variable 'Voltge \[V\]'.*'Voltage \[V\]'",
    ),
    "metric of nothing": (
        objective(rows([LLI]), metrics={"LLI": m.First("Time [s]").by_cycle()}),
        r"metrics › LLI: there is a metric of 'LLI', which is not compared.*'LLI \[%\]'",
    ),
    "metric tag": (objective(rows([LLI]), metrics={LLI: {"type": "Fisrt"}}), r"metrics › LLI \[%\].*'Fisrt'.*'First'"),
    "one value": (objective(rows([LLI]), metrics={LLI: m.Last("Time [s]")}), r"by_cycle\(\)"),
    "other cycles": (
        objective(rows([LLI]), metrics={LLI: m.Last("Time [s]").by_cycle(cycles=[1])}), r"names the cycles 1, and",
    ),
    "step": (objective(rows([LLI]), metrics={LLI: m.Last("Time [s]").by_cycle(step=2)}), r"step 2 is read of cycle 0"),
    "no experiment": (objective(rows([LLI]), None), r"CycleAgeing needs an experiment"),
    "from data": (objective(rows([LLI]), "from data"), r"makes the experiment of 'Time \[s\]'"),
    "measurement": (objective(rows([LLI]), {"from data": {"Time [s]": [0.0]}}), r"from data: .*column 'Current"),
    "words": (objective(rows([LLI], [0]), ["Dischrge at 1C"]), r"cycles › 0 › 0: PyBaMM does not understand"),
    "step type": (objective(rows([LLI], [0]), [{"type": "crate"}]), r"cycles › 0 › 0: PyBaMM does not understand"),
    "field": (objective(rows([LLI], [0]), {"cycle": [["Rest for 1 hour"]]}), r"no field 'cycle'.*mean 'cycles'"),
    "empty": (objective(rows([LLI], [0]), []), r"an experiment is a list of cycles"),
    "given": (objective(rows([LLI]), termination="events"), r"'termination' says how an experiment is made of data"),
    "mode": (objective(rows([LLI]), simulation_kwargs={"experiment_model_mode": "one"}), r"'unified' or 'legacy'"),
    "solve": (
        objective(rows([LLI]), simulation_kwargs={"solve_kwargs": {"initial_soc": 0.5}}), r"'initial_soc' cannot",
    ),
    "setting": (objective(rows([LLI]), simulation_kwargs={"var_ptz": {}}), r"simulation setting 'var_ptz'"),
    "option": (objective(rows([LLI]), model={"type": "SPM", "options": {"SEI": "x"}}), r"refuses the options of SPM"),
    "time": (storage({"Time [s]": [-1.0, 1.0], LLI: [0.0, 1.0]}), r"the times of storage are"),
    "instant": (storage({"Time [s]": [0.0], LLI: [0.0]}), r"one at least is above 0"),
    "mode without values": (storage({"Time [s]": [1.0], LLI: [float("nan")]}), r"'LLI \[%\]' holds no measured value"),
    "mode without column": (storage({"Time [s]": [1.0], LLI: [1.0]}, modes=[LAM_NE]), r"no column 'LAM_ne \[%\]'"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_told_by_the_check(name):
    one, said = BAD[name]
    report = cw.check(cw.Pipeline({"known": entry(), "check": cw.Validation({"o": one})}))
    assert len(report.errors) == 1, report.errors
    with pytest.raises(CellwrightError, match=said):
        raise CellwrightError(str(report.errors[0]))


def test_missing_parameters_of_the_experiment_are_named():
    names = ("Nominal cell capacity [A.h]", D_SEI)
    for name in names:
        report = cw.check(cw.Pipeline({"known": entry(name), "check": cw.Validation({"o": objective(rows([LLI]))})}))
        assert any(name in str(error) for error in report.errors)


def test_free_parameters_that_do_nothing_are_told():
    stranger = "Cation transference number"
    element = cw.DataFit(objective(rows([LLI])), parameters={stranger: cw.Parameter(stranger, 0.2, (0.1, 0.4))})
    report = cw.check(cw.Pipeline({"known": entry(), "fit": element}))
    assert any(stranger in str(error) for error in report.errors)
