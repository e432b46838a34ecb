"""benchmarks.folder: the bars, on curves that hold and on curves that miss one of them."""

import pytest

from benchmarks.folder import compare

WEBP = [
    {"psnr_db": db, "file_bytes": 100.0 + 8 * (db - 21), "payload_bytes": 70.0 + 8 * (db - 21)}
    for db in (21.0, 25.0, 29.0, 33.0)
]


def ours(share, *, most_db=34.0):
    """A curve with this share of WebP's bytes."""
    places = [db / 2 for db in range(38, int(2 * most_db))]
    return [{"psnr_db": db, "file_bytes": share * (100 + 8 * (db - 21))} for db in places]


def test_a_curve_far_below_webp_holds():
    found = compare(ours(0.5), WEBP)
    assert found["holds"]
    assert found["bd_between_db"] == (21.0, 30.0)
    assert found["bd_rate_against_webp_files_per_cent"] == pytest.approx(-50, abs=0.5)
    assert found["not_below_webp_at_db"] == []


@pytest.mark.parametrize(("share", "most_db"), [(0.8, 34.0), (0.5, 29.0), (1.2, 34.0)])
def test_too_many_bytes_or_too_short_a_curve_miss_the_bar(share, most_db):
    assert not compare(ours(share, most_db=most_db), WEBP)["holds"]


def test_the_places_where_webp_is_smaller_are_named():
    mixed = [point | {"file_bytes": 300.0} if point["psnr_db"] > 28 else point for point in ours(0.5)]
    assert compare(mixed, WEBP)["not_below_webp_at_db"][-1] == 30.0
