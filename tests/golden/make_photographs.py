"""Writes photographs/: streams of photo-1, and the hashes of what they decode to for ever. Tests only read them.

    python tests/golden/make_photographs.py FOLDER_OF_DATA

Eight crops of the five CC0 photographs of the validation pack (data/photos/licences.tsv), at four levels. They are made
anew for a new model alone; those of a released one stay.
"""

import hashlib
import json
import sys
from pathlib import Path

import numpy as np

import vaecodec
from vaecodec.data.photographs import load_photographs

HERE = Path(__file__).resolve().parent / "photographs"
CC0 = (0, 0, 3, 3, 11, 11, 79, 96)  # the pack's numbers of photographs
LEVELS = (0, 9, 20, 39)
SIZES = ((256, 256), (250, 131), (97, 256), (64, 64), (200, 200), (33, 177), (256, 90), (1, 240))


def main(data: Path) -> None:
    """Write the streams and hashes.json."""
    pack = data / "photos" / "photos-b.npz"
    crops, numbers = load_photographs(pack), np.load(pack)["photo"]
    codec = vaecodec.load("photo")
    hashes, seen = {}, dict.fromkeys(CC0, 0)
    HERE.mkdir(exist_ok=True)
    for place, (number, size) in enumerate(zip(CC0, SIZES, strict=True)):
        crop = crops[np.flatnonzero(numbers == number)[seen[number]]][: size[0], : size[1]]
        seen[number] += 1
        for level in LEVELS:
            stream = codec.compress(crop, level=level)
            name = f"{place}-level-{level}"
            (HERE / f"{name}.vae").write_bytes(stream)
            hashes[name] = hashlib.sha256(codec.decompress(stream).tobytes()).hexdigest()
    (HERE / "hashes.json").write_text(json.dumps({"model": codec.fingerprint.hex(), "sha256": hashes}, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
