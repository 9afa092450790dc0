"""Stoichiometry windows and the initial state."""

from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator

from cellwright.catalog.calculations.capacity import AREA, HEIGHT, LAYERS, WIDTH
from cellwright.catalog.domain import fraction, positive, quantity, tell_of_extrapolation
from cellwright.catalog.sites import sites_of, temperature_of
from cellwright.errors import ConfigurationError
from cellwright.physics.geometry import host_capacity
from cellwright.physics.half_cell import stoichiometry_at_potential
from cellwright.physics.msmr import lithiation
from cellwright.physics.windows import stoichiometry_window
from cellwright.schema.families import Calculation
from cellwright.schema.names import ELECTRODES, Electrode, names_of
from cellwright.schema.parameters import ParameterSet, Values
from cellwright.schema.values import Function
from cellwright.schema.variant import Example, Schema

LITHIUM = "Cyclable lithium capacity [A.h]"
NOMINAL = "Nominal cell capacity [A.h]"


class ElectrodeSOHOptions(Schema):
    """Which capacity is known beside those of the electrodes."""

    only_set = True

    known_value: Literal["cyclable lithium capacity", "cell capacity"] = Field(
        default="cyclable lithium capacity", alias="known value"
    )


class ElectrodeSOH(Calculation):
    """Stoichiometries of both electrodes at 0 and 100 % state of charge.

    They solve U_p(θ_p100) - U_n(θ_n100) = V_100, U_p(θ_p0) - U_n(θ_n0) = V_0, Q = Q_n (θ_n100 - θ_n0) =
    Q_p (θ_p0 - θ_p100) and, with a known lithium inventory, Q_Li = θ_n Q_n + θ_p Q_p (else with the cell's capacity Q).
    V_0 and V_100 [V] are the open-circuit voltages at 0 and 100 % SOC or, where these are not given, the voltage
    cut-offs; Q_n and Q_p [A.h] the electrode capacities or, where these are not given, c_max ε L A F / 3600.

    Source: Mohtat, Lee, Siegel & Stefanopoulou, J. Power Sources 427 (2019) 101, doi:10.1016/j.jpowsour.2019.03.104.
    """

    type: Literal["ElectrodeSOH"] = "ElectrodeSOH"
    options: ElectrodeSOHOptions | None = None

    example: ClassVar = Example(
        given={
            "Negative electrode OCP [V]": Function.trace(lambda sto: 1 - sto),
            "Positive electrode OCP [V]": Function.trace(lambda sto: 5 - sto),
            "Negative electrode capacity [A.h]": 2.0,
            "Positive electrode capacity [A.h]": 4.0,
            LITHIUM: 3.2,
            "Lower voltage cut-off [V]": 3.5,
            "Upper voltage cut-off [V]": 4.1,
        },
        gives={
            "Negative electrode stoichiometry at 0% SOC": 0.2,
            "Negative electrode stoichiometry at 100% SOC": 0.6,
            "Positive electrode stoichiometry at 0% SOC": 0.7,
            "Positive electrode stoichiometry at 100% SOC": 0.5,
        },
    )

    def compute(self, p: ParameterSet) -> Values:
        """Return the four stoichiometries [-].

        Raises: `MissingParameterError` for a number or potential that is not given, `ConfigurationError` where the
        window does not reach the voltage limits.
        """
        options = self.options or ElectrodeSOHOptions()
        by_lithium = options.known_value == "cyclable lithium capacity"
        p.require([*needed_for_window(p), LITHIUM if by_lithium else NOMINAL])
        known = {"Q_Li": p.number(LITHIUM)} if by_lithium else {"Q_cell": p.number(NOMINAL)}
        return window_of(p, capacity_of(p, "negative"), capacity_of(p, "positive"), **known)


class ElectrodeSOHHalfCellOptions(Schema):
    """`simulation_kwargs` are those of a solver that is not needed here: the roots are bracketed."""

    only_set = True

    simulation_kwargs: dict[str, Any] | None = None


class ElectrodeSOHHalfCell(Calculation):
    """Stoichiometries of one electrode against lithium at both voltage limits.

    U(θ_min) = V_max and U(θ_max) = V_min, with U the open-circuit potential [V] and the limits the open-circuit
    voltages at 0 and 100 % SOC or, where these are not given, the voltage cut-offs. The cell is full at V_max.

    Source: Brent, Algorithms for Minimization without Derivatives (1973), ch. 4.
    """

    type: Literal["ElectrodeSOHHalfCell"] = "ElectrodeSOHHalfCell"
    electrode: Electrode
    options: ElectrodeSOHHalfCellOptions | None = None

    example: ClassVar = Example(
        fields={"electrode": "positive"},
        given={
            "Positive electrode OCP [V]": Function.trace(lambda sto: 4.5 - sto),
            "Lower voltage cut-off [V]": 3.6,
            "Upper voltage cut-off [V]": 4.2,
        },
        gives={"Minimum positive stoichiometry": 0.3, "Maximum positive stoichiometry": 0.9},
    )

    def compute(self, p: ParameterSet) -> Values:
        """Return minimum and maximum stoichiometry [-].

        Raises: `MissingParameterError` for a limit or potential that is not given, `ConfigurationError` for limits that
        are upside down or that the potential does not reach.
        """
        name = names_of(self.electrode)
        p.require([_voltage_name(p, 0), _voltage_name(p, 100), name.open_circuit_potential])
        low, high = limits_of(p)
        U = p.function(name.open_circuit_potential)
        least, most = (stoichiometry_at_potential(U, voltage) for voltage in (high, low))
        tell_of_extrapolation(p, name.open_circuit_potential, least, most)
        return {name.minimum_stoichiometry: least, name.maximum_stoichiometry: most}


class MSMRElectrodeSOHHalfCell(Calculation):
    """Stoichiometries of one electrode against lithium at both voltage limits, by its MSMR set.

    θ(V) = Σ_j X_j / (1 + exp(f (V - U0_j) / ω_j)), f = F/(R T), θ_min = θ(V_max), θ_max = θ(V_min), with the limits the
    open-circuit voltages at 0 and 100 % SOC or, where these are not given, the voltage cut-offs [V], and T the ambient
    temperature [K] (298.15 where it is not given).

    Source: Verbrugge, Baker, Koch, Xiao & Gu, J. Electrochem. Soc. 164 (2017) E3243, doi:10.1149/2.0341708jes.
    """

    type: Literal["MSMRElectrodeSOHHalfCell"] = "MSMRElectrodeSOHHalfCell"
    electrode: Electrode

    example: ClassVar = Example(
        fields={"electrode": "positive"},
        given={
            "Positive electrode host site standard potential [V]": [4.0, 3.5],
            "Positive electrode host site occupancy fraction": [0.4, 0.6],
            "Positive electrode host site ideality factor": [0.001, 0.001],
            "Lower voltage cut-off [V]": 3.5,
            "Upper voltage cut-off [V]": 4.0,
        },
        # At its standard potential a kind of sites is half full.
        gives={"Minimum positive stoichiometry": 0.2, "Maximum positive stoichiometry": 0.7},
    )

    def compute(self, p: ParameterSet) -> Values:
        """Return minimum and maximum stoichiometry [-]. Raises: `MissingParameterError` without an MSMR set."""
        name = names_of(self.electrode)
        sites, T = sites_of(p, name), temperature_of(p)
        low, high = (quantity(p, _voltage_name(p, soc)) for soc in (0, 100))
        return {
            name.minimum_stoichiometry: lithiation(high, sites, T),
            name.maximum_stoichiometry: lithiation(low, sites, T),
        }


class InitialSOC(Calculation):
    """Initial stoichiometries and concentrations at a state of charge.

    θ_n = θ_n0 + z (θ_n100 - θ_n0), θ_p = θ_p0 + z (θ_p100 - θ_p0), c = θ c_max, with z the state of charge between 0
    and 1 (or the name of a parameter that holds it), θ [-] and c [mol.m-3].

    Source: Mohtat, Lee, Siegel & Stefanopoulou, J. Power Sources 427 (2019) 101, doi:10.1016/j.jpowsour.2019.03.104.
    """

    type: Literal["InitialSOC"] = "InitialSOC"
    soc: int | float | str

    example: ClassVar = Example(
        fields={"soc": 0.5},
        given={
            "Negative electrode stoichiometry at 0% SOC": 0.2,
            "Negative electrode stoichiometry at 100% SOC": 0.6,
            "Positive electrode stoichiometry at 0% SOC": 0.7,
            "Positive electrode stoichiometry at 100% SOC": 0.5,
            "Maximum concentration in negative electrode [mol.m-3]": 30000.0,
            "Maximum concentration in positive electrode [mol.m-3]": 50000.0,
        },
        gives={
            "Initial stoichiometry in negative electrode": 0.4,
            "Initial stoichiometry in positive electrode": 0.6,
            "Initial concentration in negative electrode [mol.m-3]": 12000.0,
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
        """Return initial stoichiometries [-] and concentrations [mol.m-3] of both electrodes.

        Raises: `ConfigurationError` for stoichiometries outside 0 to 1 and concentrations that are not above 0.
        """
        z = p[self.soc] if isinstance(self.soc, str) else float(self.soc)
        result = {}
        for name in map(names_of, ELECTRODES):
            empty, full = fraction(p, name.stoichiometry_at(0)), fraction(p, name.stoichiometry_at(100))
            theta = empty + z * (full - empty)
            result[name.initial_stoichiometry] = theta
            result[name.initial_concentration] = theta * positive(p, name.maximum_concentration)
        return result


def needed_for_window(p: ParameterSet) -> list[str]:
    """Return the names of the potentials, capacities (or what makes them) and voltages that a window needs."""
    needed = [_voltage_name(p, 0), _voltage_name(p, 100)]
    for name in map(names_of, ELECTRODES):
        needed.append(name.open_circuit_potential)
        if name.capacity not in p and name.maximum_concentration in p:
            needed += [name.volume_fraction, name.thickness, *_sides(p)]
    return list(dict.fromkeys(needed))


def _sides(p: ParameterSet) -> list[str]:
    return [HEIGHT, WIDTH] if AREA not in p and (HEIGHT in p or WIDTH in p) else [AREA]


def capacity_of(p: ParameterSet, electrode: str) -> float:
    """Return an electrode's capacity [A.h] as a number: given, or from concentration, volume fraction and geometry."""
    name = names_of(electrode)
    if name.capacity in p or name.maximum_concentration not in p:
        return p.number(name.capacity)
    area = p.number(AREA) if AREA in p else p.number(HEIGHT) * p.number(WIDTH)
    layers = p.number(LAYERS) if LAYERS in p else 1.0
    concentration, fraction = p.number(name.maximum_concentration), p.number(name.volume_fraction)
    return float(host_capacity(concentration, fraction, p.number(name.thickness), area, layers))


def voltage_at(p: ParameterSet, soc: Literal[0, 100]) -> float:
    """Return the open-circuit voltage [V] at 0 or 100 % SOC, by its own name or as the voltage cut-off."""
    return p.number(_voltage_name(p, soc))


def window_of(p: ParameterSet, Q_n: float, Q_p: float, **known: float) -> dict[str, Any]:
    """Return the stoichiometries [-] at 0 and 100 % SOC of electrodes with these capacities [A.h].

    `known` is the cyclable lithium `Q_Li` or the capacity of the cell `Q_cell` [A.h].

    Raises: `ConfigurationError` where the window does not reach the voltage limits.
    """
    negative, positive = map(names_of, ELECTRODES)
    U_n, U_p = (p.function(name.open_circuit_potential) for name in (negative, positive))
    window = stoichiometry_window(U_n, U_p, Q_n, Q_p, voltage_at(p, 0), voltage_at(p, 100), **known)
    tell_of_extrapolation(p, negative.open_circuit_potential, window.n0, window.n100)
    tell_of_extrapolation(p, positive.open_circuit_potential, window.p0, window.p100)
    return {
        negative.stoichiometry_at(0): window.n0,
        negative.stoichiometry_at(100): window.n100,
        positive.stoichiometry_at(0): window.p0,
        positive.stoichiometry_at(100): window.p100,
    }


def limits_of(p: ParameterSet) -> tuple[float, float]:
    """Return the open-circuit voltages [V] at 0 and 100 % SOC. Raises: `ConfigurationError` where upside down."""
    low, high = voltage_at(p, 0), voltage_at(p, 100)
    if not low < high:
        raise ConfigurationError(f"the voltage limits are upside down: {low:g} V is not below {high:g} V")
    return low, high


def _voltage_name(p: ParameterSet, soc: Literal[0, 100]) -> str:
    own = f"Open-circuit voltage at {soc}% SOC [V]"
    return own if own in p else f"{'Lower' if soc == 0 else 'Upper'} voltage cut-off [V]"
