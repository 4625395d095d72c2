"""``RemoteMonitor``: the results of each epoch, sent to a server."""

from __future__ import annotations

import json
import warnings
from typing import Any

from .callback import Callback, resolve


class RemoteMonitor(Callback):
    """Sends the logs of each epoch to a server by HTTP POST. A server that can't be reached gives a warning.

    Args:
        root: Address of the server, ``http`` or ``https``.
        path: Path on it.
        field: Field of the form that holds the JSON text, unless ``send_as_json``.
        headers: Further headers.
        send_as_json: Send the JSON text itself in place of a form.

    Raises:
        ValueError: for an address that is neither ``http`` nor ``https``.

    Example:
        >>> monitor = RemoteMonitor(root="http://localhost:9000", send_as_json=True)
    """

    def __init__(
        self,
        root: str = "http://localhost:9000",
        path: str = "/publish/epoch/end/",
        field: str = "data",
        headers: dict[str, str] | None = None,
        send_as_json: bool = False,
    ):
        super().__init__()
        if not root.startswith(("http://", "https://")):
            raise ValueError(f"RemoteMonitor: `root` should begin with http:// or https://. Received: root={root!r}")
        self.root, self.path, self.field = root, path, field
        self.headers, self.send_as_json = headers, send_as_json

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        import urllib.parse
        import urllib.request  # here, to keep `import deepkit` light

        text = json.dumps({"epoch": epoch, **resolve(logs)})
        kind = "json" if self.send_as_json else "x-www-form-urlencoded"
        body = text if self.send_as_json else urllib.parse.urlencode({self.field: text})
        headers = {"Content-Type": f"application/{kind}", **(self.headers or {})}
        request = urllib.request.Request(self.root + self.path, body.encode(), headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=10):
                pass
        except OSError as error:  # URLError among them
            warnings.warn(f"RemoteMonitor: {self.root} could not be reached: {error}", stacklevel=2)


__all__ = ["RemoteMonitor"]
