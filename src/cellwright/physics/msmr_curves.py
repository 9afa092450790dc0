"""MSMR electrodes in numbers: what they hold over the potential, the potential over that, and how both move.

With sites j of standard potential U0_j [V], capacity Q_j [A.h] and ideality factor ω_j [-], f = F/(R T),
z_j = f (U - U0_j)/ω_j, s_j = 1/(1 + exp z_j) and g_j = s_j (1 - s_j):

q(U) = Σ Q_j s_j, dq/dU = -Σ Q_j (f/ω_j) g_j.

All derivatives by U0_j, Q_j and ω_j are closed forms; those of U(q), the inverse, follow from q(U(q, a), a) = q:
∂U/∂a = -(∂q/∂a)/(∂q/∂U).

Source: Verbrugge, Baker, Koch, Xiao & Gu, J. Electrochem. Soc. 164 (2017) E3243, doi:10.1149/2.0341708jes.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cellwright.physics.constants import FARADAY, GAS
from cellwright.physics.msmr import REFERENCE_TEMPERATURE

Array = NDArray[np.float64]

AROUND = np.linspace(-18.0, 18.0, 37)
"""Where the table of the inverse looks around each standard potential, in units of ω R T/F."""
EVENLY = 65
"""How many points it has evenly between the limits."""
ROUNDS = 60
"""Steps of Newton's method, or halvings, at most; some four are needed."""
CLOSE = 1e-9
"""Length [V] of the last step at most: behind one of Newton's method that long the error is its square over ω R T/F."""
STEEPEST = 10.0
"""Change of the potential [V] per capacity of the electrode beyond the limits, at most: steeper slopes end there."""


@dataclass(frozen=True)
class Population:
    """Standard potentials U0 [V], capacities Q [A.h] and ideality factors w [-] of the kinds of sites, and T [K]."""

    U0: Array
    Q: Array
    w: Array
    T: float = REFERENCE_TEMPERATURE

    @cached_property
    def rate(self) -> Array:
        """f/ω_j [V-1]."""
        return FARADAY / (GAS * self.T) / self.w

    def at(self, U: Array) -> "Filling":
        """Return the sites at potentials U [V] (n,)."""
        return Filling(self, U)


@dataclass(frozen=True)
class Motion:
    """Derivatives of a curve (n,) by U0, Q and w of each kind of sites: (n, j) each."""

    U0: Array
    Q: Array
    w: Array

    def times(self, factor: Array) -> "Motion":
        """Return the derivatives of a curve that changes by a factor (n,) of this one."""
        row = factor[:, None]
        return Motion(row * self.U0, row * self.Q, row * self.w)

    def plus(self, other: "Motion") -> "Motion":
        """Return the derivatives of the sum of two curves."""
        return Motion(self.U0 + other.U0, self.Q + other.Q, self.w + other.w)


class Filling:
    """Sites at potentials: the lithium that they hold, its derivatives by the potential, and theirs by the sites."""

    def __init__(self, sites: Population, U: Array) -> None:
        from scipy.special import expit

        self.sites = sites
        self.U = U
        self._z = (U[:, None] - sites.U0) * sites.rate
        self._s = expit(-self._z)
        self._g = self._s * expit(self._z)

    @property
    def q(self) -> Array:
        """q [A.h]."""
        return np.asarray(self._s @ self.sites.Q)

    @cached_property
    def slope(self) -> Array:
        """dq/dU [A.h.V-1], below 0."""
        return np.asarray(-self._g @ (self.sites.Q * self.sites.rate))

    @cached_property
    def q_motion(self) -> Motion:
        """The derivatives of q."""
        Q, rate, w = self.sites.Q, self.sites.rate, self.sites.w
        return Motion(self._g * (Q * rate), np.asarray(self._s), self._g * self._z * (Q / w))

    @cached_property
    def slope_motion(self) -> Motion:
        """The derivatives of dq/dU."""
        Q, rate, w = self.sites.Q, self.sites.rate, self.sites.w
        turned = self._g * self._turn
        return Motion(-turned * (Q * rate**2), -self._g * rate, (self._g - self._z * turned) * (Q * rate / w))

    @cached_property
    def _turn(self) -> Array:
        return np.asarray(1.0 - 2.0 * self._s)


@dataclass(frozen=True)
class Potential:
    """The potential of an electrode over the lithium q (n,) that it holds, and how it moves.

    `U` [V], its slope dU/dq [V.A-1.h-1], and the derivatives `motion` of U by the sites, at constant q.
    """

    U: Array
    slope: Array
    motion: Motion

    @classmethod
    def of(cls, sites: Population, q: Array, limits: tuple[float, float]) -> Self:
        """Return the potential at q [A.h] (n,) between two limits [V].

        Beyond what the electrode holds at a limit the potential goes on in a straight line, with its slope there but at
        most 10 V per capacity of the electrode, so that there is a potential, continuous in all, for each q.
        """
        full, empty = sites.at(np.array(limits)).q
        inside = (q < full) & (q > empty)
        U = np.where(q >= full, float(limits[0]), float(limits[1]))
        U[inside] = inverse(sites, q[inside], limits)
        filling = sites.at(U)
        dU = 1.0 / filling.slope
        if inside.all():
            return cls(U, dU, filling.q_motion.times(-dU))
        steepest = -STEEPEST / sites.Q.sum()
        m = np.where(inside, dU, np.maximum(dU, steepest))
        over = np.where(inside, 0.0, q - filling.q)
        nothing = np.zeros((len(q), len(sites.Q)))
        of_capacity = Motion(nothing, nothing - steepest / sites.Q.sum(), nothing)
        turning = _either(dU < steepest, of_capacity, filling.slope_motion.times(-(dU**2)))
        return cls(U + m * over, m, filling.q_motion.times(-m).plus(turning.times(over)))


def _either(where: NDArray[np.bool_], one: Motion, other: Motion) -> Motion:
    rows = where[:, None]
    return Motion(np.where(rows, one.U0, other.U0), np.where(rows, one.Q, other.Q), np.where(rows, one.w, other.w))


def inverse(sites: Population, q: Array, limits: tuple[float, float]) -> Array:
    """Return the potentials [V] (n,) at which sites hold q [A.h], each between what they hold at the limits [V].

    A table of q(U) brackets each, linear interpolation starts and Newton's method ends it, with a halving where a step
    would leave the bracket.
    """
    low, high = limits
    around = (sites.U0[:, None] + AROUND / sites.rate[:, None]).ravel()
    grid = np.unique(np.concatenate([np.linspace(low, high, EVENLY), around[(around > low) & (around < high)]]))
    held = sites.at(grid).q
    right = np.clip(np.searchsorted(-held, -q), 1, len(grid) - 1)
    a, b = grid[right - 1], grid[right]
    over, under = held[right - 1], held[right]
    with np.errstate(invalid="ignore", divide="ignore"):
        part = np.where(over > under, (over - q) / (over - under), 0.5)
    U = a + np.clip(part, 0.0, 1.0) * (b - a)
    for _ in range(ROUNDS):
        filling = sites.at(U)
        off = filling.q - q
        a, b = np.where(off > 0, U, a), np.where(off > 0, b, U)
        with np.errstate(invalid="ignore", divide="ignore"):
            step = U - off / filling.slope
        moved = np.where((step >= a) & (step <= b), step, (a + b) / 2)
        longest = float(np.abs(moved - U).max(initial=0.0))
        U = moved
        if longest <= CLOSE:
            break
    return np.asarray(U)
