"""The state in which a cell starts."""

from typing import Any, ClassVar, Literal

from pydantic import field_validator

from cellwright.errors import ConfigurationError
from cellwright.schema.families import Entry
from cellwright.schema.parameters import ParameterSet, Values
from cellwright.schema.variant import Example

SOC = "Initial SOC [%]"
VOLTAGE = "Initial voltage [V]"


class _Initial(Entry):
    """A value under fixed names; in a document it is a plain entry with these values."""

    names: ClassVar[tuple[str, ...]] = ()
    positional = ("value",)

    value: int | float

    def compute(self, p: ParameterSet) -> Values:
        """Return the value under each of its names."""
        return dict.fromkeys(self.names, self.value)

    def _dump(self, leaf: Any) -> dict[str, Any]:
        source = {"source": self.source} if self.source is not None else {}
        return {"values": dict.fromkeys(self.names, self.value), **source}


class InitialStateOfCharge(_Initial):
    """State of charge at the start.

    z [%], between 0 and 100: models start there, between the open-circuit voltages of their limits.

    Source: what the user knows of the measurement.
    """

    name: Literal["initial_state_of_charge"] = "initial_state_of_charge"
    names = (SOC,)
    example: ClassVar = Example(fields={"value": 50.0}, gives={SOC: 50.0})

    @field_validator("value")
    @classmethod
    def _percent(cls, value: float) -> float:
        if not 0 <= value <= 100:
            raise ConfigurationError(f"a state of charge lies between 0 and 100 %, not {value:g}")
        return value


class InitialTemperature(_Initial):
    """Temperature of cell and surroundings at the start.

    T [K], above 0, the ambient and the initial temperature.

    Source: what the user knows of the measurement.
    """

    name: Literal["initial_temperature"] = "initial_temperature"
    names = ("Ambient temperature [K]", "Initial temperature [K]")
    example: ClassVar = Example(fields={"value": 300.0}, gives=dict.fromkeys(names, 300.0))

    @field_validator("value")
    @classmethod
    def _absolute(cls, value: float) -> float:
        if not value > 0:
            raise ConfigurationError(f"a temperature in K is above 0, not {value:g}", hint="25 °C are 298.15 K")
        return value


class InitialVoltage(_Initial):
    """Voltage at the start.

    V [V]: models start in equilibrium at it.

    Source: what the user knows of the measurement.
    """

    name: Literal["initial_voltage"] = "initial_voltage"
    names = (VOLTAGE,)
    example: ClassVar = Example(fields={"value": 4.0}, gives={VOLTAGE: 4.0})
