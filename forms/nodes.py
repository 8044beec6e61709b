"""Reading one YAML file strictly: mappings that know where they stand and refuse what nobody asked for."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import yaml

from workflows.base.errors import CatalogueError
from workflows.base.yaml_text import SafeLoader, load

_KEY = re.compile(r"[a-z][a-z0-9_]*\Z")


def read_yaml(text: str, file: str) -> object:
    """The content of a YAML file.

    :raises CatalogueError: when it is not YAML, or a key stands twice in one mapping.
    """
    try:
        return load(text, _UniqueLoader)
    except (yaml.YAMLError, RecursionError) as error:
        raise CatalogueError([f"{file}：不是正确的 YAML，请检查缩进、冒号和引号。{error}"]) from None


class _UniqueLoader(SafeLoader):
    """YAML without the silent overwriting of duplicate keys."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[object] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                raise yaml.YAMLError(f"第 {key_node.start_mark.line + 1} 行的键应为文字：{key}")
            if key in seen:
                raise yaml.YAMLError(f"第 {key_node.start_mark.line + 1} 行的键重复：{key}")
            seen.add(key)
        return super().construct_mapping(node, deep)


class Node:
    """A mapping of the file that knows where it stands and which of its keys were asked for."""

    def __init__(self, refuse: Callable[[str, str], None], where: str, data: object) -> None:
        self._refuse = refuse
        self.where = where
        self.known: list[str] = []
        if not isinstance(data, dict):
            refuse(where, "应为“键: 值”的形式")
            data = {}
        self.data: dict[str, Any] = data

    def refuse(self, key: str, text: str) -> None:
        """Note a problem of one key."""
        self._refuse(f"{self.where} {key}".strip(), text)

    def has(self, key: str) -> bool:
        """Whether the key has a value; it counts as known from now on."""
        self.known.append(key)
        return self.data.get(key) is not None

    def text(self, key: str, default: str = "", *, required: bool = False) -> str:
        """A text value."""
        if not self.has(key):
            if required:
                self.refuse(key, "没有填写，请补上")
            return default
        value = self.data[key]
        if not isinstance(value, str):
            self.refuse(key, f"应为文字，现为 {value}；数字、日期和 yes/no 请加引号")
            return default
        return value.strip()

    def name(self, key: str, *, required: bool = True) -> str:
        """A snake_case name."""
        value = self.text(key, required=required)
        if value and not _KEY.match(value):
            self.refuse(key, f"“{value}”应为小写字母、数字和下划线，以字母开头")
        return value

    def flag(self, key: str, default: bool = False) -> bool:
        """true or false."""
        if not self.has(key):
            return default
        value = self.data[key]
        if not isinstance(value, bool):
            self.refuse(key, f"应为 true 或 false，现为 {value}")
            return default
        return value

    def number(self, key: str, default: int) -> int:
        """A whole number above zero."""
        if not self.has(key):
            return default
        value = self.data[key]
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            self.refuse(key, f"应为大于零的整数，现为 {value}")
            return default
        return value

    def one_of(self, key: str, names: tuple[str, ...], default: str) -> str:
        """One of the names given."""
        value = self.text(key, default)
        if value not in names:
            self.refuse(key, f"“{value}”不在可选范围内，可选：{'、'.join(names)}")
            return default
        return value

    def items(self, key: str) -> list[Any]:
        """A list of anything."""
        if not self.has(key):
            return []
        value = self.data[key]
        if not isinstance(value, list):
            self.refuse(key, "应为列表")
            return []
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts."""
        found = self.items(key)
        for one in found:
            if not isinstance(one, str):
                self.refuse(key, f"列表里应都是文字，现有 {one}；数字、日期和 yes/no 请加引号")
        return tuple(one.strip() for one in found if isinstance(one, str))

    def done(self) -> None:
        """Refuse the keys that nobody asked for."""
        for key in self.data:
            if key not in self.known:
                self.refuse(key, f"不认识这个键，可用的键：{'、'.join(dict.fromkeys(self.known))}")
