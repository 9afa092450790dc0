"""Costs and regularizers in one (`cw.objective_functions`)."""

from cellwright.catalog.costs import (
    MAE,
    MSE,
    RMSE,
    SSE,
    ChiSquare,
    DesignFunction,
    ErrorFunction,
    GaussianLogLikelihood,
    Max,
    MultiCost,
    Wasserstein,
    WeightedCost,
)
from cellwright.catalog.regularizers import Constraint, Penalty, Prior
from cellwright.schema.families import Regularizer

__all__ = [
    "MAE",
    "MSE",
    "RMSE",
    "SSE",
    "ChiSquare",
    "Constraint",
    "DesignFunction",
    "ErrorFunction",
    "GaussianLogLikelihood",
    "Max",
    "MultiCost",
    "Penalty",
    "Prior",
    "Regularizer",
    "Wasserstein",
    "WeightedCost",
]
