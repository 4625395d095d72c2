"""Files appear whole or not at all."""

from __future__ import annotations

import os
import stat

import pytest

from deepkit.utils.atomic import atomic_write


def test_new_and_old_files(tmp_path):
    path = tmp_path / "a.bin"
    with atomic_write(path) as file:
        file.write(b"one")
        assert not path.exists()
    with atomic_write(str(path)) as file:
        file.write(b"two")
        assert path.read_bytes() == b"one"
    assert path.read_bytes() == b"two" and os.listdir(tmp_path) == ["a.bin"]


def test_an_error_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), atomic_write(path, "w") as file:
        file.write("half")
        raise RuntimeError
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["a.txt"]


def test_a_full_disk_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left.*untouched") as caught, atomic_write(path, "w") as file:
        file.write("new")
    assert caught.value.errno == 28 and path.read_text() == "old" and os.listdir(tmp_path) == ["a.txt"]


def test_a_folder_in_the_way_and_no_folder(tmp_path):
    with pytest.raises(IsADirectoryError, match="directory"), atomic_write(tmp_path):
        pass
    with pytest.raises(FileNotFoundError, match="doesn't exist"), atomic_write(tmp_path / "no" / "a"):
        pass
    with pytest.raises(ValueError, match="mode"), atomic_write(tmp_path / "a", "a"):
        pass


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cant_be_written_to(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(PermissionError, match="untouched"), atomic_write(tmp_path / "a"):
        pass
    tmp_path.chmod(0o700)


def test_permissions_and_links(tmp_path):
    path, link = tmp_path / "a", tmp_path / "link"
    path.write_text("old")
    path.chmod(0o640)
    link.symlink_to(path)
    with atomic_write(link, "w") as file:
        file.write("new")
    assert link.is_symlink() and path.read_text() == "new" and stat.S_IMODE(path.stat().st_mode) == 0o640
