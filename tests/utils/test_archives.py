"""Hostile archives: refused as a whole, nothing written outside the folder, nothing left behind."""

from __future__ import annotations

import io
import os
import stat
import tarfile
import zipfile

import pytest

from deepkit.utils import archives
from deepkit.utils.archives import extract_archive


def make_tar(path, members, mode="w:gz"):
    """Members are names (plain files), or TarInfo with or without data."""
    with tarfile.open(path, mode) as tar:
        for member in members:
            info = tarfile.TarInfo(member) if isinstance(member, str) else member
            data = b"data" if info.isreg() else b""
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def make_zip(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member in members:
            archive.writestr(member, b"data")
    return path


def special(name, kind, linkname=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, linkname
    return info


def everything_under(folder):
    return {
        os.path.relpath(os.path.join(base, name), folder)
        for base, _, names in os.walk(folder)
        for name in names
    }


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_tar_is_unpacked(tmp_path, mode):
    archive = make_tar(
        tmp_path / "a.tar", ["one.txt", "deep/er/two.txt", special("empty", tarfile.DIRTYPE)], mode
    )
    assert extract_archive(archive, tmp_path / "out")
    assert everything_under(tmp_path / "out") == {"one.txt", "deep/er/two.txt"}
    assert (tmp_path / "out/empty").is_dir()
    assert (tmp_path / "out/one.txt").read_bytes() == b"data"


def test_zip_is_unpacked_over_what_is_there(tmp_path):
    (tmp_path / "out/deep").mkdir(parents=True)
    (tmp_path / "out/deep/two.txt").write_text("old")
    (tmp_path / "out/mine.txt").write_text("kept")
    assert extract_archive(make_zip(tmp_path / "a.zip", ["one.txt", "deep/two.txt"]), tmp_path / "out")
    assert everything_under(tmp_path / "out") == {"one.txt", "deep/two.txt", "mine.txt"}
    assert (tmp_path / "out/deep/two.txt").read_bytes() == b"data"


def test_other_files_are_no_archives(tmp_path):
    (tmp_path / "text").write_text("no archive")
    assert not extract_archive(tmp_path / "text", tmp_path / "out")
    archive = make_zip(tmp_path / "a.zip", ["x"])
    assert not extract_archive(archive, tmp_path / "out", "tar")
    assert not extract_archive(archive, tmp_path / "out", None)
    with pytest.raises(ValueError, match="archive_format"):
        extract_archive(archive, tmp_path / "out", "rar")


ESCAPES = ["/etc/evil", "../evil", "a/../../evil", "a/../b", "..", "c:\\evil", "a\\..\\..\\evil"]
HOSTILE_TAR = {
    "symlink": [special("link", tarfile.SYMTYPE, "/etc"), "link/evil"],
    "inner symlink": ["a", special("link", tarfile.SYMTYPE, "a")],
    "hard link": [special("link", tarfile.LNKTYPE, "../../etc/passwd")],
    "device": [special("null", tarfile.CHRTYPE)],
    "pipe": [special("pipe", tarfile.FIFOTYPE)],
    "twice": ["same", "same"],
    "file as folder": ["a", "a/b"],
    **{name: ["good", name] for name in ESCAPES},
}


def check_refused(archive, tmp_path):
    before = everything_under(tmp_path)
    with pytest.raises((ValueError, OSError), match=r"a\.|exists|Not a directory"):
        extract_archive(archive, tmp_path / "in/out")
    assert everything_under(tmp_path) == before
    assert not (tmp_path / "in/out").exists()


@pytest.mark.parametrize("case", HOSTILE_TAR)
def test_hostile_tar(tmp_path, case):
    check_refused(make_tar(tmp_path / "a.tar.gz", HOSTILE_TAR[case]), tmp_path)


@pytest.mark.parametrize("name", ESCAPES)
def test_hostile_zip(tmp_path, name):
    check_refused(make_zip(tmp_path / "a.zip", ["good", name]), tmp_path)


def test_zip_with_a_symlink(tmp_path):
    info = zipfile.ZipInfo("link")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    check_refused(make_zip(tmp_path / "a.zip", [info]), tmp_path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_zip_with_a_member_twice(tmp_path):
    check_refused(make_zip(tmp_path / "a.zip", ["same", "same"]), tmp_path)


def test_checked_against_the_destination_not_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir("/")
    check_refused(make_tar(tmp_path / "a.tar", ["../evil"], "w"), tmp_path)


def test_link_that_waits_in_the_destination_is_not_followed(tmp_path):
    outside, out = tmp_path / "outside", tmp_path / "out"
    outside.mkdir()
    out.mkdir()
    (out / "deep").symlink_to(outside)
    extract_archive(make_tar(tmp_path / "a.tar", ["deep/evil"], "w"), out)
    assert not list(outside.iterdir())
    assert (out / "deep/evil").read_bytes() == b"data"


@pytest.mark.parametrize("kind", ["tar", "zip"])
def test_bomb(tmp_path, monkeypatch, kind):
    monkeypatch.setattr(archives, "MAX_SMALL", 1 << 20)
    zeros = bytes(4 << 20)
    archive = tmp_path / f"a.{kind}"
    if kind == "tar":
        with tarfile.open(archive, "w:gz") as tar:
            info = tarfile.TarInfo("zeros")
            info.size = len(zeros)
            tar.addfile(info, io.BytesIO(zeros))
    else:
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
            file.writestr("zeros", zeros)
    with pytest.raises(ValueError, match="out of all proportion"):
        extract_archive(archive, tmp_path / "out")
    assert everything_under(tmp_path) == {archive.name}


def test_too_many_members(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MAX_MEMBERS", 3)
    with pytest.raises(ValueError, match="one too many"):
        extract_archive(make_tar(tmp_path / "a.tar", list("abcd")), tmp_path / "out")


def test_huge_tar_header_is_not_read(tmp_path):
    archive = tmp_path / "a.tar"
    with tarfile.open(archive, "w", format=tarfile.PAX_FORMAT) as tar:
        tar.addfile(tarfile.TarInfo("first"))
        info = tarfile.TarInfo("second")
        info.pax_headers = {"comment": "x" * (2 << 20)}
        tar.addfile(info)
    with pytest.raises(ValueError, match="header is too large"):
        extract_archive(archive, tmp_path / "out")


@pytest.mark.parametrize("keep", [0.3, 0.9])
def test_damaged(tmp_path, keep):
    archive = make_tar(tmp_path / "a.tar.gz", [f"file-{i}" for i in range(50)])
    data = archive.read_bytes()
    archive.write_bytes(data[: int(len(data) * keep)])
    with pytest.raises(ValueError, match="damaged"):
        extract_archive(archive, tmp_path / "out")
    assert not (tmp_path / "out").exists()
