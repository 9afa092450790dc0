"""Change of open-circuit potentials with temperature."""

from typing import ClassVar, Literal

from pydantic import Field

from cellwright.catalog.calculations.msmr import EXAMPLE_SITES, ONE_SITE, Limits, curve, window
from cellwright.catalog.calculations.open_circuit import STOICHIOMETRY, distinct, stoichiometries
from cellwright.catalog.sites import numbered_sites, numbered_temperature
from cellwright.physics.msmr import REFERENCE_TEMPERATURE, entropic_change
from cellwright.schema.datasource import Data
from cellwright.schema.families import Calculation
from cellwright.schema.names import Electrode, names_of
from cellwright.schema.parameters import ParameterSet, Values
from cellwright.schema.values import Function
from cellwright.schema.variant import Example, Schema

CLOSE = 1e-8
"""Entropic change [V.K-1] by which a chord of a table may be off."""


class EntropicChangeInterpolantOptions(Schema):
    """How the points are joined, which count as one, the phase, and a factor on the values."""

    only_set = True

    tolerance: float = 1e-6
    interpolator: Literal["linear", "cubic", "pchip"] = "linear"
    phase: Literal["primary", "secondary"] | None = None
    scale_factor: float = Field(default=1.0, alias="scale factor")


class EntropicChangeDataInterpolant(Calculation):
    """Entropic change of an electrode's potential as the interpolation of measured points.

    dU/dT(θ) = k times the interpolation of the points (θ_i, dU/dT_i), dU/dT in V.K-1, k the scale factor. Points closer
    than `tolerance` in θ count as one (their mean). Beyond the data the end piece goes on.

    Source: Thomas & Newman, J. Power Sources 119-121 (2003) 844, doi:10.1016/S0378-7753(03)00283-0.
    """

    type: Literal["EntropicChangeDataInterpolant"] = "EntropicChangeDataInterpolant"
    electrode: Electrode
    data: Data
    options: EntropicChangeInterpolantOptions | None = None

    example: ClassVar = Example(
        fields={
            "electrode": "negative",
            "data": {"Stoichiometry": [0.0, 0.5, 1.0], "Entropic change [V.K-1]": [1e-4, 0.0, -2e-4]},
            "options": {"scale factor": 0.5},
        },
        gives={
            "Negative electrode OCP entropic change [V.K-1]": Function.table("sto", [0.0, 0.5, 1.0], [5e-5, 0.0, -1e-4])
        },
    )

    def compute(self, p: ParameterSet) -> Values:
        """Return the entropic change [V.K-1] as a function of stoichiometry.

        Raises: `DataError` for missing columns, values that are not numbers, stoichiometries outside 0 to 1 and fewer
        than two points.
        """
        options = self.options or EntropicChangeInterpolantOptions()
        name = names_of(self.electrode, options.phase).entropic_change
        table = self.data.table
        x, y = distinct(table[STOICHIOMETRY], table["Entropic change [V.K-1]"], options.tolerance)
        stoichiometries(x, options.tolerance)
        return {name: Function.table("sto", x, options.scale_factor * y, options.interpolator, label=name)}


class EntropicChangeFromMSMRFunction(Calculation):
    """Entropic change of an electrode's potential by its MSMR set.

    From x(U, T) = const, with standard potentials and ideality factors that do not depend on temperature: dU/dT =
    Σ_j a_j (U - U0_j) / (T Σ_j a_j), a_j = (X_j/ω_j) e^z_j / (1 + e^z_j)², z_j = f (U - U0_j)/ω_j, f = F/(R T). It is
    tabulated over the stoichiometries between `voltage_limits` [V], to 1e-8 V.K-1, at the ambient temperature T [K]
    (298.15 where it is not given) and multiplied by the scale factor.

    Source: Verbrugge, Baker, Koch, Xiao & Gu, J. Electrochem. Soc. 164 (2017) E3243, doi:10.1149/2.0341708jes.
    """

    type: Literal["EntropicChangeFromMSMRFunction"] = "EntropicChangeFromMSMRFunction"
    electrode: Electrode
    voltage_limits: Limits
    options: EntropicChangeInterpolantOptions | None = None

    # One kind of sites: dU/dT = (U - U0) / T, whatever its ideality.
    example: ClassVar = Example(
        fields={"electrode": "negative", "voltage_limits": (0.01, 0.3)},
        given=EXAMPLE_SITES,
        gives={
            "Negative electrode OCP entropic change [V.K-1]": Function.table(
                "sto",
                *curve(
                    ONE_SITE,
                    REFERENCE_TEMPERATURE,
                    (0.01, 0.3),
                    1e-6,
                    lambda U, sites, T: (U - sites.U0[0]) / T,
                    CLOSE,
                ),
            )
        },
    )

    def compute(self, p: ParameterSet) -> Values:
        """Return the entropic change [V.K-1] as a function of stoichiometry.

        Raises: `MissingParameterError` where a number of the set is missing, `ConfigurationError` for limits
        upside down.
        """
        options = self.options or EntropicChangeInterpolantOptions()
        name = names_of(self.electrode, options.phase)
        sites, T = numbered_sites(p, name), numbered_temperature(p)
        x, change = curve(sites, T, window(self.voltage_limits), options.tolerance, entropic_change, CLOSE)
        own = name.entropic_change
        return {own: Function.table("sto", x, options.scale_factor * change, options.interpolator, label=own)}
