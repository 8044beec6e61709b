"""The little type language of document.yaml, and the check of a context against it.

Types: ``text``, ``date`` (ISO), ``date?`` (ISO or empty), ``integer``, ``money`` (integer fen), ``boolean``; ``[T]``;
``{key: T}``. Nothing else: a context is data, so that a template in its sandbox has nothing to call.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

#: A type as YAML gives it: a name, a one-element list, or a mapping of keys.
Schema = Any

_SCALARS = frozenset({"text", "date", "date?", "integer", "money", "boolean"})
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def schema_problems(schema: Schema, path: str = "context") -> list[str]:
    """What is wrong with a type written in document.yaml: Chinese sentences naming the key."""
    if isinstance(schema, str):
        return [] if schema in _SCALARS else [f"{path}：不认识的类型“{schema}”"]
    if isinstance(schema, list):
        return (
            schema_problems(schema[0], f"{path}[]")
            if len(schema) == 1
            else [f"{path}：列表须写明一种元素类型"]
        )
    if isinstance(schema, dict):
        return [
            problem for key, inner in schema.items() for problem in schema_problems(inner, f"{path}.{key}")
        ]
    return [f"{path}：类型须为名称、列表或映射"]


def context_problems(value: object, schema: Schema, path: str = "context") -> list[str]:
    """Where a context differs from its type: ``path：what`` in Chinese, never a value (it may be personal)."""
    if isinstance(schema, list):
        if type(value) is not list:
            return [f"{path}：应为列表"]
        return [p for i, item in enumerate(value) for p in context_problems(item, schema[0], f"{path}[{i}]")]
    if isinstance(schema, dict):
        if type(value) is not dict:
            return [f"{path}：应为映射"]
        problems = [f"{path}.{key}：缺少" for key in schema if key not in value]
        problems += [f"{path}.{key}：多余" for key in value if key not in schema]
        for key, inner in schema.items():
            if key in value:
                problems += context_problems(value[key], inner, f"{path}.{key}")
        return problems
    return _scalar_problems(value, schema, path)


def _scalar_problems(value: object, kind: str, path: str) -> list[str]:
    # Exact types: a bool is an int to isinstance, and a Markup string would switch autoescaping off.
    if kind in ("integer", "money"):
        return [] if type(value) is int else [f"{path}：应为整数"]
    if kind == "boolean":
        return [] if type(value) is bool else [f"{path}：应为是或否"]
    if type(value) is not str:
        return [f"{path}：应为文字"]
    if kind == "text" or (kind == "date?" and value == ""):
        return []
    return [] if _is_iso_date(value) else [f"{path}：应为日期（年-月-日）"]


def _is_iso_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def printable(value: Any) -> Any:
    """A copy of a checked context without control characters and lone surrogates, line ends unified.

    People paste opinions from anywhere: a stray form feed must not stop a paper from being issued.
    """
    if isinstance(value, str):
        return _UNPRINTABLE.sub("", value.replace("\r\n", "\n").replace("\r", "\n"))
    if isinstance(value, list):
        return [printable(item) for item in value]
    if isinstance(value, Mapping):
        return {key: printable(item) for key, item in value.items()}
    return value
