"""One configuration of benchmarks.exactness, in a process of its own: the thread counts are read when numpy starts.

    python -m benchmarks.measuring.exactness_worker MODEL LEVEL FOLDER BATCH

FOLDER holds images.npy and symbols.npy. Prints JSON: SHA-256 of all pixels and of all streams, and how many images'
decoded symbols differ.
"""

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

import vaecodec
from vaecodec.codec.target import Setting


def work(model: str, level: int, folder: Path, batch: int) -> dict[str, Any]:
    """Compress and decompress in batches, and synthesise the encoder's symbols in batches of the same size."""
    codec = vaecodec.Codec.load(model)
    images, symbols = np.load(folder / "images.npy"), np.load(folder / "symbols.npy")
    streams_hash, decoded_hash, pixels_hash = hashlib.sha256(), hashlib.sha256(), hashlib.sha256()
    different = 0
    for start in range(0, len(images), batch):
        part = slice(start, start + batch)
        streams = codec.lossy.compress(codec.frame.fit_all(images[part]), [Setting(level)] * len(images[part]))
        for stream in streams:
            streams_hash.update(stream)
        found = np.stack([codec.lossy.parse(stream)[1] for stream in streams])
        different += int((found != symbols[part]).any(axis=1).sum())
        for image in codec.decompress_batch(streams):
            decoded_hash.update(image.tobytes())
        pixels_hash.update(codec.lossy.synthesise(symbols[part], level).tobytes())
    return {
        "images_whose_symbols_differ": different,
        "streams_sha256": streams_hash.hexdigest(),
        "decompressed_sha256": decoded_hash.hexdigest(),
        "synthesised_sha256": pixels_hash.hexdigest(),
    }


if __name__ == "__main__":
    print(json.dumps(work(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]))))
