"""The QR that leads from paper to the verification page."""

from __future__ import annotations

import segno

#: Error level M survives a crease or a coffee stain; the symbol stays small enough for 22 mm.
_LEVEL = "m"


def qr_data_uri(url: str) -> str:
    """The URL as a QR in a ``data:`` URI (SVG, black on nothing, the quiet zone included): the same for the same URL.

    :raises ValueError: when the URL is empty or too long for a symbol that a phone reads from paper (over 300 characters).
    """
    if not url or len(url) > 300:
        raise ValueError("a verification address has 1 to 300 characters")
    uri: str = segno.make(url, error=_LEVEL, micro=False, boost_error=False).svg_data_uri(
        border=4, dark="#000", xmldecl=False, svgclass=None, lineclass=None, omitsize=True
    )
    return uri
