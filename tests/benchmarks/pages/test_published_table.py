"""benchmarks.pages.published_table and the bar of the published points."""

import json
from pathlib import Path

import pytest

from benchmarks.measuring.machine import RESULTS
from benchmarks.pages.family_bars import published_bar
from benchmarks.pages.published_table import curve_table, point_row, section


def result(reconstruction: float, kl: float, *, holds: bool) -> dict:
    """A stored result, whose published point is 100 and 20."""
    return {
        "steps": 150_000,
        "reached": {"reconstruction_nats": reconstruction, "kl_nats": kl},
        "published": {"reconstruction_nats": 100.0, "kl_nats": 20.0},
        "off": {"reconstruction_nats": reconstruction / 100 - 1, "kl_nats": kl / 20 - 1},
        "within_10_per_cent": holds,
        "test_set": {"images": 5, "reconstruction_nats": 111.0, "kl_nats": 22.0},
        "trained_on": {"device": "card", "torch": "9.9"},
        "curve": [
            {"step": step, "validation_distortion_nats": 1000 / step, "validation_rate_nats": step / 10}
            for step in (50, 100, 150)
        ],
    }


def test_a_point_is_shown_beside_the_published_one():
    row = point_row("mnist", 1.0, result(95.0, 21.0, holds=True))
    assert row == (
        *("mnist, β = 1", "95.0", "100.0", "-5.0%", "21.00", "20.00", "+5.0%"),
        *("150,000", "40%", "111.0", "22.00"),
    )


def test_the_curve_has_both_betas_at_each_step():
    lines = curve_table([result(1, 1, holds=True)["curve"]] * 2).splitlines()
    assert lines[2:] == [
        "| 50 | 20.0 | 5.00 | 20.0 | 5.00 |",
        "| 100 | 10.0 | 10.00 | 10.0 | 10.00 |",
        "| 150 | 6.7 | 15.00 | 6.7 | 15.00 |",
    ]


def test_the_section_says_what_is_missing_and_what_it_was_trained_on(tmp_path: Path):
    (tmp_path / "published-mnist-beta-1.json").write_text(json.dumps(result(95.0, 21.0, holds=True)))
    text = section(tmp_path)
    assert "| mnist, β = 4 | not measured yet |" in text
    assert "Trained on: card, torch 9.9." in text


@pytest.mark.parametrize(
    ("reconstruction", "kl", "holds", "ending"),
    [
        (95.0, 21.0, True, "holds"),
        (80.0, 21.0, False, "MISSED"),
        (80.0, 15.0, False, "MISSED, since it is below in both"),
    ],
)
def test_the_bar_says_what_missed_it(reconstruction, kl, holds, ending):
    line = published_bar("mnist", 1.0, result(reconstruction, kl, holds=holds))
    assert line.endswith(f"after 150,000 of 375,000 steps: within 10 %: {ending}")


@pytest.mark.parametrize("path", sorted(RESULTS.glob("published-*.json")), ids=lambda path: path.stem)
def test_a_stored_verdict_follows_from_its_numbers(path):
    stored = json.loads(path.read_text())
    for name, value in stored["off"].items():
        assert value == pytest.approx(stored["reached"][name] / stored["published"][name] - 1, abs=1e-5)
    assert stored["within_10_per_cent"] == all(abs(value) <= 0.10 for value in stored["off"].values())
    assert stored["curve"][-1]["step"] == stored["steps"]
