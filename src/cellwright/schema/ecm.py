"""What is said of a fit of an equivalent circuit: the measurements, and how they are fitted."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from pydantic import Field, model_validator

from cellwright.errors import ConfigurationError
from cellwright.schema.datasource import DataInput
from cellwright.schema.variant import Schema

MOST_PAIRS, MOST_KNOTS = 5, 64


class ECMMeasurement(Schema):
    """A measurement, and what is known of the cell where it begins.

    `data` are columns, a DataFrame or a reference (`file:…`) as objectives take them, with `Time [s]`, `Current [A]`
    (positive in discharge) and `Voltage [V]`. Steps count from 0, both ends are included.
    """

    data_input: DataInput
    start_step: int | None = None
    end_step: int | None = None
    initial_soc: float | None = Field(default=None, ge=0, le=1)
    """State of charge at the first row [-]; None: found by the open-circuit voltage, or by counting the charge."""
    capacity: float | None = Field(default=None, gt=0)
    """Capacity of the cell in this measurement [A.h]."""

    @classmethod
    def of(cls, given: Any) -> "ECMMeasurement":
        """Return a measurement as it is, or that of its fields, or of data alone."""
        if isinstance(given, ECMMeasurement):
            return given
        own = {"start_step", "end_step", "initial_soc", "capacity"}
        if isinstance(given, Mapping) and own & given.keys():
            return cls(**given)
        return cls(data_input=given)


class OCVCurve(Schema):
    """A known open-circuit voltage [V] over the state of charge [-], linear between its points."""

    soc: list[float] = Field(min_length=2)
    ocv: list[float] = Field(min_length=2)

    @model_validator(mode="after")
    def _rises(self) -> "OCVCurve":
        if len(self.soc) != len(self.ocv):
            raise ConfigurationError(f"the curve has {len(self.soc)} states of charge and {len(self.ocv)} voltages")
        if not all(a < b for a, b in pairwise(self.soc)):
            raise ConfigurationError("the states of charge of the curve do not rise strictly", at=("soc",))
        if self.soc[0] < 0 or self.soc[-1] > 1:
            raise ConfigurationError(
                f"the states of charge of the curve go from {self.soc[0]:g} to {self.soc[-1]:g}",
                at=("soc",),
                hint="they are fractions between 0 and 1; divide percentages by 100",
            )
        if not all(a < b for a, b in pairwise(self.ocv)):
            raise ConfigurationError(
                "the open-circuit voltage of the curve does not rise with the state of charge",
                at=("ocv",),
                hint="0 is the empty cell, 1 the full one",
            )
        return self


class CapacityBounds(Schema):
    """Capacities [A.h] between which that of the cell is looked for."""

    lo: float = Field(gt=0)
    hi: float

    @model_validator(mode="after")
    def _wide(self) -> "CapacityBounds":
        if self.hi <= self.lo:
            raise ConfigurationError(f"the capacity is looked for between {self.lo:g} and {self.hi:g} A.h")
        return self


class ECMFitOptions(Schema):
    """How an equivalent circuit is fitted.

    `num_knots` knots in the state of charge of each pair's resistance and time constant, `num_knots_r0` of the series
    resistance, `num_knots_ocv` of the open-circuit voltage where it is fitted; without a number as many as the visited
    range is worth. `knot_schedule` says with how many knots of the time constants the search goes on, stage by stage.
    `regularization` w holds neighbouring knots of the resistances and time constants together: a factor of e^(5/w)
    between them costs as much as a residual of 1 mV; 0 lets them be. With `clamp_boundary_knots` the first and the last
    knot differ from their neighbour by a factor of `clamp_max_ratio` at most.
    """

    num_rcs: int = Field(default=2, ge=0, le=MOST_PAIRS)
    fit_ocv: bool = True
    capacity: float | None = Field(default=None, gt=0)
    ocv_soc_curve: OCVCurve | None = None
    bounds_capacity: CapacityBounds | None = None
    num_knots: int | None = Field(default=None, ge=1, le=MOST_KNOTS)
    num_knots_r0: int | None = Field(default=None, ge=1, le=MOST_KNOTS)
    num_knots_ocv: int | None = Field(default=None, ge=2, le=2 * MOST_KNOTS)
    knot_schedule: list[int] | None = None
    clamp_boundary_knots: bool = True
    clamp_max_ratio: float = Field(default=10.0, gt=1)
    regularization: float = Field(default=0.0, ge=0)

    @model_validator(mode="after")
    def _together(self) -> "ECMFitOptions":
        schedule = self.knot_schedule
        if schedule is not None:
            if not schedule or schedule[0] < 1 or not all(a < b for a, b in pairwise(schedule)):
                raise ConfigurationError("the schedule of knots rises strictly from 1 on", at=("knot_schedule",))
            if self.num_knots is not None and schedule[-1] != self.num_knots:
                raise ConfigurationError(
                    f"the schedule of knots ends at {schedule[-1]}, and there are {self.num_knots} knots",
                    at=("knot_schedule",),
                    hint="its last number is num_knots",
                )
        if self.bounds_capacity is not None and self.ocv_soc_curve is None:
            raise ConfigurationError(
                "the capacity cannot be fitted without a known open-circuit voltage",
                at=("bounds_capacity",),
                hint="a stretched open-circuit voltage fits as well: give ocv_soc_curve, or the capacity",
            )
        if self.bounds_capacity is not None and self.capacity is not None:
            raise ConfigurationError("the capacity is given, and its bounds too", hint="give one of them")
        return self
