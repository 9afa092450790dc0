"""The options of a fit: seed, limits, log, listeners; none changes a result that it should not."""

import pickle

import numpy as np
import pytest
from lines import fitted, free, objective, problems, world

import cellwright as cw
from cellwright.compute.inline import InlinePool
from cellwright.engine.run import run
from cellwright.engine.world import MemoryJournal
from cellwright.errors import ConfigurationError

TIME = np.arange(5.0)
EVOLUTION = cw.optimizers.ScipyDifferentialEvolution(max_iterations=5, population_size=4)
CURVED = cw.optimizers.ScipyMinimize(method="Nelder-Mead")


def line(optimizer=None, **fields):
    given = {"parameters": free(a=0.0, b=0.0)} | fields
    return cw.DataFit(objective(TIME, 1 + 2 * TIME), optimizer=optimizer, **given)


class Dying(InlinePool):
    """Ends the process, so to say, after some batches."""

    def __init__(self, after=float("inf")):
        super().__init__()
        self.after, self.batches = after, 0

    def map(self, job, tasks, time_limit=None):
        if self.batches >= self.after:
            raise KeyboardInterrupt
        self.batches += 1
        return super().map(job, tasks, time_limit)


def test_a_seed_from_the_clock_is_told_and_repeats_the_fit():
    first = fitted(line(EVOLUTION), within=world(now="2026-01-01"))
    other = fitted(line(EVOLUTION), within=world(now="2026-01-02"))
    assert first.result["seed"] != other.result["seed"]
    assert first.result["x"] != other.result["x"]
    again = fitted(line(EVOLUTION, options={"seed": first.result["seed"]}), within=world(now="2026-01-03"))
    assert again.result["x"] == first.result["x"]
    assert again.result["seed"] == first.result["seed"]
    assert 0 <= first.result["seed"] < 2**32


def test_a_seed_from_the_clock_outlives_a_kill():
    journal = MemoryJournal()
    with pytest.raises(KeyboardInterrupt):
        fitted(line(EVOLUTION), within=world(now="2026-01-01", journal=journal, pool=Dying(3)))
    resumed = fitted(line(EVOLUTION), within=world(now="2026-01-02", journal=journal))
    assert resumed.counts["replayed"] > 0
    undisturbed = fitted(line(EVOLUTION, options={"seed": resumed.result["seed"]}))
    assert undisturbed.result["x"] == resumed.result["x"]


def test_where_chance_has_no_part_no_seed_is_drawn():
    assert fitted(line()).result["seed"] is None
    assert fitted(line(options={"seed": 7})).result["seed"] == 7
    assert fitted(line(multistarts=2)).result["seed"] is not None


@pytest.mark.parametrize(
    ("own", "expected"),
    [({}, 5), ({"max_iterations": 2}, 2), ({"max_iterations": 50}, 5), ({"options": {"maxiter": 3}}, 3)],
    ids=str,
)
def test_iterations_are_capped_for_each_start(own, expected):
    optimizer = cw.optimizers.ScipyMinimize(method="Nelder-Mead", **own)
    record = fitted(line(optimizer, options={"max_iterations": 5}))
    assert record.result["iterations"] == expected
    assert not record.result["success"]
    for limit, iterations in ((3, 3), (50, 5)):
        evolution = cw.optimizers.ScipyDifferentialEvolution(maxiter=limit)
        capped = fitted(line(evolution, options={"max_iterations": 5, "seed": 1}))
        assert capped.result["iterations"] == iterations
    stays = fitted(line(cw.optimizers.PointEstimateOptimizer(), options={"max_iterations": 5}))
    assert stays.result["evaluations"] == 1


def test_time_is_capped_and_time_before_a_stop_counts():
    # The clock of this world ticks at each look, some five times a batch.
    record = fitted(line(CURVED, options={"maxtime": 100.0}))
    assert record.result["message"] == "stopped at the time limit of 100 s"
    assert not record.result["success"]
    journal = MemoryJournal()
    with pytest.raises(KeyboardInterrupt):
        fitted(line(CURVED, options={"maxtime": 100.0}), within=world(journal=journal, pool=Dying(10)))
    resumed = fitted(line(CURVED, options={"maxtime": 100.0}), within=world(journal=journal))
    # Of the time before, that of the solves counts.
    assert resumed.result["evaluations"] < 1.5 * record.result["evaluations"]


def test_validation_can_be_left_out():
    parameters = free(a=0.0, b=0.0, useless=1.0)
    ((at, _),) = problems(line(parameters=parameters))
    assert at == ("parameters", "useless")
    assert problems(line(parameters=parameters, options={"validate": False})) == []


def test_a_terse_log_has_improvements_of_a_thousandth_alone():
    # A straight line does not go through these: the cost stays above 0, and the last steps improve it by little.
    rough = objective(TIME, [1.0, 3.2, 4.9, 7.1, 8.8])

    fine = cw.optimizers.ScipyMinimize(method="Nelder-Mead", options={"fatol": 1e-12, "xatol": 1e-9})

    def log(optimizer, **options):
        element = cw.DataFit(rough, parameters=free(a=0.0, b=0.0), optimizer=optimizer, options=options)
        return [row["cost"] for row in fitted(element).trace]

    logs = {low: log(fine, low_memory=low) for low in (True, False)}
    assert set(logs[True]) < set(logs[False])
    assert logs[False] == sorted(logs[False], reverse=True)
    assert all(before - after >= 1e-3 * before for before, after in zip(logs[True], logs[True][1:], strict=False))
    # Without a choice: terse where chance has no part.
    assert log(fine) == logs[True]
    assert log(EVOLUTION, seed=1) == log(EVOLUTION, seed=1, low_memory=False)


def test_the_objectives_are_not_simulated_for_statistics_that_nobody_wants():
    full, spare = (fitted(line(options={"skip_objective_callbacks": skip})) for skip in (False, True))
    assert spare.result["objectives"] == {}
    assert spare.series == {}
    assert spare.counts["solves"] == full.counts["solves"] - 2
    assert spare.result["parameter_values"] == full.result["parameter_values"]


def two(**fields):
    objectives = {
        "one": objective(TIME, 1 + 2 * TIME, **fields),
        "two": objective(TIME + 5, 11.0 + 2 * TIME),
    }
    return cw.DataFit(objectives, parameters=free(a=0.0, b=0.0))


def test_objectives_are_solved_together_or_one_after_the_other():
    class Counting(Dying):
        def map(self, job, tasks, time_limit=None):
            seen.append({task.objective for task in tasks})
            return super().map(job, tasks, time_limit)

    results = {}
    for how in ("auto", "on", "off"):
        seen = []
        element = two().model_copy(update={"objective_parallelism": how})
        results[how] = fitted(element, within=world(pool=Counting())).result
        apart = [names for names in seen if len(names) == 1]
        assert bool(apart) is (how == "off")
    same = [{**result, "seed": None} for result in results.values()]
    assert same[0] == same[1] == same[2]


def test_listeners_hear_of_improvements():
    rows, heard, also = [], [], []
    element = two(callbacks=[heard.append, also.append]).model_copy(update={"cost_logger": rows.append})
    record = fitted(element, within=world(pool=Pickling()))
    assert [row["cost"] for row in rows][-1] == record.result["cost"]
    assert [row["cost"] for row in rows] == sorted((row["cost"] for row in rows), reverse=True)
    assert rows[-1]["inputs_unscaled"] == record.result["parameter_values"]
    assert heard == also == [{**row, "objective": "one"} for row in rows]


class Pickling(InlinePool):
    """Sends its jobs through pickle, as worker processes do."""

    def map(self, job, tasks, time_limit=None):
        return super().map(pickle.loads(pickle.dumps(job)), tasks, time_limit)


@pytest.mark.parametrize("field", ["cost_logger", "callbacks"])
def test_a_listener_ends_the_search(field):
    rows = []

    def enough(row):
        rows.append(row)
        return len(rows) == 3

    element = two(callbacks=enough) if field == "callbacks" else two().model_copy(update={"cost_logger": enough})
    record = fitted(element)
    assert record.result["message"] == "stopped by a callback"
    assert len(rows) == 3
    assert record.result["cost"] == rows[-1]["cost"]


@pytest.mark.parametrize("error", [KeyError("voltage"), ValueError("no such file"), RuntimeError("closed")])
def test_a_listener_that_fails_is_told_as_that(error):
    def failing(row):
        raise error

    with pytest.raises(ConfigurationError, match=f"a callback of the fit failed: {type(error).__name__}") as told:
        fitted(two(callbacks=failing))
    assert told.value.__cause__ is error


def test_listeners_are_no_part_of_a_result_nor_of_a_document():
    listened = two(callbacks=print).model_copy(update={"cost_logger": print})
    assert listened.digest() == two().digest()
    with pytest.raises(cw.CellwrightError, match="no wire form"):
        cw.Pipeline({"fit": listened}).to_config()
    quiet = [].append
    element = two(callbacks=lambda row: quiet(row)).model_copy(update={"cost_logger": quiet})
    result = run(cw.Pipeline({"fit": element}), world())
    assert result.config == cw.Pipeline({"fit": two()}).to_config()


def test_what_has_listeners_is_done_anew_with_a_cache_too():
    cache = Kept()
    fitted(two(), within=world(cache=cache))
    assert fitted(two(), within=world(cache=cache)).cached
    rows = []
    heard = fitted(two(callbacks=rows.append), within=world(cache=cache))
    assert not heard.cached
    assert rows


def test_a_fit_is_done_anew_where_what_its_terms_look_up_has_changed():
    cache = Kept()
    half = {"expression": "'known' * 'a' / 2"}
    terms = {
        "tied": {"parameters": {**free(a=0.0, b=0.0), "half": half}},
        "penalty": {"penalties": [cw.priors.Penalty({"expression": "'a' - 'known'"})]},
        "of a tied one": {
            "parameters": {**free(a=0.0, b=0.0), "half": half},
            "penalties": [cw.priors.Penalty({"expression": "'half' - 1"})],
        },
        "noise": {"cost": cw.costs.GaussianLogLikelihood(sigma={"Voltage [V]": "known"})},
    }
    for fields in terms.values():
        first, same, other = (fitted(line(**fields), {"known": k}, world(cache=cache)) for k in (1.0, 1.0, 3.0))
        assert (first.cached, same.cached, other.cached) == (False, True, False)
        assert first.result != other.result


def test_a_fit_without_a_free_parameter_is_told():
    element = line(parameters={"b": {"expression": "2 * 'c'"}})
    assert (("parameters",), "a fit needs a parameter that is free (None)") in problems(element)


class Kept:
    """A cache in memory."""

    def __init__(self):
        self.records, self.reads = {}, {}

    def reads_of(self, element):
        return list(self.reads.get(element, ()))

    def load(self, key):
        return self.records.get(key)

    def save(self, element, reads, key, record):
        self.reads.setdefault(element, set()).add(reads)
        self.records[key] = record


@pytest.mark.parametrize("value", [3, {"type": "x"}, [print, "no function"]])
def test_what_is_no_function_is_told(value):
    told = problems(two(callbacks=value))
    assert told[0][0] == ("objectives", "one", "callbacks")
    assert "a function of Python, which no document holds" in told[0][1]
