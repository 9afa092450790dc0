"""Open-circuit potentials by multi-species, multi-reaction (MSMR) sets."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Literal

import numpy as np

from cellwright.catalog.calculations.open_circuit import (
    VOLTAGE,
    OCPDataInterpolantOptions,
    distinct,
    falls,
    tell_of_spread,
)
from cellwright.catalog.domain import checked_positive
from cellwright.catalog.sites import Quantity, is_indexed, listed, numbered_sites, numbered_temperature, site_name
from cellwright.errors import ConfigurationError, DataError
from cellwright.physics.constants import FARADAY, GAS
from cellwright.physics.msmr import REFERENCE_TEMPERATURE, Sites, lithiation, potential
from cellwright.schema.datasource import Data
from cellwright.schema.families import Calculation
from cellwright.schema.names import Direction, Electrode, Phase, names_of
from cellwright.schema.parameters import ParameterSet, Values
from cellwright.schema.tables import Column
from cellwright.schema.values import Function
from cellwright.schema.variant import Example, Schema

Limits = tuple[int | float, int | float] | list[int | float]
Of = Callable[[Any, Sites, Any], Any]
CLOSE, CLOSER = 1e-5, 1e-6
"""Potential [V] by which a chord of a table may be off, between two potentials and over all stoichiometries."""
WIDTHS = np.linspace(-12.0, 12.0, 97)
"""Where the first points around the potential of a kind of sites stand, in units of ω R T / F."""
HALVINGS = 20
"""How often a chord is halved at most."""
TINY = 1e-300
EDGE = 1e-6
"""How near to empty and full sites the table of a whole MSMR function goes."""
FINE = 1e-12
"""Stoichiometry that lies at least between two points of the table of a whole MSMR function."""
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
    if len(limits) != 2 or not limits[0] < limits[1] or not np.isfinite(limits).all():
        raise ConfigurationError(f"voltage limits are a lower and an upper one, not {list(limits)}")
    return float(limits[0]), float(limits[1])


def itself(U: Any, *_: Any) -> Any:
    """Return the potential [V] as it is."""
    return U


def curve(
    sites: Sites,
    T: float,
    limits: tuple[float, float],
    tolerance: float,
    quantity: Of = itself,
    closeness: float = CLOSE,
) -> tuple[Column, Column]:
    """Return stoichiometries in increasing order and a quantity of their potentials between two potentials [V].

    The points follow x(U), which needs no root, and lie so close that a chord between them is off by less than
    `closeness` [unit of the quantity] where they are more than `tolerance` [-] apart. The first ones stand around the
    potential of every kind of sites, so that no plateau falls between two points.

    Raises: `ConfigurationError` where the stoichiometry does not change between the potentials.
    """
    low, high = limits
    spread = [U0 + w * GAS * T / FARADAY * WIDTHS for U0, w in zip(sites.U0, sites.w, strict=True)]
    U = np.unique(np.clip(np.concatenate([np.linspace(low, high, len(WIDTHS)), *spread]), low, high))
    for _ in range(HALVINGS):
        x, y = lithiation(U, sites, T), quantity(U, sites, T)
        between = (U[1:] + U[:-1]) / 2
        part = (lithiation(between, sites, T) - x[1:]) / np.maximum(x[:-1] - x[1:], TINY)
        chord = y[1:] + part * (y[:-1] - y[1:])
        wide = (np.abs(chord - quantity(between, sites, T)) > closeness) & (x[:-1] - x[1:] > tolerance)
        if not wide.any():
            break
        U = np.sort(np.concatenate([U, between[wide]]))
    x, y = thinned(lithiation(U, sites, T)[::-1], quantity(U, sites, T)[::-1], tolerance)
    if len(x) < 2:
        raise ConfigurationError(
            f"between {low:g} and {high:g} V the stoichiometry does not change: it is {float(x[0]):.6g} throughout",
            hint=f"the sites fill between {min(sites.U0):.4g} and {max(sites.U0):.4g} V",
        )
    return x, y


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

    U(x) is the inverse of x(U) = Σ_j X_j / (1 + exp(f (U - U0_j) / ω_j)), f = F/(R T), tabulated between
    `voltage_limits` [V] so densely that chords between the points are off by less than 10 µV, where the points are more
    than `tolerance` in x apart; T is the ambient temperature [K] (298.15 where it is not given). Beyond the limits the
    end pieces go on. With `create_lithiation_function` also x(U) itself, in closed form.

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
            "Negative electrode OCP [V]": Function.table(
                "sto", *curve(ONE_SITE, REFERENCE_TEMPERATURE, (0.01, 0.3), 1e-6)
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
        own = name.open_circuit_potential
        x, U = curve(sites, T, window(self.voltage_limits), options.tolerance)
        result: dict[str, Any] = {own: Function.table("sto", x, U, options.interpolator, label=own)}
        if options.create_lithiation_function:
            result[name.lithiation] = Function.trace(lambda U: lithiation(U, sites, T), label=name.lithiation)
        return result


class MSMRFunction(Calculation):
    """Open-circuit potential of an electrode by its MSMR set, over all stoichiometries.

    U(x) is the inverse of x(U) = Σ_j X_j / (1 + exp(f (U - U0_j) / ω_j)), f = F/(R T), as a table from all but 1e-6 of
    the sites empty to all but 1e-6 full, so dense that U(x(U)) = U within 1 µV. Beyond, the end pieces go on. T is the
    ambient temperature [K] (298.15 where it is not given).

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
            "Negative electrode OCP [V]": Function.table(
                "sto",
                *curve(
                    ONE_SITE,
                    REFERENCE_TEMPERATURE,
                    reach(ONE_SITE, REFERENCE_TEMPERATURE),
                    FINE,
                    closeness=CLOSER,
                ),
            )
        },
    )

    def compute(self, p: ParameterSet) -> Values:
        """Return U(x) [V]. Raises: `MissingParameterError` where a number of the set is missing."""
        name = names_of(self.electrode, self.phase, self.direction)
        sites, T = numbered_sites(p, name), numbered_temperature(p)
        own = name.open_circuit_potential
        x, U = curve(sites, T, reach(sites, T), FINE, closeness=CLOSER)
        return {own: Function.table("sto", x, U, label=own)}


def blend(x: Column, model: Column, data: Function, ends: tuple[float, float]) -> Column:
    """Return the potentials [V] of the data inside `ends` and of the model, moved to meet them, outside."""
    from scipy.special import erf

    at_ends = np.array([float(data(end)) for end in ends]) - np.interp(ends, x, model)
    width = BLEND * (ends[1] - ends[0])
    weight = (erf((x - ends[0]) / width - 2) - erf((x - ends[1]) / width + 2)) / 2
    inside = np.clip(x, *ends)
    return np.asarray(weight * data(inside) + (1 - weight) * (model + np.interp(x, ends, at_ends)))


class OCPDataInterpolantMSMRExtrapolation(Calculation):
    """Open-circuit potential of an electrode from measured points, carried on beyond them by its MSMR set.

    x = (q + Q_low) / Q, with the measured capacity q [A.h], which rises while the potential falls, the lower excess
    capacity Q_low and the electrode capacity Q [A.h]. U(x) = w U_data(x) + (1 - w) (U_MSMR(x) + o(x)), where the offset
    o goes in a straight line between the differences at both ends of the data, and stays beyond them, and the weight w
    rises from 0 at an end of the data to 1 inside by error functions, over 4 % of the span of the data. It is a table
    of the data and of the set between `voltage_limits` [V]; beyond them the end pieces go on.

    Source: Verbrugge, Baker, Koch, Xiao & Gu, J. Electrochem. Soc. 164 (2017) E3243, doi:10.1149/2.0341708jes.
    """

    type: Literal["OCPDataInterpolantMSMRExtrapolation"] = "OCPDataInterpolantMSMRExtrapolation"
    electrode: Electrode
    data: Data
    voltage_limits: Limits
    options: OCPDataInterpolantOptions | None = None

    # Inside the data, 4 % of their span away from the ends, the set has no say.
    example: ClassVar = Example(
        fields={
            "electrode": "negative",
            "data": {"Capacity [A.h]": [0.0, 1.0, 3.0], "Voltage [V]": [0.15, 0.1, 0.05]},
            "voltage_limits": (-0.1, 0.3),
        },
        given={
            **EXAMPLE_SITES,
            "Negative electrode capacity [A.h]": 3.2,
            "Negative electrode lower excess capacity [A.h]": 0.1,
        },
        gives={
            "Negative electrode OCP [V]": Function.table("sto", [0.1 / 3.2, 1.1 / 3.2, 3.1 / 3.2], [0.15, 0.1, 0.05])
        },
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
        charge, voltage = self.data.table["Capacity [A.h]"], self.data.table[VOLTAGE]
        every = (charge + p.number(plain.lower_excess_capacity)) / capacity
        x, U = distinct(every, voltage, options.tolerance)
        falls(x, U, "Capacity [A.h]")
        tell_of_spread(p, every, voltage, x, U)
        if x[0] < -options.tolerance or x[-1] > 1 + options.tolerance:
            raise DataError(
                f"the capacities of the data make stoichiometries from {x[0]:.4g} to {x[-1]:.4g}, outside 0 to 1",
                hint="look at the electrode capacity and its lower excess capacity",
            )
        sites, T = numbered_sites(p, name), numbered_temperature(p)
        limits, whole = window(self.voltage_limits), reach(sites, T)
        model = curve(sites, T, (min(limits[0], whole[0]), max(limits[1], whole[1])), FINE)
        inside = model[0][(model[1] >= limits[0]) & (model[1] <= limits[1])]
        grid, _ = distinct(np.concatenate([x, inside]), np.concatenate([x, inside]), 0.0)
        data = Function.table("sto", x, U, options.interpolator)
        blended = blend(grid, np.interp(grid, *model), data, (float(x[0]), float(x[-1])))
        own = name.open_circuit_potential
        return {own: Function.table("sto", *thinned(grid, blended, options.tolerance), options.interpolator, label=own)}


class AverageMSMRParametersOptions(Schema):
    """Whether sites have fractions or capacities, and the phase of a composite electrode."""

    only_set = True

    species_format: Literal["Xj", "Qj"] = "Xj"
    phase: Literal["primary", "secondary"] | None = None


class AverageMSMRParameters(Calculation):
    """MSMR set without a direction, from those of lithiation and delithiation.

    Arithmetic means of U0_j, of X_j (or the capacities Q_j) and of ω_j, site by site in the order in which both sets
    list them; fractions that add up to 1 still do.

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
            if quantity == "standard potential" and not _paired(one, other):
                p.remark(
                    f"the standard potentials of {both[0].host_site!r} and {both[1].host_site!r} are not in the same "
                    f"order; sites are averaged by their place in the list"
                )
            means = [(a + b) / 2 for a, b in zip(one, other, strict=True)]
            if is_indexed(p, both[0], quantity):
                result |= {site_name(name, quantity, index): mean for index, mean in enumerate(means)}
            else:
                result[site_name(name, quantity)] = means
        return result


def _paired(one: Sequence[Any], other: Sequence[Any]) -> bool:
    """Return whether the potentials of two sets rank alike, as far as they are numbers."""
    if not all(isinstance(U0, int | float) for U0 in (*one, *other)):
        return True
    return bool((np.argsort(one, kind="stable") == np.argsort(other, kind="stable")).all())
