"""The script engine that the library is given: expressions from the whitelist, named operations, nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NoReturn

from SpiffWorkflow.bpmn.script_engine.python_engine import PythonScriptEngine
from SpiffWorkflow.bpmn.script_engine.python_environment import BasePythonScriptEngineEnvironment

from workflows.engine.errors import EngineError, ExpressionError
from workflows.engine.expressions import compile_expression

_NO_CODE = "流程图试图执行代码，已拒绝"
_NO_SERVICE = "流程图试图调用未登记的服务，已拒绝"


def _no_decision(decision: str) -> None:
    raise EngineError(f"规则表 {decision} 没有接入，流程不能继续，请联系管理员")


@dataclass(frozen=True)
class Bindings:
    """What the names of a diagram mean in one action. Errors they raise reach the caller as they are.

    :param functions: called with positional constants; they read rows, never the engine's data.
    :param operations: called with keyword texts; they do their work in the action's transaction.
    :param evaluate: runs a decision table on the facts of the case and stores what fired.
    """

    functions: Mapping[str, Callable[..., object]] = field(default_factory=dict)
    operations: Mapping[str, Callable[..., object]] = field(default_factory=dict)
    evaluate: Callable[[str], object] = _no_decision


class _Nothing(BasePythonScriptEngineEnvironment):  # type: ignore[misc]  # the library is untyped
    """An environment that refuses: whatever in the library evaluates past our engine ends here."""

    def evaluate(self, expression: str, context: Any, external_context: Any = None) -> NoReturn:
        raise ExpressionError("流程图试图执行未经检查的表达式，已拒绝")

    def execute(self, script: str, context: Any, external_context: Any = None) -> NoReturn:
        raise ExpressionError(_NO_CODE)

    def call_service(self, context: Any, **kwargs: Any) -> NoReturn:
        raise ExpressionError(_NO_SERVICE)


class BoundEngine(PythonScriptEngine):  # type: ignore[misc]  # the library is untyped
    """The bindings of one action, as the library's script engine. Must be set after every load."""

    def __init__(self, bindings: Bindings | None = None) -> None:
        super().__init__(_Nothing())
        self.bindings = bindings or Bindings()

    def validate(self, expression: str) -> None:
        compile_expression(expression)

    def evaluate(self, task: Any, expression: str, external_context: Any = None) -> bool:
        """A condition. The data of the task is not looked at.

        :raises ExpressionError: it gives anything but true or false.
        """
        result = compile_expression(expression).evaluate(self.bindings.functions)
        if not isinstance(result, bool):
            raise ExpressionError(f"条件 {expression} 的结果不是“是或否”，流程不能继续，请联系管理员")
        return result

    def execute(self, task: Any, script: str, external_context: Any = None) -> NoReturn:
        raise ExpressionError(_NO_CODE)

    def call_service(self, task: Any, **kwargs: Any) -> NoReturn:
        raise ExpressionError(_NO_SERVICE)

    def instant(self, task: Any, expression: str) -> datetime:
        """The end of a timer.

        :raises ExpressionError: it gives anything but an aware datetime (``None`` and naive times included).
        """
        result = compile_expression(expression).evaluate(self.bindings.functions)
        if not isinstance(result, datetime) or result.tzinfo is None:
            raise ExpressionError(f"计时 {expression} 没有给出带时区的时刻，流程不能继续，请联系管理员")
        return result

    def effect(self, kind: str, name: str, arguments: Mapping[str, str]) -> None:
        """Run an operation or a decision; its own exception goes through untouched."""
        if kind == "decision":
            self.bindings.evaluate(name)
            return
        operation = self.bindings.operations.get(name)
        if operation is None:
            raise EngineError(f"操作 {name} 没有接入，流程不能继续，请联系管理员")
        operation(**arguments)
