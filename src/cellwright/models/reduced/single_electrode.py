"""The whole cell as one particle, with a series resistance and pairs of resistor and capacitor."""

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

import pybamm

from cellwright.models.reduced.dependencies import OPTION, PAIRS, chosen_dependencies, chosen_pairs, depending
from cellwright.models.reduced.lumped import SERIES
from cellwright.models.reduced.particle import TEMPERATURE, Particle, inside
from cellwright.models.reduced.temperature import CHOICES, ThermalModel
from cellwright.schema.names import names_of

DEPENDENT = ("tau", "R_rc", "C_rc")


class SingleElectrodeLumpedSPMR(ThermalModel):
    """See `cellwright.catalog.models.SingleElectrodeLumpedSPMR` for the equations."""

    choices: ClassVar = CHOICES

    def __init__(self, options: Mapping[str, Any] | None = None) -> None:
        super().__init__("Lumped single particle model of a whole cell", options)
        particle = self._particle()
        equilibrium = self.add_particles(particle)
        lost = -self.current * pybamm.FunctionParameter(SERIES, {TEMPERATURE: self.temperature})
        self.variables["Ohmic overpotential [V]"] = lost
        self.variables["SoC"] = 1 - particle.mean
        pairs = [self._pair(number, 1 - particle.mean) for number in range(1, int(self.options[PAIRS]) + 1)]
        self.finish(equilibrium + lost + sum(pairs))
        self.heat(equilibrium)

    @classmethod
    def chosen(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return all options, the given ones and the defaults. Raises: `pybamm.OptionError` for others."""
        others = super().chosen({name: value for name, value in given.items() if name not in {PAIRS, OPTION}})
        return {**others, PAIRS: chosen_pairs(given), OPTION: chosen_dependencies(given, DEPENDENT)}

    def _particle(self) -> Particle:
        name = names_of("lumped")
        return Particle(
            electrode="lumped",
            capacity=pybamm.Parameter(name.capacity),
            initial=pybamm.Parameter(name.initial_stoichiometry),
            rate=lambda theta: 1 / self._depending("tau", name.diffusion_time, 1 - inside(theta)),
            potential=partial(self.potential, "lumped"),
        )

    def _pair(self, number: int, soc: Any) -> Any:
        resistance = self._depending("R_rc", f"R{number} [Ohm]", soc)
        return self.pair(number, resistance, self._depending("C_rc", f"C{number} [F]", soc))

    def _depending(self, parameter: str, name: str, soc: Any) -> Any:
        states = {"soc": soc, "temperature": self.temperature, "current": self.current}
        return depending(name, states, self.options[OPTION][parameter])
