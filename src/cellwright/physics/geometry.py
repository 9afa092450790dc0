"""Geometry of porous electrodes. All functions take floats, arrays and expressions; SI units."""

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
