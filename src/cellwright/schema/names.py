"""Parameter names: units in brackets, the names of one electrode, the vocabulary, near misses."""

import re
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Literal

Electrode = Literal["positive", "negative", "lumped"]
ELECTRODES = ("negative", "positive")
Phase = Literal["", "primary", "secondary"]
Direction = Literal["lithiation", "delithiation"]

_UNIT = re.compile(r"^(?P<base>.*?)\s*\[(?P<unit>[^\]]*)\]$")


def unit_of(name: str) -> str | None:
    """Return what stands in brackets at the end of a parameter's name, or None."""
    match = _UNIT.match(name)
    return match["unit"] if match else None


def base_of(name: str) -> str:
    """Return a parameter's name without its unit."""
    match = _UNIT.match(name)
    return match["base"] if match else name


@lru_cache(maxsize=1)
def vocabulary() -> frozenset[str]:
    """Return the names of all parameters that PyBaMM's models and parameter sets and our members know."""
    text = (files("cellwright.schema") / "parameter_names.txt").read_text(encoding="utf-8")
    return frozenset(line for line in text.splitlines() if line and not line.startswith("#"))


def same_but_unit(name: str) -> list[str]:
    """Return the known names that differ from `name` in the unit alone."""
    base = base_of(name)
    return sorted(known for known in vocabulary() if known != name and base_of(known) == base)


@dataclass(frozen=True)
class ElectrodeNames:
    """The names of one electrode's parameters, with the prefix of a phase and a hysteresis direction."""

    electrode: str
    phase: str = ""
    direction: str = ""

    @property
    def _title(self) -> str:
        return self.electrode.capitalize()

    @property
    def _phase(self) -> str:
        return f"{self.phase.capitalize()}: " if self.phase else ""

    @property
    def _direction(self) -> str:
        return f"{self.direction} " if self.direction else ""

    @property
    def thickness(self) -> str:
        """Coating thickness."""
        return f"{self._title} electrode thickness [m]"

    @property
    def volume_fraction(self) -> str:
        """Active material volume fraction."""
        return f"{self._phase}{self._title} electrode active material volume fraction"

    @property
    def particle_radius(self) -> str:
        """Particle radius."""
        return f"{self._phase}{self._title} particle radius [m]"

    @property
    def surface_area_per_volume(self) -> str:
        """Specific surface area."""
        return f"{self._phase}{self._title} electrode surface area to volume ratio [m-1]"

    @property
    def maximum_concentration(self) -> str:
        """Maximum lithium concentration in the particles."""
        return f"{self._phase}Maximum concentration in {self.electrode} electrode [mol.m-3]"

    @property
    def initial_concentration(self) -> str:
        """Lithium concentration in the particles at the start."""
        return f"{self._phase}Initial concentration in {self.electrode} electrode [mol.m-3]"

    @property
    def initial_stoichiometry(self) -> str:
        """Stoichiometry of the particles at the start."""
        return f"{self._phase}Initial stoichiometry in {self.electrode} electrode"

    @property
    def capacity(self) -> str:
        """Capacity of the electrode's active material."""
        return f"{self._phase}{self._title} electrode capacity [A.h]"

    @property
    def loading(self) -> str:
        """Areal capacity of the electrode."""
        return f"{self._phase}{self._title} electrode loading [A.h.cm-2]"

    @property
    def open_circuit_potential(self) -> str:
        """Open-circuit potential against lithium."""
        return f"{self._phase}{self._title} electrode {self._direction}OCP [V]"

    def stoichiometry_at(self, soc: int) -> str:
        """Stoichiometry at 0 or 100 % state of charge."""
        return f"{self._phase}{self._title} electrode stoichiometry at {soc}% SOC"

    @property
    def minimum_stoichiometry(self) -> str:
        """Lower end of the window in which the electrode works."""
        return f"{self._phase}Minimum {self.electrode} stoichiometry"

    @property
    def maximum_stoichiometry(self) -> str:
        """Upper end of the window in which the electrode works."""
        return f"{self._phase}Maximum {self.electrode} stoichiometry"

    @property
    def porosity(self) -> str:
        """Volume fraction of the pores."""
        return f"{self._title} electrode porosity"

    @property
    def lithiation(self) -> str:
        """Stoichiometry as a function of the potential, the inverse of the open-circuit potential."""
        return f"{self._phase}{self._title} electrode {self._direction}lithiation"

    @property
    def entropic_change(self) -> str:
        """Change of the open-circuit potential with temperature."""
        return f"{self._phase}{self._title} electrode {self._direction}OCP entropic change [V.K-1]"

    @property
    def diffusivity(self) -> str:
        """Diffusivity of lithium in the particles."""
        return f"{self._phase}{self._title} particle {self._direction}diffusivity [m2.s-1]"

    @property
    def reference_diffusivity(self) -> str:
        """Prefactor of the diffusivity, or its value at the reference temperature."""
        return f"{self._phase}{self._title} particle {self._direction}reference diffusivity [m2.s-1]"

    @property
    def diffusivity_activation_energy(self) -> str:
        """Activation energy of the diffusivity."""
        return f"{self._phase}{self._title} particle {self._direction}diffusivity activation energy [J.mol-1]"

    @property
    def exchange_current_density(self) -> str:
        """Exchange-current density of the intercalation reaction."""
        return f"{self._phase}{self._title} electrode {self._direction}exchange-current density [A.m-2]"

    @property
    def reference_exchange_current_density(self) -> str:
        """Prefactor of the exchange-current density, its value at the reference temperature."""
        return f"{self._phase}{self._title} electrode {self._direction}reference exchange-current density [A.m-2]"

    @property
    def reaction_activation_energy(self) -> str:
        """Activation energy of the intercalation reaction."""
        return f"{self._phase}{self._title} electrode {self._direction}reaction activation energy [J.mol-1]"

    @property
    def diffusion_time(self) -> str:
        """Square of the particle radius over the diffusivity; of a lumped electrode it is that of the whole cell."""
        which = "Particle" if self.electrode == "lumped" else f"{self._title} particle"
        return f"{which} diffusion time [s]"

    @property
    def lower_excess_capacity(self) -> str:
        """Capacity of the electrode below the window in which the cell uses it."""
        return f"{self._phase}{self._title} electrode lower excess capacity [A.h]"

    @property
    def upper_excess_capacity(self) -> str:
        """Capacity of the electrode above the window in which the cell uses it."""
        return f"{self._phase}{self._title} electrode upper excess capacity [A.h]"

    @property
    def host_site(self) -> str:
        """What the names of an MSMR set begin with."""
        return f"{self._phase}{self._title} electrode {self._direction}host site"

    @property
    def active_material_density(self) -> str:
        """Density of the active material itself, without pores: its crystal density."""
        return f"{self._phase}{self._title} electrode active material density [kg.m-3]"

    @property
    def lithium_fraction(self) -> str:
        """Moles of lithium that one mole of active material holds at most."""
        return f"{self._phase}{self._title} electrode active material lithium fraction"

    @property
    def molar_mass(self) -> str:
        """Molar mass of the active material."""
        return f"{self._phase}{self._title} electrode active material molar mass [kg.mol-1]"

    @property
    def active_mass_fraction(self) -> str:
        """Share of the active material in the mass of the dry coating."""
        return f"{self._phase}{self._title} electrode active material mass fraction"

    @property
    def active_fraction_of_solid(self) -> str:
        """Share of the active material in the volume of the solid."""
        return f"{self._title} electrode active volume fraction of solid"

    @property
    def coating_mass(self) -> str:
        """Mass of the dry coating per area of one coated side."""
        return f"{self._title} electrode coating mass per area [g.cm-2]"

    @property
    def press_density(self) -> str:
        """Density of the dry coating after pressing, pores and all."""
        return f"{self._title} electrode press density [kg.m-3]"

    @property
    def carbon_binder_density(self) -> str:
        """Density of conductive carbon and binder together."""
        return f"{self._title} electrode carbon-binder density [kg.m-3]"

    @property
    def density(self) -> str:
        """Density of the whole electrode, as thermal models take it."""
        return f"{self._title} electrode density [kg.m-3]"

    @property
    def specific_heat_capacity(self) -> str:
        """Specific heat capacity of the whole electrode."""
        return f"{self._title} electrode specific heat capacity [J.kg-1.K-1]"

    @property
    def current_collector_thickness(self) -> str:
        """Thickness of the current collector."""
        return f"{self._title} current collector thickness [m]"

    @property
    def current_collector_density(self) -> str:
        """Density of the current collector."""
        return f"{self._title} current collector density [kg.m-3]"

    @property
    def current_collector_specific_heat_capacity(self) -> str:
        """Specific heat capacity of the current collector."""
        return f"{self._title} current collector specific heat capacity [J.kg-1.K-1]"


def names_of(electrode: str, phase: str | None = None, direction: str | None = None) -> ElectrodeNames:
    """Return the parameter names of an electrode."""
    return ElectrodeNames(electrode, phase or "", direction or "")
