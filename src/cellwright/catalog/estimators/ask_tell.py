"""Estimators that ask for a population of points, are told the costs, and ask again; and what stops them."""

from typing import Any, ClassVar, Literal

from pydantic import ConfigDict, model_validator

from cellwright.errors import CellwrightError, ConfigurationError, did_you_mean
from cellwright.schema.families import Estimator
from cellwright.schema.variant import Example, Schema


class AlgorithmOptions(Schema):
    """Base of the options of one algorithm; what is not set is the algorithm's own choice."""

    positional = ()


class CMAESOptions(AlgorithmOptions):
    """Options of CMA-ES: any of those of `cma.CMAOptions`."""

    model_config = ConfigDict(extra="allow")


class XNESOptions(AlgorithmOptions):
    """Options of xNES: there are none."""


class PSOOptions(AlgorithmOptions):
    """Options of the particle swarm: inertia or constriction, pulls, what happens at bounds, limits of the speed."""

    inertia_weight: tuple[float, float] | list[float] | None = None
    constriction: bool | None = None
    c1: float | None = None
    c2: float | None = None
    boundary_handling: str | None = None
    velocity_clamping: str | None = None
    v_max_fraction: float | None = None
    max_iterations: int | None = None


class DEOptions(AlgorithmOptions):
    """Options of differential evolution: mutation, crossover, archive and memory of good steps."""

    mutation_strategy: str | None = None
    crossover_method: str | None = None
    F: float | None = None
    CR: float | None = None
    dither: bool | tuple[float, float] | list[float] | None = None
    p_best_rate: float | None = None
    archive_size_ratio: float | None = None
    memory_size: int | None = None
    boundary_handling: str | None = None


class BayesianOptimizationOptions(AlgorithmOptions):
    """Options of Bayesian optimization: the number of first points, the noise that the surrogate assumes."""

    n_initial: int | None = None
    noise_floor: str | tuple[float, float] | list[float] | None = None


class SOBEROptions(AlgorithmOptions):
    """Options of SOBER: first points, noise, candidates, Nyström points, kernel."""

    n_initial: int | None = None
    noise_floor: str | tuple[float, float] | list[float] | None = None
    n_candidates: int | None = None
    n_nystrom: int | None = None
    gp_kernel: str | None = None


class TuRBOOptions(AlgorithmOptions):
    """Options of TuRBO: first points, noise, candidates, and how the trust region grows and shrinks."""

    n_initial: int | None = None
    noise_floor: str | tuple[float, float] | list[float] | None = None
    n_candidates: int | None = None
    tr_length_init: float | None = None
    tr_length_min: float | None = None
    tr_length_max: float | None = None
    tr_success_tolerance: int | None = None
    tr_failure_tolerance: int | None = None
    gp_max_points: int | None = None


class AskTell(Estimator):
    """Base of the estimators that ask and are told: when they stop."""

    positional: ClassVar[tuple[str, ...] | None] = ()
    random: ClassVar[bool] = True

    log_to_screen: bool | None = False
    sigma0: float | int | list[Any] | tuple[Any, ...] | None = None
    max_iterations: int | None = None
    max_unchanged_iterations: int | None = None
    max_unchanged_iterations_threshold: float | int | None = None
    min_iterations: int | None = 1
    max_evaluations: int | None = 1000000
    population_size: int | None = None
    threshold: float | int | None = None
    absolute_tolerance: float | int | None = 1e-5
    relative_tolerance: float | int | None = 1e-2
    xtol: float | int | None = 1e-6
    population_convergence_tol: float | int | None = 5e-3
    flat_fitness_tol: float | int | None = None
    convergence_patience: int | None = 3
    surrogate_convergence_tol: float | int | None = 1e-3


class CMAES(AskTell):
    """Evolution strategy that learns the shape of the valley: a general choice for up to some dozen parameters.

    Source: Hansen, arXiv:1604.00772 (2016).
    """

    example: ClassVar[Example | None] = Example(fields={"population_size": 8, "algorithm_options": {"CMA_stds": [1]}})

    type: Literal["CMAES"] = "CMAES"
    algorithm_options: CMAESOptions | None = None


class XNES(AskTell):
    """Evolution strategy that follows the natural gradient of a normal distribution of points.

    Source: Glasmachers, Schaul, Yi, Wierstra & Schmidhuber, GECCO (2010) 393, doi:10.1145/1830483.1830557.
    """

    example: ClassVar[Example | None] = Example(fields={"sigma0": [0.1, 0.2]})

    type: Literal["XNES"] = "XNES"
    algorithm_options: XNESOptions | None = None


class PSO(AskTell):
    """Particle swarm: points with a speed, each drawn to the best place it has seen and to the best of all.

    Source: Kennedy & Eberhart, Proc. ICNN'95 (1995) 1942, doi:10.1109/ICNN.1995.488968.
    """

    example: ClassVar[Example | None] = Example(fields={"algorithm_options": {"constriction": True, "c1": 2.05}})

    type: Literal["PSO"] = "PSO"
    algorithm_options: PSOOptions | None = None


class DifferentialEvolution(AskTell):
    """Differential evolution that adapts its steps to those that succeeded (SHADE).

    Source: Tanabe & Fukunaga, IEEE CEC (2013) 71, doi:10.1109/CEC.2013.6557555.
    """

    example: ClassVar[Example | None] = Example(fields={"algorithm_options": {"F": 0.5, "dither": [0.5, 1.0]}})

    type: Literal["DifferentialEvolution"] = "DifferentialEvolution"
    algorithm_options: DEOptions | None = None


class BayesianOptimization(AskTell):
    """Search on a Gaussian process that is fitted to all costs so far: few evaluations, up to some ten parameters.

    Source: Jones, Schonlau & Welch, J. Global Optim. 13 (1998) 455, doi:10.1023/A:1008306431147.
    """

    example: ClassVar[Example | None] = Example(fields={"algorithm_options": {"n_initial": 6, "noise_floor": "low"}})

    type: Literal["BayesianOptimization"] = "BayesianOptimization"
    algorithm_options: BayesianOptimizationOptions | None = None


class SOBER(AskTell):
    """Bayesian optimization in batches that are chosen by quadrature.

    Source: Adachi, Hayakawa, Hamid, Jørgensen, Oberhauser & Osborne, arXiv:2301.11832 (2023).
    """

    example: ClassVar[Example | None] = Example(fields={"algorithm_options": {"n_candidates": 512}})

    type: Literal["SOBER"] = "SOBER"
    algorithm_options: SOBEROptions | None = None


class TuRBO(AskTell):
    """Bayesian optimization inside a region that grows with success and shrinks with failure: for more parameters.

    Source: Eriksson, Pearce, Gardner, Turner & Poloczek, NeurIPS 32 (2019), arXiv:1910.01739.
    """

    example: ClassVar[Example | None] = Example(fields={"algorithm_options": {"tr_length_init": 0.8}})

    type: Literal["TuRBO"] = "TuRBO"
    algorithm_options: TuRBOOptions | None = None


class AskTellOptimizer(AskTell):
    """One of the algorithms that ask and are told, by the name of its method; "Nelder-Mead" stands here alone.

    Source: Nelder & Mead, Comput. J. 7 (1965) 308, doi:10.1093/comjnl/7.4.308 (Nelder-Mead; the others at their own
    estimators).
    """

    positional = ("method", *AskTell.model_fields, "algorithm_options")
    example: ClassVar[Example | None] = Example(fields={"method": "PSO", "algorithm_options": {"c1": 2.0}})

    type: Literal["AskTellOptimizer"] = "AskTellOptimizer"
    method: str = "CMAES"
    algorithm_options: dict[str, Any] | AlgorithmOptions | None = None

    @model_validator(mode="after")
    def _options_of_the_method(self) -> "AskTellOptimizer":
        expected = OPTIONS.get(self.method)
        if expected is None:
            raise ConfigurationError(
                f"there is no method {self.method!r}",
                at=("method",),
                hint=did_you_mean(self.method, OPTIONS) or f"there are {', '.join(OPTIONS)}",
            )
        given = self.algorithm_options
        if type(given) is not expected:
            try:
                expected(**(given.to_config() if isinstance(given, AlgorithmOptions) else given or {}))
            except CellwrightError as error:
                raise error.within("algorithm_options") from None
        return self


PintsOptimizer = AskTellOptimizer

OPTIONS: dict[str, type[AlgorithmOptions]] = {
    "CMAES": CMAESOptions,
    "Nelder-Mead": AlgorithmOptions,
    "PSO": PSOOptions,
    "DifferentialEvolution": DEOptions,
    "XNES": XNESOptions,
    "BayesianOptimization": BayesianOptimizationOptions,
    "SOBER": SOBEROptions,
    "TuRBO": TuRBOOptions,
}
"""The methods of `AskTellOptimizer` and their options."""
