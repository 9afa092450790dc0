"""Every registered member keeps the contract of its family."""

import pytest

from cellwright.catalog.costs import ErrorFunction
from cellwright.schema.document import DataFit, Validation
from cellwright.schema.free_parameter import Parameter
from cellwright.schema.variant import members
from cellwright.testing import kits

FAMILIES = members()
CALCULATIONS = list(FAMILIES["Calculation"].values())
ENTRIES = list(FAMILIES["Entry"].values())
COSTS = [kind for kind in FAMILIES["Cost"].values() if kind.implemented()]
ESTIMATORS = [kind for kind in FAMILIES["Estimator"].values() if kind.implemented()]
ALL = [member for family in FAMILIES.values() for member in family.values()]
FIELDS = {
    "CurrentDriven": {"data": {"Time [s]": [0.0, 1.0]}, "options": {"model": "SPM"}},
    "Uniform": {"lb": 0, "ub": 2},
    "PointMass": {"value": 3.0},
}


def name(member):
    return member.__name__


@pytest.mark.parametrize("member", ALL, ids=name)
def test_is_documented(member):
    kits.has_documentation(member)


@pytest.mark.parametrize("member", ALL, ids=name)
def test_has_a_json_schema(member):
    kits.has_json_schema(member)


@pytest.mark.parametrize("member", ALL, ids=name)
def test_survives_wire_and_pickle(member):
    if member in (DataFit, Validation):
        objective = {"one": {"type": "CurrentDriven", **FIELDS["CurrentDriven"]}}
        free = {"parameters": {"a": Parameter("a", 1.0)}} if member is DataFit else {}
        kits.survives_wire_and_pickle(member(objectives=objective, **free))
    elif "name" in member.unwritten:
        kits.survives_wire_and_pickle(kits.example_of(member), name=member.example.fields["name"])
    elif member.__module__.endswith("samplers") or not (member.__name__ in FIELDS and member.example is None):
        kits.survives_wire_and_pickle(kits.example_of(member))
    else:
        kits.survives_wire_and_pickle(member(**FIELDS[member.__name__]))


@pytest.mark.parametrize("member", [*ENTRIES, *CALCULATIONS], ids=name)
def test_works_its_example(member):
    kits.works_its_example(member)


@pytest.mark.parametrize("member", CALCULATIONS, ids=name)
def test_agrees_on_expressions(member):
    kits.agrees_on_expressions(member)


@pytest.mark.parametrize("member", [*ENTRIES, *CALCULATIONS], ids=name)
def test_declares_its_reads(member):
    kits.declares_its_reads(member)


@pytest.mark.parametrize("member", COSTS, ids=name)
def test_residuals_make_the_scalar(member):
    kits.scalar_is_sum_of_squares(kits.example_of(member))
    if issubclass(member, ErrorFunction) and not member.refused:
        kits.scalar_is_sum_of_squares(
            member(normalization="range", objective_weights={"a": 3}, variable_weights={"T": 0.5})
        )


@pytest.mark.parametrize("member", ESTIMATORS, ids=name)
def test_finds_the_minimum(member):
    kits.finds_minimum(member())


@pytest.mark.parametrize("member", ESTIMATORS, ids=name)
def test_survives_failing_points(member):
    kits.survives_failing_points(member())
