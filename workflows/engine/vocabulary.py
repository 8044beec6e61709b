"""The words a diagram may use. The rooms above own them and hand them down; the lint checks against them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from workflows.engine.expressions import Arity

#: What an argument names, so that the lint can resolve it inside the package.
Refers: TypeAlias = Literal[
    "step",
    "step_or_form",
    "decision",
    "output",
    "parameter",
    "outcome",
    "status",
    "document",
    "publicity",
    "department",
    "lane",
    "unit",
]


@dataclass(frozen=True)
class Signature:
    """A function that conditions and timers may call.

    :param least: fewest arguments. :param most: most arguments, ``None`` for any number.
    :param refers: what each positional argument names in the package (``None``: free).
    :param rest: what all further arguments name.
    :param returns: ``outcome`` (of the step named first), ``boolean``, ``instant`` (an aware datetime) or ``value``.
    """

    least: int = 0
    most: int | None = 0
    refers: tuple[Refers | None, ...] = ()
    rest: Refers | None = None
    returns: Literal["outcome", "boolean", "instant", "value"] = "value"

    @property
    def arity(self) -> Arity:
        return (self.least, self.most)


@dataclass(frozen=True)
class Argument:
    """An argument of an operation. ``required``: must be written; ``refers``: what it names in the package."""

    required: bool = True
    refers: Refers | None = None


@dataclass(frozen=True)
class Vocabulary:
    """Everything a package may refer to that is not in the package.

    :param functions: for conditions and timers.
    :param operations: operation → argument name → what it is.
    :param messages: names of messages that somebody sends.
    :param departments: kinds that a lane may belong to, ``employer`` and the like included.
    :param predicates: words allowed in ``incompatible`` beside steps, lanes and departments; empty: unchecked.
    """

    functions: Mapping[str, Signature] = field(default_factory=dict)
    operations: Mapping[str, Mapping[str, Argument]] = field(default_factory=dict)
    messages: frozenset[str] = frozenset()
    departments: frozenset[str] = frozenset()
    predicates: frozenset[str] = frozenset()

    @property
    def arities(self) -> dict[str, Arity]:
        """Function → least and most arguments."""
        return {name: signature.arity for name, signature in self.functions.items()}
