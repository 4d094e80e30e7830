"""CIDs, beside those that other implementations of UnixFS have made, and texts that are none."""

import base64
import contextlib
import hashlib
import json
import random
import tracemalloc
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bot.errors import Refused
from bot.pinning.cid import DAG_PB, EXPECTED, PROFILES, Cid, Shape, Tree, cids_of, leaf_of, parse
from tests import SPECS

# From ipfs-unixfs-importer 17.1.1, by size of the content: `stream(size)`.
VECTORS: Mapping[int, tuple[str, str, str, str]] = {
    0: (
        "QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH",
        "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku",
        "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku",
        "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku",
    ),
    1: (
        "QmboLZtGz8oLt5vaHpWCoFAbYbTueVmE48GEwBFUvrJS9g",
        "bafkreic2nz5eovfprz7up7eusmca3bj6pma6hhktpsy52nj4so324whlhu",
        "bafkreic2nz5eovfprz7up7eusmca3bj6pma6hhktpsy52nj4so324whlhu",
        "bafkreic2nz5eovfprz7up7eusmca3bj6pma6hhktpsy52nj4so324whlhu",
    ),
    262_144: (
        "QmRzjfPWkcYd6b5js8ZuncB9mau8GYjyNdwvKRkLzjFBrU",
        "bafkreiaqvmtqltef4yrmjn237esoqzwbgfwbjrrrbpsr3qctlxgvlm62me",
        "bafkreiaqvmtqltef4yrmjn237esoqzwbgfwbjrrrbpsr3qctlxgvlm62me",
        "bafkreiaqvmtqltef4yrmjn237esoqzwbgfwbjrrrbpsr3qctlxgvlm62me",
    ),
    262_145: (
        "QmV9TrqyG4wUyvg5g9YFSoUp9n46CRk12TeFp8GcPFmsXd",
        "bafybeicml3tuikq2go6eoyfpwdbykmev4a5nfam3hmkvce4xs6ilkyvkxi",
        "bafkreidrjbm3wj6qozkrjxuoagp7qhc4wxwlz6nf3anqlrdx6323jy7ujq",
        "bafkreidrjbm3wj6qozkrjxuoagp7qhc4wxwlz6nf3anqlrdx6323jy7ujq",
    ),
    1_048_577: (
        "QmdkiUgHXiFFZPfvB3SQ69Dvq9aV3WF1ygjsD7EjJHR2Q6",
        "bafybeiera3rlykgf7fhsftefi2yrvyeco4mek2sydaq5abur3erh2nwasi",
        "bafybeiec4zswoujjko62l636uj52b5xc5o7repfvux5pgxbh2fuddlguke",
        "bafybeiec4zswoujjko62l636uj52b5xc5o7repfvux5pgxbh2fuddlguke",
    ),
    3_333_333: (
        "QmbnUnjMbSG4o4JnSHN61owgxqRpiy1gbME3Epg9TfD7V4",
        "bafybeietpv7e37mtiubo6ohvxeiaou3fhti7csppbgvacyntp4btaf4sfe",
        "bafybeibcllfc5slfearersqjiqueqsvlhmnaqelk5mswxipzg536m7xgyq",
        "bafybeibcllfc5slfearersqjiqueqsvlhmnaqelk5mswxipzg536m7xgyq",
    ),
    45_613_056: (  # 174 chunks of 256 KiB: one full node
        "QmRW5K7d1YcoAp7XCFhG5hjSZmkKqRoyEZ2J3pXY9dzxXE",
        "bafybeidf3mza7quxvcyimhuactgvoawsutzsfi24cflrh3gqgrqwiggprq",
        "bafybeici5x5lub7jr6kn6ikspzafwgvukgogi75k6brsvhhgizaxstinmi",
        "bafybeici5x5lub7jr6kn6ikspzafwgvukgogi75k6brsvhhgizaxstinmi",
    ),
    45_613_057: (  # and one byte that needs a second one, and one above both
        "QmP74ZcGnpo7jtyXAYHBye9RbuvS4M5R5wZxuTnurm6VXe",
        "bafybeief5hxfbzqgcdvao6zzuky7tlnenazc4hfbiuguyhmcel24r2r7q4",
        "bafybeibjsbsacvgqvv5d3tcyarem63f4rkqiqqzem6vnq24747h7v75oee",
        "bafybeibjsbsacvgqvv5d3tcyarem63f4rkqiqqzem6vnq24747h7v75oee",
    ),
}

V0 = "QmV9TrqyG4wUyvg5g9YFSoUp9n46CRk12TeFp8GcPFmsXd"
V1 = "bafybeicml3tuikq2go6eoyfpwdbykmev4a5nfam3hmkvce4xs6ilkyvkxi"
BASE58 = "zdj7Waa1zna5VT5YK6ZMhxGMyyBMTyTsuDgL824BVPFJD5H5K"


@pytest.fixture(scope="module")
def stream() -> memoryview:
    """SHA-256 of a counter, again and again: what the vectors' content is cut from."""
    blocks = (hashlib.sha256(number.to_bytes(8, "little")).digest() for number in range(45_613_057 // 32 + 1))
    return memoryview(b"".join(blocks))


@pytest.mark.parametrize("size", VECTORS)
def test_a_file_has_the_cids_that_others_compute(stream: memoryview, size: int, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(stream[:size])

    cids = cids_of(file)

    assert cids.by_profile == dict(zip(PROFILES, VECTORS[size], strict=True))
    assert (cids.size, cids.sha256) == (size, hashlib.sha256(stream[:size]).hexdigest())


@pytest.mark.skipif(not SPECS.exists(), reason="the shared vectors are not on this machine")
def test_every_shared_vector_is_met(stream: memoryview) -> None:
    rows: list[dict[str, Any]] = json.loads((SPECS / "unixfs-cid-vectors.json").read_text())["rows"]
    assert len(rows) >= 28
    for row in rows:
        cids = cids_of(bytes(stream[: row["size"]]))
        assert {"size": cids.size, "sha256": cids.sha256, **cids.by_profile} == row


def test_one_profile_alone_is_computed_where_no_more_is_asked_for() -> None:
    assert cids_of(b"a", [EXPECTED]).by_profile == {EXPECTED: cids_of(b"a").by_profile[EXPECTED]}


def level_by_level(content: bytes, chunk: int, links: int) -> str:
    """The root's CID by the plain way, with protobuf written out: all chunks, then one whole level after the other."""

    def number(value: int) -> bytes:
        return bytes([value % 128 + 128]) + number(value // 128) if value > 127 else bytes([value])

    def field(tag: int, value: bytes | int) -> bytes:
        if isinstance(value, int):
            return bytes([tag * 8]) + number(value)
        return bytes([tag * 8 + 2]) + number(len(value)) + value

    level = [
        (b"\x01\x55\x12\x20" + hashlib.sha256(part).digest(), len(part), len(part))
        for part in (content[start : start + chunk] for start in range(0, len(content), chunk))
    ]
    while len(level) > 1:
        above: list[tuple[bytes, int, int]] = []
        for children in (level[start : start + links] for start in range(0, len(level), links)):
            sizes = [size for _, size, _ in children]
            block = b"".join(
                field(2, field(1, name) + field(2, b"") + field(3, weight)) for name, _, weight in children
            )
            block += field(1, field(1, 2) + field(3, sum(sizes)) + b"".join(field(4, size) for size in sizes))
            name = b"\x01\x70\x12\x20" + hashlib.sha256(block).digest()
            above.append((name, sum(sizes), len(block) + sum(weight for _, _, weight in children)))
        level = above
    return "b" + base64.b32encode(level[0][0]).decode().lower().rstrip("=")


@pytest.mark.parametrize("links", [2, 3, 7])
def test_a_tree_of_any_depth_that_grows_as_chunks_come_is_the_one_that_is_built_from_all_of_them(links: int) -> None:
    dice = random.Random(links)
    for chunks in [*range(1, 60), 343, 344]:
        content = dice.randbytes(200 * chunks - 1)
        tree = Tree(Shape(chunk=200, links=links, version=1))
        for start in range(0, len(content), 200):
            tree.add(leaf_of(memoryview(content[start : start + 200]), 1))
        assert str(tree.root()) == level_by_level(content, 200, links)


def test_a_large_file_takes_no_more_memory_than_a_small_one(tmp_path: Path) -> None:
    file = tmp_path / "large"
    with file.open("wb") as sparse:
        sparse.truncate(400_000_000)
    tracemalloc.start()
    cids_of(file, [EXPECTED])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_000_000


def test_the_cid_of_a_small_file_is_its_sha256_in_another_spelling() -> None:
    metadata = b'{"title":"An owl"}'
    assert parse(cids_of(metadata).by_profile["v1"]).multihash[2:] == hashlib.sha256(metadata).digest()


@pytest.mark.parametrize("text", [V0, V1, "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"])
def test_a_cid_is_read_and_written_as_it_was(text: str) -> None:
    assert str(parse(text)) == text


@pytest.mark.parametrize("text", [V1.upper(), "b" + V1[1:].upper(), BASE58])
def test_another_spelling_of_a_cid_is_the_same_one(text: str) -> None:
    assert str(parse(text)) == V1


def test_both_versions_of_a_cid_name_the_same_tree() -> None:
    cids = cids_of(b"\0" * 262_145)
    tree = parse(cids.by_profile["v0"])
    other_version = parse(str(Cid(1, DAG_PB, tree.multihash)))

    assert str(other_version).startswith("bafybei")
    assert other_version.names_the_same_as(tree)
    assert cids.profile_of(other_version) == "v0"
    assert cids.profile_of(parse(V1)) is None


def test_a_chunk_and_a_node_with_the_same_digest_are_not_the_same() -> None:
    cids = cids_of(b"a")
    as_node = Cid(1, DAG_PB, parse(cids.by_profile["v1"]).multihash)
    assert cids.profile_of(as_node) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "pending",
        "b",
        "Qm",
        V0[:-1],
        V0 + "1",
        V0.replace("V9", "0O"),  # no digits of base58
        V0[:-1] + "z" * 2,
        V1[:-1],
        V1 + "a",
        V1[:-1] + "j",  # bits that the last letter must not have
        V1 + "=",
        V1.replace("afy", "af1"),
        f"ipfs://{V1}",
        f" {V1}",
        f"{V1}\n",
        f"{V1}/picture.png",
        "b" + "a" * 5000,
        "bafkreı" + "a" * 52,
        "f01551220" + "5e" * 32,  # hex is not how a CID is handed out
        "bagaaierasords4njcts6vs7qvdjfcvgnume4hqohf65zsfguprqphs3icwe",  # its digest is too short
    ],
)
def test_what_is_no_cid_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="not a CID"):
        parse(text)


def test_junk_never_does_worse_than_being_refused() -> None:
    dice = random.Random(4)
    letters = "abcdefghijklmnopqrstuvwxyz234567ABCXYZ01Qmbz="
    for _ in range(20_000):
        text = dice.choice(["", "Qm", "b", "z", "bafy"]) + "".join(dice.choices(letters, k=dice.randrange(64)))
        with contextlib.suppress(Refused):
            assert str(parse(str(parse(text)))) == str(parse(text))
