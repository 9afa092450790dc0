"""Diffusion of salt between the electrodes of a cell, in groups of parameters."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pybamm

from cellwright.physics.constants import SECONDS_PER_HOUR

REGIONS = {"negative electrode": "x_n", "separator": "x_s", "positive electrode": "x_p"}
"""The regions in their order, and what PyBaMM calls the distance in them."""
RELEASED = {"negative electrode": 1, "separator": 0, "positive electrode": -1}
"""Whether salt comes or goes on discharge."""
LAYERS = 20
"""Layers of each region, as many as in PyBaMM's models."""
LEAST = 1e-3
"""The relative concentration below which its logarithm does not fall; at twice of it a simulation ends."""


@dataclass(frozen=True)
class Region:
    """The electrolyte in an electrode or in the separator."""

    name: str
    capacity: Any
    """Q, the charge that would use up its salt [A.h]."""
    time: Any
    """τ, the diffusion time across its thickness [s]."""


class Electrolyte:
    """The concentration c [-] of the electrolyte, relative to that at rest, in three regions whose thickness is 1.

    Q ∂c/∂t = ∂/∂y ((Q/τ) ∂c/∂y) + s I / 3600, with s = 1, 0, -1 and the current I [A], positive on discharge; c and
    (Q/τ) ∂c/∂y pass on from one region to the next, and no salt leaves the cell.

    It is the equation of PyBaMM's SPMe (Marquis et al. 2019, doi:10.1149/2.0341915jes) where the properties of the
    electrolyte are constant; `cellwright.physics.grouping` has the groups.
    """

    def __init__(self, *regions: Region) -> None:
        self._regions = regions
        self._parts = {
            one.name: pybamm.Variable(f"{one.name.capitalize()} electrolyte concentration", domain=one.name)
            for one in regions
        }

    @cached_property
    def concentration(self) -> Any:
        """Return c over all regions."""
        return pybamm.concatenation(*self._parts.values())

    @property
    def logarithm(self) -> Any:
        """Return the mean of ln c over the positive electrode less that over the negative one."""
        negative, positive = (
            pybamm.Integral(pybamm.log(pybamm.maximum(self._parts[name], LEAST)), coordinate(name))
            for name, released in RELEASED.items()
            if released
        )
        return positive - negative

    def add_to(self, model: Any) -> None:
        """Add the equation, its variable, and the end where there is no salt left to a model."""
        conductance = self._over_all([one.capacity / one.time for one in self._regions])
        source = self._over_all([RELEASED[one.name] * model.current / SECONDS_PER_HOUR for one in self._regions])
        capacity = self._over_all([one.capacity for one in self._regions])
        flux = conductance * pybamm.grad(self.concentration)
        model.start(self.concentration, (pybamm.div(flux) + source) / capacity, pybamm.Scalar(1))
        closed = (pybamm.Scalar(0), "Neumann")
        model.boundary_conditions[self.concentration] = {"left": closed, "right": closed}
        model.variables["Electrolyte concentration"] = self.concentration
        least = pybamm.min(self.concentration)
        model.events.append(pybamm.Event("Zero electrolyte concentration", least - 2 * LEAST))

    def _over_all(self, values: list[Any]) -> Any:
        parts = zip(self._regions, values, strict=True)
        return pybamm.concatenation(*(pybamm.PrimaryBroadcast(value, region.name) for region, value in parts))


def electrolyte_geometry() -> dict[str, Any]:
    """Return the extents of the regions, one after the other."""
    return {name: {coordinate(name): {"min": place, "max": place + 1}} for place, name in enumerate(REGIONS)}


def coordinate(region: str) -> Any:
    """Return the distance y across a region."""
    return pybamm.SpatialVariable(REGIONS[region], domain=[region], coord_sys="cartesian")
