"""The parameter set: symbols, origins, reads, numbers, definitions that follow."""

import pickle

import pytest

from cellwright.errors import ConfigurationError, MissingParameterError
from cellwright.schema.expressions import parameter
from cellwright.schema.parameters import Origin, ParameterSet


def test_a_parameter_that_nobody_provides_is_its_symbol():
    p = ParameterSet({"a": 2.0})
    assert p["b"] == parameter("b")
    assert "b" not in p
    assert p["a"] == 2.0


def test_expressions_follow_a_value_that_comes_later_and_one_that_changes():
    p = ParameterSet().merge({"D": 2 * parameter("D_ref")}, Origin("law"))
    assert p.unresolved() == {"D": ["D_ref"]}
    assert p.merge({"D_ref": 3.0}, Origin("entry")).number("D") == 6.0
    changed = p.merge({"D_ref": 3.0}, Origin("entry")).merge({"D_ref": 4.0}, Origin("fit"))
    assert changed.number("D") == 8.0
    assert changed.origins["D_ref"].element == "fit"


def test_a_value_may_build_on_the_one_before():
    p = ParameterSet({"a": 2.0}).merge({"a": 3 * parameter("a")}, Origin("scale"))
    assert p.number("a") == 6.0


def test_circles_are_told():
    with pytest.raises(ConfigurationError, match="'a' → 'b' → 'a'"):
        ParameterSet({"a": parameter("b") + 1, "b": parameter("a") + 1})


def test_missing_number_names_unit_and_nearest():
    p = ParameterSet({"Positive particle radius [m]": 5e-6})
    with pytest.raises(MissingParameterError) as missing:
        p.number("Positive particle radus [m]")
    assert "in m" in missing.value.message
    assert "'Positive particle radius [m]'" in missing.value.hint


def test_reads_are_recorded_on_a_view_alone():
    p = ParameterSet({"a": 1.0})
    view = p.recording()
    _ = view["a"], view["b"], "c" in view, view.get("d")
    assert view.reads == {"a", "b", "c", "d"}
    assert p.reads is None


def test_digest_depends_on_the_named_values_alone():
    p = ParameterSet({"a": 1.0, "b": 2.0})
    other = ParameterSet({"a": 1.0, "b": 3.0})
    assert p.digest_of({"a"}) == other.digest_of({"a"})
    assert p.digest_of({"a", "b"}) != other.digest_of({"a", "b"})
    assert p.digest_of({"c"}) != p.digest_of(set())


def test_survives_pickle():
    p = ParameterSet({"a": 1.0, "e": 2 * parameter("a")}, {"a": Origin("x", "book")})
    again = pickle.loads(pickle.dumps(p))
    assert dict(again.values_) == {"a": 1.0, "e": 2.0}
    assert again.origins == p.origins


def test_is_immutable():
    with pytest.raises(TypeError):
        ParameterSet({"a": 1.0}).values_["a"] = 2.0
