"""Estimators (`cw.optimizers`, `cw.parameter_estimators`)."""

from cellwright.catalog.estimators.scipy import ScipyDifferentialEvolution, ScipyLeastSquares, ScipyMinimize

__all__ = ["ScipyDifferentialEvolution", "ScipyLeastSquares", "ScipyMinimize"]
