"""Single particle models in groups of parameters, with a series resistance, without and with electrolyte."""

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

import pybamm

from cellwright.models.reduced.electrolyte import (
    LAYERS,
    REGIONS,
    Electrolyte,
    Region,
    coordinate,
    electrolyte_geometry,
)
from cellwright.models.reduced.particle import TEMPERATURE, Particle, function_of
from cellwright.models.reduced.temperature import CHOICES, ThermalModel
from cellwright.physics.constants import FARADAY, GAS
from cellwright.schema.names import ELECTRODES, names_of

SERIES = "Series resistance [Ohm]"


class LumpedSPMR(ThermalModel):
    """See `cellwright.catalog.models.LumpedSPMR` for the equations."""

    choices: ClassVar = {**CHOICES, "working electrode": ("both",)}
    title: ClassVar[str] = "Lumped single particle model with resistance"

    def __init__(self, options: Mapping[str, Any] | None = None) -> None:
        super().__init__(self.title, options)
        equilibrium = self.add_particles(*map(self.particle, ELECTRODES))
        lost = -self.current * pybamm.FunctionParameter(SERIES, {TEMPERATURE: self.temperature})
        self.variables["Ohmic overpotential [V]"] = lost
        self.variables["SoC"] = self._state_of_charge()
        self.finish(equilibrium + lost + self.electrolyte())
        self.heat(equilibrium)

    def particle(self, electrode: str) -> Particle:
        """Return the mean particle of an electrode."""
        name = names_of(electrode)
        return Particle(
            electrode=electrode,
            capacity=pybamm.Parameter(name.capacity),
            initial=pybamm.Parameter(name.initial_stoichiometry),
            rate=lambda theta: 1 / function_of(name.diffusion_time, electrode, theta, self.temperature),
            potential=partial(self.potential, electrode),
        )

    def _state_of_charge(self) -> Any:
        name, theta = names_of("negative"), self.particles["negative"].mean
        empty, full = (pybamm.Parameter(name.stoichiometry_at(soc)) for soc in (0, 100))
        return (theta - empty) / (full - empty)

    def electrolyte(self) -> Any:
        """Return the concentration overpotential [V] of the electrolyte: without one there is none."""
        return 0


class LumpedSPMeR(LumpedSPMR):
    """See `cellwright.catalog.models.LumpedSPMeR` for the equations."""

    title: ClassVar[str] = "Lumped single particle model with electrolyte and resistance"

    def electrolyte(self) -> Any:
        """Add the concentration of the electrolyte; return its overpotential [V]."""
        electrolyte = Electrolyte(*map(self._region, REGIONS))
        electrolyte.add_to(self)
        factor = pybamm.FunctionParameter("Electrolyte overpotential factor", {TEMPERATURE: self.temperature})
        overpotential = factor * GAS * self.temperature / FARADAY * electrolyte.logarithm
        self.variables["X-averaged concentration overpotential [V]"] = overpotential
        return overpotential

    def _region(self, name: str) -> Region:
        title = f"{name.capitalize()} electrolyte"
        time = pybamm.FunctionParameter(f"{title} diffusion time [s]", {TEMPERATURE: self.temperature})
        return Region(name, pybamm.Parameter(f"{title} capacity [A.h]"), time)

    @property
    def default_geometry(self) -> Any:
        """The particles, and regions of the electrolyte whose thickness is 1."""
        return pybamm.Geometry({**super().default_geometry, **electrolyte_geometry()})

    @property
    def default_var_pts(self) -> Any:
        """Shells of each particle, layers of each region."""
        return {**super().default_var_pts, **{coordinate(region): LAYERS for region in REGIONS}}

    @property
    def default_submesh_types(self) -> Any:
        """Layers of one thickness."""
        return {**super().default_submesh_types, **dict.fromkeys(REGIONS, pybamm.Uniform1DSubMesh)}

    @property
    def default_spatial_methods(self) -> Any:
        """Finite volumes."""
        return {**super().default_spatial_methods, **{region: pybamm.FiniteVolume() for region in REGIONS}}
