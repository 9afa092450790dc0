"""The open-circuit potential of an electrode as a formula whose coefficients are fitted."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from cellwright.catalog.domain import checked_fraction
from cellwright.catalog.measured_curve import CAPACITY, VOLTAGE, MeasuredCurve, checked_direction, measured_curve
from cellwright.catalog.objectives.balancing import BY_ELECTRODE, HalfCell
from cellwright.catalog.objectives.electrodes import Potential, potential_of, quantities_of, require_free, told_of_room
from cellwright.errors import ConfigurationError, DataError, MissingParameterError, did_you_mean
from cellwright.physics.differential import Slopes
from cellwright.schema.families import Array, FittingObjective
from cellwright.schema.names import Direction, names_of
from cellwright.schema.parameters import Origin, ParameterSet
from cellwright.schema.prepared import PreparedCurve
from cellwright.schema.prepared import Slopes as Derivatives
from cellwright.schema.simulation import Simulate
from cellwright.schema.values import free_names
from cellwright.schema.variant import Example, Schema

Limits = tuple[float, float]
LEAST = 3
"""The points that a comparison has at least."""
REFERENCES = {"negative": 0.0, "positive": 1.0}
"""The reference stoichiometry of an electrode where none is given."""


class OCPHalfCellOptions(Schema):
    """Which part of the data is compared, and what the lithiation at their end is.

    `theta_ref` is the stoichiometry of a positive electrode at the lowest potential of the data (1 without it), and of
    a negative one at the highest (0 without it). Points outside `stoichiometry limits` and `voltage limits` [V], and
    those whose |dU/dQ| [V/Ah] is above `dUdQ cutoff`, are left out. Where the capacity of the electrode is fitted, the
    stoichiometries of these limits are those with the span of the data as the capacity. `direction` chooses the branch
    of a potential with hysteresis. `dQdU cutoff` has no effect.
    """

    only_set = True

    theta_ref: float | None = None
    stoichiometry_limits: Limits | None = Field(default=None, alias="stoichiometry limits")
    voltage_limits: Limits | None = Field(default=None, alias="voltage limits")
    dudq_cutoff: float | None = Field(default=None, alias="dUdQ cutoff")
    dqdu_cutoff: float | None = Field(default=None, alias="dQdU cutoff")
    direction: Direction | None = None


class OCPHalfCell(FittingObjective):
    """The open-circuit potential of an electrode as a function with free coefficients, compared with a half cell's.

    r = U(θ_i) - V_i at θ = θ_ref - (S - x) / Q of a positive and θ = θ_ref + x / Q of a negative electrode, with x
    [A.h] the lithium that has entered since the point of highest potential, S the span of the data and Q the `…
    electrode capacity [A.h]`, which is fitted or given. U is the parameter `… electrode OCP [V]`, or of a direction
    `… electrode lithiation OCP [V]`: a function or a formula of the stoichiometry in which the names of free
    coefficients stand. The capacity may count lithium that enters or that leaves.

    Source: Plett, Battery Management Systems, vol. 1 (2015), ch. 3.
    """

    positional = BY_ELECTRODE
    example: ClassVar = Example(
        fields={
            "electrode": "positive",
            "data": {"Capacity [A.h]": [0.0, 0.002, 0.004], "Voltage [V]": [4.3, 3.9, 3.5]},
            "options": {"stoichiometry limits": [0.02, 0.98]},
        }
    )

    type: Literal["OCPHalfCell"] = "OCPHalfCell"
    electrode: HalfCell
    options: OCPHalfCellOptions | None = None

    def prepare(self, p: ParameterSet, free: tuple[str, ...], simulate: Simulate) -> "PotentialCurve":
        """Put the data into the formula.

        Raises: `DataError` for data that are no curve, of the other direction or outside all limits;
        `ConfigurationError` for limits and a `theta_ref` that are none; `MissingParameterError` for a potential or a
        capacity that nobody gives.
        """
        options = self.options or OCPHalfCellOptions()
        own = self.parameters or {}
        p, free = p.merge(own, Origin("objective")), tuple(name for name in free if name not in own)
        curve = measured_curve(self.data_input.table)
        checked_direction(curve, options.direction)
        potential = potential_of(p, free, self.electrode, options.direction)
        capacity = names_of(self.electrode).capacity
        if capacity not in p and capacity not in free:
            raise MissingParameterError(
                f"the stoichiometries follow from {capacity!r}, which is neither fitted nor given",
                hint=did_you_mean(capacity, [*free, *p]) or "free it, or give it in an entry",
                detail={"missing": [capacity]},
            )
        require_free(p, free_names(p[capacity]) if capacity in p else (), free, capacity)
        reference = REFERENCES[self.electrode] if options.theta_ref is None else options.theta_ref
        checked_fraction("theta_ref", reference)
        entered = curve.discharged if self.electrode == "negative" else curve.discharged - curve.span
        rows = _rows(curve, reference, entered, p.values_.get(capacity), options)
        names = {capacity, *potential.coefficients}
        return PotentialCurve(
            x_name=CAPACITY,
            x=curve.capacity[rows],
            observed={VOLTAGE: curve.voltage[rows]},
            quantities=quantities_of(p, names),
            reads=p.behind({*names, potential.name}),
            potential=potential,
            capacity=capacity,
            reference=reference,
            entered=entered[rows],
            remarks=curve.remarks,
        )


@dataclass(frozen=True)
class PotentialCurve(PreparedCurve):
    """U(θ) at θ = θ_ref + x / Q, with x (n,) [A.h] the lithium that has entered since the reference."""

    potential: Potential
    capacity: str
    reference: float
    entered: Array
    remarks: tuple[str, ...]

    def curves(self, values: Mapping[str, float]) -> dict[str, Array]:
        """Return the potential [V]."""
        return {VOLTAGE: np.array(self.potential(self._stoichiometry(values), values))}

    def derivatives(self, values: Mapping[str, float]) -> Derivatives:
        """Return its derivatives by the capacity and by the coefficients."""
        theta = self._stoichiometry(values)
        by_theta, found = self.potential.slopes(theta, values)
        by_capacity = by_theta * (self.reference - theta) / values[self.capacity]
        return {VOLTAGE: {**found, self.capacity: found.get(self.capacity, 0.0) + by_capacity}}

    def doubts(self, inputs: Mapping[str, float], start: bool = False) -> Iterator[str]:
        """Yield what is to be taken with care of the data, and of the stoichiometries at these values."""
        yield from self.remarks
        capacity, span = self.values(inputs)[self.capacity], float(np.ptp(self.entered))
        if span > capacity:
            yield told_of_room(span, self.capacity, capacity)
        elif not start:
            yield from self.potential.doubts(self._stoichiometry(self.values(inputs)))

    def _stoichiometry(self, values: Mapping[str, float]) -> Array:
        return np.asarray(self.reference + self.entered / values[self.capacity])


def _rows(
    curve: MeasuredCurve, reference: float, entered: Array, capacity: object, options: OCPHalfCellOptions
) -> NDArray[np.intp]:
    """Return the rows that the limits leave.

    Raises: `DataError` where they are too few, `ConfigurationError` for limits that are upside down.
    """
    kept = np.ones(len(entered), dtype=bool)
    for given in (options.stoichiometry_limits, options.voltage_limits):
        if given is not None and not given[0] < given[1]:
            raise ConfigurationError(f"limits are a lower and an upper one, not {list(given)}", at=("options",))
    if options.stoichiometry_limits is not None:
        theta = reference + entered / (float(capacity) if isinstance(capacity, int | float) else curve.span)
        kept &= (theta >= options.stoichiometry_limits[0]) & (theta <= options.stoichiometry_limits[1])
    if options.voltage_limits is not None:
        kept &= (curve.voltage >= options.voltage_limits[0]) & (curve.voltage <= options.voltage_limits[1])
    if options.dudq_cutoff is not None:
        kept &= np.abs(Slopes(curve.capacity)(curve.voltage)) <= options.dudq_cutoff
    if kept.sum() < LEAST:
        raise DataError(
            f"{kept.sum()} of {len(kept)} points lie within the limits of the comparison",
            at=("options",),
            hint=f"the data run from {curve.voltage.min():.4g} to {curve.voltage.max():.4g} V",
        )
    return np.flatnonzero(kept)
