"""Write src/cellwright/schema/parameter_names.txt: every parameter name that PyBaMM or Cellwright knows.

Run it again when PyBaMM's lower bound moves: `.venv/bin/python tools/parameter_names.py`.
"""

import contextlib
import itertools
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

os.environ["PYBAMM_DISABLE_TELEMETRY"] = "true"

import pybamm

from cellwright.catalog.sites import Quantity, site_name
from cellwright.models.area import AREA
from cellwright.models.reduced import MODELS as REDUCED
from cellwright.models.reduced.dependencies import PAIRS
from cellwright.schema.names import ElectrodeNames
from cellwright.schema.variant import members

TARGET = Path(__file__).parent.parent / "src/cellwright/schema/parameter_names.txt"
MODELS = ("SPM", "SPMe", "DFN", "MPM", "NewmanTobias")
OPTIONS: list[dict[str, object]] = [
    {},
    {"thermal": "lumped", "contact resistance": "true"},
    {"thermal": "x-full"},
    {"thermal": "lumped", "surface temperature": "lumped"},
    {"surface form": "differential"},
    {"SEI": "solvent-diffusion limited", "SEI porosity change": "true"},
    {"SEI": "ec reaction limited"},
    {"SEI": "interstitial-diffusion limited", "SEI on cracks": "true", "particle mechanics": "swelling and cracking"},
    {"SEI": "electron-migration limited"},
    {"lithium plating": "partially reversible", "lithium plating porosity change": "true"},
    {"loss of active material": "stress and reaction-driven", "particle mechanics": "swelling and cracking"},
    {"loss of active material": "current-driven"},
    {"particle phases": ("2", "1")},
    {"particle phases": ("2", "2")},
    {"open-circuit potential": "current sigmoid"},
    {"open-circuit potential": "one-state hysteresis"},
    {"diffusivity": "current sigmoid", "exchange-current density": "current sigmoid"},
    {"particle size": "distribution"},
    {"intercalation kinetics": "Marcus"},
    {"intercalation kinetics": "asymmetric Butler-Volmer"},
    {"heat of mixing": "true", "thermal": "lumped"},
    {"working electrode": "positive"},
    {"working electrode": "positive", "SEI": "solvent-diffusion limited", "thermal": "lumped"},
    {"transport efficiency": "tortuosity factor"},
]
CELLS: list[dict[str, object]] = [
    {},
    {"working electrode": "positive"},
    {"particle phases": ("2", "1")},
    {"particle phases": ("2", "2")},
]
"""The cells that every single option is tried on: plain, half cell, composite electrodes."""
OUR_OWN = ("Initial SOC [%]", "Initial voltage [V]", "Cell heat capacity [J.K-1]")
"""Names that no member's example holds."""


SITES = 10
"""Kinds of sites of an MSMR set whose names are known."""


def of_model(name: str, options: dict[str, object]) -> Iterator[str]:
    """Yield the parameters of one of PyBaMM's models, none where it refuses the options.

    It refuses with errors of many types, down to `UnboundLocalError` where it forgot to check.
    """
    with warnings.catch_warnings(), contextlib.suppress(Exception):
        warnings.simplefilter("ignore")
        yield from getattr(pybamm.lithium_ion, name)(dict(options)).get_parameter_info()


def of_models() -> Iterator[str]:
    """Yield the parameters of PyBaMM's models: each option by itself, and options that go together."""
    for name, options in itertools.product(MODELS, OPTIONS):
        yield from of_model(name, options)
    for cell, (option, values) in itertools.product(CELLS, pybamm.BatteryModelOptions({}).possible_options.items()):
        for value in values if option not in cell else ():
            yield from of_model("DFN", {option: value, **cell})
    yield from pybamm.lithium_ion.MSMR({"number of MSMR reactions": ("6", "4")}).get_parameter_info()
    for cells in (0, 1, 2, 3):
        yield from pybamm.equivalent_circuit.Thevenin({"number of rc elements": cells}).get_parameter_info()


def of_reduced() -> Iterator[str]:
    """Yield the parameters of our own models: as they are by default, and with each option by itself."""
    yield AREA
    for kind in REDUCED.values():
        yield from kind().get_parameter_info()
        for option, values in (*kind.choices.items(), *([(PAIRS, ["5"])] if PAIRS in kind().options else [])):
            for value in values:
                yield from kind({option: value}).get_parameter_info()


def of_parameter_sets() -> Iterator[str]:
    """Yield the names in PyBaMM's own parameter sets."""
    for name in pybamm.parameter_sets:
        yield from pybamm.ParameterValues(name).keys()


def of_ours() -> Iterator[str]:
    """Yield the names that Cellwright's members add: those of their examples, and those of the electrodes."""
    yield from OUR_OWN
    for family in members().values():
        for member in family.values():
            if member.example is not None:
                yield from (*member.example.given, *member.example.gives)
    properties = [name for name, kind in vars(ElectrodeNames).items() if isinstance(kind, property) and name[0] != "_"]
    for electrode, phase, direction in itertools.product(
        ("negative", "positive"), ("", "primary", "secondary"), ("", "lithiation", "delithiation")
    ):
        names = ElectrodeNames(electrode, phase, direction)
        yield from (getattr(names, name) for name in properties if name != "host_site")
        yield from (names.stoichiometry_at(soc) for soc in (0, 100))
        yield from (site_name(names, quantity) for quantity in get_args(Quantity))
        yield from (site_name(names, quantity, index) for quantity in get_args(Quantity) for index in range(SITES))


def main() -> None:
    """Write the list."""
    names = sorted({*of_models(), *of_reduced(), *of_parameter_sets(), *of_ours()} - {"citations", "chemistry"})
    head = f"# Parameter names of PyBaMM {pybamm.__version__} and of Cellwright; made by tools/parameter_names.py."
    TARGET.write_text("\n".join([head, *names, ""]), encoding="utf-8")
    print(f"{len(names)} names")


if __name__ == "__main__":
    main()
