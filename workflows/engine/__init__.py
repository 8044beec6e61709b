"""The engine room: the only place that knows SpiffWorkflow. Pure: bytes and texts in, bytes and texts out."""

from workflows.engine import runner
from workflows.engine.catalogue import lint, publish
from workflows.engine.definition import PublishedVersion
from workflows.engine.diagram import draw
from workflows.engine.dmn import Decided, Decision, Rule, decide
from workflows.engine.dmn_reading import read_decisions
from workflows.engine.errors import (
    EngineError,
    ExpressionError,
    FactError,
    NotReady,
    NotWaiting,
    Problem,
    RecallRefused,
)
from workflows.engine.foreign import Verdict, examine
from workflows.engine.graph import Element, Flow
from workflows.engine.package import ProcessPackage, load_package
from workflows.engine.runner import OpenMessage, OpenTask, OpenTimer, RunResult
from workflows.engine.scripting import Bindings
from workflows.engine.trying import Answer, Refused, read_facts, try_table
from workflows.engine.vocabulary import Argument, Signature, Vocabulary
from workflows.engine.xmltext import MAX_BYTES

__all__ = [
    "MAX_BYTES",
    "Answer",
    "Argument",
    "Bindings",
    "Decided",
    "Decision",
    "Element",
    "EngineError",
    "ExpressionError",
    "FactError",
    "Flow",
    "NotReady",
    "NotWaiting",
    "OpenMessage",
    "OpenTask",
    "OpenTimer",
    "Problem",
    "ProcessPackage",
    "PublishedVersion",
    "RecallRefused",
    "Refused",
    "Rule",
    "RunResult",
    "Signature",
    "Verdict",
    "Vocabulary",
    "decide",
    "draw",
    "examine",
    "lint",
    "load_package",
    "publish",
    "read_decisions",
    "read_facts",
    "runner",
    "try_table",
]
