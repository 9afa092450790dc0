"""How much lithium a cell cycles, and between which stoichiometries its electrodes work."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from cellwright.catalog.calculations.capacity import AREA
from cellwright.catalog.calculations.windows import (
    BRANCHES,
    LITHIUM,
    NOMINAL,
    PHASES,
    in_order,
    needed_for_window,
    window_in_order,
    window_of,
)
from cellwright.catalog.calculations.windows import capacity_of as host_capacity_of
from cellwright.catalog.domain import (
    checked_fraction,
    checked_positive,
    fraction,
    positive,
    quantity,
)
from cellwright.catalog.measured_curve import capacity_of
from cellwright.errors import ConfigurationError, DataError
from cellwright.physics.composite import Phase, stoichiometries_at_charge
from cellwright.physics.constants import FARADAY, SECONDS_PER_HOUR
from cellwright.schema.datasource import Data
from cellwright.schema.expressions import Expression
from cellwright.schema.families import Calculation
from cellwright.schema.names import ELECTRODES, Electrode, ElectrodeNames, names_of
from cellwright.schema.parameters import ParameterSet, Values
from cellwright.schema.values import Function
from cellwright.schema.variant import Example, Schema

EFFICIENCY = "First-cycle efficiency"
LOSS = "Formation lithium loss"
USABLE = "Usable capacity [A.h]"
ROUNDED = 1e-3
"""Share of an electrode's capacity by which capacities that add up may miss their sum before it is told."""
Phases = tuple[Literal["1", "2"], Literal["1", "2"]]


class OpenCircuitLimits(Calculation):
    """Open-circuit voltages at 0 and 100 % state of charge: those of the cut-offs.

    V_0 = V_min, V_100 = V_max, in V, with V_min below V_max.

    Source: Plett, Battery Management Systems vol. 1 (2015), section 2.2 (definition of the state of charge).
    """

    type: Literal["OpenCircuitLimits"] = "OpenCircuitLimits"

    example: ClassVar = Example(
        given={"Lower voltage cut-off [V]": 2.5, "Upper voltage cut-off [V]": 4.2},
        gives={"Open-circuit voltage at 0% SOC [V]": 2.5, "Open-circuit voltage at 100% SOC [V]": 4.2},
    )

    def compute(self, p: ParameterSet) -> Values:
        """Return both voltages [V]. Raises: `ConfigurationError` for limits that are upside down."""
        low, high = (quantity(p, f"{end} voltage cut-off [V]") for end in ("Lower", "Upper"))
        in_order(low, high)
        return {"Open-circuit voltage at 0% SOC [V]": low, "Open-circuit voltage at 100% SOC [V]": high}


class CyclableLithiumOptions(Schema):
    """How many active materials each electrode has, negative first."""

    only_set = True

    particle_phases: Phases = Field(default=("1", "1"), alias="particle phases")


class CyclableLithium(Calculation):
    """The lithium that a cell cycles, as a capacity.

    By "electrode capacities": Q_Li = Σ θ Q over both electrodes and their phases, with Q the capacities [A.h] and θ the
    initial stoichiometries [-], of one and the same state of the cell. By "formation loss": Q_Li = (1 - f) Q_p, with
    Q_p the capacity of the positive electrode [A.h], which is built full of lithium, and f the fraction of it that
    formation consumes (`Formation lithium loss`, 0 to 1). Formation cannot leave the fraction that it consumes, hence
    1 - f and not f.

    Source: Mohtat, Lee, Siegel & Stefanopoulou, J. Power Sources 427 (2019) 101, doi:10.1016/j.jpowsour.2019.03.104.
    """

    type: Literal["CyclableLithium"] = "CyclableLithium"
    method: Literal["electrode capacities", "formation loss"] = "electrode capacities"
    options: CyclableLithiumOptions | None = None

    example: ClassVar = Example(
        given={
            "Negative electrode capacity [A.h]": 2.0,
            "Positive electrode capacity [A.h]": 4.0,
            "Initial stoichiometry in negative electrode": 0.6,
            "Initial stoichiometry in positive electrode": 0.5,
        },
        gives={LITHIUM: 3.2},
    )

    def compute(self, p: ParameterSet) -> Values:
        """Return the capacity of the cyclable lithium [A.h].

        Raises: `ConfigurationError` for capacities that are not above 0 and fractions outside 0 to 1.
        """
        if self.method == "formation loss":
            return {LITHIUM: (1 - fraction(p, LOSS)) * positive(p, names_of("positive").capacity)}
        options = self.options or CyclableLithiumOptions()
        return {
            LITHIUM: sum(
                positive(p, name.capacity) * fraction(p, name.initial_stoichiometry)
                for electrode, phases in phases_of(options.particle_phases).items()
                for name in (names_of(electrode, phase) for phase in phases)
            )
        }


class ElectrodeBalanceFromFirstCycleEfficiency(Calculation):
    """Stoichiometry windows and the charged state, from the efficiency of the first cycle.

    Q_k = c_max,k ε_k L_k A n F / 3600 (or the electrode capacities given), Q_p,prac = Q_cell / η, Q_Li = Q_p - (1 - η)
    Q_p,prac, with Q_cell the nominal cell capacity [A.h] and η the efficiency of the first cycle (`First-cycle
    efficiency`, 0 to 1): of what the first charge takes out of the full positive electrode the fraction 1 - η does not
    come back. The windows follow as in `ElectrodeSOH`; the initial state is that at 100 % state of charge.

    Source: Mohtat, Lee, Siegel & Stefanopoulou, J. Power Sources 427 (2019) 101, doi:10.1016/j.jpowsour.2019.03.104.
    """

    type: Literal["ElectrodeBalanceFromFirstCycleEfficiency"] = "ElectrodeBalanceFromFirstCycleEfficiency"

    example: ClassVar = Example(
        given={
            "Negative electrode OCP [V]": Function.trace(lambda sto: 1 - sto),
            "Positive electrode OCP [V]": Function.trace(lambda sto: 5 - sto),
            "Maximum concentration in negative electrode [mol.m-3]": 30000.0,
            "Maximum concentration in positive electrode [mol.m-3]": 50000.0,
            "Negative electrode active material volume fraction": 0.5,
            "Positive electrode active material volume fraction": 0.5,
            # c_max ε L A F / 3600 = 2 and 4 A.h
            "Negative electrode thickness [m]": 2 * SECONDS_PER_HOUR / (FARADAY * 30000 * 0.5),
            "Positive electrode thickness [m]": 4 * SECONDS_PER_HOUR / (FARADAY * 50000 * 0.5),
            AREA: 1.0,
            NOMINAL: 1.6,
            EFFICIENCY: 2 / 3,
            "Lower voltage cut-off [V]": 3.5,
            "Upper voltage cut-off [V]": 4.1,
        },
        # Q_Li = 4 - (1/3) 2.4 = 3.2 A.h, and then the example of ElectrodeSOH
        gives={
            LITHIUM: 3.2,
            "Negative electrode stoichiometry at 0% SOC": 0.2,
            "Negative electrode stoichiometry at 100% SOC": 0.6,
            "Positive electrode stoichiometry at 0% SOC": 0.7,
            "Positive electrode stoichiometry at 100% SOC": 0.5,
            "Initial concentration in negative electrode [mol.m-3]": 18000.0,
            "Initial concentration in positive electrode [mol.m-3]": 25000.0,
        },
    )

    def compute(self, p: ParameterSet) -> Values:
        """Return the cyclable lithium [A.h], the stoichiometries [-] and the initial concentrations [mol.m-3].

        Raises: `MissingParameterError` for a number or potential that is not given, `ConfigurationError` for an
        efficiency outside 0 to 1, a first charge of more than the positive electrode holds and where the window does
        not reach the voltage limits.
        """
        maxima = [names_of(electrode).maximum_concentration for electrode in ELECTRODES]
        p.require([*needed_for_window(p), *maxima, NOMINAL, EFFICIENCY])
        efficiency = checked_fraction(EFFICIENCY, p.number(EFFICIENCY))
        if efficiency == 0:
            raise ConfigurationError(f"{EFFICIENCY!r} is 0: no lithium would be left")
        Q_n, Q_p = (host_capacity_of(p, electrode) for electrode in ELECTRODES)
        charged_first = checked_positive(NOMINAL, p.number(NOMINAL)) / efficiency
        if charged_first > Q_p:
            raise ConfigurationError(
                f"the first charge would take {charged_first:.4g} A.h out of a positive electrode of {Q_p:.4g} A.h",
                hint=f"look at {NOMINAL!r}, {EFFICIENCY!r} and the positive electrode",
            )
        lithium = Q_p - (1 - efficiency) * charged_first
        window = window_of(p, Q_n, Q_p, Q_Li=lithium)
        charged = {"negative": window[names_of("negative").stoichiometry_at(100)]}
        charged["positive"] = window[names_of("positive").stoichiometry_at(100)]
        concentrations = {
            names_of(one).initial_concentration: theta * positive(p, names_of(one).maximum_concentration)
            for one, theta in charged.items()
        }
        return {LITHIUM: lithium, **window, **concentrations}


class MSMRFullCellCapacities(Calculation):
    """What the fit of a full cell leaves out of each electrode's capacities.

    Q_tot = Q_low + Q_use + Q_upp for each electrode, with Q_tot its capacity, Q_low the excess below and Q_upp the one
    above the window that the cell uses, and Q_use the span of the capacity in the data, all in A.h. The lower excess
    and, by `method`, the "total capacity" or the "upper excess capacity" are given, the third follows. Data without a
    column `Capacity [A.h]` have the integral of their current in its place; of a titration give the rests, by
    `rest_to_ocp`.

    Source: Verbrugge, Baker, Koch, Xiao & Gu, J. Electrochem. Soc. 164 (2017) E3243, doi:10.1149/2.0341708jes.
    """

    type: Literal["MSMRFullCellCapacities"] = "MSMRFullCellCapacities"
    data: Data
    method: str = "total capacity"

    example: ClassVar = Example(
        fields={"data": {"Capacity [A.h]": [0.0, 2.0, 5.0], "Voltage [V]": [4.2, 3.7, 2.8]}},
        given={
            "Negative electrode lower excess capacity [A.h]": 0.2,
            "Positive electrode lower excess capacity [A.h]": 1.5,
            "Negative electrode capacity [A.h]": 5.8,
            "Positive electrode capacity [A.h]": 7.5,
        },
        gives={
            "Negative electrode upper excess capacity [A.h]": 0.6,
            "Positive electrode upper excess capacity [A.h]": 1.0,
        },
    )

    def compute(self, p: ParameterSet) -> Values:
        """Return the missing capacity of each electrode [A.h].

        Raises: `DataError` for data without a span, `ConfigurationError` for an unknown method, an excess below 0 and a
        capacity that would be below 0.
        """
        if self.method not in {"total capacity", "upper excess capacity"}:
            raise ConfigurationError(
                f"there is no method {self.method!r}", hint="there are 'total capacity' and 'upper excess capacity'"
            )
        usable = usable_capacity(capacity_of(self.data.table))
        result = {}
        for name in map(names_of, ELECTRODES):
            lower = _excess(p, name.lower_excess_capacity)
            if self.method == "total capacity":
                result[name.upper_excess_capacity] = positive(p, name.capacity) - lower - usable
            else:
                result[name.capacity] = lower + usable + _excess(p, name.upper_excess_capacity)
        for name_, value in result.items():
            if not isinstance(value, Expression) and value < 0:
                raise ConfigurationError(
                    f"{name_!r} would be {value:.6g}: the data span {usable:.6g} A.h, more than the electrode holds",
                    hint="look at the lower excess and the total capacity",
                )
        return result


class StoichiometryLimitsFromCapacityOptions(Schema):
    """Composite electrodes, the branch of their potentials, and between which potentials [V] a state is looked for."""

    only_set = True

    direction: Literal["charge", "discharge"] | None = None
    particle_phases: Phases = Field(default=("1", "1"), alias="particle phases")
    negative_voltage_limits: tuple[float, float] = Field(default=(0.0, 2.0), alias="negative voltage limits")
    positive_voltage_limits: tuple[float, float] = Field(default=(2.5, 5.0), alias="positive voltage limits")
    usable_capacity: float | None = Field(default=None, alias="usable capacity")

    @model_validator(mode="after")
    def _composite_needs_capacity(self) -> "StoichiometryLimitsFromCapacityOptions":
        if "2" in self.particle_phases and self.usable_capacity is None:
            raise ConfigurationError(
                "composite electrodes need the usable capacity of the direction",
                at=("usable capacity",),
                hint="give options={'usable capacity': …} in A.h",
            )
        return self


class StoichiometryLimitsFromCapacity(Calculation):
    """Stoichiometries of both electrodes at 0 and 100 % state of charge, from what the cell leaves unused.

    θ_n0 = Q_low,n / Q_n, θ_n100 = 1 - Q_upp,n / Q_n, θ_p100 = Q_low,p / Q_p, θ_p0 = 1 - Q_upp,p / Q_p, with Q the
    capacity of the electrode, Q_low the excess below and Q_upp that above the window in use [A.h]. Where the usable
    capacity Q_use [A.h] is given (in the options or as `Usable capacity [A.h]`), 1 - Q_upp / Q may be
    (Q_low + Q_use) / Q.

    The phases i of a composite electrode share one potential U: Σ_i Q_i θ_i(U) = Q_low and = Q_low + Q_use, with U
    between the electrode's voltage limits, θ_i(U) the inverse of the phase's potential and Q_low the electrode's lower
    excess capacity or the sum of those of its phases. `direction` chooses the branch of potentials with hysteresis: on
    discharge the negative electrode gives lithium and the positive takes it.

    Source: Dubarry, Truchot & Liaw, J. Power Sources 219 (2012) 204, doi:10.1016/j.jpowsour.2012.07.016.
    """

    type: Literal["StoichiometryLimitsFromCapacity"] = "StoichiometryLimitsFromCapacity"
    options: StoichiometryLimitsFromCapacityOptions | None = None

    example: ClassVar = Example(
        given={
            "Negative electrode capacity [A.h]": 5.0,
            "Negative electrode lower excess capacity [A.h]": 0.5,
            "Negative electrode upper excess capacity [A.h]": 1.0,
            "Positive electrode capacity [A.h]": 8.0,
            "Positive electrode lower excess capacity [A.h]": 2.0,
            "Positive electrode upper excess capacity [A.h]": 2.0,
        },
        gives={
            "Negative electrode stoichiometry at 0% SOC": 0.1,
            "Negative electrode stoichiometry at 100% SOC": 0.8,
            "Positive electrode stoichiometry at 100% SOC": 0.25,
            "Positive electrode stoichiometry at 0% SOC": 0.75,
        },
    )

    def compute(self, p: ParameterSet) -> Values:
        """Return the stoichiometries [-] of each electrode, or of each of its phases.

        Raises: `ConfigurationError` for capacities that are not above 0, stoichiometries outside 0 to 1, a window that
        is upside down and a charge that a composite electrode does not reach between its voltage limits;
        `MissingParameterError`.
        """
        options = self.options or StoichiometryLimitsFromCapacityOptions()
        result: dict[str, Any] = {}
        for electrode, phases in phases_of(options.particle_phases).items():
            # The lithium of the negative electrode is least where the cell is empty, that of the positive where full.
            least, most = (0, 100) if electrode == "negative" else (100, 0)
            if phases == ("",):
                name = names_of(electrode)
                low, high = self._plain(p, name)
                window_in_order(f"{electrode} electrode", low, high)
                result[name.stoichiometry_at(least)] = checked_fraction(name.stoichiometry_at(least), low)
                result[name.stoichiometry_at(most)] = checked_fraction(name.stoichiometry_at(most), high)
            else:
                result |= self._composite(p, electrode, phases, options, least, most)
        return result

    def _plain(self, p: ParameterSet, name: ElectrodeNames) -> tuple[Any, Any]:
        capacity, lower = positive(p, name.capacity), quantity(p, name.lower_excess_capacity)
        usable = self._usable(p)
        if name.upper_excess_capacity in p or usable is None:
            upper = quantity(p, name.upper_excess_capacity)
            if usable is not None:
                self._tell_of_spare(p, name, capacity - lower - upper, usable)
            return lower / capacity, 1 - upper / capacity
        return lower / capacity, (lower + usable) / capacity

    @staticmethod
    def _tell_of_spare(p: ParameterSet, name: ElectrodeNames, between: Any, usable: Any) -> None:
        """Remark on a usable capacity [A.h] that is not what lies between the excess capacities."""
        apart = between - usable
        if not isinstance(apart, Expression) and abs(apart) > ROUNDED * abs(between):
            p.remark(
                f"the {name.electrode} electrode uses {between:.5g} A.h between its excess capacities, and the usable "
                f"capacity of {usable:.5g} A.h that is given beside them is left out"
            )

    def _usable(self, p: ParameterSet) -> Any:
        given = self.options.usable_capacity if self.options else None
        if given is not None:
            return checked_positive("usable capacity", given)
        return positive(p, USABLE) if USABLE in p else None

    def _composite(
        self,
        p: ParameterSet,
        electrode: str,
        phases: tuple[str, ...],
        options: StoichiometryLimitsFromCapacityOptions,
        least: int,
        most: int,
    ) -> Values:
        branch = BRANCHES[options.direction][electrode] if options.direction else None
        names = [names_of(electrode, phase) for phase in phases]
        limits = options.negative_voltage_limits if electrode == "negative" else options.positive_voltage_limits
        curves = [names_of(electrode, phase, branch).open_circuit_potential for phase in phases]
        own = [curve if curve in p else name.open_circuit_potential for curve, name in zip(curves, names, strict=True)]
        whole = names_of(electrode).lower_excess_capacity
        by_phase = [name.lower_excess_capacity for name in names]
        excess = by_phase if whole not in p and any(part in p for part in by_phase) else [whole]
        p.require([*own, *(name.capacity for name in names), *excess])
        materials = [
            Phase(p.function(curve), checked_positive(name.capacity, p.number(name.capacity)))
            for curve, name in zip(own, names, strict=True)
        ]
        lower = sum(p.number(part) for part in excess)
        usable = float(self._usable(p))
        result: dict[str, Any] = {}
        for soc, charge in ((least, lower), (most, lower + usable)):
            try:
                states = stoichiometries_at_charge(materials, charge, limits)
            except ConfigurationError as error:
                raise ConfigurationError(
                    f"{electrode} electrode at {soc} % SOC: {error.message}", hint=error.hint
                ) from None
            result |= {name.stoichiometry_at(soc): theta for name, theta in zip(names, states, strict=True)}
        return result


class StoichiometryAtMinimumSOC(Calculation):
    """Stoichiometry of an electrode at 0 % state of charge, from that at 100 %.

    θ_n0 = θ_n100 - Q_use / Q_n, θ_p0 = θ_p100 + Q_use / Q_p, with Q the capacity of the electrode and Q_use the usable
    capacity of the cell [A.h] (`Usable capacity [A.h]`, else the nominal cell capacity).

    Source: Mohtat, Lee, Siegel & Stefanopoulou, J. Power Sources 427 (2019) 101, doi:10.1016/j.jpowsour.2019.03.104.
    """

    type: Literal["StoichiometryAtMinimumSOC"] = "StoichiometryAtMinimumSOC"
    electrode: Electrode

    example: ClassVar = Example(
        fields={"electrode": "positive"},
        given={
            "Positive electrode stoichiometry at 100% SOC": 0.25,
            "Positive electrode capacity [A.h]": 8.0,
            USABLE: 4.0,
        },
        gives={"Positive electrode stoichiometry at 0% SOC": 0.75},
    )

    def compute(self, p: ParameterSet) -> Values:
        """Return the stoichiometry [-]. Raises: `ConfigurationError` where it would be outside 0 to 1."""
        name = names_of(self.electrode)
        usable = positive(p, NOMINAL if USABLE not in p and NOMINAL in p else USABLE)
        change = usable / positive(p, name.capacity)
        full = fraction(p, name.stoichiometry_at(100))
        empty = full + change if self.electrode == "positive" else full - change
        return {name.stoichiometry_at(0): checked_fraction(name.stoichiometry_at(0), empty)}


def phases_of(particle_phases: tuple[str, str]) -> Mapping[str, tuple[str, ...]]:
    """Return the phases of each electrode's active material: "" alone, or primary and secondary."""
    return {electrode: PHASES[count] for electrode, count in zip(ELECTRODES, particle_phases, strict=True)}


def _excess(p: ParameterSet, name: str) -> Any:
    """Return an excess capacity [A.h], or its expression. Raises: `ConfigurationError` where it is below 0."""
    value = quantity(p, name)
    if not isinstance(value, Expression) and value < 0:
        raise ConfigurationError(f"{name!r} is {value:.6g}, and an excess capacity is not below 0")
    return value


def usable_capacity(capacity: Any) -> float:
    """Return the span of a measured capacity [A.h]. Raises: `DataError` where it is none."""
    span = float(np.ptp(capacity)) if len(capacity) else 0.0
    if not span > 0:
        raise DataError(f"the column 'Capacity [A.h]' spans {span:g} A.h, and a usable capacity is above 0")
    return span
