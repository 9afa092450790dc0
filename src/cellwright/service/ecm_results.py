"""What comes of the fit of an equivalent circuit: its curves, its parameters, and how it follows other measurements."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from cellwright.catalog.entries.direct import DirectEntry
from cellwright.catalog.models import ECM
from cellwright.data.sources import settle
from cellwright.engine.circuit_measurements import MARGIN, Trace, refuse_outside, refuse_wrong_units, trace_of
from cellwright.errors import CellwrightError, ConfigurationError, DataError
from cellwright.physics.equivalent_circuit import Circuit, Course, soc_at_voltage, state_of_charge, voltage
from cellwright.schema.datasource import DataLoaderOptions, DataSource
from cellwright.schema.ecm import ECMMeasurement
from cellwright.schema.expressions import interpolant, parameter
from cellwright.schema.values import Function

Array = NDArray[np.float64]

SHOWN = 1000
"""Rows of a trace in a document."""


@dataclass(frozen=True, eq=False)
class RCPair:
    """Resistance [Ohm], capacitance [F] and time constant [s] of a pair, and the relative standard errors of `r` and
    `tau`, over the states of charge of its fit."""

    r: Array
    c: Array
    tau: Array
    r_error: Array
    tau_error: Array

    def to_dict(self) -> dict[str, list[float]]:
        """Return the curves as a document holds them."""
        return {"r": self.r.tolist(), "c": self.c.tolist(), "tau": self.tau.tolist()}


@dataclass(frozen=True, eq=False, repr=False)
class ECMFit:
    """A fitted equivalent circuit.

    `ocv` [V], `r0` [Ohm] and the `rc_pairs` stand over `soc` [-], the fastest pair first; between these points OCV, r0,
    1/c and 1/tau are linear, so that the curves are all of the fit. `ocv_error` [V] and the relative `r0_error` are
    standard errors by the scatter of the residuals: infinite where the data say nothing, NaN where nothing was fitted.
    """

    soc: Array
    ocv: Array
    r0: Array
    rc_pairs: tuple[RCPair, ...]
    capacity_Ah: tuple[float, ...]
    """The capacity of the cell in each measurement [A.h]."""
    capacity_error: float | None = None
    """Its standard error [A.h] where it was fitted."""
    initial_soc: tuple[float, ...] = ()
    """The state of charge at the first row of each measurement."""
    ocv_provided: bool = False
    time: tuple[Array, ...] = ()
    """The times of each measurement [s]; beside them the voltages [V]."""
    data_voltage: tuple[Array, ...] = ()
    model_voltage: tuple[Array, ...] = ()
    ocv_error: Array | None = None
    r0_error: Array | None = None
    warnings: tuple[str, ...] = ()

    @property
    def num_rcs(self) -> int:
        """The number of RC pairs."""
        return len(self.rc_pairs)

    @property
    def residual_mV(self) -> tuple[Array, ...]:
        """Model less data, of each measurement [mV]."""
        return tuple(1e3 * (m - d) for m, d in zip(self.model_voltage, self.data_voltage, strict=True))

    @property
    def rmse_mV(self) -> float:
        """Root mean square of the residuals of all rows [mV]; NaN for a circuit that was read without its traces."""
        if not self.time:
            return float("nan")
        return float(np.sqrt(np.mean(np.concatenate(self.residual_mV) ** 2)))

    @property
    def circuit(self) -> Circuit:
        """The circuit that the curves stand for."""
        pairs = (len(self.rc_pairs), len(self.soc))
        r = np.array([pair.r for pair in self.rc_pairs]).reshape(pairs)
        tau = np.array([pair.tau for pair in self.rc_pairs]).reshape(pairs)
        return Circuit(self.soc, self.ocv, self.soc, self.r0, self.soc, r, tau)

    def validate(
        self,
        measurement: Any,
        *,
        start_step: int | None = None,
        end_step: int | None = None,
        initial_soc: float | None = None,
        capacity: float | None = None,
    ) -> "ECMValidation":
        """Return how the circuit follows a measurement that it was not fitted to.

        Without `initial_soc` it begins where the first voltage lies on the fitted open-circuit voltage; without
        `capacity` [A.h] it has that of the fit.

        Raises: as `fit`.
        """
        given = {"start_step": start_step, "end_step": end_step, "initial_soc": initial_soc, "capacity": capacity}
        said = dict(ECMMeasurement.of(measurement))
        one = ECMMeasurement(**said | {name: value for name, value in given.items() if value is not None})
        trace = read_trace(one, 0)
        capacity = one.capacity or self.capacity_Ah[0]
        refuse_wrong_units(trace, capacity, "the measurement")
        start = one.initial_soc if one.initial_soc is not None else self._start(trace)
        course = Course(trace.time, trace.current, np.array([0]))
        soc = state_of_charge(course, np.array([start]), np.array([capacity]))
        refuse_outside(soc, trace, capacity, "the measurement")
        return ECMValidation(
            trace.time, trace.voltage, voltage(self.circuit, course, soc), soc, capacity, start, self.num_rcs
        )

    def _start(self, trace: Trace) -> float:
        ends, current = np.array([0.0, 1.0]), float(trace.current[0])
        low, high = self.circuit.ocv_at(ends) - current * self.circuit.r0_at(ends)
        if not low - MARGIN <= trace.voltage[0] <= high + MARGIN:
            raise DataError(
                f"the measurement begins at {trace.voltage[0]:.4g} V, and the circuit goes from {low:.4g} to "
                f"{high:.4g} V there",
                hint="give its initial_soc, and look whether it is of the same cell",
            )
        return soc_at_voltage(self.circuit, float(trace.voltage[0]), float(trace.current[0]))

    def parameters(self, initial_soc: float | None = None) -> dict[str, Any]:
        """Return the parameters of the `ECM` model: functions of the state of charge, the capacity, the voltage limits.

        Its initial state of charge is `initial_soc` where it is given.
        """
        soc: Any = parameter("soc")
        inside: Any = np.minimum(np.maximum(soc, float(self.soc[0])), float(self.soc[-1]))
        values: dict[str, Any] = {
            "Nominal cell capacity [A.h]": float(self.capacity_Ah[0]),
            "Open-circuit voltage [V]": _function(_line(self.soc, self.ocv, soc)),
            "R0 [Ohm]": _function(_line(self.soc, self.r0, inside)),
        }
        for number, pair in enumerate(self.rc_pairs, start=1):
            alpha, beta = _line(self.soc, 1 / pair.c, inside), _line(self.soc, 1 / pair.tau, inside)
            values[f"R{number} [Ohm]"] = _function(alpha / beta)
            values[f"C{number} [F]"] = _function(1 / alpha)
        if self.data_voltage:
            measured = np.concatenate(self.data_voltage)
            values["Lower voltage cut-off [V]"] = float(measured.min())
            values["Upper voltage cut-off [V]"] = float(measured.max())
        if initial_soc is not None:
            values["Initial SoC"] = initial_soc
        return values

    def entry(self, initial_soc: float | None = None) -> DirectEntry:
        """Return the parameters as an entry of a pipeline."""
        told = f"equivalent circuit of {self.num_rcs} RC pairs"
        if self.data_voltage:
            count = len(self.data_voltage)
            told += f", fitted to {count} measurement{'s'[: count > 1]} with {self.rmse_mV:.3g} mV"
        return DirectEntry(parameters=self.parameters(initial_soc), source=told)

    def model(self, **options: Any) -> ECM:
        """Return the model that the parameters belong to, with further options of `ECM`."""
        return ECM(options={"rc pairs": str(self.num_rcs), **options})

    def to_dict(self) -> dict[str, Any]:
        """Return the fit as a document, its traces one behind the other and thinned to a thousand rows."""
        time, data, model = (
            np.concatenate(one)[_shown(sum(map(len, one)))].tolist() if one else []
            for one in (self.time, self.data_voltage, self.model_voltage)
        )
        return {
            "rmse_mV": self.rmse_mV if self.time else None,
            "num_rcs": self.num_rcs,
            "time": time,
            "data_voltage": data,
            "model_voltage": model,
            "soc": self.soc.tolist(),
            "ocv": self.ocv.tolist(),
            "r0": self.r0.tolist(),
            "rc_pairs": [pair.to_dict() for pair in self.rc_pairs],
            "ocv_provided": self.ocv_provided,
            "capacity_Ah": list(self.capacity_Ah),
            "capacity_error": self.capacity_error,
            "initial_soc": list(self.initial_soc),
            "ocv_error": _finite(self.ocv_error),
            "r0_error": _finite(self.r0_error),
            "rc_pair_errors": [{"r": _finite(pair.r_error), "tau": _finite(pair.tau_error)} for pair in self.rc_pairs],
            "warnings": list(self.warnings),
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Self:
        """Return the circuit of a document, from its curves and its capacity alone; traces and errors stay behind.

        Raises: `ConfigurationError` for curves that make no circuit.
        """
        try:
            soc, ocv, r0 = (np.asarray(document[name], dtype=float) for name in ("soc", "ocv", "r0"))
            pairs = []
            for one in document.get("rc_pairs") or ():
                r, c = np.asarray(one["r"], dtype=float), np.asarray(one["c"], dtype=float)
                unknown = np.full(len(r), np.nan)
                pairs.append(RCPair(r, c, r * c, unknown, unknown))
            capacity = tuple(map(float, document["capacity_Ah"]))
        except (KeyError, TypeError, ValueError) as cause:
            raise ConfigurationError(
                f"the results of a fit are incomplete: {cause}",
                hint="soc, ocv, r0, rc_pairs and capacity_Ah are needed",
            ) from None
        curves = [ocv, r0, *(curve for pair in pairs for curve in (pair.r, pair.c))]
        positive = [r0, *curves[2:]]
        if any(len(curve) != len(soc) for curve in curves) or not (np.diff(soc) > 0).all() or not capacity:
            raise ConfigurationError("the curves of a fit are equally long, over states of charge that rise")
        if any(not (curve > 0).all() for curve in positive):
            raise ConfigurationError("the resistances and capacitances of a circuit are positive")
        return cls(soc, ocv, r0, tuple(pairs), capacity, ocv_provided=bool(document.get("ocv_provided", False)))

    def __str__(self) -> str:
        lines = [f"{self.num_rcs} RC pairs, RMSE {self.rmse_mV:.3g} mV" if self.time else f"{self.num_rcs} RC pairs"]
        for number, residual in enumerate(self.residual_mV):
            lines.append(
                f"  measurement {number}: {np.sqrt(np.mean(residual**2)):.3g} mV in {len(residual)} rows, from "
                f"{self.initial_soc[number]:.3f} in a cell of {self.capacity_Ah[number]:.4g} A.h"
            )
        return "\n".join([*lines, *(f"  warning: {warning}" for warning in self.warnings)])

    __repr__ = __str__


@dataclass(frozen=True, eq=False, repr=False)
class ECMValidation:
    """A circuit beside a measurement that it was not fitted to."""

    time: Array
    """[s]"""
    data_voltage: Array
    """[V]"""
    model_voltage: Array
    """[V]"""
    soc: Array
    capacity: float
    """[A.h]"""
    initial_soc: float
    num_rcs: int
    model_source: str = "fit_results"

    @property
    def residual_mV(self) -> Array:
        """Model less data [mV]."""
        return np.asarray(1e3 * (self.model_voltage - self.data_voltage))

    @property
    def rmse_mV(self) -> float:
        """Root mean square of the residuals [mV]."""
        return float(np.sqrt(np.mean(self.residual_mV**2)))

    @property
    def mae_mV(self) -> float:
        """Mean of the absolute residuals [mV]."""
        return float(np.mean(np.abs(self.residual_mV)))

    @property
    def max_mV(self) -> float:
        """Largest absolute residual [mV]."""
        return float(np.max(np.abs(self.residual_mV)))

    def to_dict(self) -> dict[str, Any]:
        """Return the validation as a document, its trace thinned to a thousand rows."""
        shown = _shown(len(self.time))
        return {
            "rmse_mV": self.rmse_mV,
            "mae_mV": self.mae_mV,
            "max_mV": self.max_mV,
            "num_rcs": self.num_rcs,
            "capacity_Ah": [self.capacity],
            "initial_soc": self.initial_soc,
            "model_source": self.model_source,
            "time": self.time[shown].tolist(),
            "data_voltage": self.data_voltage[shown].tolist(),
            "model_voltage": self.model_voltage[shown].tolist(),
            "residual_mV": self.residual_mV[shown].tolist(),
        }

    def __str__(self) -> str:
        return f"RMSE {self.rmse_mV:.3g} mV, mean {self.mae_mV:.3g} mV, largest {self.max_mV:.3g} mV"

    __repr__ = __str__


def read_trace(one: ECMMeasurement, number: int) -> Trace:
    """Return a measurement, checked.

    Raises: `DataError` and others with the number of the measurement in `at`.
    """
    try:
        return trace_of(settle(_with_steps(one)).table)
    except CellwrightError as error:
        raise error.within("measurements", str(number)) from None


def _with_steps(one: ECMMeasurement) -> DataSource:
    if one.start_step is None and one.end_step is None:
        return one.data_input
    options = one.data_input.options or DataLoaderOptions()
    steps = {"first_step": one.start_step, "last_step": one.end_step}
    return replace(one.data_input, options=options.model_copy(update=steps))


def _line(soc: Array, values: Array, at: Any) -> Any:
    return interpolant(soc.tolist(), values.tolist(), at) if len(soc) > 1 else float(values[0])


def _function(body: Any) -> Any:
    return Function(("soc",), body, "fitted") if hasattr(body, "substitute") else body


def _shown(rows: int) -> NDArray[np.intp]:
    return np.unique(np.linspace(0, rows - 1, min(rows, SHOWN)).astype(np.intp))


def _finite(values: Array | None) -> list[float | None] | None:
    return None if values is None else [float(one) if np.isfinite(one) else None for one in values]
