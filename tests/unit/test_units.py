"""Units: every unit of PyBaMM's names is one, conversions are exact, and what cannot be told says why."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellwright.errors import ConfigurationError
from cellwright.physics.units import converted
from cellwright.schema.names import unit_of, vocabulary

UNITS = sorted({unit for name in vocabulary() if (unit := unit_of(name)) is not None})


@pytest.mark.parametrize(
    ("value", "unit", "into", "expected"),
    [
        (72.225, "um", "m", 7.2225e-05),
        (72.225, "µm", "m", 7.2225e-05),  # the micro sign
        (72.225, "μm", "m", 7.2225e-05),  # the Greek letter
        (2.0, "mm", "m", 0.002),
        (5000.0, "mAh", "A.h", 5.0),
        (5.0, "Ah", "A.h", 5.0),
        (5.0, "A h", "A.h", 5.0),
        (18.0, "kC", "A.h", 5.0),
        (4.5, "mAh/cm2", "A.h.cm-2", 0.0045),
        (4.5, "mAh cm^-2", "A.h.m-2", 45.0),
        (2.3, "g/cm3", "kg.m-3", 2300.0),
        (2.3, "g/cm**3", "kg.m-3", 2300.0),
        (2.3, "g·cm⁻³", "kg.m-3", 2300.0),
        (1.2, "mol/L", "mol.m-3", 1200.0),
        (1.2, "M", "mol.m-3", 1200.0),
        (30.0, "kJ/mol", "J.mol-1", 30000.0),
        (1.5, "W/(m.K)", "W.m-1.K-1", 1.5),
        (3.0, "mΩ·cm²", "Ohm.m2", 3e-07),
        (10.0, "mS/cm", "S.m-1", 1.0),
        (3e-10, "cm2/s", "m2.s-1", 3e-14),
        (0.9, "J/g/degC", "J.kg-1.K-1", 900.0),
        (8.0, "1/s", "s-1", 8.0),
        (2.0, "A/m2*(m3/mol)^1.5", "A.m-2(m3.mol)1.5", 2.0),
        (25.0, "degC", "K", 298.15),
        (25.0, "°C", "K", 298.15),
        (77.0, "degF", "K", 298.15),
        (298.15, "K", "degC", 25.0),
        (40.0, "percent", None, 0.4),
        (40.0, "%", "", 0.4),
        (0.4, "-", "%", 40.0),
        (0.4, None, None, 0.4),
        (0.4, "", "-", 0.4),
        (0.4, "dimensionless", None, 0.4),
    ],
)
def test_a_quantity_is_told_in_another_unit(value: float, unit: str | None, into: str | None, expected: float) -> None:
    assert converted(value, unit, into) == expected


@given(st.floats(-1e12, 1e12), st.sampled_from(UNITS))
def test_a_unit_in_itself_changes_nothing_to_the_bit(value: float, unit: str) -> None:
    assert converted(value, unit, unit) == value


@pytest.mark.parametrize("unit", UNITS)
def test_every_unit_in_a_parameters_name_is_a_unit(unit: str) -> None:
    """A blank makes it another text, so that it is really read."""
    assert converted(3.0, f"{unit} ", unit) == 3.0


@given(st.floats(1e-6, 1e6), st.sampled_from([("mAh/cm2", "A.h.m-2"), ("degC", "K"), ("g/cm3", "kg.m-3")]))
def test_there_and_back(value: float, units: tuple[str, str]) -> None:
    unit, into = units
    assert converted(converted(value, unit, into), into, unit) == pytest.approx(value, rel=1e-12, abs=1e-9)


@pytest.mark.parametrize(
    ("unit", "into", "said"),
    [
        ("um", "kg", r"'um' cannot be told in 'kg' \(the one is \[length\], the other \[mass\]\)"),
        ("um", None, r"'um' cannot be told in a number without unit"),
        ("", "m", r"a number without unit cannot be told in 'm'"),
        (None, "m", r"3 has no unit, and one of 'm' is needed \(write \{\"value\": 3, \"unit\": \"m\"\}"),
        (None, "%", r"3 has no unit, and one of '%' is needed"),
        ("C", "K", r"'C' is the coulomb; degrees Celsius are written 'degC'"),
        ("kg/m3", "kg/m2", r"\[length\]\^-3"),
    ],
)
def test_units_of_different_kinds_are_refused_with_both(unit: str | None, into: str | None, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        converted(3.0, unit, into)


@pytest.mark.parametrize(
    "unit",
    ["zork", "wt%", "/", "((", "m)", "10 um", "um 5", "m**", "m;", "m^1000000000", "__import__('os')", "m." * 400],
)
def test_what_is_no_unit_is_refused_by_name(unit: str) -> None:
    with pytest.raises(ConfigurationError, match="there is no unit"):
        converted(3.0, unit, "m")


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_only_finite_numbers_are_converted(value: float) -> None:
    with pytest.raises(ConfigurationError, match="no finite number"):
        converted(value, "um", "m")
