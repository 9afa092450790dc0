"""Open-circuit potentials from measured half-cell data."""

from typing import ClassVar, Literal

import numpy as np

from cellwright.errors import DataError
from cellwright.schema.datasource import Data
from cellwright.schema.families import Calculation
from cellwright.schema.names import Direction, Electrode, names_of
from cellwright.schema.parameters import ParameterSet, Values
from cellwright.schema.tables import Column
from cellwright.schema.values import Function
from cellwright.schema.variant import Example, Schema


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
    on.

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
        two points.
        """
        options = self.options or OCPDataInterpolantOptions()
        name = names_of(self.electrode, options.phase, options.direction).open_circuit_potential
        table = self.data.table
        x, y = distinct(table["Stoichiometry"], table["Voltage [V]"], options.tolerance)
        if x[0] < -options.tolerance or x[-1] > 1 + options.tolerance:
            raise DataError(
                f"the column 'Stoichiometry' goes from {x[0]:.4g} to {x[-1]:.4g}; stoichiometries lie between 0 and 1",
                hint="divide the capacity by the capacity of the whole electrode",
            )
        return {name: Function.table("sto", x, y, options.interpolator, label=name)}


def distinct(x: Column, y: Column, tolerance: float) -> tuple[Column, Column]:
    """Return the points in increasing x, those closer than the tolerance [unit of x] replaced by their mean.

    Raises: `DataError` where values are missing or fewer than two points remain.
    """
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise DataError("the data hold values that are no numbers (NaN or infinite)", hint="remove these rows")
    order = np.argsort(x, kind="stable")
    x, y = x[order], y[order]
    group = np.concatenate([[0], np.cumsum(np.diff(x) > tolerance)])
    count = np.bincount(group)
    x, y = np.bincount(group, x) / count, np.bincount(group, y) / count
    if len(x) < 2:
        raise DataError(f"an interpolant needs at least two distinct points, the data have {len(x)}")
    return x, y
