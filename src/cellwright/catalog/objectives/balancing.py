"""Where the electrodes of a cell work: their known potentials laid on the measured curve of the cell, or of a half
cell."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from cellwright.catalog.calculations.windows import BRANCHES
from cellwright.catalog.measured_curve import CAPACITY, VOLTAGE, MeasuredCurve, checked_direction, measured_curve
from cellwright.catalog.objectives.electrodes import Side, quantities_of, side_of
from cellwright.errors import ConfigurationError, DataError, did_you_mean
from cellwright.physics.differential import Slopes, differential_capacity
from cellwright.schema.families import Array, FittingObjective
from cellwright.schema.names import Direction
from cellwright.schema.parameters import Origin, ParameterSet
from cellwright.schema.prepared import PreparedCurve
from cellwright.schema.prepared import Slopes as Derivatives
from cellwright.schema.simulation import Simulate, Solved
from cellwright.schema.variant import Example, Schema

HalfCell = Literal["negative", "positive"]
DIFFERENTIAL_VOLTAGE = "Differential voltage [V/Ah]"
DIFFERENTIAL_CAPACITY = "Differential capacity [Ah/V]"
BESIDE = ("Voltage [V] (dQdU)", "Capacity [A.h] (dQdU)")
"""What goes with the differential capacity: where it is, for costs of positions and weights."""
MODEL_AXIS = (f"{DIFFERENTIAL_CAPACITY} (model axis)", "Voltage [V] (model axis)")
WIDTH = 0.03
"""Width of the windows of slopes, as a fraction of the capacity.

Tables of half cells have noise, and their slopes jump from line to line. In narrower windows this makes many minima;
the peaks of graphite and NMC are wider.
"""
FLAT = 1e-3
"""Share of the mean slope of a curve below which its voltage counts as flat: there is no differential capacity."""
LEAST = 3
"""The points that a comparison has at least."""
BY_ELECTRODE = (
    "electrode", "data_input", "options", "callbacks", "custom_parameters", "constraints", "penalties", "parameters",
)  # fmt: skip


class ElectrodeBalancingOptions(Schema):
    """What is compared of the voltage of a cell at rest, and on which points.

    `direction` says that the data are of a charge or of a discharge: potentials with hysteresis are those of this
    branch, and data of the other direction are refused. `GITT` takes the last row of each rest, where the data have
    rests. Points whose |dV/dQ| [V/Ah] is above `dUdQ cutoff` are left out; those whose |dQ/dV| [Ah/V] is above `dQdU
    cutoff` are no part of what is compared of the differential capacity.

    `objective variables` are `Voltage [V]`, `Differential voltage [V/Ah]` (both without this option) and `Differential
    capacity [Ah/V]`, that of the model at the measured voltages, with `Voltage [V] (dQdU)` and `Capacity [A.h] (dQdU)`
    beside it. `dQdU model axis` adds `Differential capacity [Ah/V] (model axis)` and `Voltage [V] (model axis)`, those
    of the model at its own voltages: for the Wasserstein cost with positions and weights, and not point by point.
    """

    only_set = True

    dudq_cutoff: float | None = Field(default=None, alias="dUdQ cutoff")
    dqdu_cutoff: float | None = Field(default=None, alias="dQdU cutoff")
    direction: Literal["charge", "discharge"] | None = None
    gitt: bool = Field(default=False, alias="GITT")
    dqdu_model_axis: bool = Field(default=False, alias="dQdU model axis")
    objective_variables: list[str] | None = Field(default=None, alias="objective variables")


class ElectrodeBalancing(FittingObjective):
    """The open-circuit voltage of a cell from the known potentials of its electrodes, compared with the measured one.

    V = U_p(θ_p) - U_n(θ_n) with θ_p = (L_p + d) / Q_p and θ_n = (L_n + S - d) / Q_n, where d [A.h] is what has been
    discharged since the point of highest voltage, S the span of the data and Q_k = L_k + S + U_k the capacity of an
    electrode with the excess L_k below and U_k above what the data use [A.h]: L_n is in the negative electrode where
    the cell is empty, L_p in the positive one where it is full. Beside V its slope dV/dQ [V.A-1.h-1] is compared, of
    model and data by the same lines through neighbouring points.

    Two of `… electrode capacity [A.h]`, `… lower excess capacity [A.h]` and `… upper excess capacity [A.h]` of each
    electrode are fitted or given. MSMRFullCellCapacities makes the third, StoichiometryLimitsFromCapacity the windows.
    The column `Capacity [A.h]` counts what is discharged, or for charge data what is charged; without it the integral
    of the current is taken. Without a cost the slope counts far more than the voltage: give both the error that is
    expected of them, by ChiSquare with 5 mV and 5 mV over a hundredth of the capacity, for example.

    Source: Dahn, Smith, Burns, Stevens & Dahn, J. Electrochem. Soc. 159 (2012) A1405, doi:10.1149/2.013209jes.
    """

    example: ClassVar = Example(
        fields={
            "data": {"Capacity [A.h]": [0.0, 2.5, 5.0], "Voltage [V]": [4.2, 3.7, 2.8]},
            "options": {"direction": "discharge"},
        }
    )

    type: Literal["ElectrodeBalancing"] = "ElectrodeBalancing"
    options: ElectrodeBalancingOptions | None = None

    def prepare(self, p: ParameterSet, free: tuple[str, ...], simulate: Simulate) -> "Balance":
        """Put the potentials on the measured curve.

        Raises: `DataError` for data that are no curve, of the other direction, or of voltages that the potentials
        cannot make; `ConfigurationError` for variables that are not there; `MissingParameterError`.
        """
        options = self.options or ElectrodeBalancingOptions()
        own = self.parameters or {}
        p, free = p.merge(own, Origin("objective")), tuple(name for name in free if name not in own)
        curve = measured_curve(self.data_input.table, at_rest=options.gitt)
        checked_direction(curve, options.direction)
        variables = _variables(options)
        compared = Compared.of(curve, variables, options.dudq_cutoff, options.dqdu_cutoff)
        branches = BRANCHES[options.direction] if options.direction else {}
        discharged = curve.discharged[compared.rows]
        negative = side_of(p, free, "negative", branches.get("negative"), curve.span - discharged, curve.span)
        positive = side_of(p, free, "positive", branches.get("positive"), discharged, curve.span)
        _reached(curve, negative, positive)
        return _prepared(p, compared, (positive, negative))


class ElectrodeBalancingHalfCellOptions(Schema):
    """What is compared of the potential of an electrode at rest, and on which points.

    As of a cell (`ElectrodeBalancing`), without the differential capacity. `direction` says whether lithium enters the
    electrode or leaves it along the data.
    """

    only_set = True

    direction: Direction | None = None
    gitt: bool = Field(default=False, alias="GITT")
    dudq_cutoff: float | None = Field(default=None, alias="dUdQ cutoff")
    objective_variables: list[str] | None = Field(default=None, alias="objective variables")


class ElectrodeBalancingHalfCell(FittingObjective):
    """Data of a half cell laid on a known open-circuit potential, by moving and stretching them in stoichiometry.

    r = U((L + x) / Q) - V_i and the difference of the slopes dV/dQ [V.A-1.h-1], with x [A.h] the lithium that has
    entered since the point of highest potential, Q = L + S + U the capacity of the electrode, L its excess below and U
    above the span S of the data [A.h]. Two of them are fitted or given, by the names `… electrode lower excess capacity
    [A.h]`, `… electrode capacity [A.h]` and `… electrode upper excess capacity [A.h]`. The capacity may count lithium
    that enters or that leaves.

    Source: Dahn, Smith, Burns, Stevens & Dahn, J. Electrochem. Soc. 159 (2012) A1405, doi:10.1149/2.013209jes.
    """

    positional = BY_ELECTRODE
    example: ClassVar = Example(
        fields={
            "electrode": "positive",
            "data": {"Capacity [A.h]": [0.0, 0.002, 0.004], "Voltage [V]": [4.3, 3.9, 3.5]},
            "options": {"GITT": True},
        }
    )

    type: Literal["ElectrodeBalancingHalfCell"] = "ElectrodeBalancingHalfCell"
    electrode: HalfCell
    options: ElectrodeBalancingHalfCellOptions | None = None

    def prepare(self, p: ParameterSet, free: tuple[str, ...], simulate: Simulate) -> "Balance":
        """Put the potential on the measured curve.

        Raises: `DataError` for data that are no curve, of the other direction, or of potentials that the electrode does
        not have; `ConfigurationError` for variables that are not there; `MissingParameterError`.
        """
        options = self.options or ElectrodeBalancingHalfCellOptions()
        own = self.parameters or {}
        p, free = p.merge(own, Origin("objective")), tuple(name for name in free if name not in own)
        curve = measured_curve(self.data_input.table, at_rest=options.gitt)
        checked_direction(curve, options.direction)
        variables = _chosen(options.objective_variables, (VOLTAGE, DIFFERENTIAL_VOLTAGE))
        compared = Compared.of(curve, variables, options.dudq_cutoff, None)
        entered = curve.discharged[compared.rows]
        side = side_of(p, free, self.electrode, options.direction, entered, curve.span)
        _reached(curve, None, side)
        return _prepared(p, compared, (side,))


@dataclass(frozen=True)
class Compared:
    """What is compared of a curve: `variables`, on the `rows` (n,) of the measured one that count.

    `falls` tells whether the voltage falls with the capacity, `shown` which points (n,) have a differential capacity.
    """

    variables: tuple[str, ...]
    rows: NDArray[np.intp]
    capacity: Array
    voltage: Array
    falls: bool
    shown: NDArray[np.bool_]
    remarks: tuple[str, ...]
    lines: Slopes

    @classmethod
    def of(
        cls, curve: MeasuredCurve, variables: Sequence[str], steepest: float | None, most: float | None
    ) -> "Compared":
        """Return what is compared of a measured curve, on the points that the cut-offs leave.

        Raises: `DataError` where they leave too few.
        """
        rows = np.arange(len(curve.capacity))
        if steepest is not None:
            slope = np.abs(Slopes(curve.capacity, WIDTH)(curve.voltage))
            rows = np.flatnonzero(slope <= steepest)
            if len(rows) < LEAST:
                raise DataError(
                    f"{len(rows)} points are left below the 'dUdQ cutoff' of {steepest:g} V/Ah",
                    hint=f"the median |dV/dQ| of the data is {np.median(slope):.3g} V/Ah",
                )
        capacity, voltage = curve.capacity[rows], curve.voltage[rows]
        lines = Slopes(capacity, WIDTH)
        slope = lines(voltage)
        towards = -slope if curve.falls else slope
        shown = towards > FLAT * np.ptp(voltage) / curve.span
        if most is not None:
            shown &= towards * most >= 1
        if any(name not in (VOLTAGE, DIFFERENTIAL_VOLTAGE) for name in variables) and shown.sum() < LEAST:
            raise DataError(
                f"{shown.sum()} points have a differential capacity, below the 'dQdU cutoff' if there is one",
                hint=f"the median |dQ/dV| of the data is {1 / np.median(np.abs(slope)):.3g} Ah/V",
            )
        return cls(tuple(variables), rows, capacity, voltage, curve.falls, shown, curve.remarks, lines)

    @property
    def observed(self) -> dict[str, Array]:
        """The data, NaN where a point does not count."""
        found = self.of_model(self.voltage)
        partly = {DIFFERENTIAL_CAPACITY, *BESIDE, *MODEL_AXIS}
        return {name: np.where(self.shown, one, np.nan) if name in partly else one for name, one in found.items()}

    def of_model(self, voltage: Array) -> dict[str, Array]:
        """Return what is compared of a voltage (n,) along the curve."""
        found = {VOLTAGE: voltage}
        if set(self.variables) == {VOLTAGE}:
            return found
        slope = self.lines(voltage)
        found[DIFFERENTIAL_VOLTAGE] = slope
        if not set(self.variables) <= found.keys():
            found |= self._differential_capacity(voltage, slope)
        return {name: found[name] for name in self.variables}

    def _differential_capacity(self, voltage: Array, slope: Array) -> dict[str, Array]:
        """Return dQ/dV at the measured voltages and at the model's own, and where they are."""
        sign, least = (-1.0 if self.falls else 1.0), FLAT * np.ptp(self.voltage) / np.ptp(self.capacity)
        rate = differential_capacity(sign * np.maximum(sign * slope, least))
        order = np.argsort(voltage, kind="stable")
        at_data, beside = (np.interp(self.voltage, voltage[order], one[order]) for one in (rate, self.capacity))
        (its_voltage, its_capacity), (own_rate, own_voltage) = BESIDE, MODEL_AXIS
        return {
            DIFFERENTIAL_CAPACITY: at_data,
            its_voltage: self.voltage,
            its_capacity: beside,
            own_rate: rate,
            own_voltage: voltage,
        }


@dataclass(frozen=True)
class Balance(PreparedCurve):
    """The voltage between the electrodes, the first one less the second where there is one, beside the measured one."""

    sides: tuple[Side, ...]
    compared: Compared
    smoothed: ClassVar[frozenset[str]] = frozenset({DIFFERENTIAL_VOLTAGE, DIFFERENTIAL_CAPACITY, MODEL_AXIS[0]})

    def curves(self, values: Mapping[str, float]) -> dict[str, Array]:
        """Return what is compared, by variable."""
        first, *others = (side.potentials(values) for side in self.sides)
        return self.compared.of_model(first - others[0] if others else np.array(first))

    def predict(self, inputs: Mapping[str, float]) -> Solved:
        """Return what is compared; where a potential has no value, the status says at which stoichiometries."""
        solved = super().predict(inputs)
        if solved.status != "failed":
            return solved
        thetas = {side.electrode: side.stoichiometry(self.values(inputs)) for side in self.sides}
        places = " and ".join(f"{name} from {x.min():.4g} to {x.max():.4g}" for name, x in thetas.items())
        return Solved("failed", message=f"a potential has no value: the stoichiometries are {places}")

    def derivatives(self, values: Mapping[str, float]) -> Derivatives | None:
        """Return the derivatives of the voltage and its slope; None where the differential capacity is compared."""
        if not set(self.compared.variables) <= {VOLTAGE, DIFFERENTIAL_VOLTAGE}:
            return None
        found: dict[str, Array] = {}
        for sign, side in zip((1.0, -1.0), self.sides, strict=False):
            for name, slope in side.slopes(values).items():
                found[name] = found.get(name, 0.0) + sign * slope
        by_variable = {VOLTAGE: found, DIFFERENTIAL_VOLTAGE: {}}
        if DIFFERENTIAL_VOLTAGE in self.compared.variables:
            by_variable[DIFFERENTIAL_VOLTAGE] = {name: self.compared.lines(slope) for name, slope in found.items()}
        return {name: by_variable[name] for name in self.compared.variables}

    def doubts(self, inputs: Mapping[str, float], start: bool = False) -> Iterator[str]:
        """Yield what is to be taken with care of the data, and of the electrodes at these values."""
        yield from self.compared.remarks
        values = self.values(inputs)
        for side in self.sides:
            yield from side.doubts(values, start)


def _prepared(p: ParameterSet, compared: Compared, sides: tuple[Side, ...]) -> Balance:
    names = frozenset().union(*(side.names for side in sides))
    return Balance(
        x_name=CAPACITY,
        x=compared.capacity,
        observed=compared.observed,
        quantities=quantities_of(p, names),
        reads=p.behind({*names, *(side.potential.name for side in sides)}),
        sides=sides,
        compared=compared,
    )


def _variables(options: ElectrodeBalancingOptions) -> tuple[str, ...]:
    known = (VOLTAGE, DIFFERENTIAL_VOLTAGE, DIFFERENTIAL_CAPACITY, *BESIDE, *MODEL_AXIS)
    chosen = _chosen(options.objective_variables, known)
    more = BESIDE if DIFFERENTIAL_CAPACITY in chosen else ()
    return tuple(dict.fromkeys([*chosen, *more, *(MODEL_AXIS if options.dqdu_model_axis else ())]))


def _chosen(given: list[str] | None, known: tuple[str, ...]) -> tuple[str, ...]:
    """Return the variables that are compared. Raises: `ConfigurationError` for one that is not known, or none."""
    if given is None:
        return VOLTAGE, DIFFERENTIAL_VOLTAGE
    strangers = [name for name in given if name not in known]
    if strangers or not given:
        said = f"there is no objective variable {strangers[0]!r}" if strangers else "there is nothing to compare"
        hint = did_you_mean(strangers[0], known) if strangers else None
        raise ConfigurationError(
            said, at=("options", "objective variables"), hint=hint or f"there are {', '.join(map(repr, known))}"
        )
    return tuple(dict.fromkeys(given))


def _reached(curve: MeasuredCurve, negative: Side | None, positive: Side) -> None:
    """Make sure that the potentials can make the measured voltages, at least half of them. Raises: `DataError`."""
    lithium, other = (0.0, 0.0) if negative is None else negative.potential.reach(), positive.potential.reach()
    if lithium is None or other is None:
        return
    low, high = other[0] - lithium[1], other[1] - lithium[0]
    inside = (curve.voltage >= low) & (curve.voltage <= high)
    if np.mean(inside) < 0.5:
        what = "the potential lies" if negative is None else "the potentials of the electrodes make voltages"
        raise DataError(
            f"the voltage of the data runs from {curve.voltage.min():.4g} to {curve.voltage.max():.4g} V, and {what} "
            f"between {low:.4g} and {high:.4g} V",
            hint="look whether the electrodes have changed places, and at the unit of the voltage",
        )
