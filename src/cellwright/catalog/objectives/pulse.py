"""Simulation of measured pulses, compared by their voltage or by features of each pulse."""

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field, PlainValidator, field_validator

from cellwright.catalog.named_models import SimulatedOptions
from cellwright.catalog.objectives.measured_current import (
    CURRENT,
    JUMP,
    TIME,
    VOLTAGE,
    driven,
    knots,
    last_of_each_time,
    measured,
)
from cellwright.catalog.objectives.simulated import SimulationObjective
from cellwright.errors import ConfigurationError, DataError, NotImplementedYetError, Problem, did_you_mean
from cellwright.physics.pulse_features import (
    FeaturesOfRows,
    PulseFeatures,
    Window,
    gitt_features,
    ici_features,
    overpotentials,
    resistances,
)
from cellwright.physics.pulses import Pulses, find_pulses, switched_current
from cellwright.schema.derived import PreparedDerivation
from cellwright.schema.families import Array, Prepared
from cellwright.schema.names import base_of
from cellwright.schema.parameters import ParameterSet
from cellwright.schema.prepared import PreparedSimulation
from cellwright.schema.simulation import Simulate
from cellwright.schema.tables import Columns
from cellwright.schema.variant import Example, InvalidDocumentError, Member, dump

NUMBER, SOC = "Pulse number", "SOC"
OFFICIAL = "_objective_variables"
"""How the names of the contract's functions end that choose what is compared."""


class Feature(Member):
    """What is compared of each pulse; a name stands for the feature with its defaults."""

    verb: ClassVar[str] = "measure"

    @abstractmethod
    def measure(self, pulses: Pulses, time: Array, current: Array) -> PulseFeatures:
        """Return the features, as a function of the voltage at the rows of times [s] and currents [A].

        Raises: `DataError` where no pulse has the rests or the rows that they need.
        """
        raise self.not_yet()


def _times(given: list[float]) -> list[float]:
    for time in given:
        if not 0 < time < np.inf:
            raise ConfigurationError(f"a time after the beginning of a pulse is above 0 s, not {time:g}")
    return sorted(set(given))


class Overpotential(Feature):
    """The overpotential of each pulse: its voltage less the one before it.

    η = V - V_0 [V] in the first row at full current, `times` [s] after the beginning and in the last row of the pulse,
    V_0 the last row of the rest before it; negative on discharge. What the pulse itself moves the open-circuit voltage
    is a part of it.

    Source: Newman & Thomas-Alyea, Electrochemical Systems (2004), ch. 1.
    """

    type: Literal["overpotential"] = "overpotential"
    times: list[float] = Field(default_factory=list)

    _in_order = field_validator("times")(_times)

    def measure(self, pulses: Pulses, time: Array, current: Array) -> PulseFeatures:
        """Return the overpotentials [V]."""
        return overpotentials(pulses, time, self.times)


class Resistances(Feature):
    """The resistance of each pulse, over which its voltage and its current have changed together.

    R = -(V - V_0) / (I - I_0) [Ohm] in the first row at full current, `times` [s] after the beginning and in the last
    row of the pulse, V_0 and I_0 the last row of the rest before it.

    Source: Plett, Battery Management Systems, vol. 1 (2015), ch. 2.
    """

    type: Literal["resistances"] = "resistances"
    times: list[float] = Field(default_factory=list)

    _in_order = field_validator("times")(_times)

    def measure(self, pulses: Pulses, time: Array, current: Array) -> PulseFeatures:
        """Return the resistances [Ohm]."""
        return resistances(pulses, time, current, self.times)


class ICIFeatures(Feature):
    """Intermittent current interruption: slope over the square root of time, and concentration overpotential.

    V = a + b √(t - t_off) is fitted to the rows of the rest in `rest_window` [s after the interruption]. b is the slope
    [V.s-0.5], positive after a discharge, a - V_end the concentration overpotential [V], with V_end the last row of the
    rest, negative after a discharge.

    Source: Chien, Liu, Menon, Brant, Brandell & Lacey, Nat. Commun. 14 (2023) 2289, doi:10.1038/s41467-023-37989-6.
    """

    type: Literal["ici features"] = "ici features"
    rest_window: tuple[float, float | None] = (1.0, 5.0)

    @field_validator("rest_window")
    @classmethod
    def _forward(cls, given: Window) -> Window:
        return _window(given)

    def measure(self, pulses: Pulses, time: Array, current: Array) -> PulseFeatures:
        """Return slope and concentration overpotential."""
        return ici_features(pulses, time, self.rest_window)


class GITTFeatures(Feature):
    """Galvanostatic intermittent titration: ohmic drop, slopes over the square root of time, relaxation.

    V = a + b √(t - t_on) is fitted to the rows of the pulse in `pulse_window` [s after its beginning; null: to its
    end]. b is the GITT slope [V.s-0.5] and V_0 - a the ohmic drop [V], with V_0 the last row of the rest before. The
    slope of the rest and the concentration overpotential are those of "ici features". The relaxation time [s] is how
    long the voltage takes, from the first row in `rest_window` on, to come to all but 1/e of its way to the last row of
    the rest.

    Source: Weppner & Huggins, J. Electrochem. Soc. 124 (1977) 1569, doi:10.1149/1.2133112.
    """

    type: Literal["gitt features"] = "gitt features"
    pulse_window: tuple[float, float | None] = (1.0, None)
    rest_window: tuple[float, float | None] = (1.0, 5.0)

    @field_validator("pulse_window", "rest_window")
    @classmethod
    def _forward(cls, given: Window) -> Window:
        return _window(given)

    def measure(self, pulses: Pulses, time: Array, current: Array) -> PulseFeatures:
        """Return ohmic drop, slopes, concentration overpotential and relaxation time."""
        return gitt_features(pulses, time, self.pulse_window, self.rest_window)


def _window(given: Window) -> Window:
    low, high = given
    if not 0 <= low < (np.inf if high is None else high):
        raise ConfigurationError(f"a window is two times from 0 s on, the first below the second, not {given}")
    return given


def choice(given: Any) -> str | Feature | Callable[..., Any] | None:
    """Return what a document, or the contract's function of that name, chooses to compare.

    Raises: `InvalidDocumentError` for a name that is none.
    """
    if given is None or isinstance(given, Feature):
        return given
    name = getattr(given, "__name__", "") if callable(given) else given
    if isinstance(name, str):
        plain = name.removesuffix(OFFICIAL).replace("_", " ")
        if plain == "voltage":
            return "voltage"
        if plain in Feature.registry:
            return Feature.parse({"type": plain})
        if not isinstance(given, str):
            function: Callable[..., Any] = given
            return function
        known = ("voltage", *Feature.registry)
        hint = did_you_mean(plain, known) or f"there are {', '.join(map(repr, known))}"
        raise InvalidDocumentError(f"nothing of a pulse is called {name!r}", hint=hint)
    if isinstance(given, Mapping):
        return Feature.parse(given)
    raise InvalidDocumentError(
        f"what is compared of a pulse is a name, not {given!r}",
        hint="for example 'voltage' or {'type': 'resistances', 'times': [1, 10]}",
    )


AnyChoice = Annotated[
    str | Feature | Callable[..., Any] | None,
    PlainValidator(choice, json_schema_input_type=str | dict[str, Any] | None),
]
"""What is compared of pulses, by name, as an object or as the contract's function."""


class PulseOptions(SimulatedOptions):
    """The model, what is compared, and how closely the measured current is followed.

    `objective variables` is "voltage" (the default), "overpotential", "resistances", "ici features" or "gitt features",
    or one of these as an object with its options: {"type": "resistances", "times": [1, 10]}. The names of the
    contract's functions are taken too, and the functions by their name.
    """

    unwritten = frozenset({"objective_variables"})

    parameterized_model_id: str | None = None
    simulation_kwargs: dict[str, Any] | None = None
    objective_variables: AnyChoice = Field(default=None, alias="objective variables")
    interpolant_atol: float | None = None
    interpolant_rtol: float | None = None
    interpolant_lossless: bool = False

    @property
    def feature(self) -> Feature | None:
        """The features that are compared; None: the voltage itself."""
        return self.objective_variables if isinstance(self.objective_variables, Feature) else None

    def _dump(self, leaf: Callable[[Any], Any]) -> dict[str, Any]:
        chosen = self.objective_variables
        named = {} if chosen is None or callable(chosen) else {"objective variables": dump(chosen, leaf)}
        return super()._dump(leaf) | named

    def unimplemented(self) -> Iterator[Problem]:
        """Yield what is not implemented yet; a function of one's own among it, which no worker could be sent."""
        yield from super().unimplemented()
        if callable(self.objective_variables):
            yield Problem(
                "error",
                "'objective variables' of PulseOptions is not implemented yet as a function of one's own",
                ("objective variables",),
                f"choose a name: {', '.join(map(repr, ('voltage', *Feature.registry)))}",
                NotImplementedYetError.code,
            )


class Pulse(SimulationObjective):
    """The model driven by measured pulses (GITT, HPPC, ICI), compared with the voltage or with features of each pulse.

    r = V_model(t_i) - V_data(t_i) at the measured times, or the differences of features, pulse by pulse, that are made
    of the model's voltage as of the measured one: see `objective variables` in the options. Pulses are the stretches of
    current of one sign and of one step (`Step count`, `Step number` or `Step from cycler`, where the data tell them);
    those that lack a rest which the features need are left out. Features stand over the number of the pulse, from 1 on,
    or over the `SOC` before it where there is such a column. The current is that of the data, switched in a microsecond
    where a pulse begins and ends. Initial state and `parameters` are as in `CurrentDriven`.

    Source: Weppner & Huggins, J. Electrochem. Soc. 124 (1977) 1569, doi:10.1149/1.2133112.
    """

    example: ClassVar = Example(
        fields={
            "data": {
                "Time [s]": [0.0, 10.0, 20.0],
                "Current [A]": [5.0, 5.0, 0.0],
                "Voltage [V]": [3.9, 3.8, 3.88],
                "Step count": [0.0, 0.0, 1.0],
            },
            "options": {"model": "SPM"},
        }
    )

    type: Literal["Pulse"] = "Pulse"
    options: PulseOptions | None = None

    def prepare(self, p: ParameterSet, free: tuple[str, ...], simulate: Simulate) -> Prepared:
        """Build the model for the measured current.

        Raises: `DataError` for missing columns, time that runs backward, data without a pulse, without the rests that
        the features need or with too few rows for them; what `simulate` raises.
        """
        assert self.options is not None
        table = self.data_input.table
        time, current = knots(table)
        pulses = find_pulses(time, current, table.steps)
        course = switched_current(time, current, pulses, JUMP)
        feature = self.options.feature
        if feature is None:
            kept = last_of_each_time(table[TIME])
            observed = {VOLTAGE: measured(table.take(kept), VOLTAGE)}
            problem = driven(self, p, free, course, time[kept], (VOLTAGE,))
            return PreparedSimulation(TIME, problem.output_times, observed, simulate(problem), problem.variables)
        features = feature.measure(pulses, time, table[CURRENT])
        simulation = simulate(driven(self, p, free, course, time[features.rows], (VOLTAGE,), exact=True))
        x_name, x = _place(table, features.pulses)
        observed = features(measured(table, VOLTAGE))
        _refuse_nothing(observed, features.pulses)
        derivation = FeaturesOfRows(features, len(time))
        return PreparedDerivation(x_name, x, observed, simulation, derivation, time_series=False)


def _refuse_nothing(observed: Mapping[str, Array], pulses: Pulses) -> None:
    for name, values in observed.items():
        missing = np.flatnonzero(~np.isfinite(values))
        if missing.size:
            raise DataError(
                f"{base_of(name)!r} of pulse {pulses.numbers[missing[0]]} cannot be told: the voltage does not move in "
                f"the rest after it",
                hint="look at the resolution of the voltage, or take a longer rest",
            )


def _place(table: Columns, pulses: Pulses) -> tuple[str, Array]:
    """Return where the features of pulses stand: over the state of charge before each, or over its number."""
    if SOC in table:
        return SOC, np.asarray(table[SOC][np.maximum(pulses.start - 1, 0)])
    return NUMBER, pulses.numbers.astype(float)
