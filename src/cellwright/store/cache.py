"""The cache: records of finished elements under the digest of what they read."""

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from cellwright.schema.documents import unpack
from cellwright.schema.results import ElementRecord
from cellwright.store.blobs import Blobs, DamagedBlobError
from cellwright.store.database import Database
from cellwright.store.tables import Clock, cache, stamp


class StoredCache:
    """Keeps finished records in a table; `cellwright.engine.seams.Cache`."""

    def __init__(self, database: Database, blobs: Blobs, clock: Clock) -> None:
        self._database = database
        self._blobs = blobs
        self._clock = clock

    def reads_of(self, element: str) -> list[frozenset[str]]:
        """Return the sets of parameter names that an element of this digest has read before."""
        with self._database.read() as connection:
            found = connection.scalars(sa.select(cache.c.reads).where(cache.c.element == element)).all()
        return sorted({frozenset(reads) for reads in found}, key=sorted)

    def load(self, key: str) -> ElementRecord | None:
        """Return the record under a key, with its series, or None; a damaged one is forgotten."""
        with self._database.read() as connection:
            row = connection.execute(sa.select(cache).where(cache.c.key == key)).one_or_none()
        if row is None:
            return None
        try:
            record = unpack(row.record, self._blobs.load)
            return ElementRecord.from_dict(record, self._blobs.load_series(row.series))
        except DamagedBlobError:
            self._forget(key)
            return None

    def save(self, element: str, reads: frozenset[str], key: str, record: ElementRecord) -> None:
        """Keep a finished record under its key."""
        with self._database.write() as connection:
            self._blobs.release(_owner(key), connection)
            keeping = self._blobs.keeping(_owner(key), connection)
            values = {
                "key": key,
                "element": element,
                "reads": sorted(reads),
                "record": keeping.document(record.to_dict()),
                "series": keeping.series(record.series),
                "created_at": stamp(self._clock()),
            }
            connection.execute(
                insert(cache).values(values).on_conflict_do_update(index_elements=[cache.c.key], set_=values)
            )

    def _forget(self, key: str) -> None:
        with self._database.write() as connection:
            connection.execute(sa.delete(cache).where(cache.c.key == key))
            self._blobs.release(_owner(key), connection)
        self._blobs.sweep()


def _owner(key: str) -> str:
    return f"cache:{key}"
