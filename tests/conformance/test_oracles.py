"""Every member that is a formula has a test in tests/oracle that names it: `@pytest.mark.oracle("CellMass")`."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from cellwright.schema.variant import members

ORACLES = Path(__file__).parents[1] / "oracle"
PROVED = ("Entry", "Calculation", "Cost", "Distribution", "Transform", "Metric", "Action", "Feature")
"""The families whose members are formulas."""
WORKING = [kind.__name__ for family in PROVED for kind in members().get(family, {}).values() if kind.implemented()]


def named() -> Iterator[str]:
    """Yield the members that the marks of the oracle tests name."""
    for path in ORACLES.glob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Attribute(attr="oracle"), args=arguments):
                    yield from (argument.value for argument in arguments if isinstance(argument, ast.Constant))


NAMED = set(named())


@pytest.mark.parametrize("member", WORKING)
def test_every_member_has_an_oracle(member: str) -> None:
    assert member in NAMED


def test_the_marks_name_members() -> None:
    assert {kind.__name__ for family in members().values() for kind in family.values()} >= NAMED
