"""Open-circuit points of a measurement: what the voltage has come to at the end of each rest."""

import numpy as np

from cellwright.catalog.objectives.measured_current import JUMP, knots
from cellwright.errors import DataError
from cellwright.physics.pulses import discharged, find_pulses, rest_ends
from cellwright.schema.tables import Columns

CAPACITY, VOLTAGE = "Capacity [A.h]", "Voltage [V]"


def rests_as_open_circuit(table: Columns, before: float | None = None, keep_first: bool = False) -> Columns:
    """Return the last row of each rest, with the charge discharged since the first row as `Capacity [A.h]`.

    A capacity that the data have stays. A rest at the beginning is one of them. Where the data begin with a current,
    `keep_first` adds their beginning, with the voltage at rest `before` [V] their first row.

    Raises: `DataError` without a current, without a rest, and where the beginning is asked for and its voltage at rest
    is not known.
    """
    time, current = knots(table)
    pulses = find_pulses(time, current, table.steps)
    rows = rest_ends(pulses)
    if not len(rows):
        raise DataError(
            "the data hold no rest to take an open-circuit voltage from", hint="look at the column 'Current [A]'"
        )
    if CAPACITY not in table:
        table = table.with_column(CAPACITY, discharged(time, current, pulses, JUMP))
    if not keep_first or pulses.start[0] > 0:
        return table.take(rows)
    if before is None:
        raise DataError(
            "the data begin with a current, and their first voltage is not that of an open circuit",
            at=("options", "keep_first_ocp_point"),
            hint="begin with the rest before: leave out 'first_step', or choose it one lower",
        )
    voltage = table[VOLTAGE].copy()
    voltage[0] = before
    return table.with_column(VOLTAGE, voltage).take(np.append(0, rows))
