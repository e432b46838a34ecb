"""What is below a folder, and what cannot be read there."""

import os

from vaecodec.files.walk import Unreadable, files_below


def tree(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")


def test_files_come_in_order_by_suffix_without_hidden_ones(tmp_path):
    tree(tmp_path, "b.png", "a/2.PNG", "a/10.png", "a/x.txt", ".hidden/c.png", "a/.c.png", "é.webp")
    found = files_below(tmp_path, {".png", ".webp"})
    assert found.files == ("b.png", "é.webp", "a/10.png", "a/2.PNG")
    assert (found.unreadable, found.linked) == ((), ())
    assert files_below(tmp_path / "nowhere", {".png"}).unreadable == (Unreadable(".", "No such file or directory"),)


def test_what_cannot_be_read_is_named(tmp_path, monkeypatch):
    tree(tmp_path, "a.png", "secret/b.png", "deep/er/c.png")
    os.mkfifo(tmp_path / "pipe.png")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "gone.png").symlink_to("nowhere")
    scandir = os.scandir

    def closed(path):
        if os.path.basename(path) in ("secret", "er"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", closed)  # root may read everything
    found = files_below(tmp_path, {".png"})
    assert found.files == ("a.png",)
    assert set(found.unreadable) == {
        Unreadable("gone.png", "No such file or directory"),
        Unreadable("pipe.png", "not a regular file"),
        Unreadable("secret", "Permission denied"),
        Unreadable("deep/er", "Permission denied"),
    }


def test_links_to_files_are_followed_and_links_to_folders_named(tmp_path):
    tree(tmp_path, "a/1.png")
    (tmp_path / "2.png").symlink_to("a/1.png")
    (tmp_path / "b").symlink_to("a")
    (tmp_path / "a" / "up").symlink_to("..")
    found = files_below(tmp_path, {".png"})
    assert found.files == ("2.png", "a/1.png")
    assert found.linked == ("b", "a/up")
