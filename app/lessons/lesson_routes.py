"""Lessons as files for the browser: built and gzipped once, named by a hash, cached for ever."""

import gzip
import hashlib
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from app.lessons import lesson_payload
from lessons.library import lessons

ROOT = Path(__file__).resolve().parents[2]
SOURCES = (
    "lessons/**/*.md",
    "lessons/**/*.py",
    "dpo_core/**/*.py",
    "dpo_core/world/presets/*.json",
    "app/**/*.py",
)


@cache
def version() -> str:
    """A hash of all that the documents are made from."""
    digest = hashlib.sha256()
    for pattern in SOURCES:
        for path in sorted(ROOT.glob(pattern)):
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def base_url() -> str:
    """Where the browser finds the documents, relative to the page's address."""
    return f"lab-lessons/{version()}/"


def document(name: str) -> bytes | None:
    """``index`` or a lesson's slug as gzipped JSON; None where there is no such lesson, which is not kept."""
    return _document(name) if name == "index" or name in lessons() else None


@cache
def _document(name: str) -> bytes:
    content = lesson_payload.index() if name == "index" else lesson_payload.document(lessons()[name])
    text = json.dumps(content, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return gzip.compress(text.encode(), 6, mtime=0)


def _serve(request: Request) -> Response:  # not async: building a document runs on a worker thread
    content = document(request.path_params["name"])
    if content is None:
        return PlainTextResponse("no such lesson", 404)
    current = request.path_params["version"] == version()
    headers = {
        "Cache-Control": "public, max-age=31536000, immutable" if current else "no-store",
        "X-Content-Type-Options": "nosniff",
        "Vary": "Accept-Encoding",
    }
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
    else:
        content = gzip.decompress(content)
    return Response(content, headers=headers, media_type="application/json")


def routes() -> Sequence[BaseRoute]:
    """The route that serves the lessons."""
    return [Route("/lab-lessons/{version}/{name}.json", _serve)]
