"""When the next attempt to log in to an account is taken."""

import sqlalchemy as sa
from alembic import op

from inventory_core import UtcMicroseconds

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    columns = {column["name"] for column in sa.inspect(op.get_bind()).get_columns("login_throttle")}
    if "next_at" not in columns:
        op.add_column("login_throttle", sa.Column("next_at", UtcMicroseconds(), nullable=True))


def downgrade() -> None:
    op.drop_column("login_throttle", "next_at")
