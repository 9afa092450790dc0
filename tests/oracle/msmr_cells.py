"""Synthetic MSMR electrodes for tests: their curves, and fits of them."""

import numpy as np

import cellwright as cw
from cellwright.compute.inline import InlinePool
from cellwright.data.sources import settle
from cellwright.engine.run import run
from cellwright.engine.world import World
from cellwright.physics.msmr_curves import Population, Potential

CAPACITY, VOLTAGE = "Capacity [A.h]", "Voltage [V]"
SLOPE, INVERSE = "Differential voltage [V/Ah]", "Differential capacity [Ah/V]"
WIDE = (-0.5, 6.0)


def name(side, quantity, index=None, before=""):
    """The name of a quantity of one kind of sites, or of the electrode."""
    unit = {"standard potential": " [V]", "occupancy capacity": " [A.h]"}.get(quantity, "")
    if index is None:
        return f"{side.capitalize()} electrode {quantity} [A.h]"
    return f"{side.capitalize()} electrode {before}host site {quantity} ({index}){unit}"


def material(title, side):
    """The potentials, fractions (adding up to 1) and ideality factors of a material of the library."""
    values = cw.Material.from_library(title).parameter_values
    sets = [
        np.array(values[f"{side.capitalize()} electrode host site {quantity}"])
        for quantity in ("standard potential [V]", "occupancy fraction", "ideality factor")
    ]
    return sets[0], sets[1] / sets[1].sum(), sets[2]


GRAPHITE = material("Graphite - Verbrugge 2017", "negative")
NMC = material("NMC - Verbrugge 2017", "positive")


def population(sites, capacity):
    """The sites of an electrode of a capacity [A.h]."""
    return Population(sites[0], capacity * sites[1], sites[2])


def potential(sites, capacity, q):
    """The potential [V] of an electrode that holds q [A.h]."""
    return Potential.of(population(sites, capacity), q, WIDE).U


def truth(side, sites, capacity, lower, before=""):
    """The parameters of an electrode, by name."""
    found = {name(side, "capacity"): capacity, name(side, "lower excess capacity"): lower}
    for index, (U0, X, w) in enumerate(zip(*sites, strict=True)):
        found[name(side, "standard potential", index, before)] = float(U0)
        found[name(side, "occupancy fraction", index, before)] = float(X)
        found[name(side, "ideality factor", index, before)] = float(w)
    return found


def free(values, reach=0.05, seed=None):
    """Free parameters that start at the values, or a few percent beside them, with bounds around."""
    rng = np.random.default_rng(seed)
    found = {}
    for one, value in values.items():
        aside = 0.0 if seed is None else rng.uniform(-1, 1)
        if "potential" in one:
            found[one] = cw.Parameter(one, value + 0.2 * reach * aside, (value - 2 * reach, value + 2 * reach))
        elif "fraction" in one:
            found[one] = cw.Parameter(one, min(value * (1 + 0.2 * aside), 1.0), (0.0, 1.0))
        elif "ideality" in one:
            found[one] = cw.transforms.Log(cw.Parameter(one, value * np.exp(0.2 * aside), (value / 5, value * 5)))
        elif "excess" in one:
            found[one] = cw.Parameter(one, value * (1 + 0.5 * aside), (0.0, 10 * value + 0.1))
        else:
            found[one] = cw.Parameter(one, value * (1 + 0.03 * aside), (0.9 * value, 1.3 * value))
    return found


def half_cell(side, q, U, variables=None, model=None, fields=None, **options):
    """The objective of a half cell with fractions."""
    model = {"electrode": side, "options": {"species format": "Xj", **(model or {})}}
    asked = {} if variables is None else {"objective variables": list(variables)}
    options = {"model": model, **asked, **{key.replace("_", " "): value for key, value in options.items()}}
    return cw.objectives.MSMRHalfCell({CAPACITY: list(q), VOLTAGE: list(U)}, options=options, **(fields or {}))


def world():
    """A world without PyBaMM."""
    return World(simulate=None, worker_simulate=None, pool=InlinePool(), load=settle)


def fitted(objective, parameters, known=None, **fields):
    """The record of a fit, behind known values."""
    elements = {"known": cw.direct_entries.DirectEntry(known, source="given")} if known else {}
    fit = cw.DataFit({"ocp": objective}, parameters=parameters, **fields)
    return run(cw.Pipeline({**elements, "fit": fit}), world()).element("fit")
