"""Measured curves of a voltage over a capacity, close to open circuit: one sweep, in order, looked at for mistakes."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cellwright.errors import DataError
from cellwright.physics.pulses import Pulses, discharged, find_pulses, rest_ends
from cellwright.schema.families import Array
from cellwright.schema.tables import Columns

CAPACITY, VOLTAGE, TIME, CURRENT = "Capacity [A.h]", "Voltage [V]", "Time [s]", "Current [A]"
BACK = 0.02
"""Share of its span by which a capacity may go back on its way."""
SAME = 1e-6
"""Share of the span within which capacities count as one."""
NOISE = 5e-3
"""Voltage [V] by which a curve may go against its direction before that is told."""
MOST = 2000
"""The points that a curve has at most, beside its ends; each stands for a part in which the voltage is straight."""
SWITCHED = 1e-6
"""Time [s] in which a current is switched between two rows that are far apart."""
SLOW = 1e-4
"""Current [A], for each A.h of a capacity, that goes through it in more than a year, and so is none."""
POINTS = 3
"""The points that a curve has at least."""


@dataclass(frozen=True)
class MeasuredCurve:
    """A voltage [V] over a capacity [A.h] that rises from point to point.

    `falls` tells whether the voltage falls as the capacity rises, `forward` whether the rows came in that order,
    `integrated` whether the capacity is that of the current, `timed` whether the rows are in the order of time;
    `remarks` tell what of the data is doubtful.
    """

    capacity: Array
    voltage: Array
    falls: bool
    forward: bool
    remarks: tuple[str, ...] = ()
    integrated: bool = False
    timed: bool = False

    @property
    def span(self) -> float:
        """The capacity [A.h] between the first and the last point."""
        return float(self.capacity[-1] - self.capacity[0])

    @property
    def discharged(self) -> Array:
        """The capacity [A.h] from the point of highest voltage on."""
        return np.asarray(np.abs(self.capacity - self.capacity[0 if self.falls else -1]))


def measured_curve(table: Columns, *, at_rest: bool = False) -> MeasuredCurve:
    """Return the curve in a table with the columns `Voltage [V]` and `Capacity [A.h]`.

    Where there is no capacity, it is the integral of `Current [A]` over `Time [s]`, positive on discharge. Where there
    is a current, the rows count in which it flows; with `at_rest` (GITT) the last row of each rest. Of points at rest,
    as `rest_to_ocp` makes them, all count. Points of one capacity count as one, their mean; of more than 2000 points
    those in each 2000th part of the capacity.

    Raises: `DataError` for missing columns, values that are no numbers, too few points, a time or a capacity that goes
    back, and a voltage or a capacity that does not change.
    """
    rows, integrated = _rows(table, at_rest), CAPACITY not in table
    table = table.with_column(CAPACITY, capacity_of(table)).take(rows)
    q, V = table.numbers(CAPACITY), table.numbers(VOLTAGE)
    if len(q) < POINTS:
        what = "at rest" if at_rest and CURRENT in table else "of the data"
        raise DataError(f"a curve needs {POINTS} points at least, and there are {len(q)} {what}")
    forward = bool(q[-1] >= q[0])
    _one_sweep(q if forward else -q, rows, _named(integrated))
    order = np.argsort(q, kind="stable")
    q, V = _joined(q[order], V[order])
    if len(q) < POINTS:
        raise DataError(f"{_named(integrated)} has {len(q)} distinct values, and a curve needs {POINTS}")
    from_mean = q - q.mean()
    slope = float(from_mean @ (V - V.mean()))
    if np.ptp(V) < NOISE or slope == 0:
        raise DataError(f"the column {VOLTAGE!r} spans {1e3 * np.ptp(V):.3g} mV, which is no curve")
    falls = bool(slope < 0)
    remarks = tuple(_against(q, V if falls else -V))
    return MeasuredCurve(q, V, falls, forward, remarks, integrated, TIME in table and _rises(table[TIME]))


def _rises(time: Array) -> bool:
    return bool((np.diff(time) >= 0).all() and time[-1] > time[0])


def checked_direction(
    curve: MeasuredCurve, direction: Literal["charge", "discharge", "lithiation", "delithiation"] | None
) -> None:
    """Make sure that a curve can be one of a direction.

    The capacity is positive on discharge, as is the current: the voltage of a discharge falls with it. Data of a charge
    count the charge that is put in, with which the voltage rises, or go on counting what is taken out, which is then
    less in every row. So do those of a half cell, in which lithiation lets the potential fall. Where the rows are in
    the order of time, they say themselves whether the voltage falls or rises.

    Raises: `DataError` where the data contradict the direction.
    """
    falling = direction in {"discharge", "lithiation"}
    along_rows = curve.falls is curve.forward
    against_time = curve.timed and falling is not along_rows
    fits = curve.falls if direction == "discharge" else falling in (curve.falls, along_rows)
    if direction is None or (fits and not against_time):
        return
    going, other = ("falls", "rises") if falling else ("rises", "falls")
    opposite = {
        "charge": "discharge", "discharge": "charge", "lithiation": "delithiation", "delithiation": "lithiation",
    }[direction]  # fmt: skip
    count = "lithium that enters" if direction in {"lithiation", "delithiation"} else "the charge taken out"
    if against_time:
        raise DataError(
            f"the voltage {other} with time, and on {direction} it {going}",
            hint=f"say 'direction': {opposite!r} if these are data of a {opposite}",
        )
    raise DataError(
        f"the voltage {other} with {_named(curve.integrated).rstrip(',')}, and on {direction} it {going}",
        hint=f"say 'direction': {opposite!r} if these are data of a {opposite}; else "
        + ("change the sign of the current" if curve.integrated else f"count {count} as positive"),
    )


def capacity_of(table: Columns) -> Array:
    """Return the capacity [A.h] in each row: its column, else the integral of the current, positive on discharge.

    Raises: `DataError` where there is neither, and for a time that goes back.
    """
    if CAPACITY in table or not (TIME in table and CURRENT in table):
        return table[CAPACITY]
    time = table.numbers(TIME)
    back = np.flatnonzero(np.diff(time) < 0)
    if back.size:
        raise DataError(f"the column {TIME!r} goes back in row {int(back[0]) + 1}", hint="sort the rows")
    return discharged(time, table[CURRENT], _pulses(table), SWITCHED)


def _rows(table: Columns, at_rest: bool) -> NDArray[np.intp]:
    """Return the rows that count: those under current, or the last of each rest; all where there is no current."""
    if CURRENT not in table or not table[CURRENT].any() or _points_at_rest(table):
        return np.arange(table.rows)
    pulses = _pulses(table)
    if at_rest:
        return rest_ends(pulses)
    return np.concatenate([np.arange(*ends) for ends in zip(pulses.start, pulses.stop, strict=True)])


def _points_at_rest(table: Columns) -> bool:
    """Return whether the currents are those of rests alone, beside a capacity that the cell has gone through."""
    return CAPACITY in table and bool(np.abs(table[CURRENT]).max() <= SLOW * np.ptp(table[CAPACITY]))


def _pulses(table: Columns) -> Pulses:
    time = table[TIME] if TIME in table else np.arange(table.rows, dtype=float)
    return find_pulses(time, table.numbers(CURRENT))


def _named(integrated: bool) -> str:
    return "the capacity, the integral of the current," if integrated else f"the column {CAPACITY!r}"


def _one_sweep(q: Array, rows: NDArray[np.intp], name: str) -> None:
    """Make sure that a capacity that rises as a whole does not go back. Raises: `DataError` where it does, with the row
    of the data."""
    span = float(np.ptp(q))
    if not span > 0:
        raise DataError(f"{name} is {q[0]:.6g} throughout", hint="look at the column and its unit")
    back = np.maximum.accumulate(q) - q
    if back.max() > BACK * span:
        row = int(rows[int(np.argmax(q[: int(np.argmax(back > BACK * span))])) + 1])
        raise DataError(
            f"{name} goes back by {back.max():.4g} A.h, from row {row} on: a curve is one sweep",
            hint="choose the steps of one direction with 'first_step' and 'last_step', or put the rows in order",
        )


def _joined(q: Array, V: Array) -> tuple[Array, Array]:
    """Return the points with those of one capacity as their mean; of very many those in equal parts of the capacity."""
    q, V = _means(q, V, np.append(True, np.diff(q) > SAME * (q[-1] - q[0])))
    if len(q) <= MOST:
        return q, V
    begins = np.append(True, np.diff(np.floor((q - q[0]) / (q[-1] - q[0]) * MOST)) > 0)
    begins[[1, -1]] = True  # the ends stay as they are
    return _means(q, V, begins)


def _means(q: Array, V: Array, begins: NDArray[np.bool_]) -> tuple[Array, Array]:
    starts = np.flatnonzero(begins)
    count = np.diff(np.append(starts, len(q)))
    return np.add.reduceat(q, starts) / count, np.add.reduceat(V, starts) / count


def _against(q: Array, V: Array) -> list[str]:
    """Return what to tell of a voltage that falls as a whole where it rises by more than noise."""
    rise = V - np.minimum.accumulate(V)
    if rise.max() <= NOISE:
        return []
    return [
        f"the voltage goes back by up to {1e3 * rise.max():.3g} mV, at {q[int(np.argmax(rise))]:.4g} A.h, and one at "
        "open circuit does not: smooth the data, or look at their rows"
    ]
