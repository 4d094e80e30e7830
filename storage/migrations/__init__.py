"""Changes of the schema, one file each, applied in order when the bot starts (Alembic)."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError

from bot.errors import Broken


def configuration(path: Path) -> Config:
    """Alembic's settings for the database at `path`."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["database"] = path
    return config


def upgrade(path: Path) -> None:
    """Bring the database at `path` to the newest schema. Blocks; call it before the loop has work.

    Raises:
        Broken: it was written by a newer bot, which this one cannot read.
    """
    try:
        command.upgrade(configuration(path), "head")
    except CommandError as error:
        raise Broken(f"{path} was written by a newer version of the bot. Install that version again.") from error
