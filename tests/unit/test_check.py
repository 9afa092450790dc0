"""The check: every mistake of a document in one go, each with element, cause and remedy, nothing integrated."""

import re

import pytest

import cellwright as cw
from cellwright.models.simulation import BuiltSimulation
from cellwright.testing.cells import discharge, published

DIFFUSIVITY = "Negative particle diffusivity [m2.s-1]"
PUBLISHED = published()
DATA = {"Time [s]": [0.0, 10.0, 20.0], "Current [A]": [5.0, 5.0, 5.0], "Voltage [V]": [4.0, 3.99, 3.98]}


@pytest.fixture(autouse=True)
def nothing_is_integrated(monkeypatch):
    def integrate(self, inputs):
        raise AssertionError("the check integrated a model")

    monkeypatch.setattr(BuiltSimulation, "solve", integrate)


def entry(drop=(), **values):
    given = {name: value for name, value in PUBLISHED.values_.items() if name not in drop}
    return cw.direct_entries.DirectEntry(given | values, source="Chen2020")


def fit(data=DATA, parameters=None, **options):
    objective = cw.objectives.CurrentDriven(data, options={"model": "SPM", **options})
    free = parameters or {DIFFUSIVITY: cw.Parameter(DIFFUSIVITY, 3e-14, (1e-15, 1e-13))}
    return cw.DataFit({"discharge": objective}, parameters=free)


def problems(elements):
    return cw.check(cw.Pipeline(elements)).problems


def only(elements):
    found = problems(elements)
    assert len(found) == 1, [str(problem) for problem in found]
    return found[0]


def test_a_sound_pipeline_has_no_problems():
    assert problems({"known": entry(), "fit": fit()}) == ()


@pytest.mark.parametrize("model", ["GITTModel", {"type": "GITTModel"}])
def test_a_model_that_does_not_work_yet_is_refused_by_name(model, monkeypatch):
    monkeypatch.delattr(cw.models.GITTModel, "spec")
    problem = only({"known": entry(), "fit": fit(model=model)})
    assert problem.message == "the model 'GITTModel' is not implemented yet"
    assert problem.at[-2:] == ("options", "model")
    assert "'SPMe'" in problem.hint
    assert "LumpedSPMR" in problem.hint


def test_a_misspelt_parameter_is_told_with_the_nearest_name():
    found = problems(
        {"known": entry(drop=["Positive particle radius [m]"], **{"Positive particle radus [m]": 5e-6}), "fit": fit()}
    )
    assert [(p.at[0], p.severity) for p in found] == [("known", "error"), ("fit", "error")]
    assert all("'Positive particle radius [m]'" in str(problem) for problem in found)
    assert "'Positive particle radus [m]'" in found[0].message


def test_a_wrong_unit_is_told_with_the_right_one():
    problem = only({"known": entry(**{"Positive particle radius [um]": 5.0})})
    assert problem.at == ("known", "parameters", "Positive particle radius [um]")
    assert "[um]" in problem.message
    assert "'Positive particle radius [m]'" in problem.hint


def test_a_number_in_quotes_is_told():
    problem = only({"known": entry(**{"Positive particle radius [m]": "5e-6"})})
    assert "is the text '5e-6'" in problem.message


def test_a_calculation_that_makes_nan_is_told_with_what_it_read():
    given = {
        "R at SOC 0 [Ohm]": 1.0,
        "R slope from SOC 0 to 0.5 [Ohm]": float("inf"),
        "R slope from SOC 0.5 to 1 [Ohm]": float("-inf"),
    }
    knots = cw.calculations.SlopesToKnots("R [Ohm]", [0, 0.5, 1], "SOC")
    problem = only({"known": cw.direct_entries.DirectEntry(given), "knots": knots})
    assert problem.message == "SlopesToKnots makes 'R at SOC 1 [Ohm]' NaN, not a number"
    assert "'R slope from SOC 0.5 to 1 [Ohm]'" in problem.hint


def test_a_value_of_the_wrong_kind_is_told():
    known = cw.direct_entries.DirectEntry({"Negative electrode OCP [V]": [1.0, 0.5], "Initial voltage [V]": 0.4})
    problem = only({"known": known, "a": cw.calculations.InitialStoichiometryFromVoltageHalfCell("negative")})
    assert problem.at == ("a",)
    assert "'Negative electrode OCP [V]'" in str(problem)


def test_text_where_a_number_is_needed_is_told():
    name = "Negative electrode active material volume fraction"
    given = cw.direct_entries.DirectEntry({name: "much", "Negative particle radius [m]": 5e-6})
    problem = only({"known": given, "a": cw.calculations.SurfaceAreaToVolumeRatio("negative")})
    assert problem.at == ("a",)
    assert problem.message == f"{name!r} is the text 'much', and a number is needed"


def test_a_pipeline_without_elements_is_told():
    assert "no elements" in only({}).message


def test_gaps_in_what_is_compared_are_told():
    gap = DATA | {"Voltage [V]": [4.0, float("nan"), 3.98]}
    assert "1 values that are no numbers" in only({"known": entry(), "fit": fit(gap)}).message


def test_a_missing_column_is_told_with_those_there_are():
    problem = only({"known": entry(), "fit": fit({"Time [s]": [0, 1], "Voltage [V]": [4, 4], "Curent [A]": [5, 5]})})
    assert problem.at == ("fit", "objectives", "discharge")
    assert "'Current [A]'" in problem.message
    assert "'Curent [A]'" in problem.hint


def test_a_fit_parameter_that_no_model_uses_is_told():
    name = "Negative particle diffusivty [m2.s-1]"
    problem = only({"known": entry(), "fit": fit(parameters={name: cw.Parameter(name, 1e-14, (1e-15, 1e-13))})})
    assert problem.at == ("fit", "parameters", name)
    assert f"'{DIFFUSIVITY}'" in problem.hint


def test_a_fit_parameter_that_every_objective_gives_a_value_of_its_own_is_told():
    own = cw.objectives.CurrentDriven(DATA, options={"model": "SPM"}, parameters={DIFFUSIVITY: 1e-14})
    element = cw.DataFit(own, parameters={DIFFUSIVITY: cw.Parameter(DIFFUSIVITY, 3e-14, (1e-15, 1e-13))})
    assert "no model of this fit uses" in only({"known": entry(), "fit": element}).message


def test_parameters_that_a_model_lacks_are_all_told():
    missing = ["Positive particle radius [m]", "Negative electrode thickness [m]"]
    found = problems({"known": entry(drop=missing), "fit": fit()})
    assert {p.message.split("'")[1] for p in found} == set(missing)
    assert {p.at for p in found} == {("fit", "objectives", "discharge")}


def test_an_element_that_reads_what_only_a_later_one_produces_is_told():
    capacities = {f"{side} electrode capacity [A.h]": 6.0 for side in ("Negative", "Positive")}
    window = {"Cyclable lithium capacity [A.h]": 5.0, **capacities}
    found = problems({"soh": cw.calculations.ElectrodeSOH(), "known": entry(**window)})
    assert [p.severity for p in found] == ["error"]
    assert "which only the later element 'known' produces" in found[0].message
    assert found[0].hint == "move 'known' before 'soh'"


def test_an_expression_that_a_later_entry_completes_is_a_warning():
    found = problems({"Q": cw.calculations.ElectrodeCapacity("positive"), "known": entry()})
    assert {p.severity for p in found} == {"warning"}
    assert cw.check(cw.Pipeline({"Q": cw.calculations.ElectrodeCapacity("positive"), "known": entry()})).ok


def test_an_expression_that_a_later_fit_completes_is_how_fits_carry_through():
    free = "Positive electrode active material volume fraction"
    assert problems({
        "known": entry(drop=[free]),
        "Q": cw.calculations.ElectrodeCapacity("positive"),
        "fit": fit(parameters={free: cw.Parameter(free, 0.6, (0.4, 0.7))}),
    }) == ()  # fmt: skip


def test_a_file_that_is_not_there_is_told_with_its_neighbours(tmp_path):
    (tmp_path / "discharge_1C.csv").write_text("Time [s]\n0\n")
    problem = only({"known": entry(), "fit": fit(f"file:{tmp_path}/discharge_1c.csv")})
    assert problem.at == ("fit", "objectives", "discharge", "data")
    assert "'discharge_1C.csv'" in problem.hint


def test_other_objectives_are_looked_at_where_the_data_of_one_cannot_be_read():
    element = cw.DataFit(
        {
            "gone": cw.objectives.CurrentDriven("file:/nowhere/gone.csv", options={"model": "SPM"}),
            "here": cw.objectives.CurrentDriven(DATA, options={"model": "SPM"}),
        },
        parameters={DIFFUSIVITY: cw.Parameter(DIFFUSIVITY, 3e-14, (1e-15, 1e-13))},
    )
    found = problems({"known": entry(drop=["Positive particle radius [m]"]), "fit": element})
    assert [p.at for p in found] == [("fit", "objectives", "gone", "data"), ("fit", "objectives", "here")]


def test_a_fit_that_cannot_reach_what_was_derived_before_is_warned_of():
    free = "Negative electrode active material volume fraction"
    start = "Initial concentration in negative electrode [mol.m-3]"
    soh = {"Cyclable lithium capacity [A.h]": 7.6}
    found = problems({
        "known": entry(**soh),
        "soh": cw.calculations.ElectrodeSOH(),
        "start": cw.calculations.InitialSOC(1),
        "fit": fit(parameters={free: cw.Parameter(free, 0.75, (0.4, 0.8))}),
    })  # fmt: skip
    assert {p.severity for p in found} == {"warning"}
    assert any(f"{start!r} was derived by 'start'" in p.message for p in found)


def test_all_problems_come_at_once_in_the_order_of_the_pipeline(tmp_path):
    found = problems({
        "known": entry(drop=["Separator porosity"], **{"Separator porosty": 0.47}),
        "fit": fit(f"file:{tmp_path}/gone.csv"),
        "validate": cw.Validation({"one": cw.objectives.CurrentDriven(DATA, options={"model": "SPMm"})}),
    })  # fmt: skip
    assert [p.at[0] for p in found] == ["known", "fit", "validate"]
    assert all(p.hint for p in found)


def test_a_cost_without_residuals_does_not_go_with_least_squares():
    element = cw.DataFit(
        cw.objectives.CurrentDriven(DATA, options={"model": "SPM"}),
        parameters={DIFFUSIVITY: cw.Parameter(DIFFUSIVITY, 3e-14, (1e-15, 1e-13))},
        cost=cw.costs.RMSE(),
        optimizer=cw.optimizers.ScipyLeastSquares(),
    )
    assert "RMSE has none" in only({"known": entry(), "fit": element}).message


def test_a_global_search_needs_bounds():
    element = cw.DataFit(
        cw.objectives.CurrentDriven(DATA, options={"model": "SPM"}),
        parameters={DIFFUSIVITY: cw.Parameter(DIFFUSIVITY, 3e-14)},
        optimizer=cw.optimizers.ScipyDifferentialEvolution(),
    )
    assert "has none" in only({"known": entry(), "fit": element}).message


def test_the_run_begins_with_the_check():
    with pytest.raises(cw.CellwrightError, match="is not there"):
        cw.run(cw.Pipeline({"known": entry(), "fit": fit("file:/nowhere/gone.csv")}))


def test_discharge_of_the_synthetic_cell_is_not_part_of_the_check():
    with pytest.raises(AssertionError, match="integrated"):
        discharge(PUBLISHED)


def test_a_misspelt_value_of_an_objective_is_told():
    objective = cw.objectives.CurrentDriven(DATA, {"model": "SPM"}, parameters={"Ambient temperatur [K]": 308.15})
    free = {DIFFUSIVITY: cw.Parameter(DIFFUSIVITY, 3e-14, (1e-15, 1e-13))}
    problem = only({"known": entry(), "fit": cw.DataFit({"o": objective}, parameters=free)})
    assert problem.at == ("fit", "objectives", "o", "parameters", "Ambient temperatur [K]")
    assert problem.hint == "did you mean 'Ambient temperature [K]'?"


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"objective_weights": {"discharg": 2.0}}, "the objective 'discharg'.*did you mean 'discharge'"),
        ({"variable_weights": {"Voltag [V]": 2.0}}, r"the variable 'Voltag \[V\]'.*did you mean 'Voltage \[V\]'"),
        ({"calculation_structure": {"discharge": ["Voltage"]}}, "the variable 'Voltage'"),
        ({"calculation_structure": {"charge": None}}, "the objective 'charge'"),
        ({"objective_names": ["charge"]}, "the objective 'charge'"),
    ],
)
def test_a_cost_that_names_what_is_not_there_is_told(fields, told):
    one = fit()
    problem = only({"known": entry(), "fit": one.model_copy(update={"cost": cw.costs.SSE(**fields)})})
    assert problem.at == ("fit", "cost", next(iter(fields)))
    assert re.search(told, str(problem))
