"""A small model hub on the loopback interface: files, ranges, a listing, and broken lines on demand."""

import hashlib
import json
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class LoopbackHub:
    """Serves the folders under ``root`` as OWNER/NAME.

    ``broken[path]``: how many downloads break half-way; ``held[path]``: the other half waits for the event.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.broken: Counter[str] = Counter()
        self.held: dict[str, threading.Event] = {}
        self.gated: set[str] = set()
        self.sent: Counter[str] = Counter()  # bytes of each file that went out
        self.starts: dict[str, list[int]] = {}  # offsets at which downloads began
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                pass

            def do_HEAD(self) -> None:
                hub.answer(self, body=False)

            def do_GET(self) -> None:
                hub.answer(self, body=True)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def answer(self, request: BaseHTTPRequestHandler, body: bool) -> None:
        path = unquote(request.path.split("?")[0]).strip("/")
        if path.startswith("api/models/"):
            self._listing(request, path.removeprefix("api/models/").split("/revision/")[0], body)
        elif "/resolve/" in path:
            name, _, rest = path.partition("/resolve/")
            self._file(request, name, rest.split("/", 1)[1], body)
        else:
            self._refuse(request, 404, "RepoNotFound")

    def _refuse(self, request: BaseHTTPRequestHandler, status: int, code: str) -> None:
        request.send_response(status)
        request.send_header("X-Error-Code", code)
        request.send_header("X-Error-Message", code)
        request.send_header("Content-Length", "0")
        request.end_headers()

    def _listing(self, request: BaseHTTPRequestHandler, name: str, body: bool) -> None:
        folder = self.root / name
        if not folder.is_dir():
            self._refuse(request, 404, "RepoNotFound")
            return
        files = [{"rfilename": p.name} for p in sorted(folder.iterdir())]
        content = json.dumps({"id": name, "modelId": name, "sha": COMMIT, "siblings": files}).encode()
        request.send_response(200)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        if body:
            request.wfile.write(content)

    def _file(self, request: BaseHTTPRequestHandler, name: str, file: str, body: bool) -> None:
        path = self.root / name / file
        if name in self.gated:
            self._refuse(request, 403, "GatedRepo")
            return
        if not path.is_file():
            self._refuse(request, 404, "EntryNotFound" if (self.root / name).is_dir() else "RepoNotFound")
            return
        content = path.read_bytes()
        start = 0
        wanted = request.headers.get("Range")
        if body and wanted:
            start = int(wanted.removeprefix("bytes=").split("-")[0])
            request.send_response(206)
            request.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        else:
            request.send_response(200)
        request.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        request.send_header("X-Repo-Commit", COMMIT)
        request.send_header("Accept-Ranges", "bytes")
        request.send_header("Content-Length", str(len(content) - start))
        request.end_headers()
        if not body:
            return
        key = f"{name}/{file}"
        self.starts.setdefault(key, []).append(start)
        part = content[start:]
        if self.broken[key] > 0:
            self.broken[key] -= 1
            part = part[: len(part) // 2]
            request.close_connection = True
        elif key in self.held:
            request.wfile.write(part[: len(part) // 2])
            request.wfile.flush()
            self.held[key].wait()
            part = part[len(part) // 2 :]
        request.wfile.write(part)
        self.sent[key] += len(part)
