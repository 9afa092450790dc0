"""The initial state of electrodes, from a state of charge, a voltage, a stoichiometry or a concentration."""

from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator

from cellwright.catalog.calculations.balance import USABLE, Phases, phases_of
from cellwright.catalog.calculations.windows import NOMINAL, lithiation_at, state_of_charge, window_in_order
from cellwright.catalog.domain import (
    checked_fraction,
    checked_positive,
    fraction,
    positive,
    quantity,
    tell_of_extrapolation,
)
from cellwright.errors import ConfigurationError
from cellwright.physics.half_cell import potential_at_stoichiometry, stoichiometry_at_potential
from cellwright.schema.expressions import Expression
from cellwright.schema.families import Calculation
from cellwright.schema.names import Direction, Electrode, ElectrodeNames, names_of
from cellwright.schema.parameters import ParameterSet, Values
from cellwright.schema.values import Function
from cellwright.schema.variant import Example, Schema

SOC = "Initial SOC [%]"
VOLTAGE = "Initial voltage [V]"
ENDS = {"0%": 0.0, "minimum": 0.0, "100%": 1.0, "maximum": 1.0}
"""States of charge by name."""


class InitialSOCHalfCellOptions(Schema):
    """The phase of a composite electrode."""

    only_set = True

    phase: Literal["primary", "secondary"] | None = None


class InitialSOCHalfCell(Calculation):
    """Initial stoichiometry and concentration of one electrode at a state of charge.

    θ = θ_0 + z (θ_100 - θ_0), c = θ c_max, with z the state of charge of the cell between 0 and 1 ("0%" or "minimum",
    "100%" or "maximum", or the name of a parameter that holds it). The window θ_0, θ_100 is that at 0 and 100 % SOC or,
    where it is not given, the minimum and maximum stoichiometry: a full cell is one whose negative electrode is full
    and whose positive electrode is empty.

    Source: Mohtat, Lee, Siegel & Stefanopoulou, J. Power Sources 427 (2019) 101, doi:10.1016/j.jpowsour.2019.03.104.
    """

    type: Literal["InitialSOCHalfCell"] = "InitialSOCHalfCell"
    electrode: Electrode
    soc: int | float | str
    options: InitialSOCHalfCellOptions | None = None

    example: ClassVar = Example(
        fields={"electrode": "positive", "soc": 0.5},
        given={
            "Minimum positive stoichiometry": 0.3,
            "Maximum positive stoichiometry": 0.9,
            "Maximum concentration in positive electrode [mol.m-3]": 50000.0,
        },
        gives={
            "Initial stoichiometry in positive electrode": 0.6,
            "Initial concentration in positive electrode [mol.m-3]": 30000.0,
        },
    )

    @field_validator("soc")
    @classmethod
    def _fraction(cls, soc: Any) -> Any:
        if not isinstance(soc, str) and not 0 <= soc <= 1:
            raise ConfigurationError(f"a state of charge lies between 0 and 1, not {soc}", hint="write 0.5 for 50 %")
        return soc

    def compute(self, p: ParameterSet) -> Values:
        """Return the initial stoichiometry [-] and concentration [mol.m-3].

        Raises: `ConfigurationError` for a state of charge or a stoichiometry outside 0 to 1, and a minimum
        stoichiometry above the maximum.
        """
        name = names_of(self.electrode, self.options.phase if self.options else None)
        z = ENDS[self.soc] if isinstance(self.soc, str) and self.soc in ENDS else state_of_charge(p, self.soc)
        empty, full = self._window(p, name)
        theta = empty + z * (full - empty)
        return {
            name.initial_stoichiometry: theta,
            name.initial_concentration: theta * positive(p, name.maximum_concentration),
        }

    def _window(self, p: ParameterSet, name: ElectrodeNames) -> tuple[Any, Any]:
        by_soc, by_size = (
            (name.stoichiometry_at(0), name.stoichiometry_at(100)),
            (name.minimum_stoichiometry, name.maximum_stoichiometry),
        )
        if any(end in p for end in by_soc) or not any(end in p for end in by_size):
            return fraction(p, by_soc[0]), fraction(p, by_soc[1])
        ends = fraction(p, name.minimum_stoichiometry), fraction(p, name.maximum_stoichiometry)
        window_in_order(f"{self.electrode} electrode", *ends)
        return ends if self.electrode == "negative" else ends[::-1]


class InitialSOCfromMaximumStoichiometryOptions(Schema):
    """How many active materials each electrode has, negative first, and whether concentrations are wanted too."""

    only_set = True

    particle_phases: Phases = Field(default=("1", "1"), alias="particle phases")
    include_concentration: Literal["true", "false"] = Field(default="true", alias="include concentration")


class InitialSOCfromMaximumStoichiometry(Calculation):
    """Initial state of both electrodes at a state of charge, counted from the full cell.

    θ_n = θ_n100 - (1 - z) Q / Q_n, θ_p = θ_p100 + (1 - z) Q / Q_p, c = θ c_max, with z the state of charge
    (`Initial SOC [%]`, 0 to 100), θ_100 the stoichiometries at 100 % SOC, Q the usable capacity of the cell
    (`Usable capacity [A.h]`, else the nominal cell capacity) and Q_n, Q_p the electrode capacities [A.h]. The phases of
    a composite electrode move on straight lines between their stoichiometries at 0 and 100 % SOC; inside of these they
    do not share one potential, and lithium moves between them once a simulation begins.

    Source: Mohtat, Lee, Siegel & Stefanopoulou, J. Power Sources 427 (2019) 101, doi:10.1016/j.jpowsour.2019.03.104.
    """

    type: Literal["InitialSOCfromMaximumStoichiometry"] = "InitialSOCfromMaximumStoichiometry"
    options: InitialSOCfromMaximumStoichiometryOptions | None = None

    example: ClassVar = Example(
        given={
            SOC: 50.0,
            USABLE: 4.0,
            "Negative electrode stoichiometry at 100% SOC": 0.9,
            "Positive electrode stoichiometry at 100% SOC": 0.25,
            "Negative electrode capacity [A.h]": 5.0,
            "Positive electrode capacity [A.h]": 8.0,
            "Maximum concentration in negative electrode [mol.m-3]": 30000.0,
            "Maximum concentration in positive electrode [mol.m-3]": 50000.0,
        },
        gives={
            "Initial stoichiometry in negative electrode": 0.5,
            "Initial stoichiometry in positive electrode": 0.5,
            "Initial concentration in negative electrode [mol.m-3]": 15000.0,
            "Initial concentration in positive electrode [mol.m-3]": 25000.0,
        },
    )

    def compute(self, p: ParameterSet) -> Values:
        """Return initial stoichiometries [-] and, unless they are not wanted, concentrations [mol.m-3].

        Raises: `ConfigurationError` for a state of charge or a stoichiometry outside its range.
        """
        options = self.options or InitialSOCfromMaximumStoichiometryOptions()
        missing = 1 - checked_fraction(f"{SOC} / 100", quantity(p, SOC) / 100)
        result: dict[str, Any] = {}
        for electrode, phases in phases_of(options.particle_phases).items():
            if len(phases) > 1 and not isinstance(missing, Expression) and 0 < missing < 1:
                p.remark(
                    f"the phases of the {electrode} electrode start on straight lines between their ends, not at one "
                    f"potential: lithium moves between them once a simulation begins"
                )
            for name in (names_of(electrode, phase) for phase in phases):
                theta = fraction(p, name.stoichiometry_at(100)) + missing * self._swing(p, name)
                result[name.initial_stoichiometry] = checked_fraction(name.initial_stoichiometry, theta)
                if options.include_concentration == "true":
                    result[name.initial_concentration] = theta * positive(p, name.maximum_concentration)
        return result

    @staticmethod
    def _swing(p: ParameterSet, name: ElectrodeNames) -> Any:
        """Return by how much the stoichiometry changes from the full to the empty cell."""
        if name.phase:
            return fraction(p, name.stoichiometry_at(0)) - fraction(p, name.stoichiometry_at(100))
        usable = positive(p, NOMINAL if USABLE not in p and NOMINAL in p else USABLE)
        change = usable / positive(p, name.capacity)
        return change if name.electrode == "positive" else -change


class InitialConcentrationFromInitialStoichiometryHalfCellOptions(Schema):
    """The phase of a composite electrode."""

    only_set = True

    phase: Literal["primary", "secondary"] | None = None


class InitialConcentrationFromInitialStoichiometryHalfCell(Calculation):
    """Initial concentration of one electrode from its initial stoichiometry.

    c_0 = θ_0 c_max, with θ_0 between 0 and 1 and c_max the maximum concentration [mol.m-3].

    Source: Newman & Thomas-Alyea, Electrochemical Systems (2004), ch. 22.
    """

    type: Literal["InitialConcentrationFromInitialStoichiometryHalfCell"] = (
        "InitialConcentrationFromInitialStoichiometryHalfCell"
    )
    electrode: Electrode
    options: InitialConcentrationFromInitialStoichiometryHalfCellOptions | None = None

    example: ClassVar = Example(
        fields={"electrode": "negative"},
        given={
            "Initial stoichiometry in negative electrode": 0.5,
            "Maximum concentration in negative electrode [mol.m-3]": 30000.0,
        },
        gives={"Initial concentration in negative electrode [mol.m-3]": 15000.0},
    )

    def compute(self, p: ParameterSet) -> Values:
        """Return the concentration [mol.m-3]. Raises: `ConfigurationError` for a stoichiometry outside 0 to 1."""
        name = names_of(self.electrode, self.options.phase if self.options else None)
        theta = fraction(p, name.initial_stoichiometry)
        return {name.initial_concentration: theta * positive(p, name.maximum_concentration)}


class InitialStoichiometryFromVoltageHalfCellOptions(Schema):
    """The phase of a composite electrode, the branch of a potential with hysteresis; `simulation_kwargs` are those of a
    solver that is not needed here: the root is bracketed.
    """

    only_set = True

    simulation_kwargs: dict[str, Any] | None = None
    direction: Direction | None = None
    phase: Literal["primary", "secondary"] | None = None


class InitialStoichiometryFromVoltageHalfCell(Calculation):
    """Initial stoichiometry of one electrode from the voltage against lithium.

    U(θ_0) = V_0, with U the open-circuit potential [V] and V_0 the initial voltage [V], by a bracketed root.

    Source: Brent, Algorithms for Minimization without Derivatives (1973), ch. 4.
    """

    type: Literal["InitialStoichiometryFromVoltageHalfCell"] = "InitialStoichiometryFromVoltageHalfCell"
    electrode: Electrode
    options: InitialStoichiometryFromVoltageHalfCellOptions | None = None

    example: ClassVar = Example(
        fields={"electrode": "positive"},
        given={"Positive electrode OCP [V]": Function.trace(lambda sto: 4.5 - sto), VOLTAGE: 4.0},
        gives={"Initial stoichiometry in positive electrode": 0.5},
    )

    def compute(self, p: ParameterSet) -> Values:
        """Return the initial stoichiometry [-].

        Raises: `MissingParameterError` for a voltage or potential that is not given, `ConfigurationError` where the
        potential does not reach the voltage.
        """
        options = self.options or InitialStoichiometryFromVoltageHalfCellOptions()
        name = names_of(self.electrode, options.phase)
        curve = names_of(self.electrode, options.phase, options.direction).open_circuit_potential
        theta = stoichiometry_at_potential(p.function(curve), p.number(VOLTAGE))
        tell_of_extrapolation(p, curve, theta)
        return {name.initial_stoichiometry: theta}


class InitialStoichiometryFromVoltageMSMRHalfCell(Calculation):
    """Initial stoichiometry of one electrode from the voltage against lithium, by its MSMR set.

    θ_0 = Σ_j X_j / (1 + exp(f (V_0 - U0_j) / ω_j)), f = F/(R T), with V_0 the initial voltage [V] and T the ambient
    temperature [K] (298.15 where it is not given).

    Source: Verbrugge, Baker, Koch, Xiao & Gu, J. Electrochem. Soc. 164 (2017) E3243, doi:10.1149/2.0341708jes.
    """

    type: Literal["InitialStoichiometryFromVoltageMSMRHalfCell"] = "InitialStoichiometryFromVoltageMSMRHalfCell"
    electrode: Electrode

    example: ClassVar = Example(
        fields={"electrode": "positive"},
        given={
            "Positive electrode host site standard potential [V]": [4.0, 3.5],
            "Positive electrode host site occupancy fraction": [0.4, 0.6],
            "Positive electrode host site ideality factor": [1.0, 0.001],
            VOLTAGE: 4.0,
        },
        # Half of the first kind of sites is full, the second is empty.
        gives={"Initial stoichiometry in positive electrode": 0.2},
    )

    def compute(self, p: ParameterSet) -> Values:
        """Return the initial stoichiometry [-].

        Raises: `MissingParameterError` where there is no MSMR set, `ConfigurationError` for a set that is none and a
        temperature that is not above 0.
        """
        name = names_of(self.electrode)
        theta = lithiation_at(p, name, quantity(p, VOLTAGE), name.initial_stoichiometry)
        return {name.initial_stoichiometry: theta}


class InitialVoltageFromConcentration(Calculation):
    """Initial voltage of one electrode against lithium, from its initial concentration.

    x(V_0) = c_0 / c_max, with x(U) the lithiation of the electrode [-] as a function of its potential [V], c_0 the
    initial and c_max the maximum concentration [mol.m-3], by a bracketed root between -1 and 6 V.

    Source: Brent, Algorithms for Minimization without Derivatives (1973), ch. 4.
    """

    type: Literal["InitialVoltageFromConcentration"] = "InitialVoltageFromConcentration"
    electrode: Electrode

    example: ClassVar = Example(
        fields={"electrode": "positive"},
        given={
            "Positive electrode lithiation": Function.trace(lambda U: 4.5 - U),
            "Maximum concentration in positive electrode [mol.m-3]": 50000.0,
            "Initial concentration in positive electrode [mol.m-3]": 25000.0,
        },
        gives={"Initial voltage in positive electrode [V]": 4.0},
    )

    def compute(self, p: ParameterSet) -> Values:
        """Return the voltage [V].

        Raises: `MissingParameterError` for a concentration or lithiation that is not given, `ConfigurationError` for a
        concentration above the maximum, a maximum that is not above 0 and a lithiation that does not reach it.
        """
        name = names_of(self.electrode)
        p.require([name.lithiation, name.initial_concentration, name.maximum_concentration])
        most = checked_positive(name.maximum_concentration, p.number(name.maximum_concentration))
        share = p.number(name.initial_concentration) / most
        theta = checked_fraction(f"{name.initial_concentration} / {name.maximum_concentration}", share)
        voltage = potential_at_stoichiometry(p.function(name.lithiation), theta)
        return {f"Initial voltage in {self.electrode} electrode [V]": voltage}
