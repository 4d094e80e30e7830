"""Proving that a wallet is one's own."""

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct

from bot.errors import Refused
from bot.story.node.values import Address
from bot.story.ownership import LIFETIME, Challenge, challenge, check, recover_address
from standins.chain import ACCOUNTS

ADA, BEN = ACCOUNTS["ada"], ACCOUNTS["ben"]
NOW = 1_800_000_000.0
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def ask(address: str = ADA.address) -> Challenge:
    return challenge(
        address=Address(address),
        domain="discord.com",
        uri="https://discord.com/channels/1",
        statement="Link this wallet to ada in Lighthouses.",
        chain_id=1315,
        request_id="42",
        now=NOW,
    )


def sign_message(message: str, key: str = ADA.key) -> str:
    return "0x" + Account.sign_message(encode_defunct(text=message), key).signature.hex()


def test_the_message_is_word_for_word_what_eip_4361_says() -> None:
    asked = ask()
    assert asked.message == (
        "discord.com wants you to sign in with your Ethereum account:\n"
        f"{ADA.address}\n"
        "\n"
        "Link this wallet to ada in Lighthouses.\n"
        "\n"
        "URI: https://discord.com/channels/1\n"
        "Version: 1\n"
        "Chain ID: 1315\n"
        f"Nonce: {asked.nonce}\n"
        "Issued At: 2027-01-15T08:00:00Z\n"
        "Expiration Time: 2027-01-15T08:10:00Z\n"
        "Request ID: 42"
    )
    assert asked.nonce.isalnum()
    assert len(asked.nonce) >= 8
    assert ask().nonce != asked.nonce


@pytest.mark.parametrize("form", ["{}", ' "{}"\n', "  {}"])
def test_the_owners_signature_is_taken_as_wallets_give_it(form: str) -> None:
    asked = ask()
    for signature in (sign_message(asked.message), sign_message(asked.message)[2:]):
        check(asked, address=Address(ADA.address), signature=form.format(signature), now=NOW + 1)


def test_a_signature_with_recovery_id_0_or_1_is_the_same() -> None:
    asked = ask()
    raw = bytearray.fromhex(sign_message(asked.message)[2:])
    raw[64] -= 27
    assert recover_address(asked.message, "0x" + raw.hex()) == ADA.address


def test_another_s_signature_is_refused() -> None:
    asked = ask()
    with pytest.raises(Refused, match=BEN.address):
        check(asked, address=Address(ADA.address), signature=sign_message(asked.message, BEN.key), now=NOW)


def test_a_signature_of_an_older_message_is_refused() -> None:
    with pytest.raises(Refused, match="or of another text"):
        check(ask(), address=Address(ADA.address), signature=sign_message(ask().message), now=NOW)


def test_a_message_expires() -> None:
    asked = ask()
    with pytest.raises(Refused, match="expired"):
        check(asked, address=Address(ADA.address), signature=sign_message(asked.message), now=NOW + LIFETIME)


def test_a_signature_that_was_turned_into_its_twin_is_refused() -> None:
    raw = bytes.fromhex(sign_message(ask().message)[2:])
    twin = raw[:32] + (ORDER - int.from_bytes(raw[32:64])).to_bytes(32) + bytes([55 - raw[64]])
    with pytest.raises(Refused, match="odd form"):
        recover_address("x", "0x" + twin.hex())


@pytest.mark.parametrize(
    "wrong",
    ["", "0x", "hello", "0x" + "0" * 129, "0x" + "0" * 130, "0x" + "g" * 130, "0x" + "f" * 130, "0x" + "1" * 700,
     "0x" + "ff" * 32 + "01" * 32 + "1b", "0x" + "00" * 32 + "01" * 32 + "1b"],
)  # fmt: skip
def test_what_is_no_signature_is_refused_in_words(wrong: str) -> None:
    with pytest.raises(Refused):
        recover_address("x", wrong)
