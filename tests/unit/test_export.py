"""Parameters in files of other programs: formats, what a format cannot hold, what it cannot do without."""

import ast
import json
from pathlib import Path
from typing import Any

import numpy as np
import pybamm
import pytest
from typer.testing import CliRunner

import cellwright as cw
from cellwright.cli.main import app
from cellwright.errors import ConfigurationError, ConflictError, MissingParameterError, NotFoundError
from cellwright.exchange import bpx_file as bpx_module
from cellwright.exchange.bpx_file import bpx_file
from cellwright.exchange.infix import infix, terms
from cellwright.exchange.python_module import python_module
from cellwright.models.published import published
from cellwright.schema.expressions import Expression, parameter
from cellwright.schema.parameters import Origin, ParameterSet
from cellwright.schema.results import PipelineResult
from cellwright.schema.values import Function

CAPACITY = """
name: Capacity
elements:
  known:
    element_type: entry
    source: a datasheet
    values:
      Maximum concentration in positive electrode [mol.m-3]: 51217
      Positive electrode active material volume fraction: 0.65
      Positive electrode thickness [m]: 80e-6
      Electrode area [m2]: 0.1
  Q_pos:
    element_type: calculation
    type: ElectrodeCapacity
    electrode: positive
"""


LIMITS = {
    "Negative electrode stoichiometry at 0% SOC": 0.1,
    "Negative electrode stoichiometry at 100% SOC": 0.8,
    "Positive electrode stoichiometry at 0% SOC": 0.9,
    "Positive electrode stoichiometry at 100% SOC": 0.3,
}


@pytest.fixture(scope="module")
def cell() -> ParameterSet:
    return published("Chen2020")


def given(values: dict[str, Any], source: str | None = "a datasheet") -> ParameterSet:
    return ParameterSet().merge(values, Origin("known", source))


def executed(source: str) -> dict[str, Any]:
    module: dict[str, Any] = {}
    exec(source, module)
    values: dict[str, Any] = module["get_parameter_values"]()
    return values


# Arithmetic in text


def spelled(node: Expression, operands: list[str]) -> str:
    return repr(node.payload) if node.op == "scalar" else node.name if not operands else f"{node.op}({operands[0]})"


a, b, c = map(parameter, "abc")


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (a - (b - c), "a - (b - c)"),
        (a - b - c, "a - b - c"),
        (a + (b + c), "a + (b + c)"),
        (a / (b * c), "a / (b * c)"),
        (a * b / c, "a * b / c"),
        ((a + b) * c, "(a + b) * c"),
        (-(a**b), "-a ** b"),
        ((-a) ** b, "(-a) ** b"),
        ((a**b) ** c, "(a ** b) ** c"),
        (a ** (b**c), "a ** b ** c"),
        (a**-b, "a ** -b"),
        (a - -2.0 * b, "a - -2.0 * b"),
        (Expression("scalar", payload=-2.0) ** b, "(-2.0) ** b"),
        (a * (b < c), "a * (b < c)"),
        ((a < b) <= c, "((a < b) <= c)"),
        (np.exp(a - b), "exp(a - b)"),
    ],
)
def test_an_expression_in_text_means_the_same(expression: Expression, text: str) -> None:
    assert infix(expression, spelled) == text
    assert " ".join(terms(expression, spelled)) == text
    values = {"a": 1.7, "b": 2.3, "c": 0.6}
    assert eval(text, {"exp": np.exp}, values) == pytest.approx(expression.substitute(values), rel=1e-15)


# Formats


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("cell.py", "python"),
        ("cell.json", "json"),
        ("cell.bpx.json", "bpx"),
        ("Cell.BPX", "bpx"),
        ("c.pybamm.json", "pybamm"),
    ],
)
def test_the_name_of_the_file_says_the_format(name: str, kind: str, cell: ParameterSet, tmp_path: Path) -> None:
    exported = cw.export(cell, tmp_path / "new" / name)
    assert exported.format == kind
    assert exported.path.read_text(encoding="utf-8") == exported.text


def test_a_format_given_wins_over_the_name(tmp_path: Path) -> None:
    assert cw.export({"A [V]": 1.0}, tmp_path / "a.json", "python").text.startswith('"""')


def test_a_format_that_is_none_is_an_error_that_says_which_there_are(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no format 'pyhton'") as caught:
        cw.export({}, tmp_path / "a.py", "pyhton")
    assert caught.value.hint == "did you mean 'python'?"
    with pytest.raises(ConfigurationError, match="does not say in which format") as caught:
        cw.export({}, tmp_path / "a.toml")
    assert ".bpx.json" in str(caught.value.hint)


def test_a_run_that_failed_has_no_parameters_to_export(tmp_path: Path) -> None:
    failed = PipelineResult("1", "a run", "failed", (), {}, given({"A [V]": 1.0}))
    with pytest.raises(ConflictError, match="the run is failed"):
        cw.export(failed, tmp_path / "a.json")
    with pytest.raises(ConflictError, match="the run is failed"):
        cw.parameter_values(failed)
    assert cw.parameter_values(failed.parameters)["A [V]"] == 1.0


# PyBaMM


def test_what_waits_for_a_parameter_is_asked_for_by_pybamm(tmp_path: Path) -> None:
    p = given({"B [V]": 2 * parameter("A [V]"), "f [V]": Function.trace(lambda x: x * parameter("A [V]"))})
    for values in (cw.parameter_values(p), pybamm.ParameterValues(executed(python_module(p, "x").text))):
        with pytest.raises(KeyError, match=r"A \[V\]"):
            values.evaluate(pybamm.Parameter("B [V]"))
        values.update({"A [V]": 3.0})
        assert values.evaluate(pybamm.Parameter("B [V]")) == 6.0
        assert values.evaluate(pybamm.FunctionParameter("f [V]", {"x": pybamm.Scalar(5.0)})) == 15.0


def test_text_is_left_out_and_listed(tmp_path: Path) -> None:
    p = given({"Supplier": "nobody\nknown", "A [V]": 1.0, "Sites [V]": [3.6, 3.7]})
    exported = cw.export(p, tmp_path / "a.py")
    assert exported.left_out == {"Supplier": "it is text, no quantity"}
    assert "# Supplier is left out: it is text, no quantity." in exported.text
    assert executed(exported.text) == {"A [V]": 1.0, "Sites [V]": [3.6, 3.7]}
    assert cw.export(p, tmp_path / "a.pybamm.json").left_out == exported.left_out
    assert "Supplier" not in cw.parameter_values(p)


# Python


def test_the_module_says_where_each_value_comes_from() -> None:
    p = given({"A [V]": 1.0, "B [V]": 2.0}).merge({"C [V]": 3.0}, Origin("fit"))
    source = python_module(p, "A cell").text
    assert source.startswith('"""A cell\n')
    rows = [line.strip() for line in source.splitlines()]
    start = rows.index("# known: a datasheet")
    assert rows[start : start + 5] == [
        "# known: a datasheet",
        '"A [V]": 1.0,',
        '"B [V]": 2.0,',
        "# fit",
        '"C [V]": 3.0,',
    ]


def test_names_and_sources_cannot_break_out_of_the_module() -> None:
    nasty = 'x"""\nimport os\\'
    values = {
        nasty: 1.0,
        f"{nasty} f": Function.trace(lambda sto: sto * parameter(f"{nasty} free")),
        "class [V]": np.inf,
    }
    source = python_module(given(values, source=nasty), nasty).text
    tree = ast.parse(source)
    assert [type(node) for node in tree.body] == [ast.Expr, ast.Import, ast.Import, ast.FunctionDef, ast.FunctionDef]
    written = executed(source)
    assert written[nasty] == 1.0
    assert written["class [V]"] == np.inf


def test_functions_of_like_names_keep_apart_and_take_more_arguments_than_they_need() -> None:
    functions = {
        "OCP [V]": Function.trace(lambda sto: sto + 1),
        "OCP [mV]": Function.trace(lambda sto: 1000 * sto),
        "Constant [V]": Function.trace(lambda sto: 4.0),
        "lambda [V]": Function(("Temperature [K]", "class"), parameter("Temperature [K]") - parameter("class"), "f"),
    }
    written = executed(python_module(given(functions), "x").text)
    assert written["OCP [V]"](2.0, 298.15) == 3.0
    assert written["OCP [mV]"](2.0) == 2000.0
    assert written["Constant [V]"](2.0).evaluate() == 4.0
    assert written["lambda [V]"](7.0, 3.0) == 4.0


def test_long_formulas_are_broken_into_lines(cell: ParameterSet) -> None:
    source = python_module(cell, "LG M50").text
    assert max(map(len, source.splitlines())) <= 120
    assert "        - 0.0909 * pybamm.tanh(29.8538 * (sto - 0.1234))\n" in source


# BPX


def test_everything_that_bpx_lacks_is_named_at_once() -> None:
    with pytest.raises(MissingParameterError, match="BPX needs what the parameters do not give") as caught:
        bpx_file(given({"Electrolyte conductivity [S.m-1]": 1.0, "Cation transference number": parameter("t [1]")}))
    missing = caught.value.detail["missing"]
    assert len(missing) == 35
    assert missing["Cell › Nominal cell capacity [A.h]"] == "'Nominal cell capacity [A.h]' is not given"
    assert (
        missing["Electrolyte › Cation transference number"] == "'Cation transference number' still depends on 't [1]'"
    )
    assert {place.split(" › ")[0] for place in missing} == {
        "Cell",
        "Electrolyte",
        "Separator",
        "Negative electrode",
        "Positive electrode",
    }
    for place in missing:
        assert place in str(caught.value)


def test_kinetics_of_another_form_are_no_bpx(cell: ParameterSet) -> None:
    name = "Positive electrode exchange-current density [A.m-2]"
    other = Function.trace(lambda c_e, c_s, c_max, T: 1e-6 * c_e**0.5 * c_s**0.3 * (c_max - c_s) ** 0.7)
    with pytest.raises(MissingParameterError, match=r"is not of the form F k .* k would change by") as caught:
        bpx_file(cell.merge({name: other}, Origin("new")))
    assert list(caught.value.detail["missing"]) == ["Positive electrode › Reaction rate constant [mol.m-2.s-1]"]
    with pytest.raises(MissingParameterError, match="is a number"):
        bpx_file(cell.merge({name: 2.0}, Origin("new")))


def test_a_potential_that_changes_with_temperature_is_no_bpx(cell: ParameterSet) -> None:
    name = "Positive electrode OCP [V]"
    warm = Function.trace(lambda sto, T: 4.5 - sto + 1e-4 * (T - 298.15))
    with pytest.raises(MissingParameterError, match=r"'Positive electrode OCP \[V\]' depends on T; BPX takes one"):
        bpx_file(cell.merge({**LIMITS, name: warm}, Origin("new")))
    idle = Function.trace(lambda sto, T: 4.5 - sto)
    written = bpx_file(cell.merge({**LIMITS, name: idle}, Origin("new")))
    assert json.loads(written.text)["Parameterisation"]["Positive electrode"]["OCP [V]"] == "4.5 - x"


def test_what_bpx_has_no_place_for_is_listed(cell: ParameterSet) -> None:
    diffusivity = "Electrolyte diffusivity [m2.s-1]"
    p = cell.merge(
        {
            "Supplier": "nobody",
            "Negative electrode volume change": Function.trace(lambda sto: sto**2),
            "Thermodynamic factor": Function.trace(lambda c_e, T: 1 + c_e / 1e4),
            diffusivity: Function.trace(lambda c_e, T: 1e-10 * np.exp(-c_e / 3000) * (T / 298.15) ** (c_e / 500)),
            "Positive electrode OCP entropic change [V.K-1]": Function.trace(lambda sto, c, T: sto * T * 1e-7),
            "Yield [Pa]": 3.0,
        },
        Origin("new"),
    )
    written = bpx_file(p)
    assert set(written.left_out) == {
        "Supplier",
        "Negative electrode volume change",
        "Thermodynamic factor",
        diffusivity,
        "Positive electrode OCP entropic change [V.K-1]",
    }
    assert "the values at 298.15 K stand alone" in written.left_out[diffusivity]
    document = json.loads(written.text)["Parameterisation"]
    assert document["User-defined"]["Yield [Pa]"] == 3.0
    assert document["Positive electrode"]["Entropic change coefficient [V.K-1]"] == 0.0
    assert any("User-defined" in note for note in written.notes)


def test_activation_energies_are_found(cell: ParameterSet) -> None:
    steady = Function.trace(lambda sto, T: 1e-14 * (1 + sto) * np.exp(-30000 / 8.31446261815324 / T))
    wavering = Function.trace(
        lambda sto, T: 1e-14 * np.exp((30000 + 1000 * sto) / 8.31446261815324 * (1 / 298.15 - 1 / T))
    )
    written = bpx_file(
        cell.merge(
            {"Negative particle diffusivity [m2.s-1]": steady, "Positive particle diffusivity [m2.s-1]": wavering},
            Origin("new"),
        )
    )
    document = json.loads(written.text)["Parameterisation"]
    energy = "Diffusivity activation energy [J.mol-1]"
    assert document["Negative electrode"][energy] == pytest.approx(30000, rel=1e-9)
    assert document["Positive electrode"][energy] == pytest.approx(30500, rel=1e-3)
    assert any("'Positive particle diffusivity [m2.s-1]', between" in note for note in written.notes)


def test_functions_that_bpx_cannot_write_become_tables(cell: ParameterSet) -> None:
    potential = Function.trace(lambda sto: 4.3 - 0.9 * sto - 0.1 * np.arctan(20 * (sto - 0.5)))
    written = bpx_file(cell.merge({**LIMITS, "Positive electrode OCP [V]": potential}, Origin("new")))
    table = json.loads(written.text)["Parameterisation"]["Positive electrode"]["OCP [V]"]
    x = np.linspace(0, 1, 777)
    np.testing.assert_allclose(np.interp(x, table["x"], table["y"]), potential(x), atol=2e-6)
    assert any("'Positive electrode OCP [V]' is written as a linear table" in note for note in written.notes)


def test_functions_in_other_words_are_formulas(cell: ParameterSet) -> None:
    potential = Function.trace(lambda sto: 4.3 - 0.9 * np.sqrt(sto) - 0.01 * np.sinh(sto))
    written = bpx_file(cell.merge({**LIMITS, "Positive electrode OCP [V]": potential}, Origin("new")))
    formula = json.loads(written.text)["Parameterisation"]["Positive electrode"]["OCP [V]"]
    assert eval(formula, {"exp": np.exp, "x": 0.4}) == pytest.approx(potential(0.4), rel=1e-14)


def test_electrodes_that_start_apart_have_no_state_of_charge(cell: ParameterSet) -> None:
    name = "Initial concentration in negative electrode [mol.m-3]"
    start = {name: 0.45 * 33133.0, "Initial concentration in positive electrode [mol.m-3]": 0.6 * 63104.0}
    agreed = bpx_file(cell.merge({**LIMITS, **start}, Origin("new")))
    assert json.loads(agreed.text)["State"]["Initial conditions"]["Initial state-of-charge"] == pytest.approx(0.5)
    apart = bpx_file(cell.merge({**LIMITS, **start, name: 10000.0}, Origin("new")))
    assert "state of charge of 28.83 %" in apart.left_out[name]
    assert "Initial state-of-charge" not in json.loads(apart.text)["State"]["Initial conditions"]


def test_a_set_without_electrolyte_is_an_spm(cell: ParameterSet) -> None:
    names = [name for name in cell if name.startswith(("Electrolyte ", "Separator "))]
    written = bpx_file(cell.without(names))
    document = json.loads(written.text)
    assert document["Header"]["Model"] == "SPM"
    assert "Separator" not in document["Parameterisation"]


def test_a_missing_package_says_what_to_install(cell: ParameterSet, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr(bpx_module, "import_module", absent)
    for attempt in (lambda: bpx_file(cell), lambda: cw.from_bpx("cell.json")):
        with pytest.raises(ConfigurationError, match="need the package 'bpx'") as caught:
            attempt()
        assert caught.value.hint == "pip install 'cellwright[bpx]'"


def test_a_file_that_is_no_bpx_says_why(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="there is no file"):
        cw.from_bpx(tmp_path / "absent.json")
    path = tmp_path / "broken.json"
    path.write_text('{"Header": {"BPX": "1.1.1", "Model": "DFN"}, "Parameterisation": {}}', encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"broken.json cannot be read as BPX: .*Cell: Field required"):
        cw.from_bpx(path)
    path.write_text("{", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"broken.json cannot be read as BPX"):
        cw.from_bpx(path)


def test_an_unknown_set_of_pybamm_is_answered_with_the_nearest() -> None:
    with pytest.raises(NotFoundError, match="no parameter set 'Chen202'") as caught:
        cw.from_pybamm("Chen202")
    assert "Chen2020" in str(caught.value.hint)


# The command line


def test_a_kept_run_is_exported_by_its_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CELLWRIGHT_HOME", str(tmp_path / "home"))
    (tmp_path / "cell.yaml").write_text(CAPACITY, encoding="utf-8")
    runner = CliRunner()
    run = json.loads(runner.invoke(app, ["run", str(tmp_path / "cell.yaml"), "--json"]).stdout)
    place = tmp_path / "out" / "cell.py"
    told = runner.invoke(app, ["export", run["id"][:8], "--output", str(place)])
    assert told.exit_code == 0, told.output
    assert told.stdout.split() == [str(place)]
    assert executed(place.read_text(encoding="utf-8"))["Positive electrode capacity [A.h]"] == pytest.approx(
        7.138, rel=1e-3
    )
    told = runner.invoke(app, ["export", run["id"], "-o", str(tmp_path / "cell.txt"), "-f", "json", "--json"])
    assert json.loads(told.stdout) == {
        "path": str(tmp_path / "cell.txt"),
        "format": "json",
        "left_out": {},
        "notes": [],
    }
    told = runner.invoke(
        app, ["export", run["id"], "--format", "bpx", "--output", str(tmp_path / "cell.bpx"), "--json"]
    )
    assert told.exit_code == 2
    assert "Negative electrode › OCP [V]" in json.loads(told.stderr)["detail"]["missing"]
    assert not (tmp_path / "cell.bpx").exists()
