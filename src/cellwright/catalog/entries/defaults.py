"""Sets of values that many parameterisations begin with."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from cellwright.catalog.calculations.capacity import HEIGHT, LAYERS, WIDTH
from cellwright.catalog.domain import checked_positive
from cellwright.catalog.entries.kinetics import REFERENCE
from cellwright.errors import ConfigurationError
from cellwright.physics.constants import FARADAY
from cellwright.schema.expressions import parameter
from cellwright.schema.families import Entry
from cellwright.schema.names import ELECTRODES, names_of
from cellwright.schema.parameters import ParameterSet, Values
from cellwright.schema.values import Function
from cellwright.schema.variant import Example

SERIES = "Number of cells connected in series to make a battery"
OKANE = "O'Kane et al. 2022, doi:10.1039/D2CP00417H"


class Temperatures(Entry):
    """One temperature everywhere.

    Reference, ambient and initial temperature are all T [K], above 0.

    Source: IUPAC standard ambient temperature, 298.15 K (the default).
    """

    name: Literal["temperatures"] = "temperatures"
    T: float = 298.15

    example: ClassVar = Example(
        fields={"T": 308.15},
        gives=dict.fromkeys((REFERENCE, "Ambient temperature [K]", "Initial temperature [K]"), 308.15),
    )

    def compute(self, p: ParameterSet) -> Values:
        """Return the three temperatures [K]. Raises: `ConfigurationError` for one that is not above 0."""
        names = (REFERENCE, "Ambient temperature [K]", "Initial temperature [K]")
        return {name: checked_positive(name, self.T) for name in names}


class _Fixed(Entry):
    """An entry whose values are always the same."""

    fixed: ClassVar[Mapping[str, Any]] = {}

    def compute(self, p: ParameterSet) -> Values:
        """Return the values by parameter name, each in the unit that its name says."""
        return self.fixed


class ZeroEntropicChange(_Fixed):
    """No entropic change: the open-circuit potentials do not depend on temperature.

    dU/dT = 0 V.K-1 in both electrodes.

    Source: an assumption, for isothermal models.
    """

    name: Literal["zero_entropic_change"] = "zero_entropic_change"
    literature = "assumption: isothermal"
    fixed: ClassVar = {names_of(electrode).entropic_change: 0.0 for electrode in ELECTRODES}
    example: ClassVar = Example(gives=fixed)


class ZeroActivationEnergy(_Fixed):
    """No activation energies: kinetics and transport do not depend on temperature.

    E = 0 J.mol-1 for the diffusivity and the reaction of both electrodes, the diffusivity and the conductivity of the
    electrolyte.

    Source: an assumption, for isothermal models.
    """

    name: Literal["zero_activation_energy"] = "zero_activation_energy"
    literature = "assumption: isothermal"
    fixed: ClassVar = {
        name: 0.0
        for names in map(names_of, ELECTRODES)
        for name in (names.diffusivity_activation_energy, names.reaction_activation_energy)
    } | {f"Electrolyte {one} activation energy [J.mol-1]": 0.0 for one in ("diffusivity", "conductivity")}
    example: ClassVar = Example(gives=fixed)


class StandardDefaults(_Fixed):
    """One cell of one pair of electrodes.

    One cell in series, one pair of electrodes in parallel.

    Source: a convention; give other numbers after it where the cell has more.
    """

    name: Literal["standard_defaults"] = "standard_defaults"
    literature = "convention: one cell, one pair of electrodes"
    fixed: ClassVar = {SERIES: 1.0, LAYERS: 1.0}
    example: ClassVar = Example(gives=fixed)


class OneCm2Cell(_Fixed):
    """A cell of 1 cm², so that a current in A is a current density in A.cm-2.

    Height and width are 0.01 m.

    Source: a convention.
    """

    name: Literal["one_cm2_cell"] = "one_cm2_cell"
    literature = "convention: 1 cm2"
    fixed: ClassVar = {HEIGHT: 0.01, WIDTH: 0.01}
    example: ClassVar = Example(gives=fixed)


class Bruggeman(Entry):
    """Exponents of the effective transport in porous media.

    D_eff = D ε^b, with the exponents b [-] of the solid in both electrodes (`electrode`, 0: the conductivity is that of
    the coating) and of the electrolyte in electrodes and separator (`electrolyte`, 1.5: spheres).

    Source: Bruggeman, Ann. Phys. 416 (1935) 636, doi:10.1002/andp.19354160705.
    """

    name: Literal["bruggeman"] = "bruggeman"
    literature = "Bruggeman 1935, doi:10.1002/andp.19354160705"
    electrode: float = 0
    electrolyte: float = 1.5

    example: ClassVar = Example(
        gives={
            "Negative electrode Bruggeman coefficient (electrode)": 0.0,
            "Positive electrode Bruggeman coefficient (electrode)": 0.0,
            "Negative electrode Bruggeman coefficient (electrolyte)": 1.5,
            "Positive electrode Bruggeman coefficient (electrolyte)": 1.5,
            "Separator Bruggeman coefficient (electrolyte)": 1.5,
        }
    )

    def compute(self, p: ParameterSet) -> Values:
        """Return the exponents [-]. Raises: `ConfigurationError` for negative ones."""
        for name, exponent in (("electrode", self.electrode), ("electrolyte", self.electrolyte)):
            if not exponent >= 0:
                raise ConfigurationError(f"the exponent is {exponent:g}, and it is not negative", at=(name,))
        return bruggeman(self.electrode, self.electrolyte)


def bruggeman(electrode: float, electrolyte: float) -> dict[str, float]:
    """Return the exponents of both electrodes and the separator by name."""
    titles = [one.capitalize() for one in ELECTRODES]
    return {
        **{f"{title} electrode Bruggeman coefficient (electrode)": electrode for title in titles},
        **{f"{title} electrode Bruggeman coefficient (electrolyte)": electrolyte for title in titles},
        "Separator Bruggeman coefficient (electrolyte)": electrolyte,
    }


class SpmDefaults(_Fixed):
    """What a single particle model asks for and its voltage does not depend on.

    Porosities, separator and exponents of the effective transport stand for an electrolyte that a single particle model
    has no losses in; the entropic changes are 0, for isothermal cells. Any other value gives the same voltage.

    Source: Marquis, Sulzer, Timms, Please & Chapman, J. Electrochem. Soc. 166 (2019) A3693, doi:10.1149/2.0341915jes.
    """

    name: Literal["spm_defaults"] = "spm_defaults"
    literature = "no effect on a single particle model (Marquis et al. 2019, doi:10.1149/2.0341915jes)"
    fixed: ClassVar = {
        "Separator thickness [m]": 25e-6,
        "Separator porosity": 0.5,
        "Negative electrode porosity": 0.3,
        "Positive electrode porosity": 0.3,
        **bruggeman(0.0, 1.5),
        **ZeroEntropicChange.fixed,
    }
    example: ClassVar = Example(gives=fixed)


class LithiumMetalAnode(_Fixed):
    """A counter electrode of lithium that takes no part in the voltage.

    Potential 0 V, conductivity and molar volume of lithium, a foil of 0.7 mm, and an exchange-current density of
    1e6 A.m-2, whose overpotential stays below 2 µV up to 50 A.m-2.

    Source: Xu, Chen, Dasgupta, Siegel & Stefanopoulou, J. Electrochem. Soc. 166 (2019) A3456 (conductivity,
    thickness, double layer); CRC Handbook of Chemistry and Physics (molar volume).
    """

    name: Literal["lithium_metal_anode"] = "lithium_metal_anode"
    literature = "lithium, Xu et al., J. Electrochem. Soc. 166 (2019) A3456; fast kinetics are an assumption"
    fixed: ClassVar = {
        "Negative electrode OCP [V]": 0.0,
        "Negative electrode OCP entropic change [V.K-1]": 0.0,
        "Negative electrode conductivity [S.m-1]": 10776000.0,
        "Negative electrode thickness [m]": 7e-4,
        "Negative electrode charge transfer coefficient": 0.5,
        "Negative electrode double-layer capacity [F.m-2]": 0.2,
        "Exchange-current density for lithium metal electrode [A.m-2]": 1e6,
        "Lithium metal partial molar volume [m3.mol-1]": 1.3e-5,
    }
    example: ClassVar = Example(gives=fixed)


class SeiDefaults(_Fixed):
    """Growth of the solid-electrolyte interphase (SEI) on graphite.

    Parameters of the growth by reaction, solvent diffusion, electron migration, interstitial diffusion and EC reaction.
    PyBaMM's laws of tunnelling and of von Kolzenberg need more, which the source does not give.

    Source: O'Kane, Ai, Madabattula, Alonso-Alvarez, Timms, Sulzer, Edge, Wu, Offer & Marinescu, Phys. Chem. Chem. Phys.
    24 (2022) 7909, doi:10.1039/D2CP00417H.
    """

    name: Literal["sei_defaults"] = "sei_defaults"
    literature = OKANE
    fixed: ClassVar = {
        "Ratio of lithium moles to SEI moles": 1.0,
        "SEI partial molar volume [m3.mol-1]": 9.585e-5,
        "SEI reaction exchange current density [A.m-2]": 1.5e-7,
        "SEI resistivity [Ohm.m]": 2e5,
        "SEI solvent diffusivity [m2.s-1]": 2.5e-22,
        "Bulk solvent concentration [mol.m-3]": 2636.0,
        "SEI open-circuit potential [V]": 0.4,
        "SEI electron conductivity [S.m-1]": 8.95e-14,
        "SEI lithium interstitial diffusivity [m2.s-1]": 1e-20,
        "Lithium interstitial reference concentration [mol.m-3]": 15.0,
        "Initial SEI thickness [m]": 5e-9,
        "Initial SEI on cracks thickness [m]": 5e-13,
        "EC initial concentration in electrolyte [mol.m-3]": 4541.0,
        "EC diffusivity [m2.s-1]": 2e-18,
        "SEI kinetic rate constant [m.s-1]": 1e-12,
        "SEI growth activation energy [J.mol-1]": 38000.0,
    }
    example: ClassVar = Example(gives=fixed)


def _lithium_rate(concentration: Any) -> Any:
    return FARADAY * parameter("Lithium plating kinetic rate constant [m.s-1]") * concentration


def _dead_lithium(L_sei: Any) -> Any:
    return parameter("Dead lithium decay constant [s-1]") * parameter("Initial SEI thickness [m]") / L_sei


class LiPlatingDefaults(_Fixed):
    """Plating and stripping of lithium, and its loss to the SEI.

    j_plating = F k c_e, j_stripping = F k c_Li [A.m-2], with k the kinetic rate constant [m.s-1], c_e the concentration
    in the electrolyte and c_Li that of plated lithium [mol.m-3]; dead lithium forms at γ L_0/L [s-1], with γ the decay
    constant, L the thickness of the SEI and L_0 that at the start [m], which `SeiDefaults` gives.

    Source: O'Kane, Ai, Madabattula, Alonso-Alvarez, Timms, Sulzer, Edge, Wu, Offer & Marinescu, Phys. Chem. Chem. Phys.
    24 (2022) 7909, doi:10.1039/D2CP00417H; O'Kane, Campbell, Marzook, Offer & Marinescu, J. Electrochem. Soc. 167
    (2020) 090540, doi:10.1149/1945-7111/ab90ac.
    """

    name: Literal["li_plating_defaults"] = "li_plating_defaults"
    literature = OKANE
    fixed: ClassVar = {
        "Lithium metal partial molar volume [m3.mol-1]": 1.3e-5,
        "Lithium plating kinetic rate constant [m.s-1]": 1e-9,
        "Exchange-current density for plating [A.m-2]": Function.trace(lambda c_e, c_Li, T: _lithium_rate(c_e)),
        "Exchange-current density for stripping [A.m-2]": Function.trace(lambda c_e, c_Li, T: _lithium_rate(c_Li)),
        "Initial plated lithium concentration [mol.m-3]": 0.0,
        "Typical plated lithium concentration [mol.m-3]": 1000.0,
        "Lithium plating transfer coefficient": 0.65,
        "Dead lithium decay constant [s-1]": 1e-6,
        "Dead lithium decay rate [s-1]": Function.trace(_dead_lithium),
    }
    example: ClassVar = Example(given={"Initial SEI thickness [m]": 5e-9}, gives=fixed)


GRAPHITE_SWELLING = (145.907, -681.229, 1334.442, -1415.710, 873.906, -312.528, 60.641, -5.706, 0.386, -4.966e-05)
"""Coefficients of graphite's volume change, from sto⁹ down to the constant."""


def _graphite_swelling(sto: Any) -> Any:
    result: Any = 0.0
    for coefficient in GRAPHITE_SWELLING:
        result = result * sto + coefficient
    return result


def _linear_swelling(sto: Any) -> Any:
    name = names_of("positive")
    return parameter("Positive electrode partial molar volume [m3.mol-1]") * parameter(name.maximum_concentration) * sto


_MECHANICS: Mapping[str, Mapping[str, Any]] = {
    "negative": {
        "Poisson's ratio": 0.3,
        "Young's modulus [Pa]": 15e9,
        "partial molar volume [m3.mol-1]": 3.1e-6,
        "critical stress [Pa]": 60e6,
        "volume change": Function.trace(_graphite_swelling),
    },
    "positive": {
        "Poisson's ratio": 0.2,
        "Young's modulus [Pa]": 375e9,
        "partial molar volume [m3.mol-1]": 1.25e-5,
        "critical stress [Pa]": 375e6,
        "volume change": Function.trace(_linear_swelling),
    },
}
_COMMON: Mapping[str, Any] = {
    "reference concentration for free of deformation [mol.m-3]": 0.0,
    "initial crack length [m]": 20e-9,
    "initial crack width [m]": 15e-9,
    "number of cracks per unit area [m-2]": 3.18e15,
    "Paris' law constant b": 1.12,
    "Paris' law constant m": 2.2,
    "cracking rate": 3.9e-20,
    "LAM constant proportional term [s-1]": 1e-3 / 3600,
    "LAM constant exponential term": 2.0,
}


def mechanics(electrode: str) -> dict[str, Any]:
    """Return the mechanical parameters of an electrode by name."""
    values = {**_MECHANICS[electrode], **_COMMON}
    return {f"{electrode.capitalize()} electrode {name}": value for name, value in values.items()}


class MechanicalDegradationDefaults(Entry):
    """Swelling, cracking and stress-driven loss of active material of one electrode: graphite, or a layered oxide.

    Young's modulus [Pa], Poisson's ratio, the change of volume with stoichiometry (graphite: a polynomial; oxide:
    Ω c_max θ), cracks and Paris' law, and the constants of the loss of active material.

    Source: O'Kane, Ai, Madabattula, Alonso-Alvarez, Timms, Sulzer, Edge, Wu, Offer & Marinescu, Phys. Chem. Chem. Phys.
    24 (2022) 7909, doi:10.1039/D2CP00417H; Ai, Kraft, Sturm, Jossen & Wu, J. Electrochem. Soc. 167 (2020) 013512,
    doi:10.1149/2.0122001JES.
    """

    name: Literal["mechanical_degradation_defaults"] = "mechanical_degradation_defaults"
    literature = OKANE
    electrode: Literal["positive", "negative"]

    example: ClassVar = Example(fields={"electrode": "negative"}, gives=mechanics("negative"))

    def compute(self, p: ParameterSet) -> Values:
        """Return the parameters by name, each in the unit that its name says."""
        return mechanics(self.electrode)
