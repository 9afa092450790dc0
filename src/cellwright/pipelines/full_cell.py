"""Full cells: where their electrodes work, and the rate capability."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from cellwright.catalog.calculations import (
    CyclableLithium,
    ElectrodeSOH,
    InitialSOCfromMaximumStoichiometry,
    MSMRFullCellCapacities,
    OCPDataInterpolant,
    StoichiometryLimitsFromCapacity,
)
from cellwright.catalog.calculations.capacity import NOMINAL
from cellwright.catalog.calculations.open_circuit import STOICHIOMETRY
from cellwright.catalog.costs import ChiSquare
from cellwright.catalog.entries import AverageOCP, DirectEntry
from cellwright.catalog.measured_curve import MeasuredCurve, checked_direction, measured_curve
from cellwright.catalog.models import PyBaMMModel
from cellwright.catalog.named_models import model_of
from cellwright.catalog.objectives import CurrentDriven, ElectrodeBalancing
from cellwright.catalog.objectives.balancing import DIFFERENTIAL_VOLTAGE
from cellwright.catalog.transforms import Log10
from cellwright.errors import CellwrightError, ConfigurationError
from cellwright.pipelines.parts import (
    CURRENT,
    TIME,
    VOLTAGE,
    Elements,
    chosen,
    entry_of,
    one_of,
    source_of,
    table_of,
    with_options,
)
from cellwright.schema.datasource import DataSource
from cellwright.schema.elements import DataFit, Element, Validation
from cellwright.schema.families import Calculation, Entry, Model, Transform
from cellwright.schema.free_parameter import Parameter
from cellwright.schema.names import ELECTRODES, names_of
from cellwright.schema.tables import Columns

STARTS = {
    ("negative", "lower"): (0.03, 0.3),
    ("negative", "upper"): (0.1, 0.6),
    ("positive", "lower"): (0.3, 0.9),
    ("positive", "upper"): (0.1, 0.6),
}
"""Where the excess capacities start and how far they may go, as shares of what the data span.

A positive electrode of a layered oxide holds a quarter of its lithium where the cell is full, a negative one of
graphite is nearly empty where the cell is; the bounds let half of an electrode lie idle."""
ERROR = 5e-3
"""Error [V] that is expected of a slow curve of a cell and of its half cells."""
LINES = 0.01
"""Width of the lines by which slopes are taken, as a share of the capacity."""
DIFFUSIVITY = (1e-16, 1e-12)
"""Bounds of diffusivities [m2.s-1]: what has been told of electrodes."""
CONTACT = "Contact resistance [Ohm]"
FULL = 100.0


def balancing(
    data: Any,
    negative: Any = None,
    positive: Any = None,
    params_to_fit: Mapping[str, Any] | None = None,
    objective_kwargs: Mapping[str, Any] | None = None,
    datafit_kwargs: Mapping[str, Any] | None = None,
    *,
    voltage_limits: tuple[float, float] | None = None,
    prefix: str = "",
) -> Elements:
    """Return the elements that find where the electrodes of a cell work, from its slow curve and their potentials.

    `data` is one slow discharge or charge, or with the option `GITT` a titration: the voltage, and the capacity or time
    and current. `negative` and `positive` are data with `Stoichiometry` and `Voltage [V]`, dicts of such data by
    "lithiation" and "delithiation", elements that make the potentials, or None where elements before do.

    - `negative OCP`, `positive OCP`: an `OCPDataInterpolant`, or the element that is given; of data by direction
      `negative lithiation OCP`, `negative delithiation OCP`, and their mean as `negative OCP`;
    - `balance`: a `DataFit` of `ElectrodeBalancing`, voltage and slope, by `ChiSquare` with 5 mV, and 5 mV over a
      hundredth of the capacity;
    - `capacities`: `MSMRFullCellCapacities`, the capacities of the electrodes;
    - `windows`: `StoichiometryLimitsFromCapacity`.

    With `voltage_limits` [V] there follow
    - `voltage limits`: an entry of these, of the nominal capacity (the span of the data) and of 100 % SOC;
    - `full cell`: `InitialSOCfromMaximumStoichiometry`, the stoichiometries there;
    - `lithium`: `CyclableLithium`;
    - `windows between limits`: `ElectrodeSOH`.

    `prefix` stands before all names but those of the potentials.

    Free are the lower and upper excess capacities of both electrodes, as shares of the span of the data: negative from
    0.03 (to 0.3) and 0.1 (to 0.6), positive from 0.3 (to 0.9) and 0.1 (to 0.6), none below 0.

    Raises: `DataError` for data that are no curve, `ConfigurationError` for voltage limits that do not rise.
    """
    source = source_of(data)
    options = with_options({}, objective_kwargs)
    curve = _slow(source, options["options"], f"{prefix}balance")
    found: Elements = {}
    for electrode, given in zip(ELECTRODES, (negative, positive), strict=True):
        found |= _potentials(electrode, given)
    free = chosen(_excess(curve.span), params_to_fit)
    cost = ChiSquare(variable_standard_deviations={VOLTAGE: ERROR, DIFFERENTIAL_VOLTAGE: ERROR / (LINES * curve.span)})
    whole = _at_rest(curve) if options["options"].get("GITT") else source
    found |= {
        f"{prefix}balance": DataFit(
            objectives={"cell": ElectrodeBalancing(data_input=source, **options)},
            **{"parameters": free, "cost": cost, **(datafit_kwargs or {})},
        ),
        f"{prefix}capacities": MSMRFullCellCapacities(data=whole, method="upper excess capacity"),
        f"{prefix}windows": StoichiometryLimitsFromCapacity(),
    }
    return found if voltage_limits is None else found | _between(voltage_limits, curve, prefix)


def rate_capability(
    measurements: Mapping[str, Any],
    held_out: str | Iterable[str] = (),
    known: Any = None,
    model: str | Mapping[str, Any] | Model = "SPMe",
    params_to_fit: Mapping[str, Any] | None = None,
    objective_kwargs: Mapping[str, Any] | None = None,
    datafit_kwargs: Mapping[str, Any] | None = None,
    *,
    prefix: str = "",
) -> Elements:
    """Return the fit of a model to measurements at several rates, and its comparison with those that are held out.

    `measurements` are data with time, current and voltage by their names, of which those in `held_out` are not fitted.
    `known` is what is known of the cell: a published set (`cw.from_pybamm("Chen2020")`), a dict of values, or a dict of
    elements, such as those of `balancing`; None where elements before give it.

    - `known`: an entry, or the elements that are given under their names;
    - `rates`: a `DataFit` of `CurrentDriven`, one for each measurement, which share their parameters;
    - `held out`: a `Validation`, if something is held out.

    Free are the diffusivities in the particles of both electrodes (between 1e-16 and 1e-12 m2.s-1, in their logarithms,
    from where they are known, else from 1e-14) and `Contact resistance [Ohm]` (from a fiftieth of its bound, the least
    voltage span of a fitted measurement over its largest current): what rates tell apart best. A model that is given by
    its name or an object without options gets the option "contact resistance" for it.

    Raises: `DataError` for missing columns, `ConfigurationError` for a name in `held_out` that is none, and where
    nothing is left to fit.
    """
    if not isinstance(measurements, Mapping) or not measurements:
        raise ConfigurationError("measurements are a dict of names and data", hint="{'C/2': 'file:…', '1C': 'file:…'}")
    unseen = [
        one_of("measurement", one, measurements) for one in ([held_out] if isinstance(held_out, str) else held_out)
    ]
    sources = {name: source_of(one) for name, one in measurements.items()}
    tables = {name: table_of(one, name, TIME, CURRENT, VOLTAGE) for name, one in sources.items()}
    fitted = [name for name in sources if name not in unseen]
    if not fitted:
        raise ConfigurationError("all measurements are held out, and none is left to fit")
    free = chosen(_of_rates([tables[name] for name in fitted]), params_to_fit)
    options = with_options({"model": _with_contact(model) if CONTACT in free else model}, objective_kwargs)
    objectives = {name: CurrentDriven(data_input=source, **options) for name, source in sources.items()}
    found = _known(known, f"{prefix}known")
    found[f"{prefix}rates"] = DataFit(
        objectives={name: objectives[name] for name in fitted}, **{"parameters": free, **(datafit_kwargs or {})}
    )
    if unseen:
        found[f"{prefix}held out"] = Validation(objectives={name: objectives[name] for name in unseen})
    return found


def _slow(source: DataSource, options: Mapping[str, Any], words: str) -> MeasuredCurve:
    """Return the curve of a cell. Raises: `DataError` under the name of the element."""
    table = table_of(source, words, VOLTAGE)
    try:
        curve = measured_curve(table, at_rest=bool(options.get("GITT")))
        checked_direction(curve, options.get("direction"))
    except CellwrightError as error:
        raise error.within(words) from None
    return curve


def _at_rest(curve: MeasuredCurve) -> Columns:
    """Return the points of a curve as data."""
    return Columns({"Capacity [A.h]": curve.capacity, VOLTAGE: curve.voltage})


def _potentials(electrode: str, given: Any) -> Elements:
    """Return the elements that make the open-circuit potential of an electrode."""
    words = f"{electrode} OCP"
    if given is None:
        return {}
    if isinstance(given, Entry | Calculation | Element):
        return {words: given}
    directions = ("lithiation", "delithiation")
    if not isinstance(given, Mapping) or not given or given.keys() - set(directions):
        source = source_of(given)
        table_of(source, words, STOICHIOMETRY, VOLTAGE)
        return {words: OCPDataInterpolant(electrode=electrode, data=source)}
    found: Elements = {}
    for direction in directions:
        own = f"{electrode} {direction} OCP"
        if direction not in given:
            raise ConfigurationError(f"the potential of the {electrode} electrode lacks the direction {direction!r}")
        source = source_of(given[direction])
        table_of(source, own, STOICHIOMETRY, VOLTAGE)
        found[own] = OCPDataInterpolant(electrode=electrode, data=source, options={"direction": direction})
    return found | {words: AverageOCP(electrode=electrode)}


def _excess(span: float) -> dict[str, Parameter]:
    """Return the free excess capacities [A.h] of both electrodes for data of a span [A.h]."""
    found = {}
    for (electrode, end), (start, most) in STARTS.items():
        name = getattr(names_of(electrode), f"{end}_excess_capacity")
        found[name] = Parameter(name=name, initial_value=span * start, bounds=(0.0, span * most))
    return found


def _between(limits: tuple[float, float], curve: MeasuredCurve, prefix: str) -> Elements:
    """Return the elements from the windows of the data to those between voltage limits [V]."""
    low, high = limits
    if not low < high:
        raise ConfigurationError(f"the voltage limits are upside down: {low:g} V is not below {high:g} V")
    given = {"Lower voltage cut-off [V]": low, "Upper voltage cut-off [V]": high, NOMINAL: curve.span}
    return {
        f"{prefix}voltage limits": DirectEntry(
            parameters={**given, "Initial SOC [%]": FULL},
            source="voltage limits: given; nominal capacity: the span of the data",
        ),
        f"{prefix}full cell": InitialSOCfromMaximumStoichiometry(options={"include concentration": "false"}),
        f"{prefix}lithium": CyclableLithium(),
        f"{prefix}windows between limits": ElectrodeSOH(),
    }


def _of_rates(tables: Iterable[Columns]) -> dict[str, Parameter | Transform]:
    """Return the parameters that discharges at several rates tell of."""
    diffusivities = [names_of(electrode).diffusivity for electrode in ELECTRODES]
    found: dict[str, Parameter | Transform] = {
        one: Log10(parameter=Parameter(name=one, bounds=DIFFUSIVITY)) for one in diffusivities
    }
    spans = [float(np.ptp(table[VOLTAGE]) / np.abs(table[CURRENT]).max()) for table in tables]
    most = min(spans)
    if not 0 < most < float("inf"):
        raise ConfigurationError("a measurement has no current, or its voltage does not change")
    found[CONTACT] = Parameter(name=CONTACT, initial_value=most / 50, bounds=(0.0, most))
    return found


def _with_contact(model: str | Mapping[str, Any] | Model) -> Any:
    """Return the model with a contact resistance, where it is one of PyBaMM's without options."""
    parsed = model_of(model)
    if isinstance(parsed, PyBaMMModel) and not parsed.options:
        return parsed.model_copy(update={"options": {"contact resistance": "true"}})
    return model


def _known(given: Any, words: str) -> Elements:
    if given is None:
        return {}
    if (
        isinstance(given, Mapping)
        and given
        and all(isinstance(one, Entry | Calculation | Element) for one in given.values())
    ):
        return dict(given)
    return {words: entry_of(given)}
