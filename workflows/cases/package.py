"""What is stored of a published process: the engine's dump and the texts of its forms, so that a running case keeps
the forms it began with."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from typing import Any

from forms.definition import FormDefinition, RosterDefinition, load_form, load_roster
from workflows.base.errors import CatalogueError
from workflows.base.yaml_text import SafeLoader, load


@dataclass(frozen=True)
class Package:
    """``engine``: the dump of the engine's published version; ``forms``: name → YAML; ``shared``: shared sections."""

    config: dict[str, Any]
    engine: str
    forms: dict[str, str]
    shared: dict[str, str]
    roster: str | None

    def to_text(self) -> str:
        return json.dumps(self.__dict__, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_text(cls, text: str) -> Package:
        return cls(**json.loads(text))

    def load_forms(self) -> dict[str, FormDefinition]:
        return {
            name: load_form(text, f"forms/{self.config['key']}/{name}.yaml", self.shared)
            for name, text in self.forms.items()
        }

    def load_all(self) -> None:
        """Read every form and the roster; raises ``CatalogueError`` with what is wrong in each."""
        problems: list[str] = []
        for name, text in self.forms.items():
            try:
                load_form(text, f"forms/{self.config['key']}/{name}.yaml", self.shared)
            except CatalogueError as error:
                problems += error.problems
        try:
            self.load_roster()
        except CatalogueError as error:
            problems += error.problems
        if problems:
            raise CatalogueError(problems)

    def load_roster(self) -> RosterDefinition | None:
        if self.roster is None:
            return None
        return load_roster(self.roster, f"forms/{self.config['key']}/roster.yaml")


def read_texts(folder: Traversable, prefix: str = "") -> dict[str, str]:
    """name → text of the YAML files of a folder, sorted."""
    found = {
        f"{prefix}{entry.name.removesuffix('.yaml')}": entry.read_text(encoding="utf-8")
        for entry in folder.iterdir()
        if entry.name.endswith(".yaml")
    }
    return dict(sorted(found.items()))


def source_digest(texts: dict[str, str]) -> str:
    """SHA-256 over the source files of a package: equal sources are one version."""
    whole = json.dumps(texts, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(whole.encode()).hexdigest()


class _Yaml12(SafeLoader):
    """Only ``true`` and ``false`` are booleans, as in YAML 1.2: ``on:`` and ``no:`` stay the words that people wrote."""


_Yaml12.yaml_implicit_resolvers = {
    first: [
        (tag, re.compile(r"^(?:true|false)$") if tag == "tag:yaml.org,2002:bool" else pattern)
        for tag, pattern in resolvers
    ]
    for first, resolvers in SafeLoader.yaml_implicit_resolvers.items()
}


def parse_config(text: str) -> dict[str, Any]:
    """process.yaml as data with JSON's types only (dates become ISO texts)."""
    content = load(text, _Yaml12)
    return json.loads(json.dumps(content, ensure_ascii=False, default=str))  # type: ignore[no-any-return]
