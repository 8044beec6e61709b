"""What can go wrong with a document, in words that a person may read."""

from __future__ import annotations

from workflows.base.errors import WengangError


class DocumentError(WengangError):
    """A document could not be made (HTTP 500). It is never half made: there is a PDF or there is this.

    :param message: Chinese, for a person.
    :param detail: for the log: key paths, template lines, exception types; never a value of the context,
        which may be personal.
    """

    status = 500

    def __init__(self, message: str, detail: str = "") -> None:
        super().__init__(message)
        self.detail = detail


class SigningError(DocumentError):
    """The signing key is missing, unreadable or does not fit its certificate."""
