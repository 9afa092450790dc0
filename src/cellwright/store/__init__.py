"""What lasts: runs, the journal of searches, the cache of elements, cell specifications, arrays."""

from pathlib import Path

from cellwright.store.blobs import Blobs
from cellwright.store.cache import StoredCache
from cellwright.store.cell_specifications import CellSpecifications
from cellwright.store.database import Database
from cellwright.store.journal import StoredJournal
from cellwright.store.location import default_home
from cellwright.store.runs import Runs
from cellwright.store.tables import Clock, utc_now
from cellwright.store.workers import Workers

__all__ = ["Store", "default_home"]


class Store:
    """A folder with a SQLite database and the arrays beside it; any number of processes may use it."""

    def __init__(self, home: Path | None = None, clock: Clock = utc_now) -> None:
        self.home = home or default_home()
        self.database = Database(self.home / "cellwright.db")
        self.blobs = Blobs(self.home / "blobs", self.database)
        self.runs = Runs(self.database, self.blobs, clock)
        self.cell_specifications = CellSpecifications(self.database, self.blobs, clock)
        self.workers = Workers(self.database, clock)
        self.journal = StoredJournal(self.database)
        self.cache = StoredCache(self.database, self.blobs, clock)

    def close(self) -> None:
        """Close the database."""
        self.database.close()
