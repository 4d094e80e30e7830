"""The settings: all that is wrong is said at once, and no secret is ever shown."""

from pathlib import Path

import pytest

from bot.config import Settings, example, read_settings
from bot.errors import Broken
from tests import ROOT

TOKEN = "x" * 40


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:  # pyright: ignore[reportUnusedFunction]
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def test_everything_that_is_wrong_is_named_at_once_with_its_purpose(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BFL_REGION", "mars")
    monkeypatch.setenv("BFL_ACTIVE_TASKS", "many")
    with pytest.raises(Broken) as caught:
        read_settings()
    message = str(caught.value)
    assert "DISCORD_TOKEN is missing" in message
    assert "BFL_API_KEY is missing" in message
    assert "BFL_REGION is not right" in message
    assert "BFL_ACTIVE_TASKS is not right" in message
    assert "discord.com/developers" in message


def test_a_malformed_secret_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", "short-secret")
    with pytest.raises(Broken) as caught:
        read_settings()
    assert "DISCORD_TOKEN is not right" in str(caught.value)
    assert "short-secret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_secrets_are_not_in_the_settings_repr(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", TOKEN)
    monkeypatch.setenv("BFL_API_KEY", "very-secret")
    assert TOKEN not in repr(read_settings())
    assert "very-secret" not in repr(read_settings())


@pytest.mark.parametrize(
    "address", ["https://proxy.example.com/bfl", "http://proxy.example.com", "https://user:pass@proxy.example.com"]
)
def test_an_address_that_could_not_be_used_is_named_at_the_start(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", TOKEN)
    monkeypatch.setenv("BFL_API_KEY", "key")
    monkeypatch.setenv("BFL_API_URL", address)
    with pytest.raises(Broken, match="BFL_API_URL is not right"):
        read_settings()


def test_admins_are_a_list_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", TOKEN)
    monkeypatch.setenv("BFL_API_KEY", "key")
    monkeypatch.setenv("ADMIN_USER_IDS", "12, 34")
    assert read_settings().admin_user_ids == frozenset({12, 34})


def test_the_example_names_every_setting_and_is_the_file_that_we_ship() -> None:
    shipped = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert shipped == example()


def test_the_example_filled_in_is_enough(tmp_path: Path) -> None:
    filled = example().replace("DISCORD_TOKEN=", f"DISCORD_TOKEN={TOKEN}").replace("BFL_API_KEY=", "BFL_API_KEY=key")
    (tmp_path / "filled.env").write_text(filled, encoding="utf-8")
    settings = read_settings(tmp_path / "filled.env")
    assert settings.bfl_active_tasks == 24
