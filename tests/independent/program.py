"""What the project's program decides, in the same records as this decoder's decisions; and how two may differ.

bytes --> Refusal, or pixels, or what an archive gives
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import vaecodec
from tests.independent import model_file, picture_streams, streams
from tests.independent.archive import Archive
from tests.independent.model_file import Model
from tests.independent.photographs import PhotographModel
from tests.independent.picture_streams import Picture
from tests.independent.refusal import Refused
from vaecodec.errors import VaecodecError

Pixels = NDArray[np.uint8]
GOLDEN = Path(__file__).parents[1] / "golden" / "v1"
GOLDEN_WINDOWS = GOLDEN.with_name("v3")
MANY = 100_000  # images of a damaged archive, of which the program makes a list
NAMES = ("tiny", "mini", "bits", "exact", "groups", "joined", "levels")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A file that was refused, and how it was said."""

    kind: str
    words: str


def golden_file(name: str) -> bytes:
    """A golden model file."""
    return (GOLDEN / f"{name}.vaem").read_bytes()


def golden_models() -> dict[str, Model]:
    """This decoder's models of the golden files."""
    return {name: model_file.read(golden_file(name)) for name in NAMES}


def decide_stream(data: bytes, model: Model) -> Pixels | Refusal:
    """This decoder's decision."""
    try:
        return streams.decode(data, model)
    except Refused as refused:
        return Refusal(refused.kind, str(refused))


def program_on_stream(data: bytes, codec: Any) -> Pixels | Refusal:
    """The program's decision. Other errors than the program's own are faults, and pass through."""
    try:
        return codec.decompress(data)
    except VaecodecError as error:
        return Refusal(type(error).__name__, str(error))


def decide_picture(data: bytes, model: PhotographModel) -> Picture | Refusal:
    """This decoder's decision on a stream of version 2."""
    try:
        return picture_streams.decode(data, model)
    except Refused as refused:
        return Refusal(refused.kind, str(refused))


def program_on_picture(data: bytes, codec: Any) -> Picture | Refusal:
    """The program's decision, where a grey picture has one channel."""
    try:
        found = codec.decompress_picture(data)
    except VaecodecError as error:
        return Refusal(type(error).__name__, str(error))
    pixels = found.pixels[..., 0] if found.grey else found.pixels
    return Picture(pixels, found.alpha, dict(found.chunks), None if found.window is None else found.values())


def pictures_differ(ours: Picture | Refusal, theirs: Picture | Refusal) -> str:
    """How two decisions on a stream of version 2 differ; nothing where they agree."""
    if isinstance(ours, Refusal) or isinstance(theirs, Refusal):
        return differ(ours, theirs)
    if not same_pixels(ours.pixels, theirs.pixels):
        return "other pixels"
    if (ours.alpha is None) != (theirs.alpha is None):
        return "alpha by one alone"
    if ours.alpha is not None and theirs.alpha is not None and not same_pixels(ours.alpha, theirs.alpha):
        return "other alpha"
    if (ours.values is None) != (theirs.values is None):
        return "a window by one alone"
    if ours.values is not None and theirs.values is not None and not same_values(ours.values, theirs.values):
        return "other values"
    return "" if ours.chunks == theirs.chunks else f"chunks {ours.chunks} here, {theirs.chunks} by the program"


def decide_model(data: bytes) -> Model | Refusal:
    """This decoder's decision."""
    try:
        return model_file.read(data)
    except Refused as refused:
        return Refusal(refused.kind, str(refused))


def program_on_model(data: bytes, folder: Path) -> Any:
    """The program's decision: its codec, with the lossless part read, which it reads at the first use."""
    path = folder / "mutant.vaem"
    path.write_bytes(data)
    try:
        codec = vaecodec.load(path)
        if codec.model.has_lossless:
            _ = codec.lossless
    except VaecodecError as error:
        return Refusal(type(error).__name__, str(error))
    return codec


def differ(ours: object, theirs: object) -> str:
    """How two decisions on a stream or a model file differ; nothing where they agree."""
    if isinstance(ours, Refusal) and isinstance(theirs, Refusal):
        return ""
    if isinstance(ours, Refusal):
        return f"refused here ({ours.words}), accepted by the program"
    if isinstance(theirs, Refusal):
        return f"accepted here, refused by the program ({theirs.kind}: {theirs.words})"
    if isinstance(ours, np.ndarray) and isinstance(theirs, np.ndarray) and not same_pixels(ours, theirs):
        return "other pixels"
    return ""


def same_pixels(ours: Pixels, theirs: Pixels) -> bool:
    """Equal shapes and values."""
    return ours.shape == theirs.shape and bool((ours == theirs).all())


def same_values(ours: NDArray[np.generic], theirs: NDArray[np.generic]) -> bool:
    """Equal types, shapes and values."""
    return ours.dtype == theirs.dtype and ours.shape == theirs.shape and bool((ours == theirs).all())


@dataclass(frozen=True, slots=True)
class Contents:
    """What an archive gives, by the images' numbers; None stands for what is refused.

    labels: of the images that are there. values: what the first pixels of those with windows stand for. embedded: by
    the models' numbers. found: the number that each name leads to, of lost images too.
    """

    length: int
    images: dict[int, Pixels]
    names: dict[int, str]
    labels: dict[int, tuple[int, ...]]
    values: dict[int, tuple[str, float]]
    metadata: Any
    embedded: dict[int, bytes | None]
    found: dict[str, int | None]
    has_problems: bool


def decide_archive(data: bytes, models: Mapping[str, Model]) -> Contents | Refusal:
    """This decoder's decision, with all these models at hand."""
    try:
        archive = Archive(data, list(models.values()))
    except Refused as refused:
        return Refusal(refused.kind, str(refused))
    images = {first + i: image for first, block in archive.blocks() for i, image in enumerate(block)}
    names = archive.names()
    labels = {number: row for number, row in archive.labels().items() if number in images}
    values = {n: _first(window.values(images[n])) for n, window in archive.windows().items() if n in images}
    embedded = {number: _or_none(lambda n=number: archive.embedded_model(n)) for number in archive.models()}
    found = {name: archive.number_of(name) for name in names.values()}
    metadata = _or_none(archive.metadata)
    return Contents(len(archive), images, names, labels, values, metadata, embedded, found, bool(archive.problems))


def program_on_archive(path: Path, asked: Contents | Refusal) -> Contents | Refusal:
    """The program's decision; the names to be found are those that this decoder gives."""
    try:
        with vaecodec.Archive(path) as archive:
            images = {first + i: image for first, block in archive.readable() for i, image in enumerate(block)}
            lost = archive.verify().lost
            names = {n: _or_none(lambda n=n: archive.names[n]) for n in images}
            names |= {image.number: image.name for image in islice(lost, MANY)}
            labels = {n: _or_none(lambda n=n: tuple(archive.label(n).tolist())) for n in images}
            values = {n: _first(archive.restore(n)) for n in images if archive.window(n) is not None}
            metadata = _or_none(lambda: dict(archive.metadata))
            asked_models, asked_names = (asked.embedded, asked.found) if isinstance(asked, Contents) else ((), ())
            embedded = {k: _or_none(lambda k=k: archive.embedded_model(k)) for k in asked_models}
            found = {name: _or_none(lambda name=name: archive.number_of(name)) for name in asked_names}
            problems = bool(archive.problems)
            kept = _there(names), _there(labels), values, metadata
            return Contents(len(archive), images, *kept, embedded, found, problems)
    except VaecodecError as error:
        return Refusal(type(error).__name__, str(error))


def _first(values: NDArray[Any]) -> tuple[str, float]:
    return values.dtype.name, values.flat[0].item()


def _or_none(action: Any) -> Any:
    try:
        return action()
    except (Refused, VaecodecError, KeyError, AttributeError):
        return None


def _there(values: Mapping[int, Any]) -> dict[int, Any]:
    return {number: value for number, value in values.items() if value is not None}


def archives_differ(ours: Contents | Refusal, theirs: Contents | Refusal) -> str:
    """How two decisions on an archive differ; nothing where they agree."""
    if isinstance(ours, Refusal) or isinstance(theirs, Refusal):
        return differ(ours, theirs)
    for field in ("length", "names", "labels", "values", "metadata", "found", "has_problems"):
        if getattr(ours, field) != getattr(theirs, field):
            return f"{field}: {getattr(ours, field)} here, {getattr(theirs, field)} by the program"
    if ours.embedded != theirs.embedded:
        return f"embedded: {_sizes(ours.embedded)} here, {_sizes(theirs.embedded)} by the program"
    if ours.images.keys() != theirs.images.keys():
        return f"images {sorted(ours.images)} here, {sorted(theirs.images)} by the program"
    if not all(same_pixels(image, theirs.images[number]) for number, image in ours.images.items()):
        return "other pixels"
    return ""


def _sizes(files: Mapping[int, bytes | None]) -> dict[int, int | None]:
    return {number: None if file is None else len(file) for number, file in files.items()}
