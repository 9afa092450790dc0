"""The store's database, arrays, journal and cache."""

import multiprocessing
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from hypothesis import given
from hypothesis import strategies as st

from cellwright.errors import ConfigurationError
from cellwright.schema.documents import from_text, pack, to_text, unpack
from cellwright.schema.results import ElementRecord
from cellwright.schema.search import Batch
from cellwright.store import Store, default_home
from cellwright.store.blobs import DamagedBlobError
from cellwright.store.database import StoreError, migrations
from cellwright.store.runs import NewElement, NewRun
from cellwright.store.tables import HEAD, metadata


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def batch(*points: float, residuals: bool = True) -> Batch:
    column = np.array(points).reshape(-1, 1)
    return Batch(column, column[:, 0] ** 2, column / 3 if residuals else None, ("solved",) * len(points), 2, 0.25)


def same(one: Batch, other: Batch) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in vars(one))


def files(home: Path) -> list[Path]:
    return sorted(home.glob("blobs/*/*.npy"))


class TestDatabase:
    def test_migrations_lead_to_the_tables_as_they_are_declared(self, store: Store) -> None:
        with store.database.write() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            assert compare_metadata(context, metadata) == []
            assert context.get_current_revision() == HEAD
            assert ScriptDirectory.from_config(migrations(connection)).get_current_head() == HEAD

    def test_a_database_of_a_newer_version_is_left_alone(self, tmp_path: Path) -> None:
        Store(tmp_path).close()
        with sqlite3.connect(tmp_path / "cellwright.db") as connection:
            connection.execute("UPDATE alembic_version SET version_num = '9999'")
        with pytest.raises(ConfigurationError, match="newer Cellwright"):
            Store(tmp_path)

    def test_a_file_that_is_no_database_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "cellwright.db").write_text("certainly not a database, but long enough to look at" * 100)
        with pytest.raises(StoreError, match=r"cellwright\.db"):
            Store(tmp_path)

    def test_it_writes_ahead_and_waits_for_others(self, store: Store) -> None:
        with store.database.read() as connection:
            ask = connection.exec_driver_sql
            assert ask("PRAGMA journal_mode").scalar() == "wal"
            assert ask("PRAGMA foreign_keys").scalar() == 1
            assert ask("PRAGMA synchronous").scalar() == 2
            assert ask("PRAGMA busy_timeout").scalar() == 60_000

    def test_many_processes_may_open_and_write_a_new_one_at_once(self, tmp_path: Path) -> None:
        context = multiprocessing.get_context("spawn")
        processes = [context.Process(target=submit_ten, args=(tmp_path, number)) for number in range(4)]
        for process in processes:
            process.start()
        for process in processes:
            process.join(60)
        assert [process.exitcode for process in processes] == [0] * 4
        assert Store(tmp_path).runs.page()[1] == 40

    def test_its_place_is_named_by_the_environment(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CELLWRIGHT_HOME", str(tmp_path / "here"))
        assert default_home() == tmp_path / "here"
        monkeypatch.delenv("CELLWRIGHT_HOME")
        assert default_home().name == "cellwright"


def submit_ten(home: Path, number: int) -> None:
    store = Store(home)
    for index in range(10):
        store.runs.create(NewRun(f"{number}-{index}", "cell", {}, [NewElement("a", "entry")]))


class TestJournal:
    def test_batches_come_back_in_order_to_the_bit(self, store: Store) -> None:
        given_batches = [batch(0.1, 0.2), batch(1 / 3), batch(2.0, residuals=False)]
        for index, one in enumerate(given_batches):
            store.journal.append("key", index, one)
        kept = store.journal.read("key")
        assert all(same(one, other) for one, other in zip(kept, given_batches, strict=True))
        assert store.journal.read("other") == []

    def test_what_failed_is_kept_as_it_was(self, store: Store) -> None:
        failed = Batch(np.array([[1.0]]), np.array([np.inf]), np.array([[np.nan]]), ("crashed",))
        store.journal.append("key", 0, failed)
        (kept,) = store.journal.read("key")
        assert kept.costs[0] == np.inf
        assert np.isnan(kept.residuals).all()
        assert kept.statuses == ("crashed",)

    def test_the_same_batch_again_changes_nothing_and_another_drops_what_followed(self, store: Store) -> None:
        for index in range(3):
            store.journal.append("key", index, batch(float(index)))
        store.journal.append("key", 1, batch(1.0))
        assert len(store.journal.read("key")) == 3
        store.journal.append("key", 1, batch(7.0))
        assert [one.points[0, 0] for one in store.journal.read("key")] == [0.0, 7.0]

    def test_a_gap_ends_the_journal(self, store: Store) -> None:
        for index in (0, 1, 3):
            store.journal.append("key", index, batch(float(index)))
        assert len(store.journal.read("key")) == 2

    def test_it_is_on_the_disk_when_append_returns(self, store: Store, tmp_path: Path) -> None:
        store.journal.append("key", 0, batch(1.0))
        assert len(Store(tmp_path).journal.read("key")) == 1


class TestCache:
    record = ElementRecord(
        name="fit",
        element_type="data_fit",
        type="DataFit",
        status="completed",
        seconds=1.5,
        result={"type": "OptimizationResult", "x": [1.0, 2.0], "curve": [float(i) for i in range(3000)]},
        reads=("a", "b"),
        series={"0.5C": {"optimal": {"Time [s]": np.linspace(0, 1, 5)}}},
        trace=({"cost": float("inf")},),
        warnings=("near a bound",),
    )

    def test_a_record_comes_back_as_it_was(self, store: Store) -> None:
        store.cache.save("element", frozenset({"a", "b"}), "key", self.record)
        kept = store.cache.load("key")
        assert kept is not None
        assert kept.to_dict() == self.record.to_dict()
        np.testing.assert_array_equal(kept.series["0.5C"]["optimal"]["Time [s]"], np.linspace(0, 1, 5))
        assert store.cache.reads_of("element") == [frozenset({"a", "b"})]
        assert store.cache.load("other") is None
        assert store.cache.reads_of("other") == []

    def test_a_key_is_overwritten_with_its_arrays(self, store: Store, tmp_path: Path) -> None:
        store.cache.save("element", frozenset("a"), "key", self.record)
        store.cache.save("element", frozenset("a"), "key", ElementRecord("fit", "data_fit", "DataFit"))
        store.blobs.sweep()
        assert files(tmp_path) == []

    @pytest.mark.parametrize("damage", ["change", "remove"])
    def test_a_damaged_record_is_forgotten_and_can_be_kept_again(
        self, store: Store, tmp_path: Path, damage: str
    ) -> None:
        store.cache.save("element", frozenset("a"), "key", self.record)
        for path in files(tmp_path):
            if damage == "remove":
                path.unlink()
            else:
                content = path.read_bytes()
                path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        assert store.cache.load("key") is None
        assert store.cache.reads_of("element") == []
        store.cache.save("element", frozenset("a"), "key", self.record)
        assert store.cache.load("key") is not None


class TestBlobs:
    def test_equal_arrays_are_kept_once_and_a_damaged_file_is_written_anew(self, store: Store, tmp_path: Path) -> None:
        first, _ = store.blobs.write(np.arange(5.0))
        second, _ = store.blobs.write(np.arange(5.0))
        assert first == second
        (path,) = files(tmp_path)
        path.write_bytes(b"?" * path.stat().st_size)
        with pytest.raises(DamagedBlobError, match="changed"):
            store.blobs.load(first)
        store.blobs.write(np.arange(5.0))
        np.testing.assert_array_equal(store.blobs.load(first), np.arange(5.0))

    def test_no_temporary_file_is_left(self, store: Store, tmp_path: Path) -> None:
        store.blobs.write(np.arange(5.0))
        assert [path.suffix for path in tmp_path.glob("blobs/*/*")] == [".npy"]


numbers = st.floats(allow_nan=False) | st.integers() | st.booleans() | st.none() | st.text()
documents = st.recursive(
    numbers, lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_characters="$")), inner)
)


@given(documents)
def test_a_document_survives_packing(document: object) -> None:
    assert unpack(pack(document, to_text), from_text) == document


@pytest.mark.parametrize("kind", [float, int])
def test_a_long_list_survives_packing_with_its_type(kind: type) -> None:
    values = [kind(number) for number in range(2000)]
    packed = pack({"x": values}, to_text)
    assert set(packed["x"]) == {"$list"}
    assert unpack(packed, from_text)["x"] == values
    assert type(unpack(packed, from_text)["x"][0]) is kind


def test_integers_beyond_64_bits_stay_what_they_are() -> None:
    values = [2**70] * 2000
    assert unpack(pack(values, to_text), from_text) == values
