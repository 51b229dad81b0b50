"""An address as a QR code for the room."""

import io

import segno

from dpo_core.errors import ScenarioError


def qr_svg(url: str) -> str:
    """SVG text of the QR code for ``url``. Raises ScenarioError when the address holds too much for one."""
    if not url.startswith(("http://", "https://")):
        raise ScenarioError("QR code", "this address is not a web address", "Reload the page")
    try:
        code = segno.make(url, error="l", micro=False)
    except segno.DataOverflowError:
        raise ScenarioError(
            "QR code", f"an address of {len(url)} characters does not fit in one", "Copy the link instead"
        ) from None
    out = io.BytesIO()
    code.save(out, kind="svg", omitsize=True, border=4, xmldecl=False, dark="#000", light="#fff", nl=False)
    return out.getvalue().decode()
