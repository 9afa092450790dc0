"""Entries: known values (`cw.direct_entries`), each also under the name that it has in a document."""

from cellwright.catalog.entries.defaults import (
    Bruggeman,
    LiPlatingDefaults,
    LithiumMetalAnode,
    MechanicalDegradationDefaults,
    OneCm2Cell,
    SeiDefaults,
    SpmDefaults,
    StandardDefaults,
    Temperatures,
    ZeroActivationEnergy,
    ZeroEntropicChange,
)
from cellwright.catalog.entries.direct import DirectEntry, ProvenanceRecord
from cellwright.catalog.entries.electrolytes import ConstantElectrolyte, LandesfeindElectrolyte, NymanElectrolyte
from cellwright.catalog.entries.initial import InitialStateOfCharge, InitialTemperature, InitialVoltage
from cellwright.catalog.entries.json_file import FromJson
from cellwright.catalog.entries.kinetics import (
    ArrheniusButlerVolmerExchangeCurrentDensity,
    ArrheniusElectrolyteConductivity,
    ArrheniusElectrolyteDiffusivity,
    ArrheniusParticleDiffusivity,
    AverageOCP,
)
from cellwright.catalog.entries.piecewise import PiecewiseInterpolation1D, PiecewiseInterpolation2D

arrhenius_butler_volmer_exchange_current_density = ArrheniusButlerVolmerExchangeCurrentDensity
arrhenius_electrolyte_conductivity = ArrheniusElectrolyteConductivity
arrhenius_electrolyte_diffusivity = ArrheniusElectrolyteDiffusivity
arrhenius_particle_diffusivity = ArrheniusParticleDiffusivity
average_ocp = AverageOCP
bruggeman = Bruggeman
constant_electrolyte = ConstantElectrolyte
from_json = FromJson
landesfeind_electrolyte = LandesfeindElectrolyte
li_plating_defaults = LiPlatingDefaults
lithium_metal_anode = LithiumMetalAnode
mechanical_degradation_defaults = MechanicalDegradationDefaults
nyman_electrolyte = NymanElectrolyte
one_cm2_cell = OneCm2Cell
sei_defaults = SeiDefaults
spm_defaults = SpmDefaults
standard_defaults = StandardDefaults
temperatures = Temperatures
zero_activation_energy = ZeroActivationEnergy
zero_entropic_change = ZeroEntropicChange

__all__ = [
    "ArrheniusButlerVolmerExchangeCurrentDensity",
    "ArrheniusElectrolyteConductivity",
    "ArrheniusElectrolyteDiffusivity",
    "ArrheniusParticleDiffusivity",
    "AverageOCP",
    "Bruggeman",
    "ConstantElectrolyte",
    "DirectEntry",
    "FromJson",
    "InitialStateOfCharge",
    "InitialTemperature",
    "InitialVoltage",
    "LandesfeindElectrolyte",
    "LiPlatingDefaults",
    "LithiumMetalAnode",
    "MechanicalDegradationDefaults",
    "NymanElectrolyte",
    "OneCm2Cell",
    "PiecewiseInterpolation1D",
    "PiecewiseInterpolation2D",
    "ProvenanceRecord",
    "SeiDefaults",
    "SpmDefaults",
    "StandardDefaults",
    "Temperatures",
    "ZeroActivationEnergy",
    "ZeroEntropicChange",
    "arrhenius_butler_volmer_exchange_current_density",
    "arrhenius_electrolyte_conductivity",
    "arrhenius_electrolyte_diffusivity",
    "arrhenius_particle_diffusivity",
    "average_ocp",
    "bruggeman",
    "constant_electrolyte",
    "from_json",
    "landesfeind_electrolyte",
    "li_plating_defaults",
    "lithium_metal_anode",
    "mechanical_degradation_defaults",
    "nyman_electrolyte",
    "one_cm2_cell",
    "sei_defaults",
    "spm_defaults",
    "standard_defaults",
    "temperatures",
    "zero_activation_energy",
    "zero_entropic_change",
]
