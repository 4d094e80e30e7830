"""Computes the CIDs of a file, by which a service is proven to hold our bytes before metadata name them for good.

A file on IPFS is a tree: its bytes are cut into chunks, and nodes above them list their children's hashes. Services cut
and link in one of four usual ways (`PROFILES`), so one file may have four CIDs. All are computed in one pass over the
file, in the memory of one piece of it and, for each level of a tree, of the links of one node.

Source: github.com/ipfs/specs (UnixFS, dag-pb), github.com/multiformats/cid, IPIP-499 for the profiles. Tests compare
with CIDs that other implementations have made.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO, FileIO
from pathlib import Path
from typing import Final, Literal

from bot.errors import Refused

Profile = Literal["v0", "v1", "v1-1m", "v1-2025"]
EXPECTED: Final[Profile] = "v1"
"""What both of our services are asked for."""

RAW: Final = 0x55  # a chunk, as it is
DAG_PB: Final = 0x70  # a node of a tree
SHA2_256: Final = 0x12

_KIB: Final = 1024
_PIECE: Final = 1024 * _KIB  # bytes read at once; every chunk size divides it
_LONGEST: Final = 200  # characters of a text that may be a CID
_BASE58: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_SHA256_V0: Final = bytes((SHA2_256, 32))


@dataclass(frozen=True, slots=True)
class Shape:
    """How a profile cuts a file into chunks and links them."""

    chunk: int
    """Bytes."""
    links: int
    """The most that one node has."""
    version: Literal[0, 1]
    """Of version 0 every chunk is wrapped into a node; of version 1 it is taken as it is."""


_SHAPES: Final[Mapping[Profile, Shape]] = {
    "v0": Shape(256 * _KIB, 174, 0),
    "v1": Shape(256 * _KIB, 174, 1),
    "v1-1m": Shape(1024 * _KIB, 174, 1),
    "v1-2025": Shape(1024 * _KIB, 1024, 1),
}
PROFILES: Final[tuple[Profile, ...]] = tuple(_SHAPES)


@dataclass(frozen=True, slots=True)
class Cid:
    """A parsed CID."""

    version: Literal[0, 1]
    codec: int
    """What the bytes that it names are: `RAW` or `DAG_PB`, or something that no file of ours is."""
    multihash: bytes
    """Which hash, its length, and the digest."""

    def __str__(self) -> str:
        """In its usual spelling: version 0 in base58, version 1 in lower-case base32."""
        if self.version == 0:
            return _base58(self.multihash)
        return "b" + _base32(b"\x01" + _varint(self.codec) + self.multihash)

    def names_the_same_as(self, other: "Cid") -> bool:
        """Whether both name the same bytes and the same tree: the version is only a way of writing it."""
        return (self.codec, self.multihash) == (other.codec, other.multihash)


@dataclass(frozen=True, slots=True)
class Cids:
    """The CIDs and the SHA-256 of one file."""

    sha256: str
    """Of its bytes, in hex."""
    size: int
    """Bytes."""
    by_profile: Mapping[Profile, str]

    def profile_of(self, cid: Cid) -> Profile | None:
        """The profile by which this file has that CID, in either version; None if it has it by none."""
        return next((name for name, text in self.by_profile.items() if parse(text).names_the_same_as(cid)), None)


def cids_of(source: Path | bytes, profiles: Collection[Profile] = PROFILES) -> Cids:
    """The CIDs and the SHA-256 of a file or of these bytes. Takes some milliseconds a megabyte: call it in a thread.

    Raises:
        OSError: the file cannot be read.
    """
    whole = hashlib.sha256()
    size = 0
    trees: dict[Profile, Tree] = {name: Tree(_SHAPES[name]) for name in profiles}
    cuts: dict[tuple[int, Literal[0, 1]], list[Tree]] = {}  # trees of the same chunks: those are hashed once
    for tree in trees.values():
        cuts.setdefault((tree.shape.chunk, tree.shape.version), []).append(tree)
    with BytesIO(source) if isinstance(source, bytes) else source.open("rb", buffering=0) as file:
        for piece in _pieces(file):
            whole.update(piece)
            size += len(piece)
            for (length, version), alike in cuts.items():
                for start in range(0, len(piece), length):
                    leaf = leaf_of(piece[start : start + length], version)
                    for tree in alike:
                        tree.add(leaf)
    return Cids(whole.hexdigest(), size, {name: str(tree.root()) for name, tree in trees.items()})


def parse(text: str) -> Cid:
    """Read a CID: version 0, or version 1 in base32 (either case) or base58.

    Raises:
        Refused: it is none.
    """
    if len(text) <= _LONGEST and text.isascii():
        try:
            return _parse(text)
        except (ValueError, IndexError):
            pass
    raise Refused("That is not a CID: one begins with Qm or with b, such as bafkrei….")


def _parse(text: str) -> Cid:
    if re.fullmatch(r"Qm.{44}", text):
        multihash = _from_base58(text)
        if len(multihash) != 34 or multihash[:2] != _SHA256_V0:
            raise ValueError("not the length of a SHA-256")
        return Cid(0, DAG_PB, multihash)
    match text[:1]:
        case "b" | "B":
            binary = _from_base32(text[1:])
        case "z":
            binary = _from_base58(text[1:])
        case _:
            raise ValueError("not a base that CIDs are written in")
    version, binary = _from_varint(binary)
    codec, multihash = _from_varint(binary)
    hash_function, rest = _from_varint(multihash)
    length, digest = _from_varint(rest)
    if version != 1 or length != len(digest) or (hash_function == SHA2_256 and length != 32):
        raise ValueError("not a CID of version 1")
    return Cid(1, codec, multihash)


@dataclass(frozen=True, slots=True)
class Node:
    """A chunk, or a node of a tree, as the node above it sees it."""

    codec: int
    digest: bytes
    size: int
    """Bytes of the file under it."""
    weight: int
    """Bytes of all blocks under it and of its own."""

    def link(self, version: Literal[0, 1]) -> bytes:
        multihash = _SHA256_V0 + self.digest
        cid = multihash if version == 0 else b"\x01" + _varint(self.codec) + multihash
        return _field(2, _field(1, cid) + _field(2, b"") + _number(3, self.weight))


class Tree:
    """The tree above chunks that come one by one. A node is made once it is full, and its children are forgotten."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self._levels: list[list[Node]] = [[]]  # what has no node above it yet; the chunks are level 0

    def add(self, node: Node, level: int = 0) -> None:
        if level == len(self._levels):
            self._levels.append([])
        waiting = self._levels[level]
        waiting.append(node)
        if len(waiting) == self.shape.links:
            self._close(level)

    def root(self) -> Cid:
        """Close what is not full yet, from the chunks upwards, until one node is over all."""
        level = 0
        while level < len(self._levels) - 1 or len(self._levels[level]) > 1:
            if self._levels[level]:
                self._close(level)
            level += 1
        root = self._levels[-1][0] if self._levels[-1] else leaf_of(memoryview(b""), self.shape.version)
        return Cid(self.shape.version, root.codec, _SHA256_V0 + root.digest)

    def _close(self, level: int) -> None:
        children = self._levels[level]
        self._levels[level] = []
        size = sum(child.size for child in children)
        links = b"".join(child.link(self.shape.version) for child in children)
        sizes = b"".join(_number(4, child.size) for child in children)
        block = links + _field(1, _number(1, 2) + _number(3, size) + sizes)
        weight = len(block) + sum(child.weight for child in children)
        self.add(Node(DAG_PB, hashlib.sha256(block).digest(), size, weight), level + 1)


def leaf_of(chunk: memoryview, version: Literal[0, 1]) -> Node:
    size = len(chunk)
    if version == 1:
        return Node(RAW, hashlib.sha256(chunk).digest(), size, size)
    head = _number(1, 2) + (b"\x12" + _varint(size) if size else b"")  # UnixFS: a file, its bytes
    tail = _number(3, size)
    wrapping = b"\x0a" + _varint(len(head) + size + len(tail)) + head
    block = hashlib.sha256(wrapping)
    block.update(chunk)
    block.update(tail)
    return Node(DAG_PB, block.digest(), size, len(wrapping) + size + len(tail))


def _pieces(file: BytesIO | FileIO) -> Iterator[memoryview]:
    """The file in pieces of `_PIECE` bytes, the last one shorter. A piece is good until the next is asked for."""
    buffer = memoryview(bytearray(_PIECE))
    while True:
        filled = 0
        while filled < _PIECE and (count := file.readinto(buffer[filled:])):
            filled += count
        if filled:
            yield buffer[:filled]
        if filled < _PIECE:
            return


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _from_varint(binary: bytes) -> tuple[int, bytes]:
    number = 0
    for position, byte in enumerate(binary[:9]):
        number |= (byte & 0x7F) << 7 * position
        if byte < 0x80:
            if byte == 0 and position:
                raise ValueError("a number that is longer than it need be")
            return number, binary[position + 1 :]
    raise ValueError("a number without an end")


def _field(tag: int, value: bytes) -> bytes:
    """Protobuf: bytes under a tag."""
    return bytes((tag << 3 | 2,)) + _varint(len(value)) + value


def _number(tag: int, value: int) -> bytes:
    return bytes((tag << 3,)) + _varint(value)


def _base32(binary: bytes) -> str:
    return base64.b32encode(binary).decode().rstrip("=").lower()


def _from_base32(text: str) -> bytes:
    """
    Raises:
        ValueError: not base32, or not as it is written: two texts must not stand for the same bytes.
    """
    try:
        binary = base64.b32decode(text.upper() + "=" * (-len(text) % 8))
    except binascii.Error as error:
        raise ValueError("not base32") from error
    if "=" in text or _base32(binary) != text.lower():
        raise ValueError("not base32")
    return binary


def _base58(binary: bytes) -> str:
    number = int.from_bytes(binary)
    digits = ""
    while number:
        number, digit = divmod(number, 58)
        digits = _BASE58[digit] + digits
    return "1" * (len(binary) - len(binary.lstrip(b"\0"))) + digits


def _from_base58(text: str) -> bytes:
    number = 0
    for character in text:
        number = number * 58 + _BASE58.index(character)
    zeros = len(text) - len(text.lstrip("1"))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8)
