"""Streamlit components whose scripts are assets: registered once, loaded by address, never re-sent."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from app.shell.assets import asset_url

# Inline scripts travel with every update, so only this stub is inline; the module itself is cached.
STUB = """
const module = import(new URL("{url}", document.baseURI));
export default (component) => {{
  let cleanup; let gone = false;
  module.then((m) => {{ if (!gone) cleanup = m.default(component); }});
  return () => {{ gone = true; if (cleanup) cleanup(); }};
}};
"""


def register(name: str, module: str) -> Callable[..., Any]:
    """A component drawn by app/assets/``module`` (its default export gets Streamlit's component object)."""
    stub = STUB.format(url=asset_url(module))
    return st.components.v2.component(
        f"dpo_lab_{name}", html='<div class="dpo"></div>', js=stub, isolate_styles=False
    )
