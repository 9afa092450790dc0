"""Mass and density of a cell."""

from collections.abc import Mapping
from math import prod
from typing import Any, ClassVar, Literal

from pydantic import field_validator

from cellwright.catalog.calculations.capacity import AREA, area_sides, layers
from cellwright.catalog.calculations.geometry import VOLUME
from cellwright.catalog.calculations.microstructure import material_density
from cellwright.catalog.calculations.thermal import DENSITY, MASS
from cellwright.catalog.domain import fraction, positive
from cellwright.errors import ConfigurationError
from cellwright.physics.geometry import electrode_density, porous_density
from cellwright.schema.expressions import Expression
from cellwright.schema.families import Calculation
from cellwright.schema.names import ELECTRODES, names_of
from cellwright.schema.parameters import ParameterSet, Values
from cellwright.schema.variant import Example

ELECTROLYTE_DENSITY = "Electrolyte density [kg.m-3]"
PHASES = {"1": ("",), "2": ("primary", "secondary")}


class CellMass(Calculation):
    """Mass of a cell's layers and of the electrolyte in their pores.

    m = n A Σ_k L_k ρ_k over negative current collector, negative electrode, separator, positive electrode and positive
    current collector, with n the electrodes in parallel (1 where not given), A the area of one [m2] (or height times
    width), L thicknesses [m] and ρ densities [kg.m-3]. An electrode has ρ = Σ ε_AM ρ_AM + ε ρ_el + (1 - Σ ε_AM - ε)
    ρ_cb with the volume fractions ε_AM of its active materials (two in a composite electrode), its porosity ε and the
    densities of active material, electrolyte, carbon and binder. The separator has ρ = ε ρ_el + (1 - ε) ρ_sep, with
    ρ_sep the density of its solid. Each of the n electrodes brings its current collectors at the thickness given; can,
    pouch, tabs and electrolyte outside the layers are left out.

    `model_options` are PyBaMM's: "particle phases" of composite electrodes and "working electrode": "positive" for a
    half cell, whose negative electrode is a foil of "Negative electrode density [kg.m-3]" (lithium: 534).

    Source: Planden et al., PyBOP, J. Open Source Softw. 10 (2025) 7874, doi:10.21105/joss.07874.
    """

    type: Literal["CellMass"] = "CellMass"
    model_options: dict[str, Any] | None = None

    example: ClassVar = Example(
        given={
            AREA: 0.1,
            ELECTROLYTE_DENSITY: 1200.0,
            "Negative current collector thickness [m]": 10e-6,
            "Negative current collector density [kg.m-3]": 9000.0,
            "Negative electrode thickness [m]": 100e-6,
            "Negative electrode active material volume fraction": 0.6,
            "Negative electrode active material density [kg.m-3]": 2200.0,
            "Negative electrode porosity": 0.3,
            "Negative electrode carbon-binder density [kg.m-3]": 1800.0,
            "Separator thickness [m]": 20e-6,
            "Separator porosity": 0.5,
            "Separator density [kg.m-3]": 900.0,
            "Positive electrode thickness [m]": 80e-6,
            "Positive electrode active material volume fraction": 0.6,
            "Positive electrode active material density [kg.m-3]": 4800.0,
            "Positive electrode porosity": 0.3,
            "Positive electrode carbon-binder density [kg.m-3]": 1800.0,
            "Positive current collector thickness [m]": 15e-6,
            "Positive current collector density [kg.m-3]": 2700.0,
        },
        # kg.m-2: 0.09 + 100e-6 · 1860 + 20e-6 · 1050 + 80e-6 · 3420 + 0.0405 = 0.6111
        gives={MASS: 0.06111},
    )

    @field_validator("model_options")
    @classmethod
    def _known(cls, options: dict[str, Any] | None) -> dict[str, Any] | None:
        for electrode in ELECTRODES:
            phases_of(options or {}, electrode)
        return options

    def compute(self, p: ParameterSet) -> Values:
        """Return the mass of the cell [kg].

        Raises: `ConfigurationError` for thicknesses and densities that are not above 0, and for fractions outside 0 to
        1 or above 1 together.
        """
        options = self.model_options or {}
        working = options.get("working electrode", "both")
        layer_masses = [positive(p, "Separator thickness [m]") * self._separator(p)]
        for electrode in ELECTRODES:
            name = names_of(electrode)
            if working not in {"both", electrode}:
                layer_masses.append(positive(p, name.thickness) * positive(p, name.density))
            else:
                density = self._electrode(p, electrode, phases_of(options, electrode))
                layer_masses.append(positive(p, name.thickness) * density)
            collector = positive(p, name.current_collector_thickness) * positive(p, name.current_collector_density)
            layer_masses.append(collector)
        return {MASS: sum(layer_masses) * prod(area_sides(p).values()) * layers(p)}

    @staticmethod
    def _separator(p: ParameterSet) -> Any:
        porosity = fraction(p, "Separator porosity")
        return porous_density(porosity, positive(p, ELECTROLYTE_DENSITY), positive(p, "Separator density [kg.m-3]"))

    @staticmethod
    def _electrode(p: ParameterSet, electrode: str, phases: tuple[str, ...]) -> Any:
        name, materials = names_of(electrode), [names_of(electrode, phase) for phase in phases]
        fractions = [fraction(p, material.volume_fraction) for material in materials]
        active = sum(share * material_density(p, one) for share, one in zip(fractions, materials, strict=True))
        porosity, filled = fraction(p, name.porosity), sum(fractions)
        if not isinstance(porosity + filled, Expression) and porosity + filled > 1 + 1e-9:
            raise ConfigurationError(
                f"active material and pores of the {electrode} electrode make up {porosity + filled:.6g} of its volume",
                hint=f"{name.porosity!r} and {materials[0].volume_fraction!r} are at most 1 together",
            )
        binder = positive(p, name.carbon_binder_density)
        return electrode_density(active, filled, porosity, positive(p, ELECTROLYTE_DENSITY), binder)


class DensityFromVolumeAndMass(Calculation):
    """Density of a cell.

    ρ = m / V, with m the mass [kg] and V the volume [m3] of the cell, both above 0.

    Source: Archimedes, On Floating Bodies, book I.
    """

    type: Literal["DensityFromVolumeAndMass"] = "DensityFromVolumeAndMass"

    example: ClassVar = Example(given={MASS: 0.07, VOLUME: 2.5e-5}, gives={DENSITY: 2800.0})

    def compute(self, p: ParameterSet) -> Values:
        """Return the density [kg.m-3]. Raises: `ConfigurationError` for values that are not above 0."""
        return {DENSITY: positive(p, MASS) / positive(p, VOLUME)}


def phases_of(options: Mapping[str, Any], electrode: str) -> tuple[str, ...]:
    """Return the phases of an electrode's active material in PyBaMM's model options: ("",) or primary and secondary.

    Raises: `ConfigurationError` for anything but one or two phases.
    """
    given = options.get("particle phases", "1")
    both = tuple(given) if isinstance(given, list | tuple) else (given, given)
    if len(both) != len(ELECTRODES) or any(str(count) not in PHASES for count in both):
        raise ConfigurationError(
            f"'particle phases' is {given!r}", hint='give "1" or "2", or one of them for each electrode: ["2", "1"]'
        )
    return PHASES[str(both[ELECTRODES.index(electrode)])]
