"""A published version: what a running case needs of its process, for as long as the case lives."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from workflows.engine.dmn import Decision, Rule
from workflows.engine.dmn_reading import read_decisions
from workflows.engine.errors import EngineError, Problem
from workflows.engine.graph import Element, Flow, Graph, read_graph
from workflows.engine.package import read_yaml
from workflows.engine.specs import restore_specs
from workflows.engine.xmltext import parse_xml

_BROKEN = "已发布的流程版本无法读取或被改动，请联系管理员从备份恢复。"
_KEEP = 64

_specs: OrderedDict[str, tuple[Any, dict[str, Any]]] = OrderedDict()
_lock = threading.Lock()


@dataclass(frozen=True)
class PublishedVersion:
    """An immutable version of a process. Equality is by ``digest``, the digest of the texts it was made from."""

    key: str
    digest: str
    bpmn: str
    config_text: str
    dmn: Mapping[str, str]
    spec_json: str

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PublishedVersion) and other.digest == self.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def dump(self) -> str:
        """JSON text, sealed with a digest over all of it."""
        content = {
            "key": self.key,
            "digest": self.digest,
            "bpmn": self.bpmn,
            "config": self.config_text,
            "dmn": dict(self.dmn),
            "spec": self.spec_json,
        }
        return json.dumps({**content, "seal": _seal(content)}, ensure_ascii=False)

    @classmethod
    def load(cls, text: str) -> PublishedVersion:
        """Read a dump.

        :raises EngineError: it is not one, or was altered.
        """
        try:
            content = json.loads(text)
            seal = content.pop("seal")
            if seal != _seal(content):
                raise EngineError(_BROKEN)
            return cls(
                content["key"],
                content["digest"],
                content["bpmn"],
                content["config"],
                content["dmn"],
                content["spec"],
            )
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            raise EngineError(_BROKEN) from error

    @cached_property
    def config(self) -> Mapping[str, Any]:
        """``process.yaml`` as data."""
        content = read_yaml(self.config_text, "process.yaml")
        if isinstance(content, Problem):
            raise EngineError(_BROKEN)
        return content

    @cached_property
    def graph(self) -> Graph:
        """The diagram as plain data (names, lanes, layout); the specification never comes from here."""
        root = parse_xml(self.bpmn, "process.bpmn")
        if isinstance(root, Problem):
            raise EngineError(_BROKEN)
        return read_graph(root)

    def specs(self) -> tuple[Any, dict[str, Any]]:
        """The library's specifications, restored from the stored JSON once and shared by all threads."""
        with _lock:
            found = _specs.get(self._cache_key)
            if found is None:
                found = _specs[self._cache_key] = restore_specs(self.spec_json)
                if len(_specs) > _KEEP:
                    _specs.popitem(last=False)
            else:
                _specs.move_to_end(self._cache_key)
            return found

    @cached_property
    def _cache_key(self) -> str:
        return self.digest + hashlib.sha256(self.spec_json.encode()).hexdigest()

    @cached_property
    def decisions(self) -> Mapping[str, Decision]:
        """Decision id → compiled table."""
        found: dict[str, Decision] = {}
        for file, text in self.dmn.items():
            decisions, problems = read_decisions(text, file)
            if problems:
                raise EngineError(_BROKEN)
            found.update({decision.id: decision for decision in decisions})
        return found

    def decision(self, decision_id: str) -> Decision:
        """A compiled table.

        :raises EngineError: the version has none of this name.
        """
        try:
            return self.decisions[decision_id]
        except KeyError:
            raise EngineError(f"流程里没有规则表 {decision_id}，请联系管理员。") from None

    def elements(self) -> tuple[Element, ...]:
        """All flow nodes, inner ones of subprocesses included."""
        return tuple(self.graph.elements.values())

    def flows(self) -> tuple[Flow, ...]:
        """All sequence flows: what scenarios must cover."""
        return tuple(self.graph.flows.values())

    def rules(self) -> Mapping[str, tuple[Rule, ...]]:
        """Decision id → its rules: what scenarios must cover."""
        return {decision_id: decision.rules for decision_id, decision in self.decisions.items()}


def _seal(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, ensure_ascii=False, sort_keys=True).encode()).hexdigest()
