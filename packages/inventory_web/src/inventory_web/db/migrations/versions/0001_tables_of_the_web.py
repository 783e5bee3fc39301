"""Tables of the web's areas, and the first account."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op
from argon2 import PasswordHasher

from inventory_core import MYSQL_OPTIONS, ROW_ID, UtcMicroseconds, migration_ops

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    migration_ops.create_table(
        "user",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("name_key", sa.String(length=191), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcMicroseconds(), nullable=False),
        sa.Column("disabled_at", UtcMicroseconds(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user")),
        sa.UniqueConstraint("name_key", name=op.f("uq_user_name_key")),
        **MYSQL_OPTIONS,
    )
    migration_ops.create_table(
        "user_session",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("user_id", ROW_ID, nullable=False),
        sa.Column("created_at", UtcMicroseconds(), nullable=False),
        sa.Column("seen_at", UtcMicroseconds(), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_user_session_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_session")),
        **MYSQL_OPTIONS,
    )
    migration_ops.create_index(op.f("ix_user_session_user_id"), "user_session", ["user_id"])
    migration_ops.create_index(op.f("ix_user_session_seen_at"), "user_session", ["seen_at"])
    migration_ops.create_table(
        "login_throttle",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("ends_at", UtcMicroseconds(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_throttle")),
        **MYSQL_OPTIONS,
    )
    migration_ops.create_index(op.f("ix_login_throttle_ends_at"), "login_throttle", ["ends_at"])

    # Known to everybody, so it is marked as provisional: production lets it do nothing but change the password.
    first = {
        "name": "admin",
        "name_key": "admin",
        "role": "admin",
        "password_hash": PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1).hash("admin123"),
        "provisional": True,
        "created_at": datetime.now(UTC),
    }
    user = sa.table("user", *(sa.column(name, UtcMicroseconds() if name == "created_at" else None) for name in first))
    op.bulk_insert(user, [first])


def downgrade() -> None:
    for table in ("login_throttle", "user_session", "user"):
        op.drop_table(table)
