"""One thread count of benchmarks.lossless_exactness, in a process of its own.

    python -m benchmarks.measuring.lossless_exactness_worker MODEL FOLDER BATCH...        (FOLDER holds the streams)

Prints JSON: for each batch size the SHA-256 of all decoded pixels.
"""

import hashlib
import json
import sys
from pathlib import Path

import vaecodec


def decoded_hash(model: str, folder: Path, batch: int) -> str:
    """Decompress every stream of the folder, in the order of their names, `batch` at once."""
    codec, found = vaecodec.Codec.load(model), hashlib.sha256()
    streams = [path.read_bytes() for path in sorted(folder.iterdir())]
    for start in range(0, len(streams), batch):
        for image in codec.decompress_batch(streams[start : start + batch]):
            found.update(image.tobytes())
    return found.hexdigest()


if __name__ == "__main__":
    print(json.dumps({batch: decoded_hash(sys.argv[1], Path(sys.argv[2]), int(batch)) for batch in sys.argv[3:]}))
