"""The first tables: runs and their elements, workers, journal, cache, blobs."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "runs",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("project_id", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("description", sa.Text),
        sa.Column("created_by_email", sa.String, nullable=False),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("config", sa.JSON, nullable=False),
        sa.Column("options", sa.JSON, nullable=False),
        sa.Column("result", sa.JSON),
        sa.Column("error", sa.Text),
        sa.Column("error_code", sa.String),
        sa.Column("error_detail", sa.JSON),
        sa.Column("created_at", sa.String, nullable=False),
        sa.Column("updated_at", sa.String, nullable=False),
        sa.Column("started_at", sa.String),
        sa.Column("finished_at", sa.String),
        sa.Column("attached", sa.Boolean, nullable=False),
        sa.Column("cancel_requested", sa.Boolean, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("worker", sa.String),
        sa.Column("lease_expires_at", sa.String),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
    )
    op.create_index("ix_runs_project_id", "runs", ["project_id"])
    op.create_index("ix_runs_status", "runs", ["status"])
    op.create_index("ix_runs_created_at", "runs", ["created_at"])
    op.create_table(
        "elements",
        sa.Column("run_id", sa.String, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("element_type", sa.String, nullable=False),
        sa.Column("job_id", sa.String),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("progress", sa.JSON, nullable=False),
        sa.Column("record", sa.JSON),
        sa.Column("series", sa.JSON),
        sa.Column("error", sa.Text),
        sa.Column("error_code", sa.String),
        sa.Column("created_at", sa.String, nullable=False),
        sa.Column("updated_at", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("run_id", "position", name="pk_elements"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_elements_run_id_runs", ondelete="CASCADE"),
        sa.UniqueConstraint("run_id", "name", name="uq_elements_run_id_name"),
        sa.UniqueConstraint("job_id", name="uq_elements_job_id"),
    )
    op.create_table(
        "workers",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("started_at", sa.String, nullable=False),
        sa.Column("seen_at", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_workers"),
    )
    op.create_table(
        "batches",
        sa.Column("key", sa.String, nullable=False),
        sa.Column("index", sa.Integer, nullable=False),
        sa.Column("arrays", sa.LargeBinary, nullable=False),
        sa.Column("statuses", sa.JSON, nullable=False),
        sa.Column("solves", sa.Integer, nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("key", "index", name="pk_batches"),
    )
    op.create_table(
        "cache",
        sa.Column("key", sa.String, nullable=False),
        sa.Column("element", sa.String, nullable=False),
        sa.Column("reads", sa.JSON, nullable=False),
        sa.Column("record", sa.JSON, nullable=False),
        sa.Column("series", sa.JSON, nullable=False),
        sa.Column("created_at", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_cache"),
    )
    op.create_index("ix_cache_element", "cache", ["element"])
    op.create_table(
        "blobs",
        sa.Column("digest", sa.String, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_blobs"),
    )
    op.create_table(
        "blob_uses",
        sa.Column("owner", sa.String, nullable=False),
        sa.Column("digest", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("owner", "digest", name="pk_blob_uses"),
        sa.ForeignKeyConstraint(["digest"], ["blobs.digest"], name="fk_blob_uses_digest_blobs"),
    )
    op.create_index("ix_blob_uses_digest", "blob_uses", ["digest"])
