"""The SQLite database: how it is opened, migrated, read and written."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from cellwright.errors import CellwrightError, ConfigurationError
from cellwright.store.tables import HEAD

BUSY_SECONDS = 60.0


class StoreError(CellwrightError):
    """The database or an array file cannot be read or written."""


class Database:
    """One SQLite file, at the newest migration.

    A write takes the write lock when it begins, so what it reads is still true when it commits; a commit is
    on the disk when it returns.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        file.parent.mkdir(parents=True, exist_ok=True)
        url = sa.URL.create("sqlite", database=os.fspath(file))
        self._engine = sa.create_engine(url, connect_args={"timeout": BUSY_SECONDS}, json_serializer=_json)
        sa.event.listen(self._engine, "connect", _configure)
        sa.event.listen(self._engine, "begin", _begin)
        self._writing = self._engine.execution_options(begin="BEGIN IMMEDIATE")
        self._migrate()

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """Give a connection that sees one state of the database."""
        with self._mapped(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """Give a connection that is committed at the end, or rolled back by an exception."""
        with self._mapped(), self._writing.begin() as connection:
            yield connection

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    @contextmanager
    def _mapped(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as cause:
            said = cause.orig if isinstance(cause, DBAPIError) else cause
            raise StoreError(f"the database {self.file} cannot be used: {said}") from cause

    def _revision(self) -> str | None:
        with self.read() as connection:
            if not sa.inspect(connection).has_table("alembic_version"):
                return None
            revision: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
            return revision

    def _migrate(self) -> None:
        revision = self._revision()
        if revision == HEAD:
            return
        if revision is not None and revision > HEAD:
            raise ConfigurationError(
                f"the database {self.file} was written by a newer Cellwright (schema {revision}, not {HEAD})",
                hint="update Cellwright, or set CELLWRIGHT_HOME to another folder",
            )
        from alembic import command

        with self.write() as connection:
            command.upgrade(migrations(connection), "head")


def migrations(connection: sa.Connection) -> Any:
    """Return alembic's configuration of our migrations, on a connection."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _json(value: Any) -> str:
    return json.dumps(value, allow_nan=False, separators=(",", ":"))


def _configure(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # transactions are begun by `_begin`, not by sqlite3's guess
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: sa.Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))
