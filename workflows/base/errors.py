"""Errors that a person may see. The message is Chinese and says what to do; the class says how the edge answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class WengangError(Exception):
    """Base of all errors meant for people.

    :param message: Chinese text, safe to show: no personal data, no internal names.
    """

    status = 400

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Invalid(WengangError):
    """Input that breaks a rule (HTTP 422).

    :param errors: field key → Chinese message, shown beside the field and in the summary.
    """

    status = 422

    def __init__(self, message: str, errors: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.errors = dict(errors or {})


class Conflict(WengangError):
    """The page was stale, or another officer was faster (HTTP 409)."""

    status = 409


class Forbidden(WengangError):
    """The actor's post does not allow it (HTTP 403)."""

    status = 403


class NotFound(WengangError):
    """There is no such thing, or the actor must not learn that there is (HTTP 404)."""

    status = 404


class CatalogueError(WengangError):
    """A process package was refused.

    :param problems: one Chinese sentence each, naming file and element and saying what to do.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("流程定义未通过检查：\n" + "\n".join(problems))
        self.problems = list(problems)
