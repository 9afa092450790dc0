"""Single particle models in groups of parameters, with a series resistance, without and with electrolyte."""

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

import pybamm

from cellwright.models.reduced.particle import TEMPERATURE, Particle, function_of
from cellwright.models.reduced.temperature import CHOICES, ThermalModel
from cellwright.physics.constants import FARADAY, GAS, SECONDS_PER_HOUR
from cellwright.schema.names import ELECTRODES, names_of

SERIES = "Series resistance [Ohm]"
REGIONS = {"negative electrode": "x_n", "separator": "x_s", "positive electrode": "x_p"}
LAYERS = 20
"""Layers of each region of the electrolyte, as many as in PyBaMM's models."""


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
        parts = {region: pybamm.Variable(f"{region} concentration", domain=region) for region in REGIONS}
        names = {region: region.capitalize() for region in REGIONS}
        capacity = {region: pybamm.Parameter(f"{names[region]} electrolyte capacity [A.h]") for region in REGIONS}
        time = {
            region: pybamm.FunctionParameter(
                f"{names[region]} electrolyte diffusion time [s]", {TEMPERATURE: self.temperature}
            )
            for region in REGIONS
        }

        def over_all(values: Mapping[str, Any]) -> Any:
            return pybamm.concatenation(*(pybamm.PrimaryBroadcast(values[region], region) for region in REGIONS))

        concentration = pybamm.concatenation(*parts.values())
        sign = {"negative electrode": 1, "separator": 0, "positive electrode": -1}
        conducting = over_all({region: capacity[region] / time[region] for region in REGIONS})
        released = over_all({region: sign[region] * self.current / SECONDS_PER_HOUR for region in REGIONS})
        slope = (pybamm.div(conducting * pybamm.grad(concentration)) + released) / over_all(capacity)
        self.start(concentration, slope, pybamm.Scalar(1))
        closed = (pybamm.Scalar(0), "Neumann")
        self.boundary_conditions[concentration] = {"left": closed, "right": closed}
        logarithm = {
            region: pybamm.Integral(pybamm.log(pybamm.maximum(parts[region], 1e-3)), _coordinate(region))
            for region in ("negative electrode", "positive electrode")
        }
        factor = pybamm.FunctionParameter("Electrolyte overpotential factor", {TEMPERATURE: self.temperature})
        thermal = GAS * self.temperature / FARADAY
        overpotential = factor * thermal * (logarithm["positive electrode"] - logarithm["negative electrode"])
        self.variables["Electrolyte concentration"] = concentration
        self.variables["X-averaged concentration overpotential [V]"] = overpotential
        self.events.append(pybamm.Event("Zero electrolyte concentration", pybamm.min(concentration) - 2e-3))
        return overpotential

    @property
    def default_geometry(self) -> Any:
        """The particles, and regions of the electrolyte whose thickness is 1."""
        regions = {
            region: {_coordinate(region): {"min": place, "max": place + 1}} for place, region in enumerate(REGIONS)
        }
        return pybamm.Geometry({**super().default_geometry, **regions})

    @property
    def default_var_pts(self) -> Any:
        """Shells of each particle, layers of each region."""
        return {**super().default_var_pts, **{_coordinate(region): LAYERS for region in REGIONS}}

    @property
    def default_submesh_types(self) -> Any:
        """Layers of one thickness."""
        return {**super().default_submesh_types, **dict.fromkeys(REGIONS, pybamm.Uniform1DSubMesh)}

    @property
    def default_spatial_methods(self) -> Any:
        """Finite volumes."""
        return {**super().default_spatial_methods, **{region: pybamm.FiniteVolume() for region in REGIONS}}


def _coordinate(region: str) -> Any:
    return pybamm.SpatialVariable(REGIONS[region], domain=[region], coord_sys="cartesian")
