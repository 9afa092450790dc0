"""Capacity of an electrode and the surface of its particles."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import prod
from typing import Any, ClassVar, Literal

from cellwright.catalog.calculations.microstructure import (
    PER_CM2,
    each_electrode,
    has_material_density,
    has_molar_mass,
    material_density,
    molar_mass,
)
from cellwright.catalog.domain import checked_fraction, checked_positive, fraction, positive
from cellwright.errors import ConfigurationError, did_you_mean
from cellwright.physics.geometry import host_capacity, spheres_per_volume, theoretical_concentration
from cellwright.schema.expressions import Expression
from cellwright.schema.families import Calculation
from cellwright.schema.names import ELECTRODES, Electrode, ElectrodeNames, Phase, names_of
from cellwright.schema.parameters import ParameterSet, Values
from cellwright.schema.variant import Example

AREA = "Electrode area [m2]"
HEIGHT = "Electrode height [m]"
WIDTH = "Electrode width [m]"
LAYERS = "Number of electrodes connected in parallel to make a cell"
NOMINAL = "Nominal cell capacity [A.h]"
CURRENT = "Current function [A]"
METHODS = ("auto", "capacity", "loading", "theoretical")
AGREEMENT = 1e-3
"""Relative difference above which a value that is given contradicts the one that the other values make."""


class ElectrodeCapacity(Calculation):
    """Capacity of an electrode, or whichever of the values behind it is missing.

    Q = c_max ε L A n Δθ F / 3600, with Q the capacity [A.h], c_max the maximum concentration [mol.m-3], ε the active
    material volume fraction [-], L the thickness [m], A the electrode area [m2] (or height times width), n the number
    of electrodes in parallel (1 where it is not given), F = 96485.33 C.mol-1 and Δθ = θ_max - θ_min the width of the
    stoichiometry window [-] (`use_stoich_window`; else 1). All are above 0, fractions and stoichiometries at most 1.

    `method` says where the capacity comes from. "capacity": Q itself; "loading": the areal capacity q [A.h.cm-2], with
    Q = 10⁴ q A n; "auto": Q or else q, whichever is given. "theoretical" adds c_max = ρ x / M, with the density ρ
    [kg.m-3], the moles x of lithium per mole and the molar mass M [kg.mol-1] of the active material; "auto" does so
    where c_max cannot come from Q or q.

    Where Q or q is given and one of c_max, ε, L, A (or height, or width), θ_min, θ_max is not, that one is the result
    (of several missing the first, as an expression of the others; q gives Q instead, and never an area). Where none is
    missing, what is given must agree with what the others make, to 0.1 %. Where neither is given the result is Q. n is
    never derived: a cell without it has a single layer. θ_min and θ_max are the "Minimum" and "Maximum" stoichiometry
    of the electrode or, where neither is given, those at 0 and 100 % state of charge.

    Source: Newman & Thomas-Alyea, Electrochemical Systems (2004), ch. 22.
    """

    type: Literal["ElectrodeCapacity"] = "ElectrodeCapacity"
    electrode: Electrode
    use_stoich_window: bool = False
    method: str = "auto"
    phase: Phase | None = None

    example: ClassVar = Example(
        fields={"electrode": "positive"},
        given={
            "Maximum concentration in positive electrode [mol.m-3]": 51217.0,
            "Positive electrode active material volume fraction": 0.65,
            "Positive electrode thickness [m]": 80e-6,
            AREA: 0.1,
        },
        gives={"Positive electrode capacity [A.h]": 51217.0 * 0.65 * 80e-6 * 0.1 * 96485.33212331001 / 3600},
    )

    def compute(self, p: ParameterSet) -> Values:
        """Return the capacity [A.h] or the missing value behind it, and c_max where it is the theoretical one.

        Raises: `ConfigurationError` for a method that is none, values outside their domain, and given values that
        contradict each other.
        """
        if self.method not in METHODS:
            hint = did_you_mean(self.method, METHODS) or f"there are {', '.join(METHODS)}"
            raise ConfigurationError(f"there is no method {self.method!r}", at=("method",), hint=hint)
        name = names_of(self.electrode, self.phase)
        sides, ends, count = area_sides(p), self._ends(p, name), layers(p)
        host = {
            name.maximum_concentration: positive(p, name.maximum_concentration),
            name.volume_fraction: checked_positive(name.volume_fraction, fraction(p, name.volume_fraction)),
            name.thickness: positive(p, name.thickness),
        }
        known = self._known(p, name)
        by_area = known == name.loading
        unknown = [factor for factor in (*host, *(() if by_area else sides), *ends) if factor not in p]
        derived = self._theoretical(p, name, known is not None and unknown == [name.maximum_concentration])
        unknown = [factor for factor in unknown if factor not in derived]
        whole = _Host(host | derived | sides, ends, count)
        if known is None:
            return derived | {name.capacity: whole.capacity()}
        given = positive(p, known)
        part = _Host(host | derived, ends, 1 / PER_CM2) if by_area else whole
        if not unknown:
            agree(p, known, given, part.capacity())
            return derived | {name.capacity: whole.capacity()}
        if by_area and len(unknown) > 1:
            return derived | {name.capacity: given * PER_CM2 * prod(sides.values()) * count}
        return derived | {unknown[0]: _possible(name, unknown[0], part.solve(unknown[0], given))}

    def _known(self, p: ParameterSet, name: ElectrodeNames) -> str | None:
        """Return the name of the capacity or the loading to start from; None where neither is given."""
        if self.method == "loading" or (self.method != "capacity" and name.capacity not in p and name.loading in p):
            return name.loading
        return name.capacity if name.capacity in p else None

    def _theoretical(self, p: ParameterSet, name: ElectrodeNames, from_capacity: bool) -> dict[str, Any]:
        """Return the maximum concentration of the full crystal by its name, where it is wanted; else nothing."""
        if self.method == "auto":
            crystal = name.lithium_fraction in p and has_molar_mass(p, name) and has_material_density(p, name)
            if name.maximum_concentration in p or from_capacity or not crystal:
                return {}
        elif self.method != "theoretical":
            return {}
        density, lithium, mass = material_density(p, name), positive(p, name.lithium_fraction), molar_mass(p, name)
        made = theoretical_concentration(density, lithium, mass)
        if name.maximum_concentration in p:
            agree(p, name.maximum_concentration, p[name.maximum_concentration], made)
            return {}
        return {name.maximum_concentration: made}

    def _ends(self, p: ParameterSet, name: ElectrodeNames) -> dict[str, Any]:
        """Return the lower and the upper end of the stoichiometry window by their names; none without a window."""
        if not self.use_stoich_window:
            return {}
        low, high = name.minimum_stoichiometry, name.maximum_stoichiometry
        if self.electrode in ELECTRODES and low not in p and high not in p:
            by_soc = [name.stoichiometry_at(soc) for soc in ((0, 100) if self.electrode == "negative" else (100, 0))]
            low, high = by_soc if all(end in p for end in by_soc) else (low, high)
        ends = {low: fraction(p, low), high: fraction(p, high)}
        width = ends[high] - ends[low]
        if not isinstance(width, Expression) and width <= 0:
            raise ConfigurationError(f"{high!r} is {ends[high]:.6g}, and it must be above {low!r}, {ends[low]:.6g}")
        return ends


@dataclass(frozen=True)
class _Host:
    """What makes the capacity of an electrode: factors, the ends of the window where there is one, and layers."""

    factors: Mapping[str, Any]
    ends: Mapping[str, Any]
    layers: Any

    def capacity(self) -> Any:
        concentration, share, thickness, *sides = self.factors.values()
        low, high = self.ends.values() if self.ends else (0.0, 1.0)
        return host_capacity(concentration, share, thickness, prod(sides), self.layers, high - low)

    def solve(self, wanted: str, capacity: Any) -> Any:
        if wanted in self.factors:
            return capacity / replace(self, factors={**self.factors, wanted: 1.0}).capacity()
        low, high = self.ends
        width = capacity / replace(self, ends={}).capacity()
        return self.ends[high] - width if wanted == low else self.ends[low] + width


class HalfCellNominalCapacity(Calculation):
    """Nominal capacity and 1C current of a half cell, those of its working electrode.

    Q_nom = Q and I = Q / (1 h), with Q the capacity of the electrode [A.h], above 0, and I [A] positive in discharge.

    Source: Marquis, Sulzer, Timms, Please & Chapman, J. Electrochem. Soc. 166 (2019) A3693, doi:10.1149/2.0341915jes
    (C-rate).
    """

    type: Literal["HalfCellNominalCapacity"] = "HalfCellNominalCapacity"
    electrode: Electrode

    example: ClassVar = Example(
        fields={"electrode": "positive"},
        given={"Positive electrode capacity [A.h]": 0.005},
        gives={NOMINAL: 0.005, CURRENT: 0.005},
    )

    def compute(self, p: ParameterSet) -> Values:
        """Return nominal capacity [A.h] and current [A]. Raises: `ConfigurationError` for a capacity not above 0."""
        capacity = positive(p, names_of(self.electrode).capacity)
        return {NOMINAL: capacity, CURRENT: capacity}


class SurfaceAreaToVolumeRatio(Calculation):
    """Specific surface area of an electrode of spherical particles.

    a = 3 ε / R, with ε the active material volume fraction, between 0 and 1, and R the particle radius [m], above 0.

    Source: Newman & Thomas-Alyea, Electrochemical Systems (2004), ch. 22.
    """

    type: Literal["SurfaceAreaToVolumeRatio"] = "SurfaceAreaToVolumeRatio"
    electrode: Electrode | Literal["both"]

    example: ClassVar = Example(
        fields={"electrode": "negative"},
        given={
            "Negative electrode active material volume fraction": 0.65,
            "Negative particle radius [m]": 5e-6,
        },
        gives={"Negative electrode surface area to volume ratio [m-1]": 3.9e5},
    )

    def compute(self, p: ParameterSet) -> Values:
        """Return the surface area per volume of electrode [m-1].

        Raises: `ConfigurationError` for a radius that is not above 0 and a volume fraction outside 0 to 1.
        """
        return {
            name.surface_area_per_volume: spheres_per_volume(
                fraction(p, name.volume_fraction), positive(p, name.particle_radius)
            )
            for name in each_electrode(self.electrode)
        }


def area_sides(p: ParameterSet) -> dict[str, Any]:
    """Return what makes the area of one electrode, by name: the area itself [m2], or height and width [m].

    Raises: `ConfigurationError` for values not above 0, and where area, height and width are given and do not agree.
    """
    square = [HEIGHT, WIDTH] if HEIGHT in p or WIDTH in p else []
    if AREA not in p and square:
        return {side: positive(p, side) for side in square}
    if all(name in p for name in (AREA, HEIGHT, WIDTH)):
        agree(p, AREA, positive(p, AREA), positive(p, HEIGHT) * positive(p, WIDTH))
    return {AREA: positive(p, AREA)}


def layers(p: ParameterSet) -> Any:
    """Return the number of electrodes in parallel, 1 where it is not given. Raises: `ConfigurationError` below 0."""
    return positive(p, LAYERS) if LAYERS in p else 1.0


def agree(p: ParameterSet, name: str, given: Any, made: Any) -> None:
    """Make sure that a value that is given is the one that the others make, to 0.1 %, where both are numbers.

    Raises: `ConfigurationError` where it is not.
    """
    if isinstance(given, Expression) or isinstance(made, Expression):
        return
    if abs(given - made) > AGREEMENT * abs(made):
        single = f"; {LAYERS!r} is not given, and so 1" if LAYERS not in p else ""
        raise ConfigurationError(
            f"{name!r} is given as {given:.6g}, but the other values make it {made:.6g}",
            hint=f"leave out the value that is to be derived{single}",
        )


def _possible(name: ElectrodeNames, wanted: str, value: Any) -> Any:
    """Return a derived value. Raises: `ConfigurationError` for volume fractions and stoichiometries outside 0 to 1."""
    if wanted not in {name.volume_fraction, name.minimum_stoichiometry, name.maximum_stoichiometry}:
        return value
    try:
        return checked_fraction(wanted, value)
    except ConfigurationError as error:
        raise ConfigurationError(
            f"{error.message}: the capacity that is given is more than the electrode can hold",
            hint="check the units of what it is made of",
        ) from None
