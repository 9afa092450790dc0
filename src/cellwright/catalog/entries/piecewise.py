"""Functions that are piecewise linear in one or two variables, smooth, with knots that a fit may move."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, ClassVar, Literal

from pydantic import field_validator

from cellwright.catalog.breakpoints import knot_name, knot_name_2d, ordered, slope_name, slope_name_2d
from cellwright.errors import ConfigurationError
from cellwright.physics.piecewise import bilinear, grid_from_slopes, knots_from_slopes, linear
from cellwright.schema.expressions import parameter
from cellwright.schema.families import Entry
from cellwright.schema.names import base_of
from cellwright.schema.parameters import ParameterSet, Values
from cellwright.schema.values import Function
from cellwright.schema.variant import Example

CALLED_WITH: Mapping[str, tuple[str, ...]] = {
    "particle diffusivity": ("sto", "T"),
    "exchange-current density": ("c_e", "c_s_surf", "c_s_max", "T"),
    "Electrolyte": ("c_e", "T"),
    "Thermodynamic factor": ("c_e", "T"),
    "Cation transference number": ("c_e", "T"),
    "OCP": ("sto",),
    "lithiation": ("U",),
}
"""By a part of a parameter's name: the arguments with which PyBaMM calls it."""
VARIABLES: Mapping[str, str] = {
    "SOC": "sto",
    "Stoichiometry": "sto",
    "Temperature [K]": "T",
    "Voltage [V]": "U",
    "Electrolyte concentration [mol.m-3]": "c_e",
}
"""By the name of a breakpoint variable: the argument that it is."""


def arguments_of(base: str, variables: Sequence[str]) -> tuple[str, ...]:
    """Return the arguments of a parameter's function: those that PyBaMM calls it with, else the variables themselves.

    Raises: `ConfigurationError` where the function is not called with a variable.
    """
    own = [VARIABLES.get(variable, variable) for variable in variables]
    for part, arguments in CALLED_WITH.items():
        if part in base_of(base) or ("particle" in base and part.startswith("particle") and "diffusivity" in base):
            known = {*arguments, *(("sto",) if "c_s_surf" in arguments else ())}
            for variable, argument in zip(variables, own, strict=True):
                if argument not in known:
                    raise ConfigurationError(
                        f"{base!r} is a function of {', '.join(sorted(known))}, and not of {variable!r}",
                        hint=f"the variables are {', '.join(map(repr, VARIABLES))}",
                    )
            return arguments
    return tuple(dict.fromkeys(own))


def _values(arguments: Sequence[str], given: Sequence[Any], variables: Sequence[str]) -> list[Any]:
    """Return the values of the breakpoint variables among those of the arguments."""
    at = dict(zip(arguments, given, strict=True))
    if "c_s_surf" in at:
        at["sto"] = at["c_s_surf"] / at["c_s_max"]
    return [at[VARIABLES.get(variable, variable)] for variable in variables]


def _function(base: str, variables: Sequence[str], formula: Any) -> Function:
    """Return a function with the arguments that PyBaMM uses, of a formula of the breakpoint variables."""
    arguments = arguments_of(base, variables)
    body = formula(*_values(arguments, [parameter(argument) for argument in arguments], variables))
    return Function(arguments, body, base)


class _Piecewise(Entry):
    base_parameter_name: str
    formulation: Literal["knots", "slopes"] = "knots"


class PiecewiseInterpolation1D(_Piecewise):
    """A parameter that is piecewise linear in one variable.

    y(x) = y_0 + Σ_i s_i [(x - x_i) H(x - x_i) - (x - x_{i+1}) H(x - x_{i+1})], s_i = (y_{i+1} - y_i) / (x_{i+1} - x_i),
    with the smooth step H(z) = (1 + tanh(z/k)) / 2 of width k (`smoothing`, in the unit of x), so that y has
    derivatives everywhere. At a breakpoint y is the knot, up to e^(-2 Δx/k); beyond the first and the last it stays
    constant. The knots ("… at SOC 0.3 [unit]") are parameters of their own, which entries give and fits move; with
    the formulation "slopes" the first knot and the slopes ("… slope from SOC 0 to 0.3 [unit]") are.

    The function has the arguments with which PyBaMM calls the base parameter; "SOC" and "Stoichiometry" mean the
    stoichiometry, "Temperature [K]" T, "Voltage [V]" the potential.

    Source: de Boor, A Practical Guide to Splines (2001), ch. III.
    """

    name: Literal["PiecewiseInterpolation1D"] = "PiecewiseInterpolation1D"
    positional = (
        "base_parameter_name", "breakpoint_values", "breakpoint_parameter_name", "smoothing", "formulation",
        "source",
    )  # fmt: skip

    breakpoint_values: list[float]
    breakpoint_parameter_name: str
    smoothing: float = 1e-4

    example: ClassVar = Example(
        fields={
            "base_parameter_name": "Negative particle diffusivity [m2.s-1]",
            "breakpoint_values": [0.0, 0.5, 1.0],
            "breakpoint_parameter_name": "SOC",
        },
        given={
            "Negative particle diffusivity at SOC 0 [m2.s-1]": 1e-14,
            "Negative particle diffusivity at SOC 0.5 [m2.s-1]": 3e-14,
            "Negative particle diffusivity at SOC 1 [m2.s-1]": 2e-14,
        },
        gives={
            "Negative particle diffusivity [m2.s-1]": Function.trace(
                lambda sto, T: linear(sto, [0.0, 0.5, 1.0], [1e-14, 3e-14, 2e-14], 1e-4)
            )
        },
    )

    @field_validator("breakpoint_values")
    @classmethod
    def _distinct(cls, values: list[float]) -> list[float]:
        ordered(values)
        return values

    @field_validator("smoothing")
    @classmethod
    def _wide(cls, width: float) -> float:
        return _smooth(width)

    def compute(self, p: ParameterSet) -> Values:
        """Return the base parameter, in its unit, as a function of its arguments.

        Raises: `ConfigurationError` where it is not a function of the breakpoint variable.
        """
        base, variable, x = self.base_parameter_name, self.breakpoint_parameter_name, ordered(self.breakpoint_values)
        knots = [parameter(knot_name(base, variable, value)) for value in x]
        if self.formulation == "slopes":
            slopes = [parameter(slope_name(base, variable, start, end)) for start, end in pairwise(x)]
            knots = knots_from_slopes(x, knots[0], slopes)
        return {base: _function(base, [variable], lambda at: linear(at, x, knots, self.smoothing))}


class PiecewiseInterpolation2D(_Piecewise):
    """A parameter that is piecewise bilinear in two variables.

    y(x, z) = Σ_ij y_ij N_i(x) M_j(z), with N and M the smooth hats of the breakpoints of both variables, which add up
    to 1: N_i = t_{i-1} - t_i, t_i(x) = [(x - x_i) H(x - x_i) - (x - x_{i+1}) H(x - x_{i+1})] / (x_{i+1} - x_i), H as in
    `PiecewiseInterpolation1D`, with a width for each variable (`smoothing1`, `smoothing2`; for temperatures in K 0.1 is
    about right). Beyond the grid it stays constant. The knots ("… at SOC 0 and Temperature [K] 298.15 [unit]") are
    parameters of their own; with the formulation "slopes" the first knot, the slopes along the first variable where
    the second is at its first breakpoint, and those along the second at each breakpoint of the first are.

    Source: de Boor, A Practical Guide to Splines (2001), ch. XVII.
    """

    name: Literal["PiecewiseInterpolation2D"] = "PiecewiseInterpolation2D"
    positional = (
        "base_parameter_name", "breakpoint1_values", "breakpoint1_parameter_name", "breakpoint2_values",
        "breakpoint2_parameter_name", "smoothing1", "smoothing2", "formulation", "source",
    )  # fmt: skip

    breakpoint1_values: list[float]
    breakpoint1_parameter_name: str
    breakpoint2_values: list[float]
    breakpoint2_parameter_name: str
    smoothing1: float = 1e-4
    smoothing2: float = 1e-4

    example: ClassVar = Example(
        fields={
            "base_parameter_name": "Negative particle diffusivity [m2.s-1]",
            "breakpoint1_values": [0.0, 1.0],
            "breakpoint1_parameter_name": "SOC",
            "breakpoint2_values": [280.0, 320.0],
            "breakpoint2_parameter_name": "Temperature [K]",
            "smoothing2": 0.1,
        },
        given={
            "Negative particle diffusivity at SOC 0 and Temperature [K] 280 [m2.s-1]": 1e-14,
            "Negative particle diffusivity at SOC 0 and Temperature [K] 320 [m2.s-1]": 2e-14,
            "Negative particle diffusivity at SOC 1 and Temperature [K] 280 [m2.s-1]": 3e-14,
            "Negative particle diffusivity at SOC 1 and Temperature [K] 320 [m2.s-1]": 5e-14,
        },
        gives={
            "Negative particle diffusivity [m2.s-1]": Function.trace(
                lambda sto, T: bilinear(sto, T, [0.0, 1.0], [280.0, 320.0], [[1e-14, 2e-14], [3e-14, 5e-14]], 1e-4, 0.1)
            )
        },
    )

    @field_validator("breakpoint1_values", "breakpoint2_values")
    @classmethod
    def _distinct(cls, values: list[float]) -> list[float]:
        ordered(values)
        return values

    @field_validator("smoothing1", "smoothing2")
    @classmethod
    def _wide(cls, width: float) -> float:
        return _smooth(width)

    def compute(self, p: ParameterSet) -> Values:
        """Return the base parameter, in its unit, as a function of its arguments.

        Raises: `ConfigurationError` where it is not a function of both breakpoint variables.
        """
        base, one, two = self.base_parameter_name, self.breakpoint1_parameter_name, self.breakpoint2_parameter_name
        x, z = ordered(self.breakpoint1_values), ordered(self.breakpoint2_values)
        knots = [[parameter(knot_name_2d(base, one, a, two, b)) for b in z] for a in x]
        if self.formulation == "slopes":
            along_x = [parameter(slope_name_2d(base, one, start, end, two, z[0])) for start, end in pairwise(x)]
            along_z = [[parameter(slope_name_2d(base, two, c, d, one, a)) for c, d in pairwise(z)] for a in x]
            knots = grid_from_slopes(x, z, knots[0][0], along_x, along_z)

        def surface(at1: Any, at2: Any) -> Any:
            return bilinear(at1, at2, x, z, knots, self.smoothing1, self.smoothing2)

        return {base: _function(base, [one, two], surface)}


def _smooth(width: float) -> float:
    if not width > 0:
        raise ConfigurationError(f"the width of a smooth step is above 0, not {width:g}", hint="1e-4 is the default")
    return width
