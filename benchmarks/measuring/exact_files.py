"""Images that are coded exactly, one file each: written to the disk, sized there, read back and compared."""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.measuring.images import Images
from benchmarks.measuring.measure import through_files
from vaecodec.bitstream.stream import CODED_EXACTLY, unpack
from vaecodec.codec.codec import Codec
from vaecodec.codec.target import Target

EXACTLY = Target(max_error=0)
STORED_OVERHEAD_BYTES = 10  # what a file may have beyond the raw pixels


def measure_exact_files(codec: Codec, images: Images) -> dict[str, Any]:
    """One file for each image; raises AssertionError where an image does not come back or a file is too large."""
    started = time.perf_counter()
    streams = codec.compress_batch(images, target=EXACTLY)
    compressed_s = time.perf_counter() - started
    files = through_files(streams)
    started = time.perf_counter()
    decoded = codec.decompress_batch(files.streams)
    decompressed_s = time.perf_counter() - started
    same_pixels(images, decoded)
    raw = images[0].size
    if max(files.sizes) > raw + STORED_OVERHEAD_BYTES:
        raise AssertionError(f"a file of {max(files.sizes)} bytes, the raw pixels have {raw}")
    stored = sum(unpack(data).coding not in CODED_EXACTLY for data in files.streams)
    return {
        "images": len(images),
        "bytes": float(np.mean(files.sizes)),
        "bits_per_pixel": 8 * float(np.mean(files.sizes)) / raw,
        "largest_bytes": max(files.sizes),
        "stored": stored,
        "compressed_images_per_s": len(images) / compressed_s,
        "decompressed_images_per_s": len(images) / decompressed_s,
    }


def same_pixels(images: Images, decoded: Sequence[Images]) -> None:
    """Raises AssertionError at the first image that is another."""
    if len(decoded) != len(images):
        raise AssertionError(f"{len(decoded)} of {len(images)} images came back")
    for number, (image, found) in enumerate(zip(images, decoded, strict=True)):
        if not np.array_equal(image, found):
            raise AssertionError(f"image {number} came back with other pixels")
