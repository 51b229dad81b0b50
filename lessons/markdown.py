"""Markdown with maths to safe HTML, through markdown-it; the maths is left as TeX for the browser."""

import re
from collections.abc import Sequence
from functools import cache
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.front_matter import front_matter_plugin

GREEK = {
    "alpha": "α",
    "beta": "β",
    "gamma": "γ",
    "epsilon": "ε",
    "eta": "η",
    "theta": "θ",
    "lambda": "λ",
    "mu": "μ",
    "pi": "π",
    "sigma": "σ",
    "tau": "τ",
    "phi": "φ",
    "psi": "ψ",
}
SIGNS = {
    "approx": "≈",
    "cdot": "·",
    "geq": "≥",
    "ge": "≥",
    "infty": "∞",
    "leq": "≤",
    "le": "≤",
    "mid": "|",
    "nabla": "∇",
    "partial": "∂",
    "prod": "∏",
    "propto": "∝",
    "succ": "≻",
    "sum": "Σ",
    "times": "×",
    "to": "→",
}
SYMBOL = re.compile(r"\\sym\s*\{([^{}]*)\}")
INDEX = re.compile(r"(?<=[πry])_(ref|w|l)(?![a-z])")  # in plain text: π_ref, y_w
LESSON_LINK = re.compile(r"lesson:([a-z0-9-]+)(?:#([a-z0-9-]+))?")


def _formula(tokens: Sequence[Token], i: int, options: Any, env: Any) -> str:
    kind = "span" if tokens[i].type == "math_inline" else "div"
    display = " display" if kind == "div" else ""
    return f'<{kind} class="tex{display}">{escape(tokens[i].content.strip())}</{kind}>'


@cache
def parser() -> MarkdownIt:
    """CommonMark with tables, without raw HTML; images are off, since a picture is computed or cited."""
    md = MarkdownIt("commonmark", {"html": False, "typographer": False}).enable("table").disable("image")
    md.use(front_matter_plugin).use(
        dollarmath_plugin, allow_labels=False, allow_space=False, allow_digits=False, double_inline=True
    )
    rules: Any = md.renderer.rules  # type: ignore[attr-defined]
    for name in ("math_inline", "math_inline_double", "math_block"):
        rules[name] = _formula
    rules["text"] = lambda tokens, i, *_: INDEX.sub(r"<sub>\1</sub>", escape(tokens[i].content))
    rules["link_open"] = _link_open
    fence = rules["fence"]  # long code scrolls, so the keyboard must reach it
    rules["fence"] = lambda *given: fence(*given).replace("<pre>", '<pre tabindex="0">', 1)
    rules["table_open"] = lambda *_: '<div class="table" tabindex="0" role="group" aria-label="table"><table>'
    rules["table_close"] = lambda *_: "</table></div>"
    md.validateLink = lambda url: bool(LESSON_LINK.fullmatch(url)) or url.startswith("https://")  # type: ignore[method-assign]
    return md


def _link_open(tokens: Sequence[Token], i: int, options: Any, env: Any) -> str:
    address = str(tokens[i].attrGet("href"))
    lesson = LESSON_LINK.fullmatch(address)
    if lesson:
        at = f"&amp;at={lesson[2]}" if lesson[2] else ""
        heading = f' data-at="{lesson[2]}"' if lesson[2] else ""
        return f'<a href="lessons?lesson={lesson[1]}{at}" data-lesson="{lesson[1]}"{heading}>'
    return f'<a href="{escape(address)}" target="_blank" rel="noopener">'


def render(tokens: Sequence[Token]) -> str:
    md = parser()
    return str(md.renderer.render(list(tokens), md.options, {}))


def inline(text: str) -> str:
    """One line of Markdown as HTML, without a paragraph around it."""
    return str(parser().renderInline(text.strip()))


def block(text: str) -> str:
    """A few paragraphs of Markdown as HTML."""
    return str(parser().render(text))


def plain(tokens: Sequence[Token]) -> str:
    """The words of ``tokens``, with maths as words too, for search and for the reading time."""
    words: list[str] = []
    for token in tokens:
        if token.type in ("text", "code_inline", "fence", "code_block"):
            words.append(token.content)
        elif token.type.startswith("math"):
            words.append(tex_words(token.content))
        elif token.type in ("softbreak", "hardbreak"):
            words.append(" ")
        if token.children:
            words.append(plain(token.children))
        if token.block:
            words.append(" ")
    return re.sub(r"\s+", " ", "".join(words)).strip()


def plain_text(text: str) -> str:
    return plain(parser().parse(text))


def tex_words(tex: str) -> str:
    """``\\sym{beta}{\\beta} \\log \\frac{a}{b}`` → "β log a b": what one would read or search for."""
    words = GREEK | SIGNS
    tex = SYMBOL.sub(" ", tex)
    tex = re.sub(
        r"\\(?:[dt]?frac|left|right|text|math\w+|operatorname|q?quad|under\w+|big\w*|Big\w*)\b", " ", tex
    )
    tex = re.sub(r"\\([A-Za-z]+)", lambda command: words.get(command[1], f" {command[1]} "), tex)
    return re.sub(r"\s+", " ", re.sub(r"\\.|[{}&]|_(?=\{)", " ", tex)).strip()


def formulas(tokens: Sequence[Token]) -> list[tuple[str, int]]:
    """Every formula with the line (from 0) of the block that holds it."""
    found: list[tuple[str, int]] = []
    for token in tokens:
        line = token.map[0] if token.map else 0
        if token.type.startswith("math"):
            found.append((token.content, line))
        found += [(child.content, line) for child in token.children or [] if child.type.startswith("math")]
    return found


def unbalanced(tex: str) -> bool:
    """True where braces do not pair up."""
    depth = 0
    for brace in re.findall(r"(?<!\\)[{}]", tex):
        depth += 1 if brace == "{" else -1
        if depth < 0:
            return True
    return depth != 0


def slugify(title: str) -> str:
    """``The parallel: Eq. 2`` → "the-parallel-eq-2"."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
