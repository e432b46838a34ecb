"""One shard of some images: a pure function, which any engine may map.

    images ──write_shard──> an archive of its own ──> Written: how many, their bytes, PSNR of some
                                                        └──record_of──> ShardRecord, stored beside it as JSON

The same images, codec and settings give the same bytes on any worker, in any order. A shard's record is put beside it
when the shard is there: a record that fits the plan says that nothing is left to do for it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from vaecodec.archive.reader import Archive
from vaecodec.archive.writer import ArchiveWriter
from vaecodec.arrays import Pixels
from vaecodec.bitstream.archive.limits import MAX_BLOCK_IMAGES
from vaecodec.bitstream.canonical_json import parse, spell
from vaecodec.codec.picture import Picture, as_picture
from vaecodec.codec.quality import mse, psnr_db_from_mse
from vaecodec.codec.target import Target
from vaecodec.errors import BadField

if TYPE_CHECKING:
    from vaecodec.codec.codec import AnyCodec

SAMPLED_BLOCKS = (
    64  # of so many blocks some images of one, the first, are decoded: synthesis takes longer than analysis
)
SAMPLED_IMAGES = 4  # of a block
MAX_SAMPLED_BYTES = 1 << 26  # of originals that are kept for it: photographs are large
POOR_DB = 15.0  # below it, an image is not of the kind that its model was made for, as the command line says too
MAX_MISFITS = 20  # names in a record


@dataclass(frozen=True, slots=True, eq=False)
class SourceImage:
    """image: of a file with what came with its pixels, or pixels (h, w). name, label: None without.

    source_bytes: of the file it came from.
    """

    image: Picture | Pixels
    name: str | None
    label: Any
    source_bytes: int


@dataclass(frozen=True, slots=True)
class ShardSettings:
    """How every shard of a plan is written; see ArchiveWriter.create."""

    target: Target = field(default_factory=Target)
    block_images: int = MAX_BLOCK_IMAGES
    embed_model: bool = False
    metadata: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """What is known of a shard when it is written.

    label_columns: of every image, 0 where none has labels, None where they differ. sampled: images whose PSNR was
    measured; psnr_db from the mean of their MSE, least_psnr_db of the worst, None where they are exact. misfits: the
    first names, or numbers in the shard, of those below POOR_DB.
    """

    images: int
    source_bytes: int
    label_columns: int | None
    sampled: int
    psnr_db: float | None
    least_psnr_db: float | None
    misfits: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ShardRecord:
    """A shard of a plan, as its JSON record tells. plan, sha256: in hex; sha256: of the shard's file."""

    plan: str
    shard: int
    size_bytes: int
    sha256: str
    written: Written

    def to_bytes(self) -> bytes:
        """The record's JSON."""
        return spell(asdict(self))

    @classmethod
    def from_bytes(cls, data: bytes) -> ShardRecord:
        """The inverse of to_bytes(). Raises FormatError's children."""
        value = parse(data, "shard's record")
        try:
            written = dict(value["written"])
            written["misfits"] = tuple(written["misfits"])
            record = cls(**{**value, "written": Written(**written)})
        except (KeyError, TypeError, ValueError) as error:
            raise BadField("shard's record: not its fields") from error
        numbers = (record.shard, record.size_bytes, record.written.images, record.written.source_bytes)
        if not all(isinstance(number, int) and number >= 0 for number in numbers):
            raise BadField("shard's record: a count is no whole number")
        return record

    def fits(self, plan: str, shard: int, images: int, size_bytes: int | None) -> bool:
        """Whether it is of this shard of this plan, and of a file of this size."""
        found = (self.plan, self.shard, self.written.images, self.size_bytes)
        return found == (plan, shard, images, size_bytes)


def shard_name(shard: int) -> str:
    """The file of a shard, by its number."""
    return f"shard-{shard:05d}.vaea"


def record_name(shard: int) -> str:
    """The file of a shard's record."""
    return f"shard-{shard:05d}.json"


def write_shard(path: str, images: Iterable[SourceImage], codec: AnyCodec, settings: ShardSettings) -> Written:
    """The archive of these images at `path`, in the place of what was there.

    Raises as ArchiveWriter does, naming the image; then there is no file.
    """
    sample = _Sample(codec, settings.block_images)
    count, source_bytes, columns = 0, 0, set[int]()
    with ArchiveWriter.create(
        path,
        codec,
        target=settings.target,
        block_images=settings.block_images,
        embed_model=settings.embed_model,
        metadata=settings.metadata,
        overwrite=True,
    ) as writer:
        for one in images:
            try:
                writer.add(one.image, one.name, one.label)
            except ValueError as error:
                if one.name is not None and one.name not in str(error):
                    error.args = (f"{one.name}: {error}",)
                raise
            sample.keep(count, one)
            columns.add(0 if one.label is None else np.atleast_1d(one.label).shape[-1])
            count, source_bytes = count + 1, source_bytes + one.source_bytes
    (label_columns,) = columns if len(columns) == 1 else (None,)
    psnr, least, misfits = sample.measured(path)
    return Written(count, source_bytes, label_columns, len(sample), psnr, least, misfits)


def record_of(path: str, plan: str, shard: int, written: Written) -> ShardRecord:
    """The record of the shard that lies at `path`. Raises OSError."""
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        size_bytes = file.tell()
    return ShardRecord(plan, shard, size_bytes, digest, written)


class _Sample:
    """Originals of SAMPLED_IMAGES images of the first and every SAMPLED_BLOCKS-th block after it.

    They are decoded from the finished shard, which so is known to be readable.
    """

    def __init__(self, codec: AnyCodec, block_images: int) -> None:
        self._codec, self._block_images = codec, block_images
        self._apart = max(1, block_images // SAMPLED_IMAGES)
        self._kept: dict[int, tuple[str | None, Pixels]] = {}
        self._kept_bytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    def keep(self, number: int, one: SourceImage) -> None:
        """Keep an original, if it is of the sample."""
        block, place = divmod(number, self._block_images)
        if block % SAMPLED_BLOCKS or place % self._apart:
            return
        pixels = as_picture(one.image).pixels
        if self._kept_bytes + pixels.nbytes <= MAX_SAMPLED_BYTES:
            self._kept[number] = (one.name, pixels)
            self._kept_bytes += pixels.nbytes

    def measured(self, path: str) -> tuple[float | None, float | None, tuple[str, ...]]:
        """PSNR of all and of the worst in dB, None where exact, and the misfits, of the shard that was written."""
        if not self._kept:
            return None, None, ()
        with Archive(path, model=self._codec) as archive:
            decoded = archive.pictures(list(self._kept))
            pairs = zip(decoded, self._kept.values(), strict=True)
            errors = [mse(picture.pixels, original) for picture, (_, original) in pairs]
        misfits = [
            str(number) if name is None else name
            for (number, (name, _)), error in zip(self._kept.items(), errors, strict=True)
            if psnr_db_from_mse(error) < POOR_DB
        ]
        return _psnr_db(sum(errors) / len(errors)), _psnr_db(max(errors)), tuple(misfits[:MAX_MISFITS])


def _psnr_db(mean_squared_error: float) -> float | None:
    return round(psnr_db_from_mse(mean_squared_error), 4) if mean_squared_error else None
