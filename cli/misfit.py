"""Images that a model was not made for: noise, inverted digits, photographs. They are compressed, and said to be poor.

PSNR below SUSPECT_DB ──> is another installed model smaller at no more distortion?      PSNR below POOR_DB ──> say so
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vaecodec.bitstream.stream import is_exact
from vaecodec.codec.codec import Codec
from vaecodec.codec.quality import mse
from vaecodec.codec.special import special_pixels
from vaecodec.modelfile.installed import installed_models, read_installed

from .fidelity import Fidelity

if TYPE_CHECKING:
    from vaecodec.arrays import Pixels
    from vaecodec.codec.choice import Chosen
    from vaecodec.codec.picture import Picture

POOR_DB = 15.0  # the error is 3 % of the signal's greatest power: digits at the coarsest levels are still above it
# Images of a model's own kind are above it at the default level (their mean is 22 dB and more), so that they cost
# nothing here; a comparison costs some 10 evaluations of each other model.
SUSPECT_DB = 20.0
MAX_RIVALS = 4  # other models that are read and tried, tens of milliseconds each
MAX_COMPARED = (
    16  # images of a folder for which other models are tried: a folder of noise must not take ten times as long
)


class Misfits:
    """Finds what is to be said of images, reading other models only when the first suspect comes."""

    def __init__(self) -> None:
        self._rivals: dict[bytes, list[Codec]] = {}
        self._compared = 0

    def warnings(self, chosen: Chosen, picture: Picture, fidelity: Fidelity) -> list[str]:
        """What to say of a picture and its stream: what is lost, and how poor it is if that is known."""
        codec, stream = chosen.codec, chosen.stream
        if not isinstance(codec, Codec):
            return []
        found = [f"{', '.join(picture.chunks)}: not kept, for {codec.model.name} is no photograph model"] * bool(
            picture.chunks
        )
        decibels, error = fidelity.psnr_db, fidelity.mse
        if decibels is None or error is None or is_exact(stream):
            return found
        if decibels < POOR_DB:
            found.append(
                f"only {decibels:.1f} dB: this is not an image of the kind that {codec.model.name} was made for"
            )
        if decibels < SUSPECT_DB and self._compared < MAX_COMPARED:
            self._compared += 1
            better = self._better(codec, stream, special_pixels(picture), error)
            if better is not None:
                name, size_bytes = better
                found.append(
                    f"--model {name} would take {size_bytes} bytes instead of {len(stream)} at no less quality"
                )
        return found

    def better_model(self, chosen: Chosen, pixels: Pixels) -> str | None:
        """The name of the installed model that needs fewest bytes, if fewer, for no more distortion."""
        if not isinstance(chosen.codec, Codec):
            return None
        error = mse(chosen.codec.decompress(chosen.stream), pixels)
        better = self._better(chosen.codec, chosen.stream, pixels, error)
        return None if better is None else better[0]

    def _better(self, codec: Codec, stream: bytes, pixels: Pixels, largest: float) -> tuple[str, int] | None:
        """The name and the stream's bytes of the model that needs fewest, if fewer, for no more distortion."""
        from vaecodec.codec.search import search_mse

        best: tuple[str, int] | None = None
        for rival in self._others(codec):
            (found,) = search_mse(rival.lossy, [rival.frame.fit(pixels)], largest)
            if found.meets:
                size_bytes = len(rival.compress(pixels, level=found.setting.level))
                if size_bytes < (len(stream) if best is None else best[1]):
                    best = rival.model.name, size_bytes
        return best

    def _others(self, codec: Codec) -> list[Codec]:
        from vaecodec.errors import VaecodecError

        if codec.fingerprint not in self._rivals:
            rivals: list[Codec] = []
            for other in installed_models():
                said = other.summary
                fits = (said.height, said.width) == codec.geometry and said.betas and said.has_analysis
                if not fits or said.fingerprint == codec.fingerprint:
                    continue
                if len(rivals) == MAX_RIVALS:
                    break
                try:
                    rivals.append(Codec(read_installed(other.path)))
                except (VaecodecError, OSError):
                    continue  # a damaged model is no reason to fail with another
            self._rivals[codec.fingerprint] = rivals
        return self._rivals[codec.fingerprint]
