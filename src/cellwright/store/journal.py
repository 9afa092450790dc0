"""The journal of searches: every batch, durable before the search goes on."""

import io

import numpy as np
import sqlalchemy as sa

from cellwright.schema.search import Batch
from cellwright.store.database import Database
from cellwright.store.tables import batches


class StoredJournal:
    """Keeps the batches of searches in a table; `cellwright.engine.seams.Journal`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self, key: str) -> list[Batch]:
        """Return the batches that are kept under a search's key, in order, as far as none is missing."""
        with self._database.read() as connection:
            rows = connection.execute(sa.select(batches).where(batches.c.key == key).order_by(batches.c.index)).all()
        return [_batch(row) for place, row in enumerate(rows) if row._mapping["index"] == place]

    def append(self, key: str, index: int, batch: Batch) -> None:
        """Keep one batch durably before returning.

        A batch of the same points in its place stands; any other is dropped with all that follow it.
        """
        values = {
            "key": key,
            "index": index,
            "arrays": _arrays(batch),
            "statuses": list(batch.statuses),
            "solves": batch.solves,
            "seconds": batch.seconds,
        }
        mine = batches.c.key == key
        with self._database.write() as connection:
            kept = connection.execute(sa.select(batches).where(mine, batches.c.index == index)).one_or_none()
            if kept is not None and np.array_equal(_batch(kept).points, batch.points):
                return
            connection.execute(sa.delete(batches).where(mine, batches.c.index >= index))
            connection.execute(sa.insert(batches).values(values))


def _arrays(batch: Batch) -> bytes:
    buffer = io.BytesIO()
    residuals = {} if batch.residuals is None else {"residuals": batch.residuals}
    np.savez(buffer, points=batch.points, costs=batch.costs, allow_pickle=False, **residuals)
    return buffer.getvalue()


def _batch(row: sa.Row[tuple[object, ...]]) -> Batch:
    with np.load(io.BytesIO(row.arrays), allow_pickle=False) as arrays:
        return Batch(
            points=arrays["points"],
            costs=arrays["costs"],
            residuals=arrays.get("residuals"),
            statuses=tuple(row.statuses),
            solves=row.solves,
            seconds=row.seconds,
        )
