"""Width, height and thickness of electrodes; volume and surface of cells."""

from typing import Any, ClassVar, Literal

import numpy as np

from cellwright.catalog.calculations.capacity import AREA, HEIGHT, WIDTH
from cellwright.catalog.calculations.microstructure import (
    coating_mass,
    material_density,
    porosity,
    press_density,
    volume_fraction,
)
from cellwright.catalog.domain import checked_positive, fraction, positive
from cellwright.physics.geometry import coating_thickness, disc_area, volume_fraction_from_mass
from cellwright.physics.thermal import box_surface, box_volume, cylinder_surface, cylinder_volume
from cellwright.schema.families import Calculation
from cellwright.schema.names import names_of
from cellwright.schema.parameters import ParameterSet, Values
from cellwright.schema.variant import Example

VOLUME = "Cell volume [m3]"
COOLING_AREA = "Cell cooling surface area [m2]"


class AreaToSquareWidthHeight(Calculation):
    """Height and width of a square electrode of a given area.

    H = W = √A, with A the electrode area [m2], above 0.

    Source: Euclid, Elements, book I, proposition 46.
    """

    type: Literal["AreaToSquareWidthHeight"] = "AreaToSquareWidthHeight"

    example: ClassVar = Example(given={AREA: 0.0625}, gives={HEIGHT: 0.25, WIDTH: 0.25})

    def compute(self, p: ParameterSet) -> Values:
        """Return height and width [m]. Raises: `ConfigurationError` for an area that is not above 0."""
        return square(positive(p, AREA))


class DiameterToSquareWidthHeight(Calculation):
    """Height and width of the square that has the area of a round electrode, of a coin cell say.

    A = π d² / 4 and H = W = √A, with d the diameter [m], above 0.

    Source: Archimedes, Measurement of a Circle, proposition 1.
    """

    type: Literal["DiameterToSquareWidthHeight"] = "DiameterToSquareWidthHeight"

    example: ClassVar = Example(
        given={"Electrode diameter [m]": 0.02}, gives={HEIGHT: 0.01 * np.pi**0.5, WIDTH: 0.01 * np.pi**0.5}
    )

    def compute(self, p: ParameterSet) -> Values:
        """Return height and width [m]. Raises: `ConfigurationError` for a diameter that is not above 0."""
        return square(disc_area(positive(p, "Electrode diameter [m]")))


class ElectrodeGeometryFromLoading(Calculation):
    """Thickness, volume fraction of active material and porosity of a pressed coating.

    L = m / ρ_press, ε_AM = w ρ_press / ρ_AM, ε = 1 - ε_AM / f, with m the mass of the dry coating per area [g.cm-2] (or
    [kg.m-2]), ρ_press the density of the pressed coating [kg.m-3] (or [g.cm-3]), w the mass fraction of active material
    in it [-], ρ_AM the density of the active material (or its crystal density) [kg.m-3] (or [g.cm-3]) and f the share
    of the active material in the volume of the solid [-]. ε_AM and ε lie between 0 and 1.

    Source: Newman & Thomas-Alyea, Electrochemical Systems (2004), ch. 22.
    """

    type: Literal["ElectrodeGeometryFromLoading"] = "ElectrodeGeometryFromLoading"
    electrode: Literal["positive", "negative"]

    example: ClassVar = Example(
        fields={"electrode": "positive"},
        given={
            "Positive electrode coating mass per area [g.cm-2]": 0.0192,
            "Positive electrode press density [kg.m-3]": 3200.0,
            "Positive electrode active material mass fraction": 0.96,
            "Positive electrode active material density [kg.m-3]": 4800.0,
            "Positive electrode active volume fraction of solid": 0.8,
        },
        gives={
            "Positive electrode thickness [m]": 60e-6,
            "Positive electrode active material volume fraction": 0.64,
            "Positive electrode porosity": 0.2,
        },
    )

    def compute(self, p: ParameterSet) -> Values:
        """Return thickness [m], volume fraction of active material [-] and porosity [-].

        Raises: `ConfigurationError` for values that are not above 0, fractions above 1, and a coating denser than its
        solid.
        """
        name = names_of(self.electrode)
        pressed = press_density(p, name)
        share = fraction(p, name.active_mass_fraction)
        solid = checked_positive(name.active_fraction_of_solid, fraction(p, name.active_fraction_of_solid))
        active = volume_fraction(name, volume_fraction_from_mass(share, pressed, material_density(p, name)))
        return {
            name.thickness: coating_thickness(coating_mass(p, name), pressed),
            name.volume_fraction: active,
            name.porosity: porosity(name, active, solid),
        }


class JellyRollThermalDimensions(Calculation):
    """Volume and cooled surface of a cylindrical cell.

    V = π r² h, A = 2 π r h + 2 π r², with r the radius and h the height of the jelly roll [m], above 0. The surface is
    that of the whole cylinder, both ends among it.

    Source: Archimedes, On the Sphere and Cylinder, book I.
    """

    type: Literal["JellyRollThermalDimensions"] = "JellyRollThermalDimensions"

    example: ClassVar = Example(
        given={"Jelly roll height [m]": 0.07, "Jelly roll radius [m]": 0.01},
        gives={VOLUME: 7e-6 * np.pi, COOLING_AREA: 1.6e-3 * np.pi},
    )

    def compute(self, p: ParameterSet) -> Values:
        """Return volume [m3] and cooled surface [m2]. Raises: `ConfigurationError` for sizes that are not above 0."""
        radius, height = (positive(p, f"Jelly roll {size} [m]") for size in ("radius", "height"))
        return {VOLUME: cylinder_volume(radius, height), COOLING_AREA: cylinder_surface(radius, height)}


class PouchCellThermalDimensions(Calculation):
    """Volume and cooled surface of a pouch or prismatic cell.

    V = h w t, A = 2 (h w + h t + w t), with height h, width w and thickness t of the pouch [m], above 0. The surface is
    that of all six faces.

    Source: Euclid, Elements, book XI.
    """

    type: Literal["PouchCellThermalDimensions"] = "PouchCellThermalDimensions"

    example: ClassVar = Example(
        given={"Pouch height [m]": 0.2, "Pouch width [m]": 0.1, "Pouch thickness [m]": 0.01},
        gives={VOLUME: 2e-4, COOLING_AREA: 0.046},
    )

    def compute(self, p: ParameterSet) -> Values:
        """Return volume [m3] and cooled surface [m2]. Raises: `ConfigurationError` for sizes that are not above 0."""
        sizes = [positive(p, f"Pouch {size} [m]") for size in ("height", "width", "thickness")]
        return {VOLUME: box_volume(*sizes), COOLING_AREA: box_surface(*sizes)}


def square(area: Any) -> Values:
    """Return height and width [m] of a square electrode of an area [m2]."""
    side = np.sqrt(area)
    side = side if not isinstance(side, np.floating) else float(side)
    return {HEIGHT: side, WIDTH: side}
