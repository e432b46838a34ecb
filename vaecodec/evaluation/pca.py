"""PCA codec: the trivial learned baseline. What a β-VAE saves must be measured against this, not against nothing.

    image (h, w) --PcaBasis--> (k,) --one step--> symbols --learned tables--> payload --our stream--> file, 7 bytes more

Principal components of the training images, one uniform step for all of them (at high rate the best choice for Gaussian
components: reverse water-filling), coding tables from the training images' symbols. numpy alone.
"""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vaecodec.arrays import Pixels
from vaecodec.bitstream.stream import pack, unpack, verify
from vaecodec.entropy.coder import decode_symbols, encode_symbols
from vaecodec.entropy.tables import CodingTables, tables_from_histogram
from vaecodec.errors import BadField, ImageSizeError

Float32 = NDArray[np.float32]
Int32 = NDArray[np.int32]

OVERSAMPLING = 16  # Halko, Martinsson, Tropp 2011, section 4.3: a few directions more than asked for
POWER_ITERATIONS = 4  # the same, section 4.5: image spectra fall off slowly


@dataclass(frozen=True, eq=False)
class PcaBasis:
    """Mean (d,) and components (k, d), orthonormal rows in falling order of variance; d = height * width."""

    mean: Float32
    components: Float32
    height: int
    width: int

    @classmethod
    def fit(cls, images: Pixels, components: int, *, rng: np.random.Generator) -> "PcaBasis":
        """The first `components` principal components of images uint8 (n, h, w), by randomised subspace iteration."""
        count, height, width = images.shape
        if not 1 <= components <= min(count, height * width):
            raise ValueError(f"components: expected 1 to {min(count, height * width)}, found {components}")
        x = images.reshape(count, -1).astype(np.float32)
        mean = x.mean(axis=0, dtype=np.float64).astype(np.float32)
        x -= mean
        width_of_sketch = min(components + OVERSAMPLING, count, height * width)
        directions = rng.standard_normal((x.shape[1], width_of_sketch), dtype=np.float32)
        for _ in range(POWER_ITERATIONS):
            directions = np.linalg.qr(x.T @ (x @ directions))[0]
        inside = np.asarray(x @ directions, dtype=np.float64)
        _, turn = np.linalg.eigh(inside.T @ inside)
        rows = (directions @ turn[:, ::-1][:, :components]).T
        return cls(mean, np.ascontiguousarray(rows, dtype=np.float32), height, width)

    def analyse(self, images: Pixels) -> Float32:
        """Coefficients: uint8 (n, h, w) -> float32 (n, k). Raises ImageSizeError for another geometry."""
        if images.shape[1:] != (self.height, self.width):
            raise ImageSizeError(f"pca: expected images of {self.height} x {self.width}, found {images.shape[1:]}")
        return np.asarray((images.reshape(len(images), -1) - self.mean) @ self.components.T, dtype=np.float32)

    def synthesise(self, coefficients: Float32) -> Pixels:
        """Pixels: float32 (n, k) -> uint8 (n, h, w)."""
        pixels = np.rint(coefficients @ self.components + self.mean)
        levels = np.clip(pixels, 0, 255).reshape(-1, self.height, self.width)
        return np.asarray(levels, dtype=np.uint8)


@dataclass(frozen=True, eq=False)
class PcaCodec:
    """A basis, a step in levels, and the tables of its symbols; `fingerprint` is the SHA-256 of all three."""

    basis: PcaBasis
    step: float
    tables: CodingTables
    fingerprint: bytes

    @classmethod
    def fit(cls, basis: PcaBasis, step: float, training_images: Pixels) -> "PcaCodec":
        """The tables for one step; components whose symbol is 0 in every training image are not coded."""
        if not step > 0:
            raise ValueError(f"step: expected more than 0, found {step}")
        symbols = _round_to_symbols(basis.analyse(training_images), step)
        tables = tables_from_histogram(symbols, collapsed=(symbols == 0).all(axis=0))
        digest = hashlib.sha256(np.float64(step).tobytes())
        for array in (basis.mean, basis.components, *tables.to_arrays().values()):
            digest.update(np.ascontiguousarray(array).tobytes())
        return cls(basis, step, tables, digest.digest())

    def analyse(self, images: Pixels) -> Int32:
        """Symbols: uint8 (n, h, w) -> int32 (n, k). Raises ImageSizeError for another geometry."""
        return self.tables.fill_collapsed(_round_to_symbols(self.basis.analyse(images), self.step))

    def synthesise(self, symbols: Int32) -> Pixels:
        """Pixels: int32 (n, k) -> uint8 (n, h, w)."""
        return self.basis.synthesise(symbols.astype(np.float32) * np.float32(self.step))

    def information_bits(self, symbols: Int32) -> NDArray[np.float64]:
        """-log2 p of each image's symbols under the tables: int32 (n, k) -> float64 (n,)."""
        return self.tables.information_bits(symbols)

    def compress(self, image: Pixels) -> bytes:
        """A whole stream: uint8 (h, w) -> bytes."""
        return self.pack_symbols(self.analyse(image[None])[0])

    def decompress(self, data: bytes) -> Pixels:
        """The image of a stream: bytes -> uint8 (h, w). Raises FormatError."""
        return np.asarray(self.synthesise(self.unpack_symbols(data)[None])[0])

    def pack_symbols(self, symbols: Int32) -> bytes:
        """The stream of one image's symbols int32 (k,)."""
        return pack(0, self.fingerprint, None, encode_symbols(symbols, self.tables))

    def unpack_symbols(self, data: bytes) -> Int32:
        """One image's symbols int32 (k,). Raises FormatError, BadChecksum among them for another codec's stream."""
        stream = unpack(data)
        verify(data, self.fingerprint)
        if stream.coding != 0 or stream.size is not None:
            raise BadField(f"pca stream: expected coding 0 and no size, found {stream.coding} and {stream.size}")
        return decode_symbols(stream.payload, self.tables)


def _round_to_symbols(coefficients: Float32, step: float) -> Int32:
    return np.asarray(np.rint(coefficients / np.float32(step)), dtype=np.int32)
