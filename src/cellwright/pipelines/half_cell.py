"""Half cells: what all need, the open-circuit potential by MSMR, the diffusivity by titration.

Of a half cell PyBaMM calls the lithium counter electrode negative, and the electrode that is tested positive, also
graphite. Open-circuit potentials are made under the name of the electrode of the cell that they are meant for.
"""

import re
from collections.abc import Mapping
from typing import Any, Literal, get_args

import numpy as np

from cellwright.catalog.calculations import (
    AverageMSMRParameters,
    DiffusivityDataInterpolant,
    OCPDataInterpolant,
    OCPMSMRInterpolant,
)
from cellwright.catalog.calculations.capacity import HEIGHT, LAYERS, NOMINAL, WIDTH
from cellwright.catalog.calculations.open_circuit import STOICHIOMETRY, potential_points
from cellwright.catalog.entries import (
    DirectEntry,
    LithiumMetalAnode,
    NymanElectrolyte,
    StandardDefaults,
    Temperatures,
)
from cellwright.catalog.library import Library, Material
from cellwright.catalog.measured_curve import MeasuredCurve, measured_curve
from cellwright.catalog.models import GITTModel
from cellwright.catalog.objectives import MSMRHalfCell, Pulse
from cellwright.catalog.objectives.msmr import entering
from cellwright.catalog.sites import Quantity, site_name
from cellwright.catalog.transforms import Log, Log10
from cellwright.data.pulses import STEP, PulseTrain, split_pulses
from cellwright.errors import CellwrightError, ConfigurationError, DataError, did_you_mean
from cellwright.physics.geometry import host_capacity
from cellwright.pipelines.parts import (
    VOLTAGE,
    Elements,
    chosen,
    electrode_named,
    entry_of,
    source_of,
    table_of,
    with_options,
)
from cellwright.schema.datasource import DataSource
from cellwright.schema.elements import ArrayDataFit, DataFit
from cellwright.schema.families import Entry, Transform
from cellwright.schema.free_parameter import Parameter
from cellwright.schema.names import Direction, ElectrodeNames, names_of
from cellwright.schema.parameters import ParameterSet
from cellwright.schema.values import Function

DIRECTIONS = get_args(Direction)
QUANTITIES: tuple[Quantity, ...] = ("standard potential", "occupancy fraction", "ideality factor")
AROUND, FACTOR = 0.2, 10.0
"""Potential [V] to both sides of a published one, and factor to both sides of a published ideality factor, in which
those of a sample of the same chemistry are looked for. A little silicon moves the highest site of graphite by 0.1."""
FREE, SLACK = 2.0, 0.02
"""How many times the span of the data an electrode may hold, and which share of it may be noise of the data."""
AREA, OHM = "Electrode cross-sectional area [m2]", "Ohmic resistance [Ohm]"
DESCRIBED = ("particle_radius", "maximum_concentration", "volume_fraction", "thickness")
HOST = DESCRIBED[1:]
"""What a half cell needs to know of its electrode, and what of it makes the capacity of an area."""
SIDES = (HEIGHT, WIDTH, LAYERS)
BESIDE = (AREA, *SIDES, NOMINAL)
"""What is taken of a published set beside these."""
DIFFUSIVITY, SLOWEST, FASTEST = 5e-15, 1e-17, 1e-12
"""Diffusivity [m2.s-1] where the search of titrations begins, and the bounds of what has been told of electrodes."""


def defaults(c_e: float = 1000, T: float = 298.15) -> Elements:
    """Return what every half cell begins with.

    `lithium metal`: a counter electrode of lithium without a voltage of its own; `electrolyte`: LiPF6 in EC:EMC (Nyman
    et al. 2008) at `c_e` [mol.m-3]; `temperatures`: all `T` [K]; `standard defaults`: one cell of one pair of
    electrodes. Nothing is fitted.
    """
    return {
        "lithium metal": LithiumMetalAnode(),
        "electrolyte": NymanElectrolyte(c_e=c_e),
        "temperatures": Temperatures(T=T),
        "standard defaults": StandardDefaults(),
    }


def ocp_msmr(
    electrode: Literal["negative", "positive"],
    data: Any,
    params_to_fit: Mapping[str, Any] | None = None,
    objective_kwargs: Mapping[str, Any] | None = None,
    datafit_kwargs: Mapping[str, Any] | None = None,
    *,
    material: str | Material | Mapping[str, Any] | None = None,
) -> Elements:
    """Return the fit of an MSMR set to the slow curve of a half cell.

    `data` has the capacity (or time and current) and the voltage of one sweep, or is a dict of such data by
    "lithiation" and "delithiation". `material` is where the sites start: the name of one of the library, a `Material`
    or a dict of its values, or a dict of these by direction.

    - `negative MSMR start`: an entry of the sites of the material, from the highest potential to the lowest, of the
      capacity of the electrode, the span of the data, and of its lower excess capacity, -min(q);
    - `negative MSMR`: a `DataFit` of `MSMRHalfCell` with fractions, by its potential at the measured capacities, which
      tells most where the noise is in the voltage.

    With directions the names say them (`negative lithiation MSMR`), each is fitted on its own, and `negative mean MSMR`
    averages both sets; capacity and lower excess stay those of the direction that stands last.

    Free are of each site the potential (within 0.2 V of the start), the fraction (0 to 1, moved to a sum of 1) and the
    ideality factor (within a factor of 10, in its logarithm), the capacity (0.98 to 2 spans of the data: an electrode
    holds what it has delivered) and the lower excess (from -min(q), where the sites are empty at the first point, to a
    span more). All start from the entry.

    Raises: `DataError` for data that are no curve, `NotFoundError` for a material that is none, `ConfigurationError`
    without sites.
    """
    electrode_named(electrode)
    if material is None and params_to_fit is None:
        raise ConfigurationError(
            "nothing says with which sites the electrode starts",
            hint=f"give material=…, one of {', '.join(map(repr, Library.list_materials()))}, or its values",
        )
    found: Elements = {}
    sources = _by_direction(data)
    for direction, source in sources.items():
        name = names_of(electrode, None, direction)
        words = f"{electrode} {direction} MSMR" if direction else f"{electrode} MSMR"
        curve = _curve(source, direction, words, objective_kwargs)
        start, said = _start(name, _of_direction(material, direction), curve)
        free = chosen(_free(name, start, curve), params_to_fit)
        kind = {"species format": "Xj"} | ({"direction": direction} if direction else {})
        options = {"model": {"electrode": electrode, "options": kind}, "objective variables": [VOLTAGE]}
        objective = MSMRHalfCell(data_input=source, **with_options(options, objective_kwargs))
        found[f"{words} start"] = DirectEntry(parameters=start, source=said)
        found[words] = DataFit(objectives={"half cell": objective}, **{"parameters": free, **(datafit_kwargs or {})})
    if len(sources) > 1:
        found[f"{electrode} mean MSMR"] = AverageMSMRParameters(electrode=electrode)
    return found


def ocp_msmr_interpolant(
    electrode: Literal["negative", "positive"],
    data: Any,
    params_to_fit: Mapping[str, Any] | None = None,
    objective_kwargs: Mapping[str, Any] | None = None,
    datafit_kwargs: Mapping[str, Any] | None = None,
    voltage_limits: tuple[float, float] | None = None,
    *,
    material: str | Material | Mapping[str, Any] | None = None,
) -> Elements:
    """Return the elements of `ocp_msmr` and those that make the open-circuit potential of what they find.

    `negative OCP` is an `OCPMSMRInterpolant` between the `voltage_limits` [V], by default those of the data. With both
    directions there are `negative lithiation OCP` and `negative delithiation OCP` too, and `negative OCP` is that of
    the mean set.
    """
    found = ocp_msmr(electrode, data, params_to_fit, objective_kwargs, datafit_kwargs, material=material)
    sources = _by_direction(data)
    words = f"{electrode} OCP"
    reach = [_curve(source, direction, words, objective_kwargs).voltage for direction, source in sources.items()]
    limits = voltage_limits or (min(float(one.min()) for one in reach), max(float(one.max()) for one in reach))
    for direction in (*sources, "") if len(sources) > 1 else sources:
        words = f"{electrode} {direction} OCP" if direction else f"{electrode} OCP"
        options = {"direction": direction} if direction else None
        found[words] = OCPMSMRInterpolant(electrode=electrode, voltage_limits=limits, options=options)
    return found


def diffusivity_gitt(
    electrode: Literal["negative", "positive"],
    data: Any,
    known: Mapping[str, Any] | Entry | None = None,
    params_to_fit: Mapping[str, Any] | None = None,
    objective_kwargs: Mapping[str, Any] | None = None,
    datafit_kwargs: Mapping[str, Any] | None = None,
    *,
    start: float | None = None,
    capacity: float | None = None,
    ocp: Any = None,
) -> Elements:
    """Return the fits of the diffusivity to each pulse of a titration (GITT) of a half cell.

    `data` are what `cw.split_pulses` takes, or the pulses that it has returned; their current is positive where it
    fills the electrode. Where the electrode works is said by its stoichiometry at the first row, `start`, and its
    `capacity` [A.h], or by `ocp`: data with `Stoichiometry` and `Voltage [V]`, on which the rests are found. Without
    `ocp` the rests are the open-circuit potential. `known` is a dict of radius, maximum concentration, volume fraction,
    thickness and area of the electrode, or a published set, of which these are taken; None where elements before give
    them. With a `capacity` the area follows from the others, and the sides of a published cell do not count.

    - `negative half cell`: an entry of what is known, of the area and of the nominal capacity, if there is something;
    - `negative rests`: an `OCPDataInterpolant`, the potential at rest;
    - `negative pulses`: an `ArrayDataFit` of `Pulse` with `GITTModel`, by stoichiometry;
    - `negative diffusivity`: a `DiffusivityDataInterpolant` of what they find.

    Free are `Positive particle diffusivity [m2.s-1]` (from 5e-15, between 1e-17 and 1e-12, in its logarithm) and `Ohmic
    resistance [Ohm]` (from the jump at the beginning of the pulses, up to the whole of a pulse over its current). A
    temperature has to be known: `defaults` give it.

    What is tested is called positive, whatever it is: names in `known` are changed, and only the last element gives
    the diffusivity to the `electrode`. So let half cells of both electrodes run as pipelines of their own.

    Raises: `DataError` for data without pulses, `ConfigurationError` where nothing says where the electrode works.
    """
    electrode_named(electrode)
    try:
        pulses = data if isinstance(data, PulseTrain) else split_pulses(data)
    except CellwrightError as error:
        raise error.within(f"{electrode} pulses") from None
    if ocp is None and (start is None or capacity is None):
        raise ConfigurationError(
            "nothing says where the electrode works",
            hint="give its stoichiometry at the first row and its capacity [A.h], start=… and capacity=…, or its "
            "open-circuit potential, ocp=…",
        )
    name = names_of("positive")
    if start is not None and capacity is not None:
        placed = pulses.by_stoichiometry(start, capacity)
        points: Any = pulses.open_circuit(start, capacity)
    if ocp is not None:
        points = source_of(ocp)
        if start is None or capacity is None:
            placed = pulses.by_potential(_potential(points, f"{electrode} rests"))
    free = chosen(
        {
            name.diffusivity: Log10(parameter=_from(name.diffusivity, DIFFUSIVITY, (SLOWEST, FASTEST))),
            OHM: _from(OHM, *_resistance(pulses)),
        },
        params_to_fit,
    )
    options = with_options({"model": GITTModel(options={"working electrode": "positive"})}, objective_kwargs)
    objectives = {sto: Pulse(data_input=pulse, **options) for sto, pulse in placed.items()}
    entry = _tested(electrode, known, capacity)
    found: Elements = {} if entry is None else {f"{electrode} half cell": entry}
    return found | {
        f"{electrode} rests": OCPDataInterpolant(electrode="positive", data=points, options={"interpolator": "pchip"}),
        f"{electrode} pulses": ArrayDataFit(objectives=objectives, **{"parameters": free, **(datafit_kwargs or {})}),
        f"{electrode} diffusivity": DiffusivityDataInterpolant(
            electrode=electrode, data=f"table:{name.diffusivity}", options={"transformation": "log"}
        ),
    }


def _by_direction(data: Any) -> dict[str, DataSource]:
    """Return data by their direction, which is "" where none is said."""
    if isinstance(data, Mapping) and data and not data.keys() - set(DIRECTIONS):
        return {direction: source_of(one) for direction, one in data.items()}
    return {"": source_of(data)}


def _of_direction(material: Any, direction: str) -> Any:
    if not isinstance(material, Mapping) or not material.keys() & set(DIRECTIONS):
        return material
    if direction not in material:
        raise ConfigurationError(
            f"there is no material for the direction {direction!r}" if direction else "the data have no direction",
            hint="give data and materials by the same directions",
        )
    return material[direction]


def _curve(source: DataSource, direction: str, words: str, objective_kwargs: Mapping[str, Any] | None) -> MeasuredCurve:
    """Return the curve over the lithium that enters. Raises: `DataError` under the name of the element."""
    options = with_options({}, objective_kwargs)["options"]
    table = table_of(source, words, VOLTAGE)
    try:
        return entering(measured_curve(table, at_rest=bool(options.get("GITT"))), direction)
    except CellwrightError as error:
        raise error.within(words) from None


def _start(name: ElectrodeNames, material: Any, curve: MeasuredCurve) -> tuple[dict[str, float], str]:
    """Return where sites and capacities start, and what is said of where that is from."""
    start = {
        name.capacity: curve.span,
        name.lower_excess_capacity: -float(curve.capacity[0]),
    }
    if material is None:
        return start, "the span and the beginning of the data"
    of = Material.from_library(material) if isinstance(material, str) else material
    values = of.parameter_values if isinstance(of, Material) else of
    sites = _sites(values)
    for index, row in enumerate(sites):
        start |= {site_name(name, quantity, index): value for quantity, value in zip(QUANTITIES, row, strict=True)}
    said = (of.source or of.name) if isinstance(of, Material) else "given"
    return start, f"sites: {said}; capacities: the span and the beginning of the data"


def _sites(values: Mapping[str, Any]) -> list[tuple[float, ...]]:
    """Return potential, fraction and ideality factor of each site, from the highest potential to the lowest.

    Raises: `ConfigurationError` where there are none, or not as many of each.
    """
    lists = [
        np.atleast_1d(
            next((value for name, value in values.items() if re.search(f"host site {one}( \\[V\\])?$", name)), [])
        )
        for one in QUANTITIES
    ]
    if len({len(one) for one in lists}) > 1 or not len(lists[0]):
        told = ", ".join(f"{len(one)} of {quantity}" for one, quantity in zip(lists, QUANTITIES, strict=True))
        raise ConfigurationError(
            f"the material has no MSMR set: {told}",
            hint=f"take one of the library: {', '.join(map(repr, Library.list_materials()))}",
        )
    U0, X, w = (np.asarray(one, dtype=float) for one in lists)
    if not X.sum() > 0:
        raise ConfigurationError(f"the fractions of the sites add up to {X.sum():g}, and they are shares of 1")
    return sorted(zip(U0.tolist(), (X / X.sum()).tolist(), w.tolist(), strict=True), reverse=True)


def _free(name: ElectrodeNames, start: Mapping[str, float], curve: MeasuredCurve) -> dict[str, Parameter | Transform]:
    """Return the parameters that are free, each with its bounds around where it starts."""
    span, lower = curve.span, start[name.lower_excess_capacity]
    found: dict[str, Parameter | Transform] = {
        name.capacity: Parameter(name=name.capacity, bounds=((1 - SLACK) * span, FREE * span)),
        name.lower_excess_capacity: Parameter(name=name.lower_excess_capacity, bounds=(lower, lower + span)),
    }
    for index in range((len(start) - 2) // len(QUANTITIES)):
        potential, fraction, ideality = (site_name(name, quantity, index) for quantity in QUANTITIES)
        U0, w = start[potential], start[ideality]
        found[potential] = Parameter(name=potential, bounds=(U0 - AROUND, U0 + AROUND))
        found[fraction] = Parameter(name=fraction, bounds=(0.0, 1.0))
        found[ideality] = Log(parameter=Parameter(name=ideality, bounds=(w / FACTOR, w * FACTOR)))
    return found


def _tested(electrode: str, known: Mapping[str, Any] | Entry | None, capacity: float | None) -> DirectEntry | None:
    """Return what is known of the electrode under the names of a positive one, with the area that its capacity makes.

    A dict is taken whole. Of a published set what describes the electrode is taken, and no state or temperature: each
    pulse starts at its own voltage.
    """
    entry = entry_of(known or {})
    if not isinstance(entry, DirectEntry) or entry.parameters is None:
        raise ConfigurationError(
            f"known values of a half cell are needed in numbers, and {type(entry).__name__} has none yet",
            hint="give them as a dict, or put the entry before and leave `known` out",
        )
    values, own, positive = entry.parameters, names_of(electrode), names_of("positive")
    changed = {getattr(own, one): getattr(positive, one) for one in DESCRIBED}
    for name, new in changed.items() if known else ():
        if not {name, new} & values.keys() and (hint := did_you_mean(name, values)):
            raise ConfigurationError(f"there is no {name!r} among what is known", hint=hint)
    if isinstance(known, Entry):
        values = {name: value for name, value in values.items() if name in changed or name in BESIDE}
    own_first = sorted(values, key=lambda name: name in changed)
    taken = {changed.get(name, name): values[name] for name in own_first}
    host = [taken.get(getattr(positive, one)) for one in HOST]
    if capacity is not None:
        taken[NOMINAL] = capacity
        if AREA not in taken and all(isinstance(value, int | float) for value in host):
            taken = {name: value for name, value in taken.items() if name not in SIDES}
            concentration, fraction, thickness = host
            taken[AREA] = capacity / host_capacity(concentration, fraction, thickness, area=1.0)
    return DirectEntry(parameters=taken, source=entry.source or "given") if taken else None


def _potential(source: DataSource, words: str) -> Function:
    """Return the open-circuit potential of a table."""
    table = table_of(source, words, STOICHIOMETRY, VOLTAGE)
    return Function.table("sto", *potential_points(ParameterSet(), table, 1e-6), "pchip")


def _resistance(pulses: PulseTrain) -> tuple[float, tuple[float, float]]:
    """Return the median resistance [Ohm] by the first rows under current, and 0 and the largest that a pulse allows.

    Raises: `DataError` where no pulse has a rest before it.
    """
    jumps, wholes = [], []
    for pulse in pulses.where(lambda one: bool(np.isfinite(one.voltages[0]))):
        voltage, loaded = pulse.table[VOLTAGE], pulse.table[STEP] == 1
        moved = np.abs(voltage[loaded] - pulse.voltages[0]) / abs(pulse.current)
        jumps.append(float(moved[0]))
        wholes.append(float(moved.max()))
    if not wholes:
        raise DataError("no pulse has a rest before it", hint="keep the rests in the data")
    most = max(wholes)
    return min(float(np.median(jumps)), most / 2), (0.0, most)


def _from(name: str, start: float, bounds: tuple[float, float]) -> Parameter:
    return Parameter(name=name, initial_value=start, bounds=bounds)
