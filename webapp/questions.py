"""Small forms of the application itself (login, registration, administration), asked and checked like those of a process.

Questions are ``forms.model.Field``: the same macros draw them, the same checks say the same words. The forms of a
process are read from its own definition and do not come through here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from flask import request

from forms.checks import compile_choices, compile_field
from forms.model import Field, Option
from workflows.base.clock import today


@dataclass
class Answers:
    """What came in: checked values, messages, and everything as typed for showing the page again."""

    values: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    typed: dict[str, Any] = field(default_factory=dict)

    @property
    def summary(self) -> list[tuple[str, str]]:
        """For ``error_summary``."""
        return list(self.errors.items())

    def refuse(self, errors: Mapping[str, str], message: str = "") -> None:
        """Take over what a use case found wrong; a message without a field stands alone in the summary."""
        self.errors.update(errors or {"": message})


def read_answers(fields: Iterable[Field], given: Mapping[str, str] | None = None) -> Answers:
    """Read and check the posted answers to ``fields`` (files are left to the view)."""
    form = request.form if given is None else given
    answers = Answers()
    for one in fields:
        if one.type == "files":
            continue
        if one.type == "multichoice":
            typed: Any = request.form.getlist(one.key)
            value, error, _warning = compile_choices(one)(typed, today())
        else:
            typed = form.get(one.key, "")
            value, error, _warning = compile_field(one)(typed, today())
        answers.typed[one.key], answers.values[one.key] = typed, value
        if error:
            answers.errors[one.key] = error
    return answers


def options(pairs: Mapping[str, str] | Sequence[tuple[str, str]]) -> tuple[Option, ...]:
    """Choices from value → label."""
    return tuple(Option(*pair) for pair in (pairs.items() if isinstance(pairs, Mapping) else pairs))


def as_day(value: str | None) -> date | None:
    """A checked date answer as a date."""
    return date.fromisoformat(value) if value else None
