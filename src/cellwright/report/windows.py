"""Where each electrode works on its potential: the stoichiometry windows of a cell."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from cellwright.physics.balance import PARTS, Share
from cellwright.report.curves import Array, Line, Panel, Plot
from cellwright.report.notation import NOTHING, as_float, number
from cellwright.schema.names import ELECTRODES, ElectrodeNames, names_of
from cellwright.schema.results import PipelineResult
from cellwright.schema.values import Function

POINTS = 400
"""The points that a potential is drawn with at least."""
ENDS = (0.002, 0.998)
"""Between which stoichiometries a formula is drawn; it may be singular at 0 and 1."""
CAPACITY = "Capacity [A.h]"
OF_CELLS = {"ElectrodeBalancing", "MSMRFullCell"}
"""The objectives whose data span what a cell uses of its electrodes."""
ON_DISCHARGE = {"negative": "delithiation", "positive": "lithiation"}
"""The branch of a potential with hysteresis that is drawn where there is none without a direction."""


@dataclass(frozen=True)
class Window:
    """The stoichiometries of an electrode at 0 and 100 % state of charge, its capacities [A.h], its potential [V]."""

    electrode: str
    empty: float
    full: float
    capacity: float | None
    lower: float | None
    upper: float | None
    potential: Function | None

    @property
    def share(self) -> float:
        """The share of the electrode that the cell uses."""
        return abs(self.full - self.empty)

    def stoichiometry(self, soc: Any) -> Any:
        """Return the stoichiometry at a state of charge, 0 to 1 in the window and beyond it outside."""
        return self.empty + soc * (self.full - self.empty)

    def soc(self, stoichiometry: Any) -> Any:
        """Return the state of charge at a stoichiometry."""
        return (stoichiometry - self.empty) / (self.full - self.empty)

    @property
    def drawn(self) -> tuple[float, float]:
        """Between which stoichiometries the potential is drawn: those of its table, else all but the very ends."""
        ends = None if self.potential is None else self.potential.ends
        return ENDS if ends is None else (max(ends[0], 0.0), min(ends[1], 1.0))

    def knots(self) -> Array:
        """Return the states of charge at which the potential is drawn."""
        low, high = self.drawn
        inside = np.append(np.linspace(low, high, POINTS), [self.empty, self.full])
        return np.asarray(self.soc(inside[(inside >= low) & (inside <= high)]))

    def potentials(self, soc: Array) -> Array:
        """Return the potential [V] at states of charge, NaN where it is not drawn."""
        assert self.potential is not None
        theta = self.stoichiometry(soc)
        low, high = self.drawn
        inside = (theta >= low - 1e-9) & (theta <= high + 1e-9)
        with np.errstate(all="ignore"):
            values = np.asarray(self.potential(np.clip(theta, low, high)), dtype=float)
        return np.where(inside, values, np.nan)


@dataclass(frozen=True)
class WindowRow:
    """A window as tables show it; capacities in A.h."""

    electrode: str
    empty: str
    full: str
    share: str
    capacity: str
    lower: str
    upper: str


def windows(result: PipelineResult) -> list[Window]:
    """Return the windows of both electrodes, negative first; none where they are not known.

    They are given by the stoichiometries at 0 and 100 % state of charge, by capacity and both excess capacities, or by
    two of these and what the data of the fit that found them span.
    """
    span = _span(result)
    found = [_window(result.parameters, names_of(electrode), span) for electrode in ELECTRODES]
    known = [one for one in found if one is not None]
    return known if len(known) == len(found) else []


def window_rows(result: PipelineResult) -> list[WindowRow]:
    """Return the windows as rows of a table."""
    return [
        WindowRow(
            one.electrode.capitalize(),
            number(one.empty, 4),
            number(one.full, 4),
            f"{100 * one.share:.1f} %",
            *(NOTHING if value is None else number(value, 4) for value in (one.capacity, one.lower, one.upper)),
        )
        for one in windows(result)
    ]


def window_plot(result: PipelineResult) -> Plot | None:
    """Return both potentials over the state of charge of the cell, as far as they go, and the part of them in use.

    None where the windows or the potentials are not known.
    """
    both = windows(result)
    if not both or any(one.potential is None for one in both):
        return None
    negative, positive = both
    soc = np.unique(np.concatenate([negative.knots(), positive.knots()]))
    used = (soc >= -1e-9) & (soc <= 1 + 1e-9)
    U_n, U_p = negative.potentials(soc), positive.potentials(soc)
    cell = Line("Cell, open circuit", "fitted", np.where(used, U_p - U_n, np.nan))
    panels = [
        Panel(f"{title} [V]", (Line(title, "initial", U), Line("in use", "best", np.where(used, U, np.nan))))
        for title, U in (("Positive", U_p), ("Negative", U_n))
    ]
    upper = Panel("Positive, cell [V]", (*panels[0].lines, cell))
    return Plot("Where the electrodes work", "State of charge [%]", 100 * soc, (upper, panels[1]))


def _window(parameters: Mapping[str, Any], name: ElectrodeNames, span: float | None) -> Window | None:
    share = _share(parameters, name, span)
    empty, full = (as_float(parameters.get(name.stoichiometry_at(soc))) for soc in (0, 100))
    if (empty is None or full is None) and share is not None:
        least, most = share.lower / share.whole, 1 - share.upper / share.whole
        empty, full = (least, most) if name.electrode == "negative" else (most, least)
    if empty is None or full is None or empty == full:
        return None
    capacity = as_float(parameters.get(name.capacity)) or (share.whole if share is not None else None)
    lower, upper = (
        (None, None) if capacity is None else (min(empty, full) * capacity, (1 - max(empty, full)) * capacity)
    )
    return Window(name.electrode, empty, full, capacity, lower, upper, _potential(parameters, name.electrode))


def _share(parameters: Mapping[str, Any], name: ElectrodeNames, span: float | None) -> Share | None:
    """Return the parts of an electrode's capacity: all as they are given, or the third from two and a span [A.h]."""
    names = (name.lower_excess_capacity, name.capacity, name.upper_excess_capacity)
    given = {part: as_float(parameters.get(one)) for part, one in zip(PARTS, names, strict=True)}
    known = {part: value for part, value in given.items() if value is not None}
    if len(known) == len(PARTS) and known["whole"] > 0:
        return Share(known["lower"], known["whole"], known["upper"])
    if len(known) < 2 or span is None:
        return None
    share = Share.of(span, known)
    return share if share.whole > 0 else None


def _span(result: PipelineResult) -> float | None:
    """Return what the data of the last fit of a cell's open circuit span [A.h]."""
    spans = [
        float(np.ptp(source[CAPACITY]))
        for record in result.elements
        if record.element_type == "data_fit"
        for objective, sources in record.curves.items()
        if _type_of(result.config, record.name, objective) in OF_CELLS
        for source in [sources.get("optimal", {})]
        if CAPACITY in source
    ]
    return spans[-1] if spans else None


def _type_of(config: Mapping[str, Any], element: str, objective: str) -> Any:
    found: Any = config
    for key in ("elements", element, "objectives", objective, "type"):
        found = found.get(key) if isinstance(found, Mapping) else None
    return found


def _potential(parameters: Mapping[str, Any], electrode: str) -> Function | None:
    for direction in (None, ON_DISCHARGE[electrode]):
        value = parameters.get(names_of(electrode, None, direction).open_circuit_potential)
        if isinstance(value, Function) and not value.names and len(value.arguments) == 1:
            return value
    return None
