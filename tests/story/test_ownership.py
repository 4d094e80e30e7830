"""Proving that a wallet is one's own."""

import json
import re
from collections.abc import Callable

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct

from bot.errors import Refused
from bot.story.node.values import Address
from bot.story.ownership import (
    LIFETIME,
    Challenge,
    challenge,
    check,
    find_signed,
    plain_message,
    read_signature,
    recover_address,
)
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


def compact(signature: str) -> str:
    """The same in EIP-2098's 64 bytes."""
    raw = bytes.fromhex(signature[2:])
    s = int.from_bytes(raw[32:64]) | (raw[64] - 27) << 255
    return "0x" + raw[:32].hex() + s.to_bytes(32).hex()


def parts(signature: str) -> dict[str, object]:
    raw = bytes.fromhex(signature[2:])
    return {"r": "0x" + raw[:32].hex(), "s": "0x" + raw[32:64].hex(), "v": raw[64]}


PASTED: dict[str, Callable[[str, str], str]] = {
    "as it is": lambda sig, msg: sig,
    "without 0x": lambda sig, msg: sig[2:],
    "0X and capitals": lambda sig, msg: "0X" + sig[2:].upper(),
    "curly quotes": lambda sig, msg: f"“{sig}”",
    "marks of code": lambda sig, msg: f"```\n{sig}\n```",
    "lines": lambda sig, msg: "\n".join(sig[start : start + 60] for start in range(0, len(sig), 60)),
    "invisible characters": lambda sig, msg: f"\ufeff{sig}\u200b",
    "a sentence": lambda sig, msg: f"Signature Hash: {sig}",
    "EIP-2098": lambda sig, msg: compact(sig),
    "MyCrypto": lambda sig, msg: json.dumps({"address": ADA.address, "msg": msg, "sig": sig, "version": "2"}, indent=2),
    "MyEtherWallet": lambda sig, msg: json.dumps(
        {
            "address": ADA.address.lower(),
            "msg": "0x" + msg.encode().hex(),
            "sig": sig[2:],
            "version": "3",
            "signer": "MEW",
        }
    ),
    "Etherscan": lambda sig, msg: json.dumps({"address": ADA.address, "message": msg, "signature": sig}),
    "r, s and v": lambda sig, msg: json.dumps(parts(sig)),
    "between dashes": lambda sig, msg: (
        f"-----BEGIN ETHEREUM SIGNED MESSAGE-----\n{msg}\n-----BEGIN SIGNATURE-----\n{ADA.address}\n{sig}\n"
        "-----END ETHEREUM SIGNED MESSAGE-----"
    ),
}


@pytest.mark.parametrize("form", PASTED.values(), ids=PASTED)
@pytest.mark.parametrize("number", range(4))
def test_what_people_paste_is_taken(form: Callable[[str, str], str], number: int) -> None:
    message = f"a text\nof two lines, {number}"  # both recovery ids come up
    given = read_signature(form(sign_message(message), message))
    assert find_signed([message], given.signature, Address(ADA.address)) == message
    assert given.message in {None, message}


@pytest.mark.parametrize("copied", ["{}\n", "{} ", "windows"])
def test_what_copying_adds_to_a_message_is_allowed_for(copied: str) -> None:
    message = "one\n\ntwo"
    signed = message.replace("\n", "\r\n") if copied == "windows" else copied.format(message)
    given = read_signature(sign_message(signed))
    assert find_signed([message], given.signature, Address(ADA.address)) == signed
    assert find_signed([message], given.signature, Address(BEN.address)) is None
    assert find_signed(["another text"], given.signature, Address(ADA.address)) is None


@pytest.mark.parametrize(
    ("pasted", "sentence"),
    [
        (
            "0x" + "1" * 64,
            "64 digits, and a signature has 130. It may be the hash of a transaction; if it is your private",
        ),
        (ADA.address, "a wallet's address, not a signature"),
        ("0x" + "ab" * 300, "smart wallets sign in another way"),
        ("0x" + "1" * 129, "it has 129 digits"),
        ("hello", "there is no signature in it"),
        ("", "there is no signature in it"),
        ("[" * 3000, "there is no signature in it"),
        ('{"msg": "x"}', "there is no signature in it"),
        ('{"sig": 12, "r": "0x1", "s": "zz", "v": 27}', "there is no signature in it"),
        ("0x" + "1" * 130 + " 0x" + "2" * 130, "That is"),
    ],
)
def test_what_is_no_signature_is_called_what_it_is(pasted: str, sentence: str) -> None:
    with pytest.raises(Refused, match=re.escape(sentence)):
        read_signature(pasted)


def test_a_plain_text_does_not_look_like_a_website_that_asks_to_sign_in() -> None:
    """Wallets compare the domain of EIP-4361's first line with the page that asks, and warn of phishing."""
    text = plain_message(
        address=Address(ADA.address), account="ada (42)", chain_id=1315, nonce="n" * 20, expires_at=NOW
    )
    assert "wants you to sign in" not in text
    assert text.splitlines()[0] == "I link my wallet to my Discord account."
    for part in (f"Wallet: {ADA.address}", "Discord account: ada (42)", "Nonce: " + "n" * 20, "2027-01-15T08:00:00Z"):
        assert part in text
