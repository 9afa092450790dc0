"""Entries whose values lie in an earlier run or in a cell specification: read once, at submission."""

from pathlib import Path
from typing import Any

import pytest
from alembic import command

import cellwright as cw
from cellwright.engine.stored_entries import resolved
from cellwright.errors import CellwrightError, ConfigurationError, ConflictError, NotFoundError
from cellwright.schema.parameters import ParameterSet
from cellwright.service.cell_specifications import CellSpecifications
from cellwright.service.runs import Service
from cellwright.service.worker import Worker
from cellwright.store import Store
from cellwright.store.database import migrations
from cellwright.store.tables import HEAD

THICKNESS = "Negative electrode thickness [m]"
POROSITY = "Negative electrode porosity"
CAPACITY = "Nominal cell capacity [A.h]"
TEMPERATURE = "Ambient temperature [K]"
SPECIFICATION: dict[str, Any] = {
    "name": "LG M50",
    "form_factor": "21700",
    "ratings": {"capacity": {"value": 5000, "unit": "mAh"}, "temperature": {"value": 25, "unit": "degC"}},
    "anode": {
        "material_id": "graphite",
        "properties": {
            "thickness": {"value": 72.225, "unit": "um"},
            "porosity": {"value": 40, "unit": "percent"},
            "layers": [{"mass": {"value": 14.85, "unit": "mg/cm2"}}],
            "bare": 72.225,
            "colour": {"value": "black"},
            "broken": {"value": float("nan"), "unit": "um"},
        },
        "material": {"definition": {"particle_size_d50": {"value": 11.7, "unit": "µm"}}},
    },
}
MAPPING = {
    THICKNESS: "anode.properties.thickness",
    POROSITY: "anode.properties.porosity",
    CAPACITY: "ratings.capacity",
    TEMPERATURE: "ratings.temperature",
    "Negative particle radius [m]": "anode.material.definition.particle_size_d50",
    "Negative electrode coating mass per area [g.cm-2]": "anode.properties.layers.0.mass",
}
VALUES = {
    THICKNESS: 7.2225e-05,
    POROSITY: 0.4,
    CAPACITY: 5.0,
    TEMPERATURE: 298.15,
    "Negative particle radius [m]": 1.17e-05,
    "Negative electrode coating mass per area [g.cm-2]": 0.01485,
}


class Known:
    """Sources in memory."""

    def run(self, pipeline_id: str) -> tuple[str, ParameterSet]:
        if pipeline_id != "r1":
            raise NotFoundError(f"Pipeline {pipeline_id!r} not found")
        return "first", ParameterSet({CAPACITY: 5.0, "Electrode area [m2]": 0.1})

    def cell_specification(self, cell_spec_id: str) -> dict[str, Any]:
        if cell_spec_id != "s1":
            raise NotFoundError(f"Cell specification {cell_spec_id!r} not found")
        return SPECIFICATION


def pipeline(**fields: Any) -> cw.Pipeline:
    return cw.Pipeline({"known": cw.direct_entries.DirectEntry(**fields)})


def from_specification(mapping: dict[str, str] = MAPPING, spec_id: str = "s1", **more: Any) -> cw.Pipeline:
    return pipeline(cell_spec_id=spec_id, mapping=mapping, **more)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


class TestSpecifications:
    def test_values_are_told_in_the_units_of_their_names(self) -> None:
        entry = resolved(from_specification(source="team"), Known()).elements["known"]
        assert entry.parameters == VALUES
        assert entry.source == "team; cell specification 'LG M50' (s1)"
        assert (entry.cell_spec_id, entry.mapping) == (None, None)
        config = entry.to_config()
        assert config["values"] == VALUES
        assert config["provenance"][THICKNESS] == {
            "path": "anode.properties.thickness",
            "value": 72.225,
            "unit": "um",
        }

    def test_a_resolved_pipeline_is_read_again_as_it_is_written(self) -> None:
        whole = resolved(from_specification(), Known())
        assert cw.Pipeline.from_config(whole.to_config()).to_config() == whole.to_config()
        assert resolved(whole, Known()).to_config() == whole.to_config()

    @pytest.mark.parametrize(
        ("path", "said", "hint"),
        [
            ("anode.properties.thicknes", "'anode.properties' has no 'thicknes'", "did you mean 'thickness'?"),
            ("anod.properties.thickness", "it has no 'anod'", "did you mean 'anode'?"),
            ("anode.properties", "'anode.properties' is not a value", "there is thickness, porosity"),
            ("ratings.zzz", "'ratings' has no 'zzz'", "there is capacity, temperature"),
            ("anode.properties.layers.1.mass", "'anode.properties.layers' has no '1'", "there is 0"),
            ("anode.properties.bare", "72.225 has no unit, and one of 'm' is needed", '"unit": "m"'),
            ("anode.properties.bare.deeper", "'anode.properties.bare' has no 'deeper'", None),
            ("anode.properties.colour", "is no finite number: it is 'black'", None),
            ("anode.properties.broken", "is no finite number: it is nan", None),
            ("form_factor", "is no finite number: it is '21700'", None),
            ("ratings.capacity", "'mAh' cannot be told in 'm'", r"[length]"),
            ("", "it has no ''", None),
        ],
    )
    def test_what_cannot_be_read_tells_where_it_ends(self, path: str, said: str, hint: str | None) -> None:
        with pytest.raises(ConfigurationError) as caught:
            resolved(from_specification({THICKNESS: path}), Known())
        assert caught.value.at == ("known", "mapping", THICKNESS)
        assert said in caught.value.message
        assert "cell specification 'LG M50' (s1)" in caught.value.message
        assert path in caught.value.message
        assert (hint or "") in str(caught.value.hint)

    def test_all_that_cannot_be_read_is_told_at_once(self) -> None:
        two = {THICKNESS: "anode.nothing", POROSITY: "cathode", CAPACITY: "ratings.capacity"}
        elements = {**from_specification(two).elements, "more": pipeline(pipeline_id="no").elements["known"]}
        with pytest.raises(ConfigurationError) as caught:
            resolved(cw.Pipeline(elements), Known())
        places = [tuple(problem["at"]) for problem in caught.value.detail["problems"]]
        assert places == [("known", "mapping", THICKNESS), ("known", "mapping", POROSITY), ("more", "pipeline_id")]

    def test_one_that_is_not_there(self) -> None:
        with pytest.raises(NotFoundError, match="'s2'") as caught:
            resolved(from_specification(spec_id="s2"), Known())
        assert caught.value.at == ("known", "cell_spec_id")


class TestRuns:
    def test_all_values_or_those_to_keep(self) -> None:
        assert resolved(pipeline(pipeline_id="r1"), Known()).elements["known"].parameters == {
            CAPACITY: 5.0,
            "Electrode area [m2]": 0.1,
        }
        entry = resolved(pipeline(pipeline_id="r1", keep=[CAPACITY]), Known()).elements["known"]
        assert (entry.parameters, entry.source) == ({CAPACITY: 5.0}, "pipeline 'first' (r1)")

    def test_a_name_that_the_result_lacks(self) -> None:
        with pytest.raises(ConfigurationError, match=r"pipeline 'first' .* has no 'Nominal cell capacity") as caught:
            resolved(pipeline(pipeline_id="r1", keep=["Nominal cell capacity [Ah]"]), Known())
        assert caught.value.at == ("known", "keep")
        assert caught.value.hint == f"did you mean {CAPACITY!r}?"


class TestInThisProcess:
    def test_a_specification_that_is_handed_in(self) -> None:
        given = {"mine": SPECIFICATION}
        assert cw.check(from_specification(spec_id="mine"), cell_specifications=given).ok
        result = cw.run(from_specification(spec_id="mine"), cell_specifications=given)
        assert dict(result.parameters) == VALUES
        origin = result.parameters.origins[THICKNESS]
        assert (origin.element, origin.source, origin.path) == (
            "known",
            "cell specification 'LG M50' (mine)",
            "anode.properties.thickness",
        )
        assert result.config["elements"]["known"]["provenance"][POROSITY]["unit"] == "percent"

    def test_an_earlier_run_of_the_store_with_what_it_left_open(self, store: Store) -> None:
        known = cw.direct_entries.DirectEntry({"Electrode area [m2]": 0.1})
        capacity = cw.calculations.ElectrodeCapacity(electrode="negative")
        first = cw.run(cw.Pipeline({"known": known, "Q": capacity}), store=store, name="first")
        name = "Negative electrode capacity [A.h]"
        assert name in first.unresolved
        rest = dict.fromkeys(first.unresolved[name], 0.5)
        second = cw.Pipeline(
            {
                "earlier": cw.direct_entries.DirectEntry(pipeline_id=first.id, keep=[name]),
                "rest": cw.direct_entries.DirectEntry(rest),
            }
        )
        result = cw.run(second, store=store)
        assert result.parameters.number(name) == pytest.approx(96485.33212 * 0.1 * 0.5 ** len(rest) / 3600, rel=1e-9)
        assert result.parameters.origins[name].source == f"pipeline 'first' ({first.id})"
        store.runs.delete(first.id)
        again = cw.run(cw.Pipeline.from_config(result.config))
        assert again.parameters.number(name) == result.parameters.number(name)

    def test_without_a_store_there_is_no_earlier_run(self) -> None:
        with pytest.raises(NotFoundError, match=r"'x' not found .*store"):
            cw.run(pipeline(pipeline_id="x"))
        with pytest.raises(NotFoundError, match=r"'x' not found .*cell_specifications"):
            cw.run(from_specification(spec_id="x"))

    def test_the_check_tells_of_it_and_of_the_rest(self) -> None:
        bad = cw.direct_entries.DirectEntry(cell_spec_id="s1", mapping={THICKNESS: "nothing"})
        later = cw.calculations.ElectrodeCapacity(electrode="negative")
        other = cw.direct_entries.DirectEntry(pipeline_id="x")
        report = cw.check(
            cw.Pipeline({"bad": bad, "other": other, "Q": later}), cell_specifications={"s1": SPECIFICATION}
        )
        assert [problem.at for problem in report.errors] == [("bad", "mapping", THICKNESS), ("other", "pipeline_id")]

    def test_the_engine_alone_says_that_nothing_has_been_read(self) -> None:
        with pytest.raises(ConfigurationError, match="cell specification 's1' have not been read"):
            from_specification().elements["known"].compute(ParameterSet())


class TestService:
    def test_values_are_read_at_submission_and_stay(self, store: Store) -> None:
        service, specifications = Service(store), CellSpecifications(store)
        kept = specifications.create(SPECIFICATION)
        run = service.submit(from_specification(spec_id=kept.id).to_config())
        specifications.update(kept.id, {"anode": {"properties": {"thickness": {"value": 1.0}}}})
        specifications.delete(kept.id)
        Worker(store, idle_exit=0).work()
        result = service.completed(run.id)
        assert dict(result.parameters) == VALUES
        assert result.parameters.origins[THICKNESS].path == "anode.properties.thickness"
        assert service.config(run.id)["elements"]["known"]["provenance"][THICKNESS]["value"] == 72.225

    def test_a_run_that_has_not_completed(self, store: Store) -> None:
        service = Service(store)
        values = {"elements": {"known": {"element_type": "entry", "values": {CAPACITY: 5.0}}}}
        run = service.submit(values, name="slow")
        with pytest.raises(ConflictError, match=r"'slow'.*it is pending .*wait") as caught:
            service.submit(pipeline(pipeline_id=run.id).to_config())
        assert caught.value.at == ("known", "pipeline_id")
        service.cancel(run.id)
        with pytest.raises(ConflictError, match=r"it is canceled .*run it first"):
            service.submit(pipeline(pipeline_id=run.id).to_config())
        assert store.runs.page()[1] == 1


class TestStore:
    def test_what_was_written_comes_back(self, store: Store) -> None:
        content = {**SPECIFICATION, "curve": [0.5] * 2000}
        kept = CellSpecifications(store).create({**content, "id": "not mine", "project_id": "p"})
        assert (kept.name, kept.project_id) == ("LG M50", "p")
        assert kept.id != "not mine"
        found = CellSpecifications(store).get(kept.id)
        assert repr(found.document) == repr(content)  # by their text, since it holds a NaN
        assert found.created_at == found.updated_at

    def test_a_name_is_taken_once_in_a_project(self, store: Store) -> None:
        specifications = CellSpecifications(store)
        first = specifications.create({"name": "a"})
        with pytest.raises(ConflictError) as caught:
            specifications.create({"name": "a"})
        assert caught.value.detail == {"existing_id": first.id}
        specifications.create({"name": "a", "project_id": "other"})
        second = specifications.create({"name": "b"})
        with pytest.raises(ConflictError):
            specifications.update(second.id, {"name": "a"})
        assert specifications.update(second.id, {"name": "b"}).name == "b"

    @pytest.mark.parametrize("document", [{}, {"name": ""}, {"name": 3}, {"name": "a", "project_id": 3}])
    def test_a_document_needs_a_name(self, store: Store, document: dict[str, Any]) -> None:
        with pytest.raises(CellwrightError) as caught:
            CellSpecifications(store).create(document)
        assert caught.value.http_status == 422

    def test_changes_are_merged(self, store: Store) -> None:
        specifications = CellSpecifications(store)
        kept = specifications.create(
            {"name": "a", "anode": {"x": {"value": 1, "unit": "m"}, "y": 2}, "curve": [1.0] * 2000}
        )
        changes = {"anode": {"x": {"value": 3}, "y": None, "z": 4}, "curve": None, "id": "no", "project_id": "no"}
        changed = specifications.update(kept.id, changes)
        assert changed.document == {"name": "a", "anode": {"x": {"value": 3, "unit": "m"}, "z": 4}}
        assert (changed.id, changed.project_id) == (kept.id, "default")
        assert list(store.home.glob("blobs/*/*.npy")) == []

    def test_lists(self, store: Store) -> None:
        specifications = CellSpecifications(store)
        made = {
            name: specifications.create(
                {
                    "name": name,
                    "form_factor": form,
                    "anode": {"material_id": anode},
                    "cathode": {"material_id": cathode},
                }
            )
            for name, form, anode, cathode in (
                ("one", "pouch", "graphite", "NMC"),
                ("two", "pouch", "LTO", "LFP"),
                ("three", "21700", "silicon", "NMC"),
            )
        }

        def names(*where: tuple[str, str], **rest: Any) -> list[str]:
            return [one.name for one in specifications.page(where, order_by="name", order="asc", **rest)[0]]

        assert names() == ["one", "three", "two"]
        assert names(("name", "ilike.%T%")) == ["three", "two"]
        assert names(("name", "eq.two")) == ["two"]
        assert names(("form_factor", "eq.pouch")) == ["one", "two"]
        assert names(materials={"cathode": ["NMC"]}, without=made["one"].id) == ["three"]
        assert names(materials={"anode": ["graphite"], "cathode": ["LFP"]}) == ["one", "two"]
        assert names(limit=1, skip=1) == ["three"]
        assert specifications.page(limit=1)[1] == 3
        with pytest.raises(ConfigurationError, match="by 'nam'"):
            names(("nam", "x"))

    def test_what_is_deleted_is_gone(self, store: Store) -> None:
        specifications = CellSpecifications(store)
        kept = specifications.create(SPECIFICATION)
        specifications.delete(kept.id)
        for act in (specifications.get, specifications.delete, lambda one: specifications.update(one, {})):
            with pytest.raises(NotFoundError, match="Cell specification"):
                act(kept.id)

    def test_a_store_of_the_first_release_is_brought_up_with_its_runs(self, tmp_path: Path) -> None:
        store = Store(tmp_path)
        result = cw.run(pipeline(parameters={CAPACITY: 5.0}), store=store)
        with store.database.write() as connection:
            connection.exec_driver_sql("DROP TABLE cell_specifications")
            command.stamp(migrations(connection), "0001")
        store.close()
        opened = Store(tmp_path)
        assert HEAD == "0002"
        assert opened.runs.result(result.id).parameters == result.parameters
        assert CellSpecifications(opened).create({"name": "a"}).name == "a"


def test_the_client_keeps_specifications_too(home: Path) -> None:
    with cw.Client(home=home) as client:
        kept = client.cell_spec.create(SPECIFICATION | {"anode": {"thickness": {"value": 1.0, "unit": "mm"}}})
        assert [one.id for one in client.cell_spec.list(name="eq.LG M50")] == [kept.id]
        client.cell_spec.update(kept.id, {"anode": {"thickness": {"value": 2.0}}})
        assert client.cell_spec.get(kept.id).document["anode"] == {"thickness": {"value": 2.0, "unit": "mm"}}
        run = client.pipeline.create(from_specification({THICKNESS: "anode.thickness"}, kept.id))
        client.cell_spec.delete(kept.id)
        with pytest.raises(NotFoundError):
            client.cell_spec.get(kept.id)
        client.pipeline.wait_for_completion(run.id, timeout=120, verbose=False)
        assert client.pipeline.result(run.id).parameters[THICKNESS] == 0.002
