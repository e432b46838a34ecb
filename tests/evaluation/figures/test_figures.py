"""Every figure is drawn, as data and as a picture; what it shows is what files hold."""

import math
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from vaecodec.errors import ConfigError, ImageSizeError, ModelError
from vaecodec.evaluation.figures.chart import Chart, Panel, Series
from vaecodec.evaluation.figures.clusters import clustering, in_the_plane
from vaecodec.evaluation.figures.diagram import Arrow, Box, Diagram
from vaecodec.evaluation.figures.drawing import draw
from vaecodec.evaluation.figures.mean_latent import mean_latent
from vaecodec.evaluation.figures.pairs import pairs
from vaecodec.evaluation.figures.reconstructions import reconstructions, worst
from vaecodec.evaluation.figures.registry import FIGURES, find_figure
from vaecodec.evaluation.figures.samples import drawn, samples
from vaecodec.evaluation.figures.sheet import Row, Sheet, Tile, animation
from vaecodec.evaluation.figures.subject import Sources, Subject, spread
from vaecodec.evaluation.figures.system import system
from vaecodec.evaluation.figures.traversals import STEPS, interpolations, traversals


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.name)
def test_every_figure_becomes_an_svg_and_a_png(figure, sources):
    made = figure.make(sources)
    assert draw(made, svg=True).lstrip().startswith(b"<?xml")
    with Image.open(BytesIO(draw(made, svg=False))) as picture:
        assert picture.format == "PNG"
        assert min(picture.size) > 200
    if not isinstance(made, Diagram):
        numbers = list(made.numbers())
        assert numbers
        assert all(math.isfinite(number) for number in numbers)


def test_the_same_figure_is_the_same_bytes(sources):
    made = find_figure("losses").make(sources)
    assert draw(made, svg=True) == draw(made, svg=True)


def test_every_figure_of_the_paper_is_there():
    assert [figure.paper for figure in FIGURES if figure.paper.startswith("figure")] == [
        f"figure {k}" for k in range(1, 9)
    ]
    with pytest.raises(ConfigError, match="there are system, method"):
        find_figure("nope")


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.name)
def test_a_figure_without_its_sources_says_what_it_needs(figure):
    with pytest.raises(ConfigError, match="results" if figure.stored else "model and images"):
        figure.make(Sources())


def test_the_bytes_below_a_picture_are_those_of_its_file(sources, subject):
    originals, made = reconstructions(sources).rows
    chosen = spread(len(subject.images), len(made.tiles))
    for k, original, tile in zip(chosen, originals.tiles, made.tiles, strict=True):
        stream = subject.codec.compress(subject.images[k])
        assert tile.number == len(stream)
        assert np.array_equal(original.pixels, subject.images[k])
        assert np.array_equal(tile.pixels, subject.codec.decompress(stream))


def test_the_worst_images_are_the_worst_and_fall(sources, subject):
    pictures = subject.decoded(subject.symbols)
    errors = ((pictures.astype(float) - subject.images) ** 2).mean(axis=(1, 2))
    psnr = [tile.number for tile in worst(sources).rows[1].tiles]
    assert psnr == sorted(psnr)
    assert psnr[0] == pytest.approx(10 * math.log10(255**2 / errors.max()))


def test_a_traversal_changes_one_latent_and_is_what_files_decode_to(sources, subject):
    sheet, codec = traversals(sources), subject.codec
    bits = [row.numbers[0][1] for row in sheet.rows]
    assert bits == sorted(bits, reverse=True)
    assert sum(bits) == pytest.approx(codec.lossy.information_bits(subject.symbols).mean())
    base = subject.symbols[len(subject.symbols) // 2]
    row = sheet.rows[0]
    latent = int(row.heading.split()[1])
    for tile in row.tiles:
        symbols = base.copy()
        symbols[latent] = tile.number
        assert np.array_equal(codec.lossy.synthesise(symbols[None])[0], tile.pixels)
    assert [tile.number for tile in row.tiles] == sorted(tile.number for tile in row.tiles)
    assert len({tile.pixels.tobytes() for tile in row.tiles}) > 1


def test_a_traversal_names_the_factor_that_a_latent_follows(sources, subject):
    table = subject.information
    for row in traversals(sources).rows:
        name, bits, _, _ = row.numbers[1]
        assert name == "about digit"
        assert bits == table.mutual[subject.codes.coded.tolist().index(int(row.heading.split()[1]))].max()


def test_paths_begin_and_end_at_images(sources, subject):
    row = interpolations(sources).rows[0]
    assert len(row.tiles) == STEPS
    assert np.array_equal(row.tiles[0].pixels, subject.decoded(subject.symbols[:1])[0])
    with pytest.raises(ConfigError, match="two images"):
        interpolations(Sources(None, (Subject("one", subject.codec, subject.images[:1]),)))


def test_samples_are_drawn_as_the_tables_say(subject):
    symbols = drawn(subject, 4_000, rng=np.random.default_rng(1))
    tables = subject.codec.model.levels[0].tables
    for j in range(tables.n):
        shares = tables.counts[j, :-1] / tables.counts[j, :-1].sum()
        found = np.bincount(symbols[:, j] - tables.offsets[j], minlength=len(shares)) / len(symbols)
        assert np.abs(found - shares).max() < 5 * math.sqrt(0.25 / len(symbols))
    cheap = subject.codec.lossy.information_bits(symbols)
    assert np.isfinite(cheap).all()


def test_samples_of_a_model_with_groups_follow_its_decode_order(grouped):
    sheet = samples(Sources(None, (grouped,)))
    bits = [tile.number for row in sheet.rows for tile in row.tiles]
    assert len(bits) == 40
    assert all(0 <= one < math.inf for one in bits)


def test_an_animation_goes_there_and_back(sources):
    sheet = traversals(sources)
    with Image.open(BytesIO(animation(sheet))) as moving:
        assert 2 <= moving.n_frames <= 2 * STEPS - 2  # pictures that are alike are one frame
    picture = Tile(np.zeros((4, 4), np.uint8))
    with pytest.raises(ValueError, match="one length"):
        animation(Sheet("", (Row("", (picture,)), Row("", (picture, picture)))))


def test_clusters_that_are_apart_are_found_and_noise_is_not():
    rng = np.random.default_rng(0)
    labels = np.arange(300) % 3
    apart = np.eye(3)[labels] * 20 + rng.standard_normal((300, 3))
    good, bad = clustering("apart", apart, labels), clustering("noise", rng.standard_normal((300, 3)), labels)
    assert good.neighbour_accuracy == good.k_means_nmi == pytest.approx(1.0)
    assert bad.neighbour_accuracy < 0.55
    assert bad.k_means_nmi < 0.1
    assert np.array_equal(in_the_plane(apart[:, :2]), apart[:, :2])  # two latents are shown as they are


def test_the_readings_of_the_mean_latent_are_of_the_kept_models(results, subject):
    kept = Subject("vae", subject.codec, subject.images, data="mnist")
    chart = mean_latent(Sources(results, (kept,)))
    series = {one.name: one for one in chart.panels[0].series}
    assert series["mean of |μ|, kept models"].y == (pytest.approx(np.abs(subject.codes.means).mean()),)
    assert series["mean of μ, kept models"].x == (subject.codec.model.levels[0].beta,)


def test_pairs_share_their_factor(sources, subject):
    (row,) = pairs(sources).rows
    labels = {image.tobytes(): label for image, label in zip(subject.images, subject.truth.factors[:, 0], strict=True)}
    means = {image.tobytes(): mean for image, mean in zip(subject.images, subject.codes.means, strict=True)}
    for first, second in zip(row.tiles[::2], row.tiles[1::2], strict=True):
        a, b = first.pixels.tobytes(), second.pixels.tobytes()
        assert labels[a] == labels[b]
        assert second.number == pytest.approx(0.5 * np.abs(means[a] - means[b]).sum())
    with pytest.raises(ConfigError, match="factors are known"):
        pairs(Sources(None, (Subject("x", subject.codec, subject.images),)))


def test_the_system_is_drawn_from_the_model(sources):
    boxes = {box.name: box for box in system(sources).boxes}
    assert boxes["image"].lines == ("28×28 uint8",)
    assert "8 means" in boxes["latents"].lines


def test_parts_that_do_not_fit_are_refused(subject):
    with pytest.raises(ValueError, match="2 places and 1 values"):
        Series("x", (1.0, 2.0), (1.0,))
    with pytest.raises(ValueError, match="no box"):
        Diagram("x", (Box("a", "a", (), 0, 0),), (Arrow("a", "b"),))
    with pytest.raises(ImageSizeError, match="made for images"):
        Subject("x", subject.codec, subject.images[:, :20])
    with pytest.raises(ModelError, match="level 1"):
        Subject("x", subject.codec, subject.images, 1)


def test_intervals_labels_values_and_bars_are_drawn():
    points = Series("points", (1.0, 2.0), (1.0, 3.0), (0.5, 2.0), (2.0, 4.0), ("a", "b"), (0.1, 0.9), line=False)
    bars = Series("bars", (0.0, 1.0), (1.0, 2.0), bars=True)
    panels = (
        Panel("one", "x", "y", (points,), log_x=True, what_values="MIG"),
        Panel("two", "x", "y", (bars,), ticks=("a", "b")),
    )
    assert len(draw(Chart("both", panels, "a note"), svg=True)) > 5_000
