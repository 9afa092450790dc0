"""Open-circuit potentials by multi-species, multi-reaction (MSMR) sets."""

from typing import Any, ClassVar, Literal

import numpy as np

from cellwright.catalog.calculations.open_circuit import OCPDataInterpolantOptions, distinct
from cellwright.catalog.domain import checked_positive
from cellwright.catalog.sites import Quantity, is_indexed, listed, numbered_sites, numbered_temperature, site_name
from cellwright.errors import ConfigurationError, DataError
from cellwright.physics.msmr import REFERENCE_TEMPERATURE, Sites, lithiation, potential
from cellwright.schema.datasource import Data
from cellwright.schema.families import Calculation
from cellwright.schema.interpolation import Interpolator
from cellwright.schema.names import Direction, Electrode, Phase, names_of
from cellwright.schema.parameters import ParameterSet, Values
from cellwright.schema.tables import Column
from cellwright.schema.values import Function
from cellwright.schema.variant import Example, Schema

Limits = tuple[int | float, int | float] | list[int | float]
POINTS = 1001
"""Points of a table, spread evenly over the potential, and as many over the stoichiometry."""
EDGE = 1e-6
"""How near to empty and full sites the table of a whole MSMR function goes."""
BLEND = 0.01
"""Width of the transition from data to MSMR, as a fraction of the stoichiometries that the data span."""

EXAMPLE_SITES = {
    "Negative electrode host site standard potential [V]": [0.1],
    "Negative electrode host site occupancy fraction": [1.0],
    "Negative electrode host site ideality factor": [1.0],
}
ONE_SITE = Sites([0.1], [1.0], [1.0])


def window(limits: Limits) -> tuple[float, float]:
    """Return voltage limits [V] in their order. Raises: `ConfigurationError` where they are not two that rise."""
    if len(limits) != 2 or not limits[0] < limits[1]:
        raise ConfigurationError(f"voltage limits are a lower and an upper one, not {list(limits)}")
    return float(limits[0]), float(limits[1])


def curve(sites: Sites, T: float, low: float, high: float) -> tuple[Column, Column]:
    """Return stoichiometries in increasing order and their potentials [V] between two potentials.

    Half of the points are even in the potential, half in the stoichiometry, so that plateaus and steps are followed.
    """
    U = np.linspace(low, high, POINTS)
    x = lithiation(U, sites, T)
    between = np.linspace(x[-1], x[0], POINTS)[1:-1]
    # Beyond the last digits nothing can be told apart.
    inside = between[(between > 1e-14) & (between < float(sum(sites.X)) - 1e-14)]
    x, U = np.concatenate([x, inside]), np.concatenate([U, potential(inside, sites, T)])
    order = np.argsort(x, kind="stable")
    return x[order], U[order]


def reach(sites: Sites, T: float) -> tuple[float, float]:
    """Return the potentials [V] at which all but `EDGE` of the sites are full, and at which they are empty."""
    total = float(sum(sites.X))
    low, high = potential(np.array([total * (1 - EDGE), total * EDGE]), sites, T)
    return float(low), float(high)


def thinned(x: Column, y: Column, tolerance: float) -> tuple[Column, Column]:
    """Return the points of increasing x without those closer than a tolerance to the one kept before."""
    kept = [0]
    for index in range(1, len(x)):
        if x[index] - x[kept[-1]] > tolerance:
            kept.append(index)
    return x[kept], y[kept]


def curve_function(
    sites: Sites, T: float, low: float, high: float, kind: Interpolator, tolerance: float, label: str
) -> Function:
    """Return U(x) between two potentials [V] as a table."""
    x, U = thinned(*curve(sites, T, low, high), tolerance)
    if len(x) < 2:
        raise ConfigurationError(f"between {low:g} and {high:g} V the stoichiometry does not change")
    return Function.table("sto", x, U, kind, label=label)


class OCPMSMRInterpolantOptions(Schema):
    """How the points are joined, which count as one, and whether x(U) is wanted too."""

    only_set = True

    interpolator: Literal["linear", "cubic", "pchip"] = "linear"
    tolerance: float = 1e-6
    direction: Direction | None = None
    phase: Literal["primary", "secondary"] | None = None
    create_lithiation_function: bool = True


class OCPMSMRInterpolant(Calculation):
    """Open-circuit potential of an electrode as a table of its MSMR set between two potentials.

    U(x) is the inverse of x(U) = Σ_j X_j / (1 + exp(f (U - U0_j) / ω_j)), f = F/(R T), tabulated at some 2000 points
    between `voltage_limits` [V], even in U and in x; T is the ambient temperature [K] (298.15 where it is not given).
    Beyond the limits the end pieces go on. With `create_lithiation_function` also x(U) itself, in closed form.

    Source: Verbrugge, Baker, Koch, Xiao & Gu, J. Electrochem. Soc. 164 (2017) E3243, doi:10.1149/2.0341708jes.
    """

    type: Literal["OCPMSMRInterpolant"] = "OCPMSMRInterpolant"
    electrode: Electrode
    voltage_limits: Limits
    options: OCPMSMRInterpolantOptions | None = None

    example: ClassVar = Example(
        fields={"electrode": "negative", "voltage_limits": (0.01, 0.3)},
        given=EXAMPLE_SITES,
        gives={
            "Negative electrode OCP [V]": curve_function(
                ONE_SITE, REFERENCE_TEMPERATURE, 0.01, 0.3, "linear", 1e-6, "OCP"
            ),
            "Negative electrode lithiation": Function.trace(lambda U: lithiation(U, ONE_SITE)),
        },
    )

    def compute(self, p: ParameterSet) -> Values:
        """Return U(x) [V] and x(U) [-].

        Raises: `MissingParameterError` where a number of the set is missing, `ConfigurationError` for limits upside
        down or between which the stoichiometry does not change.
        """
        options = self.options or OCPMSMRInterpolantOptions()
        name = names_of(self.electrode, options.phase, options.direction)
        sites, T = numbered_sites(p, name), numbered_temperature(p)
        low, high = window(self.voltage_limits)
        own = name.open_circuit_potential
        result: dict[str, Any] = {
            own: curve_function(sites, T, low, high, options.interpolator, options.tolerance, own)
        }
        if options.create_lithiation_function:
            result[name.lithiation] = Function.trace(lambda U: lithiation(U, sites, T), label=name.lithiation)
        return result


class MSMRFunction(Calculation):
    """Open-circuit potential of an electrode by its MSMR set, over all stoichiometries.

    U(x) is the inverse of x(U) = Σ_j X_j / (1 + exp(f (U - U0_j) / ω_j)), f = F/(R T), as a monotone cubic table of
    some 2000 points from all but 1e-6 of the sites empty to all but 1e-6 full; between them U(x(U)) = U within 10 µV
    for ideality factors of 0.05 and above. T is the ambient temperature [K] (298.15 where it is not given).

    Source: Verbrugge, Baker, Koch, Xiao & Gu, J. Electrochem. Soc. 164 (2017) E3243, doi:10.1149/2.0341708jes.
    """

    type: Literal["MSMRFunction"] = "MSMRFunction"
    electrode: Electrode
    direction: Literal["", "delithiation", "lithiation"] | None = None
    phase: Phase | None = None

    example: ClassVar = Example(
        fields={"electrode": "negative"},
        given=EXAMPLE_SITES,
        gives={
            "Negative electrode OCP [V]": curve_function(
                ONE_SITE, REFERENCE_TEMPERATURE, *reach(ONE_SITE, REFERENCE_TEMPERATURE), "pchip", 1e-12, "OCP"
            )
        },
    )

    def compute(self, p: ParameterSet) -> Values:
        """Return U(x) [V]. Raises: `MissingParameterError` where a number of the set is missing."""
        name = names_of(self.electrode, self.phase, self.direction)
        sites, T = numbered_sites(p, name), numbered_temperature(p)
        own = name.open_circuit_potential
        return {own: curve_function(sites, T, *reach(sites, T), "pchip", 1e-12, own)}


def falls(x: Column, U: Column, axis: str) -> None:
    """Make sure that a potential falls as lithium enters. Raises: `DataError` where it rises as a whole."""
    slope = float(np.polyfit(x, U, 1)[0])
    if slope > 0:
        raise DataError(
            f"the potential rises with the column {axis!r}, and an open-circuit potential falls as lithium enters",
            hint="count the other way: lithium that enters the electrode is positive",
        )


def blend(x: Column, model: Column, data: Function, ends: tuple[float, float]) -> Column:
    """Return the potentials [V] of the data inside `ends` and of the model, moved to meet them, outside."""
    from scipy.special import erf

    at_ends = np.array([float(data(end)) for end in ends]) - np.interp(ends, x, model)
    width = BLEND * (ends[1] - ends[0])
    weight = (erf((x - ends[0]) / width - 2) - erf((x - ends[1]) / width + 2)) / 2
    inside = np.clip(x, *ends)
    return np.asarray(weight * data(inside) + (1 - weight) * (model + np.interp(x, ends, at_ends)))


def _blended_example() -> Function:
    x, model = thinned(*curve(ONE_SITE, REFERENCE_TEMPERATURE, -0.1, 0.3), 1e-6)
    data = Function.table("sto", [0.25, 0.5, 0.75], [0.15, 0.1, 0.05])
    return Function.table("sto", x, blend(x, model, data, (0.25, 0.75)))


class OCPDataInterpolantMSMRExtrapolation(Calculation):
    """Open-circuit potential of an electrode from measured points, carried on beyond them by its MSMR set.

    x = (q + Q_low) / Q, with the measured capacity q [A.h], which rises while the potential falls, the lower excess
    capacity Q_low and the electrode capacity Q [A.h]. U(x) = w U_data(x) + (1 - w) (U_MSMR(x) + o(x)), where the offset
    o goes in a straight line between the differences at both ends of the data, and stays beyond them, and the weight w
    rises from 0 at an end of the data to 1 inside by error functions, over 4 % of the span of the data.

    Source: Verbrugge, Baker, Koch, Xiao & Gu, J. Electrochem. Soc. 164 (2017) E3243, doi:10.1149/2.0341708jes.
    """

    type: Literal["OCPDataInterpolantMSMRExtrapolation"] = "OCPDataInterpolantMSMRExtrapolation"
    electrode: Electrode
    data: Data
    voltage_limits: Limits
    options: OCPDataInterpolantOptions | None = None

    example: ClassVar = Example(
        fields={
            "electrode": "negative",
            "data": {"Capacity [A.h]": [0.0, 1.0, 2.0], "Voltage [V]": [0.15, 0.1, 0.05]},
            "voltage_limits": (-0.1, 0.3),
        },
        given={
            **EXAMPLE_SITES,
            "Negative electrode capacity [A.h]": 4.0,
            "Negative electrode lower excess capacity [A.h]": 1.0,
        },
        gives={"Negative electrode OCP [V]": _blended_example()},
    )

    def compute(self, p: ParameterSet) -> Values:
        """Return U(x) [V].

        Raises: `DataError` for missing columns, fewer than two points, a potential that rises with the capacity and
        stoichiometries outside 0 to 1; `MissingParameterError` where a number is missing.
        """
        options = self.options or OCPDataInterpolantOptions()
        name = names_of(self.electrode, options.phase, options.direction)
        plain = names_of(self.electrode, options.phase)
        capacity = float(checked_positive(plain.capacity, p.number(plain.capacity)))
        charge, voltage = self.data.table["Capacity [A.h]"], self.data.table["Voltage [V]"]
        x, U = distinct((charge + p.number(plain.lower_excess_capacity)) / capacity, voltage, options.tolerance)
        falls(x, U, "Capacity [A.h]")
        if x[0] < 0 or x[-1] > 1:
            raise DataError(
                f"the capacities of the data make stoichiometries from {x[0]:.4g} to {x[-1]:.4g}, outside 0 to 1",
                hint="look at the electrode capacity and its lower excess capacity",
            )
        sites, T = numbered_sites(p, name), numbered_temperature(p)
        grid, model = thinned(*curve(sites, T, *window(self.voltage_limits)), options.tolerance)
        own = name.open_circuit_potential
        data = Function.table("sto", x, U, options.interpolator)
        blended = blend(grid, model, data, (float(x[0]), float(x[-1])))
        return {own: Function.table("sto", grid, blended, options.interpolator, label=own)}


class AverageMSMRParametersOptions(Schema):
    """Whether sites have fractions or capacities, and the phase of a composite electrode."""

    only_set = True

    species_format: Literal["Xj", "Qj"] = "Xj"
    phase: Literal["primary", "secondary"] | None = None


class AverageMSMRParameters(Calculation):
    """MSMR set without a direction, from those of lithiation and delithiation.

    Arithmetic means of U0_j, of X_j (or the capacities Q_j) and of ω_j; fractions that add up to 1 still do.

    Source: Verbrugge, Baker, Koch, Xiao & Gu, J. Electrochem. Soc. 164 (2017) E3243, doi:10.1149/2.0341708jes.
    """

    type: Literal["AverageMSMRParameters"] = "AverageMSMRParameters"
    electrode: Electrode
    options: AverageMSMRParametersOptions | None = None

    example: ClassVar = Example(
        fields={"electrode": "negative"},
        given={
            "Negative electrode lithiation host site standard potential [V]": [0.1, 0.2],
            "Negative electrode lithiation host site occupancy fraction": [0.4, 0.6],
            "Negative electrode lithiation host site ideality factor": [1.0, 2.0],
            "Negative electrode delithiation host site standard potential [V]": [0.2, 0.4],
            "Negative electrode delithiation host site occupancy fraction": [0.5, 0.5],
            "Negative electrode delithiation host site ideality factor": [2.0, 2.0],
        },
        gives={
            "Negative electrode host site standard potential [V]": [0.15, 0.3],
            "Negative electrode host site occupancy fraction": [0.45, 0.55],
            "Negative electrode host site ideality factor": [1.5, 2.0],
        },
    )

    def compute(self, p: ParameterSet) -> Values:
        """Return the set, as a list or a parameter for each kind of sites, as it was given.

        Raises: `MissingParameterError` where a set is missing, `ConfigurationError` for sets of different length.
        """
        options = self.options or AverageMSMRParametersOptions()
        third: Quantity = "occupancy fraction" if options.species_format == "Xj" else "occupancy capacity"
        name = names_of(self.electrode, options.phase)
        both = [names_of(self.electrode, options.phase, one) for one in ("lithiation", "delithiation")]
        result: dict[str, Any] = {}
        quantities: tuple[Quantity, ...] = ("standard potential", third, "ideality factor")
        for quantity in quantities:
            one, other = (listed(p, direction, quantity) for direction in both)
            if len(one) != len(other):
                raise ConfigurationError(
                    f"lithiation has {len(one)} kinds of sites, delithiation {len(other)}",
                    hint="fit both directions with the same number of sites",
                )
            means = [(a + b) / 2 for a, b in zip(one, other, strict=True)]
            if is_indexed(p, both[0], quantity):
                result |= {site_name(name, quantity, index): mean for index, mean in enumerate(means)}
            else:
                result[site_name(name, quantity)] = means
        return result
