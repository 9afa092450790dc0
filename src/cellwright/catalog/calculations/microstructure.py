"""Volume fractions of a porous electrode, from what its maker knows."""

from typing import Any, ClassVar, Literal

from cellwright.catalog.domain import checked_fraction, checked_positive, fraction, positive
from cellwright.errors import ConfigurationError
from cellwright.physics.constants import FARADAY, SECONDS_PER_HOUR
from cellwright.physics.geometry import active_from_porosity, porosity_from_active, volume_fraction_from_mass
from cellwright.schema.families import Calculation
from cellwright.schema.names import ELECTRODES, Electrode, ElectrodeNames, base_of, names_of
from cellwright.schema.parameters import ParameterSet, Values
from cellwright.schema.variant import Example

PER_CM2 = 1e4
"""Square centimetres in a square metre."""
KG_PER_M2 = 10.0
"""Kilograms per square metre in a gram per square centimetre."""
KG_PER_M3 = 1000.0
"""Kilograms per cubic metre in a gram per cubic centimetre."""


class ElectrodeVolumeFractionFromLoading(Calculation):
    """Volume fraction of active material from what is coated on an area.

    By "loading", the areal capacity q [A.h.cm-2]: ε = 3600 · 10⁴ q / (F L c_max), with L the coating's thickness [m],
    c_max [mol.m-3] and F = 96485.33 C.mol-1. By "coating mass" M [g.cm-2] (or [kg.m-2]): ε = 10 w M / (L ρ), with ρ
    the density of the active material [kg.m-3] (or its crystal density, [g.cm-3] too) and w its mass fraction in the
    dry coating, 1 where it is not given. ε lies between 0 and 1.

    Source: Newman & Thomas-Alyea, Electrochemical Systems (2004), ch. 22.
    """

    type: Literal["ElectrodeVolumeFractionFromLoading"] = "ElectrodeVolumeFractionFromLoading"
    electrode: Electrode | Literal["both"]
    method: Literal["loading", "coating mass"]

    example: ClassVar = Example(
        fields={"electrode": "positive", "method": "coating mass"},
        given={
            "Positive electrode coating mass per area [g.cm-2]": 0.024,
            "Positive electrode thickness [m]": 80e-6,
            "Positive electrode active material density [kg.m-3]": 4800.0,
        },
        gives={"Positive electrode active material volume fraction": 0.625},
    )

    def compute(self, p: ParameterSet) -> Values:
        """Return the volume fraction of active material [-].

        Raises: `ConfigurationError` for values that are not above 0 and for a volume fraction above 1.
        """
        made = self._from_loading if self.method == "loading" else self._from_mass
        return {name.volume_fraction: made(p, name) for name in each_electrode(self.electrode)}

    def _from_loading(self, p: ParameterSet, name: ElectrodeNames) -> Any:
        charge = positive(p, name.loading) * PER_CM2 * SECONDS_PER_HOUR
        return volume_fraction(
            name, charge / (FARADAY * positive(p, name.thickness) * positive(p, name.maximum_concentration))
        )

    def _from_mass(self, p: ParameterSet, name: ElectrodeNames) -> Any:
        share = fraction(p, name.active_mass_fraction) if name.active_mass_fraction in p else 1.0
        layer = coating_mass(p, name) / positive(p, name.thickness)
        return volume_fraction(name, volume_fraction_from_mass(share, layer, material_density(p, name)))


class ElectrodeVolumeFractionFromPorosity(Calculation):
    """Volume fraction of active material from the porosity.

    ε_AM = (1 - ε) f, with ε the porosity [-] and f the share of the active material in the volume of the solid [-]
    (the rest of it is carbon and binder); both lie between 0 and 1.

    Source: Newman & Thomas-Alyea, Electrochemical Systems (2004), ch. 22.
    """

    type: Literal["ElectrodeVolumeFractionFromPorosity"] = "ElectrodeVolumeFractionFromPorosity"
    electrode: Electrode

    example: ClassVar = Example(
        fields={"electrode": "negative"},
        given={
            "Negative electrode porosity": 0.25,
            "Negative electrode active volume fraction of solid": 0.96,
        },
        gives={"Negative electrode active material volume fraction": 0.72},
    )

    def compute(self, p: ParameterSet) -> Values:
        """Return the volume fraction of active material [-].

        Raises: `ConfigurationError` for fractions outside 0 to 1.
        """
        name = names_of(self.electrode)
        share = fraction(p, name.active_fraction_of_solid)
        return {name.volume_fraction: active_from_porosity(fraction(p, name.porosity), share)}


class PorosityFromElectrodeVolumeFraction(Calculation):
    """Porosity from the volume fraction of active material.

    ε = 1 - ε_AM / f, with ε_AM the volume fraction of active material [-] and f its share in the volume of the solid
    [-]; where f is not given all of the solid is active, f = 1. ε lies between 0 and 1.

    Source: Newman & Thomas-Alyea, Electrochemical Systems (2004), ch. 22.
    """

    type: Literal["PorosityFromElectrodeVolumeFraction"] = "PorosityFromElectrodeVolumeFraction"
    electrode: Electrode

    example: ClassVar = Example(
        fields={"electrode": "negative"},
        given={"Negative electrode active material volume fraction": 0.75},
        gives={"Negative electrode porosity": 0.25},
    )

    def compute(self, p: ParameterSet) -> Values:
        """Return the porosity [-].

        Raises: `ConfigurationError` for fractions outside 0 to 1 and for more active material than solid.
        """
        name = names_of(self.electrode)
        share = 1.0
        if name.active_fraction_of_solid in p:
            share = checked_positive(name.active_fraction_of_solid, fraction(p, name.active_fraction_of_solid))
        return {name.porosity: porosity(name, fraction(p, name.volume_fraction), share)}


def each_electrode(electrode: str) -> list[ElectrodeNames]:
    """Return the names of the electrode, or of the two that "both" means."""
    return [names_of(one) for one in (ELECTRODES if electrode == "both" else (electrode,))]


def material_density(p: ParameterSet, name: ElectrodeNames) -> Any:
    """Return the density of the active material [kg.m-3], by whichever of its names is given.

    Raises: `ConfigurationError` where it is not above 0.
    """
    return first_given(p, _densities(name))


def has_material_density(p: ParameterSet, name: ElectrodeNames) -> bool:
    """Return whether the density of the active material is given, under any of its names."""
    return any(density in p for density in _densities(name))


def _densities(name: ElectrodeNames) -> dict[str, float]:
    base = base_of(name.active_material_density)
    crystal = base.replace("active material density", "crystal density")
    return {
        name.active_material_density: 1.0,
        f"{base} [g.cm-3]": KG_PER_M3,
        f"{crystal} [kg.m-3]": 1.0,
        f"{crystal} [g.cm-3]": KG_PER_M3,
    }


def has_molar_mass(p: ParameterSet, name: ElectrodeNames) -> bool:
    """Return whether the molar mass of the active material is given, under any of its names."""
    return any(mass in p for mass in _molar_masses(name))


def molar_mass(p: ParameterSet, name: ElectrodeNames) -> Any:
    """Return the molar mass of the active material [kg.mol-1]. Raises: `ConfigurationError` where not above 0."""
    return first_given(p, _molar_masses(name))


def _molar_masses(name: ElectrodeNames) -> dict[str, float]:
    return {name.molar_mass: 1.0, f"{base_of(name.molar_mass)} [g.mol-1]": 1e-3}


def coating_mass(p: ParameterSet, name: ElectrodeNames) -> Any:
    """Return the mass of the dry coating per area [kg.m-2]. Raises: `ConfigurationError` where it is not above 0."""
    return first_given(p, {name.coating_mass: KG_PER_M2, f"{base_of(name.coating_mass)} [kg.m-2]": 1.0})


def press_density(p: ParameterSet, name: ElectrodeNames) -> Any:
    """Return the density of the pressed coating [kg.m-3]. Raises: `ConfigurationError` where it is not above 0."""
    return first_given(p, {name.press_density: 1.0, f"{base_of(name.press_density)} [g.cm-3]": KG_PER_M3})


def first_given(p: ParameterSet, units: dict[str, float]) -> Any:
    """Return, in SI units, the first value that is given; `units` holds the names and what one of their unit is in SI.

    Where none is given it is the symbol of the first name. Raises: `ConfigurationError` for values not above 0.
    """
    name = next((name for name in units if name in p), next(iter(units)))
    return positive(p, name) * units[name]


def volume_fraction(name: ElectrodeNames, value: Any) -> Any:
    """Return a volume fraction that was derived. Raises: `ConfigurationError` where it is above 1."""
    return _derived(name.volume_fraction, value, "the coating is heavier than solid active material of its thickness")


def porosity(name: ElectrodeNames, active: Any, share: Any) -> Any:
    """Return the porosity of an electrode [-]. Raises: `ConfigurationError` where there is more solid than room."""
    value = porosity_from_active(active, share)
    return _derived(name.porosity, value, "there is more active material than the solid can hold")


def _derived(name: str, value: Any, reason: str) -> Any:
    try:
        return checked_fraction(name, value)
    except ConfigurationError as error:
        raise ConfigurationError(f"{error.message}: {reason}", hint="check the units of what it is made of") from None
