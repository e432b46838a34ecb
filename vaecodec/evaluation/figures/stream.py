"""One stream, looked into: what it decodes to, how far that is from the original, and where its bits went.

stream ──decode──> pixels ──original──> error map        symbols ──tables──> bits of each latent
                                                         of a photograph: bits of each layer, and of each 16×16 pixels
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vaecodec.arrays import Pixels, Size
from vaecodec.codec.codec import Codec
from vaecodec.codec.photograph import PhotographCodec
from vaecodec.codec.quality import mse, psnr_db_from_mse
from vaecodec.codec.stream_report import report_streams
from vaecodec.entropy.tables import Float64
from vaecodec.errors import ImageSizeError
from vaecodec.evaluation.figures.chart import Chart, Panel, Series
from vaecodec.evaluation.figures.reconstructions import error_map
from vaecodec.evaluation.figures.sheet import Row, Sheet, Tile
from vaecodec.photo.regions import BLOCK

if TYPE_CHECKING:
    from vaecodec.codec.codec import AnyCodec

MOST_TICKS = 40


@dataclass(frozen=True, slots=True, eq=False)
class StreamView:
    """kind: lossy, lossless, … spent: (what, bits). latent_bits: (latent, bits) of a lossy stream, falling, else ().

    bit_map: of a photograph, bits of each 16×16 pixels (h, w). psnr_db: None without an original, and where nothing
    differs.
    """

    name: str
    model: str
    kind: str
    level: int | None
    file_bytes: int
    payload_bytes: int
    spent: tuple[tuple[str, float], ...]
    latent_bits: tuple[tuple[int, float], ...]
    pixels: Pixels
    original: Pixels | None
    psnr_db: float | None
    bit_map: Float64 | None = None

    @property
    def bits(self) -> float:
        """Information content of everything that the payload says."""
        return sum(bits for _, bits in self.spent)


def view_stream(name: str, codec: "AnyCodec", data: bytes, original: Pixels | None = None) -> StreamView:
    """Of one stream of the codec's model. Raises FormatError's children, ImageSizeError for another original."""
    pixels = codec.decompress(data)
    if original is not None and original.shape != pixels.shape:
        raise ImageSizeError(f"{name}: decodes to {pixels.shape}, the original is {original.shape}")
    error = None if original is None else mse(pixels, original)
    psnr_db = psnr_db_from_mse(error) if error else None
    if not isinstance(codec, Codec):
        return _photograph_view(name, codec, data, pixels, original, psnr_db)
    (report,) = report_streams(codec, [data])
    return StreamView(
        name=name,
        model=codec.model.name,
        kind=report.kind,
        level=report.level,
        file_bytes=len(data),
        payload_bytes=len(report.stream.payload),
        spent=report.spent,
        latent_bits=() if report.level is None else _latent_bits(codec, data, report.level),
        pixels=pixels,
        original=original,
        psnr_db=psnr_db,
    )


def _photograph_view(
    name: str, codec: PhotographCodec, data: bytes, pixels: Pixels, original: Pixels | None, psnr_db: float | None
) -> StreamView:
    stream, bits = codec.receive(data), codec.spent(data)
    return StreamView(
        name=name,
        model=codec.model.name,
        kind="photograph",
        level=stream.level,
        file_bytes=len(data),
        payload_bytes=sum(map(len, stream.payloads)),
        spent=(
            ("hyperlatents", bits.hyper),
            ("base", float(bits.base.sum())),
            ("detail", float(bits.detail.sum())),
        ),
        latent_bits=(),
        pixels=pixels,
        original=original,
        psnr_db=psnr_db,
        bit_map=bits.base + bits.detail,
    )


def _latent_bits(codec: Codec, data: bytes, level: int) -> tuple[tuple[int, float], ...]:
    _, symbols = codec.lossy.parse(data)
    bits = codec.lossy.symbol_bits(symbols[None], level)[0]
    coded = np.flatnonzero(codec.model.levels[level].tables.coded)
    return tuple((int(j), float(bits[j])) for j in coded[np.argsort(-bits[coded], kind="stable")])


def stream_pictures(view: StreamView) -> Sheet:
    """Reconstruction, and original and error map where the original is given."""
    rows = [Row("reconstruction", (Tile(view.pixels, view.file_bytes, "bytes"),))]
    if view.original is not None:
        error = error_map(view.original, view.pixels)
        quality = Tile(error) if view.psnr_db is None else Tile(error, view.psnr_db, "dB", 2)
        rows += [Row("original", (Tile(view.original),)), Row("absolute error", (quality,))]
    if view.bit_map is not None:
        drawn = bit_map_pixels(view.bit_map, (view.pixels.shape[0], view.pixels.shape[1]))
        rows.append(Row("bits of 16×16 pixels", (Tile(drawn, float(view.bit_map.max()), "at most"),)))
    tiles = tuple(row.tiles[0] for row in rows)
    heading = ", ".join(row.heading for row in rows)
    level = "" if view.level is None else f", level {view.level}"
    return Sheet(f"{view.name}: {view.model}, {view.kind}{level}", (Row(heading, tiles),))


def bit_map_pixels(bit_map: Float64, size: Size) -> Pixels:
    """Grey (h, w) of a picture's size: a cell a position, white where the most bits went."""
    grey = np.rint(255 * bit_map / max(float(bit_map.max()), 1e-9)).astype(np.uint8)
    return np.asarray(grey.repeat(BLOCK, axis=0).repeat(BLOCK, axis=1)[: size[0], : size[1]])


def stream_bits(view: StreamView) -> Chart:
    """A bar a latent, the dearest first; of an exact stream a bar a part."""
    parts = [(str(j), bits) for j, bits in view.latent_bits] or list(view.spent)
    x, y = tuple(float(k) for k in range(len(parts))), tuple(bits for _, bits in parts)
    ticks = tuple(name for name, _ in parts) if len(parts) <= MOST_TICKS else ()
    label = "what the bits are spent on"
    if view.latent_bits:
        label = "latent" if ticks else "coded latents, the dearest first"
    panel = Panel("", label, "bits, −log₂ P", (Series("bits", x, y, bars=True, line=False),), ticks=ticks)
    return Chart("Where the bits went", (panel,))
