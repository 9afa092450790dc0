"""Impedance of built models: solved many times, here or, once they are sent there, in a process without PyBaMM.

A model M dy/dt = f(y, I), V = g(y, I) at rest answers a small harmonic current of angular frequency ω with the
impedance Z = -dV/dI = -(g_y (iω M - f_y)⁻¹ f_I + g_I), the current I being positive in discharge.

Source: Hallemans, Courtier, Please, Planden, Dhoot, Timms, Chapman, Howey & Duncan, J. Electrochem. Soc. 172 (2025)
060507.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import casadi
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_matrix
from scipy.sparse.linalg import splu

from cellwright.models.parameterised import ParameterisedModel, one_line
from cellwright.schema.simulation import IMPEDANCE, Array, ImpedanceProblem, Solved

TOGETHER, STATES = 10, 3000
"""Frequencies whose equations are factorised at once, as one block-diagonal matrix, and the rows that it may have."""
FACTORS: dict[str, Any] = {"permc_spec": "NATURAL", "relax": 1, "panel_size": 1}
"""The columns stay in the kernel's order; matrices as thin as these have no dense parts worth looking for."""
KEPT = 8
"""How many models of other structural parameters are kept."""

Places = NDArray[np.int32]


@dataclass(frozen=True)
class ImpedanceKernel:
    """A discretised model, linearised about its initial state.

    iω M - f_y is kept by columns, in an order in which its factors stay sparse: `rows` and `starts` are its pattern,
    `mass` the entries of M there, `places` where those of f_y belong. `linearised` is the serialised CasADi function of
    the inputs that returns the entries of f_y, f_I, g_y in the order of the columns, and g_I.
    """

    inputs: tuple[str, ...]
    linearised: str
    rows: Places
    starts: Places
    mass: Array
    places: Places


class Spectrum:
    """A kernel made ready to work out the impedance at frequencies [Hz] in this process."""

    def __init__(self, kernel: ImpedanceKernel, frequencies: Array) -> None:
        self._kernel = kernel
        self._linearised = casadi.Function.deserialize(kernel.linearised)
        self._frequencies: NDArray[np.complex128] = 2j * np.pi * np.asarray(frequencies, dtype=complex)
        self._size = len(kernel.starts) - 1
        self._together = min(TOGETHER, max(STATES // self._size, 1))
        blocks = np.arange(self._together)[:, None]
        self._rows = (kernel.rows + blocks * self._size).ravel().astype(np.int32)
        ends = kernel.starts[1:] + blocks * len(kernel.rows)
        self._starts = np.concatenate([[0], ends.ravel()]).astype(np.int32)

    def at(self, point: Sequence[float]) -> NDArray[np.complex128]:
        """Return the impedance [Ohm] at the frequencies, at values of the inputs in their order.

        Raises: `ValueError` where the linearised model has no value, `RuntimeError` where it is singular.
        """
        jacobian, driven, seen, through = (part.full() for part in self._linearised(np.asarray(point, dtype=float)))
        if not all(np.isfinite(part).all() for part in (jacobian, driven, seen, through)):
            raise ValueError("the model has no derivative in its initial state")
        stiffness = np.zeros(len(self._kernel.rows))
        stiffness[self._kernel.places] = jacobian.ravel()
        parts = [
            self._admitted(self._frequencies[begin : begin + self._together], stiffness, driven.ravel()) @ seen.ravel()
            for begin in range(0, len(self._frequencies), self._together)
        ]
        found: NDArray[np.complex128] = -(np.concatenate(parts) + through.item())
        return found

    def _admitted(self, frequencies: NDArray[np.complex128], stiffness: Array, driven: Array) -> NDArray[np.complex128]:
        """Return the harmonic states (frequencies, n) for a unit current: the solutions of (iω M - f_y) x = f_I."""
        count = len(frequencies)
        entries = frequencies[:, None] * self._kernel.mass - stiffness
        rows, starts = self._rows[: entries.size], self._starts[: count * self._size + 1]
        matrix = csc_matrix((entries.ravel(), rows, starts), shape=(count * self._size,) * 2)
        states = splu(matrix, **FACTORS).solve(np.tile(driven.astype(complex), count))
        return np.reshape(states, (count, self._size))


@dataclass(frozen=True, eq=False)
class BuiltImpedance(ParameterisedModel):
    """A built model whose impedance is asked for; see `cellwright.schema.simulation.Simulation`."""

    problem: ImpedanceProblem
    kernel: ImpedanceKernel | None = None
    """The linearised model; None where it is built for each value of the structural parameters."""

    @property
    def portable(self) -> bool:
        """Whether it can be pickled and used in a process that does not know PyBaMM."""
        return self.kernel is not None

    def thinned(self, points: Sequence[Mapping[str, float]]) -> "BuiltImpedance":
        """Return the same: spectra have few frequencies, all of which are wanted."""
        return self

    def solved(self, shape: tuple[float, ...], rows: list[list[float]]) -> list[Solved]:
        """Return the impedance at these values of the structural parameters and at each row of inputs."""
        return [self._answer(shape, row) for row in rows]

    def _answer(self, shape: tuple[float, ...], row: list[float]) -> Solved:
        try:
            impedance = self._spectrum_at(shape).at(row)
        except Exception as cause:  # whatever fails inside PyBaMM or the factorisation is a status of this solve
            return Solved("failed", message=one_line(cause))
        if not np.isfinite(impedance).all():
            return Solved("failed", message="the impedance has no value")
        return Solved("solved", dict(zip(IMPEDANCE, (impedance.real.copy(), impedance.imag.copy()), strict=True)))

    @cached_property
    def _spectrum_at(self) -> Any:
        """The function from values of the structural parameters to the spectrum, which keeps the last few."""
        return lru_cache(maxsize=KEPT)(self._spectrum)

    def _spectrum(self, shape: tuple[float, ...]) -> Spectrum:
        kernel = self.kernel
        if kernel is None:
            from cellwright.models.linearise import linearised  # PyBaMM; not where a kernel was sent

            kernel = linearised(self, dict(zip(self.structural, shape, strict=True)))
        return Spectrum(kernel, self.problem.frequencies)

    def __getstate__(self) -> dict[str, Any]:
        return {name: self.__dict__[name] for name in self.__dataclass_fields__}
