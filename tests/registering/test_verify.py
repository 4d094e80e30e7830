"""`/verify`: whether these exact bytes are registered, or what they look like; and nothing that nobody knows."""

import io
import random
from typing import Any

import aiohttp
import pytest
from PIL import Image

from standins.base.faults import Fault
from standins.chain.accounts import ADA, BEN
from standins.chain.faults import unavailable
from storage.registering.registrations import Registration
from tests.conftest import MakeCommunity
from tests.registering.test_commands import read_card
from tests.scenes.community import Community, job_of, private
from tests.scenes.registering import approve_registration, load_registration, read_cards, submit_registration


@pytest.fixture
async def owls(make_community: MakeCommunity) -> Community:
    return await make_community(story={})


async def register_picture(community: Community) -> Registration:
    registration_id = await submit_registration(community)
    await approve_registration(community, registration_id)
    row = await load_registration(community, registration_id)
    assert row.ip_id, row
    return row


async def bytes_of(community: Community, row: Registration) -> bytes:
    return await community.app.services.kit.files.read(row.sha256)


async def verify(community: Community, content: bytes | None = None, **options: str) -> str:
    given = {"image": ("cat.jpg", content)} if content is not None else {}
    return read_card(await community.ben.slash(community.studio, "verify", **given, **options))


def copy_of(content: bytes) -> bytes:
    """The same picture, saved anew."""
    made = io.BytesIO()
    with Image.open(io.BytesIO(content)) as picture:
        picture.convert("RGB").resize((128, 72)).save(made, "JPEG", quality=80)  # pyright: ignore[reportUnknownMemberType] # names numpy
    return made.getvalue()


def another() -> bytes:
    made = io.BytesIO()
    noise = Image.frombytes("RGB", (16, 9), random.Random(7).randbytes(16 * 9 * 3))
    noise.resize((640, 360)).save(made, "PNG")  # pyright: ignore[reportUnknownMemberType] # names numpy
    return made.getvalue()


async def test_registered_bytes_are_known_with_who_approved_them_and_what_others_may_do(owls: Community) -> None:
    row = await register_picture(owls)
    text = await verify(owls, await bytes_of(owls, row))
    for part in (
        "### ✅ cat.jpg: registered as IP",
        f"[{row.ip_id}]",
        "**A lighthouse**",
        f"Registered by <@{owls.ada.id}>, approved by <@{owls.mia.id}>.",
        "Anyone may share and remix it for free",
        "✅ **Read from the chain just now:**",
        f"SHA-256 `{row.sha256}`",
    ):
        assert part in text, part


async def test_whatever_names_it_leads_to_the_same_verdict(owls: Community) -> None:
    row = await register_picture(owls)
    view = await read_cards(owls, row.id)
    card = next(message for message in owls.cards if message.id == view.job.message_id)
    picture = owls.cards[0]
    for link in (row.id, str(row.ip_id), str(row.ip_id).lower(), card.jump_url, picture.jump_url, job_of(picture)):
        assert ": registered as IP" in await verify(owls, link=link), link
    for message in (card, picture):
        assert ": registered as IP" in read_card(
            await owls.ben.context_menu(owls.studio, "Verify this picture", message)
        )
    post = await owls.ben.send(owls.studio, "look", attachments=[("mine.jpg", await bytes_of(owls, row))])
    text = read_card(await owls.ada.context_menu(owls.studio, "Verify this picture", post))
    assert "### ✅ mine.jpg: registered as IP" in text


async def test_a_copy_that_was_saved_again_is_not_registered_but_looks_like_it(owls: Community) -> None:
    row = await register_picture(owls)
    text = await verify(owls, copy_of(await bytes_of(owls, row)))
    assert "### cat.jpg: not registered" in text
    assert "It looks like **A lighthouse**" in text
    assert str(row.ip_id) in text


async def test_another_picture_is_neither(owls: Community) -> None:
    await register_picture(owls)
    text = await verify(owls, another())
    assert "not registered" in text
    assert "Nor does anything that is registered here look like it." in text


async def test_what_waits_for_a_moderator_is_said_to_wait(owls: Community) -> None:
    row = await load_registration(owls, await submit_registration(owls))
    text = await verify(owls, await bytes_of(owls, row))
    assert "### cat.jpg: not registered yet" in text
    assert "waiting for a moderator" in text
    assert "not registered yet" in await verify(owls, link=row.id)


async def test_a_draft_is_nobodys_business(owls: Community) -> None:
    card = await owls.drawn()
    await owls.ada.click(card, label="Register")
    content = await owls.app.services.kit.files.read((await owls.view(job_of(card))).images[0].sha256)
    assert "This bot has not registered these exact bytes" in await verify(owls, content)


async def test_a_file_that_is_no_picture_is_looked_up_and_not_opened(owls: Community) -> None:
    await register_picture(owls)
    text = await verify(owls, b"\xff\xd8\xff no picture at all")
    assert "not registered" in text
    assert "Whether it looks like one could not be seen" in text


async def test_what_is_too_large_is_not_even_fetched(owls: Community) -> None:
    result = await owls.ben.slash(owls.studio, "verify", image=("cat.png", b"\0" * 26_000_000))
    assert "has 26 MB, and the most is 25 MB" in private(result)
    assert owls.env.errors


@pytest.mark.parametrize(
    ("link", "sentence"),
    [
        ("https://example.com/cat.png", "Other websites are not looked at"),
        ("http://169.254.169.254/latest", "Other websites are not looked at"),
        ("0x" + "12" * 20, "This bot has registered no IP asset"),
        ("0x12", "There is no request"),
        ("nothing", "There is no request"),
    ],
)
async def test_what_leads_nowhere_is_a_sentence(owls: Community, link: str, sentence: str) -> None:
    assert sentence in private(await owls.ben.slash(owls.studio, "verify", link=link))
    assert owls.env.errors


async def test_a_picture_has_to_be_given_and_only_one_way(owls: Community) -> None:
    for options in ({}, {"link": "x", "image": ("cat.png", b"x")}):
        assert "Say which picture" in private(await owls.ben.slash(owls.studio, "verify", **options))
    words = await owls.ben.send(owls.studio, "no picture")
    result = await owls.ada.context_menu(owls.studio, "Verify this picture", words)
    assert "has no JPEG, PNG or WebP." in private(result)
    assert owls.env.errors


async def test_a_chain_that_does_not_answer_is_said_to_be_unknown(owls: Community) -> None:
    row = await register_picture(owls)
    chain = owls.services.chain
    assert chain
    chain.faults.append(Fault("*", unavailable(), times=100))
    text = await verify(owls, await bytes_of(owls, row))
    assert "registered as IP" in text
    assert "❔ **The chain could not be read now:**" in text
    assert "✅ **Read" not in text


async def test_a_token_that_was_passed_on_is_said_to_be_another_ones_now(owls: Community) -> None:
    row = await register_picture(owls)
    await pass_on(owls, row, BEN.address)
    text = await verify(owls, await bytes_of(owls, row))
    assert "registered as IP" in text
    assert "something is different by now:**" in text
    assert BEN.address in text


async def pass_on(community: Community, row: Registration, to: str) -> None:
    """Its owner, Ada, sends the token to somebody else."""
    assert row.token_id
    words = [f"{int(each, 16):064x}" for each in (ADA.address, to, hex(int(row.token_id)))]
    async with aiohttp.ClientSession() as session:

        async def ask(method: str, *params: object) -> Any:
            call = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
            async with session.post(community.services.origins["chain"], json=call) as reply:
                answer = await reply.json()
            assert "result" in answer, answer
            return answer["result"]

        transaction: dict[str, object] = {
            "to": community.services.collection,
            "data": "0x23b872dd" + "".join(words),  # transferFrom(address,address,uint256)
            "gas": 300_000,
            "maxFeePerGas": 10**11,
            "maxPriorityFeePerGas": 10**9,
            "nonce": int(await ask("eth_getTransactionCount", ADA.address, "latest"), 16),
            "chainId": 1315,
            "value": 0,
        }
        sent = await ask("eth_sendRawTransaction", "0x" + ADA.sign(transaction).hex())
        receipt = await ask("eth_getTransactionReceipt", sent)
        assert receipt["status"] == "0x1"


async def test_another_communitys_registration_names_nobody(owls: Community) -> None:
    row = await register_picture(owls)
    verification = owls.app.services.registering.verification
    verdict = await verification.of_bytes("cat.jpg", row.sha256, guild_id=owls.guild.id + 1)
    assert verdict.foreign
    assert verdict.registered
    waiting = await load_registration(owls, await submit_registration(owls))
    assert (await verification.of_bytes("x", waiting.sha256, guild_id=owls.guild.id + 1)).registered is None
