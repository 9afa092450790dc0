"""Diffusivity of lithium in particles from a pulse of a titration."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from cellwright.catalog.calculations.diffusivity import Layer, Way
from cellwright.catalog.calculations.open_circuit import VOLTAGE
from cellwright.catalog.domain import positive
from cellwright.errors import DataError
from cellwright.physics.diffusivity import diffusivity_from_pulse, pulse_bend, pulse_bias
from cellwright.physics.pulses import RestEnd, rest_end, slopes_of_halves
from cellwright.physics.stages import REST, step_marks
from cellwright.schema.datasource import Data
from cellwright.schema.expressions import Expression
from cellwright.schema.families import Calculation
from cellwright.schema.names import Electrode, names_of
from cellwright.schema.parameters import ParameterSet, Values
from cellwright.schema.tables import STEPS, Column, Columns
from cellwright.schema.variant import Example, Schema

STEP = "Step number"
"""The column that the option of that name means, where it is there."""
BIAS = 0.05
"""Share by which a diffusivity may come out too small before it is told."""
NOISY = 0.1
"""Relative standard error of a diffusivity from which on the noise is told."""
UNRELAXED = 0.05
"""Share of the change of the rest voltage that it may still drift in one more such rest before it is told."""
TOLD = 6
"""Steps that an error names."""
BENT = 0.2
"""Share by which the slope over the square root of time may change within a pulse, beyond that of a sphere."""


class DiffusivityFromPulseOptions(Schema):
    """Which step is the pulse, and which stretch of it [s after its start] is taken."""

    only_set = True

    step_number: int | None = Field(default=None, alias="step number")
    dt_ir: float | None = Field(default=None, alias="dt_IR")
    dt_pulse: float | None = None


class DiffusivityFromPulse(Calculation):
    """Diffusivity of an electrode's particles from one pulse between two rests.

    D = 4/(9 π) (R/τ)² (ΔU_eq (√t_2 - √t_1) / ΔU_pulse)², with R the particle radius [m], τ the duration of the pulse
    [s], ΔU_eq the difference of the potentials [V] at the end of the rests after and before it, and ΔU_pulse that
    between the times t_1 (`dt_IR`, default: the first point of the step) and t_2 (`dt_pulse`, default: its end) of the
    pulse. Without the two times it is 4/(9 π) R²/τ (ΔU_eq/ΔU_pulse)². The stretch is short against R²/D: D comes out
    too small, for a whole pulse by the share √(π D τ/R²), which is told where it exceeds 5 %. Four points decide, so
    noise counts in full; it is told where it makes D uncertain by more than 10 %, as on a plateau, as are rests at
    whose end the voltage still moves and a voltage that is not straight over √t. The pulse is the step `step number`,
    else the first that is no rest, by the columns `Step number`, `Step count` or `Step from cycler`, and without these
    by the current, counted from 0. It begins with the last point of the rest before it, or a sampling interval before
    its own first point where that is later.

    Source: Weppner & Huggins, J. Electrochem. Soc. 124 (1977) 1569, doi:10.1149/1.2133112; for spheres Wang et al.,
    Prog. Energy 4 (2022) 032004, doi:10.1088/2516-1083/ac692c.
    """

    type: Literal["DiffusivityFromPulse"] = "DiffusivityFromPulse"
    electrode: Electrode
    data: Data
    direction: Way = ""
    phase: Layer = ""
    options: DiffusivityFromPulseOptions | None = None

    # ΔU_eq = 0.01 V, ΔU_pulse = 0.02 V over √400 - √0: D = 4/(9 π) (5e-6 / 400)² (0.01 · 20 / 0.02)²
    example: ClassVar = Example(
        fields={
            "electrode": "positive",
            "data": {
                "Time [s]": [0.0, 100.0, 100.0, 500.0, 500.001, 5000.0],
                "Current [A]": [0.0, 0.0, 1.0, 1.0, 0.0, 0.0],
                "Voltage [V]": [4.0, 4.0, 3.995, 3.975, 3.98, 3.99],
                "Step number": [0, 0, 1, 1, 2, 2],
            },
        },
        given={"Positive particle radius [m]": 5e-6},
        gives={"Positive particle diffusivity [m2.s-1]": 4 / (9 * np.pi) * (5e-6 / 400) ** 2 * 100},
    )

    def compute(self, p: ParameterSet) -> Values:
        """Return the diffusivity [m2.s-1].

        Raises: `DataError` for missing columns, rows that are in no order or no numbers, data without a pulse or
        without rests before and after it, a pulse of one point, times outside the pulse, and voltages that do not move,
        or not the same way, in and by the pulse.
        """
        name = names_of(self.electrode, self.phase, self.direction)
        radius = positive(p, names_of(self.electrode, self.phase).particle_radius)
        pulse = _pulse(self.data.table, self.options or DiffusivityFromPulseOptions())
        D = diffusivity_from_pulse(radius, pulse.duration, pulse.start, pulse.end, pulse.relaxed, pulse.moved)
        for remark in _doubts(pulse, name.diffusivity, None if isinstance(D, Expression) else (D, radius)):
            p.remark(remark)
        return {name.diffusivity: D}


@dataclass(frozen=True)
class _Points:
    """What the formula takes of a pulse, and what tells how well it does."""

    duration: float
    """Of the whole pulse [s]."""
    start: float
    end: float
    """Of the stretch that is taken [s after the pulse began]."""
    moved: float
    """How far the voltage moved in that stretch [V]."""
    relaxed: float
    """How far the voltage at rest moved by the pulse [V]."""
    rest: float
    """How long the rest after it lasts [s]."""
    after: RestEnd
    bend: float
    """By which factor the slope over √t changes from the first half of the stretch to the second; NaN: too few rows."""


def _doubts(pulse: _Points, name: str, found: tuple[float, float] | None) -> Iterator[str]:
    """Yield what makes the diffusivity doubtful; `found` has it [m2.s-1] and the radius [m], if it is a number."""
    noise = pulse.after.noise * (2 / pulse.relaxed**2 + 2 / pulse.moved**2) ** 0.5 * 2
    if noise > NOISY:
        yield (
            f"a noise of {1e3 * pulse.after.noise:.2g} mV in the four points makes {name!r} uncertain by ±{noise:.0%} "
            f"(one standard error): the voltage at rest has moved by {1e3 * pulse.relaxed:.3g} mV alone"
        )
    if pulse.after.drifts:
        share = abs(pulse.after.slope * pulse.rest / pulse.relaxed)
        if share > UNRELAXED:
            yield (
                f"the voltage still moves by {3.6e6 * pulse.after.slope:.3g} mV/h at the end of the rest, in one more "
                f"such rest by {share:.0%} of what the pulse has moved it by; {name!r} goes with the square of that"
            )
    if found is None:
        return
    D, radius = found
    share = pulse_bias(D, radius, pulse.start, pulse.end)
    if share > BIAS:
        told = "comes out much too small" if share == 1 else f"comes out too small by about {100 * share:.0f} %"
        yield (
            f"the pulse is taken up to {pulse.end:.4g} s, {D * pulse.end / radius**2:.2g} of R²/D, and "
            f"{name!r} {told}: take a shorter 'dt_pulse', a shorter pulse, or fit a model to it"
        )
    if share == 1:
        return
    bent = pulse.bend / pulse_bend(D, radius, pulse.start, pulse.end) - 1
    if abs(bent) > BENT:
        yield (
            f"the voltage is not straight over the square root of time: in the second half of the stretch it is "
            f"{abs(bent):.0%} {'steeper' if bent > 0 else 'flatter'} than a sphere's; the open-circuit potential bends "
            f"within the pulse, or 'dt_IR' is too early"
        )


def _steps(table: Columns) -> Column:
    """Return the step of each row: that of the cycler, or else counted from 0 by what kind of current it is."""
    named = next((table[name] for name in (STEP, *STEPS) if name in table), None)
    if named is not None:
        return named
    marks = step_marks(table["Current [A]"])
    return np.cumsum(np.diff(marks, prepend=marks[:1]) != 0).astype(float)


def _refuse_rows(time: Column, voltage: Column) -> None:
    """Raise `DataError` for rows that are in no order, and voltages that are no numbers."""
    backward = np.flatnonzero(np.diff(time) < 0)
    if backward.size:
        raise DataError(f"time runs backward at row {backward[0] + 1}", hint="sort the rows (transforms: {sort: true})")
    gaps = np.flatnonzero(~(np.isfinite(time) & np.isfinite(voltage)))
    if gaps.size:
        raise DataError(
            f"time or voltage hold values that are no numbers (NaN or infinite), the first in row {gaps[0]}",
            hint="remove these rows",
        )


def _pulse(table: Columns, options: DiffusivityFromPulseOptions) -> _Points:
    """Return the points of a pulse between two rests."""
    time, current, voltage = table["Time [s]"], table["Current [A]"], table[VOLTAGE]
    _refuse_rows(time, voltage)
    step = _steps(table)
    edges = np.flatnonzero(np.diff(step)) + 1
    parts = [part for part in np.split(np.arange(len(step)), edges) if len(part)]
    most = float(np.abs(current).max(initial=0.0))
    rests = [bool((np.abs(current[part]) <= REST * most).all()) for part in parts]
    if options.step_number is None:
        place = next((index for index, rest in enumerate(rests) if not rest), None)
    else:
        place = next((index for index, part in enumerate(parts) if step[part[0]] == options.step_number), None)
    if place is None:
        steps = ", ".join(f"{step[part[0]]:g}" for part in parts[:TOLD]) + (", …" if len(parts) > TOLD else "")
        wanted = "no step with a current" if options.step_number is None else f"no step {options.step_number}: {steps}"
        raise DataError(f"the data have {wanted}", hint="look at the columns 'Step number' and 'Current [A]'")
    if rests[place]:
        raise DataError(
            f"the step {step[parts[place][0]]:g} is a rest, not a pulse", hint="choose another 'step number'"
        )
    if len(parts[place]) < 2:
        raise DataError("the pulse has one point, and its rise needs two", hint="sample the pulse more often")
    for side, other in (("before", place - 1), ("after", place + 1)):
        if not (0 <= other < len(rests) and rests[other]):
            raise DataError(f"there is no rest {side} the pulse", hint="keep the rests around it in the data")
    pulse, before, after = parts[place], parts[place - 1], parts[place + 1]
    start = max(float(time[before[-1]]), float(2 * time[pulse[0]] - time[pulse[1]]))
    elapsed = time[pulse] - start
    from_ = float(elapsed[0]) if options.dt_ir is None else options.dt_ir
    to = float(elapsed[-1]) if options.dt_pulse is None else options.dt_pulse
    if not 0 <= from_ < to <= float(elapsed[-1]) * (1 + 1e-9):
        raise DataError(
            f"the stretch from {from_:g} to {to:g} s is not inside the pulse of {float(elapsed[-1]):g} s",
            hint="look at 'dt_IR' and 'dt_pulse'",
        )
    ends = np.interp([from_, to], elapsed, voltage[pulse])
    moved = float(ends[1] - ends[0])
    relaxed = float(voltage[after[-1]] - voltage[before[-1]])
    if not moved * relaxed > 0:
        raise DataError(
            f"the voltage moves by {moved:.3g} V in the pulse and by {relaxed:.3g} V between the rests, and both must "
            f"go the same way",
            hint="look at the resolution of the voltage, at the length of the rests and at 'dt_IR'",
        )
    inside = (elapsed >= from_) & (elapsed <= to)
    return _Points(
        duration=float(elapsed[-1]),
        start=from_,
        end=to,
        moved=moved,
        relaxed=relaxed,
        rest=float(time[after[-1]] - time[after[0]]),
        after=rest_end(time[after], voltage[after]),
        bend=slopes_of_halves(np.sqrt(elapsed[inside]), voltage[pulse][inside]),
    )
