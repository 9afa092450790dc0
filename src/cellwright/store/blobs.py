"""Arrays as files, each named by the SHA-256 of its bytes, and who uses them."""

import hashlib
import io
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.dialects.sqlite import insert

from cellwright.schema.documents import pack
from cellwright.schema.results import Series
from cellwright.store.database import Database, StoreError
from cellwright.store.tables import blob_uses, blobs

Array: TypeAlias = NDArray[Any]


class DamagedBlobError(StoreError):
    """The file of an array is missing, or its bytes are not those that were written."""


class Blobs:
    """The folder of `.npy` files beside the database.

    An array is written before the row that refers to it is committed, and its file is removed after its last
    user is gone, both under the write lock; a crash in between leaves a file too many, never one too few.
    """

    def __init__(self, folder: Path, database: Database) -> None:
        self._folder = folder
        self._database = database

    def path(self, digest: str) -> Path:
        """Return where the array of a digest is kept."""
        return self._folder / digest[:2] / f"{digest[2:]}.npy"

    def load(self, digest: str) -> Array:
        """Return an array.

        Raises: `DamagedBlobError` where its file is missing or changed.
        """
        try:
            content = self.path(digest).read_bytes()
        except FileNotFoundError:
            raise DamagedBlobError(f"the array file {self.path(digest)} is missing") from None
        if hashlib.sha256(content).hexdigest() != digest:
            raise DamagedBlobError(f"the array file {self.path(digest)} has been changed")
        array: Array = np.load(io.BytesIO(content), allow_pickle=False)
        return array

    def load_series(self, references: Mapping[str, Any]) -> Series:
        """Return the series that `Keeping.series` has put away."""
        return _each_channel(references, self.load)

    def sweep(self) -> int:
        """Remove the arrays that nobody uses, and return how many there were."""
        with self._database.write() as connection:
            used = sa.select(blob_uses.c.digest)
            unused = connection.scalars(sa.select(blobs.c.digest).where(blobs.c.digest.not_in(used))).all()
            for digest in unused:
                self.path(digest).unlink(missing_ok=True)
            connection.execute(sa.delete(blobs).where(blobs.c.digest.in_(unused)))
        return len(unused)

    def keeping(self, owner: str, connection: sa.Connection) -> "Keeping":
        """Return what puts arrays away for an owner, inside a write."""
        return Keeping(self, owner, connection)

    def release(self, owner: str, connection: sa.Connection) -> None:
        """Forget what an owner uses; `sweep` removes what is left without any."""
        connection.execute(sa.delete(blob_uses).where(blob_uses.c.owner == owner))

    def write(self, array: Array) -> tuple[str, int]:
        """Write an array's file durably; return its digest and size."""
        buffer = io.BytesIO()
        np.save(buffer, np.ascontiguousarray(array), allow_pickle=False)
        content = buffer.getvalue()
        digest = hashlib.sha256(content).hexdigest()
        path = self.path(digest)
        if not (path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() == digest):
            _write_durably(path, content)
        return digest, len(content)


class Keeping:
    """Puts arrays away for one owner inside one write."""

    def __init__(self, blobs: Blobs, owner: str, connection: sa.Connection) -> None:
        self._blobs = blobs
        self._owner = owner
        self._connection = connection

    def array(self, array: Array) -> str:
        """Keep an array and return its digest."""
        digest, size = self._blobs.write(array)
        self._connection.execute(insert(blobs).values(digest=digest, size=size).on_conflict_do_nothing())
        self._connection.execute(insert(blob_uses).values(owner=self._owner, digest=digest).on_conflict_do_nothing())
        return digest

    def document(self, document: Any) -> Any:
        """Return a document as strict JSON, its long lists kept as arrays."""
        return pack(document, self.array)

    def series(self, series: Series) -> dict[str, Any]:
        """Keep the channels of every series and return their digests in the same shape."""
        return _each_channel(series, self.array)


def _each_channel(series: Mapping[str, Any], act: Callable[[Any], Any]) -> dict[str, Any]:
    return {
        objective: {
            source: {channel: act(values) for channel, values in channels.items()}
            for source, channels in sources.items()
        }
        for objective, sources in series.items()
    }


def _write_durably(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except OSError as cause:
        Path(temporary).unlink(missing_ok=True)
        raise StoreError(f"the array file {path} cannot be written: {cause.strerror}") from cause
    if os.name == "posix":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
