"""Ready MSMR fits from start to end: sets of both directions come back, and a measured electrode is met."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

import cellwright as cw
from cellwright.physics.msmr import Sites, lithiation
from cellwright.pipelines import half_cell

OCP = Path(__file__).parents[2] / "examples" / "data" / "lg_m50" / "ocp-gitt"


@pytest.fixture(scope="module")
def both_directions():
    """A half cell of a synthetic graphite, whose delithiation lies 10 mV above its lithiation."""
    values = cw.Material.from_library("Graphite - Verbrugge 2017").parameter_values
    U0, X, w = (
        np.array(values[f"Negative electrode host site {one}"])
        for one in ("standard potential [V]", "occupancy fraction", "ideality factor")
    )
    rng = np.random.default_rng(2)
    U = np.linspace(0.06, 1.0, 500)
    found = {}
    for direction, shift in (("lithiation", -5e-3), ("delithiation", 5e-3)):
        theta = np.asarray(lithiation(U, Sites((U0 + shift).tolist(), (X / X.sum()).tolist(), w.tolist()), 298.15))
        held = 5.0 * theta
        # Of a lithiation what has entered counts, of a delithiation what has left.
        charge = held - held.min() if direction == "lithiation" else held.max() - held
        order = np.argsort(charge)
        found[direction] = {
            "Capacity [A.h]": charge[order],
            "Voltage [V]": (U + 1e-4 * rng.normal(size=len(U)))[order],
        }
    return found, U0


def test_msmr_sets_of_both_directions_come_back_and_make_potentials(both_directions):
    data, U0 = both_directions
    elements = half_cell.ocp_msmr_interpolant("negative", data, material="Graphite - Verbrugge 2017")
    result = cw.run(cw.Pipeline(elements))
    p = result.parameters
    assert p.number("Negative electrode capacity [A.h]") == pytest.approx(5.0, rel=0.01)
    ways = {way: p.function(f"Negative electrode {way}OCP [V]") for way in ("lithiation ", "delithiation ", "")}
    theta = np.linspace(0.1, 0.9, 60)
    split = ways["delithiation "](theta) - ways["lithiation "](theta)
    # The sets differ by 10 mV; where sites overlap, noise of 0.1 mV moves one of them against another.
    assert np.median(split) == pytest.approx(0.01, abs=5e-4)
    between = (ways["delithiation "](theta) + ways["lithiation "](theta)) / 2
    np.testing.assert_allclose(ways[""](theta), between, atol=2e-3)
    found = [p.number(f"Negative electrode host site standard potential ({j}) [V]") for j in range(6)]
    # Those of the narrow plateaus are known well; they stand from the highest down.
    assert [found[1], found[4], found[5]] == pytest.approx([U0[4], U0[1], U0[0]], abs=1e-3)


def test_the_measured_graphite_of_the_lg_m50_is_fitted_from_a_published_set():
    data = f"file:{OCP / 'anode_OCP_3_lit.csv'}"
    elements = half_cell.ocp_msmr_interpolant("negative", data, material="Graphite - Verbrugge 2017")
    result = cw.run(cw.Pipeline(elements))
    rows = pl.read_csv(OCP / "anode_OCP_3_lit.csv")
    p = result.parameters
    lower, capacity = (p.number(f"Negative electrode {one} [A.h]") for one in ("lower excess capacity", "capacity"))
    theta = (rows["Capacity [A.h]"].to_numpy() + lower) / capacity
    error = p.function("Negative electrode OCP [V]")(theta) - rows["Voltage [V]"].to_numpy()
    # 1.2 mV, of which the ends of the curve have the most.
    assert 1e3 * np.sqrt(np.mean(error**2)) < 1.4
