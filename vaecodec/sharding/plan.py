"""Plan: what the shards are to be, written down before the first is made.

    sources ──pieces──> cut into shards ──> plan.json      settings, model, and for each shard where its pieces stand
                                            sources-…      the pieces, a line of JSON each
                                            model.vaem     the model, so that every worker has it

A plan's id is the SHA-256 of plan.json, which holds that of the pieces, whose file is called by it: a record that tells
the id was made by these settings of these pieces.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from vaecodec.archive.folder import Folder
from vaecodec.archive.manifest import MAX_SHARDED_IMAGES, MODEL_NAME, PLAN_NAME
from vaecodec.archive.models import codec_by_fingerprint, model_file
from vaecodec.archive.shards import ShardSettings
from vaecodec.bitstream.canonical_json import parse, spell_checked
from vaecodec.codec.codec import codec_of
from vaecodec.codec.target import Target
from vaecodec.errors import (
    BadChecksum,
    BadField,
    ConfigError,
    DataError,
    LimitExceeded,
    ModelMismatch,
    UnsupportedVersion,
)
from vaecodec.sharding.sources import FilePiece, Piece, SetPiece, pack_piece, unpack_pieces

if TYPE_CHECKING:
    from vaecodec.codec.codec import AnyCodec

FORMAT, VERSION = "vaecodec plan of shards", 1
MAX_SHARDS = 1_000_000  # the manifest is read whole


@dataclass(frozen=True, slots=True)
class Cut:
    """Into how many shards images are cut, or how many images each has; one of both is given. Raises ConfigError."""

    shards: int | None = None
    images: int | None = None

    def __post_init__(self) -> None:
        if (self.shards is None) == (self.images is None):
            raise ConfigError("shards: give either how many there are or how many images each has")
        if any(number is not None and number < 1 for number in (self.shards, self.images)):
            raise ConfigError("shards: expected at least 1, and at least 1 image in each")

    def counts(self, images: int) -> list[int]:
        """Images of each shard; none is empty. Raises LimitExceeded."""
        count = min(self.shards, images) if self.shards else -(-images // (self.images or 1))
        if count > MAX_SHARDS:
            raise LimitExceeded(f"shards: {count}, at most {MAX_SHARDS} allowed")
        if self.images is not None:
            return [min(self.images, images - k * self.images) for k in range(count)]
        return [images * (k + 1) // count - images * k // count for k in range(count)]


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for, as far as it decides what the shards hold. model: as asked for, "" where it was chosen."""

    sources: tuple[str, ...]
    cut: Cut
    settings: ShardSettings = field(default_factory=ShardSettings)
    named: bool = True
    strip: bool = False
    model: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Values for JSON."""
        target = {key: value for key, value in asdict(self.settings.target).items() if value is not None}
        return {
            "sources": [os.fsencode(source).decode("utf-8", "replace") for source in self.sources],  # to be compared
            "cut": asdict(self.cut),
            "target": target,
            "block_images": self.settings.block_images,
            "embed_model": self.settings.embed_model,
            "metadata": None if self.settings.metadata is None else dict(self.settings.metadata),
            "named": self.named,
            "strip": self.strip,
            "model": self.model,
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Wish:
        """The inverse of to_dict(). Raises KeyError, TypeError, ConfigError."""
        settings = ShardSettings(
            Target(**value["target"]), value["block_images"], value["embed_model"], value["metadata"]
        )
        cut = Cut(**value["cut"])
        return cls(tuple(value["sources"]), cut, settings, value["named"], value["strip"], value["model"])


@dataclass(frozen=True)
class Plan:
    """wish: what was asked for. fingerprint: of the model, in hex. rows: of each shard its images, and the place of its
    pieces in their file, (images, offset, bytes). digest: SHA-256 of that file, in hex."""

    wish: Wish
    fingerprint: str
    rows: tuple[tuple[int, int, int], ...]
    digest: str

    @property
    def images(self) -> int:
        """In all shards."""
        return sum(images for images, _, _ in self.rows)

    @cached_property
    def id(self) -> str:
        """In hex."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    @property
    def sources_name(self) -> str:
        """The file of the pieces."""
        return f"sources-{self.digest[:16]}.jsonl"

    def to_bytes(self) -> bytes:
        """plan.json. Raises BadField for metadata, or names of sources, that are not plain JSON."""
        value = {
            "format": FORMAT,
            "version": VERSION,
            "wish": self.wish.to_dict(),
            "fingerprint": self.fingerprint,
            "rows": [list(row) for row in self.rows],
            "digest": self.digest,
        }
        return spell_checked(value, "plan")

    @classmethod
    def from_bytes(cls, data: bytes) -> Plan:
        """The inverse of to_bytes(). Raises FormatError's children."""
        value = parse(data, "plan")
        if not isinstance(value, dict) or value.get("format") != FORMAT:
            raise BadField("plan: not a plan of shards")
        if value.get("version") != VERSION:
            raise UnsupportedVersion(f"plan: version {value.get('version')}, this release reads {VERSION}")
        try:
            rows = tuple((int(images), int(offset), int(size)) for images, offset, size in value["rows"])
            plan = cls(Wish.from_dict(value["wish"]), value["fingerprint"], rows, value["digest"])
        except (KeyError, TypeError, ValueError) as error:
            raise BadField("plan: not its fields") from error
        if plan.to_bytes() != data:
            raise BadField("plan: not its fields")
        return plan

    @classmethod
    def read(cls, folder: Folder) -> Plan | None:
        """The plan of a folder; None where it has none. Raises FormatError's children, OSError."""
        try:
            return cls.from_bytes(folder.read(PLAN_NAME))
        except FileNotFoundError:
            return None

    def check_wish(self, wish: Wish) -> None:
        """Raises ConfigError where something else was asked for than this plan was made for."""
        ours, theirs = self.wish.to_dict(), wish.to_dict()
        differing = [key for key in ours if ours[key] != theirs[key]]
        if differing:
            raise ConfigError(f"the plan in the folder has another {', '.join(differing)}; --force begins anew")

    def pieces(self, folder: Folder, shard: int) -> Iterator[Piece]:
        """What a shard is made of. Raises FormatError's children, OSError."""
        _, offset, size = self.rows[shard]
        data = folder.read_range(self.sources_name, offset, offset + size)
        if len(data) != size:
            raise BadChecksum(f"{self.sources_name}: {len(data)} bytes at {offset}, the plan says {size}")
        return unpack_pieces(data)

    def codec(self, folder: Folder) -> AnyCodec:
        """The codec of its model: installed here, or else as it lies in the folder.

        Raises ModelMismatch, FormatError's children, OSError.
        """
        fingerprint = bytes.fromhex(self.fingerprint)
        installed = codec_by_fingerprint(fingerprint)
        if installed is not None:
            return installed
        codec = codec_of(folder.read(MODEL_NAME))
        if codec.fingerprint != fingerprint:
            raise ModelMismatch(f"{MODEL_NAME}: not the model of the plan")
        return codec


def publish_plan(folder: Folder, wish: Wish, pieces: Iterable[Piece], codec: AnyCodec, *, replace: bool) -> Plan:
    """Cut the pieces and write the plan down, plan.json last; replace: in the place of another one.

    Where another process was first, its plan is the one. Raises DataError where there is no image, ConfigError where
    another process' plan is of another wish, LimitExceeded, OSError.
    """
    with tempfile.TemporaryDirectory(prefix="vaecodec-") as place:
        spool = os.path.join(place, "pieces")
        with open(spool, "wb") as file:
            images = 0
            for piece in pieces:
                file.write(pack_piece(piece))
                images += piece.count
        if not images:
            raise DataError("the sources hold no image")
        if images > MAX_SHARDED_IMAGES:
            raise LimitExceeded(f"plan: {images} images, at most {MAX_SHARDED_IMAGES} allowed")
        path = os.path.join(place, "cut")
        rows = _write_cut(spool, path, wish.cut.counts(images))
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        plan = Plan(wish, codec.fingerprint.hex(), tuple(rows), digest)
        folder.publish_file(plan.sources_name, path)
        folder.publish(MODEL_NAME, model_file(codec))
    if replace:
        folder.publish(PLAN_NAME, plan.to_bytes())
    elif not folder.create(PLAN_NAME, plan.to_bytes()):
        first = Plan.read(folder)
        if first is None or first.id != plan.id:
            raise ConfigError("another process has put another plan into the folder meanwhile")
    return plan


def _write_cut(spool: str, path: str, counts: list[int]) -> list[tuple[int, int, int]]:
    """Write the pieces of each shard, sets cut where a shard ends: (images, offset, bytes) of each."""
    rows: list[tuple[int, int, int]] = []
    with open(spool, "rb") as source, open(path, "wb") as file:
        pieces = _pieces_in(source)
        left: Piece | None = None
        for images in counts:
            start, wanted = file.tell(), images
            while wanted:
                piece = left or next(pieces)
                taken, left = _split(piece, wanted)
                file.write(pack_piece(taken))
                wanted -= taken.count
            rows.append((images, start, file.tell() - start))
    return rows


def _pieces_in(lines: Iterable[bytes]) -> Iterator[Piece]:
    for line in lines:
        yield from unpack_pieces(line)


def _split(piece: Piece, most: int) -> tuple[Piece, Piece | None]:
    """The first images of a piece, at most so many, and the rest, if there is one."""
    if isinstance(piece, FilePiece) or piece.count <= most:
        return piece, None
    first = SetPiece(piece.source, piece.data_dir, piece.first, most)
    return first, SetPiece(piece.source, piece.data_dir, piece.first + most, piece.count - most)
