"""Spectra in the plane of complex numbers, on axes of equal scale."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from cellwright.report.curves import DATA, MODEL, Array, Role, decimate, label_of, plain
from cellwright.schema.results import Channels
from cellwright.schema.simulation import FREQUENCY, IMPEDANCE

REAL, IMAGINARY = IMPEDANCE


@dataclass(frozen=True)
class Locus:
    """One spectrum: what it is called, what it stands for, its real and imaginary parts [Ohm]."""

    label: str
    role: Role
    real: Array
    imaginary: Array


@dataclass(frozen=True)
class Nyquist:
    """Spectra over each other: real part to the right, negative imaginary part upward, an ohm as long either way."""

    title: str
    loci: tuple[Locus, ...]
    small: bool = False

    @property
    def x(self) -> Array:
        """The real part of the first spectrum."""
        return self.loci[0].real

    def to_json(self, points: int) -> dict[str, Any]:
        """Return the plot as the page's script takes it, thinned to so many points."""
        return {
            "title": self.title,
            "small": self.small,
            "x": {"label": label_of("Re Z [Ohm]")},
            "y": {"label": label_of("-Im Z [Ohm]")},
            "loci": [self._locus(locus, points) for locus in self.loci],
        }

    @staticmethod
    def _locus(locus: Locus, points: int) -> dict[str, Any]:
        there = np.isfinite(locus.real) & np.isfinite(locus.imaginary)
        real, imaginary = locus.real[there], -locus.imaginary[there]
        kept = decimate(np.array([real, imaginary]), points) if real.size else slice(None)
        return {
            "label": locus.label,
            "role": locus.role,
            "x": plain(real[kept], 6),
            "y": plain(imaginary[kept], 6),
        }


def is_spectrum(channels: Channels) -> bool:
    """Tell whether an objective compares impedance."""
    return FREQUENCY in channels and all(name + kind in channels for name in IMPEDANCE for kind in (DATA, MODEL))


def nyquist(title: str, series: Mapping[str, Channels], fitted: bool) -> Nyquist | None:
    """Return the plot of an objective that compares impedance, None of any other.

    `fitted` tells whether the model was fitted to these data, and is drawn with where it stood before.
    """
    best = series.get("optimal") or series.get("baseline") or {}
    if not is_spectrum(best):
        return None
    loci = [_locus("Data", "data", best, DATA)]
    before = series.get("baseline", {}) if "optimal" in series else {}
    if is_spectrum(before):
        loci.append(_locus("Model, initial", "initial", before, MODEL))
    loci.append(_locus("Model, fitted" if fitted else "Model", "fitted", best, MODEL))
    return Nyquist(f"{title}: impedance", tuple(loci))


def _locus(label: str, role: Role, channels: Channels, kind: str) -> Locus:
    order = np.argsort(channels[FREQUENCY], kind="stable")
    real, imaginary = (np.asarray(channels[name + kind], dtype=float)[order] for name in IMPEDANCE)
    return Locus(label, role, real, imaginary)
