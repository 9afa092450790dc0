"""Cell specifications."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "cell_specifications",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("project_id", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("created_by_email", sa.String, nullable=False),
        sa.Column("content", sa.JSON, nullable=False),
        sa.Column("created_at", sa.String, nullable=False),
        sa.Column("updated_at", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_cell_specifications"),
        sa.UniqueConstraint("project_id", "name", name="uq_cell_specifications_project_id_name"),
    )
    op.create_index("ix_cell_specifications_created_at", "cell_specifications", ["created_at"])
