"""Objectives of MSMR models: the capacity of an electrode over its potential, the open-circuit voltage of a cell."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from cellwright.catalog.measured_curve import CAPACITY, POINTS, VOLTAGE, MeasuredCurve, measured_curve
from cellwright.catalog.models import MSMRFullCellModel, MSMRHalfCellModel, MSMRHalfCellModelOptions
from cellwright.catalog.msmr_curve import INVERSE, SLOPE, FullCellCurve, HalfCellCurve
from cellwright.catalog.msmr_electrode import electrode_of, fractions, phases
from cellwright.catalog.named_models import SimulatedOptions, model_of
from cellwright.catalog.regularizers import Constraint
from cellwright.errors import ConfigurationError, DataError, did_you_mean
from cellwright.physics.differential import Slopes, quiet_width
from cellwright.schema.expressions import Expression, parameter
from cellwright.schema.families import Array, FittingObjective, Model, Regularizer
from cellwright.schema.groups import Descending, Group, Shares
from cellwright.schema.parameters import Origin, ParameterSet
from cellwright.schema.search import Space
from cellwright.schema.simulation import Simulate
from cellwright.schema.variant import Example

Limits = tuple[float, float]
Cutoff = Literal["none"] | float
STEEP = 10.0
"""How many times its median a |dU/dQ| may be to count, where no cut-off is given."""
NEGATIVE, POSITIVE = (0.0, 2.0), (2.5, 5.0)
"""Potentials [V] between which those of an electrode are looked for, where no limits are given."""
EXPLICIT = 1e3
"""Weight of the square by which the fractions miss their sum, where that is a term of the cost."""


class MSMRHalfCellOptions(SimulatedOptions):
    """The model of the electrode, what is compared and on which points, and what is asked of its species."""

    dudq_cutoff: Cutoff | None = Field(default=None, alias="dUdQ cutoff")
    dqdu_cutoff: Cutoff | None = Field(default=None, alias="dQdU cutoff")
    voltage_limits: Limits | None = Field(default=None, alias="voltage limits")
    gitt: bool = Field(default=False, alias="GITT")
    objective_variables: list[str] | None = Field(default=None, alias="objective variables")
    constrain_xj_method: Literal["project", "explicit", "reformulate"] = Field(
        default="project", alias="constrain Xj method"
    )
    penalize_xj_complement_bounds: bool = Field(default=False, alias="penalize Xj complement bounds")
    preserve_u0j_order: bool = Field(default=False, alias="preserve U0j order")


class MSMRHalfCell(FittingObjective):
    """The capacity of an electrode over its potential by an MSMR model, compared with a half cell's.

    r = q_model(U_i) - q_i [A.h], and the difference of the slopes dU/dQ [V.A-1.h-1]. The capacity counts the lithium
    that enters, so that the potential falls with it (with the model's direction "delithiation" also that which leaves);
    it is compared as it is measured, and its origin is the lower excess capacity of the electrode: start that from
    -min(q). Slopes are those of lines of least squares through the points in a window, by the potential of the model at
    the measured capacities as by the measured one, so that both are smoothed alike; the windows are 1 to 10 % of the
    capacity, as wide as the noise asks for. They count where |dU/dQ| is below the `dUdQ cutoff`, by default 10 times
    its median, which leaves out the steep ends; likewise those of `dQdU cutoff` [A.h.V-1], by default all. The other
    `objective variables` are `Differential capacity [Ah/V]` and `Voltage [V]`, the potential at the measured
    capacities: where the noise is in the voltage it tells most, since on a plateau a little of it is much capacity.
    `GITT` takes the last row of each rest.

    Free parameters are the potentials `… host site standard potential (0) [V]`, the amounts `… occupancy capacity
    (0) [A.h]` or with the species format "Xj" `… occupancy fraction (0)`, and `… ideality factor (0)` of each site, the
    capacity of the electrode and its lower excess capacity. Where all fractions are free they add up to 1: at every
    point of the search those over their sum count, or the nearest within their bounds ("project"); a term
    1000 (Σ X_j - 1)² of the cost holds them ("explicit"); or the last is 1 minus the others ("reformulate"; with
    `penalize Xj complement bounds` a term of the same weight holds it in its bounds). With `preserve U0j order`
    potentials that would rise along the sites are moved to their mean.

    Source: Verbrugge, Baker, Koch, Xiao & Gu, J. Electrochem. Soc. 164 (2017) E3243, doi:10.1149/2.0341708jes.
    """

    example: ClassVar = Example(
        fields={
            "data": {"Capacity [A.h]": [0.0, 0.002, 0.004], "Voltage [V]": [4.3, 3.9, 3.5]},
            "options": {"model": {"electrode": "positive"}},
        }
    )

    type: Literal["MSMRHalfCell"] = "MSMRHalfCell"
    options: MSMRHalfCellOptions | None = None

    def prepare(self, p: ParameterSet, free: tuple[str, ...], simulate: Simulate) -> HalfCellCurve:
        """Verify the data, and look up the sites of the model.

        Raises: `DataError` for data that are no curve, whose capacity counts the other way, or none of which lie within
        the voltage limits; `MissingParameterError` for parameters that nobody provides; `ConfigurationError` for a
        model that is none of an electrode and variables that there are not.
        """
        options = self._options
        model = self._model
        variables = _variables(options.objective_variables, [CAPACITY, SLOPE], [INVERSE, VOLTAGE])
        direction = model.options.direction if model.options else None
        curve = entering(measured_curve(self.data_input.table, at_rest=options.gitt), direction)
        curve = _within(curve, options.voltage_limits)
        own = self.parameters or {}
        p = p.merge(own, Origin("objective")) if own else p
        electrode, quantities, reads = electrode_of(model, p, [name for name in free if name not in own])
        given = model.options or MSMRHalfCellModelOptions()
        windows = Slopes(curve.capacity, quiet_width(curve.capacity, curve.voltage))
        return HalfCellCurve(
            x_name=CAPACITY if VOLTAGE in variables else VOLTAGE,
            x=curve.capacity if VOLTAGE in variables else curve.voltage,
            observed=_observed(variables, curve, windows(curve.voltage), options.dudq_cutoff, options.dqdu_cutoff),
            quantities=quantities,
            reads=reads,
            electrode=electrode,
            curve=curve,
            windows=windows,
            capacity_function=given.capacity_function,
            differential_capacity_function=given.differential_capacity_function,
        )

    def ties(self, free: Collection[str]) -> Mapping[str, Expression]:
        """Return the last fraction as 1 minus the others, where that is the method."""
        if self._options.constrain_xj_method != "reformulate":
            return {}
        return {names[-1]: _rest(names[:-1]) for names in fractions(self._model, free) if len(names) > 1}

    def conditions(self, limits: Mapping[str, tuple[float, float]]) -> Sequence[Regularizer]:
        """Return what keeps the sum of the fractions, or the last of them in its bounds, by a term of the cost."""
        options = self._options
        explicit = options.constrain_xj_method == "explicit"
        held_last = options.constrain_xj_method == "reformulate" and options.penalize_xj_complement_bounds
        if not explicit and not held_last:
            return []
        groups = fractions(self._model, limits.keys())
        if explicit:
            return [Constraint(fun=_rest(names), regularizer_weight=EXPLICIT) for names in groups]
        held = [(_rest(names[:-1]), *limits[names[-1]]) for names in groups if len(names) > 1]
        sides = [part for rest, low, high in held for part in (low <= rest, rest <= high)]
        return [Constraint(fun=side, regularizer_weight=EXPLICIT) for side in sides]

    def groups(self, p: ParameterSet, space: Space) -> Sequence[Group]:
        """Return the fractions that add up to 1, and the potentials that keep their order.

        Raises: `ConfigurationError` for bounds that do not allow a sum of 1, and for potentials that rise at the start.
        """
        found: list[Group] = []
        if self._options.constrain_xj_method == "project":
            found += _shares([self._model], p, space)
        if self._options.preserve_u0j_order:
            found += _ordered(self._model, space)
        return found

    @property
    def _options(self) -> MSMRHalfCellOptions:
        return self.options or MSMRHalfCellOptions()

    @property
    def _model(self) -> MSMRHalfCellModel:
        given = self._options.model
        if given is None:
            raise ConfigurationError(
                "the objective needs the model of an electrode",
                at=("options", "model"),
                hint="give {'model': {'electrode': 'positive', 'options': {'species format': 'Xj'}}}",
            )
        return _half_cell(given)


class MSMRFullCellOptions(SimulatedOptions):
    """The models of the electrodes, what is compared, and on which points."""

    dudq_cutoff: Cutoff | None = Field(default=None, alias="dUdQ cutoff")
    dqdu_cutoff: Cutoff | None = Field(default=None, alias="dQdU cutoff")
    negative_voltage_limits: Limits | None = Field(default=None, alias="negative voltage limits")
    positive_voltage_limits: Limits | None = Field(default=None, alias="positive voltage limits")
    objective_variables: list[str] | None = Field(default=None, alias="objective variables")


class MSMRFullCell(FittingObjective):
    """The open-circuit voltage of a cell by MSMR models of its electrodes, compared with the measured one.

    V(q) = U_p(Q_low,p + q) - U_n(Q_low,n + q_end - q), with q the capacity [A.h] taken out since the highest voltage,
    q_end its end, and Q_low the lower excess capacities of the electrodes, which they hold where the cell uses least of
    them: the positive one charged, the negative one discharged. The potential U of an electrode is the inverse of its
    MSMR capacity, between its `voltage limits` [V], by default 0 to 2 and 2.5 to 5; beyond, it goes on in a straight
    line. Beside V its slope dV/dQ [V.A-1.h-1] is compared, by the same lines of least squares of model and data, where
    |dV/dQ| is below the `dUdQ cutoff` (default 10 times its median); both together say more of the electrodes than the
    voltage alone. `Differential capacity [Ah/V]` may be compared too. Without a model both electrodes have fractions
    ("Xj"); where all of an electrode are free, they are divided by their sum at every point of the search.

    Source: Hu & Schwartz, J. Electrochem. Soc. 169 (2022) 030539.
    """

    example: ClassVar = Example(
        fields={
            "data": {"Capacity [A.h]": [0.0, 2.5, 5.0], "Voltage [V]": [4.2, 3.7, 2.8]},
            "options": {"negative voltage limits": [0.005, 1.5], "positive voltage limits": [3.0, 4.3]},
        }
    )

    type: Literal["MSMRFullCell"] = "MSMRFullCell"
    options: MSMRFullCellOptions | None = None

    def prepare(self, p: ParameterSet, free: tuple[str, ...], simulate: Simulate) -> FullCellCurve:
        """Verify the data, and look up the sites of both electrodes.

        Raises: `DataError` for data that are no curve, `MissingParameterError` for parameters that nobody provides,
        `ConfigurationError` for a model that is none of a cell and variables that there are not.
        """
        options = self._options
        variables = _variables(options.objective_variables, [VOLTAGE, SLOPE], [INVERSE])
        curve = measured_curve(self.data_input.table)
        own = self.parameters or {}
        p = p.merge(own, Origin("objective")) if own else p
        open_ = [name for name in free if name not in own]
        negative, positive = (electrode_of(model, p, open_) for model in self._models)
        windows = Slopes(curve.capacity, quiet_width(curve.capacity, curve.voltage))
        return FullCellCurve(
            x_name=CAPACITY,
            x=curve.capacity,
            observed=_observed(variables, curve, windows(curve.voltage), options.dudq_cutoff, options.dqdu_cutoff),
            quantities={**negative[1], **positive[1]},
            reads=negative[2] | positive[2],
            negative=negative[0],
            positive=positive[0],
            limits=(
                _rising(options.negative_voltage_limits, NEGATIVE, "negative voltage limits"),
                _rising(options.positive_voltage_limits, POSITIVE, "positive voltage limits"),
            ),
            curve=curve,
            windows=windows,
        )

    def groups(self, p: ParameterSet, space: Space) -> Sequence[Group]:
        """Return the fractions that add up to 1. Raises: `ConfigurationError` for bounds that do not allow that."""
        return list(_shares(self._models, p, space))

    @property
    def _options(self) -> MSMRFullCellOptions:
        return self.options or MSMRFullCellOptions()

    @property
    def _models(self) -> tuple[MSMRHalfCellModel, MSMRHalfCellModel]:
        """The models of the negative and the positive electrode."""
        given = self._options.model
        if given is None:
            by_fraction = MSMRHalfCellModelOptions(species_format="Xj")
            negative, positive = (
                MSMRHalfCellModel(electrode=side, options=by_fraction) for side in ("negative", "positive")
            )
            return negative, positive
        model = model_of(given)
        if not isinstance(model, MSMRFullCellModel):
            raise ConfigurationError(
                f"{type(model).__name__} is no MSMR model of a cell",
                at=("options", "model"),
                hint="give an MSMRFullCellModel, or leave it out",
            )
        pair = (model.negative_electrode_model, model.positive_electrode_model)
        for one, side in zip(pair, ("negative", "positive"), strict=True):
            _plain_sites(one)
            if one.electrode != side:
                raise ConfigurationError(
                    f"the model of the {side} electrode is one of the {one.electrode} electrode",
                    at=("options", "model"),
                )
        return pair


def _half_cell(given: str | Model) -> MSMRHalfCellModel:
    model = model_of(given)
    if not isinstance(model, MSMRHalfCellModel):
        raise ConfigurationError(
            f"{type(model).__name__} is no MSMR model of an electrode",
            at=("options", "model"),
            hint="give {'electrode': 'positive', 'options': {'species format': 'Xj'}}",
        )
    return model


def _plain_sites(model: MSMRHalfCellModel) -> None:
    options = model.options
    if options and (options.capacity_function or options.differential_capacity_function):
        raise ConfigurationError(
            "in a cell an electrode is made of sites, and a capacity function of one's own has no inverse",
            at=("options", "model"),
            hint="leave the function out",
        )


def _variables(given: list[str] | None, default: list[str], more: list[str]) -> list[str]:
    """Return the variables that are compared. Raises: `ConfigurationError` for one that there is not."""
    known = [*default, *more]
    for name in given or []:
        if name not in known:
            raise ConfigurationError(
                f"the variable {name!r} is not there",
                at=("options", "objective variables"),
                hint=did_you_mean(name, known) or f"there are {', '.join(map(repr, known))}",
            )
    return given or default


def entering(curve: MeasuredCurve, direction: str | None) -> MeasuredCurve:
    """Return the curve over the lithium that enters. Raises: `DataError` where the capacity counts the other way."""
    if curve.falls:
        return curve
    if direction == "delithiation":
        q, V = -curve.capacity[::-1], curve.voltage[::-1]
        return replace(curve, capacity=q, voltage=V, falls=True, forward=not curve.forward)
    raise DataError(
        f"the potential rises with the column {CAPACITY!r}, and that of an electrode falls as lithium enters it",
        hint="count the lithium that enters as positive; or, where these are data of a delithiation, say so in the "
        "options of the model: {'direction': 'delithiation'}",
    )


def _within(curve: MeasuredCurve, limits: Limits | None) -> MeasuredCurve:
    """Return the points of a curve between two voltages [V]. Raises: `DataError` where there are too few of them."""
    if limits is None:
        return curve
    low, high = _rising(limits, limits, "voltage limits")
    rows = (curve.voltage >= low) & (curve.voltage <= high)
    if rows.sum() < POINTS:
        raise DataError(
            f"of the data {rows.sum()} points lie between {low:g} and {high:g} V: they run from "
            f"{curve.voltage.min():.4g} to {curve.voltage.max():.4g} V",
            hint="look at the 'voltage limits' and at the column 'Voltage [V]'",
        )
    return replace(curve, capacity=curve.capacity[rows], voltage=curve.voltage[rows])


def _rising(given: Limits | None, default: Limits, name: str) -> Limits:
    low, high = given or default
    if not low < high:
        raise ConfigurationError(
            f"{name!r} are a lower and an upper one, not {low:g} and {high:g}", at=("options", name)
        )
    return float(low), float(high)


def _observed(
    variables: Sequence[str], curve: MeasuredCurve, slopes: Array, steepest: Cutoff | None, flattest: Cutoff | None
) -> dict[str, Array]:
    """Return what was measured of each variable; slopes that do not count are NaN."""
    found: dict[str, Array] = {}
    with np.errstate(divide="ignore"):
        inverse = 1 / slopes
    cut = STEEP * float(np.median(np.abs(slopes))) if steepest is None else _number(steepest)
    everything = {
        CAPACITY: curve.capacity,
        VOLTAGE: curve.voltage,
        SLOPE: np.where(np.abs(slopes) <= cut, slopes, np.nan),
        INVERSE: np.where(np.isfinite(inverse) & (np.abs(inverse) <= _number(flattest)), inverse, np.nan),
    }
    for name in variables:
        found[name] = everything[name]
        if not np.isfinite(found[name]).any():
            raise DataError(
                f"no point of {name!r} is below the cut-off",
                hint="give 'dUdQ cutoff' in V.A-1.h-1 and 'dQdU cutoff' in A.h.V-1, or 'none'",
            )
    return found


def _number(cutoff: Cutoff | None) -> float:
    return np.inf if cutoff is None or isinstance(cutoff, str) else float(cutoff)


def _rest(names: Sequence[str]) -> Expression:
    """Return 1 minus the sum of the named parameters."""
    left: Any = 1.0
    for name in names:
        left = left - parameter(name)
    rest: Expression = left
    return rest


def _shares(models: Sequence[MSMRHalfCellModel], p: ParameterSet, space: Space) -> Iterator[Shares]:
    """Yield the fractions of each phase all of which are free. Raises: `ConfigurationError` for their bounds."""
    dimensions = {one.name: one for one in space.dimensions}
    for model in models:
        for names in fractions(model, {*space.names, *p.values_}):
            listed: Any = p.values_.get(names[0].removesuffix(" (0)"))
            if all(name in dimensions for name in names) and len(names) >= np.size(
                listed if listed is not None else []
            ):
                lower, upper = (tuple(getattr(dimensions[name], end) for name in names) for end in ("lower", "upper"))
                yield Shares(tuple(names), lower, upper)


def _ordered(model: MSMRHalfCellModel, space: Space) -> Iterator[Descending]:
    """Yield the potentials of each phase. Raises: `ConfigurationError` for those that rise at the start."""
    start = {one.name: one.initial for one in space.dimensions}
    for phase in phases(model):
        names = [name for name in start if name.startswith(f"{phase.host_site} standard potential (")]
        names.sort(key=lambda name: int(name.partition("(")[2].partition(")")[0]))
        values = [start[name] for name in names]
        if any(after > before for before, after in pairwise(values)):
            raise ConfigurationError(
                f"the standard potentials start at {', '.join(f'{value:.4g}' for value in values)} V, and with "
                "'preserve U0j order' they fall from site to site",
                at=("options", "preserve U0j order"),
                hint="number the sites from the highest potential down",
            )
        if len(names) > 1:
            yield Descending(tuple(names))
