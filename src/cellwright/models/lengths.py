"""Lengths of a cell as inputs of a model that is built once: meshes that stretch with them.

PyBaMM takes thicknesses and particle radii as numbers, for its meshes are numbers. Where a mesh is uniform it can be
one of the unit interval instead, times a length that is an input.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pybamm

from cellwright.schema.names import ELECTRODES
from cellwright.schema.simulation import ModelSpec

STRETCHES = "SymbolicUniform1DSubMesh"
CELL = ("negative electrode", "separator", "positive electrode")
PARTICLES = tuple(
    f"{electrode}{phase} particle" for electrode in ELECTRODES for phase in ("", " primary", " secondary")
)
OWN_MESH = ("submesh_types", "geometry", "spatial_methods")


def stretching(spec: ModelSpec, model: Any, names: Sequence[str]) -> ModelSpec | None:
    """Return the model on meshes that stretch with these lengths.

    There is none where the settings choose meshes, where a mesh is not uniform, or where a domain is none of the
    electrodes, separator and particles: the model is then built anew for each value. In the electrodes and the
    separator a mesh that stretches comes closer to the limit of fine meshes than PyBaMM's own with as many points
    (0.02 mV against 0.6 mV of a DFN at 1C), so that what is predicted differs by that.
    """
    geometry = model.default_geometry
    own = any(spec.settings.get(name) for name in OWN_MESH)
    if not names or own or getattr(model, "options", {}).get("dimensionality", 0):
        return None
    if not set(geometry) <= {*CELL, *PARTICLES, "current collector"}:
        return None
    domains = [name for name in geometry if name != "current collector"]
    meshes = [model.default_submesh_types[name] for name in domains]
    if not all(getattr(mesh, "submesh_type", mesh) is pybamm.Uniform1DSubMesh for mesh in meshes):
        return None
    return replace(spec, settings={**spec.settings, "submesh_types": dict.fromkeys(domains, STRETCHES)})
