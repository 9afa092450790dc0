"""The workers that are alive, as they say themselves."""

from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from cellwright.store.database import Database
from cellwright.store.runs import UNFINISHED
from cellwright.store.tables import Clock, runs, stamp, workers


class Workers:
    """The table of workers."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def seen(self, worker: str) -> None:
        """Note that a worker is alive."""
        now = stamp(self._clock())
        row = insert(workers).values(id=worker, started_at=now, seen_at=now)
        with self._database.write() as connection:
            connection.execute(row.on_conflict_do_update(index_elements=[workers.c.id], set_={"seen_at": now}))

    def since(self, silence: timedelta) -> list[str]:
        """Return the workers that have been seen within a time."""
        with self._database.read() as connection:
            recent = workers.c.seen_at >= stamp(self._clock() - silence)
            return list(connection.scalars(sa.select(workers.c.id).where(recent)))

    def leave(self, worker: str) -> None:
        """Forget a worker."""
        with self._database.write() as connection:
            connection.execute(sa.delete(workers).where(workers.c.id == worker))

    def leave_if_idle(self, worker: str) -> bool:
        """Forget a worker unless a run waits; in one step, so that none waits for a worker that goes."""
        with self._database.write() as connection:
            if connection.scalar(sa.select(runs.c.id).where(UNFINISHED).limit(1)):
                return False
            connection.execute(sa.delete(workers).where(workers.c.id == worker))
        return True
