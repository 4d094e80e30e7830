"""when a service has confirmed a pin"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    # What older bots have noted was noted before it was sent: the bot asks each service again.
    op.add_column("pins", sa.Column("confirmed_at", sa.Float(), nullable=True))
