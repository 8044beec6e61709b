"""What this installation is: set once at start-up by the edge, asked by the rooms; no room reads the environment."""

from __future__ import annotations

from dataclasses import dataclass

from workflows.base.files import FileStore


@dataclass(frozen=True)
class Installation:
    """
    :param public_url: what QR codes and links point to, without a slash at the end.
    :param demonstration: every document and page says that its data is fictional.
    :param files: where uploads and documents lie.
    :param channels: by what notices leave the house beside standing in the application: ``mail``, ``sms``.
    """

    public_url: str
    demonstration: bool
    files: FileStore
    channels: tuple[str, ...] = ()


_installation: Installation | None = None


def use_installation(installation: Installation) -> None:
    """Set the process's installation at start-up."""
    global _installation
    _installation = installation


def installation() -> Installation:
    """The process's installation; raises ``RuntimeError`` when start-up set none."""
    if _installation is None:
        raise RuntimeError("no installation: call use_installation() at start-up")
    return _installation
