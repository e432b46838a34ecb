"""IDX files are read strictly: one test for each way in which a file can be wrong."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaecodec.data.mnist import load_mnist, read_idx
from vaecodec.errors import BadDataset, DatasetMissing

SIZES = (3, 28, 28)


def idx_bytes(values: np.ndarray) -> bytes:
    sizes = b"".join(size.to_bytes(4, "big") for size in values.shape)
    return bytes((0, 0, 8, values.ndim)) + sizes + values.tobytes()


def images(count: int = 3) -> np.ndarray:
    return (np.arange(count * 784) % 251).astype(np.uint8).reshape(count, 28, 28)


def refused(path: Path, content: bytes, message: str, dimensions: int = 3) -> None:
    path.write_bytes(content)
    with pytest.raises(BadDataset, match=message):
        read_idx(path, dimensions=dimensions)


@given(sizes=st.lists(st.integers(1, 5), min_size=1, max_size=4), zipped=st.booleans(), seed=st.integers(0, 2**16))
def test_reading_inverts_writing(tmp_path_factory: pytest.TempPathFactory, sizes, zipped, seed) -> None:
    values = np.random.default_rng(seed).integers(0, 256, sizes, dtype=np.uint8)
    path = tmp_path_factory.mktemp("idx") / "values"
    path.write_bytes(gzip.compress(idx_bytes(values)) if zipped else idx_bytes(values))
    found, _ = read_idx(path, dimensions=len(sizes))
    np.testing.assert_array_equal(found, values)
    assert found.flags.writeable


def test_plain_and_gz_files_have_the_same_hash(tmp_path: Path) -> None:
    content = idx_bytes(images())
    (tmp_path / "plain").write_bytes(content)
    (tmp_path / "packed.gz").write_bytes(gzip.compress(content))
    assert read_idx(tmp_path / "plain", dimensions=3)[1] == read_idx(tmp_path / "packed.gz", dimensions=3)[1]


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    refused(tmp_path / "f", b"", "offset 0: expected the magic 00000803, found nothing")


def test_another_magic_is_refused(tmp_path: Path) -> None:
    refused(tmp_path / "f", b"\x89PNG" + idx_bytes(images())[4:], "offset 0: .*00000803, found 89504e47")


def test_another_element_type_is_refused(tmp_path: Path) -> None:
    refused(tmp_path / "f", b"\0\0\x0d\x03" + idx_bytes(images())[4:], "offset 0: .*found 00000d03")


def test_labels_in_place_of_images_are_refused(tmp_path: Path) -> None:
    refused(tmp_path / "f", idx_bytes(np.zeros(3, np.uint8)), "offset 0: .*found 00000801")


def test_a_cut_header_is_refused(tmp_path: Path) -> None:
    refused(tmp_path / "f", idx_bytes(images())[:11], "offset 4: expected 12 bytes of sizes, found 7")


def test_a_file_of_no_elements_is_refused(tmp_path: Path) -> None:
    refused(tmp_path / "f", idx_bytes(images(0)), r"offset 4: expected sizes .* found \[0, 28, 28\]")


def test_huge_sizes_are_refused_before_anything_is_allocated(tmp_path: Path) -> None:
    refused(tmp_path / "f", b"\0\0\x08\x03" + b"\xff" * 12, "offset 4: expected sizes")


def test_a_file_cut_anywhere_is_refused(tmp_path: Path) -> None:
    content = idx_bytes(np.arange(6, dtype=np.uint8).reshape(1, 2, 3))
    for length in range(len(content)):
        refused(tmp_path / "f", content[:length], "expected")


def test_pixels_that_end_early_are_refused(tmp_path: Path) -> None:
    refused(tmp_path / "f", idx_bytes(images())[:-1], "offset 16: expected 2352 bytes, found 2351")


def test_trailing_bytes_are_refused(tmp_path: Path) -> None:
    refused(tmp_path / "f", idx_bytes(images()) + b"\0", "offset 2368: expected the end of the file")


def test_trailing_bytes_within_gz_are_refused(tmp_path: Path) -> None:
    refused(tmp_path / "f", gzip.compress(idx_bytes(images()) + b"\0"), "offset 2368: expected the end of the file")


def test_trailing_bytes_after_gz_are_refused(tmp_path: Path) -> None:
    refused(tmp_path / "f", gzip.compress(idx_bytes(images())) + b"more", "not a whole gzip file")


def test_a_cut_gz_file_is_refused(tmp_path: Path) -> None:
    refused(tmp_path / "f", gzip.compress(idx_bytes(images()))[:-9], "not a whole gzip file")


def test_a_gz_file_with_a_flipped_bit_is_refused(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(idx_bytes(images())))
    packed[-6] ^= 1  # within the CRC
    refused(tmp_path / "f", bytes(packed), "not a whole gzip file")


def test_a_folder_in_place_of_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadDataset, match="cannot be read"):
        read_idx(tmp_path, dimensions=3)


def write_pair(folder: Path, pixels: np.ndarray, labels: np.ndarray) -> None:
    (folder / "t10k-images-idx3-ubyte").write_bytes(idx_bytes(pixels))
    (folder / "t10k-labels-idx1-ubyte").write_bytes(idx_bytes(labels))


def test_images_of_another_size_are_refused(tmp_path: Path) -> None:
    write_pair(tmp_path, np.zeros((3, 32, 32), np.uint8), np.zeros(3, np.uint8))
    with pytest.raises(BadDataset, match=r"offset 8: expected images of 28x28, found \(32, 32\)"):
        load_mnist(tmp_path, "test")


def test_another_number_of_labels_than_images_is_refused(tmp_path: Path) -> None:
    write_pair(tmp_path, images(3), np.zeros(4, np.uint8))
    with pytest.raises(BadDataset, match="offset 4: expected 3 labels, found 4"):
        load_mnist(tmp_path, "test")


def test_a_label_that_is_no_digit_is_refused(tmp_path: Path) -> None:
    write_pair(tmp_path, images(3), np.array([0, 9, 10], np.uint8))
    with pytest.raises(BadDataset, match="offset 10: expected a label from 0 to 9, found 10"):
        load_mnist(tmp_path, "test")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetMissing, match="train-images-idx3-ubyte"):
        load_mnist(tmp_path, "train")


def test_a_cut_of_mnist_does_not_call_itself_official(fixtures: Path) -> None:
    test = load_mnist(fixtures / "mnist", "test")
    assert test.source == "IDX, not the official file"
    assert test.images.shape == (256, 28, 28)
    assert test.labels is not None
    assert test.labels[:4].tolist() == [7, 2, 1, 0]


def test_validation_is_the_end_of_the_training_file(fixtures: Path) -> None:
    every, _ = read_idx(fixtures / "mnist" / "train-images-idx3-ubyte.gz", dimensions=3)
    parts = [load_mnist(fixtures / "mnist", split).images for split in ("train", "validation")]
    assert len(parts[1]) == 256 // 12
    np.testing.assert_array_equal(np.concatenate(parts), every)


def test_the_whole_of_mnist_is_official_and_splits_55000_5000_10000(whole_data: Path) -> None:
    sets = [load_mnist(whole_data / "mnist", split) for split in ("train", "validation", "test")]
    assert [len(images) for images in sets] == [55_000, 5_000, 10_000]
    assert {images.source for images in sets} == {"official IDX"}
