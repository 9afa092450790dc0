"""Titrations of half cells that PyBaMM has solved: what their rests and their pulses tell comes back."""

import numpy as np
import pytest
from titrations import CAPACITY, RADIUS, potential, titration

import cellwright as cw
from cellwright.data.sources import settle
from cellwright.schema.datasource import parse
from cellwright.schema.values import Function

U = Function.trace(potential)
OCP = "Positive electrode OCP [V]"


def excess(D, since, duration, rate=0.1):
    """How far a surface is from its sphere's mean after a pulse [-]: Crank, The Mathematics of Diffusion (1975), 6.3.

    2 (F R/D) Σ (e^(-a² D t/R²) - e^(-a² D (t+τ)/R²)) / a² over the roots of tan a = a, with F = R θ'/3.
    """
    n = np.arange(1, 40)
    roots = (n + 0.5) * np.pi - 1 / ((n + 0.5) * np.pi)
    for _ in range(4):
        roots -= (np.tan(roots) - roots) / np.tan(roots) ** 2
    decay = [np.exp(-(roots**2) * D * time / RADIUS**2) for time in (since, since + duration)]
    return 2 * rate / 3600 * RADIUS**2 / (3 * D) * float(((decay[0] - decay[1]) / roots**2).sum())


@pytest.mark.parametrize(("rest", "worst"), [(1200.0, 2e-3), (7200.0, 2e-5)])
def test_rests_have_the_open_circuit_voltage_but_for_what_has_not_relaxed(rest, worst):
    # R²/D = 6250 s: the slowest mode falls by e in 310 s.
    table = titration(lambda sto: 4e-15 + 0 * sto, pulses=12, rest=rest)
    source = {"data": table, "options": {"rest_to_ocp": True, "keep_first_ocp_point": True}}
    points = settle(parse(source)).table
    sto = 0.3 + points["Capacity [A.h]"] / CAPACITY
    np.testing.assert_allclose(sto, points["Stoichiometry"], atol=1e-7)
    error = points["Voltage [V]"] - U(sto)
    slope = (U(sto + 1e-4) - U(sto - 1e-4)) / 2e-4
    expected = np.append(0.0, slope[1:] * excess(4e-15, rest, 600.0))
    # 10 % of the closed form for its constant slope and for what is left of the pulses before, 5 µV for the solver.
    np.testing.assert_allclose(error, expected, rtol=0.1, atol=5e-6)
    assert np.abs(error).max() < worst


def test_an_open_circuit_potential_is_built_from_rests_in_a_pipeline():
    table = titration(lambda sto: 4e-15 + 0 * sto, start=0.1, pulses=48, rest=3600.0)
    points = cw.split_pulses(table).open_circuit(0.1, CAPACITY)
    ocp = cw.calculations.OCPDataInterpolant("positive", points, options={"interpolator": "pchip"})
    found = cw.run(cw.Pipeline({"ocp": ocp})).parameters[OCP]
    at = np.linspace(0.1, 0.9, 500)
    # Points 0.017 apart around a step of 0.06 in the stoichiometry: pchip is good to a millivolt.
    assert np.abs(found(at) - U(at)).max() < 1e-3
