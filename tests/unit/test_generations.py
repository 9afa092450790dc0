"""Searches by generations: what ends them, what each option does or why it is refused, how they ask."""

import re

import numpy as np
import pytest

import cellwright as cw
from cellwright.catalog.estimators.bounds import HANDLINGS, folded, handled
from cellwright.catalog.estimators.by_method import METHODS
from cellwright.catalog.estimators.lent_random import LentRandom
from cellwright.catalog.estimators.simplex import NelderMead
from cellwright.catalog.estimators.stopping import Stopping
from cellwright.errors import ConfigurationError
from cellwright.schema.families import Estimator
from cellwright.schema.search import Batch, Dimension, Space
from cellwright.schema.variant import InvalidDocumentError
from cellwright.testing.searches import Search, bowl, valley, waves

o = cw.optimizers
SAMPLED = (o.CMAES, o.XNES, o.PSO, o.DifferentialEvolution)
FAMILY = (*SAMPLED, NelderMead)
NEVER = {"max_unchanged_iterations": 10**6, "xtol": None, "population_convergence_tol": None}


def told(kind, **fields):
    if kind is o.CMAES:
        fields["screen"] = "off"  # it simulates all of a generation, like its relatives
    search = Search(kind(**fields), fields.pop("function", valley))
    return search, search.run()


def problems(estimator, dimensions=2):
    space = Search(estimator, bowl, (0.0,) * dimensions).space
    return {error.at: f"{error.message} ({error.hint})" for error in estimator.refusals(space)}


# ---------------------------------------------------------------------------------------------------- what ends it


@pytest.mark.parametrize("kind", FAMILY, ids=lambda kind: kind.__name__)
def test_limits_hold_to_the_point(kind):
    search, found = told(kind, max_iterations=4)
    assert (found.iterations, len(search.batches)) == (4, 4)
    assert (found.success, found.message) == (False, "stopped at the limit of 4 iterations")
    search, found = told(kind, max_evaluations=50)
    assert len(search.path) == 50
    assert (found.success, found.message) == (False, "stopped at the limit of 50 evaluations")


@pytest.mark.parametrize("kind", FAMILY, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"threshold": 0.5}, "the cost is below the threshold of 0.5"),
        ({"population_convergence_tol": 0.3}, "the population has shrunk to 0.3 of its first width"),
        ({"flat_fitness_tol": 1e-3}, "half of the population costs the same within 0.001"),
        ({"xtol": 0.02, "population_convergence_tol": None}, "the best point moves by less than 0.02"),
        (
            {"max_unchanged_iterations": 6, "absolute_tolerance": 10.0, "relative_tolerance": None},
            "no improvement that counts in 6 iterations",
        ),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_each_rule_ends_it_earlier_and_says_so(kind, rule, said):
    most = 300 if kind is NelderMead else 120  # a simplex moves one corner in an iteration
    _, without = told(kind, **NEVER, max_iterations=most)
    search, found = told(kind, **{**NEVER, "max_iterations": most, **rule})
    assert (found.success, found.message) == (True, said)
    assert found.iterations < without.iterations
    costs = np.concatenate([batch.costs for batch in search.batches])
    assert np.array_equal(found.point, search.path[np.argmin(costs)])


@pytest.mark.parametrize("kind", SAMPLED, ids=lambda kind: kind.__name__)
def test_no_rule_ends_it_before_the_least_number_of_iterations(kind):
    _, early = told(kind, threshold=1e3)
    _, late = told(kind, threshold=1e3, min_iterations=9)
    assert (early.iterations, late.iterations) == (1, 9)
    _, limited = told(kind, threshold=1e3, min_iterations=9, max_iterations=3)
    assert limited.iterations == 3


def test_an_older_name_of_the_absolute_tolerance_counts():
    _, tight = told(o.CMAES, max_unchanged_iterations=4, relative_tolerance=None, absolute_tolerance=100.0)
    rules = {"max_unchanged_iterations": 4, "relative_tolerance": None}
    _, alias = told(o.CMAES, **rules, max_unchanged_iterations_threshold=100.0)
    _, plain = told(o.CMAES, **rules)
    assert alias.iterations == tight.iterations < plain.iterations


@pytest.mark.parametrize(
    ("absolute", "relative", "costs", "unchanged"),
    [
        (0.1, None, [5.0, 4.95, 4.85, 4.8], 1),  # 4.85 is more than 0.1 below 5, 4.8 is not below 4.85 by so much
        (None, 0.5, [8.0, 5.0, 3.0, 2.0], 1),  # 5 is no half of 8, 3 is less than half of 8, 2 is not half of 3
        (0.1, 0.5, [1.0, 0.95, 0.45, 0.2], 0),  # one of the two is enough
        (1.0, 0.01, [1e-6, 1e-7, 9.99e-8, 9.98e-8], 2),  # small costs count by their fraction
        (None, None, [1.0, 1 - 1e-12, 1 - 2e-12], 0),  # without tolerances anything counts
        (0.0, 0.0, [1.0, 1.0, 1.0], 2),
    ],
)
def test_what_counts_as_an_improvement(absolute, relative, costs, unchanged):
    stopping = Stopping(o.CMAES(absolute_tolerance=absolute, relative_tolerance=relative), 1)
    for cost in costs:
        stopping.note(np.zeros((1, 1)), np.array([cost]))
    assert stopping._unchanged == unchanged


def test_a_longer_patience_takes_longer():
    iterations = [told(o.CMAES, convergence_patience=patience)[1].iterations for patience in (1, 3, 12)]
    assert iterations == sorted(set(iterations))


@pytest.mark.parametrize("kind", FAMILY, ids=lambda kind: kind.__name__)
def test_where_nothing_can_be_solved_it_says_so_and_stands_at_the_start(kind):
    search = Search(kind(max_unchanged_iterations=5), lambda x: np.full(2, np.nan))
    found = search.run()
    assert (found.success, found.message) == (False, "not one point could be solved in 5 iterations")
    assert np.array_equal(found.point, search.space.initial)


def test_the_iterations_of_the_fit_s_options_are_a_limit():
    assert told(lambda: o.CMAES().limited(3))[1].iterations == 3
    assert o.AskTellOptimizer("PSO", max_iterations=9).limited(3).chosen.max_iterations == 3
    assert o.PSO(max_iterations=2).limited(3).max_iterations == 2


# ---------------------------------------------------------------------------------------------------- how it asks


@pytest.mark.parametrize(("kind", "size"), [(o.CMAES, 9), (o.XNES, 9), (o.PSO, 9), (o.DifferentialEvolution, 9)])
def test_a_generation_is_one_batch_and_the_start_is_in_the_first(kind, size):
    search, _ = told(kind, population_size=size, max_iterations=5)
    first, *others = [len(batch.points) for batch in search.batches]
    assert others == [size] * 4
    # Evolution strategies sample around the start; it is evaluated beside the first sample.
    assert first == size + (kind in (o.CMAES, o.XNES))
    assert (search.batches[0].points == search.space.initial).all(axis=1).any()


def test_a_simplex_asks_for_its_first_corners_at_once_then_for_one_or_two():
    search, _ = told(NelderMead)
    sizes = [len(batch.points) for batch in search.batches]
    assert sizes[0] == 3
    assert set(sizes[1:]) <= {1, 2}


@pytest.mark.parametrize("kind", FAMILY, ids=lambda kind: kind.__name__)
def test_the_first_width_is_sigma0_in_fractions_of_the_range(kind):
    extents = []
    for sigma in (0.01, 0.05, [0.01, 0.05]):
        search, _ = told(
            kind, sigma0=sigma, max_iterations=1, **({} if kind is NelderMead else {"population_size": 40})
        )
        extents.append(np.ptp(search.path, axis=0))
    small, large, both = extents
    # Ranges of 40 normal samples: between 3 and 7 standard deviations; edges of a simplex: one.
    low, high = (0.99, 1.01) if kind is NelderMead else (3.0, 7.0)
    for extent, sigma in ((small, 0.01), (large, 0.05), (both, np.array([0.01, 0.05]))):
        assert (extent >= sigma * low).all()
        assert (extent <= sigma * high).all()


@pytest.mark.parametrize("kind", FAMILY, ids=lambda kind: kind.__name__)
def test_one_parameter_alone_is_searched_too(kind):
    search = Search(kind(), lambda x: np.array([x[0] - 0.3, 0.1]), (-1.0,))
    assert search.values(search.run()) == pytest.approx([0.3], abs=0.01)


@pytest.mark.parametrize("kind", [o.CMAES, o.XNES, NelderMead])
@pytest.mark.parametrize("ends", [(-np.inf, np.inf), (0.0, np.inf), (-np.inf, 9.0)])
def test_what_samples_around_the_start_needs_no_bounds(kind, ends):
    space = Space(tuple(Dimension(f"x{i}", 1.0 + i, *ends, float, float) for i in range(2)))
    asked = []

    def evaluate(points):
        asked.append(points)
        costs = ((points * np.array([1.0, 2.0]) - 4.0) ** 2).sum(axis=1)
        return Batch(points, costs, None, ("solved",) * len(points))

    found = kind().search(evaluate, space, np.random.default_rng(0))
    assert list(space.values(found.point).values()) == pytest.approx([4.0, 4.0], abs=0.05)
    asked = np.vstack(asked)
    assert np.array_equal(np.clip(asked, space.lower, space.upper), asked)


@pytest.mark.parametrize("value", [-2.0, 3.0])
@pytest.mark.parametrize("kind", FAMILY, ids=lambda kind: kind.__name__)
def test_a_start_at_a_bound_is_a_start(kind, value):
    search = Search(kind(), bowl, (value, value))
    assert search.values(search.run()) == pytest.approx([-0.5, -0.5], abs=0.02)


def test_points_are_mirrored_as_often_as_it_takes():
    ends = {"both": (0.0, 1.0), "low": (0.0, np.inf), "high": (-np.inf, 1.0), "free": (-np.inf, np.inf)}
    space = Space(tuple(Dimension(name, 0.5, low, high, float, float, False) for name, (low, high) in ends.items()))
    points = np.array([[1.2, -0.2, 1.2, 7.0], [-0.3, 5.0, -5.0, -7.0], [2.3, 0.0, 1.0, 0.0], [0.4, 0.4, 0.4, 0.4]])
    expected = [[0.8, 0.2, 0.8, 7.0], [0.3, 5.0, -5.0, -7.0], [0.3, 0.0, 1.0, 0.0], [0.4, 0.4, 0.4, 0.4]]
    assert folded(points, space) == pytest.approx(np.array(expected))


@pytest.mark.parametrize("handling", HANDLINGS)
def test_only_what_is_beyond_the_bounds_is_handled(handling):
    space = Space(tuple(Dimension(f"x{i}", 0.5, 0.0, 1.0, float, float) for i in range(2)))
    points = np.array([[1.25, 0.5], [-0.25, 2.0]])
    new = handled(points, space, handling, np.random.default_rng(0))
    assert new[0, 1] == 0.5
    fixed = {"reflect": [0.75, 0.25, 0.0], "absorb": [1.0, 0.0, 1.0], "ignore": [1.25, -0.25, 2.0]}
    changed = [new[0, 0], new[1, 0], new[1, 1]]
    assert changed == fixed[handling] if handling in fixed else all(0 <= x <= 1 for x in changed)


def test_log_to_screen_prints_a_line_for_each_generation(capsys):
    search, _ = told(o.PSO, log_to_screen=True, max_iterations=3)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3
    assert lines[-1].startswith(f"PSO: generation 3, {len(search.path)} evaluations, best cost ")
    told(o.PSO, max_iterations=3)
    assert capsys.readouterr().err == ""


def test_a_lent_random_state_goes_on_and_leaves_the_global_one_alone():
    legacy = np.random  # the global state is what this is about

    def drawn(between):
        legacy.seed(between)
        lent = LentRandom(np.random.default_rng(5))
        numbers = []
        for _ in range(3):
            with lent.lent():
                numbers.append(legacy.normal())
            legacy.normal(size=between)
        return numbers, legacy.normal()

    (one, after_one), (other, _) = drawn(3), drawn(8)
    assert one == other
    assert len(set(one)) == 3
    legacy.seed(3)
    legacy.normal(size=9)
    assert legacy.normal() == after_one


# ------------------------------------------------------------------------------------------------ what options do

EFFECTS = [
    *((o.PSO, one) for one in (
        {"inertia_weight": (0.9, 0.4)}, {"inertia_weight": [0.7, 0.7]}, {"constriction": False}, {"c1": 2.5},
        {"c2": 2.5}, {"boundary_handling": "absorb"}, {"boundary_handling": "random"}, {"boundary_handling": "ignore"},
        {"velocity_clamping": "none"}, {"velocity_clamping": "adaptive"}, {"v_max_fraction": 0.05},
        {"inertia_weight": (0.9, 0.4), "max_iterations": 40}, {"velocity_clamping": "adaptive", "max_iterations": 40},
    )),
    *((o.DifferentialEvolution, one) for one in (
        {"mutation_strategy": "rand_1"}, {"mutation_strategy": "best_1"}, {"mutation_strategy": "current_to_best_1"},
        {"mutation_strategy": "rand_2"}, {"mutation_strategy": "best_2"}, {"crossover_method": "exponential"},
        {"F": 0.8}, {"CR": 0.2}, {"dither": False}, {"dither": (0, 1)}, {"dither": [0.2, 0.6]}, {"p_best_rate": 0.5},
        {"archive_size_ratio": 0.0}, {"archive_size_ratio": 3.0}, {"memory_size": 2}, {"boundary_handling": "absorb"},
        {"boundary_handling": "random"}, {"boundary_handling": "ignore"},
    )),
    *((o.CMAES, one) for one in (
        {"CMA_diagonal": True}, {"CMA_stds": [1, 0.3]}, {"CMA_elitist": True}, {"CMA_const_trace": "geom"},
        {"CMA_mirrors": 0.4}, {"CMA_active": False}, {"popsize": 11}, {"AdaptSigma": False},
        {"scaling_of_variables": [1, 2]}, {"maxiter": 7}, {"ftarget": 1.0}, {"tolfun": 10.0}, {"maxfevals": 30},
    )),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "options"), EFFECTS, ids=lambda value: str(value) if isinstance(value, dict) else "")
def test_every_option_has_an_effect_and_the_search_arrives(kind, options):
    def path(given, function=waves):
        whole = {"screen": "off"} if kind is o.CMAES else {}
        search = Search(kind(algorithm_options=given, **NEVER, **whole, max_iterations=40), function)
        return search.run(), search

    estimator = kind(algorithm_options=options)
    assert not problems(estimator)
    (_, without), (_, with_it) = path({}), path(options)
    a, b = without.path, with_it.path
    assert a.shape != b.shape or not np.array_equal(a, b)
    assert np.array_equal(np.clip(b, 0, 1), b)
    if not {"maxiter", "ftarget", "tolfun", "maxfevals", "AdaptSigma"} & options.keys():
        found, search = path(options, bowl)
        # A bowl of 5 × 5 in 40 generations: to some percent of the range, whatever the options.
        assert search.values(found) == pytest.approx([-0.5, -0.5], abs=0.2)


def test_options_of_pso_that_are_the_usual_ones_change_nothing():
    usual = {"constriction": True, "c1": 2.05, "c2": 2.05, "boundary_handling": "reflect", "v_max_fraction": 0.2,
             "velocity_clamping": "fraction", "max_iterations": 1000}  # fmt: skip
    assert not problems(o.PSO(algorithm_options=usual))
    assert np.array_equal(told(o.PSO, algorithm_options=usual)[0].path, told(o.PSO)[0].path)


def test_options_of_differential_evolution_that_are_the_usual_ones_change_nothing():
    usual = {"mutation_strategy": "current_to_pbest_1", "crossover_method": "binomial", "F": 0.5, "CR": 0.7,
             "dither": True, "p_best_rate": 0.1, "archive_size_ratio": 1.0, "memory_size": 20,
             "boundary_handling": "reflect"}  # fmt: skip
    assert not problems(o.DifferentialEvolution(algorithm_options=usual))
    kind = o.DifferentialEvolution
    assert np.array_equal(told(kind, algorithm_options=usual)[0].path, told(kind)[0].path)


REFUSED = [
    (o.CMAES(max_iterations=0), "max_iterations", "is 1 at least, not 0"),
    (o.CMAES(max_evaluations=-1), "max_evaluations", "is 1 at least"),
    (o.PSO(xtol=-1e-3), "xtol", "is 0 at least, not -0.001"),
    (o.XNES(sigma0=[0.1]), "sigma0", "has 1 numbers for 2 parameters"),
    (o.XNES(sigma0=-0.1), "sigma0", "a number above 0, not -0.1"),
    (o.XNES(sigma0=[0.1, "wide"]), "sigma0", "a number above 0, not 'wide'"),
    (o.CMAES(population_size=1), "population_size", "CMAES needs a population of 2 at least"),
    (o.DifferentialEvolution(population_size=5), "population_size", "needs a population of 6"),
    (o.PSO(surrogate_convergence_tol=1e-2), "surrogate_convergence_tol", "PSO has no surrogate"),
    (o.AskTellOptimizer("Nelder-Mead", population_size=8), "population_size", "a corner more than .* here 3"),
    (o.AskTellOptimizer("DifferentialEvolution", population_size=2), "population_size", "of 6 at least"),
]
REFUSED_OPTIONS = [
    (o.PSO, {"boundary_handling": "reflct"}, "boundary_handling", "did you mean 'reflect'"),
    (o.PSO, {"velocity_clamping": "some"}, "velocity_clamping", "there are fraction, adaptive, none"),
    (o.PSO, {"inertia_weight": (0.9, 0.4), "constriction": True}, "inertia_weight", "not both"),
    (o.PSO, {"c1": 1.5}, "c1", "more than 4 together, these are 3.55"),
    (o.PSO, {"c2": -1.0, "c1": 6.0}, "c2", "cannot be negative"),
    (o.PSO, {"max_iterations": 50}, "max_iterations", "only an inertia"),
    (o.PSO, {"max_iterations": 0, "constriction": False}, "max_iterations", "one iteration at least"),
    (o.PSO, {"inertia_weight": [0.9]}, "inertia_weight", "is two numbers"),
    (o.PSO, {"velocity_clamping": "none", "v_max_fraction": 0.4}, "v_max_fraction", "has no effect"),
    (o.PSO, {"v_max_fraction": 0.0}, "v_max_fraction", "above 0"),
    (o.DifferentialEvolution, {"mutation_strategy": "rand1"}, "mutation_strategy", "did you mean 'rand_1'"),
    (o.DifferentialEvolution, {"crossover_method": "uniform"}, "crossover_method", "there are binomial, exponential"),
    (o.DifferentialEvolution, {"dither": (0.9, 0.4)}, "dither", "the first below the second"),
    (o.DifferentialEvolution, {"dither": [0.5]}, "dither", "between two numbers"),
    (o.DifferentialEvolution, {"F": 0.3}, "F", "begins at 0.3, outside of 0.5 to 1"),
    (o.DifferentialEvolution, {"F": 0.0, "dither": False}, "F", "does not move"),
    (o.DifferentialEvolution, {"CR": 1.5}, "CR", "between 0 and 1"),
    (o.DifferentialEvolution, {"mutation_strategy": "rand_1", "p_best_rate": 0.3}, "p_best_rate", "no use for it"),
    (o.DifferentialEvolution, {"mutation_strategy": "rand_1", "archive_size_ratio": 2}, "archive_size_ratio", "no use"),
    (o.DifferentialEvolution, {"p_best_rate": 0.0}, "p_best_rate", "between 0 and 1"),
    (o.DifferentialEvolution, {"archive_size_ratio": -1}, "archive_size_ratio", "0 points at least"),
    (o.DifferentialEvolution, {"memory_size": 0}, "memory_size", "one number at least"),
    (o.CMAES, {"CMA_diagnal": True}, "CMA_diagnal", "did you mean 'CMA_diagonal'"),
    (o.CMAES, {"bounds": [0, 1]}, "bounds", "those of the fit's parameters"),
    (o.CMAES, {"seed": 3}, "seed", "the seed is that of the fit's options"),
    (o.CMAES, {"timeout": 3}, "timeout", "use maxtime"),
    (o.CMAES, {"verb_log": 1}, "verb_log", "has no option 'verb_log' for a search"),
    (o.CMAES, {"popsize": "4 + 3"}, "popsize", "is a number or a list of them, not '4 . 3'"),
    (o.CMAES, {"CMA_elitist": "initial"}, "CMA_elitist", "is a number or a list of them"),
    (o.CMAES, {"CMA_const_trace": "sum"}, "CMA_const_trace", "or one of aeig, arithm, geig, geom"),
    (o.CMAES, {"CMA_stds": [1, "2"]}, "CMA_stds", "is a number or a list of them"),
]


@pytest.mark.parametrize(("estimator", "field", "said"), REFUSED)
def test_fields_that_cannot_be_meant_are_refused(estimator, field, said):
    found = problems(estimator)
    assert list(found) == [(field,)]
    assert re.search(said, found[(field,)])


@pytest.mark.parametrize(("kind", "options", "field", "said"), REFUSED_OPTIONS)
def test_options_that_cannot_be_meant_or_have_no_effect_are_refused(kind, options, field, said):
    for estimator in (kind(algorithm_options=options), o.AskTellOptimizer(kind.__name__, algorithm_options=options)):
        found = problems(estimator)
        assert ("algorithm_options", field) in found
        assert re.search(said, found[("algorithm_options", field)])


def test_what_cma_itself_refuses_is_told_without_its_traceback():
    [(at, said)] = problems(o.CMAES(algorithm_options={"CMA_stds": [1, 2, 3]})).items()
    assert at == ("algorithm_options",)
    assert said.startswith("cma refuses its options: ")


def test_the_size_of_a_population_is_given_once():
    found = problems(o.CMAES(population_size=8, algorithm_options={"popsize": 9}))
    assert "given twice" in found[("algorithm_options", "popsize")]


# -------------------------------------------------------------------------------------------------- by its method


@pytest.mark.parametrize("method", [method for method in METHODS if method in o.__all__])
def test_a_method_is_the_estimator_of_its_name(method):
    fields = {"population_size": 7, "max_iterations": 3, "sigma0": 0.2}
    chosen = o.AskTellOptimizer(method, **fields).chosen
    assert type(chosen) is getattr(o, method)
    assert chosen.to_config() == getattr(o, method)(**fields, algorithm_options={}).to_config()
    assert o.AskTellOptimizer(method).random is chosen.random
    assert o.AskTellOptimizer(method).global_search is chosen.global_search


@pytest.mark.parametrize("kind", SAMPLED, ids=lambda kind: kind.__name__)
def test_a_method_takes_the_path_of_the_estimator_of_its_name(kind):
    by_name = {"type": "Pints", "method": kind.__name__, "max_iterations": 5}
    one = Search(Estimator.parse(by_name))
    other = Search(kind(max_iterations=5))
    one.run()
    other.run()
    assert np.array_equal(one.path, other.path)


def test_a_method_that_is_none_is_told_with_the_nearest():
    with pytest.raises((ConfigurationError, InvalidDocumentError), match="did you mean 'Nelder-Mead'"):
        o.AskTellOptimizer("NelderMead")
