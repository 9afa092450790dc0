"""Stoichiometry windows and the initial state."""

from collections.abc import Mapping
from itertools import chain
from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator

from cellwright.catalog.calculations.capacity import AREA, HEIGHT, LAYERS, WIDTH
from cellwright.catalog.domain import (
    checked_fraction,
    checked_positive,
    fraction,
    positive,
    quantity,
    tell_of_extrapolation,
)
from cellwright.catalog.sites import WHOLE, site_name, sites_of, temperature_of
from cellwright.errors import ConfigurationError
from cellwright.physics.composite import Phase, stoichiometries_at_cell_voltage
from cellwright.physics.geometry import host_capacity
from cellwright.physics.half_cell import stoichiometry_at_potential
from cellwright.physics.msmr import lithiation
from cellwright.physics.windows import stoichiometry_window
from cellwright.schema.expressions import Expression
from cellwright.schema.families import Calculation
from cellwright.schema.names import ELECTRODES, Direction, Electrode, ElectrodeNames, names_of
from cellwright.schema.parameters import ParameterSet, Values
from cellwright.schema.values import Function
from cellwright.schema.variant import Example, Schema

LITHIUM = "Cyclable lithium capacity [A.h]"
NOMINAL = "Nominal cell capacity [A.h]"
PHASES = {"1": ("",), "2": ("primary", "secondary")}
BRANCHES: Mapping[str, Mapping[str, Direction]] = {
    "discharge": {"negative": "delithiation", "positive": "lithiation"},
    "charge": {"negative": "lithiation", "positive": "delithiation"},
}
"""Which branch of a potential with hysteresis each electrode follows."""


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
    cut-offs; Q_n and Q_p [A.h] the electrode capacities or, where these are not given, c_max ε L A F / 3600. Where two
    lithium inventories give the cell's capacity Q, it is the smaller one: the negative electrode ends the discharge.

    An electrode whose parameters are named by phases (`Primary: …`, `Secondary: …`) is composite: its phases i share
    one potential, Σ_i Q_i θ_i stands in place of Q θ, and Q_Li has to be known. Of a phase's potential with hysteresis
    the branch of the charge holds at 100 % and that of the discharge at 0 % SOC.

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
        """Return the stoichiometries [-] of both electrodes, or of their phases, at 0 and 100 % SOC.

        Raises: `MissingParameterError` for a number or potential that is not given, `ConfigurationError` where the
        window does not reach the voltage limits and for a composite electrode whose lithium is not known.
        """
        options = self.options or ElectrodeSOHOptions()
        by_lithium = options.known_value == "cyclable lithium capacity"
        composite = [electrode for electrode in ELECTRODES if len(phases_in(p, electrode)) > 1]
        if composite and not by_lithium:
            raise ConfigurationError(
                f"the {composite[0]} electrode is composite, and its window is found from the cyclable lithium alone",
                hint=f"give {LITHIUM!r}, by CyclableLithium for example, and leave 'known value' out",
            )
        p.require([*needed_for_window(p), LITHIUM if by_lithium else NOMINAL])
        if composite:
            return _composite_window(p, checked_positive(LITHIUM, p.number(LITHIUM)))
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
        """Return minimum and maximum stoichiometry [-].

        Raises: `MissingParameterError` without an MSMR set, `ConfigurationError` for limits that are upside down, a set
        that is none and a temperature that is not above 0.
        """
        name = names_of(self.electrode)
        low, high = (quantity(p, _voltage_name(p, soc)) for soc in (0, 100))
        in_order(low, high)
        return {
            name.minimum_stoichiometry: lithiation_at(p, name, high, name.minimum_stoichiometry),
            name.maximum_stoichiometry: lithiation_at(p, name, low, name.maximum_stoichiometry),
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

        Raises: `ConfigurationError` for a state of charge or stoichiometries outside 0 to 1, a window that is upside
        down, composite electrodes and concentrations that are not above 0.
        """
        z = state_of_charge(p, self.soc)
        result: dict[str, Any] = {}
        for name in map(names_of, ELECTRODES):
            phase = names_of(name.electrode, "primary")
            if name.stoichiometry_at(0) not in p and phase.stoichiometry_at(0) in p:
                raise ConfigurationError(
                    f"the {name.electrode} electrode is composite, and its phases do not share one stoichiometry",
                    hint="use InitialSOCfromMaximumStoichiometry with its option 'particle phases'",
                )
            empty, full = fraction(p, name.stoichiometry_at(0)), fraction(p, name.stoichiometry_at(100))
            ends = (empty, full) if name.electrode == "negative" else (full, empty)
            window_in_order(f"{name.electrode} electrode", *ends)
            theta = empty + z * (full - empty)
            result[name.initial_stoichiometry] = theta
            result[name.initial_concentration] = theta * positive(p, name.maximum_concentration)
        return result


def needed_for_window(p: ParameterSet) -> list[str]:
    """Return the names of the potentials, capacities (or what makes them) and voltages that a window needs."""
    needed = [_voltage_name(p, 0), _voltage_name(p, 100)]
    for electrode in ELECTRODES:
        for phase in phases_in(p, electrode):
            name = names_of(electrode, phase)
            needed += [curve_of(p, name, direction) for direction in ("charge", "discharge")]
            if name.capacity not in p and name.maximum_concentration in p:
                needed += [name.volume_fraction, name.thickness, *_sides(p)]
            else:
                needed.append(name.capacity)
    return list(dict.fromkeys(needed))


def phases_in(p: ParameterSet, electrode: str) -> tuple[str, ...]:
    """Return the phases that the parameters of an electrode are named by: "" alone, or primary and secondary."""
    if names_of(electrode).open_circuit_potential in p:
        return PHASES["1"]
    first = names_of(electrode, "primary")
    curves = [names_of(electrode, "primary", branch).open_circuit_potential for branch in BRANCHES["charge"].values()]
    named = [first.open_circuit_potential, *curves, first.capacity, first.maximum_concentration]
    return PHASES["2" if any(name in p for name in named) else "1"]


def curve_of(p: ParameterSet, name: ElectrodeNames, direction: str) -> str:
    """Return the name of the potential of an electrode or a phase: its own, or else its branch of a direction."""
    own = name.open_circuit_potential
    if own in p or not name.phase:
        return own
    branch = names_of(name.electrode, name.phase, BRANCHES[direction][name.electrode]).open_circuit_potential
    return branch if branch in p else own


def _composite_window(p: ParameterSet, lithium: float) -> Values:
    """Return the stoichiometries [-] of the phases of both electrodes with this much lithium [A.h]."""
    negative, positive = ([names_of(electrode, phase) for phase in phases_in(p, electrode)] for electrode in ELECTRODES)
    capacities = {
        name: checked_positive(name.capacity, capacity_of(p, name.electrode, name.phase))
        for name in (*negative, *positive)
    }
    result: dict[str, Any] = {}
    for soc, direction, voltage in zip((0, 100), ("discharge", "charge"), limits_of(p), strict=True):
        curves = {name: curve_of(p, name, direction) for name in capacities}
        phases = {name: Phase(p.function(curve), capacities[name]) for name, curve in curves.items()}
        states = stoichiometries_at_cell_voltage(
            [phases[name] for name in negative], [phases[name] for name in positive], lithium, voltage
        )
        for name, theta in zip(capacities, chain(*states), strict=True):
            tell_of_extrapolation(p, curves[name], theta)
            result[name.stoichiometry_at(soc)] = theta
    return result


def _sides(p: ParameterSet) -> list[str]:
    return [HEIGHT, WIDTH] if AREA not in p and (HEIGHT in p or WIDTH in p) else [AREA]


def capacity_of(p: ParameterSet, electrode: str, phase: str = "") -> float:
    """Return the capacity [A.h] of an electrode, or of one phase of it, as a number.

    It is given, or follows from concentration, volume fraction and geometry.
    """
    name = names_of(electrode, phase)
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
    in_order(low, high)
    return low, high


def in_order(low: Any, high: Any) -> None:
    """Make sure that the voltage limits [V] are. Raises: `ConfigurationError` where they are upside down."""
    if not isinstance(low - high, Expression) and not low < high:
        raise ConfigurationError(f"the voltage limits are upside down: {low:g} V is not below {high:g} V")


def window_in_order(what: str, least: Any, most: Any) -> None:
    """Make sure that a window of stoichiometries is one. Raises: `ConfigurationError` where it is upside down."""
    if not isinstance(least - most, Expression) and least > most:
        raise ConfigurationError(
            f"the stoichiometry window of the {what} is upside down: {least:.6g} is not below {most:.6g}",
            hint="at 100 % SOC the negative electrode is full of lithium and the positive one is empty",
        )


def state_of_charge(p: ParameterSet, soc: float | str) -> Any:
    """Return a state of charge between 0 and 1: a number, or the value of the parameter of that name.

    Raises: `ConfigurationError` for one outside 0 to 1 and for text that is a percentage or a voltage.
    """
    if not isinstance(soc, str):
        return float(soc)
    if soc not in p and soc.lstrip("-.")[:1].isdigit():
        raise ConfigurationError(
            f"{soc!r} is no state of charge and no parameter", hint="write a number, for example 0.5 for 50 %"
        )
    return fraction(p, soc)


def lithiation_at(p: ParameterSet, name: ElectrodeNames, voltage: Any, told: str) -> Any:
    """Return the stoichiometry [-] of an MSMR set at a potential [V], under the name by which it is `told` of.

    Raises: `MissingParameterError` where there is no set, `ConfigurationError` for fractions outside 0 to 1, ideality
    factors and temperatures that are not above 0, and a stoichiometry beyond what rounded fractions make.
    """
    sites, T = sites_of(p, name), temperature_of(p)
    for X, w in zip(sites.X, sites.w, strict=True):
        checked_fraction(site_name(name, "occupancy fraction"), X)
        checked_positive(site_name(name, "ideality factor"), w)
    theta = lithiation(voltage, sites, T)
    return theta if isinstance(theta, Expression) else checked_fraction(told, float(theta), WHOLE)


def _voltage_name(p: ParameterSet, soc: Literal[0, 100]) -> str:
    own = f"Open-circuit voltage at {soc}% SOC [V]"
    return own if own in p else f"{'Lower' if soc == 0 else 'Upper'} voltage cut-off [V]"
