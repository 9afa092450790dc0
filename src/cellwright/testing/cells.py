"""Synthetic cells with known truth."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellwright.models import simulate
from cellwright.models.published import published
from cellwright.physics import grouping
from cellwright.physics.geometry import host_capacity
from cellwright.schema.names import ELECTRODES, names_of
from cellwright.schema.parameters import Origin, ParameterSet
from cellwright.schema.simulation import ModelSpec, SimulationProblem

__all__ = ["discharge", "grouped", "published"]


def discharge(
    p: ParameterSet,
    model: str = "SPM",
    current: float = 5.0,
    duration: float = 3000.0,
    points: int = 101,
    noise: float = 0.0,
    seed: int = 0,
    options: dict[str, Any] | None = None,
) -> dict[str, list[float]]:
    """Return the columns of a constant-current discharge: time [s], current [A], voltage [V] with noise [V] (1 σ)."""
    time = np.linspace(0.0, duration, points)
    problem = SimulationProblem(
        model=ModelSpec(model, options or {}),
        parameters=p,
        time=np.array([0.0, duration]),
        current=np.array([current, current]),
        output_times=time,
        variables=("Voltage [V]",),
    )
    solved = simulate.build(problem).solve({})
    if solved.status != "solved":
        raise ValueError(f"the synthetic cell could not be discharged: {solved.status} {solved.message}")
    voltage: NDArray[np.float64] = solved.outputs["Voltage [V]"]
    rng = np.random.default_rng(seed)
    return {
        "Time [s]": time.tolist(),
        "Current [A]": np.full(points, current).tolist(),
        "Voltage [V]": (voltage + noise * rng.normal(size=points)).tolist(),
    }


def grouped(p: ParameterSet) -> ParameterSet:
    """Return the parameters of a cell with those of the lumped models beside them, all but its kinetics.

    Diffusivities, conductivity and transference number have to be numbers. The series resistance is the contact's, the
    electrolyte's and the solid's.

    Raises: `MissingParameterError` for what is no number.
    """
    area = p.number("Electrode height [m]") * p.number("Electrode width [m]")
    transference = p.number("Cation transference number")
    resistance = p.number("Contact resistance [Ohm]")
    found: dict[str, float] = {}
    for electrode in ELECTRODES:
        name = names_of(electrode)
        concentration, fraction = p.number(name.maximum_concentration), p.number(name.volume_fraction)
        found[name.capacity] = host_capacity(concentration, fraction, p.number(name.thickness), area)
        found[name.diffusion_time] = grouping.diffusion_time(p.number(name.particle_radius), p.number(name.diffusivity))
        found[name.initial_stoichiometry] = p.number(name.initial_concentration) / p.number(name.maximum_concentration)
        conductivity = p.number(f"{electrode.capitalize()} electrode conductivity [S.m-1]")
        resistance += grouping.layer_resistance(p.number(name.thickness), area, conductivity) / 3
    for region, share in (("Negative electrode", 1 / 3), ("Separator", 1.0), ("Positive electrode", 1 / 3)):
        thickness, porosity = p.number(f"{region} thickness [m]"), p.number(f"{region} porosity")
        efficiency = porosity ** p.number(f"{region} Bruggeman coefficient (electrolyte)")
        conductivity = efficiency * p.number("Electrolyte conductivity [S.m-1]")
        resistance += share * grouping.layer_resistance(thickness, area, conductivity)
        found[f"{region} electrolyte diffusion time [s]"] = grouping.electrolyte_diffusion_time(
            thickness, porosity, p.number("Electrolyte diffusivity [m2.s-1]"), efficiency
        )
        found[f"{region} electrolyte capacity [A.h]"] = grouping.electrolyte_capacity(
            thickness, porosity, area, p.number("Initial concentration in electrolyte [mol.m-3]"), transference
        )
    factor = grouping.electrolyte_overpotential_factor(transference, p.number("Thermodynamic factor"))
    groups = {**found, "Electrolyte overpotential factor": factor, "Series resistance [Ohm]": resistance}
    return p.merge(groups, Origin("groups"))
