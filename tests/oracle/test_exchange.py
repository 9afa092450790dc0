"""Parameters in and out: the discharge stays the same whatever form the parameters went through."""

import json
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pybamm
import pytest

import cellwright as cw
from cellwright.models.published import published
from cellwright.schema.expressions import parameter
from cellwright.schema.parameters import Origin, ParameterSet
from cellwright.schema.values import Function, digest
from cellwright.testing.cells import discharge

TIMES = np.linspace(0, 1800, 61)
SOLVER_TOLERANCE = 1e-9
MODELS = {"SPM": pybamm.lithium_ion.SPM, "SPMe": pybamm.lithium_ion.SPMe, "DFN": pybamm.lithium_ion.DFN}

BPX: dict[str, Any] = {
    "Header": {"BPX": "1.1.1", "Title": "A made-up cell", "References": "none", "Model": "DFN"},
    "Parameterisation": {
        "Cell": {
            "Electrode area [m2]": 0.1,
            "External surface area [m2]": 0.005,
            "Volume [m3]": 2.4e-5,
            "Number of electrode pairs connected in parallel to make a cell": 2,
            "Lower voltage cut-off [V]": 2.7,
            "Upper voltage cut-off [V]": 4.2,
            "Nominal cell capacity [A.h]": 8.0,
            "Reference temperature [K]": 298.15,
        },
        "Electrolyte": {
            "Cation transference number": 0.26,
            "Diffusivity [m2.s-1]": "8.8e-10 * (x / 1000) ** 2 - 4e-10 * x / 1000 + 4.9e-10",
            "Diffusivity activation energy [J.mol-1]": 17000,
            "Conductivity [S.m-1]": {"x": [0, 500, 1000, 2000, 4000], "y": [0.05, 0.7, 0.95, 0.8, 0.2]},
            "Conductivity activation energy [J.mol-1]": 15000,
        },
        "Negative electrode": {
            "Particle radius [m]": 6e-6,
            "Thickness [m]": 8e-5,
            "Diffusivity [m2.s-1]": "3e-14 * (1 + 0.5 * tanh(4 * (x - 0.5)))",
            "Diffusivity activation energy [J.mol-1]": 20000,
            "OCP [V]": "0.1 + 0.6 * exp(-20 * x) - 0.04 * tanh(15 * (x - 0.5))",
            "Entropic change coefficient [V.K-1]": 1e-5,
            "Conductivity [S.m-1]": 200,
            "Surface area per unit volume [m-1]": 3.5e5,
            "Porosity": 0.26,
            "Transport efficiency": 0.13,
            "Reaction rate constant [mol.m-2.s-1]": 7e-6,
            "Reaction rate constant activation energy [J.mol-1]": 35000,
            "Minimum stoichiometry": 0.03,
            "Maximum stoichiometry": 0.85,
            "Maximum concentration [mol.m-3]": 31000,
        },
        "Positive electrode": {
            "Particle radius [m]": 5e-6,
            "Thickness [m]": 7.5e-5,
            "Diffusivity [m2.s-1]": 4e-15,
            "OCP [V]": {"x": [0, 0.2, 0.4, 0.6, 0.8, 0.95, 1], "y": [4.5, 4.25, 4.0, 3.8, 3.65, 3.4, 2.5]},
            "Entropic change coefficient [V.K-1]": {"x": [0, 0.5, 1], "y": [-1e-5, 2e-5, 1e-5]},
            "Conductivity [S.m-1]": 0.5,
            "Surface area per unit volume [m-1]": 3.9e5,
            "Porosity": 0.33,
            "Transport efficiency": 0.19,
            "Reaction rate constant [mol.m-2.s-1]": 7e-5,
            "Reaction rate constant activation energy [J.mol-1]": 18000,
            "Minimum stoichiometry": 0.27,
            "Maximum stoichiometry": 0.92,
            "Maximum concentration [mol.m-3]": 51000,
        },
        "Separator": {"Thickness [m]": 1.2e-5, "Porosity": 0.47, "Transport efficiency": 0.32},
        "User-defined": {"Contact resistance [Ohm]": 0.002},
    },
    "State": {
        "Initial conditions": {
            "Initial state-of-charge": 1.0,
            "Initial temperature [K]": 298.15,
            "Initial electrolyte concentration [mol.m-3]": 1100.0,
        },
        "Thermal environment": {"Ambient temperature [K]": 298.15},
    },
}


@pytest.fixture(scope="module")
def lg_m50() -> ParameterSet:
    return published("Chen2020")


@pytest.fixture
def bpx_example(tmp_path: Path) -> Path:
    path = tmp_path / "made-up.bpx.json"
    path.write_text(json.dumps(BPX), encoding="utf-8")
    return path


def voltage(values: Any, model: str, current: float, temperature: float | None = None) -> Any:
    """The terminal voltage [V] of PyBaMM's own simulation."""
    values = values.copy()
    values["Current function [A]"] = current
    if temperature is not None:
        values.update({"Ambient temperature [K]": temperature, "Initial temperature [K]": temperature})
    solver = pybamm.IDAKLUSolver(rtol=SOLVER_TOLERANCE, atol=SOLVER_TOLERANCE)
    simulation = pybamm.Simulation(MODELS[model](), parameter_values=values, solver=solver)
    return simulation.solve([0, TIMES[-1]], t_interp=TIMES)["Voltage [V]"](TIMES)


def from_bpx_file(path: Path) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pybamm.ParameterValues.create_from_bpx(path)


# PyBaMM


def test_parameters_handed_to_pybamm_discharge_as_its_own(lg_m50: ParameterSet) -> None:
    ours = voltage(cw.parameter_values(lg_m50), "SPMe", 5.0)
    theirs = voltage(pybamm.ParameterValues("Chen2020"), "SPMe", 5.0)
    np.testing.assert_allclose(ours, theirs, atol=1e-6, rtol=0)


def test_pybamm_reads_the_file_written_for_it(lg_m50: ParameterSet, tmp_path: Path) -> None:
    cw.export(lg_m50, tmp_path / "cell.pybamm.json")
    ours = voltage(pybamm.ParameterValues.from_json(tmp_path / "cell.pybamm.json"), "SPMe", 5.0)
    np.testing.assert_allclose(ours, voltage(pybamm.ParameterValues("Chen2020"), "SPMe", 5.0), atol=1e-6, rtol=0)


def test_tables_of_every_kind_reach_pybamm_and_the_module_alike(tmp_path: Path) -> None:
    x = [0.0, 0.2, 0.5, 1.0]
    kinds = {kind: Function.table("sto", x, [1.0, 3.0, 2.0, 5.0], kind) for kind in ("linear", "cubic", "pchip")}
    p = ParameterSet().merge({f"{kind} table [V]": table for kind, table in kinds.items()}, Origin("tables"))
    cw.export(p, tmp_path / "tables.py")
    module: dict[str, Any] = {}
    exec((tmp_path / "tables.py").read_text(encoding="utf-8"), module)
    written, handed = module["get_parameter_values"](), cw.parameter_values(p)
    for name, table in p.items():
        for sto in (-0.1, 0.0, 0.31, 0.5, 0.83, 1.0, 1.2):
            if "pchip" in name and not 0 <= sto <= 1:
                continue
            for function in (written[name], handed[name]):
                symbol = function(pybamm.InputParameter("sto"))
                value = float(np.squeeze(symbol.evaluate(inputs={"sto": sto})))
                assert value == pytest.approx(float(table(sto)), rel=1e-12, abs=1e-12), (name, sto)


# Python


def test_the_python_module_runs_on_its_own_and_discharges_the_same(lg_m50: ParameterSet, tmp_path: Path) -> None:
    cw.export(lg_m50, tmp_path / "lg_m50.py")
    program = """
import sys
import numpy as np, pybamm
from lg_m50 import get_parameter_values
assert not any(name.startswith("cellwright") for name in sys.modules)
values = pybamm.ParameterValues(get_parameter_values())
values["Current function [A]"] = 5.0
times = np.linspace(0, 1800, 61)
solver = pybamm.IDAKLUSolver(rtol=1e-9, atol=1e-9)
simulation = pybamm.Simulation(pybamm.lithium_ion.SPMe(), parameter_values=values, solver=solver)
solution = simulation.solve([0, 1800], t_interp=times)
print(*(repr(float(v)) for v in solution["Voltage [V]"](times)))
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    ours = np.array([float(word) for word in done.stdout.split()])
    np.testing.assert_allclose(ours, voltage(pybamm.ParameterValues("Chen2020"), "SPMe", 5.0), atol=1e-6, rtol=0)


@pytest.mark.parametrize("name", ["Chen2020", "Marquis2019", "OKane2022", "Chen2020_composite", "Ai2020", "Ecker2015"])
def test_every_function_of_the_module_is_the_one_it_was(name: str, tmp_path: Path) -> None:
    p = published(name)
    cw.export(p, tmp_path / "cell.py")
    module: dict[str, Any] = {}
    exec((tmp_path / "cell.py").read_text(encoding="utf-8"), module)
    written = module["get_parameter_values"]()
    assert written.keys() == p.keys()
    for parameter_name, value in p.items():
        if not isinstance(value, Function):
            assert written[parameter_name] == value
            continue
        symbols = [pybamm.InputParameter(argument) for argument in value.arguments]
        given = {"T": 310.0, "T_dim": 310.0, "c_e": 900.0, "c_s_surf": 9000.0, "c_s_max": 30000.0}
        inputs = {argument: given.get(argument, 0.37) for argument in value.arguments}
        result = written[parameter_name](*symbols)
        evaluated = result.evaluate(inputs=inputs) if isinstance(result, pybamm.Symbol) else result
        assert float(np.squeeze(evaluated)) == pytest.approx(float(value(*inputs.values())), rel=1e-12), parameter_name


# JSON


@pytest.mark.parametrize("name", ["Chen2020", "Marquis2019", "MSMR_Example", "ECM_Example"])
def test_json_reads_back_equal(name: str, tmp_path: Path) -> None:
    p = published(name).merge(
        {"A note": "text", "A list": [1.0, 2.5], "An array": np.arange(3.0), "Open [V]": 2 * parameter("Unknown [V]")},
        Origin("more"),
    )
    cw.export(p, tmp_path / "cell.json")
    entry = cw.direct_entries.DirectEntry(parameters=json.loads((tmp_path / "cell.json").read_text(encoding="utf-8")))
    back = ParameterSet().merge(entry.compute(ParameterSet()), Origin("back"))
    assert digest(back.to_wire()) == digest(p.to_wire())
    assert list(back) == list(p)


# BPX


@pytest.mark.parametrize(("model", "temperature"), [("SPM", 298.15), ("DFN", 298.15), ("DFN", 283.15)])
def test_our_cell_through_bpx_discharges_the_same_in_pybamm(
    model: str, temperature: float, lg_m50: ParameterSet, tmp_path: Path
) -> None:
    exported = cw.export(lg_m50, tmp_path / "lg_m50.bpx.json")
    assert exported.left_out == {}
    ours = voltage(from_bpx_file(exported.path), model, 5.0, temperature)
    theirs = voltage(pybamm.ParameterValues("Chen2020"), model, 5.0, temperature)
    np.testing.assert_allclose(ours, theirs, atol=1e-6, rtol=0)


@pytest.mark.parametrize("model", ["SPM", "DFN"])
def test_a_bpx_file_becomes_an_entry_that_simulates_as_pybamms_import(model: str, bpx_example: Path) -> None:
    entry = cw.from_bpx(bpx_example)
    assert entry.source == "BPX file made-up.bpx.json: A made-up cell: none"
    p = ParameterSet().merge(entry.compute(ParameterSet()), Origin("bpx", entry.source))
    theirs = voltage(from_bpx_file(bpx_example), model, 8.0, 288.15)
    ours = voltage(cw.parameter_values(p), model, 8.0, 288.15)
    np.testing.assert_allclose(ours, theirs, atol=1e-6, rtol=0)
    cold = p.merge({"Ambient temperature [K]": 288.15, "Initial temperature [K]": 288.15}, Origin("cold"))
    simulated = discharge(cold, model, 8.0, TIMES[-1], len(TIMES))["Voltage [V]"]
    np.testing.assert_allclose(simulated, theirs, atol=2e-4, rtol=0)


def test_a_bpx_file_goes_out_as_it_came_in(bpx_example: Path, tmp_path: Path) -> None:
    entry = cw.from_bpx(bpx_example)
    exported = cw.export(entry.compute(ParameterSet()), tmp_path / "again.bpx.json")
    again = json.loads(exported.path.read_text(encoding="utf-8"))
    for section, fields in BPX["Parameterisation"].items():
        for name, value in fields.items():
            written = again["Parameterisation"][section][name]
            if isinstance(value, str):
                x = np.linspace(0.1, 0.9, 9)
                namespace = {"exp": np.exp, "tanh": np.tanh, "x": x}
                np.testing.assert_allclose(eval(written, namespace), eval(value, namespace), rtol=1e-12)
            elif isinstance(value, dict):
                np.testing.assert_allclose(written["x"], value["x"])
                np.testing.assert_allclose(written["y"], value["y"], rtol=1e-12)
            else:
                assert written == pytest.approx(value, rel=1e-9), (section, name)
    begin = again["State"]["Initial conditions"]
    assert begin["Initial electrolyte concentration [mol.m-3]"] == 1100.0


def test_a_blend_goes_through_bpx(tmp_path: Path) -> None:
    p = published("Chen2020_composite")
    limits = {
        "Primary: Negative electrode stoichiometry at 0% SOC": 0.01,
        "Primary: Negative electrode stoichiometry at 100% SOC": 0.9,
        "Secondary: Negative electrode stoichiometry at 0% SOC": 0.02,
        "Secondary: Negative electrode stoichiometry at 100% SOC": 0.8,
        "Positive electrode stoichiometry at 0% SOC": 0.9,
        "Positive electrode stoichiometry at 100% SOC": 0.27,
    }
    exported = cw.export(p.merge(limits, Origin("limits")), tmp_path / "blend.bpx.json")
    assert "Primary: Initial concentration in negative electrode [mol.m-3]" in exported.left_out
    back = from_bpx_file(exported.path)
    for name in (
        "Primary: Negative particle radius [m]",
        "Secondary: Negative electrode active material volume fraction",
        "Secondary: Maximum concentration in negative electrode [mol.m-3]",
    ):
        assert back[name] == pytest.approx(p.number(name), rel=1e-12)
    potential = "Secondary: Negative electrode lithiation OCP [V]"
    read = back[potential](pybamm.InputParameter("x")).evaluate(inputs={"x": 0.4})
    assert read == pytest.approx(p.function(potential)(0.4), rel=1e-9)
    kinetics = "Secondary: Negative electrode exchange-current density [A.m-2]"
    at = (900.0, 1e5, 278000.0, 310.0)
    symbols = [pybamm.InputParameter(str(index)) for index in range(4)]
    read = back[kinetics](*symbols).evaluate(inputs={str(index): value for index, value in enumerate(at)})
    assert read == pytest.approx(p.function(kinetics)(*at), rel=1e-9)


def test_pybamms_sets_become_entries_with_their_source() -> None:
    entry = cw.from_pybamm("Marquis2019")
    assert entry.source == "PyBaMM parameter set Marquis2019"
    p = ParameterSet().merge(entry.compute(ParameterSet()), Origin("known", entry.source))
    ours = voltage(cw.parameter_values(p), "SPM", 0.5)
    np.testing.assert_allclose(ours, voltage(pybamm.ParameterValues("Marquis2019"), "SPM", 0.5), atol=1e-6, rtol=0)
