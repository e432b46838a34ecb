"""Do the classical codecs have the settings that suit them? Measured on validation images, never on test images.

    python -m benchmarks.classical_settings          into results/classical-settings.json

For each choice that vaecodec/evaluation/classical.py makes: the files of the setting chosen against its alternatives,
at equal PSNR (Bjøntegaard, per cent; positive where the alternative is larger) or, lossless, by their bytes.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.measuring.images import DATA, describe_set, evenly_spaced
from benchmarks.measuring.machine import RESULTS, write_results
from benchmarks.measuring.points import measure_classical
from vaecodec.data import load_dataset
from vaecodec.evaluation.bd import bd_rate
from vaecodec.evaluation.classical import ClassicalCodec, classical_codecs
from vaecodec.evaluation.rd import RateCurve

IMAGES = 100
# codec, option, the values beside the chosen one; None leaves the option out, which is Pillow's default
ALTERNATIVES: tuple[tuple[str, str, tuple[object, ...]], ...] = (
    ("WebP", "method", (4,)),
    ("JPEG XL", "effort", (3, 9)),
    ("AVIF", "speed", (4, 8)),
    ("JPEG 2000", "num_resolutions", (2, 4)),
    ("JPEG 2000", "no_jp2", (None,)),
    ("JPEG", "optimize", (None,)),
    ("PNG", "optimize", (None,)),
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and store."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.classical_settings", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--images", type=int, default=IMAGES)
    options = parser.parse_args(arguments)
    results: dict[str, Any] = {}
    for data in DATA:
        dataset = load_dataset(data, "validation")
        images = evenly_spaced(dataset.images, options.images)
        found = [entry for alternative in ALTERNATIVES for entry in compare(data, images, *alternative)]
        results[data] = {"data": {**describe_set(dataset), "images": len(images)}, "alternatives": found}
    write_results(RESULTS / "classical-settings.json", {"results": results}, seed=None)
    print(RESULTS / "classical-settings.json")


def compare(
    data: str, images: NDArray[np.uint8], name: str, option: str, values: Sequence[object]
) -> list[dict[str, Any]]:
    """The codec's lossy and lossless settings with one option changed, against those that are chosen."""
    chosen = [codec for codec in classical_codecs([name]) if option in dict(codec.options)]
    entries: list[dict[str, Any]] = []
    for lossless in (False, True):
        group = [codec for codec in chosen if codec.lossless == lossless]
        if not group:
            continue
        anchor = curve(data, images, group)
        for value in values:
            other = curve(data, images, [with_option(codec, option, value) for codec in group])
            entry: dict[str, Any] = {"codec": name, "lossless": lossless, "option": option, "value": value}
            entry.update(excess(anchor, other, lossless=lossless))
            print(f"{data} {entry}", file=sys.stderr)
            entries.append(entry)
    return entries


def with_option(codec: ClassicalCodec, option: str, value: object) -> ClassicalCodec:
    """The same codec with one option changed, or left out for None."""
    changed = {**dict(codec.options), option: value}
    return replace(codec, options=tuple((key, v) for key, v in changed.items() if v is not None))


def curve(data: str, images: NDArray[np.uint8], codecs: Sequence[ClassicalCodec]) -> RateCurve:
    """The points of one codec."""
    return RateCurve(codecs[0].name, data, tuple(measure_classical(codec, images) for codec in codecs))


def excess(anchor: RateCurve, other: RateCurve, *, lossless: bool) -> dict[str, Any]:
    """How much larger the alternative's files are, in per cent of the chosen setting's."""
    if lossless:
        bytes_chosen, bytes_other = (min(p.file_bytes for p in c.points) for c in (anchor, other))
        return {"chosen_bytes": bytes_chosen, "alternative_bytes": bytes_other}
    try:
        return {"alternative_is_larger_by_per_cent": bd_rate(anchor, other)}
    except ValueError as error:  # the curves share no range of PSNR
        return {"alternative_is_larger_by_per_cent": None, "why": str(error)}


if __name__ == "__main__":
    main()
