"""Scripts and styles for the browser: gzipped once, named by the hash of all of them, cached for ever."""

import gzip
import hashlib
import json
import mimetypes
from collections.abc import Sequence
from dataclasses import asdict
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from app.facts import facts
from dpo_core.glossary import GLOSSARY
from dpo_core.world.presets import presets

FOLDER = Path(__file__).resolve().parents[1] / "assets"
COMPRESSED = {".js", ".css", ".json", ".svg", ".html", ".txt"}


@cache
def _files() -> dict[str, bytes]:
    """Every asset by its path; the facts that scripts need come from the core, as JSON."""
    files = {
        path.relative_to(FOLDER).as_posix(): path.read_bytes()
        for path in sorted(FOLDER.rglob("*"))
        if path.is_file()
    }
    files["glossary.json"] = json.dumps({key: asdict(term) for key, term in GLOSSARY.items()}).encode()
    plotly = find_spec("plotly")  # located, not imported: the server has no use for it
    if plotly is not None and plotly.submodule_search_locations:
        script = Path(plotly.submodule_search_locations[0]) / "package_data" / "plotly.min.js"
        files["plotly.min.js"] = script.read_bytes()
    shelf = [
        {"key": p.key, "name": p.name, "watch": p.watch, "view": asdict(p.view)} for p in presets().values()
    ]
    files["facts.json"] = json.dumps(facts()).encode()
    files["presets.json"] = json.dumps(shelf).encode()
    return files


@cache
def _version() -> str:
    digest = hashlib.sha256()
    for path, content in _files().items():
        digest.update(path.encode() + b"\0" + content)
    return digest.hexdigest()[:12]


def asset_url(path: str) -> str:
    """Where the browser finds app/assets/``path``, relative to the page's base address."""
    if path not in _files():
        raise KeyError(f"no asset {path!r} in {FOLDER}")
    return f"lab/{_version()}/{path}"


@cache
def _compressed(path: str) -> bytes:
    return gzip.compress(_files()[path], 9, mtime=0)


async def _serve(request: Request) -> Response:
    path = request.path_params["path"]
    content = _files().get(path)
    if content is None:
        return PlainTextResponse("not found", 404)
    headers = {"X-Content-Type-Options": "nosniff"}
    current = request.path_params["version"] == _version()
    headers["Cache-Control"] = "public, max-age=31536000, immutable" if current else "no-store"
    if Path(path).suffix in COMPRESSED and "gzip" in request.headers.get("accept-encoding", ""):
        content = _compressed(path)
        headers |= {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
    kind = "text/javascript" if path.endswith(".js") else mimetypes.guess_type(path)[0]
    return Response(content, headers=headers, media_type=kind or "application/octet-stream")


def routes() -> Sequence[BaseRoute]:
    """The route that serves the assets."""
    return [Route("/lab/{version}/{path:path}", _serve)]
