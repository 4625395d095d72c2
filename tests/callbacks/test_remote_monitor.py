"""``RemoteMonitor``, with a server in a thread."""

from __future__ import annotations

import http.server
import json
import threading
import urllib.parse

import numpy as np
import pytest

import deepkit
from deepkit.callbacks import RemoteMonitor


@pytest.fixture
def server():
    received = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            received.append((self.path, dict(self.headers), body))
            self.send_response(500 if self.path == "/broken" else 200)
            self.end_headers()

        def log_message(self, *args):
            pass

    made = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{made.server_port}", received
    made.shutdown()
    made.server_close()


def test_form(server):
    root, received = server
    model = deepkit.Sequential([deepkit.layers.Dense(1)])
    model.compile("sgd", "mse")
    history = model.fit(np.ones((2, 1)), np.ones((2, 1)), epochs=2, verbose=0, callbacks=[RemoteMonitor(root)])
    assert [path for path, _, _ in received] == ["/publish/epoch/end/"] * 2
    sent = json.loads(urllib.parse.parse_qs(received[1][2])["data"][0])
    assert sent == {"epoch": 1, "loss": history.history["loss"][1]}


def test_json(server):
    root, received = server
    RemoteMonitor(root, "/x", headers={"X-Key": "k"}, send_as_json=True).on_epoch_end(3, {"loss": np.float32(0.5)})
    path, headers, body = received[0]
    assert path == "/x" and headers["Content-Type"] == "application/json" and headers["X-Key"] == "k"
    assert json.loads(body) == {"epoch": 3, "loss": 0.5}


def test_trouble_is_a_warning(server):
    with pytest.warns(UserWarning, match="could not be reached"):
        RemoteMonitor("http://127.0.0.1:9").on_epoch_end(0, {})
    with pytest.warns(UserWarning, match="500"):
        RemoteMonitor(server[0], "/broken").on_epoch_end(0, {})


def test_only_http():
    with pytest.raises(ValueError, match="http"):
        RemoteMonitor("file:///etc")
