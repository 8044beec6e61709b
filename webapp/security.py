"""Headers that every answer carries."""

from __future__ import annotations

from flask import Flask, Response, request

from webapp.access import known_visitor
from webapp.config import Settings

#: Nothing from elsewhere, no script and no style in the page itself.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
_STATIC = {"static", "bootstrap.static"}


def install(app: Flask, settings: Settings) -> None:
    @app.after_request
    def _headers(response: Response) -> Response:
        headers = response.headers
        headers.setdefault("Content-Security-Policy", POLICY)
        headers.setdefault("X-Content-Type-Options", "nosniff")
        headers.setdefault("X-Frame-Options", "DENY")
        headers.setdefault("Referrer-Policy", "same-origin")
        headers.setdefault("Permissions-Policy", "camera=(self), geolocation=(), microphone=()")
        headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        if settings.secure_cookies:
            headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        if request.endpoint in _STATIC:
            # Addresses carry a digest of the content (``asset``).
            headers["Cache-Control"] = (
                "public, max-age=31536000, immutable" if request.args.get("v") else ("public, max-age=3600")
            )
        elif known_visitor() is not None:
            # Office computers are shared: what one person saw must not be there for the next.
            headers["Cache-Control"] = "no-store"
        return response
