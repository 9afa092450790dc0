"""Materials: published parameter values to start from (`cw.Library`, `cw.Material`).

Each material is one file in `materials`, a YAML document of the fields of `Material`. Adding one is adding a file.
"""

from functools import lru_cache
from importlib.resources import files
from typing import Any

from pydantic import Field

from cellwright.catalog.entries.direct import DirectEntry
from cellwright.errors import NotFoundError, did_you_mean
from cellwright.schema.variant import Schema

__all__ = ["Library", "Material"]


class Material(Schema):
    """Published parameter values of a material, with the source they come from.

    The values stand under PyBaMM's names; an MSMR set as lists with a value for each kind of site: standard potential
    [V], occupancy fraction [-], ideality factor [-].
    """

    positional = ("name", "description", "parameter_values")

    name: str
    description: str | None = None
    parameter_values: dict[str, Any] = Field(default_factory=dict)
    source: str | None = None

    @classmethod
    def from_library(cls, name: str) -> "Material":
        """Return the material of that name. Raises: `NotFoundError` with the nearest names."""
        known = _materials()
        if name not in known:
            raise NotFoundError(
                f"the library has no material {name!r}",
                hint=did_you_mean(name, known) or f"there are {', '.join(map(repr, known))}",
            )
        return cls(**known[name].model_copy(deep=True).model_dump())

    def entry(self) -> DirectEntry:
        """Return the values as an entry of a pipeline, with their source."""
        return DirectEntry(parameters=self.parameter_values, source=self.source or self.name)


class Library:
    """The materials that come with Cellwright."""

    @staticmethod
    def list_materials() -> list[str]:
        """Return the names of all materials, in alphabetical order."""
        return list(_materials())

    @staticmethod
    def get_material(name: str) -> Material:
        """Return the material of that name. Raises: `NotFoundError` with the nearest names."""
        return Material.from_library(name)


@lru_cache(maxsize=1)
def _materials() -> dict[str, Material]:
    import yaml

    folder = files("cellwright.catalog.library") / "materials"
    documents = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in folder.iterdir() if file.is_file()]
    materials = [Material(**document) for document in documents]
    return {material.name: material for material in sorted(materials, key=lambda material: material.name)}
