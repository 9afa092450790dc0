"""Open-circuit potentials from measured half-cell data."""

from typing import ClassVar, Literal

import numpy as np

from cellwright.errors import DataError
from cellwright.schema.datasource import Data
from cellwright.schema.families import Calculation
from cellwright.schema.names import Direction, Electrode, names_of
from cellwright.schema.parameters import ParameterSet, Values
from cellwright.schema.tables import Column, Columns
from cellwright.schema.values import Function
from cellwright.schema.variant import Example, Schema

STOICHIOMETRY = "Stoichiometry"
VOLTAGE = "Voltage [V]"
NOISE = 5e-3
"""Potential [V] by which a table may rise as a whole, or points that count as one may differ."""


class OCPDataInterpolantOptions(Schema):
    """How the points are joined, and which of them count as one."""

    only_set = True

    tolerance: float = 1e-6
    direction: Direction | None = None
    phase: Literal["primary", "secondary"] | None = None
    interpolator: Literal["linear", "cubic", "pchip"] = "linear"


class OCPDataInterpolant(Calculation):
    """Open-circuit potential of an electrode as the interpolation of measured points.

    U(θ) through the points (θ_i, U_i) in increasing stoichiometry θ [-], U in V, piecewise linear, cubic or monotone
    cubic ("pchip"). Points closer than `tolerance` in θ count as one (their mean). Beyond the data the end piece goes
    on. U falls with θ: noise is no error, but data that rise as a whole are counted from the wrong end.

    Source: Fritsch & Carlson, SIAM J. Numer. Anal. 17 (1980) 238, doi:10.1137/0717021 (pchip).
    """

    type: Literal["OCPDataInterpolant"] = "OCPDataInterpolant"
    electrode: Electrode
    data: Data
    options: OCPDataInterpolantOptions | None = None

    example: ClassVar = Example(
        fields={
            "electrode": "negative",
            "data": {"Stoichiometry": [0.0, 0.5, 1.0], "Voltage [V]": [1.0, 0.2, 0.0]},
        },
        gives={"Negative electrode OCP [V]": Function.table("sto", [0.0, 0.5, 1.0], [1.0, 0.2, 0.0])},
    )

    def compute(self, p: ParameterSet) -> Values:
        """Return the potential [V] as a function of stoichiometry.

        Raises: `DataError` for missing columns, values that are not numbers, stoichiometries outside 0 to 1, fewer than
        two points, and a potential that rises as a whole.
        """
        options = self.options or OCPDataInterpolantOptions()
        name = names_of(self.electrode, options.phase, options.direction).open_circuit_potential
        x, U = potential_points(p, self.data.table, options.tolerance)
        return {name: Function.table("sto", x, U, options.interpolator, label=name)}


def potential_points(p: ParameterSet, table: Columns, tolerance: float) -> tuple[Column, Column]:
    """Return the stoichiometries and potentials [V] of a table, in increasing stoichiometry; remark on contradictions.

    Raises: `DataError` where they cannot be those of an electrode.
    """
    x, U = distinct(table[STOICHIOMETRY], table[VOLTAGE], tolerance)
    stoichiometries(x, tolerance)
    falls(x, U, STOICHIOMETRY)
    tell_of_spread(p, table[STOICHIOMETRY], table[VOLTAGE], x, U)
    return x, U


def stoichiometries(x: Column, tolerance: float) -> None:
    """Make sure that increasing values are stoichiometries. Raises: `DataError` where they leave 0 to 1."""
    if x[0] < -tolerance or x[-1] > 1 + tolerance:
        raise DataError(
            f"the column {STOICHIOMETRY!r} goes from {x[0]:.4g} to {x[-1]:.4g}; stoichiometries lie between 0 and 1",
            hint="divide the capacity by the capacity of the whole electrode",
        )


def falls(x: Column, U: Column, axis: str) -> None:
    """Make sure that a potential [V] falls as lithium enters: its straight line, for noise is no error.

    Raises: `DataError` where the line rises by more than `NOISE` from end to end.
    """
    from_mean = x - x.mean()
    rise = float(from_mean @ (U - U.mean()) / (from_mean @ from_mean) * (x[-1] - x[0]))
    if rise > NOISE:
        raise DataError(
            f"the potential rises with the column {axis!r}, by {rise:.3g} V from end to end, and an open-circuit "
            f"potential falls as lithium enters",
            hint="count from the other end: lithium that enters the electrode is positive, 1 is the full electrode",
        )


def tell_of_spread(p: ParameterSet, x: Column, U: Column, joined: Column, means: Column) -> None:
    """Remark where points that count as one have potentials [V] that differ by more than `NOISE`."""
    spread = float(np.abs(U - np.interp(x, joined, means)).max())
    if len(joined) < len(x) and spread > NOISE:
        p.remark(
            f"{len(x)} points of a potential have {len(joined)} distinct stoichiometries; those that count as one are "
            f"up to {spread:.3g} V from their mean: lithiation and delithiation may stand in one table"
        )


def distinct(x: Column, y: Column, tolerance: float) -> tuple[Column, Column]:
    """Return the points in increasing x; those within the tolerance [unit of x] of a first one become their mean.

    Raises: `DataError` where values are missing or fewer than two points remain.
    """
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise DataError("the data hold values that are no numbers (NaN or infinite)", hint="remove these rows")
    order = np.argsort(x, kind="stable")
    x, y = x[order], y[order]
    starts: list[int] = []
    while not starts or starts[-1] < len(x):
        starts.append(int(np.searchsorted(x, x[starts[-1]] + max(tolerance, 0.0), side="right")) if starts else 0)
    count = np.diff(starts)
    if len(count) < 2:
        raise DataError(
            f"an interpolant needs at least two distinct points, the data have {len(count)}",
            hint="look at the rows of the data and at 'tolerance'",
        )
    return np.add.reduceat(x, starts[:-1]) / count, np.add.reduceat(y, starts[:-1]) / count
