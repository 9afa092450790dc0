"""Geometry of porous electrodes. All functions take floats, arrays and expressions; SI units."""

import math
from typing import Any

from cellwright.physics.constants import FARADAY, SECONDS_PER_HOUR


def spheres_per_volume(volume_fraction: Any, radius: Any) -> Any:
    """Return the surface of spherical particles per volume of electrode [m-1].

    a = 3 ε / R, with ε the volume fraction of active material [-] and R the particle radius [m].

    Source: Newman & Thomas-Alyea, Electrochemical Systems (2004), ch. 22.
    """
    return 3 * volume_fraction / radius


def host_capacity(
    maximum_concentration: Any, volume_fraction: Any, thickness: Any, area: Any, layers: Any = 1.0, window: Any = 1.0
) -> Any:
    """Return the capacity of an electrode's active material [A.h].

    Q = c_max ε L A n Δθ F / 3600, with c_max [mol.m-3], ε [-], L [m], A [m2] the area of one layer, n layers in
    parallel and Δθ the width of the stoichiometry window [-].

    Source: Newman & Thomas-Alyea, Electrochemical Systems (2004), ch. 22 (Faraday's law for a host material).
    """
    return maximum_concentration * volume_fraction * thickness * area * layers * window * FARADAY / SECONDS_PER_HOUR


def disc_area(diameter: Any) -> Any:
    """Return the area π d² / 4 of a disc [m2]."""
    return math.pi * diameter**2 / 4


def coating_thickness(coating_mass: Any, press_density: Any) -> Any:
    """Return the thickness m / ρ_press of a coating [m], with m [kg.m-2] its mass per area and ρ_press [kg.m-3]."""
    return coating_mass / press_density


def volume_fraction_from_mass(mass_fraction: Any, layer_density: Any, material_density: Any) -> Any:
    """Return the volume fraction w ρ_layer / ρ of a material in a layer [-].

    w is its share of the layer's mass [-], ρ_layer the density of the layer and ρ that of the material [kg.m-3].
    """
    return mass_fraction * layer_density / material_density


def porosity_from_active(volume_fraction: Any, active_fraction_of_solid: Any = 1.0) -> Any:
    """Return the porosity 1 - ε / f [-], ε the volume fraction of active material and f its share of the solid."""
    return 1 - volume_fraction / active_fraction_of_solid


def active_from_porosity(porosity: Any, active_fraction_of_solid: Any) -> Any:
    """Return the volume fraction (1 - ε_pore) f of active material [-], f its share of the volume of the solid."""
    return (1 - porosity) * active_fraction_of_solid


def theoretical_concentration(density: Any, lithium_fraction: Any, molar_mass: Any) -> Any:
    """Return the lithium concentration ρ x / M of a full host [mol.m-3].

    ρ is its density [kg.m-3], x the moles of lithium per mole of host [-] and M the molar mass of the host [kg.mol-1].

    Source: Newman & Thomas-Alyea, Electrochemical Systems (2004), ch. 22.
    """
    return density * lithium_fraction / molar_mass


def electrode_density(
    active: Any, active_fraction: Any, porosity: Any, electrolyte_density: Any, carbon_binder_density: Any
) -> Any:
    """Return the density of a porous electrode filled with electrolyte [kg.m-3].

    m_a + ε ρ_el + (1 - ε_a - ε) ρ_cb, with m_a the mass of active material per volume of electrode [kg.m-3], ε_a its
    volume fraction [-] and ε the porosity [-]; what is neither active material nor pore is carbon and binder.

    Source: Planden et al., PyBOP, J. Open Source Softw. 10 (2025) 7874, doi:10.21105/joss.07874.
    """
    return active + porosity * electrolyte_density + (1 - active_fraction - porosity) * carbon_binder_density


def porous_density(porosity: Any, filling_density: Any, solid_density: Any) -> Any:
    """Return the density ε ρ_fill + (1 - ε) ρ_solid of a porous layer whose pores are filled [kg.m-3]."""
    return porosity * filling_density + (1 - porosity) * solid_density
