"""What can go wrong in the engine room, said so that a person can act on it."""

from __future__ import annotations

from dataclasses import dataclass

from workflows.base.errors import Conflict, Invalid, WengangError


class EngineError(WengangError):
    """The process cannot go on as it was drawn: a fault of the diagram, of a binding or of the stored state.

    The action is rolled back; nothing moved.
    """

    status = 500


class ExpressionError(EngineError):
    """An expression was refused, or gave something that its place cannot use."""


class NotReady(Conflict):
    """The step is not open (any more): the page was stale."""


class NotWaiting(Conflict):
    """No event of that kind is awaited: a message or a timer came too early or too late."""


class RecallRefused(Conflict):
    """Somebody has acted since: nothing can be taken back."""


class FactError(Invalid):
    """A rule table was given a fact that is missing, of another type, or outside the allowed values."""


@dataclass(frozen=True, order=True)
class Problem:
    """One reason to refuse a process package.

    :param file: name of the file inside the package, e.g. ``process.bpmn``.
    :param element: id of the element (or key path in YAML, cell in a table); empty when it is the whole file.
    :param message_zh: one Chinese sentence that names file and element and says what to do.
    """

    file: str
    element: str
    message_zh: str

    @classmethod
    def at(cls, file: str, element: str, what: str, name: str = "") -> Problem:
        """Build the sentence: file, element (with its Chinese ``name`` when it has one), what is wrong, what to do."""
        place = f"{file} 中"
        if element:
            place += f"「{name}」（{element}）" if name else f"“{element}”"
        else:
            place = f"{file} "
        return cls(file, element, f"{place}{what}")

    def __str__(self) -> str:
        return self.message_zh
