"""The engine: order, cache, journal and replay, failures, cancel, on a world without PyBaMM."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pytest

import cellwright as cw
from cellwright.compute.inline import InlinePool
from cellwright.data.sources import settle
from cellwright.engine.run import run
from cellwright.engine.world import MemoryJournal, World
from cellwright.errors import CanceledError, CheckFailedError, SolverError
from cellwright.schema.simulation import SimulationProblem, Solved
from cellwright.schema.work import Answer

TIME = [0.0, 1.0, 2.0, 3.0]


@dataclass(frozen=True)
class Line:
    """A stand-in for a model: V = a + b t, where `a` and `b` are parameters."""

    problem: SimulationProblem
    doubts = ()

    @property
    def reads(self):
        waiting = self.problem.parameters.unresolved().values()
        return frozenset({"a", "b"}).union(*waiting)

    @property
    def used(self):
        return self.reads & set(self.problem.free)

    def solve(self, inputs: Mapping[str, float]) -> Solved:
        p = self.problem.parameters
        a, b = (float(inputs.get(n, p[n].substitute(inputs) if n in p.unresolved() else p[n])) for n in ("a", "b"))
        if a > 50:
            return Solved("failed", message="a is too large")
        return Solved("solved", {"Voltage [V]": a + b * self.problem.output_times})

    portable = False

    def thinned(self, points):
        return self

    def solve_many(self, points) -> list[Solved]:
        return [self.solve(point) for point in points]


@dataclass
class CountingPool(InlinePool):
    solved: int = 0
    dies_after: float = float("inf")
    seen: list = field(default_factory=list)

    def __post_init__(self):
        super().__init__()

    def map(self, job, tasks, time_limit=None) -> list[Answer]:
        if self.solved >= self.dies_after:
            raise KeyboardInterrupt
        self.solved += len(tasks)
        return super().map(job, tasks, time_limit)


class MemoryCache:
    def __init__(self):
        self.records, self.reads = {}, {}

    def reads_of(self, element):
        return list(self.reads.get(element, ()))

    def load(self, key):
        return self.records.get(key)

    def save(self, element, reads, key, record):
        self.reads.setdefault(element, set()).add(reads)
        self.records[key] = record


def world(**changes) -> World:
    ticks = iter(range(10**6))
    given = {"simulate": Line, "worker_simulate": Line, "pool": CountingPool(), "load": settle}
    return World(**given | {"clock": lambda: float(next(ticks))} | changes)


def objective(voltage=(1.0, 3.0, 5.0, 7.0)):
    data = {"Time [s]": TIME, "Current [A]": [1.0] * 4, "Voltage [V]": list(voltage)}
    return cw.objectives.CurrentDriven(data, options={"model": "line"})


def line_fit(**options):
    return cw.DataFit(
        objective(), parameters={"a": cw.Parameter("a", 0.0, (-5, 5)), "b": cw.Parameter("b", 0.5, (-5, 5))}, **options
    )


def known(**values):
    return cw.direct_entries.DirectEntry(values, source="given")


PIPELINE = cw.Pipeline({"known": known(c=1.0), "fit": line_fit(), "check": cw.Validation({"one": objective()})})


def test_a_fit_finds_the_line_and_hands_it_on():
    result = run(PIPELINE, world())
    assert result.parameters.number("a") == pytest.approx(1.0, abs=1e-9)
    assert result.parameters.number("b") == pytest.approx(2.0, abs=1e-9)
    assert result.parameters.origins["a"].element == "fit"
    assert result.element("check").result["validation_results"]["one"]["fitted_by"] == ["fit"]


def test_an_element_sees_what_stands_before_it_and_nothing_after():
    capacity = cw.calculations.SurfaceAreaToVolumeRatio("negative")
    given = known(**{"Negative particle radius [m]": 3.0, "Negative electrode active material volume fraction": 0.5})
    before = run(cw.Pipeline({"given": given, "a": capacity}), world()).element("a")
    after = run(cw.Pipeline({"a": capacity, "given": given}), world()).element("a")
    name = "Negative electrode surface area to volume ratio [m-1]"
    assert before.result["parameter_values"] == {name: 0.5}
    assert set(after.unresolved[name]) == set(given.parameters)


def test_what_waits_for_a_fit_is_no_news_when_the_fit_is_recalled():
    waits = known(b={"expression": "2 * 'a'"})
    fit = cw.DataFit(objective(), parameters={"a": cw.Parameter("a", 0.0, (-5, 5))})
    pipeline, cache = cw.Pipeline({"waits": waits, "fit": fit}), MemoryCache()
    first, again = (run(pipeline, world(cache=cache)) for _ in range(2))
    assert again.element("fit").cached
    assert first.warnings == again.warnings == ()


def test_finished_elements_are_recalled_and_changed_ones_are_not():
    cache = MemoryCache()
    first = run(PIPELINE, world(cache=cache))
    again_world = world(cache=cache)
    again = run(PIPELINE, again_world)
    assert again_world.pool.solved == 0
    assert [r.cached for r in again.elements] == [False, True, True]
    assert again.element("fit").result == first.element("fit").result
    elements = PIPELINE.elements
    unrelated = cw.Pipeline({**elements, "known": known(c=2.0)})
    assert run(unrelated, world(cache=cache)).element("fit").cached
    other = cw.Pipeline({**elements, "fit": line_fit(options={"seed": 3})})
    assert not run(other, world(cache=cache)).element("fit").cached
    newer = world(cache=cache, versions={"pybamm": "27.1"})
    assert not run(PIPELINE, newer).element("fit").cached


@pytest.mark.parametrize(
    "optimizer",
    [
        cw.optimizers.ScipyLeastSquares(),
        cw.optimizers.ScipyMinimize(),
        cw.optimizers.ScipyDifferentialEvolution(max_iterations=6),
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize("dies_after", [1, 4, 9])
def test_a_killed_search_replays_its_journal_and_ends_at_the_same_bits(optimizer, dies_after):
    pipeline = cw.Pipeline({"fit": line_fit(optimizer=optimizer, multistarts=2)})
    whole = run(pipeline, world()).element("fit")
    journal = MemoryJournal()
    pool = CountingPool(dies_after=dies_after)
    with pytest.raises(KeyboardInterrupt):
        run(pipeline, world(journal=journal, pool=pool))
    resumed = run(pipeline, world(journal=journal)).element("fit")
    assert resumed.counts["replayed"] == pool.solved
    assert resumed.counts["solves"] + pool.solved == whole.counts["solves"]
    assert resumed.result["parameter_values"] == whole.result["parameter_values"]
    assert resumed.result["cost"] == whole.result["cost"]


def test_a_journal_of_another_path_is_not_believed():
    journal = MemoryJournal()
    pipeline = cw.Pipeline({"fit": line_fit()})
    run(pipeline, world(journal=journal))
    (key, batches), *_ = journal._batches.items()
    journal._batches[key] = [type(batches[0])(**vars(batches[0]) | {"points": batches[0].points + 0.1}), *batches[1:]]
    result = run(pipeline, world(journal=journal)).element("fit")
    assert result.result["parameter_values"]["a"] == pytest.approx(1.0, abs=1e-9)
    # What is believed is the batch behind the search, of the best point and one step to each side of it.
    assert result.counts["replayed"] == 5


def test_failing_points_are_counted_and_the_search_goes_on():
    element = cw.DataFit(
        objective(),
        parameters={"a": cw.Parameter("a", 0.0, (-10, 60)), "b": cw.Parameter("b", 0.0, (-5, 5))},
        optimizer=cw.optimizers.ScipyDifferentialEvolution(max_iterations=30, seed=1),
    )
    record = run(cw.Pipeline({"fit": element}), world()).element("fit")
    assert record.counts["failed"] > 0
    assert record.result["parameter_values"]["a"] == pytest.approx(1.0, abs=0.1)


def test_when_every_point_fails_the_commonest_cause_is_told():
    element = cw.DataFit(objective(), parameters={"a": cw.Parameter("a", 70.0, (60, 80))})
    with pytest.raises(SolverError, match="a is too large") as error:
        run(cw.Pipeline({"known": known(b=1.0), "fit": element}), world())
    assert error.value.at == ("fit",)


def test_cancel_stops_between_two_batches():
    asked = iter([False, False, True])
    with pytest.raises(CanceledError):
        run(cw.Pipeline({"fit": line_fit()}), world(canceled=lambda: next(asked)))


def test_events_tell_of_every_element_and_of_progress():
    events = []
    run(PIPELINE, world(emit=events.append))
    kinds = [(event.kind, event.element) for event in events if event.kind != "progress"]
    assert kinds == [(f"element {what}", name) for name in PIPELINE.elements for what in ("started", "finished")]
    progress = [event.data for event in events if event.kind == "progress"]
    assert progress[-1]["best_cost"] < 1e-12
    assert (
        progress[-1]["evaluations"]
        == next(e for e in events if e.element == "fit" and "record" in e.data).data["record"].counts["evaluations"]
    )


def test_parameters_are_written_to_the_output_file(tmp_path):
    file = tmp_path / "parameters.json"
    cw.run(cw.Pipeline({"known": known(c=1.0)}, output_file=str(file)))
    assert json.loads(file.read_text()) == {"c": 1.0}


def test_nothing_is_spent_on_a_document_that_cannot_run():
    spent = world()
    with pytest.raises(CheckFailedError):
        run(cw.Pipeline({"fit": line_fit(), "soh": cw.calculations.ElectrodeSOH()}), spent)
    assert spent.pool.solved == 0


def test_tied_parameters_are_worked_out_from_the_free_ones():
    element = cw.DataFit(objective(), parameters={"a": cw.Parameter("a", 0.0, (-5, 5)), "b": {"expression": "2 * 'a'"}})
    with pytest.raises(cw.CellwrightError):
        cw.DataFit(objective(), parameters={"b": {"expression": "2 * 'a'"}, "a": "nonsense"})
    result = run(cw.Pipeline({"fit": element}), world())
    assert result.parameters.number("b") == pytest.approx(2 * result.parameters.number("a"))


def test_series_hold_data_and_model_before_and_after():
    series = run(PIPELINE, world()).element("fit").series["CurrentDriven"]
    np.testing.assert_array_equal(series["optimal"]["Voltage [V] (data)"], [1, 3, 5, 7])
    np.testing.assert_allclose(series["baseline"]["Voltage [V] (model)"], 0.5 * np.array(TIME))


def test_a_start_that_the_elements_before_give_is_part_of_what_a_fit_reads():
    cache = MemoryCache()
    parameters = {"a": cw.Parameter("a", bounds=(-5, 5)), "b": cw.Parameter("b", bounds=(-5, 5))}
    element = cw.DataFit(objective(), parameters=parameters)
    first = run(cw.Pipeline({"known": known(a=0.5, b=0.5), "fit": element}), world(cache=cache)).element("fit")
    moved = run(cw.Pipeline({"known": known(a=4.0, b=0.5), "fit": element}), world(cache=cache)).element("fit")
    assert not moved.cached
    assert (first.result["initial_guess"]["a"], moved.result["initial_guess"]["a"]) == (0.5, 4.0)


def test_statistics_are_free_of_weights_and_scopes():
    element = cw.Validation(
        {"one": objective((1.1, 1.1, 1.1, 1.1))},
        summary_stats=[
            cw.costs.RMSE(),
            cw.costs.RMSE(objective_names=["other"]),
            cw.costs.RMSE(variable_weights={"Voltage [V]": 4.0}),
        ],
    )
    record = run(cw.Pipeline({"known": known(a=1.0, b=0.0), "v": element}), world()).element("v")
    assert [row["value"] for row in record.result["summary_stats"]["one"]] == pytest.approx([100.0] * 3)


def test_an_unscaled_search_finds_small_parameters():
    parameters = {"a": cw.Parameter("a", 0.0, (-5, 5)), "b": cw.Parameter("b", 1e-3, (0, 5e-3), normalize=False)}
    data = {"Time [s]": TIME, "Current [A]": [1.0] * 4, "Voltage [V]": [1.0, 1.002, 1.004, 1.006]}
    line = cw.objectives.CurrentDriven(data, options={"model": "line"})
    record = run(cw.Pipeline({"fit": cw.DataFit(line, parameters=parameters)}), world()).element("fit")
    assert record.result["parameter_values"]["b"] == pytest.approx(2e-3, rel=1e-4)


def test_a_step_of_the_current_within_one_time_stamp_is_compared_after_the_step():
    data = {
        "Time [s]": [0.0, 50.0, 50.0, 60.0],
        "Current [A]": [0.0, 0.0, 5.0, 5.0],
        "Voltage [V]": [4.2, 4.2, 4.0, 3.9],
    }
    one = cw.objectives.CurrentDriven(data, options={"model": "line"}).prepare(
        cw.ParameterSet({"a": 1, "b": 1}), (), Line
    )
    problem = one.simulation.problem
    assert np.interp(problem.output_times[1], problem.time, problem.current) == 5.0
    assert one.observed["Voltage [V]"][1] == 4.0


def test_the_wire_form_of_a_pipeline_runs_too():
    config = {"elements": {"known": {"element_type": "entry", "values": {"Electrode area [m2]": 0.1}}}}
    assert cw.run(config).parameters["Electrode area [m2]"] == 0.1
    assert cw.check(config).ok
