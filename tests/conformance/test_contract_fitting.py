"""Costs, regularizers, distributions, samplers, transforms, estimators and fit parameters as the contract has them.

Every construction of `CASES` is made with the official classes and with ours from one function, and read from the wire.
"""

import json
import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import ionworks_schema as iws
import numpy as np
import pybamm
import pytest

import cellwright as cw
from cellwright.catalog.estimators.by_method import METHODS
from cellwright.errors import ConfigurationError
from cellwright.schema.families import Cost, Distribution, Estimator, Regularizer, Sampler, Transform

MODULES = (
    "costs", "distribution_samplers", "objective_functions", "objectives", "optimizers", "parameter_estimators",
    "priors", "stats", "transforms",
)  # fmt: skip
CLASSES = ("DataFit", "Parameter", "Pipeline", "Validation")
THEIRS = SimpleNamespace(**{name: getattr(iws, name) for name in (*MODULES, *CLASSES)})
OURS = SimpleNamespace(**{name: getattr(cw, name) for name in (*MODULES, *CLASSES)})
Build = Callable[[Any], Any]

V, T, X = "Voltage [V]", "Temperature [degC]", "Positive particle diffusivity [m2.s-1]"
ERRORS = ("SSE", "MSE", "RMSE", "MAE", "Max", "Wasserstein")
ASK_TELL = ("CMAES", "XNES", "PSO", "DifferentialEvolution", "BayesianOptimization", "SOBER", "TuRBO")
SCIPY = (
    "ScipyMinimize", "ScipyLeastSquares", "ScipyLsqLinear", "ScipyDifferentialEvolution", "ScipyBasinhopping",
    "ScipyDualAnnealing", "ScipyShgo",
)  # fmt: skip
POINTS = ("PointEstimateOptimizer", "PointEstimateSampler", "DummyOptimizer", "DummySampler")
TRANSFORMS = ("Exp", "Identity", "Inverse", "Log", "Log10", "Negate", "Pow10")


def made(module: str, name: str, *args: Any, **fields: Any) -> Build:
    return lambda api: getattr(getattr(api, module), name)(*args, **fields)


def cost(name: str, **fields: Any) -> Build:
    return made("costs", name, **fields)


def estimator(name: str, *args: Any, **fields: Any) -> Build:
    return made("parameter_estimators", name, *args, **fields)


def options(name: str, kind: str, **fields: Any) -> Build:
    return lambda api: getattr(api.parameter_estimators, name)(
        algorithm_options=getattr(api.parameter_estimators, kind)(**fields)
    )


def regular(name: str, fun: Any, *args: Any, **fields: Any) -> Build:
    return lambda api: getattr(api.objective_functions, name)(fun, *args, **fields)


def free(*args: Any, **fields: Any) -> Build:
    return lambda api: api.Parameter(X, *args, **{k: v(api) if callable(v) else v for k, v in fields.items()})


def searched(*names: str, **fields: Any) -> Build:
    def build(api: Any) -> Any:
        result = api.Parameter(X, **fields)
        for name in reversed(names):
            result = getattr(api.transforms, name)(result)
        return result

    return build


def objective(api: Any, **fields: Any) -> Any:
    return api.objectives.CurrentDriven("file:a.csv", options={"model": "SPM"}, **fields)


def fit(**fields: Callable[[Any], Any]) -> Build:
    return lambda api: api.DataFit(
        **{"objectives": {"o": objective(api)}, "parameters": {X: api.Parameter(X)}}
        | {name: given(api) for name, given in fields.items()}
    )


COSTS: dict[str, Build] = {name: cost(name) for name in (*ERRORS, "DesignFunction")}
COSTS |= {
    f"{name}-all": cost(
        name, normalization="range", nan_values=2, objective_weights={"o": 2.0}, variable_weights={V: 1},
        calculation_structure={"o": [V], "p": None, "q": []},
    )
    for name in ERRORS
}  # fmt: skip
COSTS |= {f"{name}-objectives": cost(name, objective_names=["o"], normalization=3) for name in ERRORS} | {
    "Wasserstein-weighted": cost("Wasserstein", position_variable=V, weight_variable="dQdV", normalization="identity"),
    "ChiSquare": cost("ChiSquare", variable_standard_deviations={V: 0.002, T: 1}),
    "ChiSquare-all": cost(
        "ChiSquare", variable_standard_deviations={V: 0.5}, nan_values="min", calculation_structure={"o": [V]}
    ),
    "Gaussian": cost("GaussianLogLikelihood", sigma={V: 0.005}),
    "Gaussian-all": cost("GaussianLogLikelihood", sigma={V: 1, T: "noise"}, nan_values=1e5, objective_names=["o"]),
    "Design-weights": cost("DesignFunction", objective_weights={"energy": 2}, calculation_structure={"o": None}),
    "Multi": lambda api: api.costs.MultiCost(costs=[api.costs.RMSE(), api.costs.Max()]),
    "Multi-weights": lambda api: api.costs.MultiCost(
        costs=[api.costs.SSE(normalization=2), api.costs.WeightedCost(api.costs.MAE(), 0.25)], objective_names=["o"]
    ),
    "Multi-nested": lambda api: api.costs.MultiCost(
        costs=[
            api.costs.WeightedCost(cost=api.costs.MultiCost(costs=[api.costs.SSE()]), weight=2),
            api.costs.ChiSquare(variable_standard_deviations={V: 1}),
        ],
        calculation_structure={"o": None, "p": [V]},
    ),
    "Multi-dicts": cost("MultiCost", costs=[{"type": "SSE"}, {"cost": {"type": "Max"}, "weight": 3}]),
    "Multi-alike": lambda api: api.costs.MultiCost(costs=[api.costs.SSE(), api.costs.SSE()]),
    "by-its-other-name": lambda api: api.objective_functions.ChiSquare(variable_standard_deviations={V: 1.0}),
}
REGULARIZERS: dict[str, Build] = {
    "constraint": regular("Constraint", pybamm.InputParameter("x") - 0.5 * pybamm.InputParameter("y")),
    "constraint-inequality": regular("Constraint", pybamm.InputParameter("x") <= pybamm.InputParameter("y"), 1000),
    "constraint-strict": regular("Constraint", pybamm.InputParameter("x") < 0.5, regularizer_weight=2.5),
    "constraint-number": regular("Constraint", 0.5),
    "penalty": regular("Penalty", pybamm.InputParameter("x") ** 2 - pybamm.exp(pybamm.Parameter("y"))),
    "penalty-weight": regular("Penalty", 3, 0.1),
    "penalty-keyword": lambda api: api.objective_functions.Penalty(fun=pybamm.InputParameter("x")),
}
DISTRIBUTIONS: dict[str, Build] = {
    "normal": made("stats", "Normal", 3, 0.2),
    "normal-keyword": made("stats", "Normal", std=1, mean=-2.5),
    "log-normal": made("stats", "LogNormal", -32.2, 2.0),
    "uniform": made("stats", "Uniform", 0, 2.5),
    "point": made("stats", "PointMass", 1e-14),
    "dirichlet": made("stats", "Dirichlet", [2, 2.5, 3]),
    "dirichlet-tuple": made("stats", "Dirichlet", alpha=(1.5, 2)),
    "multivariate": made("stats", "MultivariateNormal", [1, 2.0], [[0.04, 0.01], [0.01, 0.09]]),
    "multivariate-tuples": made("stats", "MultivariateNormal", mean=(1, 2), cov=((1, 0), (0, 1))),
    "multivariate-singular": made("stats", "MultivariateNormal", [0, 0], [[1, 1], [1, 1]]),
    "multivariate-log": made("stats", "MultivariateLogNormal", [-32.0, -33], [[1.0, 0.0], [0.0, 4]]),
}
SAMPLERS: dict[str, Build] = {name: made("distribution_samplers", name) for name in ("LatinHypercube", "Uniform")}
ESTIMATORS: dict[str, Build] = {name: estimator(name) for name in (*ASK_TELL, *SCIPY, *POINTS)}
STOPPING: dict[str, Any] = {
    "log_to_screen": True, "sigma0": [0.1, 0.2], "max_iterations": 50, "max_unchanged_iterations": 5,
    "max_unchanged_iterations_threshold": 1e-8, "min_iterations": 2, "max_evaluations": 500, "population_size": 8,
    "threshold": 1e-3, "absolute_tolerance": 1e-7, "relative_tolerance": 1, "xtol": 1e-5,
    "population_convergence_tol": 1e-2, "flat_fitness_tol": 1e-12, "convergence_patience": 4,
    "surrogate_convergence_tol": 1e-4,
}  # fmt: skip
ESTIMATORS |= {f"{name}-stopping": estimator(name, **STOPPING) for name in (*ASK_TELL, "AskTellOptimizer")}
ESTIMATORS |= {f"{name}-never": estimator(name, **dict.fromkeys(STOPPING)) for name in ("CMAES", "AskTellOptimizer")}
ESTIMATORS |= {f"ask-{method}": estimator("AskTellOptimizer", method) for method in METHODS} | {
    "ask": estimator("AskTellOptimizer"),
    "ask-positional": estimator("AskTellOptimizer", "PSO", *STOPPING.values(), {"c1": 2, "inertia_weight": (0.9, 0.4)}),
    "ask-dict": estimator("AskTellOptimizer", method="CMAES", algorithm_options={"CMA_diagonal": True, "ftarget": 1}),
    "ask-typed": lambda api: api.parameter_estimators.AskTellOptimizer(
        "TuRBO", algorithm_options=api.parameter_estimators.TuRBOOptions(n_initial=5, tr_length_init=0.5)
    ),
    "ask-empty-of-another": lambda api: api.parameter_estimators.AskTellOptimizer(
        "PSO", algorithm_options=api.parameter_estimators.CMAESOptions()
    ),
    "ask-older-tag": estimator("AskTellOptimizer", type="Pints"),
    "pints": estimator("PintsOptimizer", "XNES"),
    "point-older-tag": estimator("PointEstimateOptimizer", type="PointEstimate"),
    "dummy-older-tag": estimator("DummyOptimizer", type="Dummy"),
    "cmaes": options("CMAES", "CMAESOptions", CMA_diagonal=True, ftarget=1e-9, CMA_stds=[1, 2.0], nothing=None),
    "cmaes-dict": estimator("CMAES", sigma0=0.3, algorithm_options={"CMA_diagonal": 10}),
    "xnes": options("XNES", "XNESOptions"),
    "pso": options(
        "PSO", "PSOOptions", inertia_weight=(0.9, 0.4), constriction=False, c1=2, c2=2.05, boundary_handling="absorb",
        velocity_clamping="none", v_max_fraction=0.2, max_iterations=1000,
    ),
    "evolution": options(
        "DifferentialEvolution", "DEOptions", mutation_strategy="rand_1", crossover_method="binomial", F=0.5, CR=1,
        dither=[0.5, 1.0], p_best_rate=0.1, archive_size_ratio=1.0, memory_size=6, boundary_handling="reflect",
    ),
    "evolution-dither": options("DifferentialEvolution", "DEOptions", dither=True),
    "bayesian": options(
        "BayesianOptimization", "BayesianOptimizationOptions", n_initial=7, noise_floor=(1e-8, 1e-3)
    ),
    "sober": options(
        "SOBER", "SOBEROptions", n_initial=3, noise_floor="low", n_candidates=64, n_nystrom=16, gp_kernel="botorch"
    ),
    "turbo": options(
        "TuRBO", "TuRBOOptions", n_initial=3, noise_floor=[0, 1], n_candidates=64, tr_length_init=0.8,
        tr_length_min=0.01, tr_length_max=1.6, tr_success_tolerance=3, tr_failure_tolerance=4, gp_max_points=100,
    ),
    "passthrough": estimator(
        "ScipyMinimize", method="SLSQP", tol=None, options={"maxiter": 3, "disp": None}, jac="3-point"
    ),
    "basinhopping": estimator("ScipyBasinhopping", niter=5, T=1, minimizer_kwargs={"method": "Powell"}, seed=1),
    "annealing": estimator("ScipyDualAnnealing", max_iterations=10, initial_temp=100.0, accept=-5.0),
    "shgo": estimator("ScipyShgo", n=32, iters=2, sampling_method="sobol"),
    "lsq-linear": estimator("ScipyLsqLinear", method="bvls", jac_rel_step=1e-3, warm_start=False),
    "grid": estimator("GridSearch"),
    "grid-positional": estimator("GridSearch", 5),
    "sampler": estimator("PintsSampler"),
    "sampler-positional": estimator("PintsSampler", "PopulationMCMC", True, 200, 20, 10),
    "nested": lambda api: api.parameter_estimators.Nested(
        parameters=["a", "b"],
        optimizer=api.parameter_estimators.CMAES(population_size=6),
        inner=api.parameter_estimators.ScipyLsqLinear(method="trf"),
    ),
    "nested-twice": lambda api: api.parameter_estimators.Nested(
        parameters=["a"],
        optimizer={"type": "ScipyMinimize", "method": "Powell"},
        inner=api.parameter_estimators.Nested(
            parameters=["b"], optimizer={"type": "PSO"}, inner={"type": "ScipyLeastSquares"}
        ),
    ),
    "optimizers": lambda api: api.optimizers.CMAES(),
}  # fmt: skip
PARAMETERS: dict[str, Build] = {
    "prior": free(1.0, prior=made("stats", "Normal", 1, 2)),
    "prior-positional": lambda api: api.Parameter(X, 1.0, (0, 2), api.stats.LogNormal(-3, 1)),
    "prior-weighted": free(prior=lambda api: api.priors.Prior(X, api.stats.Uniform(0, 1), 2)),
    "prior-dirichlet": free(prior=made("stats", "Dirichlet", [2.0, 2, 2])),
    "guess": free(initial_guess_distribution=made("stats", "Uniform", 0, 1)),
    "guess-normal": free(initial_guess_distribution=made("stats", "Normal", 0, 1)),
}
PARAMETERS |= {f"in-{name}": searched(name, initial_value=2.0, bounds=(0.5, 3)) for name in TRANSFORMS}
PARAMETERS |= {f"in-{name}-unbounded": searched(name) for name in TRANSFORMS} | {
    "in-Inverse-below": searched("Inverse", initial_value=-2.0, bounds=(-3, -1)),
    "in-Inverse-half": searched("Inverse", initial_value=-2.0),
    "in-Negate-half": searched("Negate", initial_value=-2, bounds=(-math.inf, 1)),
    "in-a-prior": lambda api: api.transforms.Log(api.Parameter(X, 1.0, prior=api.stats.Normal(1, 1))),
}
CHAINS: dict[str, Build] = {
    "two": searched("Log10", "Inverse", initial_value=2.0, bounds=(0.5, 3)),
    "three": searched("Negate", "Log", "Identity", initial_value=2.0, bounds=(0.5, 3), normalize=False),
}
FITS: dict[str, Build] = {
    "cost": fit(cost=COSTS["Multi-weights"]),
    "optimizer": fit(optimizer=ESTIMATORS["nested"]),
    "optimizer-older-tag": fit(optimizer=lambda api: {"type": "Pints", "method": "PSO"}),
    "optimizer-older-point": fit(optimizer=lambda api: {"type": "PointEstimate"}),
    "optimizer-older-dummy": fit(optimizer=lambda api: {"type": "Dummy"}),
    "priors": fit(priors=lambda api: {X: api.priors.Prior(X, api.stats.Normal(1, 2))}),
    "priors-weight": fit(priors=lambda api: {X: api.priors.Prior(X, api.stats.LogNormal(1, 2), 3)}),
    "priors-keyed": fit(priors=lambda api: {X: api.priors.Prior("other", api.stats.Uniform(0, 1))}),
    "priors-dict": fit(priors=lambda api: {X: {"distribution": {"distribution": "Normal", "mean": 1, "std": 2}}}),
    "priors-typed-dict": fit(
        priors=lambda api: {X: {"type": "Prior", "distribution": {"distribution": "PointMass", "value": 1}}}
    ),
    "priors-flat": fit(
        priors=lambda api: {X: {"distribution": "Normal", "mean": 1, "std": 2, "regularizer_weight": 0.5}}
    ),
    "priors-alone": fit(
        parameters=lambda api: None, priors=lambda api: {X: api.priors.Prior(X, api.stats.Normal(1, 2))}
    ),
    "constraints": fit(
        objectives=lambda api: {
            "o": objective(api, constraints=[api.objective_functions.Constraint(pybamm.InputParameter("x") <= 1.5)])
        }
    ),
    "penalties": fit(objectives=lambda api: {"o": objective(api, penalties=[api.objective_functions.Penalty(0.5, 2)])}),
    "own-cost": fit(objectives=lambda api: {"o": objective(api, cost=api.costs.GaussianLogLikelihood(sigma={V: "s"}))}),
    "sampler": fit(initial_guess_sampler=SAMPLERS["Uniform"]),
    "statistics": lambda api: api.Validation(
        {"o": objective(api)}, [api.costs.MSE(), api.costs.ChiSquare(variable_standard_deviations={V: 1})]
    ),
} | {
    f"parameter-{name}": fit(parameters=lambda api, build=build: {X: build(api)}) for name, build in PARAMETERS.items()
}
FAMILIES = {
    "cost": (COSTS, Cost), "regularizer": (REGULARIZERS, Regularizer), "distribution": (DISTRIBUTIONS, Distribution),
    "sampler": (SAMPLERS, Sampler), "estimator": (ESTIMATORS, Estimator),
}  # fmt: skip
CASES = {f"{group}/{name}": build for group, (cases, _) in FAMILIES.items() for name, build in cases.items()}
WIRE = {
    f"{group}/{name}": (build, family)
    for group, (cases, family) in FAMILIES.items()
    for name, build in cases.items()
    if not name.endswith("-never")
}
"""Without those in which a default is set to nothing: a document that lacks a field means its default."""


def plain(config: Any) -> Any:
    """What the other side of a connection sees."""
    return json.loads(json.dumps(config).replace("-Infinity", "null").replace("Infinity", "null"))


@pytest.mark.parametrize("build", [*CASES.values(), *PARAMETERS.values()], ids=[*CASES, *PARAMETERS])
def test_ours_writes_what_theirs_writes(build: Build) -> None:
    assert plain(build(OURS).to_config()) == plain(build(THEIRS).to_config())


@pytest.mark.parametrize(("build", "family"), WIRE.values(), ids=WIRE)
def test_ours_reads_what_theirs_writes(build: Build, family: Any) -> None:
    theirs = plain(build(THEIRS).to_config())
    assert plain(family.parse(theirs).to_config()) == theirs


@pytest.mark.parametrize("build", FITS.values(), ids=FITS)
def test_elements_agree_in_python_and_on_the_wire(build: Build) -> None:
    theirs = plain(THEIRS.Pipeline({"e": build(THEIRS)}).to_config())
    assert plain(OURS.Pipeline({"e": build(OURS)}).to_config()) == theirs
    assert plain(OURS.Pipeline.from_config(theirs).to_config()) == theirs


@pytest.mark.parametrize("build", CHAINS.values(), ids=CHAINS)
def test_of_a_chain_the_outermost_transform_is_written(build: Build) -> None:
    theirs = plain(build(THEIRS).to_config())
    with pytest.warns(UserWarning, match="a document keeps the outermost transform alone"):
        assert plain(build(OURS).to_config()) == theirs
    assert plain(Transform.parse(theirs).to_config()) == theirs


def test_a_chain_that_a_document_cannot_keep_is_not_written() -> None:
    chain = searched("Log", "Negate", initial_value=-2.0, bounds=(-3, -1))
    with pytest.raises(ConfigurationError, match=r"outermost transform alone, .* Log cannot .*lower bound -3 must be"):
        chain(OURS).to_config()


def test_every_concrete_class_is_constructed() -> None:
    built = {type(build(THEIRS)).__name__ for build in (*CASES.values(), *PARAMETERS.values())}
    known = {"WeightedCost", "Prior", *(name for name in iws.parameter_estimators.__all__ if name.endswith("Options"))}
    bases = {"ErrorFunction", "ObjectiveFunction", "Optimizer", "ParameterEstimator", "Regularizer", "Sampler"}
    public = {
        name
        for module in ("objective_functions", "parameter_estimators", "distribution_samplers", "stats", "transforms")
        for name, kind in vars(getattr(iws, module)).items()
        if isinstance(kind, type) and issubclass(kind, iws.base.BaseSchema) and name[0] != "_"
    }
    aliases = {"PintsOptimizer", "Distribution", "DistributionSampler", "HypercubeSampler", "Transform"}
    assert public - bases - aliases - known <= built
    for module in ("costs", "priors", "optimizers"):
        assert all(hasattr(getattr(cw, module), name) for name in set(getattr(iws, module).__all__) - bases)


UNIT = [[1, 0], [0, 1]]
NORMAL = {"distribution": "Normal", "mean": 1, "std": 2}
REFUSED: dict[str, tuple[Build, str]] = {
    "cost-unknown-field": (cost("MSE", normalisation="range"), r"MSE has no field .*did you mean 'normalization'"),
    "cost-wrong-type": (cost("MSE", variable_weights={V: "much"}), r"variable_weights"),
    "cost-two-scopes": (cost("MSE", objective_names=["o"], calculation_structure={}), r"or objective_names, not both"),
    "cost-scale": (cost("ChiSquare", variable_standard_deviations={V: 1}, scale=2), r"ChiSquare has no field 'scale'"),
    "wasserstein-position": (cost("Wasserstein", position_variable=V), r"needs a 'weight_variable' too"),
    "wasserstein-weight": (cost("Wasserstein", weight_variable=V), r"needs a 'position_variable' too"),
    "chi-nothing": (cost("ChiSquare"), r"variable_standard_deviations: ChiSquare needs the field"),
    "chi-normalization": (
        cost("ChiSquare", variable_standard_deviations={V: 1}, normalization="mean"), r"no use for 'normalization'",
    ),
    "chi-weights": (
        cost("ChiSquare", variable_standard_deviations={V: 1}, objective_weights={}), r"no use for 'objective_weights'",
    ),
    "gaussian-nothing": (cost("GaussianLogLikelihood"), r"sigma: GaussianLogLikelihood needs the field"),
    "gaussian-weights": (
        cost("GaussianLogLikelihood", sigma={V: 1}, variable_weights={V: 1}), r"no use for 'variable_weights'",
    ),
    "gaussian-normalization": (cost("GaussianLogLikelihood", sigma={V: 1}, normalization=1), r"no field 'normaliz"),
    "gaussian-type": (cost("GaussianLogLikelihood", sigma={V: [1]}), r"sigma"),
    "design-weights": (cost("DesignFunction", variable_weights={V: 1}), r"no use for 'variable_weights'"),
    "design-nan": (cost("DesignFunction", nan_values="mean"), r"no use for 'nan_values'"),
    "multi-empty": (cost("MultiCost", costs=[]), r"costs: .*at least 1"),
    "multi-none": (cost("MultiCost"), r"costs: MultiCost needs the field"),
    "multi-mapping": (cost("MultiCost", costs={"type": "SSE"}), r"the costs are a list"),
    "multi-string": (cost("MultiCost", costs=["RMSE"]), r"costs › 0: a cost is an object"),
    "multi-unknown": (cost("MultiCost", costs=[{"type": "RSME"}]), r"costs › 0: .*did you mean 'RMSE'"),
    "multi-nan": (cost("MultiCost", costs=[{"type": "SSE"}], nan_values="mean"), r"no use for 'nan_values'.*each of"),
    "multi-normalization": (cost("MultiCost", costs=[{"type": "SSE"}], normalization=2), r"no use for 'normalization'"),
    "multi-twice": (lambda api: api.costs.MultiCost(costs=[api.costs.SSE()] * 2), r"stands in the list twice"),
    "weighted-nothing": (lambda api: api.costs.WeightedCost(), r"cost"),
    "weighted-type": (lambda api: api.costs.WeightedCost(api.costs.SSE(), "much"), r"weight"),
    "weighted-field": (lambda api: api.costs.WeightedCost(api.costs.SSE(), wait=2), r"wait.*did you mean 'weight'"),
    "constraint-nothing": (lambda api: api.objective_functions.Constraint(), r"fun"),
    "constraint-string": (regular("Constraint", "x < 1"), r"fun"),
    "penalty-field": (
        lambda api: api.objective_functions.Penalty(fun=1, weight=2), r"weight: Penalty has no field .*regularizer_we",
    ),
    "penalty-weight": (regular("Penalty", 1, "much"), r"regularizer_weight"),
    "prior-nothing": (lambda api: api.priors.Prior("a"), r"distribution"),
    "prior-distribution": (lambda api: api.priors.Prior("a", 3), r"distribution: a distribution is an object"),
    "prior-misspelt": (lambda api: api.priors.Prior("a", {"distribution": "Norml"}), r"did you mean 'Normal'"),
    "normal-nothing": (made("stats", "Normal", 1), r"std: "),
    "normal-type": (made("stats", "Normal", "a", 1), r"mean: "),
    "normal-field": (made("stats", "Normal", 1, 2, scale=3), r"Normal has no field 'scale'"),
    "dirichlet-type": (made("stats", "Dirichlet", 3), r"alpha"),
    "multivariate-type": (made("stats", "MultivariateNormal", 3, [[1]]), r"mean"),
    "multivariate-nothing": (made("stats", "MultivariateLogNormal", [3]), r"cov"),
    "sampler-field": (made("distribution_samplers", "LatinHypercube", seed=3), r"LatinHypercube has no field 'seed'"),
    "transform-nothing": (lambda api: api.transforms.Log(), r"parameter"),
    "ask-method": (estimator("AskTellOptimizer", "CMEAS"), r"method: there is no method 'CMEAS'.*'CMAES'"),
    "ask-options": (
        estimator("AskTellOptimizer", "PSO", algorithm_options={"C1": 1}), r"algorithm_options › C1: .*'c1'",
    ),
    "ask-options-of-another": (
        lambda api: api.parameter_estimators.AskTellOptimizer(
            "XNES", algorithm_options=api.parameter_estimators.PSOOptions(c1=1.0)
        ),
        r"algorithm_options › c1: XNESOptions has no field 'c1'",
    ),
    "ask-simplex": (estimator("AskTellOptimizer", "Nelder-Mead", algorithm_options={"a": 1}), r"no field 'a'"),
    "ask-field": (estimator("AskTellOptimizer", popsize=3), r"popsize"),
    "ask-tag": (estimator("AskTellOptimizer", type="Pint"), r"'Pint' is not one of 'AskTellOptimizer'"),
    "cmaes-field": (estimator("CMAES", max_iteration=3), r"did you mean 'max_iterations'"),
    "cmaes-type": (estimator("CMAES", population_size="many"), r"population_size"),
    "pso-options": (estimator("PSO", algorithm_options={"intertia_weight": 1}), r"did you mean 'inertia_weight'"),
    "pso-options-of-another": (
        lambda api: api.parameter_estimators.PSO(algorithm_options=api.parameter_estimators.DEOptions()),
        r"algorithm_options",
    ),
    "xnes-options": (estimator("XNES", algorithm_options={"a": 1}), r"XNESOptions has no field 'a'"),
    "turbo-type": (estimator("TuRBO", algorithm_options={"n_initial": 0.5}), r"n_initial"),
    "grid-type": (estimator("GridSearch", "many"), r"npts"),
    "grid-field": (lambda api: api.parameter_estimators.GridSearch(points=3), r"points"),
    "sampler-type": (estimator("PintsSampler", max_iterations=None), r"max_iterations"),
    "point-field": (estimator("PointEstimateOptimizer", x=1), r"PointEstimateOptimizer has no field 'x'"),
    "nested-nothing": (estimator("Nested", parameters=["a"], optimizer={"type": "PSO"}), r"inner: Nested needs"),
    "nested-unknown": (
        estimator("Nested", parameters=["a"], optimizer={"type": "PS0"}, inner={"type": "PSO"}), r"optimizer: .*'PSO'",
    ),
    **{
        f"nested-{name}": (
            estimator("Nested", parameters=["a"], optimizer={"type": "PSO"}, inner={"type": name}),
            rf"inner: .*{name}, which samples",
        )
        for name in ("GridSearch", "DummySampler", "PointEstimateSampler", "PintsSampler")
    },
    "nested-outer": (
        estimator("Nested", parameters=["a"], optimizer={"type": "GridSearch"}, inner={"type": "PSO"}), r"optimizer: ",
    ),
    "parameter-bounds": (free(bounds=(2, 1)), r"upside down: 2.* is not below 1"),
    "fit-priors-penalty": (fit(priors=lambda api: {X: {"type": "Penalty", "fun": 1}}), r"priors › .*cannot be a Pen"),
    "fit-priors-string": (fit(priors=lambda api: {X: "Normal"}), r"priors › .*a regularizer is an object"),
    "fit-priors-field": (fit(priors=lambda api: {X: {**NORMAL, "scale": 1}}), r"priors › .*Normal has no field"),
    "fit-constraints": (
        fit(objectives=lambda api: {"o": objective(api, constraints=[api.objective_functions.Penalty(1)])}),
        r"constraints › 0: a Penalty is no Constraint",
    ),
    "fit-penalties": (
        fit(objectives=lambda api: {"o": objective(api, penalties=[{"type": "Penalt", "fun": 1}])}),
        r"did you mean 'Penalty'",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("build", "told"), REFUSED.values(), ids=REFUSED)
def test_what_theirs_refuses_ours_refuses_and_says_why(build: Build, told: str) -> None:
    with pytest.raises((ValueError, TypeError)):
        build(THEIRS)
    with pytest.raises(ConfigurationError, match=told):
        build(OURS)


MEANINGLESS: dict[str, tuple[Build, str]] = {
    "chi-zero": (cost("ChiSquare", variable_standard_deviations={V: 0}), r"deviation of 'Voltage.* is 0.*above 0"),
    "gaussian-negative": (cost("GaussianLogLikelihood", sigma={V: -1}), r"sigma › Voltage.*is -1, .*above 0"),
    "gaussian-nan": (cost("GaussianLogLikelihood", sigma={V: math.nan}), r"nan, and it must be above 0"),
    "weighted-negative": (lambda api: api.costs.WeightedCost(api.costs.SSE(), -1), r"weight of a cost is -1"),
    "penalty-negative": (regular("Penalty", 1, -2), r"regularizer_weight: .*not -2"),
    "normal-narrow": (made("stats", "Normal", 1, 0), r"std is 0.*above 0.*PointMass"),
    "normal-infinite": (made("stats", "Normal", math.inf, 1), r"mean is inf"),
    "log-normal-narrow": (made("stats", "LogNormal", 1, -1), r"std is -1"),
    "uniform-upside-down": (made("stats", "Uniform", 2, 1), r"upside down: lb = 2"),
    "uniform-unbounded": (made("stats", "Uniform", 0, math.inf), r"ub is inf"),
    "point-nan": (made("stats", "PointMass", math.nan), r"value is nan"),
    "dirichlet-flat": (made("stats", "Dirichlet", [2, 1]), r"alpha › 1: alpha is 1, .*above 1.*mode"),
    "dirichlet-one": (made("stats", "Dirichlet", [2]), r"length 1"),
    "covariance-not-square": (made("stats", "MultivariateNormal", [1, 2], [[1, 0]]), r"cov: .*not square: 1 rows of 2"),
    "covariance-ragged": (made("stats", "MultivariateNormal", [1, 2], [[1], [0, 1]]), r"not square: 2 rows of 1 and 2"),
    "covariance-size": (made("stats", "MultivariateLogNormal", [1, 2], [[1]]), r"1 rows of 1, and the mean 2 values"),
    "covariance-skew": (made("stats", "MultivariateNormal", [1, 2], [[1, 0.5], [0, 1]]), r"not symmetric"),
    "covariance-negative": (made("stats", "MultivariateNormal", [1, 2], [[1, 2], [2, 1]]), r"eigenvalue -1, .*correl"),
    "covariance-zero": (made("stats", "MultivariateNormal", [1.0], [[0.0]]), r"eigenvalue 0"),
    "covariance-nan": (made("stats", "MultivariateNormal", [1.0], [[math.nan]]), r"not finite"),
    "mean-empty": (made("stats", "MultivariateNormal", [], []), r"mean is a list of finite numbers"),
    "log-bound": (searched("Log", bounds=(0, 1)), r"searched in ln x, so its lower bound 0 must be above 0"),
    "log10-start": (searched("Log10", initial_value=-1.0), r"log₁₀ x, so its initial value -1 must be above 0"),
    "inverse-across": (searched("Inverse", bounds=(-1, 1)), r"1/x, so its lower bound -1 must be above 0"),
    "inverse-below": (searched("Inverse", initial_value=-1, bounds=(-2, 1)), r"its upper bound 1 must be below 0"),
    "chain": (searched("Log", "Negate", bounds=(1, 2)), r"its lower bound 1, here -1, must be above 0"),
    "transform-number": (lambda api: api.transforms.Log(3), r"of a Parameter or of another transform, not of 3"),
    "prior-names": (lambda api: api.priors.Prior(["a", "b"], api.stats.Normal(1, 1)), r"2 names and .* of 1 param"),
    "prior-of-nothing": (free(prior={"nonsense": 3}), r"prior: "),
    "guess-of-several": (
        free(initial_guess_distribution=made("stats", "Dirichlet", [2, 2])), r"Dirichlet is of several",
    ),
    "priors-twice": (
        fit(priors=lambda api: [api.priors.Prior(X, api.stats.Normal(1, 1)) for _ in range(2)]),
        r"priors › 1: .* has two priors",
    ),
    "priors-joint-on-one": (
        fit(priors=lambda api: {X: api.priors.Prior(X, api.stats.MultivariateNormal([1, 1], UNIT))}),
        r"a prior of several parameters at once needs the list of their names",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("build", "told"), MEANINGLESS.values(), ids=MEANINGLESS)
def test_what_means_nothing_is_refused_though_theirs_takes_it(build: Build, told: str) -> None:
    build(THEIRS)
    with pytest.raises(ConfigurationError, match=told):
        build(OURS)


def later(element: Any) -> list[tuple[tuple[str, ...], str]]:
    return [(problem.at, problem.message) for problem in element.unimplemented()]


def test_what_works_is_not_told_of() -> None:
    for build in (*FITS.values(), *(fit(optimizer=estimator) for estimator in ESTIMATORS.values())):
        assert later(build(OURS)) == []


NORMAL_OF_TWO = {"distribution": {"distribution": "MultivariateNormal", "mean": [1, 1], "cov": [[1, 0], [0, 1]]}}


@pytest.mark.parametrize(
    ("given", "told"),
    # As the official package writes a list, and a prior of several parameters.
    [
        ([{"type": "Prior", "distribution": NORMAL}], r"priors: .*a list loses the names"),
        ({"ab": {"type": "Prior", **NORMAL_OF_TWO}}, r"priors › ab: .*needs the list of their names"),
    ],
    ids=["list", "joint"],
)
def test_priors_that_have_lost_their_names_on_the_wire_are_refused(given: Any, told: str) -> None:
    config = fit()(THEIRS).to_config()
    with pytest.raises(ConfigurationError, match=told):
        cw.DataFit.from_config({**config, "priors": given})


@pytest.mark.parametrize(
    "build",
    [
        lambda api: [api.priors.Prior("a", api.stats.Normal(1, 1)), api.priors.Prior("b", api.stats.Uniform(1, 2), 3)],
        lambda api: api.priors.Prior("a", api.stats.Normal(1, 1)),
        lambda api: {"ab": api.priors.Prior(["a", "b"], api.stats.MultivariateNormal([1, 1], UNIT))},
        lambda api: api.priors.Prior(["a", "b"], api.stats.MultivariateNormal([1, 1], UNIT)),
    ],
    ids=["list", "one", "joint-keyed", "joint"],
)
def test_ours_keeps_the_names_of_every_form_of_priors(build: Build) -> None:
    ours = fit(priors=build)(OURS)
    config = plain(ours.to_config())
    again = cw.DataFit.from_config({key: value for key, value in config.items() if key != "element_type"})
    assert again.priors == ours.priors
    iws.DataFit(**{key: value for key, value in config.items() if key != "element_type"})


def test_the_older_word_for_a_distribution_is_read() -> None:
    given = {"prior": {"type": "Normal", "mean": 1, "std": 2}}
    assert cw.Parameter("a", **given).to_config()["prior"] == NORMAL


def test_a_prior_takes_the_name_of_its_place() -> None:
    built = FITS["priors-keyed"](OURS)
    assert built.priors[X].name == X
    assert free(prior=lambda api: api.priors.Prior("b", api.stats.Normal(1, 1)))(OURS).prior.name == X


def test_numbers_of_numpy_are_numbers() -> None:
    ours = cw.stats.MultivariateNormal(list(np.array([1.0, 2.0])), np.eye(2).tolist())
    assert plain(ours.to_config())["mean"] == [1.0, 2.0]
