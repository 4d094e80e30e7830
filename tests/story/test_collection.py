"""`python -m bot collection`, and what the doctor says about registering, against a chain and a Pinata."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer

from bot.__main__ import main
from bot.command_line.doctor import doctor
from bot.config import Settings, read_settings
from standins.base.faults import Fault
from standins.chain import ChainServer, says
from standins.chain.accounts import BOT
from standins.pinata import LEGACY, READ_ONLY, PinataServer
from storage.database import open_database


@dataclass
class Desk:
    """An admin's folder, and the services that its settings name."""

    folder: Path
    chain: ChainServer
    pinata: PinataServer

    @property
    def env(self) -> Path:
        return self.folder / "settings"

    def add(self, line: str) -> None:
        with self.env.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")

    async def run(self, *arguments: str) -> int:
        return await asyncio.to_thread(main, ["--env", str(self.env), *arguments])

    @property
    def settings(self) -> Settings:
        return read_settings(self.env)


@pytest.fixture
async def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Desk]:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    chain, pinata = ChainServer(), PinataServer()
    async with TestServer(chain.app()) as node, TestServer(pinata.app()) as pins:
        made = Desk(tmp_path, chain, pinata)
        origin = str(pins.make_url("")).rstrip("/")
        for line in (
            "DISCORD_TOKEN=a-token-for-a-discord-that-is-never-called",
            "BFL_API_KEY=sandbox-key",
            "BFL_API_URL=http://127.0.0.1:1",
            f"DATA_DIR={tmp_path / 'var'}",
            f"WALLET_PRIVATE_KEY={BOT.key.removeprefix('0x')}",
            f"RPC_PROVIDER_URL={str(node.make_url('')).rstrip('/')}/?key=a-key-in-the-address",
            "PINATA_JWT=sandbox-key",
            f"PINATA_API_URL={origin}",
            f"PINATA_UPLOADS_URL={origin}",
            "STORY_CONFIRMATIONS=1",
        ):
            made.add(line)
        yield made


CREATE = ("collection", "create", "--name", "Night Owls", "--symbol", "OWL")


def line_in(printed: str) -> str:
    return next(line for line in printed.splitlines() if line.startswith("SPG_NFT_CONTRACT_ADDRESS="))


async def test_a_collection_is_made_privately_and_its_line_for_the_settings_is_printed(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await desk.run(*CREATE) == 0
    printed = capsys.readouterr().out
    desk.add(line_in(printed))
    assert "for its minters alone" in printed
    assert await desk.run("collection", "show") == 0
    shown = capsys.readouterr().out
    assert "Night Owls (OWL)" in shown
    assert "may mint in it" in shown
    assert "minting: open" in shown


async def test_a_public_collection_is_made_on_request_alone(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert await desk.run(*CREATE, "--public") == 0
    assert "for everybody" in capsys.readouterr().out


async def test_asked_twice_the_same_collection_is_named_again_and_paid_for_once(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await desk.run(*CREATE) == 0
    first = line_in(capsys.readouterr().out)
    assert await desk.run(*CREATE) == 0
    assert line_in(capsys.readouterr().out) == first


async def test_without_coins_the_admin_is_told_what_to_send_and_where_it_is_free(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    await desk.chain.fund(BOT.address, 0)
    assert await desk.run(*CREATE) == 1
    output = capsys.readouterr().err
    assert BOT.address in output
    assert "faucet" in output


async def test_a_node_of_another_network_is_refused(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.chain.faults.append(Fault("eth_chainId", says("0x5ea"), times=9))
    assert await desk.run(*CREATE) == 1
    assert "chain id 1514" in capsys.readouterr().err


async def test_a_running_bot_is_named_as_what_stands_in_the_way(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    database = await open_database(desk.settings.data_dir / "bot.db")
    try:
        assert await desk.run(*CREATE) == 1
    finally:
        await database.close()
    assert "Another bot is running" in capsys.readouterr().err


async def test_the_doctor_proves_the_key_the_chain_and_the_rights(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await desk.run(*CREATE) == 0
    desk.add(line_in(capsys.readouterr().out))
    await doctor(desk.settings)
    output = capsys.readouterr().out
    assert "ok   Pinata takes files, and lets them go" in output
    assert "ok   The bot's wallet may mint in it." in output
    assert "registrations at today's fees" in output
    assert "a-key-in-the-address" not in output
    assert not desk.pinata.files


async def test_the_doctor_says_what_is_missing_for_registrations(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.pinata.keys["sandbox-key"] = READ_ONLY
    await doctor(desk.settings)
    output = capsys.readouterr().out
    assert "FAIL Images cannot be registered: SPG_NFT_CONTRACT_ADDRESS is missing." in output
    assert "FAIL Pinata" in output
    assert "PINATA_JWT" in output


async def test_the_doctor_is_content_with_an_older_key(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.pinata.keys["sandbox-key"] = LEGACY
    await doctor(desk.settings)
    assert "by an older key" in capsys.readouterr().out
