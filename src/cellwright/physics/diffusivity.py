"""Diffusivity of lithium in particles. The first two functions take floats, arrays and expressions; SI units."""

from math import erf, exp, log, pi
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


BISECTIONS = 40
LONGEST = 0.25
"""Time, in units of R²/D, up to which `surface_rise` holds to a per cent."""


def surface_rise(theta: float) -> float:
    """Return how far the surface of a sphere has moved at a constant flux j, in units of j R/D, at θ = D t/R².

    e^θ (1 + erf √θ) - 1 = 2 √(θ/π) + θ + …, which leaves out what the centre sends back, some e^(-1/θ).

    Source: Carslaw & Jaeger, Conduction of Heat in Solids (1959), section 9.7.
    """
    return exp(theta) * (1 + erf(theta**0.5)) - 1


def pulse_bias(D: float, radius: float, from_: float, to: float) -> float:
    """Return by which share a diffusivity from `diffusivity_from_pulse` is too small; 1 where the pulse is too long.

    The formula keeps the first term of `surface_rise` between the times of the stretch [s]. The share is that of the
    diffusivity for which it then gives D.
    """

    def excess(logarithm: float) -> float:
        first, last = (exp(logarithm) * time / radius**2 for time in (from_, to))
        rise = surface_rise(last) - surface_rise(first)
        return logarithm + 2 * log(2 / pi**0.5 * (last**0.5 - first**0.5) / rise) - log(D)

    low, high = log(D), log(LONGEST * radius**2 / to)
    if low >= high or excess(high) <= 0:
        return 1.0
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        low, high = (low, middle) if excess(middle) > 0 else (middle, high)
    return 1 - D / exp(low)


def pulse_bend(D: float, radius: float, from_: float, to: float) -> float:
    """Return by which factor the slope over √t of a sphere's surface changes within a stretch of a pulse.

    It is that of the second half, in √t, over that of the first, by `surface_rise`.
    """
    first, last = (min(D * time / radius**2, LONGEST) ** 0.5 for time in (from_, to))
    rises = [surface_rise((first + (last - first) * part) ** 2) for part in (0.0, 0.5, 1.0)]
    return (rises[2] - rises[1]) / (rises[1] - rises[0])
