"""When a search by generations ends: one count and one set of rules for all of them."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from cellwright.schema.families import Array

UNCHANGED = 75
"""Generations in a row without an improvement that counts, after which a search ends."""
GENERATIONS = 100
"""Limit of generations for each parameter, and for two parameters more."""


class Rules(Protocol):
    """The fields that say when a search ends; `AskTell` tells what each means."""

    max_iterations: int | None
    max_unchanged_iterations: int | None
    max_unchanged_iterations_threshold: float | int | None
    min_iterations: int | None
    max_evaluations: int | None
    threshold: float | int | None
    absolute_tolerance: float | int | None
    relative_tolerance: float | int | None
    xtol: float | int | None
    population_convergence_tol: float | int | None
    flat_fitness_tol: float | int | None
    convergence_patience: int | None


@dataclass(frozen=True)
class End:
    """Why a search ended, and whether that is a success."""

    message: str
    success: bool


class Stopping:
    """Counts the generations of a search and says when it ends.

    `note` is told of each generation that was evaluated, `judge` of the population that the search then stands on.
    """

    def __init__(self, rules: Rules, dimensions: int) -> None:
        self.rules = rules
        self.iterations = 0
        self.evaluations = 0
        self.best_cost = float("inf")
        self.best_point: Array | None = None
        self.limit = rules.max_iterations if rules.max_iterations is not None else GENERATIONS * (dimensions + 2)
        self._counted = float("inf")
        self._unchanged = 0
        self._first_width: Array | None = None
        self._still = 0
        self._narrow = 0
        self._flat = 0

    @property
    def left(self) -> int | None:
        """How many points may still be evaluated; None for any number."""
        most = self.rules.max_evaluations
        return None if most is None else max(most - self.evaluations, 0)

    def note(self, points: Array, costs: Array) -> None:
        """Count a generation of points (n, d) with costs (n,), infinite where a point failed."""
        self.iterations += 1
        self.evaluations += len(points)
        best = int(np.argmin(costs)) if len(costs) else 0
        if len(costs) and costs[best] < self.best_cost:
            moved = np.inf if self.best_point is None else float(np.max(np.abs(points[best] - self.best_point)))
            self._still = self._still + 1 if _within(moved, self.rules.xtol) else 0
            self.best_cost, self.best_point = float(costs[best]), points[best].copy()
        if self._counts(self.best_cost):
            self._counted, self._unchanged = self.best_cost, 0
        else:
            self._unchanged += 1

    def judge(self, points: Array, costs: Array) -> None:
        """Look at the population that the search stands on: its points (m, d), its costs (m,)."""
        width = np.std(points, axis=0)
        if self._first_width is None:
            self._first_width = np.where(width > 0, width, 1.0)
        narrow = _within(float(np.max(width / self._first_width)), self.rules.population_convergence_tol)
        self._narrow = self._narrow + 1 if narrow and np.isfinite(self.best_cost) else 0
        self._flat = self._flat + 1 if self._is_flat(costs) else 0

    @property
    def end(self) -> End | None:
        """Why the search ends here; None while it goes on."""
        rules = self.rules
        if self.iterations >= (rules.min_iterations or 0):
            converged = self._converged()
            if converged:
                return End(converged, np.isfinite(self.best_cost))
        if self.iterations >= self.limit:
            return End(f"stopped at the limit of {self.limit} iterations", False)
        if self.left == 0:
            return End(f"stopped at the limit of {rules.max_evaluations} evaluations", False)
        return None

    def _converged(self) -> str:
        rules, patience = self.rules, self.rules.convergence_patience or 1
        unchanged = UNCHANGED if rules.max_unchanged_iterations is None else rules.max_unchanged_iterations
        if rules.threshold is not None and self.best_cost <= rules.threshold:
            return f"the cost is below the threshold of {rules.threshold:g}"
        if self._narrow >= patience:
            return f"the population has shrunk to {rules.population_convergence_tol:g} of its first width"
        if self._flat >= patience:
            return f"half of the population costs the same within {rules.flat_fitness_tol:g}"
        if self._still >= patience:
            return f"the best point moves by less than {rules.xtol:g}"
        if self._unchanged >= unchanged:
            found = np.isfinite(self.best_cost)
            said = "no improvement that counts" if found else "not one point could be solved"
            return f"{said} in {unchanged} iterations"
        return ""

    def _counts(self, cost: float) -> bool:
        """Return whether a cost is an improvement that counts: by the absolute tolerance or by the relative one."""
        gain = self._counted - cost
        if not np.isfinite(self._counted):
            return bool(np.isfinite(cost))
        alias = self.rules.max_unchanged_iterations_threshold
        absolute = self.rules.absolute_tolerance if alias is None else alias
        relative = self.rules.relative_tolerance
        limits = [] if absolute is None else [float(absolute)]
        limits += [] if relative is None else [float(relative) * abs(self._counted)]
        return gain > min(limits, default=0.0)

    def _is_flat(self, costs: Array) -> bool:
        if self.rules.flat_fitness_tol is None or not np.isfinite(costs).any():
            return False
        with np.errstate(invalid="ignore"):
            near = np.abs(costs - np.median(costs)) <= self.rules.flat_fitness_tol
        return bool(2 * near.sum() >= len(costs) > 1)


def _within(value: float, tolerance: float | None) -> bool:
    return tolerance is not None and value <= tolerance
