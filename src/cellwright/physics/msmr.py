"""The multi-species, multi-reaction (MSMR) model of an electrode's open circuit.

Lithium sits on kinds of sites j, each with a standard potential U0_j [V], a fraction X_j [-] of all sites and an
ideality factor ω_j [-]. With f = F/(R T):

x_j(U) = X_j / (1 + exp(f (U - U0_j) / ω_j)), x(U) = Σ_j x_j(U), dx/dU = -Σ_j (f/ω_j) x_j (X_j - x_j) / X_j.

x falls with U from ΣX_j = 1 to 0; U(x) is its inverse. The first three functions take floats, arrays and expressions.

Source: Verbrugge, Baker, Koch, Xiao & Gu, J. Electrochem. Soc. 164 (2017) E3243, doi:10.1149/2.0341708jes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellwright.errors import ConfigurationError
from cellwright.physics.constants import FARADAY, GAS

REFERENCE_TEMPERATURE = 298.15
"""Temperature [K] at which the published sets hold."""
TOLERANCE = 1e-14
"""Potential [V] to which the inverse is found."""


@dataclass(frozen=True)
class Sites:
    """Standard potentials U0 [V], fractions X [-] and ideality factors w [-] of the kinds of sites."""

    U0: Sequence[Any]
    X: Sequence[Any]
    w: Sequence[Any]

    def __post_init__(self) -> None:
        if not len(self.U0) == len(self.X) == len(self.w) > 0:
            raise ConfigurationError(
                f"an MSMR set needs as many potentials as fractions and ideality factors, at least one of each; there "
                f"are {len(self.U0)}, {len(self.X)} and {len(self.w)}"
            )


def lithiation(U: Any, sites: Sites, T: Any = REFERENCE_TEMPERATURE) -> Any:
    """Return the stoichiometry x [-] at a potential U [V] and a temperature T [K]."""
    return sum(X * (1 - np.tanh(z / 2)) / 2 for X, z in zip(sites.X, _scaled(U, sites, T), strict=True))


def lithiation_slope(U: Any, sites: Sites, T: Any = REFERENCE_TEMPERATURE) -> Any:
    """Return dx/dU [V-1] at a potential U [V] and a temperature T [K]; it is below 0."""
    f = FARADAY / (GAS * T)
    scaled = zip(sites.X, sites.w, _scaled(U, sites, T), strict=True)
    return sum(-f / w * X * (1 - np.tanh(z / 2) ** 2) / 4 for X, w, z in scaled)


def entropic_change(U: Any, sites: Sites, T: Any = REFERENCE_TEMPERATURE, slopes: Sequence[Any] | None = None) -> Any:
    """Return dU/dT [V.K-1] at constant stoichiometry, for standard potentials of slope dU0_j/dT [V.K-1] (default 0).

    From x(U, T) = const: dU/dT = Σ_j a_j ((U - U0_j)/T + dU0_j/dT) / Σ_j a_j, with a_j = X_j/ω_j e^z_j/(1 + e^z_j)²
    and z_j = f (U - U0_j)/ω_j.
    """
    slopes = slopes or [0.0] * len(sites.U0)
    weights = [
        X / w * (1 - np.tanh(z / 2) ** 2) for X, w, z in zip(sites.X, sites.w, _scaled(U, sites, T), strict=True)
    ]
    changes = [(U - U0) / T + slope for U0, slope in zip(sites.U0, slopes, strict=True)]
    return sum(a * change for a, change in zip(weights, changes, strict=True)) / sum(weights)


def potential(x: Any, sites: Sites, T: float = REFERENCE_TEMPERATURE) -> NDArray[np.float64]:
    """Return the potential U [V] at stoichiometries x [-] (any shape), each strictly between 0 and ΣX_j; numbers alone.

    Bisection to `TOLERANCE` between potentials at which every site is full and empty.

    Raises: `ConfigurationError` for a stoichiometry that the sites do not reach.
    """
    x = np.asarray(x, dtype=np.float64)
    total = float(sum(sites.X))
    if not ((x > 0) & (x < total)).all():
        outside = float(x[~((x > 0) & (x < total))].flat[0])
        raise ConfigurationError(
            f"the stoichiometry {outside:.6g} is not inside 0 to {total:.6g}, where the sites reach"
        )
    # Beyond z = ln(ΣX/x) of the widest site nothing is left to fill or empty.
    reach = max(float(w) for w in sites.w) * GAS * T / FARADAY
    edge = min(float(x.min(initial=total)), float((total - x).min(initial=total)))
    span = reach * (np.log(len(sites.X) * total / edge) + 1)
    low = np.full(x.shape, min(map(float, sites.U0)) - span)
    high = np.full(x.shape, max(map(float, sites.U0)) + span)
    while float((high - low).max(initial=0.0)) > TOLERANCE * max(1.0, float(np.abs(high).max(initial=0.0))):
        middle = (low + high) / 2
        if ((middle == low) | (middle == high)).all():
            break
        above = lithiation(middle, sites, T) > x
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return (low + high) / 2


def _scaled(U: Any, sites: Sites, T: Any) -> list[Any]:
    f = FARADAY / (GAS * T)
    return [f * (U - U0) / w for U0, w in zip(sites.U0, sites.w, strict=True)]
