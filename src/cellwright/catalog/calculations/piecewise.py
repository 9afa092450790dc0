"""From slopes to knots of functions that are piecewise linear."""

from itertools import chain, pairwise
from typing import Any, ClassVar, Literal

from pydantic import field_validator

from cellwright.catalog.breakpoints import knot_name, knot_name_2d, ordered, slope_name, slope_name_2d
from cellwright.physics.piecewise import grid_from_slopes, knots_from_slopes
from cellwright.schema.families import Calculation
from cellwright.schema.parameters import ParameterSet, Values
from cellwright.schema.variant import Example


class SlopesToKnots(Calculation):
    """Values at the breakpoints of a piecewise linear function, from the first of them and the slopes.

    y_{i+1} = y_i + s_i (x_{i+1} - x_i), with x the breakpoints in increasing order, y the values in the unit of the
    base parameter and s the slopes per unit of x. Bounds on the slopes keep a fitted function monotone, which bounds on
    the values cannot.

    Source: de Boor, A Practical Guide to Splines (2001), ch. III.
    """

    type: Literal["SlopesToKnots"] = "SlopesToKnots"
    base_parameter_name: str
    breakpoint_values: list[int | float]
    breakpoint_parameter_name: str

    example: ClassVar = Example(
        fields={
            "base_parameter_name": "Particle diffusion time [s]",
            "breakpoint_values": [0.0, 0.5, 1.0],
            "breakpoint_parameter_name": "SOC",
        },
        given={
            "Particle diffusion time at SOC 0 [s]": 500.0,
            "Particle diffusion time slope from SOC 0 to 0.5 [s]": 1000.0,
            "Particle diffusion time slope from SOC 0.5 to 1 [s]": 2000.0,
        },
        gives={
            "Particle diffusion time at SOC 0 [s]": 500.0,
            "Particle diffusion time at SOC 0.5 [s]": 1000.0,
            "Particle diffusion time at SOC 1 [s]": 2000.0,
        },
    )

    @field_validator("breakpoint_values")
    @classmethod
    def _distinct(cls, values: list[int | float]) -> list[int | float]:
        ordered(values)
        return values

    def compute(self, p: ParameterSet) -> Values:
        """Return the value at every breakpoint, in the unit of the base parameter; the first where it is given."""
        base, variable, x = self.base_parameter_name, self.breakpoint_parameter_name, ordered(self.breakpoint_values)
        names = [knot_name(base, variable, value) for value in x]
        slopes = [p[slope_name(base, variable, start, end)] for start, end in pairwise(x)]
        knots = dict(zip(names, knots_from_slopes(x, p[names[0]], slopes), strict=True))
        return knots if names[0] in p else without(knots, names[0])


class SlopesToKnots2D(Calculation):
    """Values on the grid of a piecewise bilinear function, from the first of them and the slopes.

    y_{i+1,0} = y_{i,0} + s_i (x_{i+1} - x_i) along the first variable where the second is at its first breakpoint, then
    y_{i,j+1} = y_{i,j} + r_{i,j} (z_{j+1} - z_j) along the second for each breakpoint of the first. Breakpoints x and z
    in increasing order, y in the unit of the base parameter, slopes per unit of x and of z.

    Source: de Boor, A Practical Guide to Splines (2001), ch. XVII.
    """

    type: Literal["SlopesToKnots2D"] = "SlopesToKnots2D"
    base_parameter_name: str
    breakpoint1_values: list[int | float]
    breakpoint1_parameter_name: str
    breakpoint2_values: list[int | float]
    breakpoint2_parameter_name: str

    example: ClassVar = Example(
        fields={
            "base_parameter_name": "Diffusivity [m2.s-1]",
            "breakpoint1_values": [0, 1],
            "breakpoint1_parameter_name": "SOC",
            "breakpoint2_values": [273.15, 323.15],
            "breakpoint2_parameter_name": "Temperature [K]",
        },
        given={
            "Diffusivity at SOC 0 and Temperature [K] 273.15 [m2.s-1]": 1.0,
            "Diffusivity SOC-slope from SOC 0 to 1 at Temperature [K] 273.15 [m2.s-1]": 2.0,
            "Diffusivity Temperature [K]-slope from Temperature [K] 273.15 to 323.15 at SOC 0 [m2.s-1]": 0.1,
            "Diffusivity Temperature [K]-slope from Temperature [K] 273.15 to 323.15 at SOC 1 [m2.s-1]": 0.2,
        },
        gives={
            "Diffusivity at SOC 0 and Temperature [K] 273.15 [m2.s-1]": 1.0,
            "Diffusivity at SOC 0 and Temperature [K] 323.15 [m2.s-1]": 6.0,
            "Diffusivity at SOC 1 and Temperature [K] 273.15 [m2.s-1]": 3.0,
            "Diffusivity at SOC 1 and Temperature [K] 323.15 [m2.s-1]": 13.0,
        },
    )

    @field_validator("breakpoint1_values", "breakpoint2_values")
    @classmethod
    def _distinct(cls, values: list[int | float]) -> list[int | float]:
        ordered(values)
        return values

    def compute(self, p: ParameterSet) -> Values:
        """Return the value at every point of the grid, in the unit of the base parameter; the first where given."""
        base, one, two = self.base_parameter_name, self.breakpoint1_parameter_name, self.breakpoint2_parameter_name
        x, z = ordered(self.breakpoint1_values), ordered(self.breakpoint2_values)
        names = [[knot_name_2d(base, one, a, two, b) for b in z] for a in x]
        along_x = [p[slope_name_2d(base, one, start, end, two, z[0])] for start, end in pairwise(x)]
        along_z = [[p[slope_name_2d(base, two, start, end, one, a)] for start, end in pairwise(z)] for a in x]
        grid = grid_from_slopes(x, z, p[names[0][0]], along_x, along_z)
        knots = dict(zip(chain(*names), chain(*grid), strict=True))
        return knots if names[0][0] in p else without(knots, names[0][0])


def without(values: dict[str, Any], itself: str) -> Values:
    """Return the values without one that nobody has given, and that would be defined by itself."""
    return {name: value for name, value in values.items() if name != itself}
