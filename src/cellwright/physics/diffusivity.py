"""Diffusivity of lithium in particles. The first two functions take floats, arrays and expressions; SI units."""

from math import pi
from typing import Any

from cellwright.physics.constants import FARADAY, GAS


def thermodynamic_diffusivity(reference: Any, shape: Any, T: Any) -> Any:
    """Return D = (F / (R T)) D_ref s [m2.s-1], with s = -x (1 - x) dU/dx [V], D_ref [m2.s-1] and T [K].

    The flux follows the gradient of the chemical potential, so D goes with the slope of the potential.

    Source: Baker & Verbrugge, J. Electrochem. Soc. 159 (2012) A1341, doi:10.1149/2.002208jes.
    """
    return FARADAY / (GAS * T) * reference * shape


def diffusivity_from_pulse(radius: Any, duration: float, from_: float, to: float, relaxed: float, pulse: float) -> Any:
    """Return the diffusivity [m2.s-1] of spheres of a radius [m] from one pulse of a galvanostatic titration.

    D = 4/(9 π) (R/τ)² (ΔU_eq (√t_2 - √t_1) / ΔU_pulse)²: the surface follows ΔU_pulse = k (√t_2 - √t_1) between the
    times t_1 and t_2 [s] of the pulse, its mean moves by 3 j τ / R and the relaxed potential by ΔU_eq. It holds while
    τ is short against R²/D.

    Source: Weppner & Huggins, J. Electrochem. Soc. 124 (1977) 1569, doi:10.1149/1.2133112.
    """
    slope = pulse / (to**0.5 - from_**0.5)
    return 4 / (9 * pi) * (radius / duration * relaxed / slope) ** 2


def pulse_bias(D: float, radius: float, duration: float) -> float:
    """Return the share √(π D τ/R²) by which `diffusivity_from_pulse` is too small for a pulse of a duration τ [s].

    With θ = D τ/R²: at a constant flux j the surface of a sphere moves by j R/D (2 √(θ/π) + θ + …), of which the
    formula keeps the first term. It holds for θ below some 0.05.

    Source: Crank, The Mathematics of Diffusion (1975), ch. 6.
    """
    return float((pi * D * duration) ** 0.5 / radius)


def pulse_bend(D: float, radius: float, from_: float, to: float) -> float:
    """Return by which factor the slope over √t of a sphere's surface changes within a stretch of a pulse.

    It is that of the second half, in √t, over that of the first: with s = √(D t)/R the surface follows 2 s/√π + s², as
    in `pulse_bias`.

    Source: Crank, The Mathematics of Diffusion (1975), ch. 6.
    """
    first, last = ((D * time) ** 0.5 / radius for time in (from_, to))
    early, late = (first + (last - first) * part for part in (0.25, 0.75))
    return float((1 + pi**0.5 * late) / (1 + pi**0.5 * early))
