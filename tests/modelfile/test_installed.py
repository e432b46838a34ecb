"""Finding models: the user's folder, aliases, paths, and files that are damaged."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

import vaecodec
from vaecodec.errors import BadChecksum, FormatError, ModelNotFound
from vaecodec.modelfile import installed
from vaecodec.modelfile.installed import find_model, installed_models, models_by_fingerprint, models_for_geometry
from vaecodec.modelfile.model import read_model
from vaecodec.modelfile.summary import read_summary

GOLDEN = Path(__file__).parents[1] / "golden" / "v1"
TINY, MINI = GOLDEN / "tiny.vaem", GOLDEN / "mini.vaem"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's model folder, with both golden models; the zoo is empty but for its aliases."""
    zoo = tmp_path / "zoo"
    zoo.mkdir()
    (zoo / "aliases.json").write_text(json.dumps({"digits": "golden-tiny-1", "gone": "golden-gone-1"}))
    monkeypatch.setattr(installed, "zoo_folder", lambda: zoo)
    user = tmp_path / "models"
    user.mkdir()
    monkeypatch.setenv("VAECODEC_MODELS", str(user))
    shutil.copy(TINY, user / "golden-tiny-1.vaem")
    shutil.copy(MINI, user / "golden-mini-1.vaem")
    return user


def test_the_environment_names_the_users_folder(folder: Path) -> None:
    assert installed.user_folder() == folder
    found = {model.name: model for model in installed_models()}
    assert set(found) == {"golden-mini-1", "golden-tiny-1"}
    assert found["golden-tiny-1"].aliases == ("digits",)
    assert found["golden-tiny-1"].summary.fingerprint == read_model(TINY).fingerprint


def test_without_the_environment_the_users_data_folder_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VAECODEC_MODELS", raising=False)
    assert installed.user_folder().parts[-2:] == ("vaecodec", "models")


def test_the_zoo_records_the_fingerprint_of_each_of_its_models() -> None:
    files = sorted(installed.zoo_folder().glob("*.vaem"))
    assert files
    assert installed.recorded_fingerprints() == {path.stem: read_summary(path).fingerprint for path in files}


def test_every_alias_of_the_zoo_compresses() -> None:
    for revision in installed.aliases().values():
        assert read_summary(installed.zoo_folder() / f"{revision}.vaem").has_analysis, revision


def test_models_are_found_by_the_beginning_of_their_fingerprint_recorded_or_not(folder: Path) -> None:
    tiny, mini = read_model(TINY).fingerprint, read_model(MINI).fingerprint
    zoo = installed.zoo_folder()
    shutil.move(folder / "golden-tiny-1.vaem", zoo / "golden-tiny-1.vaem")
    for recorded in ({}, {"golden-tiny-1": tiny.hex()}, {"golden-tiny-1": tiny.hex(), "golden-mini-1": tiny.hex()}):
        (zoo / "fingerprints.json").write_text(json.dumps(recorded))
        assert [model.name for model in installed_models(tiny[:2])] == ["golden-tiny-1"]
        assert [model.name for model in installed_models(mini[:2])] == ["golden-mini-1"]
        assert len(list(installed_models())) == 2


@pytest.mark.parametrize("name", ["digits", "golden-tiny-1", str(TINY)])
def test_a_model_is_found_by_alias_revision_and_path(folder: Path, name: str) -> None:
    assert find_model(name).fingerprint == read_model(TINY).fingerprint
    assert vaecodec.load(name).model.name == "golden-tiny-1"


@pytest.mark.parametrize("name", ["unknown", "gone", "", "../golden-tiny-1", "no/such.vaem", "a\0b"])
def test_a_missing_model_is_not_found_and_the_message_lists_what_there_is(folder: Path, name: str) -> None:
    with pytest.raises(ModelNotFound, match="there are: golden-mini-1, digits, golden-tiny-1"):
        find_model(name)


def test_a_missing_folder_is_an_empty_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAECODEC_MODELS", str(folder / "missing"))
    assert list(installed_models()) == []
    with pytest.raises(ModelNotFound, match="there are: none"):
        find_model("digits")


def test_models_are_found_by_the_start_of_their_fingerprint(folder: Path) -> None:
    fingerprint = read_model(MINI).fingerprint
    assert [model.name for model in models_by_fingerprint(fingerprint[:2])] == ["golden-mini-1"]
    assert models_by_fingerprint(bytes([fingerprint[0], fingerprint[1] ^ 1])) == []


def test_only_aliased_models_stand_for_a_geometry(folder: Path) -> None:
    assert [model.name for model in models_for_geometry(28, 28)] == ["golden-tiny-1"]
    assert models_for_geometry(4, 6) == []


def test_what_is_wanted_exactly_takes_the_alias_whose_model_can(folder: Path) -> None:
    shutil.copy(GOLDEN / "exact.vaem", folder / "golden-exact-1.vaem")
    table = {"a": "golden-exact-1", "b": "golden-tiny-1"}
    (folder.parent / "zoo" / "aliases.json").write_text(json.dumps(table))
    assert [model.name for model in models_for_geometry(28, 28)] == ["golden-tiny-1", "golden-exact-1"]
    assert [model.name for model in models_for_geometry(28, 28, exact=True)] == ["golden-exact-1", "golden-tiny-1"]


@pytest.mark.parametrize("damage", ["empty", "header", "body"])
def test_a_damaged_file_does_not_hide_the_others(folder: Path, damage: str) -> None:
    data = bytearray(MINI.read_bytes())
    data[{"empty": 0, "header": 60, "body": -1}[damage]] ^= 1
    (folder / "a-damaged.vaem").write_bytes(b"" if damage == "empty" else bytes(data))
    short = read_model(MINI).fingerprint[:2]
    assert [model.name for model in models_by_fingerprint(short)] == ["golden-mini-1"]
    assert {"golden-mini-1", "golden-tiny-1"} <= {model.name for model in installed_models()}
    assert find_model("digits").name == "golden-tiny-1"
    with pytest.raises(FormatError):
        find_model("a-damaged")


def test_where_the_only_file_is_damaged_its_error_is_raised(folder: Path) -> None:
    data = bytearray(MINI.read_bytes())
    data[-1] ^= 1
    (folder / "golden-mini-1.vaem").write_bytes(bytes(data))
    with pytest.raises(BadChecksum):
        models_by_fingerprint(read_model(MINI).fingerprint[:2])


def test_a_users_file_cannot_hide_a_released_model(folder: Path) -> None:
    shutil.copy(TINY, installed.zoo_folder() / "golden-mini-1.vaem")
    assert find_model("golden-mini-1").name == "golden-tiny-1"
    assert [model.path.parent.name for model in installed_models()] == ["zoo", "models"]


def test_a_file_that_changes_is_read_again(folder: Path) -> None:
    path = folder / "golden-mini-1.vaem"
    before = find_model("golden-mini-1")
    assert find_model("golden-mini-1") is before
    shutil.copy(TINY, path)
    stat = path.stat()
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1_000_000_000))
    assert find_model("golden-mini-1").name == "golden-tiny-1"
    assert np.array_equal(find_model("golden-mini-1").levels[0].tables.counts, read_model(TINY).levels[0].tables.counts)


def test_a_model_that_comes_into_a_folder_that_has_been_listed_is_found(folder: Path) -> None:
    before = [model.name for model in installed_models()]
    for _ in range(2):
        os.utime(folder, (1_000_000_000, 1_000_000_000))
        assert [model.name for model in installed_models()] == before
    shutil.copy(MINI, folder / "another.vaem")
    assert [model.name for model in installed_models()] == ["another", *before]
    (folder / "another.vaem").unlink()
    assert [model.name for model in installed_models()] == before
