"""MSMR models of electrodes and cells beside measured curves: what is compared, and how it moves with the sites."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

import numpy as np

from cellwright.catalog.measured_curve import CAPACITY, VOLTAGE, MeasuredCurve
from cellwright.catalog.msmr_electrode import MSMRElectrode
from cellwright.physics.differential import Slopes
from cellwright.physics.msmr_curves import Potential
from cellwright.schema.families import Array
from cellwright.schema.prepared import PreparedCurve
from cellwright.schema.prepared import Slopes as Derivatives

T = TypeVar("T")

SLOPE, INVERSE = "Differential voltage [V/Ah]", "Differential capacity [Ah/V]"
BEYOND = 0.5
"""Potential [V] beyond the data up to which that of a half cell is looked for."""
TABLE = 2001
"""Potentials in the table by which a capacity function of one's own is inverted."""
FACTOR = 100.0
"""Ratio of the capacities of data and electrode from which they seem to be in other units."""
LITTLE = 0.02
"""Share of the data's capacity that the sites at least change by within the data's voltages, where both overlap."""
SLACK = 1e-3
"""Share of an electrode's capacity by which the data may need more than it holds before it is told."""
REACH = 6.0
"""Distance of a site's potential from the data, in units of ω R T/F, beyond which they say nothing of it."""


class Memory:
    """What was worked out last, since a curve and its derivatives need the same at each point of a search."""

    def __init__(self) -> None:
        self._key: tuple[float, ...] | None = None
        self._value: Any = None

    def of(self, values: Mapping[str, float], work: Callable[[], T]) -> T:
        """Return what work comes to at these values, or came to if they were the last."""
        key = tuple(values.values())
        if key != self._key:
            self._key, self._value = key, work()
        value: T = self._value
        return value


@dataclass(frozen=True, eq=False)
class HalfCellCurve(PreparedCurve):
    """An MSMR electrode beside a measured curve, whose capacity counts the lithium that enters."""

    electrode: MSMRElectrode
    curve: MeasuredCurve
    windows: Slopes
    capacity_function: Callable[..., Any] | None = None
    differential_capacity_function: Callable[..., Any] | None = None
    memory: Memory = field(default_factory=Memory)
    smoothed: ClassVar[frozenset[str]] = frozenset({SLOPE, INVERSE})

    @property
    def portable(self) -> bool:  # type: ignore[override]
        """Whether it can be sent to another process: functions of Python stay."""
        return self.capacity_function is None and self.differential_capacity_function is None

    def curves(self, values: Mapping[str, float]) -> Mapping[str, Array]:
        """Return what is compared."""
        if not self.portable:
            return self._by_functions(values)
        found: dict[str, Array] = {}
        if CAPACITY in self.observed:
            found[CAPACITY] = self.electrode.population(values).at(self.curve.voltage).q - self.electrode.origin(values)
        if self.observed.keys() != found.keys():
            found |= _of_voltage(self._potential(values).U, self.windows)
        return {name: found[name] for name in self.observed}

    def derivatives(self, values: Mapping[str, float]) -> Derivatives | None:
        """Return the derivatives of what is compared; None with functions of one's own."""
        if not self.portable:
            return None
        found: dict[str, dict[str, Array]] = {}
        if CAPACITY in self.observed:
            filling = self.electrode.population(values).at(self.curve.voltage)
            moved = {name: np.full(len(self.x), -1.0) for name in self.electrode.lower}
            found[CAPACITY] = {**self.electrode.by_name(filling.q_motion, values), **moved}
        if self.observed.keys() != found.keys():
            potential = self._potential(values)
            by_name = self.electrode.by_name(potential.motion, values)
            by_name |= dict.fromkeys(self.electrode.lower, potential.slope)
            found |= _moved(potential.U, by_name, self.windows, self.observed)
        return found

    def doubts(self, inputs: Mapping[str, float], start: bool = False) -> Iterator[str]:
        """Yield what is to be taken with care of the data, and of the sites at these values."""
        yield from self.curve.remarks
        if not self.portable:
            return
        values, q = self.values(inputs), self.curve.capacity
        odd = list(_odd(self.electrode, values, self.curve)) if start else []
        yield from odd
        if not odd:
            lower = self.electrode.origin(values)
            needed = lower + q[0], lower + q[-1]
            yield from _without_room(self.electrode, values, needed, self._limits, "the electrode", start)

    @property
    def _limits(self) -> tuple[float, float]:
        return float(self.curve.voltage.min()) - BEYOND, float(self.curve.voltage.max()) + BEYOND

    def _potential(self, values: Mapping[str, float]) -> Potential:
        def worked_out() -> Potential:
            held = self.curve.capacity + self.electrode.origin(values)
            return Potential.of(self.electrode.population(values), held, self._limits)

        return self.memory.of(values, worked_out)

    def _by_functions(self, values: Mapping[str, float]) -> dict[str, Array]:
        """Return what is compared by functions of one's own, whose inverse is that of a table."""
        own, differential = self.capacity_function, self.differential_capacity_function
        if own is None:
            own = self._sites
        q = np.asarray(own(self.curve.voltage, values)) - self.electrode.origin(values)
        U = np.linspace(*self._limits, TABLE)
        held = np.asarray(own(U, values)) - self.electrode.origin(values)
        potential = np.interp(self.curve.capacity, held[::-1], U[::-1])
        found = {CAPACITY: q, **_of_voltage(potential, self.windows)}
        if differential is not None:
            slope = np.asarray(differential(potential, values))
            found |= {SLOPE: 1 / slope, INVERSE: slope}
        return {name: found[name] for name in self.observed}

    def _sites(self, U: Array, values: Mapping[str, float]) -> Array:
        return self.electrode.population(values).at(U).q


@dataclass(frozen=True, eq=False)
class FullCellCurve(PreparedCurve):
    """Two MSMR electrodes beside the measured open-circuit voltage of their cell."""

    negative: MSMRElectrode
    positive: MSMRElectrode
    limits: tuple[tuple[float, float], tuple[float, float]]
    curve: MeasuredCurve
    windows: Slopes
    memory: Memory = field(default_factory=Memory)
    smoothed: ClassVar[frozenset[str]] = frozenset({SLOPE, INVERSE})

    def curves(self, values: Mapping[str, float]) -> Mapping[str, Array]:
        """Return what is compared."""
        negative, positive = self._potentials(values)
        found = _of_voltage(positive.U - negative.U, self.windows)
        return {name: found[name] for name in self.observed}

    def derivatives(self, values: Mapping[str, float]) -> Derivatives:
        """Return the derivatives of what is compared."""
        negative, positive = self._potentials(values)
        by_name = self.positive.by_name(positive.motion, values)
        by_name |= {name: -motion for name, motion in self.negative.by_name(negative.motion, values).items()}
        by_name |= dict.fromkeys(self.positive.lower, positive.slope)
        by_name |= dict.fromkeys(self.negative.lower, -negative.slope)
        return _moved(positive.U - negative.U, by_name, self.windows, self.observed)

    def doubts(self, inputs: Mapping[str, float], start: bool = False) -> Iterator[str]:
        """Yield what is to be taken with care of the data, and of the electrodes at these values."""
        yield from self.curve.remarks
        values, span = self.values(inputs), self.curve.span
        sides = ("negative", self.negative, self.limits[0]), ("positive", self.positive, self.limits[1])
        for side, electrode, limits in sides:
            total, lower = float(electrode.population(values).Q.sum()), electrode.origin(values)
            if start and _other_unit(span, total):
                yield _in_milliamperes(span, total, f"the {side} electrode")
            else:
                needed = lower, lower + span
                yield from _without_room(electrode, values, needed, limits, f"the {side} electrode", start)

    def _potentials(self, values: Mapping[str, float]) -> tuple[Potential, Potential]:
        """Return the potentials of the negative and the positive electrode."""
        out = self.curve.discharged

        def worked_out() -> tuple[Potential, Potential]:
            held = self.negative.origin(values) + self.curve.span - out, self.positive.origin(values) + out
            negative, positive = (
                Potential.of(electrode.population(values), q, limits)
                for electrode, q, limits in zip((self.negative, self.positive), held, self.limits, strict=True)
            )
            return negative, positive

        return self.memory.of(values, worked_out)


def _of_voltage(V: Array, windows: Slopes) -> dict[str, Array]:
    """Return a voltage and its slopes over the capacity."""
    slope = windows(V)
    with np.errstate(divide="ignore"):
        return {VOLTAGE: V, SLOPE: slope, INVERSE: 1 / slope}


def _moved(
    V: Array, by_name: Mapping[str, Array], windows: Slopes, variables: Collection[str]
) -> dict[str, dict[str, Array]]:
    """Return the derivatives of those variables that a voltage makes, from those of the voltage."""
    found: dict[str, dict[str, Array]] = {}
    if VOLTAGE in variables:
        found[VOLTAGE] = dict(by_name)
    if SLOPE in variables or INVERSE in variables:
        slopes = windows(np.column_stack(list(by_name.values())))
        if SLOPE in variables:
            found[SLOPE] = dict(zip(by_name, slopes.T, strict=True))
        if INVERSE in variables:
            found[INVERSE] = dict(zip(by_name, (-slopes / windows(V)[:, None] ** 2).T, strict=True))
    return found


def _odd(electrode: MSMRElectrode, values: Mapping[str, float], curve: MeasuredCurve) -> Iterator[str]:
    """Yield what is odd of an electrode beside the curve of a half cell."""
    sites = electrode.population(values)
    total, span = float(sites.Q.sum()), curve.span
    low, high = float(curve.voltage.min()), float(curve.voltage.max())
    change = float(np.ptp(sites.at(np.array([low, high])).q))
    if _other_unit(span, total):
        yield _in_milliamperes(span, total, "the electrode")
    elif change < LITTLE * span:
        yield (
            f"at the start the sites fill between {sites.U0.min():.4g} and {sites.U0.max():.4g} V, and the data run "
            f"from {low:.4g} to {high:.4g} V: they do not overlap"
        )
        return
    width = REACH / sites.rate
    for place in np.flatnonzero((sites.U0 + width < low) | (sites.U0 - width > high)):
        yield (
            f"{electrode.potentials[place]!r} starts at {sites.U0[place]:.4g} V, where the data, from {low:.4g} to "
            f"{high:.4g} V, say nothing of that site"
        )


def _without_room(
    electrode: MSMRElectrode,
    values: Mapping[str, float],
    needed: tuple[float, float],
    limits: tuple[float, float],
    holder: str,
    start: bool,
) -> Iterator[str]:
    """Yield what to tell where the data need lithium [A.h] that an electrode does not hold between its limits [V]."""
    sites = electrode.population(values)
    most, least = map(float, sites.at(np.array(limits)).q)
    slack = SLACK * float(sites.Q.sum())
    if needed[0] < least - slack or needed[1] > most + slack:
        when = "at the start " if start else ""
        yield (
            f"{when}{holder} holds {least:.4g} to {most:.4g} A.h between {limits[1]:.4g} and {limits[0]:.4g} V, and by "
            f"its lower excess capacity the data need {needed[0]:.4g} to {needed[1]:.4g} A.h of it: beyond, its "
            "potential is a straight line"
        )


def _other_unit(span: float, total: float) -> bool:
    return not 1 / FACTOR < span / total < FACTOR if total > 0 else False


def _in_milliamperes(span: float, total: float, holder: str) -> str:
    return (
        f"the data span {span:.4g} A.h, and {holder} holds {total:.4g} A.h at the start: look whether the column "
        f"{CAPACITY!r} is in mA.h, and at the electrode capacity"
    )
