"""Population searches against their papers and against the libraries themselves; fits with each of them."""

import itertools
import warnings

import cma
import numpy as np
import pints
import pytest
from test_fit import DN, DP, TRUTH, diffusivities, fitted, known, objective

import cellwright as cw
from cellwright.catalog.estimators.differential_evolution import DEOptions, Evolution
from cellwright.catalog.estimators.simplex import FIRST_EDGE, GROWTH, NelderMead
from cellwright.catalog.estimators.swarm import PSOOptions, Swarm
from cellwright.schema.parameters import Origin
from cellwright.testing.cells import discharge
from cellwright.testing.cells import published as cell
from cellwright.testing.kits import box
from cellwright.testing.searches import Search, valley

o = cw.optimizers
CELL = cell().merge(TRUTH, Origin("truth"))


def evolution(count=6, dimensions=2, seed=0, **options):
    first = np.random.default_rng(seed).random((count, dimensions))
    return Evolution(box(*[0.0] * dimensions), first, DEOptions(**options), np.random.default_rng(seed + 1))


@pytest.mark.oracle("DifferentialEvolution")
@pytest.mark.parametrize(
    ("strategy", "mutant"),
    # Storn & Price (1997): each from a point x, the best, and others a … e, all of them different; F = 0.6.
    [
        ("rand_1", lambda x, best, a, b, c, d, e: a + 0.6 * (b - c)),
        ("best_1", lambda x, best, a, b, c, d, e: best + 0.6 * (a - b)),
        ("current_to_best_1", lambda x, best, a, b, c, d, e: x + 0.6 * (best - x) + 0.6 * (a - b)),
        ("rand_2", lambda x, best, a, b, c, d, e: a + 0.6 * (b - c) + 0.6 * (d - e)),
        ("best_2", lambda x, best, a, b, c, d, e: best + 0.6 * (a - b) + 0.6 * (c - d)),
    ],
)
def test_mutants_are_those_of_the_paper(strategy, mutant):
    search = evolution(mutation_strategy=strategy)
    search.costs = np.array([3.0, 2.0, 5.0, 1.0, 4.0, 6.0])
    x = search.points
    found = search._mutants(np.full((6, 1), 0.6))
    for i in range(6):
        others = [j for j in range(6) if j != i]
        possible = [mutant(x[i], x[3], *x[list(places)]) for places in itertools.permutations(others, 5)]
        assert np.abs(np.array(possible) - found[i]).max(axis=1).min() < 1e-12


@pytest.mark.oracle("DifferentialEvolution")
def test_mutants_towards_one_of_the_best_take_the_archive_in():
    search = evolution(count=20, p_best_rate=0.15)
    search.costs = np.arange(20.0)
    search.archive = np.random.default_rng(9).random((5, 2)) + 10
    x, pool = search.points, np.vstack([search.points, search.archive])
    archived = 0
    for _ in range(20):
        found = search._mutants(np.full((20, 1), 0.6))
        for i in range(20):
            # Tanabe & Fukunaga (2013), eq. 6: x_p one of the best three, a of the population, b of the archive too.
            p, a, b = np.meshgrid(range(3), [j for j in range(20) if j != i], range(25), indexing="ij")
            possible = x[i] + 0.6 * (x[p] - x[i]) + 0.6 * (x[a] - pool[b])
            off = np.where((a == b) | (b == i), np.inf, np.abs(possible - found[i]).max(axis=-1))
            place = np.unravel_index(off.argmin(), off.shape)
            assert off[place] < 1e-12
            archived += b[place] >= 20
    # 5 of the 23 that b may be are archived: 87 of 400, standard deviation 8.
    assert 55 < archived < 119


@pytest.mark.oracle("DifferentialEvolution")
def test_memories_keep_the_weighted_means_of_what_succeeded():
    search = evolution(memory_size=3)
    search.tell(np.array([10.0, 10.0, 10.0, 10.0, 10.0, np.inf]))
    search.drawn = (np.array([0.5, 0.6, 0.7, 0.8, 0.9, 1.0]), np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6]))
    before, trials = search.points.copy(), search.trials.copy()
    search.tell(np.array([9.0, 11.0, 10.0, 7.0, 12.0, 8.0]))
    # Better: 0 by 1, 3 by 3, and 5, which had failed, by the most that is known, 3. Lehmer's mean of F:
    scale = (1 * 0.25 + 3 * 0.64 + 3 * 1.0) / (1 * 0.5 + 3 * 0.8 + 3 * 1.0)
    rate = (1 * 0.1 + 3 * 0.4 + 3 * 0.6) / 7
    assert search.scales == pytest.approx([scale, 0.5, 0.5])
    assert search.rates == pytest.approx([rate, 0.7, 0.7])
    assert search.place == 1
    # What is no worse takes its place (2 as well); what was replaced by something better is archived.
    assert np.array_equal(search.points, np.where([[1], [0], [1], [1], [0], [1]], trials, before))
    assert search.costs.tolist() == [9.0, 10.0, 10.0, 7.0, 10.0, 8.0]
    assert np.array_equal(search.archive, before[[0, 3, 5]])


@pytest.mark.oracle("DifferentialEvolution")
def test_crossovers_take_what_the_rate_says():
    binomial, exponential = (evolution(crossover_method=method) for method in ("binomial", "exponential"))
    n, d, rate = 20000, 6, 0.7
    taken = binomial._crossed(np.full(n, rate), d)
    # One coordinate for certain, each of the others with the rate; standard error √(0.7·0.3·5/20000) = 0.007.
    assert taken.sum(axis=1).mean() == pytest.approx(1 + rate * (d - 1), abs=0.03)
    run = exponential._crossed(np.full(n, rate), d)
    # Lengths of runs: (1 - CR) CR^(L-1), and CR^(d-1) for all; standard errors below 0.004.
    lengths = run.sum(axis=1)
    expected = [(1 - rate) * rate ** (k - 1) for k in range(1, d)] + [rate ** (d - 1)]
    assert [np.mean(lengths == k) for k in range(1, d + 1)] == pytest.approx(expected, abs=0.015)
    # A run is one piece, around the corner too: at most one beginning.
    beginnings = (run & ~np.roll(run, 1, axis=1)).sum(axis=1)
    assert set(beginnings[lengths < d]) == {1}


@pytest.mark.oracle("PSO")
def test_the_constriction_is_that_of_clerc_and_kennedy():
    # Clerc & Kennedy (2002), section V: χ = 0.7298 for φ = 4.1.
    swarm = Swarm(box(0.0, 0.0), np.random.default_rng(0).random((5, 2)), PSOOptions(), 10, np.random.default_rng(1))
    assert swarm._constriction == pytest.approx(0.7298, abs=5e-5)


@pytest.mark.oracle("PSO")
@pytest.mark.parametrize("options", [{}, {"constriction": False}, {"inertia_weight": (0.8, 0.2)}])
def test_speeds_lie_between_those_without_and_with_all_of_the_pulls(options):
    places = np.random.default_rng(0).uniform(0.4, 0.6, (8, 3))
    swarm = Swarm(
        box(*[0.0] * 3), places, PSOOptions(velocity_clamping="none", **options), 10, np.random.default_rng(1)
    )
    factor = 0.72984379 if not options else 1.0
    first, last = options.get("inertia_weight", (0.9, 0.4))
    costs = np.random.default_rng(2).random((4, 8))
    for k in range(4):
        x, v = swarm.places.copy(), swarm.speeds.copy()
        swarm.tell(costs[k])
        weight = 1.0 if not options else first + (last - first) * k / 10
        own, common = swarm.best - x, swarm.best[np.argmin(swarm.best_costs)] - x
        ends = [factor * (weight * v + 2.05 * (r1 * own + r2 * common)) for r1 in (0, 1) for r2 in (0, 1)]
        low, high = np.min(ends, axis=0) - 1e-9, np.max(ends, axis=0) + 1e-9
        moved = np.where(((x + low >= 0) & (x + high <= 1)), swarm.speeds, (low + high) / 2)
        assert ((moved >= low) & (moved <= high)).all()


@pytest.mark.oracle("CMAES")
def test_without_bounds_the_path_is_that_of_cma():
    space = box(-1.0, 2.0)
    state = np.random.RandomState(np.random.default_rng(7).integers(2**32, size=4, dtype=np.uint32))
    options = {"bounds": [0, 1], "seed": np.nan, "randn": state.randn, "verbose": -9, "verb_log": 0}
    theirs = cma.CMAEvolutionStrategy(space.initial, 1 / 6, options)
    search = Search(o.CMAES(max_iterations=20, population_convergence_tol=None, screen="off"))
    search.run()
    for number, batch in enumerate(search.batches):
        points = theirs.ask()
        ours = batch.points[1:] if number == 0 else batch.points
        np.testing.assert_array_equal(ours, np.clip(points, 0, 1))
        theirs.tell(points, [float((valley(5 * x - 2) ** 2).sum()) for x in np.clip(points, 0, 1)])


@pytest.mark.oracle("XNES")
def test_far_from_the_bounds_the_path_is_that_of_pints():
    space = box(-1.0, 2.0)
    state = np.random.get_state()  # noqa: NPY002
    seeded = np.random.RandomState(np.random.default_rng(7).integers(2**32, size=4, dtype=np.uint32))
    np.random.set_state(seeded.get_state())  # noqa: NPY002
    try:
        theirs = pints.XNES(space.initial, 0.01)
        theirs.set_population_size(12)
        paths = []
        for _ in range(10):
            points = theirs.ask()
            paths.append(points.copy())
            theirs.tell([float((valley(5 * x - 2) ** 2).sum()) for x in points])
    finally:
        np.random.set_state(state)  # noqa: NPY002
    search = Search(o.XNES(max_iterations=10, sigma0=0.01))
    search.run()
    np.testing.assert_allclose(search.path[1:], np.vstack(paths), rtol=1e-12)


@pytest.mark.oracle("AskTellOptimizer")
def test_far_from_the_bounds_the_simplex_is_that_of_pints():
    space = box(-1.0, 1.0)

    def cost(x):
        # pints searches from 1 in steps of 5 %; a step is a tenth of the range, towards the farther bound.
        point = space.initial + (x - 1) * np.array([1, -1]) * FIRST_EDGE / GROWTH
        return float((valley(5 * point - 2) ** 2).sum())

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs, costs = pints.NelderMead(np.ones(2)), []
        for _ in range(60):
            found = [cost(x) for x in theirs.ask()]
            costs += found
            theirs.tell(found)
    search = Search(NelderMead(max_iterations=60, population_convergence_tol=None, xtol=None), start=(-1.0, 1.0))
    search.run()
    assert search.path.min() > 0
    assert search.path.max() < 1
    np.testing.assert_allclose(np.concatenate([batch.costs for batch in search.batches]), costs, rtol=1e-6)


@pytest.mark.parametrize(
    "optimizer",
    [
        o.CMAES(max_evaluations=300),
        o.XNES(max_evaluations=500),
        o.PSO(max_evaluations=500),
        o.DifferentialEvolution(max_evaluations=500),
        o.AskTellOptimizer("Nelder-Mead", max_evaluations=120),
        o.AskTellOptimizer("CMAES", population_size=8, threshold=1e-8),
    ],
    ids=lambda one: getattr(one, "method", type(one).__name__),
)
def test_each_recovers_two_diffusivities(optimizer):
    element = cw.DataFit(
        objective(discharge(CELL, points=41)), parameters=diffusivities(), optimizer=optimizer, options={"seed": 4}
    )
    record = fitted(element, DN, DP)
    # Three decades searched to 0.7 % of the range are 5 % of a diffusivity.
    for name, true in TRUTH.items():
        assert record.result["parameter_values"][name] == pytest.approx(true, rel=0.05)


def test_a_fit_tells_of_options_that_cannot_be_meant_before_it_begins():
    optimizer = o.AskTellOptimizer("CMAES", sigma0=[0.1], algorithm_options={"CMA_diagnal": 3, "seed": 1})
    element = cw.DataFit(objective(discharge(CELL, points=11)), parameters=diffusivities(), optimizer=optimizer)
    report = cw.check(cw.Pipeline({"known": known(DN, DP), "fit": element}))
    told = {problem.at[-1]: f"{problem.message} {problem.hint}" for problem in report.problems}
    assert "1 numbers for 2 parameters" in told["sigma0"]
    assert "did you mean 'CMA_diagonal'" in told["CMA_diagnal"]
    assert "the seed is that of the fit's options" in told["seed"]


def test_the_iterations_of_a_fit_s_options_limit_a_population_search():
    element = cw.DataFit(
        objective(discharge(CELL, points=11)), parameters=diffusivities(), optimizer=o.PSO(population_size=5),
        options={"seed": 4, "max_iterations": 3},
    )  # fmt: skip
    record = fitted(element, DN, DP)
    assert record.result["message"] == "stopped at the limit of 3 iterations"
    assert record.result["evaluations"] == 15


@pytest.mark.parametrize("kind", [o.CMAES, o.XNES], ids=lambda kind: kind.__name__)
def test_starts_that_search_side_by_side_do_not_draw_from_each_other(kind):
    element = cw.DataFit(
        objective(discharge(CELL, points=11)), parameters=diffusivities(), optimizer=kind(max_iterations=6),
        options={"seed": 4}, multistarts=3,
    )  # fmt: skip
    one, other = (fitted(element, DN, DP).result["children"] for _ in range(2))
    assert [child["parameter_values"] for child in one] == [child["parameter_values"] for child in other]
