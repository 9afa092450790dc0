"""The tables. A change here needs a migration in `migrations/versions`; a test compares the two."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, TypeAlias

import sqlalchemy as sa

Clock: TypeAlias = Callable[[], datetime]
"""The moment now, with offset."""
HEAD: Final = "0002"
"""The newest migration."""

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

runs = sa.Table(
    "runs",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("project_id", sa.String, nullable=False, index=True),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("description", sa.Text),
    sa.Column("created_by_email", sa.String, nullable=False),
    sa.Column("status", sa.String, nullable=False, index=True),
    sa.Column("config", sa.JSON, nullable=False),
    sa.Column("options", sa.JSON, nullable=False),
    sa.Column("result", sa.JSON),
    sa.Column("error", sa.Text),
    sa.Column("error_code", sa.String),
    sa.Column("error_detail", sa.JSON),
    sa.Column("created_at", sa.String, nullable=False, index=True),
    sa.Column("updated_at", sa.String, nullable=False),
    sa.Column("started_at", sa.String),
    sa.Column("finished_at", sa.String),
    sa.Column("attached", sa.Boolean, nullable=False),
    sa.Column("cancel_requested", sa.Boolean, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("worker", sa.String),
    sa.Column("lease_expires_at", sa.String),
)

elements = sa.Table(
    "elements",
    metadata,
    sa.Column("run_id", sa.String, sa.ForeignKey(runs.c.id, ondelete="CASCADE"), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("element_type", sa.String, nullable=False),
    sa.Column("job_id", sa.String, unique=True),
    sa.Column("status", sa.String, nullable=False),
    sa.Column("progress", sa.JSON, nullable=False),
    sa.Column("record", sa.JSON),
    sa.Column("series", sa.JSON),
    sa.Column("error", sa.Text),
    sa.Column("error_code", sa.String),
    sa.Column("created_at", sa.String, nullable=False),
    sa.Column("updated_at", sa.String, nullable=False),
    sa.UniqueConstraint("run_id", "name"),
)

workers = sa.Table(
    "workers",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("started_at", sa.String, nullable=False),
    sa.Column("seen_at", sa.String, nullable=False),
)

batches = sa.Table(
    "batches",
    metadata,
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("index", sa.Integer, primary_key=True),
    sa.Column("arrays", sa.LargeBinary, nullable=False),
    sa.Column("statuses", sa.JSON, nullable=False),
    sa.Column("solves", sa.Integer, nullable=False),
    sa.Column("seconds", sa.Float, nullable=False),
)

cache = sa.Table(
    "cache",
    metadata,
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("element", sa.String, nullable=False, index=True),
    sa.Column("reads", sa.JSON, nullable=False),
    sa.Column("record", sa.JSON, nullable=False),
    sa.Column("series", sa.JSON, nullable=False),
    sa.Column("created_at", sa.String, nullable=False),
)

blobs = sa.Table(
    "blobs",
    metadata,
    sa.Column("digest", sa.String, primary_key=True),
    sa.Column("size", sa.Integer, nullable=False),
)

blob_uses = sa.Table(
    "blob_uses",
    metadata,
    sa.Column("owner", sa.String, primary_key=True),
    sa.Column("digest", sa.String, sa.ForeignKey(blobs.c.digest), primary_key=True, index=True),
)

cell_specifications = sa.Table(
    "cell_specifications",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("project_id", sa.String, nullable=False),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("created_by_email", sa.String, nullable=False),
    sa.Column("content", sa.JSON, nullable=False),
    sa.Column("created_at", sa.String, nullable=False, index=True),
    sa.Column("updated_at", sa.String, nullable=False),
    sa.UniqueConstraint("project_id", "name"),
)


def stamp(moment: datetime) -> str:
    """Return a moment as ISO 8601 with offset, in UTC and of one length, so that text sorts as time does."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def utc_now() -> datetime:
    """Return the moment that the system's clock shows."""
    return datetime.now(UTC)
