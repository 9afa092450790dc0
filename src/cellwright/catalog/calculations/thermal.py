"""Heat capacities of the cell and of its parts."""

from typing import ClassVar, Literal

from cellwright.catalog.domain import positive
from cellwright.schema.families import Calculation
from cellwright.schema.names import ELECTRODES, names_of
from cellwright.schema.parameters import ParameterSet, Values
from cellwright.schema.variant import Example

HEAT_CAPACITY = "Cell heat capacity [J.K-1]"
SPECIFIC_HEAT_CAPACITY = "Cell specific heat capacity [J.kg-1.K-1]"
MASS = "Cell mass [kg]"
DENSITY = "Cell density [kg.m-3]"


class SpecificHeatCapacity(Calculation):
    """Heat capacity of a cell per mass.

    c_p = C / m, with C the heat capacity [J.K-1] and m the mass [kg] of the cell, both above 0.

    Source: Bernardi, Pawlikowski & Newman, J. Electrochem. Soc. 132 (1985) 5, doi:10.1149/1.2113792.
    """

    type: Literal["SpecificHeatCapacity"] = "SpecificHeatCapacity"

    example: ClassVar = Example(given={HEAT_CAPACITY: 63.0, MASS: 0.07}, gives={SPECIFIC_HEAT_CAPACITY: 900.0})

    def compute(self, p: ParameterSet) -> Values:
        """Return the specific heat capacity [J.kg-1.K-1]. Raises: `ConfigurationError` for values not above 0."""
        return {SPECIFIC_HEAT_CAPACITY: positive(p, HEAT_CAPACITY) / positive(p, MASS)}


class LumpedHeatCapacityAndDensity(Calculation):
    """Specific heat capacity and density of the cell for each of its parts.

    Both electrodes, both current collectors and the separator take the cell's c_p [J.kg-1.K-1] and ρ [kg.m-3], above 0,
    so that the mean over the layers, Σ ρ_k c_p,k L_k / Σ L_k, is ρ c_p whatever their thicknesses L_k are. This
    overwrites the densities of the parts: let the mass of the cell be worked out before.

    Source: Timms et al., SIAM J. Appl. Math. 81 (2021) 765, doi:10.1137/20M1336898 (the mean over the layers).
    """

    type: Literal["LumpedHeatCapacityAndDensity"] = "LumpedHeatCapacityAndDensity"

    example: ClassVar = Example(
        given={SPECIFIC_HEAT_CAPACITY: 900.0, DENSITY: 2800.0},
        gives={
            f"{part} {quantity}": value
            for part in (
                "Negative current collector",
                "Negative electrode",
                "Separator",
                "Positive electrode",
                "Positive current collector",
            )
            for quantity, value in (("specific heat capacity [J.kg-1.K-1]", 900.0), ("density [kg.m-3]", 2800.0))
        },
    )

    def compute(self, p: ParameterSet) -> Values:
        """Return specific heat capacity [J.kg-1.K-1] and density [kg.m-3] of the five parts of a cell.

        Raises: `ConfigurationError` for values that are not above 0.
        """
        capacity, density = positive(p, SPECIFIC_HEAT_CAPACITY), positive(p, DENSITY)
        values = {"Separator specific heat capacity [J.kg-1.K-1]": capacity, "Separator density [kg.m-3]": density}
        for name in map(names_of, ELECTRODES):
            values |= {name.specific_heat_capacity: capacity, name.current_collector_specific_heat_capacity: capacity}
            values |= {name.density: density, name.current_collector_density: density}
        return values
