"""Diffusion in the particles and a series resistance."""

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

import pybamm

from cellwright.models.area import AREA
from cellwright.models.reduced.particle import Particle, ParticleModel, function_of, open_circuit_potential
from cellwright.physics.geometry import host_capacity
from cellwright.schema.names import ELECTRODES, names_of

RESISTANCE = "Ohmic resistance [Ohm]"
STEEPNESS = 100
"""Of PyBaMM's smooth step between charge and discharge, over a current density in A.m-2."""
BRANCHES = ("single", "current sigmoid")


class GITTModel(ParticleModel):
    """See `cellwright.catalog.models.GITTModel` for the equations. The options are those of PyBaMM's models."""

    choices: ClassVar = {
        "working electrode": ("both", "positive"),
        "open-circuit potential": BRANCHES,
        "diffusivity": BRANCHES,
    }

    def __init__(self, options: Mapping[str, Any] | None = None) -> None:
        super().__init__("GITT model", options)
        self.area = pybamm.Parameter(AREA)
        self.temperature = pybamm.Parameter("Initial temperature [K]")
        particles = [self.particle(one) for one in self.electrodes]
        equilibrium = self.add_particles(*particles)
        for one in particles:
            self._add_concentrations(one)
        lost = -self.current * pybamm.Parameter(RESISTANCE)
        self.variables["Ohmic overpotential [V]"] = lost
        self.variables["Volume-averaged cell temperature [K]"] = self.temperature
        self.finish(equilibrium + lost)

    @classmethod
    def chosen(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the options, a pair where the electrodes differ. Raises: `pybamm.OptionError` for others."""
        default = pybamm.BatteryModelOptions({})
        for name, value in given.items():
            sides = set(value) if isinstance(value, tuple) else {value}
            if name in default and not sides <= {*cls.choices.get(name, (default[name],))}:
                raise pybamm.OptionError(
                    f"{name!r} cannot be {value!r} here, where there are diffusion in spheres and a resistance alone"
                )
        known = pybamm.BatteryModelOptions(dict(given))
        return {name: known[name] for name in cls.choices}

    @property
    def electrodes(self) -> tuple[str, ...]:
        """The electrodes that have particles; with a working electrode the other one is lithium."""
        return ELECTRODES if self.options["working electrode"] == "both" else ("positive",)

    def particle(self, electrode: str) -> Particle:
        """Return the mean particle of an electrode."""
        name = names_of(electrode)
        maximum, volume_fraction, thickness, radius, initial = map(
            pybamm.Parameter,
            (
                name.maximum_concentration,
                name.volume_fraction,
                name.thickness,
                name.particle_radius,
                name.initial_concentration,
            ),
        )
        diffusivity, potential = (
            partial(self._branched, option, electrode, partial(function, electrode))
            for option, function in (
                ("diffusivity", self._diffusivity),
                ("open-circuit potential", open_circuit_potential),
            )
        )
        return Particle(
            electrode=electrode,
            capacity=host_capacity(maximum, volume_fraction, thickness, self.area),
            initial=initial / maximum,
            rate=lambda theta: diffusivity(theta) / radius**2,
            potential=potential,
        )

    def _diffusivity(self, electrode: str, theta: Any, direction: str | None = None) -> Any:
        return function_of(names_of(electrode, None, direction).diffusivity, electrode, theta, self.temperature)

    def _branched(self, option: str, electrode: str, function: Any, theta: Any) -> Any:
        """Return a function of the stoichiometry, or its two branches with a smooth step from one to the other."""
        value = self.options[option]
        side = value[ELECTRODES.index(electrode)] if isinstance(value, tuple) else value
        if side == "single":
            return function(theta)
        lithiating = self.current / self.area * (1 if electrode == "positive" else -1)
        share = pybamm.sigmoid(0, lithiating, STEEPNESS)
        return share * function(theta, "lithiation") + (1 - share) * function(theta, "delithiation")

    def _add_concentrations(self, particle: Particle) -> None:
        electrode = particle.electrode
        maximum = pybamm.Parameter(names_of(electrode).maximum_concentration)
        for word, theta in (
            (f"X-averaged {electrode} particle", particle.stoichiometry),
            (f"X-averaged {electrode} particle surface", particle.surface),
            (f"Average {electrode} particle", particle.mean),
        ):
            self.variables[f"{word} concentration [mol.m-3]"] = theta * maximum
