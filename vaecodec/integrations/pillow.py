"""Pillow plugin: after `import vaecodec.integrations.pillow`, Pillow opens and saves streams and archives.

    Image.open("digit.vae")                                  one stream: mode L, RGB, LA or RGBA
    Image.open("digits.vaea")                                an archive: as many frames as images
    image.save("photograph.vae", quality=75)                 by the model that suits it, or model="mnist"
    image.save("digits.vaea", save_all=True)                 an archive of its frames; without save_all, of one image

Pixels are decoded when they are asked for, by an installed model (or the archive's own). A photograph's ICC profile,
EXIF and XMP are in info, and those in the info of an image are saved. Pixels that a window made of values of more than
8 bits are given as pixels, with info["window"].
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from itertools import chain
from tempfile import TemporaryDirectory
from typing import IO, Any

from PIL import Image, ImageFile, ImageSequence

from vaecodec.archive.models import as_codec
from vaecodec.archive.reader import Archive
from vaecodec.archive.writer import ArchiveWriter
from vaecodec.bitstream.archive.limits import ARCHIVE_MAGIC
from vaecodec.bitstream.limits import (
    MAX_LEVEL,
    MAX_PICTURE_STREAM_BYTES,
    MAX_STREAM_BYTES,
    SHORT_FINGERPRINT_BYTES,
)
from vaecodec.bitstream.picture_stream import (
    ALPHA,
    PICTURE_VERSION,
    PictureStream,
    is_picture_stream,
    unpack_picture,
)
from vaecodec.bitstream.stream import STREAM_MAGIC, STREAM_VERSION, WINDOWED_VERSION, Stream, unpack
from vaecodec.codec.choice import Advice, Choice
from vaecodec.codec.codec import Codec
from vaecodec.codec.metadata import ICC, info_of
from vaecodec.codec.picture import as_picture, mode_of, to_pil
from vaecodec.codec.target import AIMS, Target
from vaecodec.errors import FormatError, VaecodecError
from vaecodec.modelfile.installed import installed_models

STREAM_FORMAT = "VAECODEC"
ARCHIVE_FORMAT = "VAECODEC-ARCHIVE"
STREAM_SUFFIX = ".vae"
ARCHIVE_SUFFIX = ".vaea"
FIRST_BYTES = frozenset(STREAM_MAGIC | version for version in (STREAM_VERSION, PICTURE_VERSION, WINDOWED_VERSION))
INFO_KEYS = ("icc_profile", "exif", "xmp")
ADVICE = Advice(image="Name one: save(..., model=...)", stream="Install its model file: vaecodec models add FILE")


def accept_stream(prefix: bytes) -> bool | str:
    """Whether a file is a stream, by its first byte and the beginning of its model's fingerprint.

    One byte alone would claim files of other formats. Where no such model is installed, Pillow tries its other plugins,
    and gives this text as a warning if none takes the file.
    """
    if prefix[0] not in FIRST_BYTES:
        return False
    short = prefix[2 : 2 + SHORT_FINGERPRINT_BYTES]
    if any(True for _ in installed_models(short)):
        return True
    return (
        f"if this is a vaecodec stream, its model's fingerprint starts with {short.hex()}, and that model is not "
        f"installed. {ADVICE.stream}"
    )


def accept_archive(prefix: bytes) -> bool:
    """Whether a file is an archive, by its magic."""
    return prefix.startswith(ARCHIVE_MAGIC)


class StreamImageFile(ImageFile.ImageFile):
    """One stream as a Pillow image."""

    format = STREAM_FORMAT
    format_description = "vaecodec stream"

    def _open(self) -> None:
        # Pillow tries the next plugin on SyntaxError, and reports OSError as damage.
        if self.fp is None:
            raise OSError("no file to read a stream from")
        self._data = self.fp.read(1)
        of_picture = is_picture_stream(self._data)
        self._data += self.fp.read(MAX_PICTURE_STREAM_BYTES if of_picture else MAX_STREAM_BYTES)
        try:
            stream = unpack_picture(self._data) if of_picture else unpack(self._data)
        except FormatError as error:
            raise SyntaxError(str(error)) from error
        try:
            self._codec = Choice(ADVICE).for_stream(self._data)
        except VaecodecError as error:
            raise OSError(str(error)) from error
        self.info["model"] = self._codec.model.name
        if stream.window is not None:
            self.info["window"] = stream.window
        if isinstance(stream, PictureStream):
            self._describe_picture(stream)
        else:
            self._describe(stream)

    def _describe(self, stream: Stream) -> None:
        assert isinstance(self._codec, Codec)
        height, width = stream.size or self._codec.geometry
        self._size = (width, height)
        self._mode = "L" if self._codec.channels == 1 else "RGB"
        self.info["level"] = stream.coding if stream.coding <= MAX_LEVEL else None
        self.info["lossless"] = stream.coding > MAX_LEVEL and not stream.max_error

    def _describe_picture(self, stream: PictureStream) -> None:
        height, width = stream.size
        self._size = (width, height)
        self._mode = mode_of(grey=stream.grey, alpha=ALPHA in stream.chunks, icc=stream.chunks.get(ICC, b""))
        self.info["level"], self.info["lossless"] = stream.level, False
        self.info.update(info_of(stream.chunks))

    def load(self) -> Any:
        """Decode the pixels, once. Raises OSError where the stream is damaged."""
        if self._im is None:
            self.im = self._decoded().im
        return Image.Image.load(self)

    def verify(self) -> None:
        """Decode the whole stream: only that finds all damage of an exact one. Raises OSError."""
        self._decoded()
        super().verify()

    def _decoded(self) -> Image.Image:
        try:
            if isinstance(self._codec, Codec):
                return Image.fromarray(self._codec.decompress(self._data))
            return to_pil(self._codec.decompress_picture(self._data))
        except VaecodecError as error:
            raise OSError(str(error)) from error


class ArchiveImageFile(ImageFile.ImageFile):
    """An archive as an image of many frames; info["name"] and info["label"] are the frame's."""

    format = ARCHIVE_FORMAT
    format_description = "vaecodec archive"
    _close_exclusive_fp_after_loading = False

    def _open(self) -> None:
        # Archives are read by place, so Pillow must have been given a file by name.
        name = self.filename or getattr(self.fp, "name", "")
        if not isinstance(name, str | bytes | os.PathLike) or not name:
            raise OSError("an archive opens by its path, not from memory")
        try:
            self._archive: Archive | None = Archive(os.fsdecode(name))
        except VaecodecError as error:
            raise OSError(str(error)) from error
        try:
            self._frame = -1
            if not self.n_frames:
                raise OSError("the archive holds no image")
            self.seek(0)
        except BaseException:
            self._give_back()
            raise

    def close(self) -> None:
        """Close the archive too."""
        self._give_back()
        super().close()

    def __exit__(self, *arguments: object) -> None:
        self._give_back()
        super().__exit__(*arguments)

    def verify(self) -> None:
        """Read every image. Raises OSError where one is lost, or anything else is damaged."""
        found = self._opened().verify()
        if not found.whole:
            lost = f"{len(found.lost)} of {found.images} images are lost"
            raise OSError("; ".join([lost] * bool(found.lost) + list(found.problems)))
        super().verify()

    def _opened(self) -> Archive:
        if self._archive is None:
            raise ValueError("Operation on closed image")  # as Pillow says it
        return self._archive

    def _give_back(self) -> None:
        archive, self._archive = getattr(self, "_archive", None), None
        if archive is not None:
            archive.close()

    @property
    def n_frames(self) -> int:
        """Images of the archive."""
        return len(self._opened())

    @property
    def is_animated(self) -> bool:
        """Whether there are several."""
        return self.n_frames > 1

    def seek(self, frame: int) -> None:
        """Go to an image. Raises EOFError after the last, OSError where it is lost."""
        archive = self._opened()
        if frame == self._frame:
            return
        if not 0 <= frame < len(archive):
            raise EOFError(f"frame {frame}: the archive has {len(archive)}")
        try:
            pixels = archive[frame]
            label = archive.label(frame)
            self.info["name"] = archive.names[frame]
        except VaecodecError as error:
            raise OSError(str(error)) from error
        self.info["label"] = None if label is None else tuple(label.tolist())
        self._frame = frame
        self._mode = "L" if pixels.ndim == 2 else "RGB"
        self._size = (pixels.shape[1], pixels.shape[0])
        self.im = Image.fromarray(pixels).im

    def tell(self) -> int:
        """The number of the image."""
        return self._frame

    def load(self) -> Any:
        """The pixels are there since seek()."""
        return Image.Image.load(self)


def save_stream(image: Image.Image, file: IO[bytes], _filename: str | bytes) -> None:
    """Writes a stream. Raises OSError.

    Options: `model` (codec, name or path; else the one that suits the picture), and one of quality, beta, target_bytes,
    target_psnr, max_mse, max_error, lossless, level (else the model's default), and effort, as Codec.compress has them;
    icc_profile, exif, xmp: bytes instead of those in the image's info, None or b"" for none.
    """
    try:
        target, choice = _asked_for(image)
        picture = as_picture(_with_info(image, getattr(image, "encoderinfo", {})))
        (chosen,) = choice.compress([picture], target)
        file.write(chosen.stream)
    except VaecodecError as error:
        raise OSError(str(error)) from error


def _with_info(image: Image.Image, options: Mapping[str, Any]) -> Image.Image:
    """The image, with what save() was told to write beside its pixels."""
    told = {key: options[key] for key in INFO_KEYS if key in options}
    if not told:
        return image
    image = image.copy()
    for key, value in told.items():
        image.info[key] = value.tobytes() if isinstance(value, Image.Exif) else value
    return image


def save_archive(image: Image.Image, file: IO[bytes], _filename: str | bytes) -> None:
    """Writes an archive of one image. Raises OSError. Options as save_stream() has them."""
    _write_archive(iter([image]), image, file)


def save_frames(image: Image.Image, file: IO[bytes], _filename: str | bytes) -> None:
    """Writes an archive of all frames, for save_all=True; those of append_images follow. Raises OSError."""
    appended = getattr(image, "encoderinfo", {}).get("append_images") or ()
    _write_archive(chain.from_iterable(map(ImageSequence.Iterator, [image, *appended])), image, file)


def _write_archive(frames: Iterator[Image.Image], image: Image.Image, file: IO[bytes]) -> None:
    """image: has the options. An archive is made in a file of its own, since it is written by name."""
    try:
        pictures = (as_picture(frame.copy()) for frame in frames)  # a copy is the frame alone
        first = next(pictures)
        target, choice = _asked_for(image)
        with TemporaryDirectory() as folder:
            path = os.path.join(folder, f"new{ARCHIVE_SUFFIX}")
            with ArchiveWriter.create(path, choice.for_picture(first, target), target=target) as writer:
                writer.add_batch(chain([first], pictures))
            with open(path, "rb") as written:
                shutil.copyfileobj(written, file)
    except VaecodecError as error:
        raise OSError(str(error)) from error


def _asked_for(image: Image.Image) -> tuple[Target, Choice]:
    """What save()'s options, which Pillow hangs on the image, ask for."""
    options = getattr(image, "encoderinfo", {})
    settings = {name: options.get(name) for name in AIMS}
    if options.get("lossless") and settings["max_error"] is None:
        settings["max_error"] = 0
    target = Target(**settings, effort=options.get("effort") or 0)
    model = options.get("model")
    given = None if model is None else as_codec(model)
    return target, Choice(ADVICE, given=given, exact=target.exact)


def register() -> None:
    """Tell Pillow; done once by importing this module."""
    Image.register_open(STREAM_FORMAT, StreamImageFile, accept_stream)
    Image.register_save(STREAM_FORMAT, save_stream)
    Image.register_extension(STREAM_FORMAT, STREAM_SUFFIX)
    Image.register_open(ARCHIVE_FORMAT, ArchiveImageFile, accept_archive)
    Image.register_save(ARCHIVE_FORMAT, save_archive)
    Image.register_save_all(ARCHIVE_FORMAT, save_frames)
    Image.register_extension(ARCHIVE_FORMAT, ARCHIVE_SUFFIX)


register()
