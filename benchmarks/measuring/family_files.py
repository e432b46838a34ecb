"""A family's model over a set of images, by its files: rate, distortion, and what each bit of them is spent on.

images (n, h, w) --compress--> n files --read--> symbols, images --measure_files--> FilePoint
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from benchmarks.measuring.images import Images
from benchmarks.measuring.measure import setting_of, through_files
from vaecodec.arrays import Symbols
from vaecodec.bitstream.stream import unpack
from vaecodec.codec.codec import Codec
from vaecodec.evaluation.rd import RatePoint, measure_point

CARRYING_BITS = 0.05  # a latent that carries less does not count where sparsity is asked for
LARGEST_SHARE, EXTRA_BITS = 1.02, 4.0  # the payload's bound over the information content


@dataclass(frozen=True, slots=True)
class FilePoint:
    """A model's files of a set of images. Bits are means over the images.

    own_reconstruction: every file came back as the model's own reconstruction of its image. latent_bits: of each symbol
    of a file, under its table. zero_share: of the symbols of the latents that carry 0.05 bit or more.
    gradient_energy_ratio: of the decoded images to the originals, 1 where nothing is blurred.
    """

    point: RatePoint
    information_bits: float
    payload_bits: float
    own_reconstruction: bool
    latent_bits: tuple[float, ...]
    zero_share: float | None
    gradient_energy_ratio: float

    @property
    def bound_bits(self) -> float:
        """What the payload may have at most."""
        return LARGEST_SHARE * self.information_bits + EXTRA_BITS

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            **asdict(self),
            "bound_bits": self.bound_bits,
            "within_bound": self.payload_bits <= self.bound_bits,
        }


def measure_files(codec: Codec, images: Images) -> FilePoint:
    """Compress every image into a file, read the files back, decode them."""
    expected = codec.lossy.analyse(images)
    files = through_files(codec.compress_batch(images))
    decoded = np.stack(codec.decompress_batch(files.streams))
    symbols = np.stack([codec.lossy.parse(stream)[1] for stream in files.streams])
    payload_sizes = [len(unpack(stream).payload) for stream in files.streams]
    information = codec.lossy.information_bits(symbols)
    bits = codec.lossy.symbol_bits(symbols).mean(axis=0)
    same = np.array_equal(symbols, expected) and np.array_equal(decoded, codec.lossy.synthesise(expected))
    return FilePoint(
        point=measure_point(
            codec.model.family,
            setting_of(codec.model, 0),
            images,
            decoded,
            file_sizes=files.sizes,
            payload_sizes=payload_sizes,
            information_bits=list(information),
        ),
        information_bits=float(information.mean()),
        payload_bits=8 * float(np.mean(payload_sizes)),
        own_reconstruction=bool(same),
        latent_bits=tuple(float(value) for value in bits),
        zero_share=zero_share(symbols[:, bits >= CARRYING_BITS]),
        gradient_energy_ratio=gradient_energy(decoded) / gradient_energy(images),
    )


def zero_share(symbols: Symbols) -> float | None:
    """Share of the symbols that are 0; None where there is none."""
    return float((symbols == 0).mean()) if symbols.size else None


def gradient_energy(images: Images) -> float:
    """Mean squared difference of neighbouring pixels, along rows and along columns together."""
    x = images.astype(np.float64)
    return float(np.square(np.diff(x, axis=1)).mean() + np.square(np.diff(x, axis=2)).mean())
