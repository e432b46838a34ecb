"""A codec of Zarr v3: arrays of images (N, H, W) or (N, H, W, 3), uint8, each chunk as an archive's blocks.

    zarr.create_array(store, shape=(60_000, 28, 28), chunks=(1024, 28, 28), dtype="uint8",
                      serializer=VaecodecCodec(model="mnist", quality=75), compressors=None, filters=None)

chunk (n, h, w) or (n, h, w, 3) ──up to 128 images at a time──> block, block, ... (docs/format.md, 13.2)

In these blocks the model's number is 0 and images are numbered within the chunk. The array's metadata hold the model's
fingerprint, and a reader finds that model among the installed ones. Lossy: what is read is what the model makes of the
images; so a chunk that is written in part is read, changed and compressed again.
"""

from __future__ import annotations

import asyncio
import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from zarr.abc.codec import ArrayBytesCodec
from zarr.registry import register_codec

from vaecodec.archive.blocks import DecodedBlock, decode_block
from vaecodec.archive.encode import PendingImage, aim_for, encode_block
from vaecodec.archive.models import codec_by_fingerprint
from vaecodec.archive.photographs import PendingStream, code_photograph, is_full, stream_block
from vaecodec.arrays import Pixels, Size
from vaecodec.bitstream.archive.block import Block, pack_block, unpack_block, unpack_head
from vaecodec.bitstream.archive.limits import MAX_BLOCK_IMAGES
from vaecodec.bitstream.limits import MAX_PICTURE_SIDE
from vaecodec.bitstream.picture_stream import unpack_picture
from vaecodec.bitstream.reader import Reader
from vaecodec.codec.codec import Codec, load
from vaecodec.codec.target import AIMS, Target
from vaecodec.errors import (
    BadField,
    ConfigError,
    ImageModeError,
    ImageSizeError,
    ModelError,
    ModelMismatch,
    ModelNotFound,
)
from vaecodec.modelfile.installed import model_path, summary_of

if TYPE_CHECKING:
    from vaecodec.codec.codec import AnyCodec
    from vaecodec.codec.photograph import PhotographCodec

CODEC_NAME = "vaecodec"
TARGETS = (*AIMS, "effort")
SETTINGS = ("model", *TARGETS, "fingerprint")


def pack_chunk(images: Pixels, codec: AnyCodec, target: Target) -> bytes:
    """The blocks of images (n, h, w) or (n, h, w, 3). Raises ImageSizeError, TargetMissed."""
    if not isinstance(codec, Codec):
        return _pack_photographs(images, codec, target)
    aim, parts = aim_for(codec.model, target), []
    for first in range(0, len(images), MAX_BLOCK_IMAGES):
        framed = codec.frame.fit_all(images[first : first + MAX_BLOCK_IMAGES])
        items = [PendingImage(image, aim, None, None) for image in framed]
        parts.append(pack_block(encode_block(items, codec, 0, first), codec.fingerprint))
    return b"".join(parts)


def _pack_photographs(images: Pixels, codec: PhotographCodec, target: Target) -> bytes:
    parts: list[bytes] = []
    items: list[PendingStream] = []
    for number, image in enumerate(images):
        items.append(code_photograph(codec, image, target, number=number, name=None, labels=None))
        if len(items) == MAX_BLOCK_IMAGES or is_full(items) or number == len(images) - 1:
            parts.append(pack_block(stream_block(items, 0, number + 1 - len(items)), codec.fingerprint))
            items = []
    return b"".join(parts)


def unpack_chunk(data: bytes, codec: AnyCodec, shape: tuple[int, ...]) -> Pixels:
    """The images (n, h, w) or (n, h, w, 3) of blocks. Raises FormatError's children."""
    images = np.empty(shape, np.uint8)
    reader, first = Reader(data), 0
    while first < len(images):
        size = unpack_head(memoryview(data)[reader.offset :]).frame.record_bytes
        block = unpack_block(reader.take(size, "block"), {0: codec.fingerprint}.__getitem__)
        decoded = decode_block(block, codec)
        sizes = _sizes(block, decoded, codec)
        if block.first != first or first + block.count > len(images) or sizes != {shape[1:3]}:
            raise BadField(f"chunk: a block of images {block.first}+{block.count} of {sizes} does not fit {shape}")
        for number, image in enumerate(decoded.images(), first):
            if image.ndim == len(shape) and image.ndim == 3:
                raise BadField(f"chunk: image {number} is in colour, the array is grey")
            images[number] = image if image.ndim == len(shape) - 1 else image[..., None]
        first += block.count
    reader.end("chunk")
    return images


def _sizes(block: Block, decoded: DecodedBlock, codec: AnyCodec) -> set[Size]:
    """(height, width) of the images of a block."""
    if codec.geometry is None:
        return {unpack_picture(stream).size for stream in decoded.streams}
    return {codec.geometry} if block.sizes is None else set(block.sizes)


def _check_target(codec: AnyCodec, target: Target) -> None:
    """Raises ModelError, ConfigError for what the model does not have."""
    if isinstance(codec, Codec):
        aim_for(codec.model, target)
    else:
        codec.check_target(target)


def _check_fingerprint(text: Any) -> None:
    """Raises ConfigError for what is not 64 hexadecimal digits."""
    if not isinstance(text, str) or re.fullmatch("[0-9a-f]{64}", text) is None:
        raise ConfigError(f"fingerprint: expected 64 hexadecimal digits, found {text!r}")


def _native(dtype: Any) -> np.dtype[Any]:
    """Zarr's type, or numpy's, as numpy's."""
    return np.dtype(dtype.to_native_dtype() if hasattr(dtype, "to_native_dtype") else dtype)


def _holds_images(shape: tuple[int, ...]) -> bool:
    """Whether an array or a chunk of this shape is (n, h, w) or (n, h, w, 3)."""
    return len(shape) == 3 or (len(shape) == 4 and shape[3] == 3)


@dataclass(frozen=True)
class VaecodecCodec(ArrayBytesCodec):  # type: ignore[misc]
    """The serializer of an array of images. model: name or path of a model file.

    At most one of the next seven, as Codec.compress has them (max_error 0 is lossless), each for every image: a chunk
    with an image whose target no level meets is refused, and what pads the last chunk counts. effort: as there too.
    fingerprint: hexadecimal, of the model that wrote; set by itself. Raises ModelNotFound, ModelMismatch, ModelError,
    ConfigError.
    """

    is_fixed_size = False

    model: str = field(compare=False)  # the fingerprint says which model it is, under whatever name
    level: int | None = None
    quality: float | None = None
    beta: float | None = None
    target_bytes: int | None = None
    target_psnr: float | None = None
    max_mse: float | None = None
    max_error: int | None = None
    effort: int | None = None
    fingerprint: str = ""
    _codec: list[AnyCodec] = field(default_factory=list, init=False, repr=False, compare=False, hash=False)
    _told: list[tuple[tuple[int, ...], np.dtype[Any]]] = field(
        default_factory=list, init=False, repr=False, compare=False, hash=False
    )  # what is coded, where nothing has validated it yet

    def __post_init__(self) -> None:
        object.__setattr__(self, "model", os.fspath(self.model))
        target = self.target  # refuses two of them
        for name in TARGETS:  # numpy's numbers are none of JSON's
            if getattr(self, name) is not None:
                object.__setattr__(self, name, getattr(target, name))
        if self.fingerprint:
            _check_fingerprint(self.fingerprint)
        else:
            codec = load(self.model)
            if not summary_of(model_path(self.model)).has_analysis:
                raise ModelError(f"{self.model} holds its decoder alone: it cannot compress")
            _check_target(codec, target)
            self._codec.append(codec)
            object.__setattr__(self, "fingerprint", codec.fingerprint.hex())

    def __getstate__(self) -> dict[str, Any]:
        return {**{name: getattr(self, name) for name in SETTINGS}, "_codec": [], "_told": []}

    @property
    def target(self) -> Target:
        """What decides the level of an image."""
        return Target(**{name: value for name in TARGETS if (value := getattr(self, name)) is not None})

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> VaecodecCodec:
        """From an array's metadata. Raises ConfigError."""
        configuration = data.get("configuration", {})
        if data.get("name") != CODEC_NAME or not set(configuration) <= set(SETTINGS):
            raise ConfigError(f"codec {data.get('name')!r}: expected {CODEC_NAME} with some of {', '.join(SETTINGS)}")
        if not isinstance(configuration.get("model"), str):
            raise ConfigError(f"codec {CODEC_NAME}: expected the name of a model, found {configuration.get('model')!r}")
        return cls(**configuration)

    def to_dict(self) -> dict[str, Any]:
        """For an array's metadata. Raises as validate(): Zarr validates no inner chunks of shards before it writes."""
        for shape, native in self._told:
            self._check(shape, shape, native)
        configuration = {name: value for name in SETTINGS if (value := getattr(self, name)) is not None}
        configuration["model"] = os.path.basename(self.model).removesuffix(".vaem")
        return {"name": CODEC_NAME, "configuration": configuration}

    def evolve_from_array_spec(self, array_spec: Any) -> VaecodecCodec:
        """Itself; Zarr tells here what is coded: the whole array, or, of inner chunks of shards, a chunk."""
        self._told[:] = [(tuple(array_spec.shape), _native(array_spec.dtype))]
        return self

    def validate(self, *, shape: tuple[int, ...], dtype: Any, chunk_grid: Any = None, **_: Any) -> None:
        """Refuse what are no images, and chunks of images larger than the model's. Raises ImageError's children."""
        self._told.clear()
        self._check(shape, tuple(getattr(chunk_grid, "chunk_shape", shape)), _native(dtype))

    def _check(self, shape: tuple[int, ...], chunk: tuple[int, ...], native: np.dtype[Any]) -> None:
        if not _holds_images(shape) or not _holds_images(chunk) or native != np.uint8:
            raise ImageModeError(
                f"{CODEC_NAME}: expected an array (n, h, w) or (n, h, w, 3) of uint8, found {shape} of {native}, in "
                f"chunks of {chunk}"
            )
        size = chunk[1:3]
        if self._codec:  # of an array that is only opened, the model is read when its pixels are
            codec = self._codec[0]
            if codec.channels == 1 and len(shape) == 4:
                raise ImageModeError(f"{CODEC_NAME}: an array in colour, {self.model} takes grey")
            height, width = codec.geometry or (MAX_PICTURE_SIDE, MAX_PICTURE_SIDE)
            if size[0] > height or size[1] > width:
                raise ImageSizeError(
                    f"{CODEC_NAME}: chunks of images of {size[0]}x{size[1]} (height x width), "
                    f"{self.model} takes at most {height}x{width}"
                )

    def codec(self) -> AnyCodec:
        """The model that the array was written with. Raises ModelNotFound, ModelMismatch."""
        if not self._codec:
            self._codec.append(self._find())
        return self._codec[0]

    def _find(self) -> AnyCodec:
        wanted = bytes.fromhex(self.fingerprint)
        installed = codec_by_fingerprint(wanted)
        if installed is not None:
            return installed
        try:
            codec = load(self.model)
        except ModelNotFound as error:
            raise ModelNotFound(
                f"the array needs model {self.model} ({self.fingerprint[:16]}…), which is not installed"
            ) from error
        if codec.fingerprint != wanted:
            raise ModelMismatch(f"{self.model} is not the model that the array was written with")
        return codec

    async def _encode_single(self, chunk_array: Any, chunk_spec: Any) -> Any:
        images = np.ascontiguousarray(chunk_array.as_numpy_array())
        data = await asyncio.to_thread(pack_chunk, images, self.codec(), self.target)
        return chunk_spec.prototype.buffer.from_bytes(data)

    async def _decode_single(self, chunk_bytes: Any, chunk_spec: Any) -> Any:
        shape = tuple(chunk_spec.shape)
        images = await asyncio.to_thread(unpack_chunk, chunk_bytes.to_bytes(), self.codec(), shape)
        return chunk_spec.prototype.nd_buffer.from_numpy_array(images)

    def compute_encoded_size(self, input_byte_length: int, chunk_spec: Any) -> int:
        """Unknown before it is done."""
        raise NotImplementedError


register_codec(CODEC_NAME, VaecodecCodec)  # where the package is installed, its entry point leads here too
