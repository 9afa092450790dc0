"""Where a simulation starts.

The first of these that the parameters name decides: a state of charge or a voltage (`Initial SOC [%]`,
`Initial voltage [V]`), the initial concentrations of the electrodes, their stoichiometries, and last the voltage
that was measured first. From a voltage or a state of charge the stoichiometries follow by the lithium inventory
(`Cyclable lithium capacity [A.h]`, or that of the initial concentrations) at every solve, so that they follow the
parameters that are being fitted. A half cell needs no inventory: its potential alone decides. Composite electrodes
start from concentrations.

Reduced models may start from stoichiometries. They take those first, the concentrations after them, and the inventory
also from the stoichiometries at 100 % SOC; with those at 0 % a state of charge lies on the straight line between them.
Equivalent circuits start from a state of charge, that of their open-circuit voltage where a voltage is given.
Where one particle is the whole cell, its stoichiometry is the share that is discharged.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from cellwright.errors import ConfigurationError, MissingParameterError
from cellwright.models.area import AREA, LAYERS, ONE_LAYER, electrode_area
from cellwright.physics.geometry import host_capacity
from cellwright.physics.half_cell import stoichiometry_at_potential, stoichiometry_at_soc
from cellwright.physics.state_of_charge import soc_at_ocv
from cellwright.physics.windows import stoichiometries_at_soc, stoichiometries_at_voltage, stoichiometry_window
from cellwright.schema.expressions import Expression
from cellwright.schema.names import ELECTRODES, names_of
from cellwright.schema.parameters import ParameterSet
from cellwright.schema.values import Function

SOC, VOLTAGE = "Initial SOC [%]", "Initial voltage [V]"
LITHIUM = "Cyclable lithium capacity [A.h]"
CHARGE, OPEN_CIRCUIT = "Initial SoC", "Open-circuit voltage [V]"
"""Of equivalent circuits."""
BEYOND = 0.1
"""State of charge by which an equivalent circuit may start beyond empty or full: the error of what was counted."""
LIMITS = ("Lower voltage cut-off [V]", "Upper voltage cut-off [V]")
PARTICLES = (*ELECTRODES, "lumped")
"""Where there are particles: in the electrodes, or in the one that stands for the whole cell."""
CONCENTRATIONS = tuple(names_of(electrode).initial_concentration for electrode in ELECTRODES)
STOICHIOMETRIES = tuple(names_of(electrode).initial_stoichiometry for electrode in PARTICLES)

PROBED = frozenset(
    [SOC, VOLTAGE, CHARGE, LITHIUM, AREA, ONE_LAYER, LAYERS, *CONCENTRATIONS, *STOICHIOMETRIES]
    + [names_of(electrode).capacity for electrode in ELECTRODES]
)
"""What is looked for to find the initial state: that a name is absent is read too."""
WINDOWS = frozenset(names_of(electrode).stoichiometry_at(soc) for electrode in ELECTRODES for soc in (0, 100))
"""What is looked for beside it where a model starts from stoichiometries."""


@dataclass(frozen=True)
class InitialState:
    """How the initial concentrations, or the stoichiometries of reduced models, come about.

    `gives` are the model's parameters that it sets, `needs` those it cannot do without, `reads` all it looks at.
    """

    kind: Literal["given", "expressions", "soc", "voltage"]
    gives: frozenset[str] = frozenset()
    needs: frozenset[str] = frozenset()
    reads: frozenset[str] = frozenset()
    electrodes: tuple[str, ...] = ELECTRODES
    shares: bool = False
    """Whether the model starts from stoichiometries and not from concentrations."""
    voltage: float | None = None
    composite: bool = False
    """Whether an electrode has several phases, of which `electrodes` knows nothing."""
    products: tuple[tuple[str, Expression], ...] = ()

    def symbols(self, symbols: Mapping[str, Any]) -> dict[str, Any]:
        """Return the initial values that are expressions of the inputs; the others are inputs themselves."""
        from cellwright.models.symbols import to_pybamm  # PyBaMM; not where a built model was sent

        return {name: to_pybamm(expression, symbols) for name, expression in self.products}

    def inputs(self, p: ParameterSet, values: Mapping[str, float]) -> dict[str, float]:
        """Return the initial values, [mol.m-3] or [-], as inputs of a solve at these values of the free parameters.

        Raises: `ConfigurationError` where the cell does not reach the voltage, `MissingParameterError`.
        """
        if self.kind not in {"soc", "voltage"}:
            return {}
        states = zip(map(names_of, self.electrodes), self._stoichiometries(p, values), strict=True)
        if self.shares:
            return {name.initial_stoichiometry: theta for name, theta in states}
        return {
            name.initial_concentration: theta * _number(p, values, name.maximum_concentration) for name, theta in states
        }

    def overfull(self, p: ParameterSet, values: Mapping[str, float]) -> str:
        """Return which electrode would start with more lithium than it takes, or with less than none; empty if none."""
        for electrode in self.electrodes:
            name = names_of(electrode)
            state = _state(electrode, self.shares)
            start = dict(self.products).get(state)
            begins = start if start is not None else _value(p, values, state)
            maximum = 1.0 if self.shares else _value(p, values, name.maximum_concentration)
            if any(one is None or isinstance(one, Function | str) for one in (begins, maximum)):
                continue
            amount, most = (
                float(one.substitute(values) if isinstance(one, Expression) else one) for one in (begins, maximum)
            )
            if not 0 <= amount <= most:
                full = f"a stoichiometry of {amount:.5g}" if self.shares else f"{amount:.5g} of {most:.5g} mol.m-3"
                return f"the {electrode} electrode would start at {full}"
        return ""

    def open_circuit_voltage(self, p: ParameterSet) -> float | None:
        """Return the voltage at rest [V] of a state that the parameters give; None where it is not known by numbers."""
        plain = self.kind == "given" and not self.shares and not self.composite
        if not plain or not self.electrodes or not set(self.electrodes) <= set(ELECTRODES):
            return None
        total = 0.0
        for electrode in self.electrodes:
            name = names_of(electrode)
            amounts = [p.values_.get(one) for one in (name.initial_concentration, name.maximum_concentration)]
            potential = p.values_.get(name.open_circuit_potential)
            if not isinstance(potential, Function) or potential.names or len(potential.arguments) > 1:
                return None
            begins, most = amounts
            if not isinstance(begins, int | float) or not isinstance(most, int | float):
                return None
            total += float(potential(begins / most)) * (-1 if electrode == "negative" else 1)
        return total

    def _stoichiometries(self, p: ParameterSet, values: Mapping[str, float]) -> tuple[float, ...]:
        if len(self.electrodes) == 1:
            return (self._stoichiometry(p, values, self.electrodes[0]),)
        U_n, U_p = (_potential(p, values, electrode) for electrode in ELECTRODES)
        Q_n, Q_p = (_capacity(p, values, electrode) for electrode in ELECTRODES)
        lithium = self._lithium(p, values, {"negative": Q_n, "positive": Q_p})
        if self.kind == "voltage":
            voltage = self.voltage if self.voltage is not None else _number(p, values, VOLTAGE)
            return stoichiometries_at_voltage(U_n, U_p, Q_n, Q_p, lithium, voltage)
        low, high = (_number(p, values, name) for name in LIMITS)
        window = stoichiometry_window(U_n, U_p, Q_n, Q_p, low, high, Q_Li=lithium)
        return stoichiometries_at_soc(window, _number(p, values, SOC) / 100)

    def _lithium(self, p: ParameterSet, values: Mapping[str, float], capacities: Mapping[str, float]) -> float:
        """Return the lithium inventory [A.h]: what is given, else that at the start or, of shares, at 100 % SOC."""
        if LITHIUM in p.values_ or LITHIUM in values:
            return _number(p, values, LITHIUM)
        held = 0.0
        for electrode, capacity in capacities.items():
            name = names_of(electrode)
            if self.shares:
                held += capacity * _number(p, values, name.stoichiometry_at(100))
            else:
                concentration = _number(p, values, name.initial_concentration)
                held += capacity * concentration / _number(p, values, name.maximum_concentration)
        return held

    def _stoichiometry(self, p: ParameterSet, values: Mapping[str, float], electrode: str) -> float:
        U = _potential(p, values, electrode)
        if self.kind == "voltage":
            return stoichiometry_at_potential(
                U, self.voltage if self.voltage is not None else _number(p, values, VOLTAGE)
            )
        low, high = (_number(p, values, name) for name in LIMITS)
        return stoichiometry_at_soc(U, low, high, _number(p, values, SOC) / 100)


@dataclass(frozen=True)
class CircuitState(InitialState):
    """How the state of charge of an equivalent circuit comes about at a voltage."""

    def inputs(self, p: ParameterSet, values: Mapping[str, float]) -> dict[str, float]:
        """Return the state of charge at which the open-circuit voltage is the one to begin with.

        Raises: `ConfigurationError` where it is not between 0 and 1.
        """
        if self.kind != "voltage":
            return {}
        ocv = p.function(OPEN_CIRCUIT)
        if len(ocv.arguments) != 1:
            raise ConfigurationError(
                f"{OPEN_CIRCUIT!r} is no function of the state of charge alone, and has no inverse",
                hint=f"give {CHARGE!r}",
            )
        ocv = ocv.substitute(values) if ocv.names else ocv
        voltage = self.voltage if self.voltage is not None else _number(p, values, VOLTAGE)
        return {CHARGE: soc_at_ocv(ocv, voltage)}

    def overfull(self, p: ParameterSet, values: Mapping[str, float]) -> str:
        """Return whether the cell would start far beyond empty or full, as it does with percents; empty if not."""
        begins = dict(self.products).get(CHARGE, _value(p, values, CHARGE))
        if begins is None or isinstance(begins, Function | str):
            return ""
        soc = float(begins.substitute(values) if isinstance(begins, Expression) else begins)
        if abs(soc - 0.5) <= 0.5 + BEYOND:
            return ""
        return f"the cell would start at a state of charge of {soc:.5g}, where 0 is empty and 1 is full"


def initial_state(
    p: ParameterSet, free: frozenset[str], measured_voltage: float | None, needed: frozenset[str]
) -> InitialState:
    """Return how a model that needs these parameters starts.

    Raises: `MissingParameterError` where neither the parameters nor the data say, `ConfigurationError` for a state of
    charge or a voltage of a cell with composite electrodes.
    """
    known = p.values_.keys() | free
    if CHARGE in needed:
        return _of_circuit(p, known, measured_voltage)
    shares = not needed.isdisjoint(STOICHIOMETRIES)
    electrodes = tuple(one for one in PARTICLES if _state(one, shares) in needed)
    named = [name for name in (SOC, VOLTAGE) if name in known]
    composite = any(names_of(one, "primary").initial_concentration in needed for one in ELECTRODES)
    if composite and named:
        raise ConfigurationError(
            f"{named[0]!r} does not say how a composite electrode starts",
            hint="give the initial concentrations of its phases, for example by InitialSOCfromMaximumStoichiometry",
        )
    if composite or not electrodes:
        return InitialState("given", electrodes=electrodes, composite=composite)
    if named:
        kind: Literal["soc", "voltage"] = "soc" if SOC in named else "voltage"
        return _from_window(p, known, kind, None, electrodes, shares)
    states = [_state(one, shares) for one in electrodes]
    others = [_state(one, not shares) for one in electrodes]
    if set(states) <= known:
        return InitialState("given", electrodes=electrodes, shares=shares)
    if set(others) <= known:
        maxima = [names_of(one).maximum_concentration for one in electrodes]
        products = tuple(
            (state, _node(p, other) / _node(p, maximum) if shares else _node(p, other) * _node(p, maximum))
            for state, other, maximum in zip(states, others, maxima, strict=True)
        )
        return _from_expressions(products, [*others, *maxima], electrodes, shares)
    if measured_voltage is not None and (len(electrodes) == 1 or _inventory(p, known, shares) <= known):
        return _from_window(p, known, "voltage", measured_voltage, electrodes, shares)
    other = repr(VOLTAGE) if len(electrodes) == 1 else f"{LITHIUM!r} to start from the measured voltage"
    raise _nowhere(f"give {' and '.join(map(repr, states))}, or {other}", set(states) - known)


def _nowhere(hint: str, missing: Collection[str]) -> MissingParameterError:
    detail = {"missing": sorted(missing), "instead": hint}
    return MissingParameterError("nothing says in which state the simulation starts", hint=hint, detail=detail)


def _of_circuit(p: ParameterSet, known: Collection[str], measured_voltage: float | None) -> InitialState:
    """Return how an equivalent circuit starts. Raises: `MissingParameterError` where nothing says so."""
    if CHARGE in known:
        return CircuitState("given", electrodes=())
    if SOC in known:
        needs = frozenset([SOC])
        return CircuitState(
            "expressions", frozenset([CHARGE]), needs, needs, (), products=((CHARGE, _node(p, SOC) / 100),)
        )
    if VOLTAGE in known or measured_voltage is not None:
        needs = frozenset([OPEN_CIRCUIT, *([VOLTAGE] if VOLTAGE in known else [])])
        voltage = None if VOLTAGE in known else measured_voltage
        return CircuitState("voltage", frozenset([CHARGE]), needs, needs, (), voltage=voltage)
    raise _nowhere(f"give {CHARGE!r} or {VOLTAGE!r}", [CHARGE])


def _state(electrode: str, shares: bool) -> str:
    name = names_of(electrode)
    return name.initial_stoichiometry if shares else name.initial_concentration


def _inventory(p: ParameterSet, known: Collection[str], shares: bool) -> set[str]:
    """Return the names of what the lithium inventory of a cell is known by, of concentrations only what is a value."""
    full = {names_of(one).stoichiometry_at(100) for one in ELECTRODES}
    if LITHIUM in known:
        return {LITHIUM}
    if shares:
        return full if full <= set(known) else {LITHIUM}
    return set(CONCENTRATIONS) if set(CONCENTRATIONS) <= p.values_.keys() else {LITHIUM}


def _from_expressions(
    products: tuple[tuple[str, Expression], ...], needs: Collection[str], electrodes: tuple[str, ...], shares: bool
) -> InitialState:
    gives = frozenset(state for state, _ in products)
    needed = frozenset(needs)
    return InitialState("expressions", gives, needed, needed, electrodes, shares, products=products)


def _from_window(
    p: ParameterSet,
    known: Collection[str],
    kind: Literal["soc", "voltage"],
    voltage: float | None,
    electrodes: tuple[str, ...],
    shares: bool,
) -> InitialState:
    names = [names_of(electrode) for electrode in electrodes]
    if electrodes == ("lumped",) and kind == "soc":
        discharged = 1 - _node(p, SOC) / 100
        return _from_expressions(((names[0].initial_stoichiometry, discharged),), [SOC], electrodes, shares)
    ends = [name.stoichiometry_at(soc) for name in names for soc in (0, 100)]
    if shares and kind == "soc" and set(ends) <= set(known):
        share = _node(p, SOC) / 100
        products = tuple(
            (name.initial_stoichiometry, empty + share * (_node(p, name.stoichiometry_at(100)) - empty))
            for name in names
            for empty in [_node(p, name.stoichiometry_at(0))]
        )
        return _from_expressions(products, [*ends, SOC], electrodes, shares)
    needs = {name.open_circuit_potential for name in names}
    needs |= set() if shares else {name.maximum_concentration for name in names}
    optional: set[str] = set()
    if len(electrodes) > 1:
        area = electrode_area(p, known).names
        for name in names:
            own = {name.volume_fraction, name.thickness, name.maximum_concentration, *area}
            needs |= {name.capacity} if shares or name.capacity in known else own
        needs |= _inventory(p, known, shares)
        optional = {LAYERS} & p.values_.keys()
    needs |= set(LIMITS) | {SOC} if kind == "soc" else {VOLTAGE} if voltage is None else set()
    gives = frozenset(_state(electrode, shares) for electrode in electrodes)
    return InitialState(kind, gives, frozenset(needs), frozenset(needs | optional), electrodes, shares, voltage)


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
    if name.capacity in p.values_ or name.capacity in values:
        return _number(p, values, name.capacity)
    area = electrode_area(p, values)
    sides = {side: _number(p, values, side) for side in area.names}
    factors = (name.maximum_concentration, name.volume_fraction, name.thickness)
    concentration, fraction, thickness = (_number(p, values, factor) for factor in factors)
    return float(host_capacity(concentration, fraction, thickness, area.substitute(sides)))
