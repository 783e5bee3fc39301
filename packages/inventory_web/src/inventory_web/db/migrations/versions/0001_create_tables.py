"""Create the tables and the first account."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op
from argon2 import PasswordHasher
from sqlalchemy.dialects import mysql

from inventory_core import LONG_TEXT, MYSQL_OPTIONS, ROW_ID, UtcMicroseconds, forbid_row_changes, migration_ops

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = (
    "inventory_web_job_chunk",
    "inventory_web_job",
    "inventory_web_saved_view",
    "inventory_web_audit_event",
    "inventory_web_login_throttle",
    "inventory_web_recovery_code",
    "inventory_web_second_factor",
    "inventory_web_user_session",
    "inventory_web_user",
)
"""Those that refer to others come first."""


def upgrade() -> None:
    _create_accounts()
    _create_audit()
    _create_jobs()
    forbid_row_changes(op.get_bind(), "inventory_web_audit_event")
    # Last, because MySQL commits this row with the next change of a table, and a repeated run would insert it again.
    _insert_first_account()


def _create_accounts() -> None:
    migration_ops.create_table(
        "inventory_web_user",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("name_key", sa.String(length=191), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcMicroseconds(), nullable=False),
        sa.Column("disabled_at", UtcMicroseconds(), nullable=True),
        sa.Column("language", sa.String(length=10), nullable=True),
        sa.Column("theme", sa.String(length=10), nullable=True),
        sa.Column("logged_in_at", UtcMicroseconds(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inventory_web_user")),
        sa.UniqueConstraint("name_key", name=op.f("uq_inventory_web_user_name_key")),
        **MYSQL_OPTIONS,
    )
    migration_ops.create_table(
        "inventory_web_user_session",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("user_id", ROW_ID, nullable=False),
        sa.Column("created_at", UtcMicroseconds(), nullable=False),
        sa.Column("seen_at", UtcMicroseconds(), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("agent", sa.String(length=200), nullable=False),
        sa.Column("kept", LONG_TEXT, nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["inventory_web_user.id"], name=op.f("fk_inventory_web_user_session_user_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inventory_web_user_session")),
        **MYSQL_OPTIONS,
    )
    migration_ops.create_index("ix_inventory_web_user_session_user_id", "inventory_web_user_session", ["user_id"])
    migration_ops.create_index("ix_inventory_web_user_session_seen_at", "inventory_web_user_session", ["seen_at"])
    migration_ops.create_table(
        "inventory_web_second_factor",
        sa.Column("user_id", ROW_ID, autoincrement=False, nullable=False),
        sa.Column("secret", sa.String(length=255), nullable=False),
        sa.Column("begun_by", sa.String(length=64), nullable=False),
        sa.Column("begun_at", UtcMicroseconds(), nullable=False),
        sa.Column("confirmed_at", UtcMicroseconds(), nullable=True),
        sa.Column("last_step", ROW_ID, nullable=False),
        sa.Column("fresh", LONG_TEXT, nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["inventory_web_user.id"], name=op.f("fk_inventory_web_second_factor_user_id")
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_inventory_web_second_factor")),
        **MYSQL_OPTIONS,
    )
    migration_ops.create_table(
        "inventory_web_recovery_code",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("user_id", ROW_ID, nullable=False),
        sa.Column("used_at", UtcMicroseconds(), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["inventory_web_user.id"], name=op.f("fk_inventory_web_recovery_code_user_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inventory_web_recovery_code")),
        **MYSQL_OPTIONS,
    )
    migration_ops.create_index("ix_inventory_web_recovery_code_user_id", "inventory_web_recovery_code", ["user_id"])
    migration_ops.create_table(
        "inventory_web_login_throttle",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("ends_at", UtcMicroseconds(), nullable=False),
        sa.Column("next_at", UtcMicroseconds(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inventory_web_login_throttle")),
        **MYSQL_OPTIONS,
    )
    migration_ops.create_index("ix_inventory_web_login_throttle_ends_at", "inventory_web_login_throttle", ["ends_at"])
    migration_ops.create_table(
        "inventory_web_saved_view",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("owner_id", ROW_ID, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("name_key", sa.String(length=255), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("opens_first", sa.Boolean(), nullable=False),
        sa.Column("query", LONG_TEXT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcMicroseconds(), nullable=False),
        sa.Column("changed_at", UtcMicroseconds(), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["inventory_web_user.id"], name=op.f("fk_inventory_web_saved_view_owner_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inventory_web_saved_view")),
        sa.UniqueConstraint("owner_id", "name_key", name=op.f("uq_inventory_web_saved_view_owner_id_name_key")),
        **MYSQL_OPTIONS,
    )
    migration_ops.create_index(
        "ix_inventory_web_saved_view_shared_name_key", "inventory_web_saved_view", ["shared", "name_key"]
    )


def _create_audit() -> None:
    migration_ops.create_table(
        "inventory_web_audit_event",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("at", UtcMicroseconds(), nullable=False),
        sa.Column("event", sa.String(length=40), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("actor_key", sa.String(length=191), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("subject_key", sa.String(length=191), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=False),
        sa.Column("details", LONG_TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inventory_web_audit_event")),
        **MYSQL_OPTIONS,
    )
    migration_ops.create_index("ix_inventory_web_audit_event_at", "inventory_web_audit_event", ["at"])
    migration_ops.create_index("ix_inventory_web_audit_event_event_id", "inventory_web_audit_event", ["event", "id"])
    migration_ops.create_index(
        "ix_inventory_web_audit_event_actor_key_id", "inventory_web_audit_event", ["actor_key", "id"]
    )
    migration_ops.create_index(
        "ix_inventory_web_audit_event_subject_key_id", "inventory_web_audit_event", ["subject_key", "id"]
    )


def _create_jobs() -> None:
    migration_ops.create_table(
        "inventory_web_job",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("step", sa.String(length=20), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("request", LONG_TEXT, nullable=False),
        sa.Column("size", ROW_ID, nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("worker", sa.String(length=32), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("stage", sa.String(length=40), nullable=False),
        sa.Column("done_rows", sa.Integer(), nullable=False),
        sa.Column("total_rows", sa.Integer(), nullable=False),
        sa.Column("remaining", sa.Integer(), nullable=True),
        sa.Column("outcome", LONG_TEXT, nullable=False),
        sa.Column("created_at", UtcMicroseconds(), nullable=False),
        sa.Column("touched_at", UtcMicroseconds(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inventory_web_job")),
        **MYSQL_OPTIONS,
    )
    migration_ops.create_index("ix_inventory_web_job_created_at", "inventory_web_job", ["created_at"])
    migration_ops.create_index("ix_inventory_web_job_state_touched_at", "inventory_web_job", ["state", "touched_at"])
    migration_ops.create_table(
        "inventory_web_job_chunk",
        sa.Column("job_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql"), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["inventory_web_job.id"], name=op.f("fk_inventory_web_job_chunk_job_id")),
        sa.PrimaryKeyConstraint("job_id", "number", name=op.f("pk_inventory_web_job_chunk")),
        **MYSQL_OPTIONS,
    )


def _insert_first_account() -> None:
    # Everybody knows this password, so it is marked as provisional: production allows only changing it.
    first = {
        "name": "admin",
        "name_key": "admin",
        "role": "admin",
        "password_hash": PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1).hash("admin123"),
        "provisional": True,
        "created_at": datetime.now(UTC),
    }
    user = sa.table(
        "inventory_web_user", *(sa.column(name, UtcMicroseconds() if name == "created_at" else None) for name in first)
    )
    op.bulk_insert(user, [first])


def downgrade() -> None:
    for table in TABLES:
        migration_ops.drop_table(table)
