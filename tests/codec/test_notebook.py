"""What notebooks show of a codec and of an archive."""

from base64 import b64decode
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import vaecodec
from vaecodec.codec.notebook import GAP, contact_sheet, html_of

GOLDEN = Path(__file__).parent.parent / "golden" / "v1"


def opened(data):
    return np.array(Image.open(BytesIO(data)))


def test_a_codec_shows_its_facts_and_what_it_codes_in_the_fewest_bits():
    codec = vaecodec.load(GOLDEN / "levels.vaem")
    page, picture = codec._repr_html_(), opened(codec._repr_png_())
    assert codec.fingerprint.hex()[:16] in page
    assert codec.model.name in page
    tables = codec.model.levels[0].tables
    likeliest = (tables.offsets + tables.counts[:, :-1].argmax(axis=1)).astype(np.int32)
    height, width = codec.geometry
    assert np.array_equal(picture[:height, :width], codec.lossy.synthesise(tables.fill_collapsed(likeliest)[None])[0])


def test_a_codec_without_levels_shows_its_facts_alone():
    codec = vaecodec.load(GOLDEN / "exact.vaem")
    assert codec._repr_png_() is None
    assert "<img" not in codec._repr_html_()


def test_an_archive_shows_its_first_images(tmp_path):
    codec = vaecodec.load(GOLDEN / "tiny.vaem")
    images = [np.full(codec.geometry, 5 * k, np.uint8) for k in range(15)]
    with vaecodec.ArchiveWriter.create(tmp_path / "a.vaea", codec) as writer:
        writer.add_batch(images, [f"{k}.png" for k in range(15)])
    with vaecodec.Archive(tmp_path / "a.vaea", model=codec) as archive:
        picture = opened(archive._repr_png_())
        height, width = codec.geometry
        assert picture.shape == (2 * height + GAP, 12 * (width + GAP) - GAP)
        assert np.array_equal(picture[height + GAP :, :width], archive[12])
        page = archive._repr_html_()
    address = page.partition("base64,")[2].partition('"')[0]
    assert np.array_equal(opened(b64decode(address)), picture)
    assert "15" in page


def test_an_empty_archive_has_no_picture(tmp_path):
    codec = vaecodec.load(GOLDEN / "tiny.vaem")
    with vaecodec.ArchiveWriter.create(tmp_path / "a.vaea", codec):
        pass
    with vaecodec.Archive(tmp_path / "a.vaea", model=codec) as archive:
        assert archive._repr_png_() is None
        assert "<img" not in archive._repr_html_()


def test_names_of_hostile_files_are_text():
    assert "&lt;script&gt;" in html_of("<script>", [("a", "<b>")])
    assert "<b>" not in html_of("x", [("a", "<b>")]).replace("<b>x</b>", "")


@pytest.mark.parametrize("columns", [1, 2, 5])
def test_a_contact_sheet_takes_grey_and_colour_and_any_size(columns):
    images = [np.zeros((4, 6), np.uint8), np.full((3, 2, 3), 9, np.uint8), np.full((4, 6), 7, np.uint8)]
    sheet = contact_sheet(images, columns)
    assert sheet.ndim == 3
    assert (sheet[:4, :6] == 0).all()
    y, x = (0, 6 + GAP) if columns > 1 else (4 + GAP, 0)
    assert (sheet[y : y + 3, x : x + 2] == 9).all()
    assert (sheet[y + 3, x : x + 2] == 255).all()
