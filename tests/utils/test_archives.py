"""Hostile archives: refused as a whole, nothing written outside the folder, nothing left behind."""

from __future__ import annotations

import io
import lzma
import os
import stat
import tarfile
import zipfile

import pytest

from deepkit.utils import archives
from deepkit.utils.archives import extract_archive
from deepkit.utils.xz import XzFile


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


def test_xz_streams_are_read_with_little_memory(tmp_path):
    data = make_tar(tmp_path / "a.tar", [f"{i}.txt" for i in range(100)], "w").read_bytes()
    half = len(data) // 2 // 512 * 512
    streams = lzma.compress(data[:half]) + b"\0" * 8 + lzma.compress(data[half:])
    for packed in (streams, lzma.compress(data, lzma.FORMAT_ALONE), lzma.compress(data, preset=9)):
        (tmp_path / "a.tar.xz").write_bytes(packed)
        assert extract_archive(tmp_path / "a.tar.xz", tmp_path / "out")
        assert len(everything_under(tmp_path / "out")) == 100
    file = XzFile(open(tmp_path / "a.tar.xz", "rb"))
    assert file.seek(600) == 600 and file.read(600) == data[600:1200]
    assert file.seek(-1000, io.SEEK_CUR) == 200 and file.read(10) == data[200:210]
    assert file.seek(0, io.SEEK_END) == len(data) and file.read() == b""
    file.close()
    alone = bytearray(lzma.compress(data, lzma.FORMAT_ALONE))
    alone[1:5] = b"\xff" * 4  # the size of the dictionary
    (tmp_path / "a.tar.xz").write_bytes(alone)
    with pytest.raises(lzma.LZMAError, match="[Mm]emory"):
        XzFile(io.BytesIO(alone)).read()
    assert not extract_archive(tmp_path / "a.tar.xz", tmp_path / "out2")


def test_zip_members_packed_with_lzma(tmp_path):
    """How much memory they take is up to the file: four gigabytes."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("x", b"data")
    check_refused(tmp_path / "a.zip", tmp_path)


def test_zip_member_without_a_name(tmp_path):
    data = make_zip(tmp_path / "a.zip", ["good"]).read_bytes().replace(b"good", b"\0ood")
    (tmp_path / "a.zip").write_bytes(data)
    check_refused(tmp_path / "a.zip", tmp_path)
