"""A measurement taken apart into its pulses, each with the rests around it, as data of objectives and calculations."""

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, overload

import numpy as np

from cellwright.catalog.objectives.measured_current import CURRENT, JUMP, TIME, VOLTAGE, knots, measured
from cellwright.catalog.objectives.pulse import Feature, choice
from cellwright.data.open_circuit import CAPACITY
from cellwright.data.sources import settle
from cellwright.errors import DataError
from cellwright.physics.half_cell import stoichiometry_at_potential
from cellwright.physics.pulses import Pulses, RestEnd, discharged, find_pulses, rest_end
from cellwright.schema.datasource import DataSource, parse
from cellwright.schema.tables import STEPS, Column, Columns

UNRELAXED = 0.05
"""Share of the change of the open-circuit voltage by a pulse that the voltage may still drift in one more such rest."""
FAINT = 0.01
"""Share of the largest current up to which a pulse may be noise."""
SHORT = 0.9
"""Share of the usual duration of the pulses up to which the last one counts as cut short."""
DIGITS = 6
"""Decimals of the values that pulses are named by."""
STEP = "Step number"
SLOWEST, FASTEST = 2e-3, 100.0
"""Largest currents of pulses, in capacities an hour, outside of which a unit is wrong by a factor of 1000."""
OUTSIDE = 0.02
"""How far a state of charge or a stoichiometry may lie outside 0 to 1: the error of a counted charge."""
SIGNS = {"positive": 1, "negative": -1}
"""Which way the stoichiometry of an electrode goes on discharge."""


@dataclass(frozen=True, eq=False)
class MeasuredPulse:
    """One pulse of a measurement with the rests around it."""

    number: int
    """From 1 on, in the order of the measurement."""
    table: Columns
    """The last row of the rest before, the pulse, and the rest after it; time from 0, `Step number` 0, 1 and 2."""
    current: float
    """The median current [A], positive on discharge."""
    duration: float
    """How long the current flowed [s]."""
    rest: float
    """How long the rest after it lasts [s]; 0 where there is none."""
    voltages: tuple[float, float]
    """The voltage at the end of the rests before and after it [V]; NaN where there is none."""
    discharged: tuple[float, float]
    """The charge that had been discharged when the pulse began and when it ended [A.h], from the first row on."""
    after: RestEnd | None
    """How the voltage ends in the rest after it."""

    @property
    def source(self) -> DataSource:
        """The pulse as the data of an objective or a calculation."""
        return DataSource((("data",),), columns=self.table)

    @property
    def whole(self) -> bool:
        """Whether there are rests before and after it."""
        return bool(np.isfinite(self.voltages).all())

    @property
    def falls(self) -> bool:
        """Whether the voltage moves against the current, as that of every cell does."""
        voltage, loaded = self.table[VOLTAGE], self.table[STEP] == 1
        return bool(np.sign(self.current) * (voltage[loaded][-1] - self.voltages[0]) < 0)

    @property
    def unrelaxed(self) -> float:
        """How far the voltage would go in one more rest at its drift, as a share of what the pulse has moved it by.

        0 where the drift cannot be told from the noise.
        """
        if self.after is None or not self.after.drifts:
            return 0.0
        moved = abs(self.voltages[1] - self.voltages[0])
        return abs(self.after.slope) * self.rest / moved if moved > 0 else float("inf")

    @property
    def drift(self) -> float:
        """How fast the voltage moves at the end of the rest after it [V.h-1]; NaN where that is not known."""
        return float("nan") if self.after is None else 3600 * self.after.slope


@dataclass(frozen=True, eq=False)
class PulseTrain(Sequence[MeasuredPulse]):
    """The pulses of a measurement, in their order."""

    pulses: tuple[MeasuredPulse, ...]
    doubts: tuple[str, ...] = ()
    """What has been warned of."""

    @overload
    def __getitem__(self, place: int) -> MeasuredPulse: ...
    @overload
    def __getitem__(self, place: slice) -> "PulseTrain": ...
    def __getitem__(self, place: int | slice) -> "MeasuredPulse | PulseTrain":
        """Return a pulse, or some of them."""
        return PulseTrain(self.pulses[place], self.doubts) if isinstance(place, slice) else self.pulses[place]

    def __len__(self) -> int:
        return len(self.pulses)

    def __str__(self) -> str:
        rows = [
            f"{one.number:6d}  {one.current:10.4g} A  {one.duration:8.6g} s  {one.rest:8.6g} s  "
            f"{one.voltages[0]:8.5f} V  {one.voltages[1]:8.5f} V  {1e3 * one.drift:8.3g} mV/h"
            for one in self
        ]
        head = " pulse      current      lasts       rest      before       after     drift"
        return "\n".join([head, *rows, *self.doubts])

    @property
    def discharge(self) -> "PulseTrain":
        """The pulses of positive current."""
        return self.where(lambda one: one.current > 0)

    @property
    def charge(self) -> "PulseTrain":
        """The pulses of negative current."""
        return self.where(lambda one: one.current < 0)

    def lasting(self, shortest: float = 0.0, longest: float = float("inf")) -> "PulseTrain":
        """Return the pulses that last so long [s]: those of an HPPC test without the discharges between them."""
        return self.where(lambda one: shortest <= one.duration <= longest)

    def where(self, condition: Callable[[MeasuredPulse], bool]) -> "PulseTrain":
        """Return the pulses that keep a condition."""
        return PulseTrain(tuple(filter(condition, self.pulses)), self.doubts)

    def by_number(self) -> dict[float, DataSource]:
        """Return the pulses by their numbers."""
        return self.by([float(one.number) for one in self])

    def by_column(self, name: str) -> dict[float, DataSource]:
        """Return the pulses by the value of a column, such as `SOC`: the mean of those before and after each."""
        return self.by([float(one.table[name][[0, -1]].mean()) for one in self])

    def by_soc(self, start: float, capacity: float) -> dict[float, DataSource]:
        """Return the pulses by the state of charge [-] in their middle, counted from the first row of the measurement.

        z = z_0 - q/Q, with z_0 the `start` and Q the `capacity` of the cell [A.h].

        Raises: `DataError` where it leaves 0 to 1.
        """
        return self.by(_within(start - self._middles / self._plausible(capacity), "state of charge"))

    def by_stoichiometry(
        self, start: float, capacity: float, electrode: Literal["negative", "positive"] = "positive"
    ) -> dict[float, DataSource]:
        """Return the pulses by the stoichiometry of an electrode in their middle, counted from the first row.

        θ = θ_0 ± q/Q, with θ_0 the `start` and Q the `capacity` [A.h] of the electrode between stoichiometries 0 and 1.
        A discharge fills the positive electrode, which the electrode of a half cell is too, and empties the negative.

        Raises: `DataError` where it leaves 0 to 1, or there is no such electrode.
        """
        capacity = self._plausible(capacity)
        return self.by(_within(_stoichiometries(self._middles, start, capacity, electrode), "stoichiometry"))

    def by_potential(self, potential: Callable[[Any], Any]) -> dict[float, DataSource]:
        """Return the pulses by the stoichiometry at which an open-circuit potential U(θ) [V] is that of the rests.

        It is the mean of those before and after each. Raises: `ConfigurationError` for a rest that U does not reach.
        """
        ends = [[stoichiometry_at_potential(potential, voltage) for voltage in one.voltages] for one in self]
        return self.by([sum(pair) / 2 for pair in ends])

    def by(self, values: Iterable[float]) -> dict[float, DataSource]:
        """Return the pulses by values of one's own, for example temperatures.

        Raises: `DataError` for another number of values, for one that is no number, and for two pulses of one value.
        """
        named = [round(float(value), DIGITS) for value in values]
        if len(named) != len(self):
            raise DataError(f"there are {len(self)} pulses and {len(named)} values to name them by")
        if not self.pulses:
            raise DataError("there is no pulse left to fit", hint="look at what was left out before")
        if not np.isfinite(named).all():
            raise DataError("pulses are named by numbers, and some of these values are NaN or infinite")
        mixed = len({one.current > 0 for one in self}) > 1
        hint = "take those of one direction: .discharge or .charge" if mixed else "choose other values, or .by_number()"
        twice = next((value for place, value in enumerate(named) if value in named[:place]), None)
        if twice is not None:
            one, other = [self[place].number for place, value in enumerate(named) if value == twice][:2]
            raise DataError(f"pulses {one} and {other} would both be called {twice:g}", hint=hint)
        if mixed:
            _warn(f"pulses of discharge and of charge are mixed; {hint}")
        return {value: one.source for value, one in zip(named, self, strict=True)}

    def features(self, chosen: Any) -> dict[str, Column]:
        """Return features of the pulses by name, an entry for each pulse; see `Pulse` for what may be chosen.

        For example "resistances", or {"type": "ici features", "rest_window": [1, 5]}.

        Raises: `DataError` where a pulse has no such rests, or too few rows for the features.
        """
        feature = choice(chosen)
        if not isinstance(feature, Feature):
            raise DataError(f"the features of a pulse are {', '.join(map(repr, Feature.registry))}, not {chosen!r}")
        rows = [_measured(feature, one.table) for one in self]
        return {name: np.array([row[name] for row in rows]) for name in rows[0]} if rows else {}

    @property
    def rests(self) -> dict[str, Column]:
        """The rests as points of an open-circuit curve: `Capacity [A.h]`, discharged since the first row, and voltage.

        Each rest is one point, the one before the first pulse among them.

        Raises: `DataError` where no pulse is left.
        """
        points = [(one.discharged[end], one.voltages[end]) for one in self for end in (0, 1)]
        known = [pair for pair in points if np.isfinite(pair[1])]
        if not known:
            raise DataError("there is no pulse left with a rest", hint="look at what was left out before")
        charge, voltage = np.array(known).T
        kept = np.append(True, np.abs(np.diff(charge)) > np.abs(charge).max() * 10.0**-DIGITS)
        return {CAPACITY: charge[kept], VOLTAGE: voltage[kept]}

    def open_circuit(
        self, start: float, capacity: float, electrode: Literal["negative", "positive"] = "positive"
    ) -> dict[str, Column]:
        """Return the rests as points of an open-circuit potential: `Stoichiometry` and `Voltage [V]`.

        The stoichiometry is counted as in `by_stoichiometry`.
        """
        rests = self.rests
        return {
            "Stoichiometry": _stoichiometries(rests[CAPACITY], start, self._plausible(capacity), electrode),
            VOLTAGE: rests[VOLTAGE],
        }

    def _plausible(self, capacity: float) -> float:
        """Return a capacity [A.h]. Raises: `DataError` for one that these currents cannot belong to."""
        largest = max((abs(one.current) for one in self), default=float("nan"))
        if not 0 < capacity < float("inf"):
            raise DataError(f"a capacity is a number of A.h above 0, not {capacity!r}")
        if largest / capacity < SLOWEST or largest / capacity > FASTEST:
            raise DataError(
                f"the largest current of the pulses, {largest:.4g} A, is {largest / capacity:.3g} times the capacity "
                f"of {capacity:.4g} A.h",
                hint="look at their units: a capacity in mA.h or a current in mA is 1000 times too large",
            )
        return capacity

    @property
    def _middles(self) -> Column:
        return np.array([sum(one.discharged) / 2 for one in self])


def split_pulses(data: Any, *, rest: float | None = None, incomplete: bool = False) -> PulseTrain:
    """Return the pulses of a measurement (GITT, HPPC), each with the rests around it.

    `data` is what the data of an objective may be (a table, "file:…", an object with loader options), the path of a
    file, or a list of these, one after the other, for a measurement of several files. Steps are those of the columns
    `Step count`, `Step number` or `Step from cycler`, and without these those of the current; a pulse is a stretch of
    current of one sign and one step, and a rest all that lies between two. Up to a thousandth of the largest current is
    a rest; where the current of the rests is noisy, or not quite 0, another fraction `rest` below which it is taken as
    0. A pulse that lacks a rest on one side is left out with a warning, unless `incomplete` ones are wanted.

    Each pulse holds its own rows, so that a pipeline of all of them is as large as the measurement. It begins with the
    last row of the rest before it, from whose voltage a simulation then starts.

    Warns of a last pulse that was cut short, rests at whose end the voltage still moves, voltages that rise under a
    positive current, and currents so small that they may be noise.

    Raises: `DataError` where there is no pulse, none has rests, the current has the wrong sign or is noise in the
    rests, columns are missing or hold values that are no numbers.
    """
    found: list[MeasuredPulse] = []
    charge = 0.0
    tables = data if isinstance(data, list | tuple) else [data]
    if not tables:
        raise DataError("there is no measurement to take apart", hint="give a table, a file or a list of these")
    if rest is not None and not (isinstance(rest, int | float) and 0 <= rest < 1):
        raise DataError(
            f"rest={rest!r} is no fraction of the largest current", hint="a number between 0 and 1, such as 0.01"
        )
    for one in tables:
        pulses, charge = _pulses_of(_calm(_begun(settle(parse(one))), rest), len(found), charge)
        found += pulses
    faint = _faint(found)
    if 2 * len(faint) > len(found):
        raise DataError(
            f"{len(faint)} of {len(found)} stretches of current are below {FAINT:.0%} of the largest: noise in rests",
            hint=f"say up to which fraction of the largest current it is a rest: rest={FAINT:g}",
        )
    wrong = [one.number for one in found if np.isfinite(one.voltages[0]) and not one.falls]
    if 2 * len(wrong) > len(found):
        raise DataError(
            f"the voltage rises in {len(wrong)} of {len(found)} pulses while the current is positive, or falls while "
            f"it is negative",
            hint="a current that discharges is positive here, and for a half cell one that fills its electrode: "
            "change the sign of the column 'Current [A]'",
        )
    kept = [one for one in found if incomplete or one.whole]
    if not kept:
        raise DataError(
            f"no pulse of {len(found)} has a rest before and after it", hint="keep the rests in the data, at both ends"
        )
    doubts = tuple(_doubts(found, wrong, incomplete))
    for doubt in doubts:
        _warn(doubt)
    return PulseTrain(tuple(kept), doubts)


def _begun(source: DataSource) -> Columns:
    """Return the table; where steps were selected from a pulse on, the row at rest before them is put back."""
    table, voltage = source.table, source.initial_voltage
    if voltage is None or not table.rows or table[CURRENT][0] == 0:
        return table
    first = {TIME: table[TIME][0] - JUMP, CURRENT: 0.0, VOLTAGE: voltage}
    first |= {name: table[name][0] - 1 for name in STEPS if name in table}
    return Columns({name: np.append(first.get(name, values[0]), values) for name, values in table.items()})


def _calm(table: Columns, rest: float | None) -> Columns:
    """Return the table with a current of 0 where it is up to a fraction `rest` of the largest."""
    if rest is None:
        return table
    current = table[CURRENT]
    return table.with_column(
        CURRENT, np.where(np.abs(current) <= rest * np.abs(current).max(initial=0.0), 0.0, current)
    )


def _faint(found: Sequence[MeasuredPulse]) -> list[int]:
    """Return the numbers of the pulses that have a hundredth of the largest current and less."""
    largest = max((abs(one.current) for one in found), default=0.0)
    return [one.number for one in found if abs(one.current) <= FAINT * largest]


def _measured(feature: Feature, table: Columns) -> dict[str, float]:
    """Return the features of the one pulse in a table."""
    time, current = knots(table)
    found = feature.measure(find_pulses(time, current, table[STEP]), time, current)(table[VOLTAGE])
    return {name: float(values[0]) for name, values in found.items()}


def _stoichiometries(charge: Column, start: float, capacity: float, electrode: str) -> Column:
    """Return the stoichiometries at charges that a cell has delivered [A.h]."""
    if electrode not in SIGNS:
        raise DataError(f"an electrode is 'negative' or 'positive', not {electrode!r}")
    return start + SIGNS[electrode] * charge / capacity


def _within(shares: Column, named: str) -> Column:
    """Return shares of a whole. Raises: `DataError` where they leave 0 to 1 by more than the error of a charge."""
    if len(shares) and (shares.min() < -OUTSIDE or shares.max() > 1 + OUTSIDE):
        raise DataError(
            f"the {named} of the pulses goes from {shares[0]:.3g} to {shares[-1]:.3g}, and lies between 0 and 1",
            hint="look at start, at capacity [A.h], and at the unit of the current",
        )
    return shares


def _pulses_of(table: Columns, before: int, charge: float) -> tuple[list[MeasuredPulse], float]:
    """Return the pulses of one table, numbered on, and the charge [A.h] discharged up to its end."""
    time, current = knots(table)
    measured(table, VOLTAGE)
    pulses = find_pulses(time, current, table.steps)
    charges = charge + discharged(time, current, pulses, JUMP)
    return [_pulse(table, time, charges, pulses, row, before) for row in range(len(pulses))], float(charges[-1])


def _pulse(table: Columns, time: Column, charges: Column, pulses: Pulses, row: int, before: int) -> MeasuredPulse:
    start, stop, end = (int(getattr(pulses, name)[row]) for name in ("start", "stop", "end"))
    rested, interrupted = bool(pulses.rested[row]), bool(pulses.interrupted[row])
    first = start - 1 if rested else start
    rows = slice(first, end)
    number = np.repeat([0.0, 1.0, 2.0], [start - first, stop - start, end - stop])
    own = table.take(rows).with_column(TIME, time[rows] - time[first]).with_column(STEP, number)
    own = Columns({name: values for name, values in own.items() if name == STEP or name not in STEPS})
    voltage = table[VOLTAGE]
    return MeasuredPulse(
        number=before + row + 1,
        table=own,
        current=float(pulses.current[row]),
        duration=float(pulses.off[row] - pulses.on[row]),
        rest=float(time[end - 1] - pulses.off[row]) if interrupted else 0.0,
        voltages=(
            float(voltage[start - 1]) if rested else float("nan"),
            float(voltage[end - 1]) if interrupted else float("nan"),
        ),
        discharged=(float(charges[max(start - 1, 0)]), float(charges[end - 1 if interrupted else stop - 1])),
        after=rest_end(time[stop:end], voltage[stop:end]) if interrupted else None,
    )


def _doubts(found: Sequence[MeasuredPulse], wrong: Sequence[int], incomplete: bool) -> Iterator[str]:
    alone = [one.number for one in found if not one.whole]
    if alone:
        yield f"without a rest before or after {'but kept' if incomplete else 'and left out'}: {_named(alone)}"
    faint = _faint(found)
    if faint:
        yield f"of less than {FAINT:.0%} of the largest current, and a rest perhaps (see `rest`): {_named(faint)}"
    if wrong:
        yield f"the voltage rises under a positive current, or falls under a negative one: {_named(wrong)}"
    last = found[-1]
    usual = float(np.median([one.duration for one in found if one.current * last.current > 0]))
    if last.duration < SHORT * usual:
        yield (
            f"the last pulse (number {last.number}) lasts {last.duration:.4g} s where {usual:.4g} s are usual: it was "
            f"cut short, as by a voltage limit"
        )
    moving = [one for one in found if one.whole and one.unrelaxed > UNRELAXED]
    if moving:
        worst = max(moving, key=lambda one: one.unrelaxed)
        yield (
            f"the voltage still moves at the end of the rest: {_named([one.number for one in moving])}; most after "
            f"number {worst.number}, by {1e3 * worst.drift:.3g} mV/h, which in one more such rest is "
            f"{worst.unrelaxed:.0%} of what the pulse has moved it by"
        )


def _named(numbers: Sequence[int]) -> str:
    runs = np.split(np.array(numbers), np.flatnonzero(np.diff(numbers) > 1) + 1)
    listed = ", ".join(f"{run[0]}" if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs)
    return f"pulse {listed}" if len(numbers) == 1 else f"pulses {listed}"


def _warn(doubt: str) -> None:
    warnings.warn(doubt, UserWarning, stacklevel=3)
