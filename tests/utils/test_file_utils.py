"""Downloads: the cache, hashes before use, names and failures. No test needs a network."""

from __future__ import annotations

import hashlib
import http.server
import io
import os
import tarfile
import threading

import pytest

from deepkit.utils.file_utils import get_file, hash_file, keras_home, validate_file

CONTENT = b"some data" * 1000
SHA256, MD5 = hashlib.sha256(CONTENT).hexdigest(), hashlib.md5(CONTENT).hexdigest()


@pytest.fixture
def origin(tmp_path):
    path = tmp_path / "web" / "data.bin"
    path.parent.mkdir()
    path.write_bytes(CONTENT)
    return path.as_uri()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_keras_home(monkeypatch):
    monkeypatch.setenv("KERAS_HOME", "/somewhere")
    assert keras_home() == "/somewhere"
    monkeypatch.delenv("KERAS_HOME")
    assert keras_home() == os.path.join(os.path.expanduser("~"), ".keras")


@pytest.mark.parametrize("hashes", [{}, {"file_hash": SHA256}, {"file_hash": MD5}, {"md5_hash": MD5}])
def test_download_and_cache(origin, cache, tmp_path, hashes):
    path = get_file(origin=origin, **hashes)
    assert path == str(cache / "datasets" / "data.bin")
    assert hash_file(path) == SHA256
    (tmp_path / "web/data.bin").unlink()
    assert get_file(origin=origin, **hashes) == path  # from the cache
    assert os.listdir(cache / "datasets") == ["data.bin"]


def test_places(origin, tmp_path):
    assert get_file("x", origin, cache_dir=tmp_path / "c", cache_subdir="s") == str(tmp_path / "c/s/x")
    assert get_file("x", origin, cache_subdir=str(tmp_path / "d")) == str(tmp_path / "d/x")


def test_wrong_hash_leaves_nothing(origin, cache):
    with pytest.raises(ValueError, match="not the one expected"):
        get_file(origin=origin, file_hash="0" * 64)
    assert os.listdir(cache / "datasets") == []


def test_outdated_file_is_replaced(origin, cache, capsys):
    (cache / "datasets").mkdir(parents=True)
    (cache / "datasets/data.bin").write_text("half")
    assert hash_file(get_file(origin=origin, file_hash=SHA256)) == SHA256
    assert "outdated" in capsys.readouterr().err


def test_failed_refresh_keeps_the_old_file(origin, cache, tmp_path):
    path = get_file(origin=origin)
    (tmp_path / "web/data.bin").unlink()
    with pytest.raises(OSError):
        get_file(origin=origin, force_download=True)
    assert hash_file(path) == SHA256


def test_without_network_the_error_names_the_place(cache):
    with pytest.raises(OSError) as caught:
        get_file("x.npz", "http://127.0.0.1:9/x.npz", file_hash=SHA256)
    assert str(cache / "datasets" / "x.npz") in str(caught.value) and SHA256 in str(caught.value)


def test_cut_connection(cache):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"x" * 10)

        def log_message(self, *args):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.handle_request)
    thread.start()
    try:
        with pytest.raises(OSError, match="Without a network"):
            get_file("y", f"http://127.0.0.1:{server.server_port}/y")
    finally:
        thread.join()
        server.server_close()
    assert os.listdir(cache / "datasets") == []


@pytest.mark.parametrize("fname", ["../x", "/etc/x", "a/b", "..", "a\\b", "c:x"])
def test_names_that_leave_the_folder(origin, cache, fname):
    with pytest.raises(ValueError, match="plain file name"):
        get_file(fname, origin)


@pytest.mark.parametrize(
    "url", ["http://h/a/..", "http://h/", "http://h", "http://h/..?x=/y", "http://h/a\\..\\b"]
)
def test_urls_without_a_name(cache, url):
    with pytest.raises(ValueError, match="Pass `fname`"):
        get_file(origin=url)


@pytest.mark.parametrize("url", [None, "", "javascript:x", "/etc/passwd", "data:,x"])
def test_odd_origins(cache, url):
    with pytest.raises(ValueError, match="origin"):
        get_file("x", url)


def test_hash_algorithms(origin, cache):
    path = get_file(origin=origin)
    assert validate_file(path, SHA256) and validate_file(path, MD5) and validate_file(path, SHA256.upper())
    assert not validate_file(path, MD5, "sha256")
    with pytest.raises(ValueError, match="hash_algorithm"):
        validate_file(path, MD5, "crc")


@pytest.mark.parametrize(
    "fname, kept, folder",
    [("d.tar.gz", "d.tar.gz", "d_extracted"), ("d", "d_archive", "d"), (None, "w.tgz_archive", "w.tgz")],
)
def test_extract(cache, tmp_path, fname, kept, folder):
    with tarfile.open(tmp_path / "w.tgz", "w:gz") as tar:
        info = tarfile.TarInfo("inside.txt")
        info.size = 2
        tar.addfile(info, io.BytesIO(b"hi"))
    for _ in range(2):
        path = get_file(fname, (tmp_path / "w.tgz").as_uri(), extract=True)
        assert path == str(cache / "datasets" / folder)
        assert os.listdir(path) == ["inside.txt"]
    assert sorted(os.listdir(cache / "datasets")) == sorted([kept, folder])


def test_extract_what_is_no_archive(origin, cache):
    with pytest.raises(ValueError, match="no archive"):
        get_file("x", origin, extract=True)
