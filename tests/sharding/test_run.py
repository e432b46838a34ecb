"""Plans, shards and manifests: the same bytes whoever makes them, in whatever order, after whatever failed."""

import json

import numpy as np
import pytest

import vaecodec
from tests.sharding.engines import InThisProcess
from vaecodec.archive.folder import open_folder
from vaecodec.archive.shards import ShardRecord, record_name, shard_name
from vaecodec.errors import ConfigError, DataError, FormatError, OutputError
from vaecodec.sharding.lease import hold
from vaecodec.sharding.plan import Cut, Plan, publish_plan
from vaecodec.sharding.run import missing_lines, records_there, run
from vaecodec.sharding.sources import FilePiece, SetPiece, pack_piece, pieces_of, unpack_pieces
from vaecodec.sharding.task import make_shard


def ignore(*_):
    pass


def contents(path):
    return {file.name: file.read_bytes() for file in path.iterdir() if not file.name.startswith(".")}


def made(folder, plan, **options):
    engine = InThisProcess(folder, plan, options.pop("failing", {}))
    return engine, run(folder, plan, lambda: engine, report=ignore, **options)


def test_shards_are_read_as_one_archive(planned, tmp_path, codec, pixels):
    folder, plan = planned(tmp_path, metadata={"made": "today"})
    engine, outcome = made(folder, plan)
    assert outcome.manifest is not None
    assert engine.closed
    with vaecodec.Archive(tmp_path, model=codec) as archive:
        assert np.array_equal(list(archive), pixels)
        assert np.array_equal(archive.batch([39, 0, 12]), pixels[[39, 0, 12]])
        assert archive.labels.tolist() == list(range(100, 140))
        assert archive.metadata == {"made": "today"}
        assert archive.verify().whole
        assert archive.blocks.shards.tolist() == sorted(archive.blocks.shards.tolist())
        assert archive.blocks.counts.sum() == 40
        assert archive.label_columns == 1


def test_a_set_is_cut_where_a_shard_ends(planned, tmp_path):
    folder, plan = planned(tmp_path)
    assert [rows[0] for rows in plan.rows] == [10, 10, 10, 10]
    assert [[piece.count for piece in plan.pieces(folder, k)] for k in range(4)] == [[10], [10], [5, 5], [10]]


@pytest.mark.parametrize(
    ("cut", "images", "counts"),
    [
        (Cut(shards=3), 10, [3, 3, 4]),
        (Cut(shards=5), 2, [1, 1]),
        (Cut(images=4), 10, [4, 4, 2]),
        (Cut(images=4), 8, [4, 4]),
    ],
)
def test_no_shard_is_empty(cut, images, counts):
    assert cut.counts(images) == counts


@pytest.mark.parametrize("wrong", [{}, {"shards": 2, "images": 2}, {"shards": 0}, {"images": -1}])
def test_a_cut_is_one_number_above_zero(wrong):
    with pytest.raises(ConfigError):
        Cut(**wrong)


def test_names_are_found_in_any_shard(planned, tmp_path, pictures, codec, pixels):
    folder, plan = planned(tmp_path / "out", files=(str(pictures),), shards=3)
    made(folder, plan)
    with vaecodec.Archive(tmp_path / "out") as archive:
        assert archive.names[0] == "00.png"
        assert archive.number_of("deep/13.png") == 13
        assert np.array_equal(archive["deep/19.png"], pixels[19])
        assert "nowhere.png" not in archive
        assert archive.label_columns == 0
        assert archive.labels is None


def test_shards_without_an_installed_model_are_decoded_with_the_one_beside_them(planned, tmp_path, pixels, monkeypatch):
    monkeypatch.setenv("VAECODEC_MODELS", str(tmp_path / "none"))
    folder, plan = planned(tmp_path / "out")
    made(folder, plan)
    assert np.array_equal(vaecodec.Archive(tmp_path / "out")[7], pixels[7])


def test_what_fails_is_made_again_to_the_same_bytes_and_the_rest_once(planned, tmp_path):
    undisturbed, disturbed = tmp_path / "a", tmp_path / "b"
    made(*planned(undisturbed))
    engine, outcome = made(*planned(disturbed), failing={1: 2, 3: 1})
    assert outcome.retried == 3
    assert sorted(engine.asked) == [0, 1, 1, 1, 2, 3, 3]
    assert contents(disturbed) == contents(undisturbed)


def test_what_fails_for_good_is_named_and_made_by_the_next_run(planned, tmp_path):
    folder, plan = planned(tmp_path)
    _, outcome = made(folder, plan, failing={2: 9}, retries=1)
    assert outcome.manifest is None
    assert list(missing_lines(outcome)) == ["shard 2: the worker died"]
    with pytest.raises(FormatError, match="--resume"):
        vaecodec.Archive(tmp_path)
    engine, outcome = made(folder, plan)
    assert engine.asked == [2]
    assert (outcome.progress.there, outcome.progress.made) == (3, 1)
    assert vaecodec.Archive(tmp_path).verify().whole


def test_nothing_is_made_where_all_is_there(planned, tmp_path):
    folder, plan = planned(tmp_path)
    made(folder, plan)
    before = contents(tmp_path)
    engine, outcome = made(folder, plan)
    assert engine.asked == []
    assert outcome.manifest is not None
    assert contents(tmp_path) == before


def test_a_record_counts_where_it_fits_the_plan_and_its_shard(planned, tmp_path):
    folder, plan = planned(tmp_path)
    made(folder, plan)
    (tmp_path / shard_name(0)).unlink()
    (tmp_path / shard_name(1)).write_bytes(b"short")
    (tmp_path / record_name(2)).write_bytes(b"{")
    assert sorted(records_there(folder, plan)) == [3]
    _, other = planned(tmp_path, block_images=8, replace=True)
    assert records_there(folder, other) == {}


def test_a_plan_of_another_wish_is_not_gone_on_with(planned, tmp_path, codec):
    folder, plan = planned(tmp_path)
    assert Plan.read(folder) == plan
    _, other = planned(tmp_path / "other", shards=5)
    with pytest.raises(ConfigError, match="another cut"):
        plan.check_wish(other.wish)
    with pytest.raises(ConfigError, match="another process"):
        publish_plan(folder, other.wish, [SetPiece("x", "", 0, 9)], codec, replace=False)
    with pytest.raises(DataError, match="no image"):
        publish_plan(folder, other.wish, [], codec, replace=False)


def test_a_shard_of_another_plan_is_not_made(planned, tmp_path):
    folder, _ = planned(tmp_path)
    with pytest.raises(ConfigError, match="not the plan"):
        make_shard(folder.address, "0" * 64, 0)


def test_a_source_that_changed_since_the_plan_is_missing_and_named(planned, tmp_path, pictures):
    folder, plan = planned(tmp_path / "out", files=(str(pictures),), shards=4)
    (pictures / "03.png").write_bytes(b"not an image")
    (pictures / "deep" / "18.png").unlink()
    engine, outcome = made(folder, plan)
    assert sorted(outcome.missing) == [0, 3]
    assert "03.png" in outcome.missing[0]
    assert "18.png" in outcome.missing[3]
    assert sorted(engine.asked) == [0, 1, 2, 3]  # trying again would not help
    assert {name for name in contents(tmp_path / "out") if name.endswith(".vaea")} == {shard_name(1), shard_name(2)}


def test_two_coordinators_are_one_too_many(tmp_path):
    for address in (str(tmp_path / "here"), "memory://there"):
        folder = open_folder(address)
        with hold(folder), pytest.raises(OutputError, match="another coordinator"), hold(folder):
            pass
        with hold(folder):  # the first one is done
            pass


def test_a_lease_that_nobody_renews_is_taken_over(monkeypatch):
    folder = open_folder("memory://leases")
    holder = {"id": "x", "host": "elsewhere", "process": 1, "renewed_s": 0.0}
    folder.create(".coordinator.lock", json.dumps(holder).encode())
    with hold(folder):
        assert json.loads(folder.read(".coordinator.lock"))["id"] != "x"
    with pytest.raises(FileNotFoundError):
        folder.read(".coordinator.lock")


def test_records_tell_psnr_of_a_sample_and_what_is_not_the_models_kind(planned, tmp_path, codec, images):
    originals = np.concatenate([images[:4], 255 - images[:4]])
    np.savez(tmp_path / "odd.npz", images=originals)
    folder, plan = planned(tmp_path / "out", files=(str(tmp_path / "odd.npz"),), shards=1, block_images=8)
    made(folder, plan)
    written = ShardRecord.from_bytes((tmp_path / "out" / record_name(0)).read_bytes()).written
    sample = originals[::2]  # four of a block of eight
    decoded = np.stack(codec.decompress_batch(codec.compress_batch(sample)))
    errors = np.square(decoded.astype(float) - sample).mean(axis=(1, 2))
    assert written.sampled == 4
    assert written.psnr_db == pytest.approx(10 * np.log10(255**2 / errors.mean()), abs=1e-3)
    assert written.least_psnr_db == pytest.approx(10 * np.log10(255**2 / errors.max()), abs=1e-3)
    poor = np.flatnonzero(10 * np.log10(255**2 / errors) < 15)
    assert written.misfits == tuple(str(2 * k) for k in poor)
    assert len(poor)


@pytest.mark.parametrize("piece", [FilePiece("/a/\udcff.png", "\udcff.png"), SetPiece("mnist:test", "", 3, 9)])
def test_a_piece_comes_back_from_its_line(piece):
    assert list(unpack_pieces(pack_piece(piece))) == [piece]


def test_pieces_of_a_list_and_of_a_store(images, codec, pictures):
    import fsspec

    for path in sorted(pictures.rglob("*.png")):
        fsspec.filesystem("memory").pipe(f"/pieces/{path.relative_to(pictures)}", path.read_bytes())
    fsspec.filesystem("memory").pipe("/pieces/readme.txt", b"no image")

    def pieces(*sources, listed=list):
        return list(pieces_of(sources, data_dir=None, listed=listed, on_linked=ignore))

    assert len(pieces("memory://pieces")) == 20
    assert [piece.name for piece in pieces("memory://pieces/deep/1[01].png")] == ["10.png", "11.png"]
    (one,) = pieces("-", listed=lambda: ["memory://pieces/03.png"])
    assert one == FilePiece("memory://pieces/03.png", "03.png")
    with pytest.raises(DataError, match="no image"):
        pieces("memory://pieces/*.txt")
