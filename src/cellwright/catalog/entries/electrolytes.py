"""Electrolytes: concentration and transport."""

from typing import ClassVar, Literal

from pydantic import field_validator

from cellwright.errors import ConfigurationError, did_you_mean
from cellwright.physics.electrolytes import LANDESFEIND, nyman_conductivity, nyman_diffusivity
from cellwright.schema.families import Entry
from cellwright.schema.parameters import ParameterSet, Values
from cellwright.schema.values import Function
from cellwright.schema.variant import Example

CONCENTRATION = "Initial concentration in electrolyte [mol.m-3]"
DIFFUSIVITY = "Electrolyte diffusivity [m2.s-1]"
CONDUCTIVITY = "Electrolyte conductivity [S.m-1]"
TRANSFERENCE = "Cation transference number"
FACTOR = "Thermodynamic factor"


class ConstantElectrolyte(Entry):
    """The concentration of the electrolyte at the start; its transport is left to other entries.

    c_e [mol.m-3], the initial concentration of lithium in the electrolyte.

    Source: what the user measured or read; the entry holds it.
    """

    name: Literal["constant_electrolyte"] = "constant_electrolyte"
    c_e: float

    example: ClassVar = Example(fields={"c_e": 1000.0}, gives={CONCENTRATION: 1000.0})

    def compute(self, p: ParameterSet) -> Values:
        """Return the concentration [mol.m-3]. Raises: `ConfigurationError` where it is not above 0."""
        return {CONCENTRATION: _positive(self.c_e)}


class NymanElectrolyte(Entry):
    """LiPF6 in EC:EMC (3:7), at room temperature.

    D = 8.794e-11 c² - 3.972e-10 c + 4.862e-10 m2.s-1, κ = 0.1297 c³ - 2.51 c^1.5 + 3.329 c S.m-1, with c in mol.L-1;
    t₊ = 0.2594, thermodynamic factor 1; `c_e` is the initial concentration [mol.m-3].

    Source: Nyman, Behm & Lindbergh, Electrochim. Acta 53 (2008) 6356, doi:10.1016/j.electacta.2008.04.023.
    """

    name: Literal["nyman_electrolyte"] = "nyman_electrolyte"
    literature = "Nyman et al. 2008, doi:10.1016/j.electacta.2008.04.023"
    c_e: float

    example: ClassVar = Example(
        fields={"c_e": 1000.0},
        gives={
            CONCENTRATION: 1000.0,
            DIFFUSIVITY: Function.trace(lambda c_e, T: nyman_diffusivity(c_e)),
            CONDUCTIVITY: Function.trace(lambda c_e, T: nyman_conductivity(c_e)),
            TRANSFERENCE: 0.2594,
            FACTOR: 1.0,
        },
    )

    def compute(self, p: ParameterSet) -> Values:
        """Return concentration [mol.m-3], diffusivity [m2.s-1], conductivity [S.m-1], t₊ and thermodynamic factor [-].

        Raises: `ConfigurationError` for a concentration that is not above 0.
        """
        return {
            CONCENTRATION: _positive(self.c_e),
            DIFFUSIVITY: Function.trace(lambda c_e, T: nyman_diffusivity(c_e), label=DIFFUSIVITY),
            CONDUCTIVITY: Function.trace(lambda c_e, T: nyman_conductivity(c_e), label=CONDUCTIVITY),
            TRANSFERENCE: 0.2594,
            FACTOR: 1.0,
        }


class LandesfeindElectrolyte(Entry):
    """LiPF6 in one of three solvents, between -10 and 50 °C.

    Conductivity, diffusivity, thermodynamic factor and transference number as functions of concentration and
    temperature, with the published coefficients written into them. `system` is "EC:DMC (1:1)", "EC:EMC (3:7)" or
    "EMC:FEC (19:1)" (by weight), `c_e` the initial concentration [mol.m-3].

    Source: Landesfeind & Gasteiger, J. Electrochem. Soc. 166 (2019) A3079, doi:10.1149/2.0571912jes.
    """

    name: Literal["landesfeind_electrolyte"] = "landesfeind_electrolyte"
    literature = "Landesfeind & Gasteiger 2019, doi:10.1149/2.0571912jes"
    c_e: float
    system: str

    example: ClassVar = Example(
        fields={"c_e": 1000.0, "system": "EC:EMC (3:7)"},
        gives={
            CONCENTRATION: 1000.0,
            DIFFUSIVITY: Function.trace(LANDESFEIND["EC:EMC (3:7)"].diffusivity),
            CONDUCTIVITY: Function.trace(LANDESFEIND["EC:EMC (3:7)"].conductivity),
            TRANSFERENCE: Function.trace(LANDESFEIND["EC:EMC (3:7)"].transference_number),
            FACTOR: Function.trace(LANDESFEIND["EC:EMC (3:7)"].thermodynamic_factor),
        },
    )

    @field_validator("system")
    @classmethod
    def _known(cls, system: str) -> str:
        if system not in LANDESFEIND:
            hint = did_you_mean(system, LANDESFEIND) or f"there are {', '.join(map(repr, LANDESFEIND))}"
            raise ConfigurationError(f"there is no system {system!r}", hint=hint)
        return system

    def compute(self, p: ParameterSet) -> Values:
        """Return concentration [mol.m-3], diffusivity [m2.s-1], conductivity [S.m-1], t₊ and thermodynamic factor [-].

        Raises: `ConfigurationError` for a concentration that is not above 0.
        """
        solvent = LANDESFEIND[self.system]
        return {
            CONCENTRATION: _positive(self.c_e),
            DIFFUSIVITY: Function.trace(solvent.diffusivity, label=DIFFUSIVITY),
            CONDUCTIVITY: Function.trace(solvent.conductivity, label=CONDUCTIVITY),
            TRANSFERENCE: Function.trace(solvent.transference_number, label=TRANSFERENCE),
            FACTOR: Function.trace(solvent.thermodynamic_factor, label=FACTOR),
        }


def _positive(c_e: float) -> float:
    if not c_e > 0:
        raise ConfigurationError(f"the concentration of the electrolyte is {c_e:g} mol.m-3, and it must be above 0")
    return c_e
