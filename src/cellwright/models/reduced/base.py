"""What reduced models have in common: their circuit, the words of PyBaMM, the end by the voltage limits."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, ClassVar

import pybamm

from cellwright.errors import did_you_mean
from cellwright.physics.constants import SECONDS_PER_HOUR

CURRENT = "Current [A]"
VOLTAGE = "Voltage [V]"
CAPACITY = "Discharge capacity [A.h]"


class ReducedModel(pybamm.BaseModel):  # type: ignore[misc]
    """A model of a few equations that is driven by a current; a subclass adds its equations and ends with `finish`.

    Its variables have PyBaMM's names where PyBaMM has one. It is taken by `pybamm.Simulation` and its experiments like
    any of PyBaMM's models.
    """

    choices: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """The options and what each may be, the default first."""

    def __init__(self, name: str, options: Mapping[str, Any] | None = None) -> None:
        super().__init__(name)
        # PyBaMM takes a plain dictionary for options of its own models.
        self.options = pybamm.FuzzyDict(self.chosen(options or {}))
        self.summary_variables: list[str] = []
        self.current = pybamm.FunctionParameter("Current function [A]", {"Time [s]": pybamm.t})
        # What PyBaMM's submodels for steps that control voltage or power ask for.
        self.param = SimpleNamespace(
            Q=pybamm.Parameter("Nominal cell capacity [A.h]"),
            A_cc=pybamm.Scalar(1),
            current_with_time=self.current,
            current_density_with_time=self.current,
        )
        passed = pybamm.Variable(CAPACITY)
        self.start(passed, self.current / SECONDS_PER_HOUR, pybamm.Scalar(0))
        self.variables.update(
            {
                "Time [s]": pybamm.t,
                "Time [min]": pybamm.t / 60,
                "Time [h]": pybamm.t / SECONDS_PER_HOUR,
                CURRENT: self.current,
                "Current variable [A]": self.current,
                "C-rate": self.current / self.param.Q,
                CAPACITY: passed,
            }
        )

    @classmethod
    def chosen(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return all options, the given ones and the defaults. Raises: `pybamm.OptionError` for others."""
        for name, value in given.items():
            if name not in cls.choices:
                hint = did_you_mean(name, cls.choices) or f"there are {', '.join(cls.choices)}"
                raise pybamm.OptionError(f"there is no option {name!r}; {hint}")
            if value not in cls.choices[name]:
                raise pybamm.OptionError(f"{name!r} is one of {', '.join(cls.choices[name])}, and not {value!r}")
        return {name: given.get(name, values[0]) for name, values in cls.choices.items()}

    def start(self, state: Any, slope: Any, value: Any) -> None:
        """Add a state with its time derivative and its value at the start."""
        self.rhs[state] = slope
        self.initial_conditions[state] = value

    def pair(self, number: int, resistance: Any, capacitance: Any) -> Any:
        """Add a resistor [Ohm] beside a capacitor [F]; return its overpotential [V], which is negative on discharge.

        It is at rest in the beginning.
        """
        name = f"Element-{number} overpotential [V]"
        state = pybamm.Variable(name)
        self.start(state, -(self.current + state / resistance) / capacitance, pybamm.Scalar(0))
        self.variables.update(
            {
                name: state,
                f"R{number} [Ohm]": resistance,
                f"C{number} [F]": capacitance,
                f"tau{number} [s]": resistance * capacitance,
            }
        )
        return state

    def finish(self, voltage: Any) -> None:
        """Set the voltage [V] and what follows from it; the voltage cut-offs end a simulation."""
        self.variables.update(
            {
                VOLTAGE: voltage,
                "Terminal voltage [V]": voltage,
                "Battery voltage [V]": voltage,
                "Power [W]": voltage * self.current,
            }
        )
        low, high = (pybamm.Parameter(f"{end} voltage cut-off [V]") for end in ("Lower", "Upper"))
        self.events += [
            pybamm.Event("Minimum voltage [V]", voltage - low),
            pybamm.Event("Maximum voltage [V]", high - voltage),
        ]
