"""Every alias has a model card, and what the cards say is what model files and records say."""

import json
import re
from dataclasses import replace

import pytest

from benchmarks import model_cards as command
from benchmarks.measuring.machine import RESULTS
from benchmarks.pages import model_cards
from benchmarks.pages.page import out_of_date
from vaecodec.modelfile.installed import aliases, installed_models, zoo_folder

SECTIONS = ("## The file, and its figures", "## Limits")


@pytest.fixture(autouse=True)
def released_alone(tmp_path, monkeypatch):
    """No model of the user's own."""
    monkeypatch.setenv("VAECODEC_MODELS", str(tmp_path))


def test_the_cards_are_what_files_and_records_give():
    assert out_of_date(model_cards.pages()) == [], "run python -m benchmarks.model_cards"
    assert command.main(["--check"]) == 0


@pytest.mark.parametrize("alias", sorted(aliases()))
def test_every_alias_has_a_card_with_data_licence_and_limits(alias):
    page = (model_cards.CARDS / f"{aliases()[alias]}.md").read_text(encoding="utf-8")
    assert f"`{alias}`" in page
    assert all(section in page for section in SECTIONS)
    assert re.search("licence", page)


def test_numbers_of_a_card_are_those_of_the_record_looked_up_another_way():
    record = json.loads((zoo_folder() / f"{aliases()['mnist']}.json").read_text(encoding="utf-8"))
    page = (model_cards.CARDS / f"{record['name']}.md").read_text(encoding="utf-8")
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in page.splitlines()
        if line[:3].strip("| ").isdigit()
    ]
    assert [(int(row[0]), float(row[2]), float(row[3])) for row in rows] == [
        (one["level"], round(one["test"]["file_bytes"], 1), round(one["test"]["psnr_db"], 2))
        for one in record["levels"]
    ]
    assert f"Exact files: {record['lossless']['test']['bytes']:.1f} bytes" in page
    assert record["fingerprint"] in page


def test_figures_of_another_file_are_refused():
    special = next(model for model in installed_models() if "mnist" in model.aliases)
    other = replace(special, summary=replace(special.summary, fingerprint=bytes(32)))
    with pytest.raises(model_cards.NoRecord, match="expected figures of"):
        model_cards.card(other, RESULTS)
    photograph = next(model for model in installed_models() if "photo" in model.aliases)
    with pytest.raises(model_cards.NoRecord):
        model_cards.card(photograph, zoo_folder())  # which holds no results
