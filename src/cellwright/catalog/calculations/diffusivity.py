"""Diffusivity of lithium in particles: from tables, from the potential's slope."""

from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from cellwright.catalog.calculations.msmr import Limits, window
from cellwright.catalog.calculations.open_circuit import (
    STOICHIOMETRY,
    distinct,
    potential_points,
    stoichiometries,
)
from cellwright.catalog.domain import tell_of_extrapolation
from cellwright.errors import ConfigurationError, DataError, MissingParameterError
from cellwright.physics.arrhenius import arrhenius_factor
from cellwright.physics.diffusivity import thermodynamic_diffusivity
from cellwright.physics.half_cell import stoichiometry_at_potential
from cellwright.physics.msmr import REFERENCE_TEMPERATURE
from cellwright.physics.windows import EDGE
from cellwright.schema.datasource import Data
from cellwright.schema.expressions import interpolant, parameter
from cellwright.schema.families import Calculation
from cellwright.schema.names import Electrode, ElectrodeNames, base_of, names_of
from cellwright.schema.parameters import ParameterSet, Values
from cellwright.schema.tables import Column
from cellwright.schema.values import Function
from cellwright.schema.variant import Example, Schema

REFERENCE = "Reference temperature [K]"
Way = Literal["", "delithiation", "lithiation"]
Layer = Literal["", "primary", "secondary"]
POINTS = 500
"""Half of the points at which the slope of a potential is tabulated."""
OUTSIDE = 1e-6
"""Stoichiometry by which points may lie outside 0 to 1."""


class DiffusivityDataInterpolantOptions(Schema):
    """How the points are joined, in the diffusivity or its logarithm, and whether a factor stays free."""

    only_set = True

    interpolator: Literal["linear", "cubic", "pchip"] = "linear"
    transformation: Literal["none", "log"] = "none"
    scale_factor: bool = Field(default=False, alias="scale factor")


class DiffusivityDataInterpolant(Calculation):
    """Diffusivity of an electrode's particles as the interpolation of points.

    D(θ) through the points (θ_i, D_i) [m2.s-1], joined in D or, with the transformation "log", in ln D, which keeps it
    above 0. With `scale factor` D is multiplied by the parameter "… particle diffusivity scale factor", which a fit may
    find. Beyond the data the end piece goes on.

    Source: Fritsch & Carlson, SIAM J. Numer. Anal. 17 (1980) 238, doi:10.1137/0717021 (pchip).
    """

    table_columns: ClassVar[tuple[str, str | None] | None] = (STOICHIOMETRY, "Diffusivity [m2.s-1]")

    type: Literal["DiffusivityDataInterpolant"] = "DiffusivityDataInterpolant"
    electrode: Electrode
    data: Data
    direction: Way = ""
    phase: Layer = ""
    options: DiffusivityDataInterpolantOptions | None = None

    example: ClassVar = Example(
        fields={
            "electrode": "negative",
            "data": {"Stoichiometry": [0.0, 0.5, 1.0], "Diffusivity [m2.s-1]": [1e-14, 4e-14, 2e-14]},
        },
        gives={"Negative particle diffusivity [m2.s-1]": Function.table("sto", [0.0, 0.5, 1.0], [1e-14, 4e-14, 2e-14])},
    )

    def compute(self, p: ParameterSet) -> Values:
        """Return the diffusivity [m2.s-1] as a function of stoichiometry.

        Raises: `DataError` for missing columns, fewer than two points, stoichiometries outside 0 to 1, and
        diffusivities that are not above 0.
        """
        options = self.options or DiffusivityDataInterpolantOptions()
        name = names_of(self.electrode, self.phase, self.direction)
        table = self.data.table
        x, D = distinct(table[STOICHIOMETRY], table["Diffusivity [m2.s-1]"], 0.0)
        stoichiometries(x, OUTSIDE)
        if not (D > 0).all():
            raise DataError(f"the column 'Diffusivity [m2.s-1]' holds {D.min():g}, and a diffusivity is above 0")
        scale = parameter(f"{base_of(name.diffusivity)} scale factor") if options.scale_factor else 1.0
        logarithm = options.transformation == "log"

        def diffusivity(sto: Any) -> Any:
            value = interpolant(x, np.log(D) if logarithm else D, sto, options.interpolator)
            return (np.exp(value) if logarithm else value) * scale

        ends = (np.asarray(interpolant(x, D, np.array([0.0, 1.0]), options.interpolator)) <= 0).any()
        if ends and not logarithm:
            p.remark(
                f"{name.diffusivity!r} is a table from {x[0]:.4g} to {x[-1]:.4g} whose end pieces reach 0 before the "
                f"stoichiometry reaches 0 or 1; the transformation 'log' keeps it above 0"
            )
        return {name.diffusivity: Function.trace(diffusivity, label=name.diffusivity)}


class MSMRDiffusivityOptions(Schema):
    """How the points are joined, how near to 0 and 1 they go, and the least slope of the potential [V]."""

    only_set = True

    interpolator: Literal["linear", "cubic", "pchip"] = "linear"
    x_tolerance: float = Field(default=1e-6, alias="x tolerance")
    minimum_dudx: float = Field(default=1e-6, alias="minimum dUdx")


class _FromSlope(Calculation):
    """A diffusivity that goes with the slope of the open-circuit potential."""

    electrode: Electrode
    direction: Way = ""
    phase: Layer = ""
    options: MSMRDiffusivityOptions | None = None

    @property
    def _set(self) -> MSMRDiffusivityOptions:
        return self.options or MSMRDiffusivityOptions()

    @property
    def _names(self) -> ElectrodeNames:
        return names_of(self.electrode, self.phase, self.direction)

    def _shape(self, x: Column, U: Column) -> tuple[Column, Column]:
        """Return stoichiometries and -x (1 - x) dU/dx [V] at them, with the least slope in mind, and at 0 and 1."""
        inside = (x > self._set.x_tolerance) & (x < 1 - self._set.x_tolerance)
        if inside.sum() < 2:
            raise DataError(
                f"a slope needs at least two points between 0 and 1, there are {int(inside.sum())}",
                hint="look at the data and at 'x tolerance'",
            )
        steep = np.maximum(np.abs(np.gradient(U, x)), self._set.minimum_dudx)
        x, shape = x[inside], (x * (1 - x) * steep)[inside]
        return np.concatenate([[0.0], x, [1.0]]), np.concatenate([shape[:1], shape, shape[-1:]])

    def _of_data(self, p: ParameterSet, data: Data) -> tuple[Column, Column]:
        return self._shape(*potential_points(p, data.table, self._set.x_tolerance))

    def _of_function(self, p: ParameterSet, limits: Limits) -> tuple[Column, Column]:
        low, high = window(limits)
        own, plain = self._names.open_circuit_potential, names_of(self.electrode, self.phase).open_circuit_potential
        used = own if own in p else plain
        U = p.function(used)
        if U.names:
            missing = ", ".join(map(repr, sorted(U.names)))
            raise MissingParameterError(f"{used!r} is needed in numbers, and it still depends on {missing}")
        empty, full = _between(U, low, high, max(self._set.x_tolerance, EDGE))
        tell_of_extrapolation(p, used, empty, full)
        x = _grid(empty, full)
        return self._shape(x, np.asarray(U(x)))

    def _isothermal(self, p: ParameterSet, points: tuple[Column, Column]) -> Values:
        name, (x, shape) = self._names, points
        reference = parameter(name.reference_diffusivity)

        def diffusivity(sto: Any, T: Any) -> Any:
            return thermodynamic_diffusivity(reference, interpolant(x, shape, sto, self._set.interpolator), T)

        return {name.diffusivity: Function.trace(diffusivity, label=name.diffusivity)}

    def _arrhenius(self, p: ParameterSet, points: tuple[Column, Column]) -> Values:
        name, (x, shape) = self._names, points
        reference, energy = map(parameter, (name.reference_diffusivity, name.diffusivity_activation_energy))
        T_ref = parameter(REFERENCE) if REFERENCE in p else REFERENCE_TEMPERATURE

        def diffusivity(sto: Any, T: Any) -> Any:
            slope = interpolant(x, shape, sto, self._set.interpolator)
            return thermodynamic_diffusivity(reference, slope, T_ref) * arrhenius_factor(energy, T_ref, T)

        return {name.diffusivity: Function.trace(diffusivity, label=name.diffusivity)}


_LINE = {"Stoichiometry": [0.0, 0.5, 1.0], "Voltage [V]": [1.0, 0.5, 0.0]}
_FALLING = {"Negative electrode OCP [V]": Function.trace(lambda sto: 1 - sto)}
_FREE = {"Negative particle reference diffusivity [m2.s-1]": 1e-14}
_ENERGY = {"Negative particle diffusivity activation energy [J.mol-1]": 3e4}


def _line(x: Any, energy: float | None = None) -> Function:
    """Return the diffusivity of the examples, whose potential falls with slope 1 V."""
    s = x * (1 - x)

    def diffusivity(sto: Any, T: Any) -> Any:
        shape = interpolant(np.concatenate([[0.0], x, [1.0]]), np.concatenate([s[:1], s, s[-1:]]), sto)
        if energy is None:
            return thermodynamic_diffusivity(1e-14, shape, T)
        T_ref = REFERENCE_TEMPERATURE
        return thermodynamic_diffusivity(1e-14, shape, T_ref) * arrhenius_factor(energy, T_ref, T)

    return Function.trace(diffusivity)


def _between(U: Function, low: float, high: float, edge: float) -> tuple[float, float]:
    """Return the stoichiometries between two potentials [V], at most from `edge` to 1 - `edge`.

    Raises: `ConfigurationError` where the potential does not come between them.
    """
    most, least = float(U(edge)), float(U(1 - edge))
    if not (low < most and least < high):
        raise ConfigurationError(
            f"the potential goes from {most:.4g} V to {least:.4g} V and is nowhere between {low:g} and {high:g} V",
            hint="look at the voltage limits and the electrode",
        )
    empty = edge if high >= most else stoichiometry_at_potential(U, high)
    return empty, 1 - edge if low <= least else stoichiometry_at_potential(U, low)


def _grid(empty: float, full: float) -> Column:
    """Return stoichiometries between two, as even in x as in ln(x/(1 - x)), for potentials are steep near 0 and 1."""
    first, last = np.log(empty / (1 - empty)), np.log(full / (1 - full))
    towards_ends = 1 / (1 + np.exp(-np.linspace(first, last, POINTS)[1:-1]))
    x = np.unique(np.concatenate([np.linspace(empty, full, POINTS), towards_ends]))
    even = (x - empty) / (full - empty) + (np.log(x / (1 - x)) - first) / (last - first)
    return np.asarray(np.interp(np.linspace(even[0], even[-1], 2 * POINTS), even, x), dtype=np.float64)


_WHOLE = _grid(0.1, 0.9)


class DiffusivityFromMSMRData(_FromSlope):
    """Diffusivity of an electrode's particles from the slope of measured open-circuit potentials.

    D(x, T) = -F/(R T) D_ref x (1 - x) dU/dx, with the slope by differences of the points (x_i, U_i), at least
    `minimum dUdx` [V], and without the points within `x tolerance` of 0 and 1. Beyond the points D stays as it is, as
    that of the last sites to fill or empty does. D_ref [m2.s-1], the "reference diffusivity", stays free for a fit
    where it is not given.

    Source: Baker & Verbrugge, J. Electrochem. Soc. 159 (2012) A1341, doi:10.1149/2.002208jes.
    """

    type: Literal["DiffusivityFromMSMRData"] = "DiffusivityFromMSMRData"
    data: Data
    positional = ("electrode", "data", "direction", "phase", "options")

    example: ClassVar = Example(
        fields={
            "electrode": "negative",
            "data": {"Stoichiometry": [0.0, 0.25, 0.5, 0.75, 1.0], "Voltage [V]": [1.0, 0.75, 0.5, 0.25, 0.0]},
        },
        given=_FREE,
        gives={"Negative particle diffusivity [m2.s-1]": _line(np.array([0.25, 0.5, 0.75]))},
    )

    def compute(self, p: ParameterSet) -> Values:
        """Return the diffusivity [m2.s-1] as a function of stoichiometry and temperature [K].

        Raises: `DataError` for missing columns, fewer than two points inside 0 to 1, stoichiometries outside, and a
        potential that rises as a whole.
        """
        return self._isothermal(p, self._of_data(p, self.data))


class DiffusivityFromMSMRFunction(_FromSlope):
    """Diffusivity of an electrode's particles from the slope of its open-circuit potential.

    D(x, T) = -F/(R T) D_ref x (1 - x) dU/dx, with the slope by differences of U(x) at 1000 stoichiometries between
    those of `voltage_limits` [V], as even in x as in ln(x/(1 - x)), at least `minimum dUdx` [V]. Beyond the limits D
    stays as it is. D_ref [m2.s-1], the "reference diffusivity", stays free for a fit where it is not given.

    Source: Baker & Verbrugge, J. Electrochem. Soc. 159 (2012) A1341, doi:10.1149/2.002208jes.
    """

    type: Literal["DiffusivityFromMSMRFunction"] = "DiffusivityFromMSMRFunction"
    voltage_limits: Limits
    positional = ("electrode", "voltage_limits", "direction", "phase", "options")

    example: ClassVar = Example(
        fields={"electrode": "negative", "voltage_limits": (0.1, 0.9)},
        given={**_FALLING, **_FREE},
        gives={"Negative particle diffusivity [m2.s-1]": _line(_WHOLE)},
    )

    def compute(self, p: ParameterSet) -> Values:
        """Return the diffusivity [m2.s-1] as a function of stoichiometry and temperature [K].

        Raises: `MissingParameterError` without a potential in numbers, `ConfigurationError` for limits between which
        it does not come.
        """
        return self._isothermal(p, self._of_function(p, self.voltage_limits))


class ArrheniusDiffusivityFromMSMRData(_FromSlope):
    """Diffusivity of an electrode's particles from the slope of measured potentials, with an activation energy.

    D(x, T) = -F/(R T_ref) D_ref x (1 - x) dU/dx exp(E/R (1/T_ref - 1/T)), with the slope as in
    `DiffusivityFromMSMRData`, the activation energy E [J.mol-1] and the reference temperature T_ref [K] (298.15
    where it is not given). D_ref [m2.s-1] and E stay free for a fit where they are not given.

    Source: Baker & Verbrugge, J. Electrochem. Soc. 159 (2012) A1341, doi:10.1149/2.002208jes.
    """

    type: Literal["ArrheniusDiffusivityFromMSMRData"] = "ArrheniusDiffusivityFromMSMRData"
    data: Data
    positional = ("electrode", "data", "direction", "phase", "options")

    example: ClassVar = Example(
        fields={
            "electrode": "negative",
            "data": {"Stoichiometry": [0.0, 0.25, 0.5, 0.75, 1.0], "Voltage [V]": [1.0, 0.75, 0.5, 0.25, 0.0]},
        },
        given={**_FREE, **_ENERGY},
        gives={"Negative particle diffusivity [m2.s-1]": _line(np.array([0.25, 0.5, 0.75]), 3e4)},
    )

    def compute(self, p: ParameterSet) -> Values:
        """Return the diffusivity [m2.s-1] as a function of stoichiometry and temperature [K].

        Raises: `DataError` for missing columns, fewer than two points inside 0 to 1, stoichiometries outside, and a
        potential that rises as a whole.
        """
        return self._arrhenius(p, self._of_data(p, self.data))


class ArrheniusDiffusivityFromMSMRFunction(_FromSlope):
    """Diffusivity of an electrode's particles from the slope of its potential, with an activation energy.

    D(x, T) = -F/(R T_ref) D_ref x (1 - x) dU/dx exp(E/R (1/T_ref - 1/T)), with the slope as in
    `DiffusivityFromMSMRFunction`, the activation energy E [J.mol-1] and the reference temperature T_ref [K] (298.15
    where it is not given). D_ref [m2.s-1] and E stay free for a fit where they are not given.

    Source: Baker & Verbrugge, J. Electrochem. Soc. 159 (2012) A1341, doi:10.1149/2.002208jes.
    """

    type: Literal["ArrheniusDiffusivityFromMSMRFunction"] = "ArrheniusDiffusivityFromMSMRFunction"
    voltage_limits: Limits
    positional = ("electrode", "voltage_limits", "direction", "phase", "options")

    example: ClassVar = Example(
        fields={"electrode": "negative", "voltage_limits": (0.1, 0.9)},
        given={**_FALLING, **_FREE, **_ENERGY},
        gives={"Negative particle diffusivity [m2.s-1]": _line(_WHOLE, 3e4)},
    )

    def compute(self, p: ParameterSet) -> Values:
        """Return the diffusivity [m2.s-1] as a function of stoichiometry and temperature [K].

        Raises: `MissingParameterError` without a potential in numbers, `ConfigurationError` for limits between which
        it does not come.
        """
        return self._arrhenius(p, self._of_function(p, self.voltage_limits))
