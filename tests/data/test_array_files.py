"""Files of arrays: MedMNIST's keys, channels on any axis, labels of any integers, HDF5, Parquet; and no images."""

import io
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vaecodec.data.array_files import open_tables, split_key
from vaecodec.errors import BadDataset
from vaecodec.limits import lifted

GREY = np.random.default_rng(0).integers(0, 256, (9, 6, 5), dtype=np.uint8)
RGB = np.random.default_rng(1).integers(0, 256, (9, 6, 5, 3), dtype=np.uint8)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as found:
        yield found


def medmnist(path: Path) -> Path:
    parts = {"train": GREY[:5], "val": GREY[5:7], "test": GREY[7:]}
    arrays = {f"{name}_images": images for name, images in parts.items()}
    arrays |= {f"{name}_labels": np.arange(len(images), dtype=np.uint8)[:, None] for name, images in parts.items()}
    np.savez_compressed(path, **arrays)
    return path


def test_medmnists_parts_are_all_taken_with_their_labels(tmp_path: Path) -> None:
    tables = open_tables(medmnist(tmp_path / "a.npz"))
    assert [table.key for table in tables] == ["train_images", "val_images", "test_images"]
    assert np.array_equal(np.concatenate([np.stack(table.images[:]) for table in tables]), GREY)
    assert [table.labels.tolist() for table in tables] == [[[0], [1], [2], [3], [4]], [[0], [1]], [[0], [1]]]
    assert all(table.labels.dtype == np.int64 for table in tables)


def test_a_key_takes_one_part(tmp_path: Path) -> None:
    path = medmnist(tmp_path / "a.npz")
    (table,) = open_tables(path, "val_images")
    assert np.array_equal(np.stack(table.images[:]), GREY[5:7])
    with pytest.raises(BadDataset, match=r"no key 'images'; there are train_images \(5, 6, 5\)"):
        open_tables(path, "images")
    assert split_key(str(path)) == (path, None)
    assert split_key(f"{path}:val_images") == (path, "val_images")


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (GREY, GREY),
        (GREY[..., None], GREY),
        (GREY[:, None], GREY),
        (np.asfortranarray(GREY), GREY),
        (RGB, RGB),
        (np.ascontiguousarray(RGB.transpose(0, 3, 1, 2)), RGB),
    ],
)
@pytest.mark.parametrize("large", [False, True])
def test_channels_may_stand_on_any_axis(tmp_path: Path, stack: ExitStack, array, expected, large) -> None:
    if large:  # than what is held in memory
        stack.enter_context(lifted(data_bytes=7))
    np.savez(tmp_path / "a.npz", images=array, others=array)
    np.save(tmp_path / "a.npy", array)
    for path in (tmp_path / "a.npz", tmp_path / "a.npy"):
        (table,) = open_tables(path)
        assert len(table) == len(expected)
        assert np.array_equal(np.stack([table.images[k] for k in range(9)]), expected)
        assert np.array_equal(table.images[-2], expected[-2])
        with pytest.raises(IndexError):
            table.images[9]


@pytest.mark.parametrize("kind", [">u2", np.float32, np.int64])
def test_values_of_other_types_stay_what_they_are(tmp_path: Path, kind) -> None:
    values = (GREY.astype(np.int64) * 3).astype(kind)
    np.save(tmp_path / "a.npy", values)
    (table,) = open_tables(tmp_path / "a.npy")
    assert table.images[4].dtype == kind
    assert np.array_equal(table.images[4], values[4])


@pytest.mark.parametrize("names", [("images", "labels"), ("x_train", "y_train"), ("X", "y"), ("data", "target")])
@pytest.mark.parametrize("kind", ["i8", "u8", "u1", ">i4", "?"])
def test_labels_are_integers_of_any_type(tmp_path: Path, names, kind) -> None:
    labels = (np.arange(9) % 2).astype(kind)
    np.savez(tmp_path / "a.npz", **dict(zip(names, (GREY, labels), strict=True)))
    (table,) = open_tables(tmp_path / "a.npz")
    assert table.labels.dtype == np.int64
    assert np.array_equal(table.labels, labels)


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"images": GREY > 7}, "images of numbers, found bool"),
        ({"images": GREY[0]}, r"expected images \(n, h, w\)"),
        ({"images": RGB[..., :2]}, r"found \(9, 6, 5, 2\)"),
        ({"z": np.arange(3)}, r"no array of images .*; there are z \(3,\)"),
        ({"images": GREY, "labels": np.arange(8)}, "8 labels for 9 images"),
        ({"images": GREY, "labels": np.linspace(0, 1, 9)}, "whole numbers"),
        ({"images": GREY, "labels": np.full(9, 2**63, np.uint64)}, "beyond int64"),
    ],
)
def test_what_is_no_image_or_label_is_named(tmp_path: Path, arrays, said) -> None:
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(BadDataset, match=said):
        open_tables(tmp_path / "a.npz")


@pytest.mark.parametrize("large", [False, True])
def test_a_damaged_array_is_a_bad_dataset(tmp_path: Path, stack: ExitStack, large) -> None:
    if large:  # than what is held in memory
        stack.enter_context(lifted(data_bytes=7))
    buffer = io.BytesIO()
    np.save(buffer, GREY)
    for body in (buffer.getvalue()[:-1], buffer.getvalue() + b"\0", b"no array"):
        with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
            archive.writestr("images.npy", body)
        with pytest.raises(BadDataset):
            list(open_tables(tmp_path / "a.npz")[0].images)
    for name in ("a.npz", "a.npy"):
        (tmp_path / name).write_bytes(b"no array")
        with pytest.raises(BadDataset):
            open_tables(tmp_path / name)
    np.savez(tmp_path / "a.npz", images=np.array([[[None]]]))
    with pytest.raises(BadDataset, match="images of numbers, found object"):
        open_tables(tmp_path / "a.npz")


def test_a_data_set_of_hdf5_is_an_array(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("train/images", data=RGB, chunks=(2, 6, 5, 3), compression="gzip")
        file["train/labels"] = np.arange(9, dtype=np.uint16)
        file["test/images"] = GREY[..., None]
    test, train = open_tables(tmp_path / "a.h5")
    assert np.array_equal(np.stack(train.images[:]), RGB)
    assert train.labels.tolist() == list(range(9))
    assert test.labels is None
    assert np.array_equal(test.images[3], GREY[3])
    (tmp_path / "b.h5").write_bytes(b"none")
    with pytest.raises(BadDataset, match="not a whole HDF5 file"):
        open_tables(tmp_path / "b.h5")


def encoded(image: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "png")
    return buffer.getvalue()


def test_a_column_of_parquet_holds_image_files(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    import pyarrow as pa
    import pyarrow.parquet as pq

    files, labels = [encoded(image) for image in GREY], pa.array(range(9), pa.int8())
    records = [{"bytes": data, "path": f"{k}.png"} for k, data in enumerate(files)]
    for column, names in ((files, None), (records, [f"{k}.png" for k in range(9)])):
        pq.write_table(pa.table({"image": column, "label": labels}), tmp_path / "a.parquet", row_group_size=4)
        (table,) = open_tables(tmp_path / "a.parquet")
        assert [table.images[k] for k in (8, 0, 4)] == [files[k] for k in (8, 0, 4)]
        assert table.labels.tolist() == list(range(9))
        assert table.names == names
    pq.write_table(pa.table({"a": files, "b": files, "c": [None, *files[1:]]}), tmp_path / "a.parquet")
    with pytest.raises(BadDataset, match="expected one column of images"):
        open_tables(tmp_path / "a.parquet")
    (table,) = open_tables(tmp_path / "a.parquet", "c")
    with pytest.raises(BadDataset, match="row 0 of column c holds no image"):
        table.images[0]
    (tmp_path / "b.parquet").write_bytes(b"none")
    with pytest.raises(BadDataset, match="not a whole Parquet file"):
        open_tables(tmp_path / "b.parquet")
