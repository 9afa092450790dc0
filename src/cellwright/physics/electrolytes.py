"""Published functions of electrolytes. They take floats, arrays and expressions; mol.m-3 and K in, SI out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

LITRES_PER_M3 = 1000.0


def nyman_diffusivity(c_e: Any) -> Any:
    """Return the diffusivity [m2.s-1] of LiPF6 in EC:EMC (3:7) at room temperature.

    D = 8.794e-11 c² - 3.972e-10 c + 4.862e-10, with c in mol.L-1.

    Source: Nyman, Behm & Lindbergh, Electrochim. Acta 53 (2008) 6356, doi:10.1016/j.electacta.2008.04.023.
    """
    c = c_e / LITRES_PER_M3
    return 8.794e-11 * c**2 - 3.972e-10 * c + 4.862e-10


def nyman_conductivity(c_e: Any) -> Any:
    """Return the conductivity [S.m-1] of LiPF6 in EC:EMC (3:7) at room temperature.

    κ = 0.1297 c³ - 2.51 c^1.5 + 3.329 c, with c in mol.L-1.

    Source: Nyman, Behm & Lindbergh, Electrochim. Acta 53 (2008) 6356, doi:10.1016/j.electacta.2008.04.023.
    """
    c = c_e / LITRES_PER_M3
    return 0.1297 * c**3 - 2.51 * c**1.5 + 3.329 * c


@dataclass(frozen=True)
class Landesfeind:
    """Coefficients of one solvent with LiPF6, for concentrations c [mol.L-1] and temperatures T [K].

    Source: Landesfeind & Gasteiger, J. Electrochem. Soc. 166 (2019) A3079, doi:10.1149/2.0571912jes.
    """

    kappa: tuple[float, ...]
    D: tuple[float, ...]
    chi: tuple[float, ...]
    t: tuple[float, ...]

    def conductivity(self, c_e: Any, T: Any) -> Any:
        """Return κ [S.m-1].

        κ = 0.1 p1 (1 + (T - p2)) c (1 + p3 √c + p4 (1 + p5 e^(1000/T)) c) / (1 + c⁴ p6 e^(1000/T)).
        """
        p1, p2, p3, p4, p5, p6 = self.kappa
        c, factor = c_e / LITRES_PER_M3, np.exp(1000 / T)
        above = p1 * (1 + (T - p2)) * c * (1 + p3 * np.sqrt(c) + p4 * (1 + p5 * factor) * c)
        return 0.1 * above / (1 + c**4 * (p6 * factor))

    def diffusivity(self, c_e: Any, T: Any) -> Any:
        """Return D = 1e-10 p1 e^(p2 c) e^(p3/T) e^(p4 c/T) [m2.s-1]."""
        p1, p2, p3, p4 = self.D
        c = c_e / LITRES_PER_M3
        return 1e-10 * p1 * np.exp(p2 * c) * np.exp(p3 / T) * np.exp(p4 * c / T)

    def thermodynamic_factor(self, c_e: Any, T: Any) -> Any:
        """Return the thermodynamic factor [-], a polynomial of third degree in c and second in T."""
        return _polynomial(self.chi, c_e / LITRES_PER_M3, T)

    def transference_number(self, c_e: Any, T: Any) -> Any:
        """Return the cation transference number [-], a polynomial of third degree in c and second in T."""
        return _polynomial(self.t, c_e / LITRES_PER_M3, T)


def _polynomial(p: tuple[float, ...], c: Any, T: Any) -> Any:
    """Return p1 + p2 c + p3 T + p4 c² + p5 c T + p6 T² + p7 c³ + p8 c² T + p9 c T²."""
    powers = (1.0, c, T, c**2, c * T, T**2, c**3, c**2 * T, c * T**2)
    return sum(coefficient * power for coefficient, power in zip(p, powers, strict=True))


LANDESFEIND: Mapping[str, Landesfeind] = {
    "EC:DMC (1:1)": Landesfeind(
        kappa=(7.98e-1, 2.28e2, -1.22, 5.09e-1, -4e-3, 3.79e-3),
        D=(1.47e3, 1.33, -1.69e3, -5.63e2),
        chi=(-5.58, 7.17, 3.80e-2, 1.91, -6.65e-2, -5.08e-5, 1.1e-1, -6.10e-3, 1.51e-4),
        t=(-7.91, 2.45e-1, 5.28e-2, 6.98e-1, -1.08e-2, -8.21e-5, 7.43e-4, -2.22e-3, 3.07e-5),
    ),
    "EC:EMC (3:7)": Landesfeind(
        kappa=(5.21e-1, 2.28e2, -1.06, 3.53e-1, -3.59e-3, 1.48e-3),
        D=(1.01e3, 1.01, -1.56e3, -4.87e2),
        chi=(2.57e1, -4.51e1, -1.77e-1, 1.94, 2.95e-1, 3.08e-4, 2.59e-1, -9.46e-3, -4.54e-4),
        t=(-1.28e1, -6.12, 8.21e-2, 9.04e-1, 3.18e-2, -1.27e-4, 1.75e-2, -3.12e-3, -3.96e-5),
    ),
    "EMC:FEC (19:1)": Landesfeind(
        kappa=(2.51e-2, 1.75e2, 1.23, 2.05e-1, -8.81e-2, 2.83e-3),
        D=(5.86e2, 1.33, -1.38e3, -5.82e2),
        chi=(3.22, -1.01e1, -1.58e-2, 6.12, 2.96e-2, 2.42e-5, -2.22e-1, -1.57e-2, 6.30e-6),
        t=(-1.22e1, -3.05, 8.38e-2, 1.78, 1.51e-3, -1.37e-4, -2.45e-2, -5.15e-3, 2.14e-5),
    ),
}
"""The three solvents, ratios by weight."""
