"""Contract kits: what every member of a family must do, for nothing.

Each function takes a member class and raises `AssertionError` with what it broke. Parametrise a test over
`cellwright.schema.variant.members()` and every member, ours or another package's, is held to it.
"""

import inspect
import json
import pickle
from typing import Any

import numpy as np

from cellwright.schema.document import parse_element
from cellwright.schema.expressions import Expression
from cellwright.schema.families import Calculation, Cost, Distribution, Entry
from cellwright.schema.parameters import ParameterSet
from cellwright.schema.search import Batch, Dimension, Space
from cellwright.schema.values import Function, normalise, to_wire
from cellwright.schema.variant import Member

RELATIVE = 1e-12
"""Tolerance of a formula evaluated on numbers against the same formula on expressions: rounding alone."""


def example_of(member: type[Member]) -> Member:
    """Return the member of its own worked example, or without arguments where it needs none."""
    return member(**(member.example.fields if member.example else {}))


def has_documentation(member: type[Member]) -> None:
    """A member says what it is, and where its formula comes from."""
    text = inspect.getdoc(member) or ""
    assert len(text.splitlines()[0]) > 10, f"{member.__name__} has no summary"
    assert "Source:" in text, f"{member.__name__} names no source"


def has_json_schema(member: type[Member]) -> None:
    """A member has a JSON Schema of its own, which names its fields and allows no others."""
    document = member.model_json_schema()
    assert set(document["properties"]) >= set(member.model_fields) - {"data_input"} - _aliased(member)
    assert document["additionalProperties"] is (member.model_config.get("extra") == "allow")


def _aliased(member: type[Member]) -> set[str]:
    return {name for name, field in member.model_fields.items() if field.alias not in {None, name}}


def survives_wire_and_pickle(given: Member, **place: Any) -> None:
    """A member comes back equal from JSON and from pickle; `place` are the fields that its place in a document says."""
    config = json.loads(json.dumps(given.to_config())) | place
    again = parse_element({**config, "element_type": "entry"}) if isinstance(given, Entry) else type(given)(**config)
    assert again.to_config() == given.to_config()
    assert pickle.loads(pickle.dumps(given)).to_config() == given.to_config()  # noqa: S301


def works_its_example(member: type[Entry] | type[Calculation]) -> None:
    """The worked example gives what it says."""
    assert member.example is not None, f"{member.__name__} has no worked example"
    result = example_of(member).compute(ParameterSet(member.example.given))  # type: ignore[attr-defined]
    assert set(result) == set(member.example.gives)
    numbers = _numbers(member)
    for name, expected in member.example.gives.items():
        _close(_filled(result[name], numbers), _filled(normalise(expected), numbers), name)


def agrees_on_expressions(member: type[Calculation]) -> None:
    """An input that is left free and substituted later gives the same number, or an error that names it."""
    from cellwright.errors import MissingParameterError

    assert member.example is not None
    given = member.example.given
    for free, value in given.items():
        if isinstance(value, Function | str) or not isinstance(value, int | float):
            continue
        rest = {name: other for name, other in given.items() if name != free}
        try:
            result = example_of(member).compute(ParameterSet(rest))  # type: ignore[attr-defined]
        except MissingParameterError as error:
            missing = str(error)
        else:
            missing = ""
        if missing:
            assert free in missing, f"{member.__name__} does not name {free!r}"
            continue
        for name, expected in member.example.gives.items():
            if name in result:
                numbers = {**_numbers(member), free: value}
                _close(_filled(result[name], numbers), _filled(normalise(expected), numbers), name)


def declares_its_reads(member: type[Entry] | type[Calculation]) -> None:
    """What a member reads is recorded: without the rest of the parameters it gives the same."""
    assert member.example is not None
    view = ParameterSet(member.example.given).recording()
    full = example_of(member).compute(view)  # type: ignore[attr-defined]
    reads = view.reads or set()
    read = ParameterSet({name: value for name, value in member.example.given.items() if name in reads})
    again = example_of(member).compute(read)  # type: ignore[attr-defined]
    assert {name: to_wire(value) for name, value in again.items()} == {n: to_wire(v) for n, v in full.items()}


def scalar_is_sum_of_squares(cost: Cost) -> None:
    """Where a cost has a residual array, its sum of squares is the scalar; the model that is the data costs least."""
    rng = np.random.default_rng(1)
    both = {o: {v: (rng.normal(size=7) + 3, rng.normal(size=7) + 3) for v in ("Voltage [V]", "T")} for o in ("a", "b")}
    residuals = cost.residuals(both)
    if residuals is not None:
        np.testing.assert_allclose(residuals @ residuals, cost.scalar(both), rtol=RELATIVE)
    assert cost.has_residuals is (residuals is not None)
    if not cost.of_data:
        return
    same = {o: {v: (data, data) for v, (_, data) in variables.items()} for o, variables in both.items()}
    assert cost.scalar(same) <= cost.scalar(both)
    assert residuals is None or cost.scalar(same) == 0.0


def density_is_sum_of_squares(distribution: Distribution) -> None:
    """The sum of squares of a distribution's residuals is the negative logarithm of its density, up to a constant."""
    cube = np.random.default_rng(2).uniform(0.02, 0.98, (20, distribution.dimensions))
    points = distribution.sample(cube) if distribution.dimensions > 1 else distribution.quantile(cube[:, 0])
    squares = [np.asarray(distribution.residuals(point)) for point in points]
    rests = [-float(distribution.log_density(x)) - float(r @ r) for x, r in zip(points, squares, strict=True)]
    np.testing.assert_allclose(rests, rests[0], rtol=1e-9, atol=1e-9)
    assert len({len(r) for r in squares}) == 1


class Recorded:
    """An `Evaluate` of a residual function that keeps what it was asked."""

    def __init__(self, residuals: Any, fails_above: float = float("inf")) -> None:
        self.residuals = residuals
        self.fails_above = fails_above
        self.points: list[np.ndarray[Any, Any]] = []

    def __call__(self, points: np.ndarray[Any, Any]) -> Batch:
        """Answer a batch; points whose first coordinate is beyond `fails_above` fail."""
        self.points.append(np.array(points))
        rows = np.array([self.residuals(point) for point in points])
        broken = points[:, 0] > self.fails_above
        rows[broken] = np.nan
        costs = np.where(broken, np.inf, (rows**2).sum(axis=1))
        return Batch(points, costs, rows, tuple("failed" if b else "solved" for b in broken))


def box(*starts: float) -> Space:
    """Return a search space of parameters between -2 and 3 that start at the given values."""
    same = float
    return Space(tuple(Dimension(f"x{i}", start, -2.0, 3.0, same, same) for i, start in enumerate(starts)))


def _numbers(member: type[Entry] | type[Calculation]) -> dict[str, float]:
    """Return the numbers in a member's example, given and found."""
    assert member.example is not None
    named = {**member.example.gives, **member.example.given}
    return {name: value for name, value in named.items() if isinstance(value, int | float)}


def _filled(value: Any, values: dict[str, float]) -> Any:
    """Return a value with parameters that were left free filled in."""
    if isinstance(value, Expression | Function):
        return value.substitute(values)
    return [_filled(item, values) for item in value] if isinstance(value, list) else value


SAMPLES = {"T": (280.0, 320.0), "c_e": (500.0, 1500.0), "c_s_surf": (1e3, 2e4), "c_s_max": (3e4, 3e4)}
"""Between which values the arguments of functions are compared; the others, stoichiometries, inside 0 to 1."""


def _close(found: Any, expected: Any, name: str) -> None:
    if isinstance(expected, Function):
        points = [np.linspace(*SAMPLES.get(argument, (0.12, 0.88)), 7) for argument in expected.arguments]
        np.testing.assert_allclose(found(*points), expected(*points), rtol=RELATIVE, err_msg=name)
    elif isinstance(expected, str):
        assert found == expected, name
    else:
        np.testing.assert_allclose(found, expected, rtol=RELATIVE, err_msg=name)
