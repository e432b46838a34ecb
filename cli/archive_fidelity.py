"""How good the images of an archive are, measured while it is written: for people, for its metadata, for --misfits.

each image's error ──> PSNR of the mean error, the worst, percentiles        PSNR below POOR_DB ──> a misfit, by name
"""

from __future__ import annotations

import io
from array import array
from typing import TYPE_CHECKING, Any

from vaecodec.codec.codec import Codec
from vaecodec.codec.quality import psnr_db_from_mse

from .misfit import MAX_COMPARED, POOR_DB, Misfits

if TYPE_CHECKING:
    from vaecodec.archive.measured import Measured
    from vaecodec.arrays import Pixels
    from vaecodec.codec.codec import AnyCodec
    from vaecodec.codec.target import Target

PERCENTILES = (1, 5, 50)
KEY = "fidelity"  # of the metadata: a list, an object for each creation and append that was measured
FEW = 100  # images, of which no percentiles are said
SAMPLED = 64  # images whose PNG is made, to compare exact coding with


class ArchiveFidelity:
    """Watches a writer."""

    def __init__(self) -> None:
        self._errors = array("d")
        self._first: int | None = None
        self._worst: tuple[float, int, str | None] = (-1.0, 0, None)
        self._misfits: list[tuple[int, str | None, float]] = []
        self._suspects: list[Pixels] = []
        self._png_bytes, self._sampled = 0, 0

    def __call__(self, image: Measured) -> None:
        """One more image."""
        self._first = image.number if self._first is None else self._first
        self._errors.append(image.mse)
        if image.mse > self._worst[0]:
            self._worst = image.mse, image.number, image.name
        if image.pixels is None:
            return
        if psnr_db_from_mse(image.mse) < POOR_DB:
            self._misfits.append((image.number, image.name, image.mse))
            if len(self._suspects) < MAX_COMPARED:
                self._suspects.append(image.pixels)
        if self._sampled < SAMPLED and image.mse == 0:
            self._png_bytes += _png_bytes(image.pixels)
            self._sampled += 1

    @property
    def images(self) -> int:
        """How many were measured."""
        return len(self._errors)

    @property
    def misfits(self) -> int:
        """How many are not of the kind that the model was made for."""
        return len(self._misfits)

    def fields(self) -> dict[str, Any]:
        """For the metadata and `--json`; decibels are null where every pixel is exact."""
        import numpy as np

        errors = np.frombuffer(self._errors, np.float64)
        # The p-th percentile of PSNR is the (100 - p)-th of the errors, and exact images have no decibels to rank by.
        ranked = np.percentile(errors, [100 - p for p in PERCENTILES], method="higher").tolist()
        return {
            "first": self._first,
            "images": len(errors),
            "exact": int(np.count_nonzero(errors == 0)),
            "psnr_db": _decibels(float(errors.mean())),
            "worst_psnr_db": _decibels(self._worst[0]),
            "worst_image": self._worst[1],
            "percentiles_db": {str(p): _decibels(error) for p, error in zip(PERCENTILES, ranked, strict=True)},
            "misfits": self.misfits,
        }

    def words(self) -> str:
        """For a person."""
        found = self.fields()
        if found["exact"] == found["images"]:
            return "every pixel exact"
        percentiles = found["percentiles_db"]
        _, number, name = self._worst
        image = f"image {number}" if name is None else name
        median, worst = _shown(percentiles["50"]), f"worst {_shown(found['worst_psnr_db'])}: {image}"
        if found["images"] < FEW:
            return f"{_shown(found['psnr_db'])} (median {median}, {worst})"
        low = f"5 % of the images below {_shown(percentiles['5'])}, 1 % below {_shown(percentiles['1'])}"
        return f"{_shown(found['psnr_db'])} (median {median}, {low}, {worst})"

    def warnings(self, codec: AnyCodec, target: Target, bytes_an_image: float) -> list[str]:
        """What is to be said of images that do not fit the model, and of exact coding that gains nothing.

        codec, target: what they were coded with.
        """
        found: list[str] = []
        if not isinstance(codec, Codec):
            return []
        if self._misfits:
            share = f"{self.misfits:,} of {self.images:,} images ({100 * self.misfits / self.images:.3g} %)"
            found.append(
                f"{share} are below {POOR_DB:g} dB: they are not of the kind that {codec.model.name} was made for"
            )
            found += self._rivals(codec, target)
        if self._sampled and self._sampled == min(self.images, SAMPLED):
            png = self._png_bytes / self._sampled
            if bytes_an_image >= png:
                found.append(
                    f"exact coding takes {bytes_an_image:.0f} bytes an image, and PNG {png:.0f} (mean of "
                    f"{self._sampled}): they are not of the kind that {codec.model.name} was made for"
                )
        return found

    def list_of_misfits(self) -> bytes:
        """Tab-separated lines: number, name (empty without one), PSNR in dB."""
        text = io.StringIO()
        for number, name, error in self._misfits:
            text.write(f"{number}\t{name or ''}\t{psnr_db_from_mse(error):.2f}\n")
        return text.getvalue().encode(errors="surrogateescape")

    def _rivals(self, codec: Codec, target: Target) -> list[str]:
        """The model that another one should have been, by the first misfits."""
        from collections import Counter

        from vaecodec.codec.choice import Chosen

        misfits = Misfits()
        better: Counter[str] = Counter()
        for pixels in self._suspects:
            (stream,) = codec.compress_batch([pixels], target=target)
            name = misfits.better_model(Chosen(codec, stream), pixels)
            if name is not None:
                better[name] += 1
        if not better:
            return []
        ((name, count),) = better.most_common(1)
        return [
            f"--model {name} would take fewer bytes at no less quality for {count} of the first {len(self._suspects)}"
        ]


def _decibels(error: float) -> float | None:
    return None if error == 0 else round(psnr_db_from_mse(error), 2)


def _shown(decibels: float | None) -> str:
    return "exact" if decibels is None else f"{decibels:.2f} dB"


def _png_bytes(pixels: Pixels) -> int:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", optimize=True)
    return buffer.tell()
