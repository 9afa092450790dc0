"""Equivalent circuit: a voltage source, resistors, pairs of resistor and capacitor, charge transfer, heat, ageing."""

from collections.abc import Mapping
from typing import Any, ClassVar

import pybamm

from cellwright.models.reduced.base import ReducedModel
from cellwright.models.reduced.dependencies import OPTION, PAIRS, chosen_dependencies, chosen_pairs, depending
from cellwright.physics.constants import FARADAY, GAS, SECONDS_PER_HOUR

SOC = "SoC"
OCV = "Open-circuit voltage [V]"
CELL, JIG, AMBIENT = "Cell temperature", "Jig temperature", "Ambient temperature"
THROUGHPUT = "Capacity throughput [A.h]"
ZERO_CELSIUS = 273.15
DEPENDENT = ("OCV", "R0", "R_rc", "C_rc", "i0")
"""What may depend on states, each on the state of charge unless something else is said."""


class ECM(ReducedModel):
    """See `cellwright.catalog.models.ECM` for the equations."""

    choices: ClassVar = {
        "thermal": ("isothermal", "lumped", "two-state"),
        "capacity": ("constant", "function"),
        "resistance scale": ("constant", "function"),
        "butler-volmer": ("false", "true"),
    }

    def __init__(self, options: Mapping[str, Any] | None = None) -> None:
        super().__init__("Equivalent circuit", options)
        self._temperature, self._ambient = self._temperatures()
        soc = pybamm.Variable(SOC)
        self._states = {"soc": soc, "temperature": self._temperature, "current": self.current}
        self._age = self._ageing()
        aged = self.options["capacity"] == "function"
        capacity = self._of_age("Capacity [A.h]") if aged else self.param.Q
        self.start(soc, -self.current / (SECONDS_PER_HOUR * capacity), pybamm.Parameter("Initial SoC"))
        ocv = self._of("OCV", OCV)
        lost = self._elements() - self._charge_transfer()
        self.variables.update({SOC: soc, OCV: ocv, "Cell capacity [A.h]": capacity, "Overpotential [V]": lost})
        self._add_heat(ocv, lost)
        self.finish(ocv + lost)

    @classmethod
    def chosen(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return all options. Raises: `pybamm.OptionError` for others, and for dependencies on what there is not."""
        rest = super().chosen({name: value for name, value in given.items() if name not in {PAIRS, OPTION}})
        return {**rest, PAIRS: chosen_pairs(given), OPTION: chosen_dependencies(given, DEPENDENT)}

    def _temperatures(self) -> tuple[Any, Any]:
        """Return the temperatures of the cell and around it [K], and add the equations of the former."""
        ambient = pybamm.FunctionParameter(f"{AMBIENT} [K]", {"Time [s]": pybamm.t})
        isothermal = self.options["thermal"] == "isothermal"
        cell = ambient if isothermal else pybamm.Variable(f"{CELL} [K]")
        for name, value in ((CELL, cell), ("Volume-averaged cell temperature", cell), (AMBIENT, ambient)):
            self.variables[f"{name} [K]"] = value
            self.variables[f"{name} [degC]"] = self.variables[f"{name} [C]"] = value - ZERO_CELSIUS
        return cell, ambient

    def _ageing(self) -> dict[str, Any]:
        """Return what functions of age are called with, and add the throughput where there are any."""
        if "function" not in {self.options["capacity"], self.options["resistance scale"]}:
            return {}
        throughput = pybamm.Variable(THROUGHPUT)
        self.start(throughput, abs(self.current) / SECONDS_PER_HOUR, pybamm.Scalar(0))
        self.variables[THROUGHPUT] = throughput
        return {THROUGHPUT: throughput, "Time [s]": pybamm.t}

    def _of_age(self, name: str) -> Any:
        return pybamm.FunctionParameter(name, self._age)

    def _of(self, key: str, name: str) -> Any:
        """Return a parameter as a function of the states that it depends on."""
        return depending(name, self._states, self.options[OPTION][key])

    def _elements(self) -> Any:
        """Return what resistor and pairs add to the open-circuit voltage [V], and add the equations of the pairs.

        As in PyBaMM their overpotentials are negative on discharge.
        """
        grown = self.options["resistance scale"] == "function"
        scale = self._of_age("Resistance scale") if grown else pybamm.Scalar(1)
        r0 = scale * self._of("R0", "R0 [Ohm]")
        total = -self.current * r0
        self.variables |= {"Resistance scale": scale, "R0 [Ohm]": r0, "Element-0 overpotential [V]": total}
        for number in range(1, int(self.options[PAIRS]) + 1):
            r = scale * self._of("R_rc", f"R{number} [Ohm]")
            total += self.pair(number, r, self._of("C_rc", f"C{number} [F]"))
        return total

    def _charge_transfer(self) -> Any:
        """Return the overpotential of Butler and Volmer's law [V], positive on discharge."""
        if self.options["butler-volmer"] == "false":
            return pybamm.Scalar(0)
        i0 = self._of("i0", "Exchange current [A]")
        eta = 2 * GAS * self._temperature / FARADAY * pybamm.arcsinh(self.current / (2 * i0))
        self.variables |= {"Exchange current [A]": i0, "Charge-transfer overpotential [V]": eta}
        return eta

    def _add_heat(self, ocv: Any, lost: Any) -> None:
        """Add the heat and, unless it is isothermal, what it does to the temperatures."""
        irreversible = -self.current * lost
        self.variables["Irreversible heat generation [W]"] = irreversible
        if self.options["thermal"] == "isothermal":
            return
        celsius = self._temperature - ZERO_CELSIUS
        slope = pybamm.FunctionParameter("Entropic change [V/K]", {OCV: ocv, f"{CELL} [degC]": celsius})
        reversible = -self.current * self._temperature * slope
        heat = irreversible + reversible
        initial = pybamm.Parameter("Initial temperature [K]")
        around = self._ambient
        if self.options["thermal"] == "two-state":
            around = pybamm.Variable(f"{JIG} [K]")
        to_jig = pybamm.Parameter("Cell-jig heat transfer coefficient [W/K]") * (self._temperature - around)
        self.start(self._temperature, (heat - to_jig) / pybamm.Parameter("Cell thermal mass [J/K]"), initial)
        if self.options["thermal"] == "two-state":
            to_air = pybamm.Parameter("Jig-air heat transfer coefficient [W/K]") * (around - self._ambient)
            self.start(around, (to_jig - to_air) / pybamm.Parameter("Jig thermal mass [J/K]"), initial)
            self.variables |= {f"{JIG} [K]": around, f"{JIG} [degC]": around - ZERO_CELSIUS}
            self.variables["Heat transfer from jig to ambient [W]"] = -to_air
        self.variables |= {
            "Entropic change [V/K]": slope,
            "Reversible heat generation [W]": reversible,
            "Total heat generation [W]": heat,
            "Heat transfer from cell to jig [W]": -to_jig,
        }
