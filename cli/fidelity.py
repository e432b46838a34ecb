"""How near decoded pixels are to those that were compressed, for people and for `--json`.

not verified     nothing is known                "verified": false, "exact": null,  "psnr_db": null
exact            no pixel differs                "verified": true,  "exact": true,  "psnr_db": null
else             a mean squared error            "verified": true,  "exact": false, "psnr_db": a number
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vaecodec.arrays import Pixels
    from vaecodec.codec.picture import Picture


@dataclass(frozen=True, slots=True)
class Fidelity:
    """mse: mean squared error in squared grey levels, None where nothing was decoded to compare."""

    mse: float | None = None

    @classmethod
    def of(cls, decoded: Pixels, pixels: Pixels) -> Fidelity:
        """Of one image."""
        from vaecodec.codec.quality import mse

        return cls(mse(decoded, pixels))

    @classmethod
    def of_picture(cls, decoded: Pixels, picture: Picture) -> Fidelity:
        """Of a picture, whose grey is compared with grey where that is what was decoded."""
        return cls.of(decoded, picture.pixels if decoded.ndim == 3 else picture.pixels[..., 0])

    @classmethod
    def of_set(cls, found: Sequence[Fidelity]) -> Fidelity:
        """Of several images: from the mean MSE; nothing is known of a set without a measured image."""
        errors = [one.mse for one in found if one.mse is not None]
        return cls(sum(errors) / len(errors) if errors else None)

    @property
    def exact(self) -> bool | None:
        """Whether no pixel differs; None where that is not known."""
        return None if self.mse is None else self.mse == 0

    @property
    def psnr_db(self) -> float | None:
        """Of 8-bit pixels, infinite where nothing differs; None where that is not known."""
        from vaecodec.codec.quality import psnr_db_from_mse

        return None if self.mse is None else psnr_db_from_mse(self.mse)

    @property
    def words(self) -> str:
        """For a person: `25.31 dB`, `lossless`, or nothing."""
        return "" if self.mse is None else f"{self.psnr_db:.2f} dB" if self.mse else "lossless"

    def fields(self) -> dict[str, Any]:
        """For `--json`, as the head of this file says."""
        psnr_db = None if self.exact else self.psnr_db
        return {"verified": self.mse is not None, "exact": self.exact, "psnr_db": psnr_db}
