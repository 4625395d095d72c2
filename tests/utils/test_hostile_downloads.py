"""Downloads from strangers, through ``get_file``: names and archives that lead out of the cache, wherever it is run."""

from __future__ import annotations

import http.server
import io
import os
import tarfile
import threading
import zipfile
from pathlib import Path
from typing import Any, Iterator

import pytest

from deepkit.utils import archives, get_file

pytestmark = pytest.mark.usefixtures("limits")


@pytest.fixture(params=["cache", "root", "above"])
def place(request: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache, used from itself, from ``/`` and from the folder above it (GHSA-hqp4-2352-xf5r)."""
    cache = tmp_path / "cache"
    cache.mkdir()
    monkeypatch.setenv("KERAS_HOME", str(cache))
    monkeypatch.chdir({"cache": cache, "root": Path("/"), "above": tmp_path}[request.param])
    return tmp_path


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


#: Members of tar files, in order. The outside is two folders above: ``cache/datasets/x_extracted``.
TARS = {
    "CVE-2025-12060 a folder above": [member("../../../out")],
    "CVE-2025-12060 an absolute path": [member("/tmp/out-of-the-cache")],
    "CVE-2025-12638 a link and a file behind it": [
        member("link", tarfile.SYMTYPE, "../../.."),
        member("link/out"),
    ],
    "CVE-2025-12638 a chain of links": [
        member("a", tarfile.SYMTYPE, "."),
        member("a/b", tarfile.SYMTYPE, ".."),
        member("a/b/../../out"),
    ],
    "CVE-2025-12638 a name as long as paths may be": [
        member("d" * 247, tarfile.DIRTYPE),
        member("l", tarfile.SYMTYPE, "/".join(["d" * 247] * 16)),
        member("l/../../../../out"),
    ],
    "CVE-2024-55459 a link to a file": [member("out", tarfile.SYMTYPE, "/etc/passwd")],
    "a hard link to a file": [member("out", tarfile.LNKTYPE, "/etc/passwd")],
    "a hard link to a link": [
        member("a", tarfile.SYMTYPE, "/etc/passwd"),
        member("b", tarfile.LNKTYPE, "a"),
    ],
    "a link that is replaced by a folder": [
        member("a", tarfile.SYMTYPE, ".."),
        member("a", tarfile.DIRTYPE),
        member("a/../out"),
    ],
    "a device": [member("out", tarfile.CHRTYPE)],
    "a pipe": [member("out", tarfile.FIFOTYPE)],
    "backslashes": [member("..\\..\\..\\out")],
    "a drive": [member("c:/out")],
}


def everything(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def check(place: Path, archive: Path, match: str = "is not unpacked") -> None:
    before = everything(place)
    for options in ({"extract": True}, {"untar": archive.suffix == ".tar", "extract": True}):
        with pytest.raises(ValueError, match=match):
            get_file("x.bin", archive.as_uri(), force_download=True, **options)
    assert everything(place) - before <= {"cache/datasets", "cache/datasets/x.bin"}
    assert not any(path.is_symlink() for path in place.rglob("*"))
    assert not os.path.exists("/tmp/out-of-the-cache")


@pytest.mark.parametrize("case", TARS)
@pytest.mark.parametrize("mode", ["w", "w:xz"])
def test_tars(case: str, mode: str, place: Path) -> None:
    with tarfile.open(place / "a.tar", mode) as tar:
        tar.addfile(member("good"))
        for info in TARS[case]:
            tar.addfile(info, io.BytesIO())
    check(place, place / "a.tar")


@pytest.mark.parametrize(
    "name", ["../../../out", "/tmp/out-of-the-cache", "a/../../../../out", "..\\..\\out"]
)
def test_zips(name: str, place: Path) -> None:
    with zipfile.ZipFile(place / "a.zip", "w") as archive:
        archive.writestr("good", b"")
        archive.writestr(name, b"x")
    check(place, place / "a.zip")


def test_links_in_zips(place: Path) -> None:
    link = zipfile.ZipInfo("link")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(place / "a.zip", "w") as archive:
        archive.writestr(link, b"../../..")
        archive.writestr("link/out", b"x")
    check(place, place / "a.zip")


def test_bombs(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_SMALL", 1 << 20)
    with zipfile.ZipFile(place / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for i in range(4):
            archive.writestr(f"{i}", bytes(1 << 20))
    check(place, place / "a.zip", "out of all proportion")


URLS = ["http://h/a/..", "http://h/a/.", "http://h/a/%2e%2e/", "http://h/", "http://h/a\\..\\..\\b"]


@pytest.mark.parametrize("url", URLS)
def test_names_from_urls(url: str, place: Path) -> None:
    before = everything(place)
    with pytest.raises(ValueError, match="Pass `fname`"):
        get_file(origin=url)
    assert everything(place) == before


@pytest.mark.parametrize("name", ["../out", "/etc/out", "..", ".", "a/../../out", "a\\b", "a\0b", "c:out"])
def test_names(name: str, place: Path) -> None:
    (place / "source").write_text("x")
    with pytest.raises(ValueError, match="plain file name"):
        get_file(name, (place / "source").as_uri())
    assert everything(place) == {"cache", "source"}


class Redirect(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(302)
        self.send_header("Location", Path(__file__).as_uri())
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    found = http.server.HTTPServer(("127.0.0.1", 0), Redirect)
    thread = threading.Thread(target=found.handle_request)
    thread.start()
    yield f"http://127.0.0.1:{found.server_port}"
    thread.join()
    found.server_close()


def test_the_web_leads_to_no_local_file(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    with pytest.raises(OSError, match="Fetching"):
        get_file("x", f"{server}/x")
    assert everything(tmp_path) == {"datasets"}
