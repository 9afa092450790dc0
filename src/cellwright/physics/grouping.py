"""Groups of the physical parameters of a cell that single particle models depend on. SI units, capacities in A.h.

Sources: Bizeray, Kim, Duncan & Howey, IEEE Trans. Control Syst. Technol. 27 (2019) 1862,
doi:10.1109/TCST.2018.2838097 (particles, kinetics); Marquis, Sulzer, Timms, Please & Chapman, J. Electrochem. Soc. 166
(2019) A3693, doi:10.1149/2.0341915jes (electrolyte, ohmic losses). The capacity of an electrode is
`geometry.host_capacity`.
"""

from typing import Any

from cellwright.physics.constants import FARADAY, GAS, SECONDS_PER_HOUR


def diffusion_time(radius: Any, diffusivity: Any) -> Any:
    """Return the diffusion time τ = R² / D [s] of a particle of radius R [m]."""
    return radius**2 / diffusivity


def electrolyte_diffusion_time(thickness: Any, porosity: Any, diffusivity: Any, efficiency: Any) -> Any:
    """Return the diffusion time ε L² / (B D) [s] of the electrolyte in a region of thickness L [m].

    ε is the porosity [-], D the diffusivity of the salt [m2.s-1] and B the transport efficiency of the pores [-], ε^b
    with Bruggeman's b.
    """
    return porosity * thickness**2 / (efficiency * diffusivity)


def electrolyte_capacity(thickness: Any, porosity: Any, area: Any, concentration: Any, transference: Any) -> Any:
    """Return the charge F ε L A c / (3600 (1 - t₊)) [A.h] that, without diffusion, would use up the salt of a region.

    L is its thickness [m], ε the porosity [-], A the area [m2], c the concentration [mol.m-3] and t₊ the transference
    number of the cation [-].
    """
    return FARADAY * porosity * thickness * area * concentration / (SECONDS_PER_HOUR * (1 - transference))


def electrolyte_overpotential_factor(transference: Any, thermodynamic_factor: Any) -> Any:
    """Return 2 (1 - t₊) χ [-], with t₊ the transference number and χ the thermodynamic factor [-]."""
    return 2 * (1 - transference) * thermodynamic_factor


def layer_resistance(thickness: Any, area: Any, conductivity: Any) -> Any:
    """Return the resistance L / (σ A) [Ohm] of a layer of thickness L [m] that carries the whole current.

    Of an electrode, in whose solid or electrolyte the current dies away along it, a third counts.
    """
    return thickness / (conductivity * area)


def charge_transfer_resistance(temperature: Any, exchange_current: Any) -> Any:
    """Return R T / (F i₀) [Ohm], the slope of symmetric Butler-Volmer kinetics at rest.

    i₀ is the exchange current of the whole electrode [A]: its density × the surface of all particles.
    """
    return GAS * temperature / (FARADAY * exchange_current)
