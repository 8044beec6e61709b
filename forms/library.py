"""All forms of all processes, read from the package or from the texts that a published version kept."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable

from forms.definition import load_form, load_roster
from forms.model import FormDefinition, RosterDefinition
from workflows.base.errors import CatalogueError

ROSTER = "roster"
SHARED = "shared"


class FormLibrary:
    """Definitions by process and name, each read once.

    :param root: the folder that holds one folder per process, and ``shared``; the installed package by default.
    """

    def __init__(self, root: Traversable | None = None) -> None:
        self._texts: dict[str, str] = {}
        self._documents: dict[str, list[str]] = {}
        self._forms: dict[str, FormDefinition] = {}
        self._rosters: dict[str, RosterDefinition] = {}
        for folder in sorted((root or files("forms")).iterdir(), key=lambda one: one.name):
            if folder.is_dir():
                self._read(folder)

    @classmethod
    def from_texts(cls, texts: Mapping[str, str]) -> FormLibrary:
        """A library of the texts that :meth:`texts` gave earlier: a case keeps the forms it began under."""
        library = cls.__new__(cls)
        library._texts = dict(texts)
        library._documents, library._forms, library._rosters = {}, {}, {}
        return library

    def _read(self, folder: Traversable) -> None:
        for one in sorted(folder.iterdir(), key=lambda child: child.name):
            if one.name.endswith(".yaml") and one.is_file():
                self._texts[f"{folder.name}/{one.name}"] = one.read_text(encoding="utf-8")
        documents = folder / "documents"
        if documents.is_dir():
            self._documents[folder.name] = sorted(
                one.name for one in documents.iterdir() if (one / "document.yaml").is_file()
            )

    def get(self, process_key: str, form_name: str) -> FormDefinition:
        """A form.

        :raises CatalogueError: when there is none, or it breaks the grammar.
        """
        path = f"{process_key}/{form_name}.yaml"
        if path not in self._forms:
            shared = {
                name.removesuffix(".yaml"): text
                for name, text in self._texts.items()
                if name.startswith(f"{SHARED}/")
            }
            self._forms[path] = load_form(self._text(path), f"forms/{path}", shared)
        return self._forms[path]

    def roster(self, process_key: str) -> RosterDefinition:
        """The roster of a process.

        :raises CatalogueError: when there is none, or it breaks the grammar.
        """
        path = f"{process_key}/{ROSTER}.yaml"
        if path not in self._rosters:
            self._rosters[path] = load_roster(self._text(path), f"forms/{path}")
        return self._rosters[path]

    def has_roster(self, process_key: str) -> bool:
        """Whether the process has a roster."""
        return f"{process_key}/{ROSTER}.yaml" in self._texts

    def names(self, process_key: str) -> list[str]:
        """The names of a process's forms, sorted, without its roster."""
        prefix = f"{process_key}/"
        names = (
            path.removeprefix(prefix).removesuffix(".yaml") for path in self._texts if path.startswith(prefix)
        )
        return sorted(name for name in names if name != ROSTER)

    def documents(self, process_key: str) -> list[str]:
        """The names of a process's printed documents, sorted."""
        return list(self._documents.get(process_key, []))

    def texts(self, process_key: str) -> dict[str, str]:
        """Every YAML text that decides about a process's forms, by path: what a published version keeps."""
        wanted = (f"{process_key}/", f"{SHARED}/")
        return {path: text for path, text in self._texts.items() if path.startswith(wanted)}

    def problems(self, process_key: str) -> list[str]:
        """Everything wrong with the forms and the roster of a process, for the catalogue's lint."""
        found: list[str] = []
        for name in self.names(process_key):
            try:
                self.get(process_key, name)
            except CatalogueError as error:
                found += error.problems
        if self.has_roster(process_key):
            try:
                self.roster(process_key)
            except CatalogueError as error:
                found += error.problems
        return found

    def _text(self, path: str) -> str:
        if path not in self._texts:
            raise CatalogueError([f"forms/{path}：没有这个文件，请补上，或改正流程定义中的名称"])
        return self._texts[path]
