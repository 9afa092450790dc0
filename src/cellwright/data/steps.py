"""Steps of a measurement: stretches of rest, discharge and charge."""

import numpy as np
from numpy.typing import NDArray

from cellwright.errors import DataError
from cellwright.physics.stages import REST, step_marks
from cellwright.schema.tables import Columns

STEP = "Step count"


def step_count(table: Columns) -> NDArray[np.intp]:
    """Return the number of the step, from 0, that each row belongs to.

    The column `Step count` decides where there is one; otherwise a step ends where the current changes between rest,
    discharge (positive) and charge (negative).

    Raises: `DataError` where there is neither a step nor a current column.
    """
    marks = table[STEP] if STEP in table else step_marks(table["Current [A]"])
    changes = np.concatenate([[False], np.diff(marks) != 0])
    return np.cumsum(changes)


def select_steps(table: Columns, first: int | None, last: int | None) -> tuple[Columns, float | None]:
    """Return the rows of the steps `first` to `last`, both included, and the voltage [V] at rest before them.

    The voltage is that of the last row before, where that row is at rest; else None.

    Raises: `DataError` for a step that the data do not have.
    """
    count = step_count(table)
    steps = int(count[-1]) + 1 if len(count) else 0
    low = 0 if first is None else first
    high = steps - 1 if last is None else last
    if not 0 <= low <= high < steps:
        raise DataError(
            f"the data have {steps} steps (0 to {steps - 1}), and {low} to {high} was asked for",
            hint="steps count from 0; a new one begins where the current changes between rest, discharge and charge",
        )
    rows = np.flatnonzero((count >= low) & (count <= high))
    return table.take(rows), _voltage_at_rest(table, int(rows[0]))


def _voltage_at_rest(table: Columns, first_row: int) -> float | None:
    if "Voltage [V]" not in table or "Current [A]" not in table:
        return None
    current = np.abs(table["Current [A]"])
    row = first_row if first_row == 0 else first_row - 1
    at_rest = current[row] <= REST * np.nanmax(current, initial=0.0)
    return float(table["Voltage [V]"][row]) if at_rest else None
