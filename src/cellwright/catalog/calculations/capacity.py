"""Capacity and microstructure of an electrode."""

from typing import Any, ClassVar, Literal

from cellwright.errors import ConfigurationError
from cellwright.physics.geometry import host_capacity, spheres_per_volume
from cellwright.schema.expressions import Expression
from cellwright.schema.families import Calculation
from cellwright.schema.names import Electrode, ElectrodeNames, Phase, names_of
from cellwright.schema.parameters import ParameterSet, Values
from cellwright.schema.variant import Example

AREA = "Electrode area [m2]"
HEIGHT = "Electrode height [m]"
WIDTH = "Electrode width [m]"
LAYERS = "Number of electrodes connected in parallel to make a cell"
AGREEMENT = 1e-3
"""Relative difference above which a capacity that is given contradicts the one that the other values make."""


class ElectrodeCapacity(Calculation):
    """Capacity of an electrode, or whichever of the values behind it is missing.

    Q = c_max ε L A n Δθ F / 3600, with Q the capacity [A.h], c_max the maximum concentration [mol.m-3], ε the active
    material volume fraction [-], L the thickness [m], A the electrode area [m2] (or height times width), n the number
    of electrodes in parallel (1 where it is not given), F = 96485.33 C.mol-1 and Δθ the width of the stoichiometry
    window [-] (`use_stoich_window`; else 1). The areal capacity ("loading" [A.h.cm-2]) may stand for Q.

    Where Q is given and one of c_max, ε, L, A is not, that one is the result. Where several are missing, Q is an
    expression of them.

    Source: Newman & Thomas-Alyea, Electrochemical Systems (2004), ch. 22.
    """

    type: Literal["ElectrodeCapacity"] = "ElectrodeCapacity"
    electrode: Electrode
    use_stoich_window: bool = False
    method: str = "auto"
    phase: Phase | None = None

    example: ClassVar = Example(
        fields={"electrode": "positive"},
        given={
            "Maximum concentration in positive electrode [mol.m-3]": 51217.0,
            "Positive electrode active material volume fraction": 0.65,
            "Positive electrode thickness [m]": 80e-6,
            AREA: 0.1,
        },
        gives={"Positive electrode capacity [A.h]": 51217.0 * 0.65 * 80e-6 * 0.1 * 96485.33212331001 / 3600},
    )

    def compute(self, p: ParameterSet) -> Values:
        """Return the capacity [A.h], or the missing value behind a capacity that is given."""
        name = names_of(self.electrode, self.phase)
        area_name = AREA if AREA in p or not (HEIGHT in p and WIDTH in p) else f"{HEIGHT} × {WIDTH}"
        factors = {
            name.maximum_concentration: p[name.maximum_concentration],
            name.volume_fraction: p[name.volume_fraction],
            name.thickness: p[name.thickness],
            area_name: p[AREA] if area_name == AREA else p[HEIGHT] * p[WIDTH],
        }
        common = {"layers": p.get(LAYERS, 1.0), "window": self._window(p, name)}
        missing = [factor for factor in factors if factor not in p and factor != f"{HEIGHT} × {WIDTH}"]
        given = self._given_capacity(p, name, factors[area_name], common["layers"])
        made = host_capacity(*factors.values(), **common)
        if given is None:
            return {name.capacity: made}
        if not missing:
            return {name.capacity: self._agreed(given, made, name)}
        wanted = missing[0]
        unit_factors = [1.0 if factor == wanted else value for factor, value in factors.items()]
        return {wanted: given / host_capacity(*unit_factors, **common)}

    def _window(self, p: ParameterSet, name: ElectrodeNames) -> Any:
        if not self.use_stoich_window:
            return 1.0
        return p[name.maximum_stoichiometry] - p[name.minimum_stoichiometry]

    def _given_capacity(self, p: ParameterSet, name: ElectrodeNames, area: Any, layers: Any) -> Any:
        if self.method == "theoretical":
            return None
        if name.capacity in p and self.method != "loading":
            return p[name.capacity]
        if name.loading in p:
            return p[name.loading] * area * 1e4 * layers
        return None

    @staticmethod
    def _agreed(given: Any, made: Any, name: ElectrodeNames) -> Any:
        if isinstance(given, Expression) or isinstance(made, Expression):
            return made
        if abs(given - made) > AGREEMENT * abs(made):
            raise ConfigurationError(
                f"{name.capacity!r} is given as {given:.6g}, but concentration, volume fraction, thickness and area "
                f"make it {made:.6g}",
                hint="leave out the value that is to be derived",
            )
        return made


class SurfaceAreaToVolumeRatio(Calculation):
    """Specific surface area of an electrode of spherical particles.

    a = 3 ε / R, with ε the active material volume fraction [-] and R the particle radius [m].

    Source: Newman & Thomas-Alyea, Electrochemical Systems (2004), ch. 22.
    """

    type: Literal["SurfaceAreaToVolumeRatio"] = "SurfaceAreaToVolumeRatio"
    electrode: Electrode | Literal["both"]

    example: ClassVar = Example(
        fields={"electrode": "negative"},
        given={
            "Negative electrode active material volume fraction": 0.65,
            "Negative particle radius [m]": 5e-6,
        },
        gives={"Negative electrode surface area to volume ratio [m-1]": 3.9e5},
    )

    def compute(self, p: ParameterSet) -> Values:
        """Return the surface area per volume of electrode [m-1]."""
        electrodes = ("negative", "positive") if self.electrode == "both" else (self.electrode,)
        result = {}
        for electrode in electrodes:
            name = names_of(electrode)
            radius = p[name.particle_radius]
            if not isinstance(radius, Expression) and radius <= 0:
                raise ConfigurationError(f"{name.particle_radius!r} is {radius}, and a radius is positive")
            result[name.surface_area_per_volume] = spheres_per_volume(p[name.volume_fraction], radius)
        return result
