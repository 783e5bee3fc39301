"""Second factors, what an account and its logins further hold, and the events of the audit page."""

import sqlalchemy as sa
from alembic import op

from inventory_core import LONG_TEXT, MYSQL_OPTIONS, ROW_ID, UtcMicroseconds, migration_ops

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    migration_ops.add_column("user", sa.Column("theme", sa.String(length=10), nullable=True))
    migration_ops.add_column("user", sa.Column("logged_in_at", UtcMicroseconds(), nullable=True))
    migration_ops.add_column(
        "user_session", sa.Column("agent", sa.String(length=200), nullable=False, server_default="")
    )
    with op.batch_alter_table("user_session") as table:
        table.alter_column("agent", existing_type=sa.String(length=200), existing_nullable=False, server_default=None)
    migration_ops.add_column("user_session", sa.Column("kept", LONG_TEXT, nullable=True))
    migration_ops.create_table(
        "second_factor",
        sa.Column("user_id", ROW_ID, autoincrement=False, nullable=False),
        sa.Column("secret", sa.String(length=255), nullable=False),
        sa.Column("begun_by", sa.String(length=64), nullable=False),
        sa.Column("begun_at", UtcMicroseconds(), nullable=False),
        sa.Column("confirmed_at", UtcMicroseconds(), nullable=True),
        sa.Column("last_step", ROW_ID, nullable=False),
        sa.Column("fresh", LONG_TEXT, nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_second_factor_user_id")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_second_factor")),
        **MYSQL_OPTIONS,
    )
    migration_ops.create_table(
        "recovery_code",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("user_id", ROW_ID, nullable=False),
        sa.Column("used_at", UtcMicroseconds(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_recovery_code_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_code")),
        **MYSQL_OPTIONS,
    )
    migration_ops.create_index(op.f("ix_recovery_code_user_id"), "recovery_code", ["user_id"])
    migration_ops.create_table(
        "audit_event",
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
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_event")),
        **MYSQL_OPTIONS,
    )
    migration_ops.create_index(op.f("ix_audit_event_at"), "audit_event", ["at"])
    migration_ops.create_index(op.f("ix_audit_event_event_id"), "audit_event", ["event", "id"])
    migration_ops.create_index(op.f("ix_audit_event_actor_key_id"), "audit_event", ["actor_key", "id"])
    migration_ops.create_index(op.f("ix_audit_event_subject_key_id"), "audit_event", ["subject_key", "id"])


def downgrade() -> None:
    for table in ("audit_event", "recovery_code", "second_factor"):
        op.drop_table(table)
    for table, columns in (("user_session", ("kept", "agent")), ("user", ("logged_in_at", "theme"))):
        for column in columns:
            op.drop_column(table, column)
