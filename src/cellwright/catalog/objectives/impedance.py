"""The impedance of the model, compared with a measured spectrum."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import numpy as np

from cellwright.catalog.named_models import SimulatedOptions, spec_of
from cellwright.catalog.objectives.simulated import SimulationObjective
from cellwright.errors import ConfigurationError, DataError, did_you_mean
from cellwright.physics.impedance import cartesian, inductive_share
from cellwright.schema.families import Array
from cellwright.schema.parameters import Origin, ParameterSet
from cellwright.schema.prepared import PreparedSimulation
from cellwright.schema.simulation import FREQUENCY, IMPEDANCE, ImpedanceProblem, Simulate
from cellwright.schema.tables import Columns
from cellwright.schema.variant import Example

REAL, IMAGINARY = IMPEDANCE
MODULUS, PHASE, VOLTAGE = "Z_Mod [Ohm]", "Z_Phase [deg]", "Voltage [V]"
MESH = ("var_pts", "submesh_types", "geometry", "spatial_methods")
"""What of `simulation_kwargs` has a meaning for a spectrum."""
REVERSED = 0.75
"""Inductive share of the spectrum of a cell from which on its imaginary part is taken to have the wrong sign."""


class EISOptions(SimulatedOptions):
    """The model and its mesh.

    Of `simulation_kwargs` those are used that say how the model is discretised: `var_pts`, `submesh_types`, `geometry`,
    `spatial_methods`. Others, such as a solver that is shared with a simulation in time, have no effect.

    The 20 equal steps that a particle has without them are too coarse for a spectrum: with Chen2020 (SPM, 1 mHz to 10
    kHz) Z errs by up to 6 %. 20 steps of an `Exponential1DSubMesh` with `{side: right, stretch: 6}` err by 0.6 %.
    """

    parameterized_model_id: str | None = None
    simulation_kwargs: dict[str, Any] | None = None


class EIS(SimulationObjective):
    """The impedance of the model at the measured frequencies, compared with the measured one.

    r = Re Z_model(f_i) - Re Z_data(f_i) and likewise of the imaginary part [Ohm], with Z the ratio of small harmonic
    changes of voltage and current around the state at rest. The columns are `Frequency [Hz]`, in any order, `Z_Re
    [Ohm]` and `Z_Im [Ohm]` (negative where the cell is capacitive); a part that is not there follows from `Z_Mod [Ohm]`
    and `Z_Phase [deg]`. Rows that have neither frequency nor impedance are left out.

    The double layers of the electrodes are charged (`surface form` "differential"), unless the model's options say
    another form: "algebraic" is without double layers, "false" has no impedance and is refused. The state at rest is
    the one that the parameters name (concentrations, stoichiometries, SOC, voltage), else the first measured voltage.
    A value in `parameters` holds for this objective alone: another temperature, another state of charge.

    Source: Orazem & Tribollet, Electrochemical Impedance Spectroscopy (2008), ch. 4; Hallemans et al., J. Electrochem.
    Soc. 172 (2025) 060507.
    """

    example: ClassVar = Example(
        fields={
            "data": {"Frequency [Hz]": [1.0, 1000.0], "Z_Re [Ohm]": [0.03, 0.02], "Z_Im [Ohm]": [-0.005, 0.0]},
            "options": {"model": "SPM"},
        }
    )

    type: Literal["EIS"] = "EIS"
    options: EISOptions | None = None

    def prepare(self, p: ParameterSet, free: tuple[str, ...], simulate: Simulate) -> PreparedSimulation:
        """Build the model and linearise it.

        Raises: `DataError` for missing columns, values that are no numbers, frequencies that are not positive, an
        imaginary part of the wrong sign; what `simulate` raises.
        """
        options = self.options
        assert options is not None
        assert options.model is not None
        spectrum = spectrum_of(self.data_input.table)
        start, voltage = self.data_input.initial_voltage, spectrum.columns.get(VOLTAGE)
        own = self.parameters or {}
        problem = ImpedanceProblem(
            model=spec_of(options.model, _mesh(options.simulation_kwargs or {})),
            parameters=p.merge(own, Origin("objective")),
            frequencies=spectrum[FREQUENCY],
            free=tuple(name for name in free if name not in own),
            initial_voltage=start if start is not None or voltage is None else float(voltage[0]),
        )
        observed = {name: spectrum[name] for name in IMPEDANCE}
        return PreparedSimulation(FREQUENCY, problem.frequencies, observed, simulate(problem), IMPEDANCE)


def spectrum_of(table: Columns) -> Columns:
    """Return the rows of a measured spectrum, with real and imaginary part [Ohm].

    Raises: `DataError` for missing columns, values that are no numbers, frequencies that are not positive, no row at
    all, an imaginary part of the wrong sign.
    """
    parts = _parts(table)
    whole = Columns({**table, **parts})
    frequency = whole[FREQUENCY]
    empty = np.isnan(frequency) & np.all([np.isnan(part) for part in parts.values()], axis=0)
    spectrum = whole.take(~empty)
    if not spectrum.rows:
        raise DataError("there is no row with an impedance")
    for name in (FREQUENCY, *IMPEDANCE):
        _refuse(~np.isfinite(spectrum[name]), f"the column {name!r} holds values that are no numbers")
    _refuse(spectrum[FREQUENCY] <= 0, f"the column {FREQUENCY!r} holds frequencies that are not above 0")
    columns = [spectrum[name] for name in (FREQUENCY, *IMPEDANCE)]
    if inductive_share(*columns) > REVERSED:
        raise DataError(
            f"the column {IMAGINARY!r} is positive where a cell is capacitive: it seems to hold -Im Z",
            hint="give the imaginary part with its own sign, negative in the arcs",
        )
    return spectrum


def _parts(table: Columns) -> dict[str, Array]:
    """Return real and imaginary part, from modulus and phase where they are not there."""
    if all(name in table for name in IMPEDANCE) or not {MODULUS, PHASE} <= table.keys():
        return {name: table[name] for name in IMPEDANCE}
    derived = dict(zip(IMPEDANCE, cartesian(table[MODULUS], table[PHASE]), strict=True))
    return {name: table[name] if name in table else derived[name] for name in IMPEDANCE}


def _refuse(rows: Any, said: str) -> None:
    places = np.flatnonzero(rows)
    if places.size:
        raise DataError(f"{said}, {places.size} of them, the first in row {int(places[0])}", hint="remove these rows")


def _mesh(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that a spectrum has a use for.

    Raises: `ConfigurationError` for one that seems to be misspelt.
    """
    for name in sorted(settings.keys() - set(MESH)):
        hint = did_you_mean(name, MESH)
        if hint:
            raise ConfigurationError(
                f"there is no simulation setting {name!r}", at=("options", "simulation_kwargs"), hint=hint
            )
    return {name: settings[name] for name in MESH if settings.get(name) is not None}
