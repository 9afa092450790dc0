"""The temperature of a cell as one number, of reduced models."""

from typing import Any, ClassVar

import pybamm

from cellwright.models.reduced.base import VOLTAGE
from cellwright.models.reduced.particle import ParticleModel, function_of, open_circuit_potential
from cellwright.schema.names import names_of

CHOICES: dict[str, tuple[str, ...]] = {
    "thermal": ("isothermal", "lumped"),
    "surface temperature": ("ambient", "lumped"),
}
BULK, SURFACE, AMBIENT = "Volume-averaged cell temperature [K]", "Surface temperature [K]", "Ambient temperature [K]"
ZERO_CELSIUS = 273.15


class ThermalModel(ParticleModel):
    """A reduced model with particles and a temperature T [K]; `LumpedSPMR` in the catalogue has the equations.

    T is the ambient temperature, or follows the heat of the cell, whose casing may have a temperature of its own.
    Where no heat is counted the casing is at the ambient temperature.
    """

    choices: ClassVar = CHOICES

    def __init__(self, name: str, options: Any = None) -> None:
        super().__init__(name, options)
        across = dict.fromkeys(("Distance across electrode width [m]", "Distance across electrode height [m]"), 0)
        self.ambient = pybamm.FunctionParameter(AMBIENT, {**across, "Time [s]": pybamm.t})
        self.lumped = self.options["thermal"] == "lumped"
        cased = self.lumped and self.options["surface temperature"] == "lumped"
        self.temperature = pybamm.Variable(BULK) if self.lumped else self.ambient
        self.casing = pybamm.Variable(SURFACE) if cased else self.ambient
        for name, value in ((BULK, self.temperature), (SURFACE, self.casing), (AMBIENT, self.ambient)):
            self.variables[name] = value
            self.variables[name.replace("[K]", "[C]")] = value - ZERO_CELSIUS

    def potential(self, electrode: str, theta: Any) -> Any:
        """Return an open-circuit potential [V]; where T moves it is that at T, else the one that is given."""
        given = open_circuit_potential(electrode, theta)
        if not self.lumped:
            return given
        return given + (self.temperature - pybamm.Parameter("Reference temperature [K]")) * _change(electrode, theta)

    def heat(self, equilibrium: Any) -> None:
        """Add the temperature's equation: `equilibrium` is U [V]. The voltage is set by then."""
        irreversible = self.current * (equilibrium - self.variables[VOLTAGE])
        self.variables["Irreversible heating [W]"] = irreversible
        if not self.lumped:
            return
        change = self.difference(lambda one: _change(one.electrode, one.surface))
        reversible = -self.current * self.temperature * change
        self.variables["Reversible heating [W]"] = reversible
        self.variables["Total heating [W]"] = irreversible + reversible
        coefficient = pybamm.Parameter("Total heat transfer coefficient [W.m-2.K-1]")
        area = pybamm.Parameter("Cell cooling surface area [m2]")
        cooling = coefficient * area * (self.temperature - self.casing)
        self.variables["Surface total cooling [W]"] = -cooling
        begin = pybamm.Parameter("Initial temperature [K]")
        capacity = pybamm.Parameter("Cell heat capacity [J.K-1]")
        self.start(self.temperature, (irreversible + reversible - cooling) / capacity, begin)
        if self.casing is not self.ambient:
            lost = (self.casing - self.ambient) / pybamm.Parameter("Environment thermal resistance [K.W-1]")
            self.start(self.casing, (cooling - lost) / pybamm.Parameter("Casing heat capacity [J.K-1]"), begin)


def _change(electrode: str, theta: Any) -> Any:
    """Return the change of a potential with the temperature [V.K-1]."""
    return function_of(names_of(electrode).entropic_change, electrode, theta)
