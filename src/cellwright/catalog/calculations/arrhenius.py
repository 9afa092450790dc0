"""The Arrhenius law from values measured at several temperatures."""

from collections.abc import Iterator
from math import exp, log
from typing import Any, ClassVar, Literal

from pydantic import field_validator

from cellwright.catalog.domain import checked_positive
from cellwright.errors import DataError
from cellwright.physics.arrhenius import arrhenius_factor, boltzmann_factor, log_linear_fit
from cellwright.schema.datasource import Data
from cellwright.schema.expressions import parameter
from cellwright.schema.families import Calculation
from cellwright.schema.names import base_of, unit_of
from cellwright.schema.parameters import ParameterSet, Values
from cellwright.schema.values import Function
from cellwright.schema.variant import Example

TEMPERATURE = "Temperature [K]"
REFERENCE_TEMPERATURE = "Reference temperature [K]"
SUBJECTS = ("Negative particle", "Positive particle", "Negative electrode", "Positive electrode", "Electrolyte")
QUALIFIERS = ("lithiation", "delithiation")
EXCHANGE_CURRENT = "exchange-current density"
ARGUMENTS = {
    ("particle", "diffusivity"): ("sto", "T"),
    ("electrode", EXCHANGE_CURRENT): ("c_e", "c_s_surf", "c_s_max", "T"),
    ("Electrolyte", "diffusivity"): ("c_e", "T"),
    ("Electrolyte", "conductivity"): ("c_e", "T"),
}
"""What PyBaMM's models hand to functions of these names; to others the temperature alone."""
LARGEST = 700.0
"""The logarithm up to which a value is a number."""


class ArrheniusLogLinear(Calculation):
    """Activation energy and reference value of a property that was measured at several temperatures.

    The line of least squares ln k = ln A - (E / R) / T, with k the measured values, above 0, T the temperatures [K],
    R = 8.314 J.mol-1.K-1, E the activation energy [J.mol-1] (below 0 for what falls with temperature, a resistance say)
    and A the pre-exponential factor in the unit of k. With a `reference_temperature` T_ref the value there takes the
    place of A: k_ref = A exp(-E / (R T_ref)). All points weigh the same in ln k.

    The data have a column "Temperature [K]" and one more, whose name makes the names of the results. From "Electrolyte
    conductivity [S.m-1]" come "Electrolyte reference conductivity [S.m-1]" (without a reference temperature
    "Electrolyte conductivity pre-exponential factor [S.m-1]") and "Electrolyte conductivity activation energy
    [J.mol-1]"; the activation energy of an exchange-current density is the electrode's "reaction activation energy".
    With `include_func` the column's own name stands for k(T), a function with the arguments by which models call it,
    which follows the two parameters when these are given anew.

    Source: Laidler, J. Chem. Educ. 61 (1984) 494, doi:10.1021/ed061p494.
    """

    table_columns: ClassVar[tuple[str, str | None] | None] = (TEMPERATURE, None)

    type: Literal["ArrheniusLogLinear"] = "ArrheniusLogLinear"
    data: Data
    reference_temperature: int | float | None = None
    include_func: bool = False

    example: ClassVar = Example(
        fields={
            "data": {
                TEMPERATURE: [250.0, 500.0],
                "Negative particle diffusivity [m2.s-1]": [1e-14, 4e-14],
            },
            "reference_temperature": 500,
        },
        gives={
            "Negative particle reference diffusivity [m2.s-1]": 4e-14,
            "Negative particle diffusivity activation energy [J.mol-1]": 500 * 8.31446261815324 * log(4),
        },
    )

    @field_validator("reference_temperature")
    @classmethod
    def _above_zero(cls, temperature: float | None) -> float | None:
        return None if temperature is None else checked_positive("reference_temperature", temperature)

    def compute(self, p: ParameterSet) -> Values:
        """Return reference value or pre-exponential factor, activation energy [J.mol-1] and, if asked for, k(T).

        Raises: `DataError` for missing or further columns, temperatures and values that are not above 0, fewer than two
        distinct temperatures, and a pre-exponential factor too large for a number.
        """
        column, table = self._column(), self.data.table
        reference = self.reference_temperature
        logarithm, energy = log_linear_fit(table[TEMPERATURE], table[column], reference)
        if not -LARGEST < logarithm < LARGEST:
            raise DataError(
                f"the pre-exponential factor of {column!r} would be e^{logarithm:.4g}",
                hint="give a reference temperature",
            )
        self._compare_reference(p)
        factor_name = reference_name(column) if reference else pre_exponential_name(column)
        values: dict[str, Any] = {factor_name: exp(logarithm), activation_energy_name(column): energy}
        if self.include_func:
            T, E = parameter("T"), parameter(activation_energy_name(column))
            shape = arrhenius_factor(E, reference, T) if reference else boltzmann_factor(E, T)
            values[column] = Function(arguments_of(column), parameter(factor_name) * shape, column)
        return values

    def _column(self) -> str:
        others = [name for name in self.data.table if name != TEMPERATURE]
        if len(others) != 1:
            told = ", ".join(map(repr, others)) or "none"
            raise DataError(
                f"an Arrhenius line is drawn through one column beside {TEMPERATURE!r}, and the data have {told}",
                hint="leave the other columns out",
            )
        return others[0]

    def _compare_reference(self, p: ParameterSet) -> None:
        general = p.get(REFERENCE_TEMPERATURE)
        own = self.reference_temperature
        if own is not None and isinstance(general, int | float) and abs(general - own) > 1e-6:
            p.remark(f"the reference value is the one at {own:g} K, and {REFERENCE_TEMPERATURE!r} is {general:g}")


def reference_name(column: str) -> str:
    """Return the name of a property's value at the reference temperature.

    `Negative electrode exchange-current density [A.m-2]` → `Negative electrode reference exchange-current density
    [A.m-2]`; where it does not begin with an electrode, a particle or the electrolyte, `Contact resistance [Ohm]` →
    `Reference contact resistance [Ohm]`.
    """
    subject, quantity = _split(column)
    if subject:
        return f"{subject} reference {quantity}{_unit(column)}"
    lower = quantity if quantity[1:2].isupper() else quantity[:1].lower() + quantity[1:]
    return f"Reference {lower}{_unit(column)}"


def pre_exponential_name(column: str) -> str:
    """Return the name of a property's pre-exponential factor."""
    return f"{base_of(column)} pre-exponential factor{_unit(column)}"


def activation_energy_name(column: str) -> str:
    """Return the name of a property's activation energy."""
    subject, quantity = _split(column)
    base = f"{subject} reaction" if subject and quantity == EXCHANGE_CURRENT else base_of(column)
    return f"{base} activation energy [J.mol-1]"


def arguments_of(column: str) -> tuple[str, ...]:
    """Return the arguments with which models call a property, the temperature T the last of them."""
    subject, quantity = _split(column)
    return next((names for (of, what), names in ARGUMENTS.items() if of in subject and what == quantity), ("T",))


def _split(column: str) -> tuple[str, str]:
    """Return what a property belongs to, phase and direction included, and what it is; no subject: an empty one."""
    base = base_of(column)
    subject = next((one for one in _subjects() if base.startswith(f"{one} ")), "")
    return subject, base[len(subject) + 1 :] if subject else base


def _subjects() -> Iterator[str]:
    for phase in ("", "Primary: ", "Secondary: "):
        for subject in SUBJECTS:
            yield from (f"{phase}{subject} {qualifier}" for qualifier in QUALIFIERS)
            yield f"{phase}{subject}"


def _unit(column: str) -> str:
    unit = unit_of(column)
    return "" if unit is None else f" [{unit}]"
