"""Where a simulation starts.

The first of these that the parameters name decides: a state of charge or a voltage (`Initial SOC [%]`,
`Initial voltage [V]`), the initial concentrations of the electrodes, their stoichiometries, and last the voltage
that was measured first. From a voltage or a state of charge the stoichiometries follow by the lithium inventory
(`Cyclable lithium capacity [A.h]`, or that of the initial concentrations) at every solve, so that they follow the
parameters that are being fitted. A half cell needs no inventory: its potential alone decides. Composite electrodes
start from concentrations.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from cellwright.errors import ConfigurationError, MissingParameterError
from cellwright.physics.geometry import host_capacity
from cellwright.physics.half_cell import stoichiometry_at_potential, stoichiometry_at_soc
from cellwright.physics.windows import stoichiometries_at_soc, stoichiometries_at_voltage, stoichiometry_window
from cellwright.schema.expressions import Expression
from cellwright.schema.names import ELECTRODES, names_of
from cellwright.schema.parameters import ParameterSet
from cellwright.schema.values import Function

SOC, VOLTAGE = "Initial SOC [%]", "Initial voltage [V]"
LITHIUM = "Cyclable lithium capacity [A.h]"
LIMITS = ("Lower voltage cut-off [V]", "Upper voltage cut-off [V]")
GEOMETRY = ("Electrode height [m]", "Electrode width [m]")
LAYERS = "Number of electrodes connected in parallel to make a cell"
CONCENTRATIONS = tuple(names_of(electrode).initial_concentration for electrode in ELECTRODES)
STOICHIOMETRIES = tuple(names_of(electrode).initial_stoichiometry for electrode in ELECTRODES)

PROBED = frozenset(
    [SOC, VOLTAGE, LITHIUM, LAYERS, *CONCENTRATIONS, *STOICHIOMETRIES]
    + [names_of(electrode).capacity for electrode in ELECTRODES]
)
"""What is looked for to find the initial state: that a name is absent is read too."""


@dataclass(frozen=True)
class InitialState:
    """How the initial concentrations come about.

    `gives` are the model's parameters that it sets, `needs` those it cannot do without, `reads` all it looks at.
    """

    kind: Literal["concentrations", "stoichiometries", "soc", "voltage"]
    gives: frozenset[str] = frozenset()
    needs: frozenset[str] = frozenset()
    reads: frozenset[str] = frozenset()
    electrodes: tuple[str, ...] = ELECTRODES
    voltage: float | None = None
    products: tuple[tuple[str, Expression], ...] = ()

    def symbols(self, symbols: Mapping[str, Any]) -> dict[str, Any]:
        """Return the initial concentrations that are expressions of the inputs; the others are inputs themselves."""
        from cellwright.models.symbols import to_pybamm  # PyBaMM; not where a built model was sent

        return {name: to_pybamm(expression, symbols) for name, expression in self.products}

    def inputs(self, p: ParameterSet, values: Mapping[str, float]) -> dict[str, float]:
        """Return the initial concentrations [mol.m-3] as inputs of a solve at these values of the free parameters.

        Raises: `ConfigurationError` where the cell does not reach the voltage, `MissingParameterError`.
        """
        if self.kind not in {"soc", "voltage"}:
            return {}
        states = zip(map(names_of, self.electrodes), self._stoichiometries(p, values), strict=True)
        return {
            name.initial_concentration: theta * _number(p, values, name.maximum_concentration) for name, theta in states
        }

    def overfull(self, p: ParameterSet, values: Mapping[str, float]) -> str:
        """Return which electrode would start with more lithium than it takes, or with less than none; empty if none."""
        for electrode in ELECTRODES:
            name = names_of(electrode)
            start = dict(self.products).get(name.initial_concentration)
            begins = start if start is not None else _value(p, values, name.initial_concentration)
            maximum = _value(p, values, name.maximum_concentration)
            if any(one is None or isinstance(one, Function | str) for one in (begins, maximum)):
                continue
            concentration, most = (
                float(one.substitute(values) if isinstance(one, Expression) else one) for one in (begins, maximum)
            )
            if not 0 <= concentration <= most:
                return f"the {electrode} electrode would start at {concentration:.5g} of {most:.5g} mol.m-3"
        return ""

    def _stoichiometries(self, p: ParameterSet, values: Mapping[str, float]) -> tuple[float, ...]:
        if len(self.electrodes) == 1:
            return (self._stoichiometry(p, values, self.electrodes[0]),)
        U_n, U_p = (_potential(p, values, electrode) for electrode in ELECTRODES)
        Q_n, Q_p = (_capacity(p, values, electrode) for electrode in ELECTRODES)
        lithium = _lithium(p, values, [Q_n, Q_p])
        if self.kind == "voltage":
            voltage = self.voltage if self.voltage is not None else _number(p, values, VOLTAGE)
            return stoichiometries_at_voltage(U_n, U_p, Q_n, Q_p, lithium, voltage)
        low, high = (_number(p, values, name) for name in LIMITS)
        window = stoichiometry_window(U_n, U_p, Q_n, Q_p, low, high, Q_Li=lithium)
        return stoichiometries_at_soc(window, _number(p, values, SOC) / 100)

    def _stoichiometry(self, p: ParameterSet, values: Mapping[str, float], electrode: str) -> float:
        U = _potential(p, values, electrode)
        if self.kind == "voltage":
            return stoichiometry_at_potential(
                U, self.voltage if self.voltage is not None else _number(p, values, VOLTAGE)
            )
        low, high = (_number(p, values, name) for name in LIMITS)
        return stoichiometry_at_soc(U, low, high, _number(p, values, SOC) / 100)


def initial_state(
    p: ParameterSet, free: frozenset[str], measured_voltage: float | None, needed: frozenset[str]
) -> InitialState:
    """Return how a model that needs these parameters starts.

    Raises: `MissingParameterError` where neither the parameters nor the data say, `ConfigurationError` for a state of
    charge or a voltage of a cell with composite electrodes.
    """
    known = p.values_.keys() | free
    electrodes = tuple(one for one in ELECTRODES if names_of(one).initial_concentration in needed)
    named = [name for name in (SOC, VOLTAGE) if name in known]
    composite = any(names_of(one, "primary").initial_concentration in needed for one in ELECTRODES)
    if composite and named:
        raise ConfigurationError(
            f"{named[0]!r} does not say how a composite electrode starts",
            hint="give the initial concentrations of its phases, for example by InitialSOCfromMaximumStoichiometry",
        )
    if composite or not electrodes:
        return InitialState("concentrations")
    if named:
        return _from_window(p, "soc" if SOC in named else "voltage", None, electrodes)
    concentrations = [names_of(one).initial_concentration for one in electrodes]
    stoichiometries = [names_of(one).initial_stoichiometry for one in electrodes]
    if set(concentrations) <= known:
        return InitialState("concentrations")
    if set(stoichiometries) <= known:
        maxima = [names_of(one).maximum_concentration for one in electrodes]
        products = tuple(
            (concentration, _node(p, stoichiometry) * _node(p, maximum))
            for concentration, stoichiometry, maximum in zip(concentrations, stoichiometries, maxima, strict=True)
        )
        needs = frozenset([*stoichiometries, *maxima])
        return InitialState("stoichiometries", frozenset(concentrations), needs, needs, electrodes, products=products)
    if measured_voltage is not None and (LITHIUM in known or len(electrodes) == 1):
        return _from_window(p, "voltage", measured_voltage, electrodes)
    raise MissingParameterError(
        "nothing says in which state the simulation starts",
        hint=f"give {' and '.join(map(repr, concentrations))}, or {LITHIUM!r} to start from the measured voltage",
        detail={"missing": sorted(set(concentrations) - known)},
    )


def _from_window(
    p: ParameterSet, kind: Literal["soc", "voltage"], voltage: float | None, electrodes: tuple[str, ...]
) -> InitialState:
    names = [names_of(electrode) for electrode in electrodes]
    needs = {name.open_circuit_potential for name in names} | {name.maximum_concentration for name in names}
    optional: set[str] = set()
    if len(electrodes) > 1:
        for name in names:
            own = {name.volume_fraction, name.thickness, *GEOMETRY}
            needs |= {name.capacity} if name.capacity in p.values_ else own
        given = LITHIUM in p.values_ or not set(CONCENTRATIONS) <= p.values_.keys()
        needs |= {LITHIUM} if given else set(CONCENTRATIONS)
        optional = {LAYERS} & p.values_.keys()
    needs |= set(LIMITS) | {SOC} if kind == "soc" else {VOLTAGE} if voltage is None else set()
    gives = frozenset(name.initial_concentration for name in names)
    return InitialState(kind, gives, frozenset(needs), frozenset(needs | optional), electrodes, voltage)


def _node(p: ParameterSet, name: str) -> Expression:
    value = p[name]
    return value if isinstance(value, Expression) else Expression("scalar", payload=float(value))


def _number(p: ParameterSet, values: Mapping[str, float], name: str) -> float:
    value = _value(p, values, name)
    return float(value.substitute(values) if isinstance(value, Expression) else value)


def _value(p: ParameterSet, values: Mapping[str, float], name: str) -> Any:
    return values.get(name, p.values_.get(name))


def _potential(p: ParameterSet, values: Mapping[str, float], electrode: str) -> Function:
    function: Function = p.function(names_of(electrode).open_circuit_potential)
    return function.substitute(values) if function.names else function


def _capacity(p: ParameterSet, values: Mapping[str, float], electrode: str) -> float:
    name = names_of(electrode)
    if name.capacity in p.values_:
        return _number(p, values, name.capacity)
    height, width = (_number(p, values, side) for side in GEOMETRY)
    layers = _number(p, values, LAYERS) if LAYERS in p.values_ else 1.0
    factors = (name.maximum_concentration, name.volume_fraction, name.thickness)
    concentration, fraction, thickness = (_number(p, values, factor) for factor in factors)
    return float(host_capacity(concentration, fraction, thickness, height * width, layers))


def _lithium(p: ParameterSet, values: Mapping[str, float], capacities: list[float]) -> float:
    if LITHIUM in p.values_ or LITHIUM in values:
        return _number(p, values, LITHIUM)
    return sum(
        capacity * _number(p, values, concentration) / _number(p, values, names_of(electrode).maximum_concentration)
        for capacity, concentration, electrode in zip(capacities, CONCENTRATIONS, ELECTRODES, strict=True)
    )
