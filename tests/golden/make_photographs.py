"""Writes v2/: streams of photo-1, and the hashes of what they decode to for ever. Tests only read them.

    python tests/golden/make_photographs.py FOLDER_OF_DATA

Eight crops of the five CC0 photographs of the validation pack (data/photos/licences.tsv), at four levels. They are
frozen: what is there is compared (frozen.py), and a new model gets files beside them.
"""

import hashlib
import json
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

from frozen import write  # noqa: E402

import vaecodec  # noqa: E402
from vaecodec.data.photographs import load_photographs  # noqa: E402

V2 = HERE / "v2"
CC0 = (0, 0, 3, 3, 11, 11, 79, 96)  # the pack's numbers of photographs
LEVELS = (0, 9, 20, 39)
SIZES = ((256, 256), (250, 131), (97, 256), (64, 64), (200, 200), (33, 177), (256, 90), (1, 240))


def main(data: Path) -> None:
    """Write the streams and hashes.json."""
    pack = data / "photos" / "photos-b.npz"
    crops, numbers = load_photographs(pack), np.load(pack)["photo"]
    codec = vaecodec.load("photo")
    hashes, seen = {}, dict.fromkeys(CC0, 0)
    for place, (number, size) in enumerate(zip(CC0, SIZES, strict=True)):
        crop = crops[np.flatnonzero(numbers == number)[seen[number]]][: size[0], : size[1]]
        seen[number] += 1
        for level in LEVELS:
            name = f"{place}-level-{level}"
            path = V2 / f"{name}.vae"
            if not path.exists():  # an encoder's floats differ from machine to machine
                write(path, codec.compress(crop, level=level))
            hashes[name] = hashlib.sha256(codec.decompress(path.read_bytes()).tobytes()).hexdigest()
    record = {"model": codec.fingerprint.hex(), "sha256": hashes}
    write(V2 / "hashes.json", (json.dumps(record, indent=1) + "\n").encode())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
