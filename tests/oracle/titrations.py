"""Galvanostatic titrations of half cells, solved by PyBaMM on a fine mesh with a diffusivity that is known."""

import numpy as np
import pybamm

RADIUS, CONCENTRATION, FRACTION, THICKNESS, AREA = 5e-6, 5e4, 0.6, 8e-5, 1e-4
CAPACITY = CONCENTRATION * FRACTION * THICKNESS * AREA * pybamm.constants.F.value / 3600
"""Of the electrode between stoichiometries 0 and 1 [A.h]."""


def potential(sto):
    """A potential [V] with a steep end, a slope and a plateau."""
    return 4.3 - 0.55 * sto - 0.12 * pybamm.tanh((sto - 0.42) / 0.06) - 0.6 * (sto > 2) * sto


def schedule(pulses, current, pulse, rest, before=600.0):
    """Knots (times, currents) of pulses and rests, switched in a millisecond, and the times at which rows stand."""
    knots, amps, rows, now = [0.0], [0.0], [np.arange(0.0, before, 60.0)], before
    after = np.concatenate([[0.002, 0.1, 0.5], np.geomspace(1, 30, 15)])
    for _ in range(pulses):
        for length, value in ((pulse, current), (rest, 0.0)):
            knots += [now, now + 1e-3]
            amps += [amps[-1], value]
            rows.append(now + np.unique(np.concatenate([[0.0], after, np.arange(45.0, length, 15.0 + length / 100)])))
            now += length
    rows.append([now])
    return np.append(knots, now), np.append(amps, amps[-1]), np.concatenate(rows)


def titration(
    diffusivity, potential=potential, start=0.3, pulses=6, rate=0.1, pulse=600.0, rest=3600.0, ohm=0.0, porous=False
):
    """Time, current, voltage and stoichiometry of a half cell whose electrode fills; of one that is `porous` by DFN
    with the kinetics and the electrolyte of Xu et al. (2019), else of one without kinetics by SPM."""
    knots, amps, times = schedule(pulses, rate * CAPACITY, pulse, rest)
    kind = pybamm.lithium_ion.DFN if porous else pybamm.lithium_ion.SPM
    model = kind({"working electrode": "positive"})
    model.events = []
    values = pybamm.ParameterValues("Xu2019")
    values.update(
        {
            "Positive electrode OCP [V]": potential,
            "Positive particle diffusivity [m2.s-1]": lambda sto, T: diffusivity(sto),
            "Positive particle radius [m]": RADIUS,
            "Maximum concentration in positive electrode [mol.m-3]": CONCENTRATION,
            "Positive electrode active material volume fraction": FRACTION,
            "Positive electrode thickness [m]": THICKNESS,
            "Electrode height [m]": AREA**0.5,
            "Electrode width [m]": AREA**0.5,
            "Initial concentration in positive electrode [mol.m-3]": start * CONCENTRATION,
            "Current function [A]": pybamm.Interpolant(knots, amps, pybamm.t),
        }
    )
    if not porous:
        electrodes = (
            "Positive electrode exchange-current density",
            "Exchange-current density for lithium metal electrode",
        )
        values.update({f"{name} [A.m-2]": 1e6 for name in electrodes})
    points = (10, 20, 60) if porous else (5, 5, 100)
    mesh = {"x_n": 5, "r_n": 20, **dict(zip(("x_s", "x_p", "r_p"), points, strict=True))}
    tolerance = 1e-6 if porous else 1e-8
    solver = pybamm.IDAKLUSolver(rtol=tolerance, atol=tolerance)
    simulation = pybamm.Simulation(model, parameter_values=values, var_pts=mesh, solver=solver)
    solution = simulation.solve(np.unique(np.append(knots, [0.0, times[-1]])), t_interp=times)
    current = np.interp(times, knots, amps)
    charge = np.interp(times, knots, np.concatenate([[0.0], np.cumsum(np.diff(knots) * (amps[1:] + amps[:-1]) / 2)]))
    assert solution.t[-1] == times[-1]
    return {
        "Time [s]": times,
        "Current [A]": current,
        "Voltage [V]": solution["Voltage [V]"](times) - ohm * current,
        "Stoichiometry": start + charge / 3600 / CAPACITY,
    }
