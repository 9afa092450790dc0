"""Screening: of a generation, a quadratic model of the cost says which points have to be evaluated."""

from collections.abc import Callable

import numpy as np

from cellwright.schema.families import Array

ALIKE = 0.85
"""Rank correlation (Kendall's τ) of model and costs above which the rest of a generation is left to the model."""
AT_LEAST = 2
"""Points that are evaluated of every generation: the second costs no time where there are two processors."""
FIRST_KNOWN = 4
"""Points that have to be known before a model says anything."""
LOOKED_BACK = 15
"""Points by which model and costs are compared, at least."""
USED = 0.75
"""Share of the points, the best of them, that the model follows."""
SPARE = 1.1
"""Points for each coefficient that a model needs."""
HEAVIEST = 20.0
"""Weight of the best point where the worst has 1."""


class QuadraticScreen:
    """Evaluates, of each generation, the points that a quadratic model holds for the best, until it ranks them right.

    The model is a weighted regression on the best points so far, first linear, then with squares, then with products.
    Points are evaluated in the order that it says, half as many again each time, until the ranks of what it says and of
    the costs agree; the rest get its values. A cost that no quadratic resembles is so evaluated everywhere.

    Source: Hansen, GECCO (2019) 664, doi:10.1145/3321707.3321842 (lq-CMA-ES).
    """

    def __init__(self, dimensions: int) -> None:
        self.points, self.costs = np.empty((0, dimensions)), np.empty(0)
        self._coefficients: Array | None = None

    def __call__(self, costs_of: Callable[[Array], Array], points: Array) -> tuple[Array, Array]:
        """Return costs (n,) of points (n, d), those of the model among them, and which were evaluated (n,).

        Where one of the points cannot be solved, all are evaluated: no quadratic knows where that ends.
        """
        count = len(points)
        costs, known = np.full(count, np.nan), np.zeros(count, dtype=bool)
        wanted = max(AT_LEAST, FIRST_KNOWN - len(self.costs))
        while not known.all():
            likely = np.argsort(self.said(points), kind="stable")
            fresh = likely[~known[likely]][: wanted - int(known.sum())]
            costs[fresh], known[fresh] = costs_of(points[fresh]), True
            self._learn(points[fresh], costs[fresh])
            if not np.isfinite(costs[fresh]).all():
                wanted = count
                continue
            looked_at = int(max(LOOKED_BACK, min(1.2 * known.sum(), 0.75 * count)))
            if _kendall(self.costs[-looked_at:], self.said(self.points[-looked_at:])) >= ALIKE:
                break
            wanted = int(np.ceil(1.5 * known.sum()))
        if not known.all():
            said = self.said(points)
            costs[~known] = (said - said.min() + costs[known].min())[~known]
        self._forget(count)
        return costs, known

    @property
    def lowest(self) -> Array | None:
        """Where the model is lowest (d,), None where it is no bowl with products yet."""
        d = self.points.shape[1]
        coefficients = self._fitted()
        if len(coefficients) < _size(d, 2):
            return None
        hessian = np.diag(2 * coefficients[d + 1 : 2 * d + 1])
        hessian[np.triu_indices(d, 1)] = coefficients[2 * d + 1 :]
        hessian = np.triu(hessian) + np.triu(hessian, 1).T
        if np.linalg.eigvalsh(hessian).min() <= 0:
            return None
        return np.asarray(np.linalg.solve(hessian, -coefficients[1 : d + 1]))

    def said(self, points: Array) -> Array:
        """Return the model's costs (n,) of points (n, d), 0 before it knows any."""
        coefficients = self._fitted()
        return np.asarray(_terms(points, len(coefficients)) @ coefficients)

    def _learn(self, points: Array, costs: Array) -> None:
        """Take what has a cost: the latest last."""
        solved = np.isfinite(costs)
        self.points, self.costs = np.vstack([self.points, points[solved]]), np.append(self.costs, costs[solved])
        self._coefficients = None

    def _forget(self, generation: int) -> None:
        """Keep the latest points, twice as many as there are coefficients and a generation at least."""
        most = max(2 * _size(self.points.shape[1], 2), generation)
        self.points, self.costs = self.points[-most:], self.costs[-most:]

    def _fitted(self) -> Array:
        """Return the coefficients of 1, the coordinates and, where there are points enough, squares and products."""
        if self._coefficients is None:
            known, d = len(self.costs), self.points.shape[1]
            order = max((k for k in (1, 2) if USED * known >= SPARE * _size(d, k)), default=0)
            used = np.argsort(self.costs, kind="stable")[: int(max(SPARE * _size(d, order), USED * known + 1))]
            weights = np.linspace(HEAVIEST, 1.0, len(used))
            terms = _terms(self.points[used], _size(d, order))
            solution = np.linalg.lstsq(weights[:, None] * terms, weights * self.costs[used], rcond=None)
            self._coefficients = np.asarray(solution[0], dtype=np.float64)
        return self._coefficients


def _size(dimensions: int, order: int) -> int:
    """Return how many coefficients a model has: linear (0), with squares (1), with products (2)."""
    return (dimensions + 1, 2 * dimensions + 1, (dimensions + 1) * (dimensions + 2) // 2)[order]


def _terms(points: Array, size: int) -> Array:
    """Return the first `size` of 1, coordinates, squares and products of points (n, d)."""
    d = points.shape[1]
    first, second = np.triu_indices(d, 1)
    columns = [np.ones((len(points), 1)), points]
    if size > d + 1:
        columns.append(points**2)
    if size > 2 * d + 1:
        columns.append(points[:, first] * points[:, second])
    return np.hstack(columns)


def _kendall(a: Array, b: Array) -> float:
    """Return the rank correlation τ of two arrays (n,), 0 where there is none."""
    first, second = np.triu_indices(len(a), 1)
    signs = np.sign(a[first] - a[second]), np.sign(b[first] - b[second])
    pairs = np.sqrt(float(np.abs(signs[0]).sum()) * float(np.abs(signs[1]).sum()))
    return float((signs[0] * signs[1]).sum() / pairs) if pairs else 0.0
