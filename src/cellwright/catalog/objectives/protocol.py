"""Protocols of cycling: as a document gives them, or made of a measurement's own steps."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from cellwright.errors import ConfigurationError, DataError, did_you_mean
from cellwright.physics.stages import Stage, stages, step_marks
from cellwright.schema.tables import Columns

TIME, CURRENT, VOLTAGE = "Time [s]", "Current [A]", "Voltage [V]"
STEP, CYCLE = "Step count", "Cycle count"
CONDITIONS = ("period", "temperature", "termination")
AT = ("options", "experiment")
PATIENCE = 5.0
"""How many times its measured length a step may take to reach its endpoint."""
BEYOND = 1.0
"""Time [s] by which a profile lasts longer than its step."""


@dataclass(frozen=True)
class Protocol:
    """Cycles of steps, each in the words or the JSON form that PyBaMM has for it, and conditions of the whole."""

    cycles: tuple[tuple[Any, ...], ...]
    conditions: Mapping[str, Any] = field(default_factory=dict)
    joined: tuple[tuple[int, ...], ...] = ()
    """How many steps of each cycle count as one; where it is empty, each step counts."""

    def steps(self, cycle: int) -> int:
        """Return how many steps of a cycle count."""
        return len(self.joined[cycle] if self.joined else self.cycles[cycle])


@dataclass(frozen=True)
class Replay:
    """How a measurement is made a protocol: what ends its steps, and which voltages are held."""

    termination: Literal["duration", "events"] = "duration"
    use_cv: bool = False
    split_cc_cv: bool = True


def protocol_of(given: Any) -> Protocol:
    """Return the protocol that a document gives: an object with `cycles` or `steps`, or a list of cycles.

    A step that stands by itself is a cycle of its own.

    Raises: `ConfigurationError` for anything else, and for a protocol without steps.
    """
    conditions: dict[str, Any] = {}
    if isinstance(given, Mapping):
        whole = [name for name in ("cycles", "steps") if given.get(name) is not None]
        for name in given.keys() - {*CONDITIONS, "cycles", "steps"}:
            raise ConfigurationError(
                f"an experiment has no field {str(name)!r}",
                at=AT,
                hint=did_you_mean(str(name), ["cycles", "steps", *CONDITIONS]) or "it has 'cycles' of steps",
            )
        if len(whole) != 1:
            raise ConfigurationError("an experiment has either 'cycles' or 'steps'", at=AT)
        conditions = {name: given[name] for name in CONDITIONS if given.get(name) is not None}
        given = given[whole[0]]
    if isinstance(given, str):
        given = [given]
    if not isinstance(given, Sequence) or not given:
        raise ConfigurationError(
            f"an experiment is a list of cycles, not {given!r:.80}",
            at=AT,
            hint="for example [['Discharge at 1C until 2.5 V', 'Charge at C/2 until 4.2 V']]",
        )
    cycles = tuple(tuple(cycle) if isinstance(cycle, list | tuple) else (cycle,) for cycle in given)
    for number, cycle in enumerate(cycles):
        if not cycle:
            raise ConfigurationError("a cycle has at least one step", at=(*AT, "cycles", str(number)))
        for place, step in enumerate(cycle):
            if not isinstance(step, str | Mapping):
                raise ConfigurationError(
                    f"a step is a sentence or an object, not {step!r:.80}",
                    at=(*AT, "cycles", str(number), str(place)),
                    hint="for example 'Rest for 1 hour'",
                )
    return Protocol(cycles, conditions)


def replay(table: Columns, how: Replay) -> Protocol:
    """Return the protocol that does to the cell what a measurement says was done to it.

    A new step begins where `Step count` changes, or where there is none, where the current changes between rest,
    discharge and charge; a new cycle where `Cycle count` changes. A step lasts as long as it was measured (`duration`),
    or until it has reached the voltage (of a constant current) or the current (of a held voltage) at which it was
    measured to end (`events`), in at most five times its measured length. What is neither constant current nor held
    voltage is replayed row by row; a held voltage too, unless `use_cv` asks for it to be held.

    Raises: `DataError` for missing columns, times that run backward, values that are no numbers.
    """
    time, current, voltage = (table[name] for name in (TIME, CURRENT, VOLTAGE))
    if table.rows < 2:
        raise DataError(f"a protocol is made of at least two rows of data, there are {table.rows}")
    if not np.isfinite([time, current, voltage]).all() or (np.diff(time) < 0).any():
        raise DataError(
            "a protocol is made of times that do not run backward, and of currents and voltages in each row"
        )
    marks = table[STEP] if STEP in table else step_marks(current)
    number = table[CYCLE] if CYCLE in table else np.zeros(table.rows)
    begins = np.flatnonzero(np.concatenate([[True], (np.diff(marks) != 0) | (np.diff(number) != 0)]))
    behind = np.append(begins[1:], table.rows)
    ends = np.append(time[begins[1:]], time[-1])
    cycles: dict[float, list[list[dict[str, Any]]]] = {}
    largest = float(np.abs(current).max())
    for rows, end in zip(zip(begins.tolist(), behind.tolist(), strict=True), ends, strict=True):
        parts = stages(time, current, voltage, rows, float(end), largest, split=how.split_cc_cv)
        steps = [_step(part, table, how, len(parts) > 1) for part in parts]
        if steps:
            cycles.setdefault(float(number[rows[0]]), []).append(steps)
    if not cycles:
        raise DataError("the data have no step that lasts any time")
    return Protocol(
        tuple(tuple(step for row in rows for step in row) for rows in cycles.values()),
        joined=tuple(tuple(len(row) for row in rows) for rows in cycles.values()),
    )


def _step(part: Stage, table: Columns, how: Replay, split: bool) -> dict[str, Any]:
    """Return a part of a step in PyBaMM's JSON form."""
    if part.kind == "rest":
        return {"type": "rest", "duration": part.duration}
    if part.kind == "profile" or (part.kind == "voltage" and not (how.use_cv or split)):
        return {"type": "current", "value": list(map(list, _profile(table, part))), "duration": part.duration}
    step = {"type": part.kind, "value": part.value, "duration": part.duration}
    if how.termination == "duration":
        return step
    last = table[VOLTAGE if part.kind == "current" else CURRENT][part.rows[1] - 1]
    end = (
        {"type": "voltage", "value": float(last)}
        if part.kind == "current"
        else {"type": "current", "value": float(np.abs(last))}
    )
    return {**step, "duration": PATIENCE * part.duration, "terminations": [end]}


def _profile(table: Columns, part: Stage) -> Iterator[tuple[float, float]]:
    """Yield times [s] since the beginning and currents [A]; solvers look beyond the end too."""
    first, behind = part.rows
    time, current = table[TIME][first:behind] - table[TIME][first], table[CURRENT][first:behind]
    kept = np.append(np.diff(time) > 0, True)
    yield from zip(time[kept].tolist(), current[kept].tolist(), strict=True)
    yield max(part.duration, float(time[-1])) + BEYOND, float(current[-1])
