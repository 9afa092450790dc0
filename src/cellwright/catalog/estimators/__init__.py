"""Estimators (`cw.optimizers`, `cw.parameter_estimators`)."""

from cellwright.catalog.estimators.bayesian import BayesianOptimization, BayesianOptimizationOptions
from cellwright.catalog.estimators.by_method import AskTellOptimizer, PintsOptimizer
from cellwright.catalog.estimators.differential_evolution import DEOptions, DifferentialEvolution
from cellwright.catalog.estimators.evolution import CMAES, XNES, CMAESOptions, XNESOptions
from cellwright.catalog.estimators.least_squares import ScipyLeastSquares
from cellwright.catalog.estimators.linear import ScipyLsqLinear
from cellwright.catalog.estimators.nested import Nested
from cellwright.catalog.estimators.point import (
    DummyOptimizer,
    DummySampler,
    GridSearch,
    PointEstimateOptimizer,
    PointEstimateSampler,
)
from cellwright.catalog.estimators.quadrature import SOBER, SOBEROptions
from cellwright.catalog.estimators.samplers import PintsSampler
from cellwright.catalog.estimators.scipy import (
    ScipyBasinhopping,
    ScipyDifferentialEvolution,
    ScipyDualAnnealing,
    ScipyMinimize,
    ScipyShgo,
)
from cellwright.catalog.estimators.swarm import PSO, PSOOptions
from cellwright.catalog.estimators.trust_region import TuRBO, TuRBOOptions

__all__ = [
    "CMAES",
    "PSO",
    "SOBER",
    "XNES",
    "AskTellOptimizer",
    "BayesianOptimization",
    "BayesianOptimizationOptions",
    "CMAESOptions",
    "DEOptions",
    "DifferentialEvolution",
    "DummyOptimizer",
    "DummySampler",
    "GridSearch",
    "Nested",
    "PSOOptions",
    "PintsOptimizer",
    "PintsSampler",
    "PointEstimateOptimizer",
    "PointEstimateSampler",
    "SOBEROptions",
    "ScipyBasinhopping",
    "ScipyDifferentialEvolution",
    "ScipyDualAnnealing",
    "ScipyLeastSquares",
    "ScipyLsqLinear",
    "ScipyMinimize",
    "ScipyShgo",
    "TuRBO",
    "TuRBOOptions",
    "XNESOptions",
]
