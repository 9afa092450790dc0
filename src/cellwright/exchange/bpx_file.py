"""Parameters as a BPX document.

BPX has a place for each number and function of the standard models; its kinetics, temperature dependences and initial
state have fixed forms, so these are found from our functions and compared with them. Other numbers go to the section
for user-defined ones; what fits nowhere is listed, and what BPX cannot do without is an error that names all of it.

Source: BPX standard, Faraday Institution, https://bpxstandard.com, as the schema of the package `bpx` has it.
"""

import json
import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellwright.catalog.calculations.capacity import AREA, HEIGHT, LAYERS, WIDTH
from cellwright.catalog.calculations.windows import LITHIUM, capacity_of, voltage_at
from cellwright.errors import CellwrightError, ConfigurationError, MissingParameterError
from cellwright.exchange.infix import infix
from cellwright.exchange.written import Written
from cellwright.physics.constants import FARADAY, GAS
from cellwright.physics.windows import Window, stoichiometry_window
from cellwright.schema.expressions import Expression, parameter
from cellwright.schema.interpolation import Table
from cellwright.schema.names import ELECTRODES, ElectrodeNames, names_of
from cellwright.schema.parameters import ParameterSet
from cellwright.schema.values import Function, free_names

REFERENCE = "Reference temperature [K]"
ELECTROLYTE = "Initial concentration in electrolyte [mol.m-3]"
PHASES = ("primary", "secondary")
FORM_TOLERANCE = 1e-6
"""Relative: how closely a function must follow a form of BPX to be written as one."""
ENERGY_TOLERANCE = 0.05
"""Relative: how far an activation energy may change and still be written as its mean, with a note."""
SOC_TOLERANCE = 1e-4
"""How far the states of charge of the two electrodes may be apart."""
POINTS = 1001
"""Number of points, beside the knots, of a table that stands in for a function; more where it bends."""
REFINEMENTS = 8
TABLE_TOLERANCE = 1e-6
"""Of the function's range: how far its table may be off between two points before these come closer, to a limit."""
_SPELLINGS = {
    "exp": "exp({0})",
    "tanh": "tanh({0})",
    "cosh": "cosh({0})",
    "sqrt": "(({0}) ** 0.5)",
    "sinh": "((exp({0}) - exp(-({0}))) / 2)",
}

Array = NDArray[np.float64]


class _NotArithmeticError(Exception):
    """A function that the formulas of BPX cannot write."""


def bpx_package() -> Any:
    """Return the package `bpx`. Raises: `ConfigurationError` where it is not installed."""
    try:
        return import_module("bpx")
    except ImportError as cause:
        raise ConfigurationError(
            "BPX files need the package 'bpx', which is not installed", hint="pip install 'cellwright[bpx]'"
        ) from cause


def bpx_file(p: ParameterSet, title: str = "Parameters") -> Written:
    """Return the BPX document of the parameters in JSON: a DFN, or an SPM where nothing is said of the electrolyte.

    Raises: `MissingParameterError` naming every field that BPX needs and cannot have (`detail["missing"]`), and
    `ConfigurationError` where the package `bpx` is not installed or refuses the document.
    """
    package = bpx_package()
    writer = _Writer(p)
    document = writer.document(title, str(package.__version__))
    if writer.missing:
        lines = "\n".join(f"  {place}: {reason}" for place, reason in writer.missing.items())
        raise MissingParameterError(
            f"BPX needs what the parameters do not give:\n{lines}",
            hint="provide them by an element of the pipeline, then export again",
            detail={"missing": writer.missing},
        )
    remarks = _accepted(package, document)
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    return Written(text, writer.left_out, (*writer.notes, *remarks))


def _accepted(package: Any, document: Mapping[str, Any]) -> list[str]:
    """Return what the package `bpx` has to remark on a document. Raises: `ConfigurationError` where it refuses it."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            package.parse_bpx_str(json.dumps(document))
        except Exception as cause:
            raise ConfigurationError(f"the package bpx refuses the document: {cause}") from cause
    return [" ".join(str(warning.message).split()) for warning in caught]


@dataclass
class _Writer:
    """One document in the making: what has been read, what is missing, what cannot be held."""

    p: ParameterSet
    used: set[str] = field(default_factory=set)
    missing: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def document(self, title: str, version: str) -> dict[str, Any]:
        """Return the document; see `missing` for whether it is whole."""
        self._temperature = self._number("Cell", REFERENCE, REFERENCE)
        full = any(name.startswith(("Electrolyte ", "Separator ")) for name in self.p.values_)
        parts: dict[str, Any] = {"Cell": self._cell()}
        if full:
            parts["Electrolyte"] = self._electrolyte()
            parts["Separator"] = self._porous("Separator", "Separator ")
        ends: dict[str, tuple[float, float]] = {}
        for electrode in ELECTRODES:
            parts[f"{electrode.capitalize()} electrode"] = self._electrode(electrode, full, ends)
        state = self._state(ends)
        parts["User-defined"] = self._others()
        sources = dict.fromkeys(origin.source for origin in self.p.origins.values() if origin.source)
        header = {"BPX": version, "Title": title, "Description": "Written by Cellwright"}
        if sources:
            header["References"] = "; ".join(map(str, sources))
        header["Model"] = "DFN" if full else "SPM"
        if not full:
            self.notes.append(
                "nothing is said of the electrolyte: the document is an SPM, which PyBaMM's reader refuses"
            )
        return {
            "Header": header,
            "Parameterisation": {name: part for name, part in parts.items() if part},
            **({"State": state} if state else {}),
        }

    def _cell(self) -> dict[str, Any]:
        cell = {
            "Electrode area [m2]": self._area(),
            "Number of electrode pairs connected in parallel to make a cell": self._layers(),
            REFERENCE: self._temperature,
        }
        for name in ("Lower voltage cut-off [V]", "Upper voltage cut-off [V]", "Nominal cell capacity [A.h]"):
            cell[name] = self._number("Cell", name, name)
        for place, name in (
            ("External surface area [m2]", "Cell cooling surface area [m2]"),
            ("Volume [m3]", "Cell volume [m3]"),
        ):
            if self._is_number(name):
                cell[place] = self._number("Cell", place, name)
            else:
                self.notes.append(f"{place!r} is not given; BPX can do without, PyBaMM's reader of BPX cannot")
        return cell

    def _area(self) -> float:
        if AREA in self.p.values_:
            return self._number("Cell", AREA, AREA)
        sides = [name for name in (HEIGHT, WIDTH) if not self._is_number(name)]
        if sides:
            self.missing[f"Cell › {AREA}"] = (
                f"neither {AREA!r} nor {' and '.join(map(repr, sides))} is given as a number"
            )
            return math.nan
        return self.p.number(HEIGHT) * self.p.number(WIDTH)

    def _layers(self) -> int:
        self.used.add(LAYERS)
        layers = self._number("Cell", "Number of electrode pairs", LAYERS) if LAYERS in self.p.values_ else 1.0
        if layers != round(layers):
            self.missing["Cell › Number of electrode pairs"] = f"{LAYERS!r} is {layers:g}; BPX takes whole numbers"
            return 1
        return int(layers)

    def _electrolyte(self) -> dict[str, Any]:
        place = "Electrolyte"
        electrolyte = {"Cation transference number": self._number(place, "Cation transference number")}
        self._number(place, ELECTROLYTE, ELECTROLYTE)
        reference = self.p.number(ELECTROLYTE) if self._is_number(ELECTROLYTE) else 1000.0
        span = (0.0, 4 * reference)
        for quantity, unit in (("diffusivity", "m2.s-1"), ("conductivity", "S.m-1")):
            name = f"Electrolyte {quantity} [{unit}]"
            self._thermal(electrolyte, place, quantity.capitalize(), unit, name, span)
        factor = "Thermodynamic factor"
        if isinstance(self.p.values_.get(factor), Function):
            self.left_out[factor] = "BPX has no place for it; its readers take 1"
        return electrolyte

    def _porous(self, place: str, prefix: str) -> dict[str, Any]:
        porosity = self._number(place, "Porosity", f"{prefix}porosity")
        exponent, given = f"{prefix}Bruggeman coefficient (electrolyte)", f"{prefix}transport efficiency"
        self.used |= {exponent, given}
        if porosity == 1:
            self.notes.append(
                f"the porosity of {place} is 1, from which PyBaMM's reader of BPX cannot find an exponent"
            )
        if exponent in self.p.values_ or given not in self.p.values_:
            efficiency = porosity ** self._number(place, "Transport efficiency", exponent)
        else:
            efficiency = self._number(place, "Transport efficiency", given)
        thickness = self._number(place, "Thickness [m]", f"{prefix}thickness [m]")
        return {"Thickness [m]": thickness, "Porosity": porosity, "Transport efficiency": efficiency}

    def _electrode(self, electrode: str, full: bool, ends: dict[str, tuple[float, float]]) -> dict[str, Any]:
        place, prefix = f"{electrode.capitalize()} electrode", f"{electrode.capitalize()} electrode "
        if full:
            part = self._porous(place, prefix)
            exponent = f"{prefix}Bruggeman coefficient (electrode)"
            solid = 1 - part["Porosity"]
            power = self._number(place, "Conductivity [S.m-1]", exponent) if exponent in self.p.values_ else 0.0
            self.used.add(exponent)
            part["Conductivity [S.m-1]"] = self._number(place, "Conductivity [S.m-1]", f"{prefix}conductivity [S.m-1]")
            part["Conductivity [S.m-1]"] *= solid**power
        else:
            part = {"Thickness [m]": self._number(place, "Thickness [m]", f"{prefix}thickness [m]")}
        phases = [phase for phase in PHASES if names_of(electrode, phase).maximum_concentration in self.p.values_]
        if not phases:
            return part | self._particle(place, names_of(electrode), ends)
        particles = {
            phase.capitalize(): self._particle(f"{place} › {phase.capitalize()}", names_of(electrode, phase), ends)
            for phase in phases
        }
        return part | {"Particle": particles}

    def _particle(self, place: str, name: ElectrodeNames, ends: dict[str, tuple[float, float]]) -> dict[str, Any]:
        prefix = f"{name._phase}{name.electrode.capitalize()} "
        radius = self._number(place, "Particle radius [m]", name.particle_radius)
        part: dict[str, Any] = {
            "Particle radius [m]": radius,
            "Maximum concentration [mol.m-3]": self._number(
                place, "Maximum concentration [mol.m-3]", name.maximum_concentration
            ),
        }
        surface = "Surface area per unit volume [m-1]"
        self.used |= {name.volume_fraction, name.surface_area_per_volume}
        if name.volume_fraction in self.p.values_:
            part[surface] = 3 * self._number(place, surface, name.volume_fraction) / radius
        elif name.surface_area_per_volume in self.p.values_:
            part[surface] = self._number(place, surface, name.surface_area_per_volume)
        else:
            wanted = f"neither {name.volume_fraction!r} nor {name.surface_area_per_volume!r} is given"
            self.missing[f"{place} › {surface}"] = wanted
        low, high = self._limits(place, name)
        ends[name.initial_concentration] = (low, high)
        part |= {"Minimum stoichiometry": low, "Maximum stoichiometry": high}
        self._curve(part, place, "OCP [V]", name.open_circuit_potential, (0.0, 1.0))
        for direction in ("delithiation", "lithiation"):
            branch = names_of(name.electrode, name.phase, direction).open_circuit_potential
            if branch in self.p.values_:
                self._curve(part, place, f"OCP ({direction}) [V]", branch, (0.0, 1.0))
        decays = [f"{prefix}particle {direction} hysteresis decay rate" for direction in ("lithiation", "delithiation")]
        if all(map(self._is_number, decays)) and len({self.p.number(decay) for decay in decays}) == 1:
            part["OCP hysteresis decay constant"] = self._number(place, "OCP hysteresis decay constant", decays[0])
            self.used.add(decays[1])
        if name.entropic_change in self.p.values_:
            self._entropy(part, place, name)
        self._thermal(part, place, "Diffusivity", "m2.s-1", name.diffusivity, (0.0, 1.0))
        self._kinetics(part, place, name)
        return part

    def _limits(self, place: str, name: ElectrodeNames) -> tuple[float, float]:
        """Return the least and the greatest stoichiometry: given, or where the voltage limits put them."""
        at = [name.stoichiometry_at(soc) for soc in ((0, 100) if name.electrode == "negative" else (100, 0))]
        own = f"{name._phase}{name.electrode.capitalize()} electrode {{}} stoichiometry"
        for low, high in (
            tuple(at),
            (own.format("minimum"), own.format("maximum")),
            (name.minimum_stoichiometry, name.maximum_stoichiometry),
        ):
            if self._is_number(low) and self._is_number(high):
                self.used |= {low, high}
                return self.p.number(low), self.p.number(high)
        try:
            if name.phase:
                raise MissingParameterError("a blend has a limit for each of its materials")
            window = _window(self.p)
        except CellwrightError as error:
            for bound, wanted in zip(("Minimum", "Maximum"), at, strict=True):
                reason = f"{wanted!r} is not given, nor can it be worked out: {error.message}"
                self.missing[f"{place} › {bound} stoichiometry"] = reason
            return math.nan, math.nan
        self.notes.append(
            f"the limits of the {name.electrode} stoichiometry follow from the cyclable lithium and the voltage limits"
        )
        return (window.n0, window.n100) if name.electrode == "negative" else (window.p100, window.p0)

    def _entropy(self, part: dict[str, Any], place: str, name: ElectrodeNames) -> None:
        field_, missing = "Entropic change coefficient [V.K-1]", dict(self.missing)
        self._curve(part, place, field_, name.entropic_change, (0.0, 1.0))
        if self.missing != missing:
            self.left_out[name.entropic_change] = "BPX holds a function of the stoichiometry alone; zero stands there"
            part[field_], self.missing = 0.0, missing

    def _kinetics(self, part: dict[str, Any], place: str, name: ElectrodeNames) -> None:
        """Find k and its activation energy in j_0 = F k √(c_e/c_e0 · θ (1 - θ)) exp(E/R (1/T_ref - 1/T))."""
        field_ = "Reaction rate constant [mol.m-2.s-1]"
        where, given = f"{place} › {field_}", name.exchange_current_density
        self.used.add(given)
        value = self.p.values_.get(given)
        if not isinstance(value, Function) or free_names(value):
            number = f"{given!r} is a number, not of the form F k √(c_e/c_e0 · θ (1 - θ))"
            self.missing[where] = number if self._is_number(given) else self._unfit(given)
            return
        self.used.add(ELECTROLYTE)
        reference = self.p.number(ELECTROLYTE) if self._is_number(ELECTROLYTE) else 1000.0
        maximum = part["Maximum concentration [mol.m-3]"]
        salt, theta = (
            grid.ravel() for grid in np.meshgrid(reference * np.array([0.5, 1, 1.5]), np.linspace(0.1, 0.9, 9))
        )
        count = len(value.arguments)

        def rate(temperature: float) -> Array:
            held = [salt, theta * maximum, np.full_like(salt, maximum), np.full_like(salt, temperature)][:count]
            return np.broadcast_to(value(*held), salt.shape) / (
                FARADAY * np.sqrt(salt / reference * theta * (1 - theta))
            )

        rates = rate(self._temperature)
        spread = _spread(rates)
        if not spread < FORM_TOLERANCE:
            self.missing[where] = (
                f"{given!r} is not of the form F k √(c_e/c_e0 · θ (1 - θ)): k would change by {100 * spread:.2g} %"
            )
            return
        part[field_] = float(np.mean(rates))
        energy = self._energy(given, [(rate(self._temperature + step) / rates, step) for step in (-20.0, 20.0)])
        part["Reaction rate constant activation energy [J.mol-1]"] = energy

    def _thermal(
        self, part: dict[str, Any], place: str, quantity: str, unit: str, name: str, span: tuple[float, float]
    ) -> None:
        """Write a function of one variable and the temperature as its curve at T_ref and an activation energy."""
        self._curve(part, place, f"{quantity} [{unit}]", name, span, thermal=True)
        value = self.p.values_.get(name)
        if f"{quantity} [{unit}]" not in part or not isinstance(value, Function) or len(value.arguments) < 2:
            return
        x = np.linspace(span[0], span[1], 23)[1:-1]
        at_reference = _values(value, x, self._temperature)
        ratios = [(_values(value, x, self._temperature + step) / at_reference, step) for step in (-20.0, 20.0)]
        part[f"{quantity} activation energy [J.mol-1]"] = self._energy(name, ratios)

    def _energy(self, name: str, ratios: list[tuple[Array, float]]) -> float:
        """Return the activation energy [J.mol-1] that explains what temperatures change; zero where none does."""
        reference = self._temperature
        energies = np.concatenate(
            [GAS * np.log(ratio) / (1 / reference - 1 / (reference + step)) for ratio, step in ratios]
        )
        mean = float(np.mean(energies))
        off = float(np.max(np.abs(energies - mean)))
        if off <= max(1e-6, FORM_TOLERANCE * abs(mean)):
            return 0.0 if abs(mean) < 1e-6 else mean
        between = f"{np.min(energies):.4g} and {np.max(energies):.4g} J.mol-1"
        if off <= ENERGY_TOLERANCE * abs(mean):
            self.notes.append(f"the activation energy of {name!r}, between {between}, is written as {mean:.4g} J.mol-1")
            return mean
        self.left_out[name] = (
            f"its change with temperature: the activation energy lies between {between}, BPX holds one; the values at "
            f"{reference:g} K stand alone"
        )
        return 0.0

    def _curve(
        self,
        part: dict[str, Any],
        place: str,
        field_: str,
        name: str,
        span: tuple[float, float],
        thermal: bool = False,
    ) -> None:
        """Write a number, a formula of x or a table; where it may be `thermal`, that at the reference temperature."""
        where = f"{place} › {field_}"
        self.used.add(name)
        value = self.p.values_.get(name)
        if not isinstance(value, Function):
            number = self._number(place, field_, name)
            if not math.isnan(number):
                part[field_] = number
            return
        beyond = set(value.arguments[2 if thermal else 1 :]) & value.body.names
        body = value(parameter("x"), *[self._temperature] * (len(value.arguments) - 1))
        if beyond:
            self.missing[where] = f"{name!r} depends on {', '.join(sorted(beyond))}; BPX takes one variable"
        elif not isinstance(body, Expression):
            part[field_] = float(body)
        elif body.names != {"x"}:
            waits = ", ".join(repr(free) for free in sorted(body.names - {"x"}))
            self.missing[where] = f"{name!r} still depends on {waits}"
        elif body.op == "interpolant" and body.children == (parameter("x"),) and _is_linear(body.payload):
            part[field_] = {"x": list(body.payload.x), "y": list(body.payload.y)}
        else:
            try:
                part[field_] = infix(body, _spelled)
            except _NotArithmeticError:
                part[field_] = self._sampled(name, body, span)

    def _sampled(self, name: str, body: Expression, span: tuple[float, float]) -> dict[str, list[float]]:
        knots = [np.ravel(axis) for node in body.walk() if node.op == "interpolant" for axis in node.payload.axes]
        x = np.unique(np.concatenate([np.linspace(*span, POINTS), *knots]))
        x = x[(x >= span[0]) & (x <= span[1])]
        for _ in range(REFINEMENTS):
            x, y, middle, errors = _sampled_at(body, x)
            coarse = errors > TABLE_TOLERANCE * np.ptp(y)
            if not coarse.any():
                break
            x = np.sort(np.concatenate([x, middle[coarse]]))
        x, y, _, errors = _sampled_at(body, x)
        error = np.max(errors)
        self.notes.append(
            f"{name!r} is written as a linear table of {len(x)} points, up to {error:.2g} from the function: "
            "BPX has no formula for it"
        )
        return {"x": x.tolist(), "y": y.tolist()}

    def _state(self, ends: Mapping[str, tuple[float, float]]) -> dict[str, Any]:
        begin: dict[str, Any] = {}
        soc = self._soc(ends)
        if soc is not None:
            begin["Initial state-of-charge"] = soc
        for place, name in (
            ("Initial temperature [K]", "Initial temperature [K]"),
            ("Initial electrolyte concentration [mol.m-3]", ELECTROLYTE),
        ):
            if self._is_number(name):
                begin[place] = self._number("State", place, name)
        for electrode in ELECTRODES:
            name = f"Initial hysteresis state in {electrode} electrode"
            if self._is_number(name):
                begin[f"Initial hysteresis state: {electrode.capitalize()} electrode"] = self._number(
                    "State", name, name
                )
        around = {
            place: self._number("State", place, name)
            for place, name in (
                ("Ambient temperature [K]", "Ambient temperature [K]"),
                ("Heat transfer coefficient [W.m-2.K-1]", "Total heat transfer coefficient [W.m-2.K-1]"),
            )
            if self._is_number(name)
        }
        state = {"Initial conditions": begin, "Thermal environment": around}
        return {name: part for name, part in state.items() if part}

    def _soc(self, ends: Mapping[str, tuple[float, float]]) -> float | None:
        """Return the state of charge at the start, where both electrodes agree on it."""
        given = "Initial SOC [%]"
        if self._is_number(given):
            return self._number("State", "Initial state-of-charge", given) / 100
        starts: dict[str, float] = {}
        for name in (names_of(electrode, phase) for electrode in ELECTRODES for phase in ("", *PHASES)):
            for held in (name.initial_concentration, name.initial_stoichiometry):
                if not self._is_number(held) or name.initial_concentration not in ends:
                    continue
                self.used.add(held)
                full = self.p.number(name.maximum_concentration) if held == name.initial_concentration else 1.0
                low, high = ends[name.initial_concentration]
                filled = (self.p.number(held) / full - low) / (high - low)
                starts[held] = filled if name.electrode == "negative" else 1 - filled
        socs = list(starts.values())
        if not socs or any(map(math.isnan, socs)):
            return None
        mean = float(np.mean(socs))
        if max(socs) - min(socs) <= SOC_TOLERANCE and -SOC_TOLERANCE <= mean <= 1 + SOC_TOLERANCE:
            return min(max(mean, 0.0), 1.0)
        for held, soc in starts.items():
            self.left_out[held] = (
                f"it is a state of charge of {100 * soc:.4g} %; BPX has one for the cell, between 0 and 100 %, and the "
                "electrodes do not agree on one"
            )
        return None

    def _others(self) -> dict[str, float]:
        """Return the numbers that BPX has no place for, and list the rest."""
        found: dict[str, float] = {}
        for name in self.p:
            if name in self.used or name in self.left_out:
                continue
            if self._is_number(name):
                found[name] = self.p.number(name)
            else:
                self.left_out[name] = self._unfit(name)
        if found:
            self.notes.append(
                f"{len(found)} numbers that BPX has no field for stand under 'User-defined' with PyBaMM's names, which "
                "other readers may ignore"
            )
        return found

    def _number(self, place: str, field_: str, name: str | None = None) -> float:
        """Return a number that BPX needs, or NaN after noting that it is missing."""
        name = name or field_
        self.used.add(name)
        if self._is_number(name):
            return self.p.number(name)
        value = self.p.values_.get(name)
        if isinstance(value, Function) and not free_names(value) and value.body.op == "scalar":
            return float(value.body.payload)
        self.missing[f"{place} › {field_}"] = self._unfit(name)
        return math.nan

    def _is_number(self, name: str) -> bool:
        value = self.p.values_.get(name)
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)

    def _unfit(self, name: str) -> str:
        """Return why a value is no number for BPX."""
        value = self.p.values_.get(name)
        if value is None:
            return f"{name!r} is not given"
        waits = ", ".join(repr(free) for free in sorted(free_names(value)))
        if waits:
            return f"{name!r} still depends on {waits}"
        if isinstance(value, Function):
            return f"{name!r} is a function of {', '.join(value.arguments)}; BPX takes a number"
        return f"{name!r} is {value if isinstance(value, int | float) else f'a {type(value).__name__}'}, not a number"


def _window(p: ParameterSet) -> Window:
    negative, positive = map(names_of, ELECTRODES)
    capacities = {name.electrode: capacity_of(p, name.electrode) for name in (negative, positive)}
    if LITHIUM in p.values_:
        lithium = p.number(LITHIUM)
    else:
        lithium = sum(
            capacities[name.electrode] * p.number(name.initial_concentration) / p.number(name.maximum_concentration)
            for name in (negative, positive)
        )
    return stoichiometry_window(
        p.function(negative.open_circuit_potential),
        p.function(positive.open_circuit_potential),
        capacities["negative"],
        capacities["positive"],
        voltage_at(p, 0),
        voltage_at(p, 100),
        Q_Li=lithium,
    )


def _values(function: Function, x: Array, temperature: float) -> Array:
    return np.broadcast_to(function(x, *[temperature] * (len(function.arguments) - 1)), x.shape)


def _sampled_at(body: Expression, x: Array) -> tuple[Array, Array, Array, Array]:
    """Return where a function is finite, its values, the points between, and how far a straight line is off there."""
    with np.errstate(all="ignore"):
        y = np.broadcast_to(body.substitute({"x": x}), x.shape)
        x, y = x[np.isfinite(y)], y[np.isfinite(y)]
        middle = (x[1:] + x[:-1]) / 2
        return x, y, middle, np.abs(body.substitute({"x": middle}) - (y[1:] + y[:-1]) / 2)


def _spread(values: Array) -> float:
    return float(np.ptp(values) / abs(np.mean(values))) if np.isfinite(values).all() else math.inf


def _is_linear(table: Any) -> bool:
    return isinstance(table, Table) and (table.interpolator == "linear" or len(table.x) < 3)


def _spelled(node: Expression, operands: list[str]) -> str:
    if node.op == "scalar":
        if not math.isfinite(node.payload):
            raise _NotArithmeticError
        return repr(node.payload)
    if node.op == "parameter":
        return "x"
    if node.op not in _SPELLINGS:
        raise _NotArithmeticError
    return _SPELLINGS[node.op].format(*operands)
