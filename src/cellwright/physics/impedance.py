"""Impedance spectra: their parts, and the sign that their imaginary part has."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def cartesian(modulus: Array, phase: Array) -> tuple[Array, Array]:
    """Return real and imaginary part [Ohm] of modulus [Ohm] and phase [degree]: Re Z = |Z| cos φ, Im Z = |Z| sin φ."""
    angle = np.deg2rad(phase)
    return modulus * np.cos(angle), modulus * np.sin(angle)


def inductive_share(frequency: Array, real: Array, imaginary: Array) -> float:
    """Return how much of a cell's spectrum below its ohmic intercept is inductive, as a fraction of Σ |Im Z|.

    The intercept is taken where Re Z is least; what lies at higher frequencies [Hz] is that of wires. A cell is
    capacitive below, Im Z < 0, so that a share near 1 is the mark of a spectrum written with -Im Z. Source: Orazem &
    Tribollet, Electrochemical Impedance Spectroscopy (2008), ch. 4.
    """
    own = imaginary[frequency <= frequency[np.argmin(real)]]
    total = np.abs(own).sum()
    return float(own[own > 0].sum() / total) if total else 0.0
