"""What the pages say of photographs is what is stored of them."""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("bjontegaard")

from benchmarks.measuring.photo_codecs import OURS, WEBP
from benchmarks.measuring.photo_points import PhotoPoint
from benchmarks.pages import photograph_tables
from benchmarks.pages.readme_tables import summary
from benchmarks.photograph_speed import memory_bars, mosaic, time_bars
from benchmarks.photographs import against_each, bars
from benchmarks.studies.photo_comparison import all_comparisons


def curve(factor: float) -> list[PhotoPoint]:
    """WebP's rates scaled, from 26 to 40 dB."""
    decibels = np.linspace(26, 40, 8).tolist()
    rates = [factor * 0.1 * 2 ** (k / 1.6) for k in range(len(decibels))]
    return [
        PhotoPoint("x", f"level {k}", 24, 1.0, rate, 1.0, db - 0.4, db, 1 - 10 ** (-db / 20), 5)
        for k, (rate, db) in enumerate(zip(rates, decibels, strict=True))
    ]


def result() -> dict[str, object]:
    curves = {WEBP: curve(1.0), "AVIF": curve(0.82), OURS: curve(0.75)}
    published = [{"id": "vtm", "codec": "VTM", "points": [[p.file_bpp, p.mean_image_psnr_db] for p in curve(0.6)]}]
    return {
        "data": {"source": "24 photographs"},
        "model": {"name": "photo-1"},
        "curves": {name: [asdict(point) for point in points] for name, points in curves.items()},
        "published": published,
        "comparisons": all_comparisons(curves, published, WEBP),
        "of_ours": against_each(curves),
        "bars": bars(curves),
    }


def test_the_rates_stand_in_the_table_ours_first_and_published_ones_marked() -> None:
    rows = photograph_tables.rate_rows(result())
    assert [row[0] for row in rows] == [f"**{OURS}**", "AVIF", "VTM (published)"]
    assert [row[1] for row in rows] == ["−25.0 %", "−18.0 %", "−40.0 %"]
    assert rows[0][2] == "26.0–40.0 dB"
    assert rows[0][3:] == ("−25.0 %",) * 6
    assert rows[2][-2:] == ("", "")


def test_the_tables_say_whether_the_bars_hold() -> None:
    text = "\n".join(photograph_tables.tables(result()))
    assert "−25.0 % over 26.0 to 40.0 dB (bound: -20 %): holds" in text
    assert "| level 7 |" in text


def test_without_a_model_the_anchors_stand_alone_and_the_readme_waits(tmp_path: Path) -> None:
    alone = {**result(), "model": None, "bars": None}
    alone["curves"] = {name: points for name, points in alone["curves"].items() if name != OURS}
    assert "level" not in "\n".join(photograph_tables.tables(alone)[3:])
    assert "Photographs" not in summary(tmp_path)


def test_bars_of_time_are_quotients_of_medians_and_can_be_missed() -> None:
    times = {
        "compress": {"cpu_s": [1.0, 1.2, 9.0], "wall_s": [0.8] * 3},
        "decompress": {"cpu_s": [0.5] * 3, "wall_s": [0.4] * 3},
        "avif_encode": {"cpu_s": [0.4] * 3, "wall_s": [0.4] * 3},
        "avif_encode_all_cores": {"cpu_s": [0.4] * 3, "wall_s": [0.25] * 3},
    }
    found = {(bar["what"].split(",")[0], bar["most"]): (bar["value"], bar["holds"]) for bar in time_bars(times)}
    assert found["compress", 2.5] == (pytest.approx(3.0), False)
    assert found["decompress", 2.0] == (pytest.approx(1.25), True)
    assert found["decompress", 1.5] == (pytest.approx(1.6), False)


def test_bars_of_memory_are_of_the_largest_picture() -> None:
    def of(size: tuple[int, int], peak: float, wall_s: float) -> dict[str, object]:
        task = {"peak_bytes": peak, "wall_s": wall_s}
        return {"size": list(size), "compress": task, "decompress": task}

    held = memory_bars([of((1024, 1536), 2e8, 1.0), of((4000, 6000), 9e8, 16.0)])
    assert all(bar["holds"] for bar in held)
    missed = memory_bars([of((1024, 1536), 2e8, 1.0), of((4000, 6000), 1.1e9, 30.0)])
    assert not any(bar["holds"] for bar in missed)


def test_a_mosaic_repeats_the_crops_up_to_the_size() -> None:
    crops = [np.full((4, 4, 3), value, np.uint8) for value in (1, 2, 3)]
    picture = mosaic(crops, (6, 10))
    assert picture.shape == (6, 10, 3)
    assert picture[0, ::4, 0].tolist() == [1, 2, 3]
    assert picture[5, 9, 0] == 3
