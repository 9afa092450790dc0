"""Kinetics and transport with activation energies, whose parameters stay free for other elements and fits."""

from typing import Any, ClassVar, Literal

import numpy as np

from cellwright.catalog.entries.electrolytes import CONCENTRATION, CONDUCTIVITY, DIFFUSIVITY
from cellwright.physics.arrhenius import arrhenius_factor
from cellwright.physics.msmr import REFERENCE_TEMPERATURE
from cellwright.schema.expressions import call, parameter
from cellwright.schema.families import Entry
from cellwright.schema.names import names_of
from cellwright.schema.parameters import ParameterSet, Values
from cellwright.schema.values import Function
from cellwright.schema.variant import Example, Leaf

REFERENCE = "Reference temperature [K]"
One = Literal["positive", "negative", "lumped"]
Way = Literal["", "lithiation", "delithiation"]
Layer = Literal["", "primary", "secondary"]


class _OfElectrode(Entry):
    """An entry of one electrode; a direction and a phase that are empty are not written."""

    electrode: One

    def _dump(self, leaf: Leaf) -> dict[str, Any]:
        return {key: value for key, value in super()._dump(leaf).items() if value != ""}


def _exchange_current(reference: Any, energy: Any, T_ref: Any, c_e0: Any) -> Function:
    def density(c_e: Any, c_s_surf: Any, c_s_max: Any, T: Any) -> Any:
        filling = np.minimum(np.maximum(c_s_surf / c_s_max, 0.0), 1.0)
        shape = (c_e / c_e0) ** 0.5 * filling**0.5 * (1 - filling) ** 0.5
        return reference * shape * arrhenius_factor(energy, T_ref, T)

    return Function.trace(density)


class ArrheniusButlerVolmerExchangeCurrentDensity(_OfElectrode):
    """Exchange-current density of intercalation, with an activation energy.

    j_0 = j_ref (c_e/c_e0)^½ (c_s/c_max)^½ (1 - c_s/c_max)^½ exp(E/R (1/T_ref - 1/T)), with the concentrations in the
    electrolyte (c_e, at the start c_e0) and at the particles' surface (c_s, between 0 and c_max; beyond them j_0 is 0)
    [mol.m-3]. The "reference exchange-current density" j_ref [A.m-2] and the "reaction activation energy" E [J.mol-1]
    stay free for other elements and fits, as do c_e0 and T_ref [K].

    Source: Doyle, Fuller & Newman, J. Electrochem. Soc. 140 (1993) 1526, doi:10.1149/1.2221597.
    """

    name: Literal["arrhenius_butler_volmer_exchange_current_density"] = (
        "arrhenius_butler_volmer_exchange_current_density"
    )
    direction: Way = ""
    phase: Layer = ""

    example: ClassVar = Example(
        fields={"electrode": "negative"},
        given={
            "Negative electrode reference exchange-current density [A.m-2]": 2.0,
            "Negative electrode reaction activation energy [J.mol-1]": 35000.0,
            REFERENCE: 298.15,
            CONCENTRATION: 1000.0,
        },
        gives={"Negative electrode exchange-current density [A.m-2]": _exchange_current(2.0, 35e3, 298.15, 1000.0)},
    )

    def compute(self, p: ParameterSet) -> Values:
        """Return the exchange-current density [A.m-2] as a function of c_e, c_s_surf, c_s_max [mol.m-3] and T [K]."""
        name = names_of(self.electrode, self.phase, self.direction)
        reference, energy = name.reference_exchange_current_density, name.reaction_activation_energy
        free = map(parameter, (reference, energy, REFERENCE, CONCENTRATION))
        return {name.exchange_current_density: _exchange_current(*free)}


class ArrheniusParticleDiffusivity(_OfElectrode):
    """Diffusivity in particles, with an activation energy.

    D(θ, T) = D_ref(θ) exp(E/R (1/T_ref - 1/T)). The "reference diffusivity" D_ref [m2.s-1], a number or a function of
    the stoichiometry θ, the "diffusivity activation energy" E [J.mol-1] and the reference temperature T_ref [K] stay
    free for other elements and fits.

    Source: Laidler, J. Chem. Educ. 61 (1984) 494, doi:10.1021/ed061p494.
    """

    name: Literal["arrhenius_particle_diffusivity"] = "arrhenius_particle_diffusivity"
    direction: Way = ""
    phase: Layer = ""

    example: ClassVar = Example(
        fields={"electrode": "positive"},
        given={
            "Positive particle reference diffusivity [m2.s-1]": 4e-15,
            "Positive particle diffusivity activation energy [J.mol-1]": 25000.0,
            REFERENCE: 298.15,
        },
        gives={
            "Positive particle diffusivity [m2.s-1]": Function.trace(
                lambda sto, T: 4e-15 * arrhenius_factor(25e3, 298.15, T)
            )
        },
    )

    def compute(self, p: ParameterSet) -> Values:
        """Return the diffusivity [m2.s-1] as a function of stoichiometry [-] and temperature [K]."""
        name = names_of(self.electrode, self.phase, self.direction)
        energy, T_ref = map(parameter, (name.diffusivity_activation_energy, REFERENCE))

        def diffusivity(sto: Any, T: Any) -> Any:
            reference = call(name.reference_diffusivity, {"sto": sto, "T": T})
            return reference * arrhenius_factor(energy, T_ref, T)

        return {name.diffusivity: Function.trace(diffusivity, label=name.diffusivity)}


class _ArrheniusElectrolyte(Entry):
    """A property of the electrolyte with an activation energy from 298.15 K."""

    quantity: ClassVar[str] = ""
    unit: ClassVar[str] = ""

    def compute(self, p: ParameterSet) -> Values:
        """Return the property in its unit as a function of the concentration [mol.m-3] and the temperature [K]."""
        energy = parameter(f"Electrolyte {self.quantity} activation energy [J.mol-1]")

        def function(c_e: Any, T: Any) -> Any:
            reference = call(f"Electrolyte reference {self.quantity} [{self.unit}]", {"c_e": c_e, "T": T})
            return reference * arrhenius_factor(energy, REFERENCE_TEMPERATURE, T)

        own = f"Electrolyte {self.quantity} [{self.unit}]"
        return {own: Function.trace(function, label=own)}


class ArrheniusElectrolyteDiffusivity(_ArrheniusElectrolyte):
    """Diffusivity of the electrolyte, with an activation energy.

    D_e(c_e, T) = D_ref(c_e) exp(E/R (1/298.15 K - 1/T)). The "reference diffusivity" D_ref [m2.s-1], a number or a
    function of the concentration c_e [mol.m-3], and the activation energy E [J.mol-1] stay free.

    Source: Laidler, J. Chem. Educ. 61 (1984) 494, doi:10.1021/ed061p494.
    """

    name: Literal["arrhenius_electrolyte_diffusivity"] = "arrhenius_electrolyte_diffusivity"
    quantity = "diffusivity"
    unit = "m2.s-1"

    example: ClassVar = Example(
        given={
            "Electrolyte reference diffusivity [m2.s-1]": 2e-10,
            "Electrolyte diffusivity activation energy [J.mol-1]": 17000.0,
        },
        gives={DIFFUSIVITY: Function.trace(lambda c_e, T: 2e-10 * arrhenius_factor(17e3, 298.15, T))},
    )


class ArrheniusElectrolyteConductivity(_ArrheniusElectrolyte):
    """Conductivity of the electrolyte, with an activation energy.

    κ(c_e, T) = κ_ref(c_e) exp(E/R (1/298.15 K - 1/T)). The "reference conductivity" κ_ref [S.m-1], a number or a
    function of the concentration c_e [mol.m-3], and the activation energy E [J.mol-1] stay free.

    Source: Laidler, J. Chem. Educ. 61 (1984) 494, doi:10.1021/ed061p494.
    """

    name: Literal["arrhenius_electrolyte_conductivity"] = "arrhenius_electrolyte_conductivity"
    quantity = "conductivity"
    unit = "S.m-1"

    example: ClassVar = Example(
        given={
            "Electrolyte reference conductivity [S.m-1]": 1.0,
            "Electrolyte conductivity activation energy [J.mol-1]": 17000.0,
        },
        gives={CONDUCTIVITY: Function.trace(lambda c_e, T: 1.0 * arrhenius_factor(17e3, 298.15, T))},
    )


class AverageOCP(_OfElectrode):
    """Open-circuit potential between those of lithiation and delithiation.

    U(θ) = (U_delithiation(θ) + U_lithiation(θ)) / 2, of the potentials [V] that elements before give.

    Source: Dreyer, Jamnik, Guhlke, Huth, Moškon & Gaberšček, Nat. Mater. 9 (2010) 448, doi:10.1038/nmat2730.
    """

    name: Literal["average_ocp"] = "average_ocp"
    phase: Layer | None = None

    example: ClassVar = Example(
        fields={"electrode": "negative"},
        given={
            "Negative electrode lithiation OCP [V]": Function.trace(lambda sto: 0.2 - 0.1 * sto),
            "Negative electrode delithiation OCP [V]": Function.trace(lambda sto: 0.3 - 0.2 * sto),
        },
        gives={"Negative electrode OCP [V]": Function.trace(lambda sto: 0.25 - 0.15 * sto)},
    )

    def compute(self, p: ParameterSet) -> Values:
        """Return the potential [V] as a function of stoichiometry. Raises: `MissingParameterError` without a branch."""
        up, down = (
            p.function(names_of(self.electrode, self.phase, direction).open_circuit_potential)
            for direction in ("delithiation", "lithiation")
        )
        own = names_of(self.electrode, self.phase).open_circuit_potential
        return {own: Function.trace(lambda sto: (up(sto) + down(sto)) / 2, label=own)}
