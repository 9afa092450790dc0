"""Diffusion in the mean particle of an electrode, in groups of parameters: capacity and diffusion time."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pybamm

from cellwright.models.reduced.base import ReducedModel
from cellwright.physics.constants import SECONDS_PER_HOUR
from cellwright.schema.names import names_of

TEMPERATURE = "Temperature [K]"
EDGE = 1e-10
"""How near to 0 and 1 functions of a stoichiometry are evaluated, as in PyBaMM."""
POINTS = 20
"""Shells of a particle, as many as in PyBaMM's models."""
STRETCH = 3.0
"""How much thinner the shells become towards the surface: exp(3) = 20 times.

After a step of the current the stoichiometry of the surface of the LG M50's positive particle is 2e-4 off after 3 s; in
shells of one thickness it is 4e-3, of which 4 mV come. A fit to pulses of a tenth of R²/D has the diffusivity then to
0.2 % and the resistance to 1 %; with as many equal shells they come out 5 % and 20 % too large."""


@dataclass(frozen=True)
class Particle:
    """The mean particle of an electrode.

    ∂θ/∂t = (1/x²) ∂/∂x (x² (1/τ) ∂θ/∂x) for 0 < x < 1, the distance from the centre in radii, with the stoichiometry
    θ [-] and the diffusion time τ = R²/D [s]. Through the surface go I / (3600 Q) moles per mole of the electrode:
    -(1/τ) ∂θ/∂x = ± I / (3 · 3600 Q) at x = 1, so that the mean follows dθ/dt = ∓ I / (3600 Q), with the current I [A]
    and the electrode's capacity Q [A.h]; lithium leaves the negative electrode on discharge and enters the others.

    It is the equation of PyBaMM's single particle model: Q = F ε L A c_max / 3600 (Marquis et al. 2019,
    doi:10.1149/2.0341915jes, in the groups of Bizeray et al. 2019, doi:10.1109/TCST.2018.2838097).
    """

    electrode: str
    capacity: Any
    """Q [A.h]."""
    initial: Any
    """θ at the start [-]."""
    rate: Callable[[Any], Any]
    """1/τ [s-1] of a stoichiometry."""
    potential: Callable[[Any], Any]
    """Open-circuit potential [V] of a stoichiometry."""

    @property
    def stoichiometry(self) -> Any:
        """Θ over the particle."""
        return pybamm.Variable(f"X-averaged {self.electrode} particle stoichiometry", domain=self.domain)

    @property
    def domain(self) -> str:
        """The name of the particle's domain."""
        return f"{self.electrode} particle"

    @property
    def radial(self) -> Any:
        """The distance x from the centre; PyBaMM calls it r_n and r_p."""
        name = {"negative": "r_n", "positive": "r_p"}.get(self.electrode, "r")
        return pybamm.SpatialVariable(name, domain=[self.domain], coord_sys="spherical polar")

    @property
    def surface(self) -> Any:
        """Θ at the surface."""
        return pybamm.surf(self.stoichiometry)

    @property
    def mean(self) -> Any:
        """The mean of θ."""
        whole = pybamm.Integral(pybamm.PrimaryBroadcast(1, self.domain), self.radial)
        return pybamm.Integral(self.stoichiometry, self.radial) / whole

    def add_to(self, model: Any) -> None:
        """Add the equation, its variables, and the ends at an empty and a full surface to a model."""
        theta, rate = self.stoichiometry, self.rate(self.stoichiometry)
        outward = 1 if self.electrode == "negative" else -1
        flux = outward * model.current / (3 * SECONDS_PER_HOUR * self.capacity)
        model.start(theta, pybamm.div(rate * pybamm.grad(theta)), self.initial)
        model.boundary_conditions[theta] = {
            "left": (pybamm.Scalar(0), "Neumann"),
            "right": (-flux / pybamm.surf(rate), "Neumann"),
        }
        electrode, title = self.electrode, self.electrode.capitalize()
        at_surface, in_bulk = self.potential(self.surface), self.potential(self.mean)
        model.variables.update(
            {
                f"X-averaged {electrode} particle stoichiometry": theta,
                f"X-averaged {electrode} particle surface stoichiometry": self.surface,
                f"Average {electrode} particle stoichiometry": self.mean,
                f"X-averaged {electrode} electrode open-circuit potential [V]": at_surface,
                f"{title} electrode bulk open-circuit potential [V]": in_bulk,
                f"{title} particle concentration overpotential [V]": at_surface - in_bulk,
            }
        )
        model.events += [
            pybamm.Event(f"Minimum {electrode} particle surface stoichiometry", self.surface),
            pybamm.Event(f"Maximum {electrode} particle surface stoichiometry", 1 - self.surface),
        ]


class ParticleModel(ReducedModel):
    """A reduced model with particles in its electrodes, or in the one that stands for the whole cell."""

    particles: Mapping[str, Particle]

    def add_particles(self, *particles: Particle) -> Any:
        """Add the particles of the electrodes; return the difference [V] of their open-circuit potentials.

        It is that at the surfaces, positive minus negative where there are both.
        """
        self.particles = {one.electrode: one for one in particles}
        for one in particles:
            one.add_to(self)
        at_surface = self.difference(lambda one: one.potential(one.surface))
        in_bulk = self.difference(lambda one: one.potential(one.mean))
        self.variables.update(
            {
                "Surface open-circuit voltage [V]": at_surface,
                "Bulk open-circuit voltage [V]": in_bulk,
                "Battery open-circuit voltage [V]": in_bulk,
                "Particle concentration overpotential [V]": at_surface - in_bulk,
            }
        )
        return at_surface

    def difference(self, of: Callable[[Particle], Any]) -> Any:
        """Return something of the positive, or the only, particle less that of the negative one, if there is one."""
        return sum(-of(one) if one.electrode == "negative" else of(one) for one in self.particles.values())

    @property
    def default_geometry(self) -> Any:
        """Particles whose radius is 1."""
        return pybamm.Geometry({one.domain: {one.radial: {"min": 0, "max": 1}} for one in self.particles.values()})

    @property
    def default_var_pts(self) -> Any:
        """Shells of each particle."""
        return {one.radial: POINTS for one in self.particles.values()}

    @property
    def default_submesh_types(self) -> Any:
        """Shells that are the thinner the nearer they are to the surface."""
        shells = pybamm.MeshGenerator(pybamm.Exponential1DSubMesh, {"side": "right", "stretch": STRETCH})
        return {one.domain: shells for one in self.particles.values()}

    @property
    def default_spatial_methods(self) -> Any:
        """Finite volumes."""
        return {one.domain: pybamm.FiniteVolume() for one in self.particles.values()}


def inside(stoichiometry: Any) -> Any:
    """Return a stoichiometry at which functions of it have a value."""
    return pybamm.maximum(pybamm.minimum(stoichiometry, 1 - EDGE), EDGE)


def open_circuit_potential(electrode: str, stoichiometry: Any, direction: str | None = None) -> Any:
    """Return the open-circuit potential [V] of an electrode."""
    return function_of(names_of(electrode, None, direction).open_circuit_potential, electrode, stoichiometry)


def function_of(name: str, electrode: str, stoichiometry: Any, temperature: Any = None) -> Any:
    """Return a parameter that may be a function of an electrode's stoichiometry and of the temperature [K]."""
    inputs = {f"{electrode.capitalize()} particle stoichiometry": inside(stoichiometry)}
    return pybamm.FunctionParameter(name, inputs if temperature is None else {**inputs, TEMPERATURE: temperature})
