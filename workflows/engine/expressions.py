"""Expressions of diagrams: constants, comparisons, and/or/not, arithmetic, calls of named functions. Nothing else.

The default script engine of the library evaluates Python, and emptying ``__builtins__`` does not stop an attacker.
Here an expression is parsed, checked against a whitelist and compiled to closures: Python's ``eval`` never sees it.
There are no names besides those of functions, so data of a task cannot shadow anything.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import TypeAlias

from workflows.engine.errors import ExpressionError

#: Least and most arguments of a function; ``None``: any number.
Arity: TypeAlias = tuple[int, int | None]
Functions: TypeAlias = Mapping[str, Callable[..., object]]
_Closure: TypeAlias = Callable[[Functions], object]

MAX_LENGTH = 500
MAX_DEPTH = 20


class _Nested:
    """Stands for an argument that is itself a call: its value is known only when it runs."""

    def __repr__(self) -> str:
        return "…"


NESTED = _Nested()


@dataclass(frozen=True)
class Call:
    """A call found in an expression. An argument that is no constant is :data:`NESTED`."""

    name: str
    arguments: tuple[object, ...]


@dataclass(frozen=True)
class Comparison:
    """``call == constant``, or ``call in (constants)``: what the lint needs to know which outcomes are tested."""

    call: Call
    constants: tuple[object, ...]
    #: Whether the comparison is ``==`` or ``in`` (and not ``!=``, ``<`` …).
    equality: bool


@dataclass(frozen=True)
class Expression:
    """A checked expression.

    :param root: the outermost call, when the expression is nothing but a call.
    :param whole: the equality that is the whole expression, if it is one.
    :param boolean: whether its shape can only give true or false (a call may give anything).
    """

    text: str
    calls: tuple[Call, ...]
    comparisons: tuple[Comparison, ...]
    root: Call | None
    whole: Comparison | None
    boolean: bool
    #: Calls whose result is used as true or false inside and/or/not.
    truths: tuple[Call, ...]
    _run: _Closure

    def evaluate(self, functions: Functions) -> object:
        """Run it.

        :raises ExpressionError: a function is not bound, or values of different kinds are compared.
        """
        return self._run(functions)


def compile_expression(text: str, allowed: Mapping[str, Arity] | None = None) -> Expression:
    """Check and compile.

    :param allowed: function names with their arity; ``None`` leaves that check to the run (published text only).
    :raises ExpressionError: naming what is not allowed.
    """
    expression = _compiled(text)
    if allowed is not None:
        for call in expression.calls:
            _check_call(call, allowed)
    return expression


def _check_call(call: Call, allowed: Mapping[str, Arity]) -> None:
    if call.name not in allowed:
        raise ExpressionError(
            f"调用了不认识的函数 {call.name}，可以使用的函数是：{'、'.join(sorted(allowed))}"
        )
    least, most = allowed[call.name]
    given = len(call.arguments)
    if given < least or (most is not None and given > most):
        wanted = (
            f"{least} 个"
            if most == least
            else f"至少 {least} 个"
            if most is None
            else f"{least} 至 {most} 个"
        )
        raise ExpressionError(f"函数 {call.name} 应有 {wanted}参数，实际写了 {given} 个")


@lru_cache(maxsize=2048)
def _compiled(text: str) -> Expression:
    source = text.strip()
    if not source:
        raise ExpressionError("表达式是空的，请写明条件")
    if len(source) > MAX_LENGTH:
        raise ExpressionError(f"表达式超过 {MAX_LENGTH} 个字符，请拆分或改用规则表")
    try:
        tree = ast.parse(source, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ExpressionError("表达式不完整或有语法错误，请检查引号、括号和等号") from error
    compiler = _Compiler()
    run = compiler.build(tree, 0)
    root = compiler.call_of(tree)
    return Expression(
        text=source,
        calls=tuple(compiler.calls),
        comparisons=tuple(compiler.comparisons),
        root=root,
        whole=compiler.comparison_of(tree),
        boolean=isinstance(tree, ast.Compare | ast.BoolOp)
        or (isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.Not))
        or (isinstance(tree, ast.Constant) and isinstance(tree.value, bool)),
        truths=tuple(compiler.truths),
        _run=run,
    )


class _Compiler:
    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.comparisons: list[Comparison] = []
        self.truths: list[Call] = []
        self._by_node: dict[ast.AST, Call] = {}
        self._comparison_by_node: dict[ast.AST, Comparison] = {}

    def call_of(self, node: ast.AST) -> Call | None:
        return self._by_node.get(node)

    def comparison_of(self, node: ast.AST) -> Comparison | None:
        return self._comparison_by_node.get(node)

    def _note(self, node: ast.AST, call: Call, constants: tuple[object, ...], equality: bool) -> None:
        comparison = Comparison(call, constants, equality)
        self.comparisons.append(comparison)
        self._comparison_by_node[node] = comparison

    def build(self, node: ast.AST, depth: int) -> _Closure:
        if depth > MAX_DEPTH:
            raise ExpressionError("表达式嵌套太深，请拆分或改用规则表")
        match node:
            case ast.Constant():
                return self._constant(node)
            case ast.Call():
                return self._call(node, depth)
            case ast.Compare():
                return self._compare(node, depth)
            case ast.BoolOp():
                return self._bool(node, depth)
            case ast.UnaryOp(op=ast.Not()):
                operand = self._truth(node.operand, depth)
                return lambda functions: not _truth(operand(functions))
            case ast.UnaryOp(op=ast.USub()):
                operand = self.build(node.operand, depth + 1)
                return lambda functions: -_number(operand(functions))
            case ast.BinOp():
                return self._arithmetic(node, depth)
            case ast.Name():
                raise ExpressionError(
                    f"使用了名称 {node.id}：条件只能写常量和函数调用，不能直接读取数据；"
                    '请改为函数，例如 outcome("步骤") 或 answer("步骤", "栏目")，文字要加引号'
                )
        raise ExpressionError(
            f"使用了不允许的写法（{_KINDS.get(type(node).__name__, type(node).__name__)}）："
            "只能写常量、比较、and/or/not、加减乘除和函数调用"
        )

    def _truth(self, node: ast.AST, depth: int) -> _Closure:
        closure = self.build(node, depth + 1)
        call = self.call_of(node)
        if call is not None:
            self.truths.append(call)
        return closure

    def _constant(self, node: ast.Constant) -> _Closure:
        value = node.value
        if value is not None and not isinstance(value, str | bool | int):
            raise ExpressionError("常量只能是文字、整数、True、False 或 None，不能是小数")
        return lambda functions: value

    def _call(self, node: ast.Call, depth: int) -> _Closure:
        if not isinstance(node.func, ast.Name):
            raise ExpressionError("只能按名称调用函数，不能调用属性或表达式的结果")
        if node.keywords or any(isinstance(argument, ast.Starred) for argument in node.args):
            raise ExpressionError(f"函数 {node.func.id} 的参数请依次写出，不要写参数名或星号")
        name = node.func.id
        arguments: list[_Closure] = []
        known: list[object] = []
        for argument in node.args:
            if not isinstance(argument, ast.Constant | ast.Call | ast.UnaryOp):
                self.build(argument, depth + 1)
                raise ExpressionError(f"函数 {name} 的参数只能是常量或另一个函数调用")
            closure = self.build(argument, depth + 1)
            arguments.append(closure)
            known.append(argument.value if isinstance(argument, ast.Constant) else NESTED)
        call = Call(name, tuple(known))
        self.calls.append(call)
        self._by_node[node] = call

        def run(functions: Functions) -> object:
            try:
                function = functions[name]
            except KeyError:
                raise ExpressionError(f"函数 {name} 没有实现，流程不能继续，请联系管理员") from None
            return function(*[argument(functions) for argument in arguments])

        return run

    def _compare(self, node: ast.Compare, depth: int) -> _Closure:
        if len(node.ops) > 1:
            raise ExpressionError("不能连写比较（如 1 < x < 3），请用 and 分开写")
        operator = node.ops[0]
        left, right = node.left, node.comparators[0]
        first = self.build(left, depth + 1)
        call = self.call_of(left)
        if isinstance(operator, ast.In | ast.NotIn):
            values = self._members(right)
            wanted = isinstance(operator, ast.In)
            if call is not None:
                self._note(node, call, values, wanted)
            return lambda functions: _member(first(functions), values) is wanted
        test = _COMPARE.get(type(operator))
        if test is None:
            raise ExpressionError("不能用 is 比较，请写 == 或 !=")
        second = self.build(right, depth + 1)
        constants = [part.value for part in (left, right) if isinstance(part, ast.Constant)]
        called = call or self.call_of(right)
        if called is not None and len(constants) == 1:
            self._note(node, called, tuple(constants), isinstance(operator, ast.Eq))
        return lambda functions: test(first(functions), second(functions))

    def _members(self, node: ast.AST) -> tuple[object, ...]:
        if not isinstance(node, ast.Tuple | ast.List) or not node.elts:
            raise ExpressionError('in 的右边请写括号里的一组常量，例如 in ("agree", "refuse")')
        values: list[object] = []
        for element in node.elts:
            if not isinstance(element, ast.Constant):
                raise ExpressionError("in 的右边只能写常量")
            self._constant(element)
            values.append(element.value)
        return tuple(values)

    def _bool(self, node: ast.BoolOp, depth: int) -> _Closure:
        operands = [self._truth(value, depth) for value in node.values]
        if isinstance(node.op, ast.And):
            return lambda functions: all(_truth(operand(functions)) for operand in operands)
        return lambda functions: any(_truth(operand(functions)) for operand in operands)

    def _arithmetic(self, node: ast.BinOp, depth: int) -> _Closure:
        apply = _ARITHMETIC.get(type(node.op))
        if apply is None:
            raise ExpressionError("只能用加、减、乘、除、整除和取余，不能用乘方等其他运算")
        for part in (node.left, node.right):
            if isinstance(part, ast.Constant) and not isinstance(part.value, int):
                raise ExpressionError("加减乘除的两边必须是数，不能是文字")
        left, right = self.build(node.left, depth + 1), self.build(node.right, depth + 1)

        def run(functions: Functions) -> object:
            first, second = _number(left(functions)), _number(right(functions))
            try:
                return apply(first, second)
            except ArithmeticError as error:
                raise ExpressionError("表达式里除以了零，流程不能继续，请联系管理员") from error

        return run


_KINDS = {
    "Attribute": "属性",
    "Subscript": "下标",
    "Lambda": "匿名函数",
    "ListComp": "推导式",
    "SetComp": "推导式",
    "DictComp": "推导式",
    "GeneratorExp": "推导式",
    "IfExp": "条件表达式",
    "JoinedStr": "格式化文字",
    "NamedExpr": "赋值",
    "Tuple": "元组",
    "List": "列表",
    "Dict": "字典",
    "Await": "异步",
}


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return "是或否"
    if isinstance(value, int | Decimal):
        return "数"
    if isinstance(value, str):
        return "文字"
    if isinstance(value, datetime):
        return "时刻"
    if isinstance(value, date):
        return "日期"
    raise ExpressionError(f"条件里的函数给出了不能比较的值（{type(value).__name__}），请联系管理员")


def _same_kind(first: object, second: object) -> None:
    """A comparison of different kinds would silently be false: a wrong answer is worse than a refusal."""
    if first is None or second is None:
        return
    if _kind(first) != _kind(second):
        raise ExpressionError(f"条件拿{_kind(first)}同{_kind(second)}比较，流程不能继续，请联系管理员")


def _equal(first: object, second: object) -> bool:
    _same_kind(first, second)
    return first == second


def _ordered(compare: Callable[[object, object], bool]) -> Callable[[object, object], bool]:
    def test(first: object, second: object) -> bool:
        if first is None or second is None:
            raise ExpressionError("条件拿空值比较大小，流程不能继续，请联系管理员")
        _same_kind(first, second)
        try:
            return compare(first, second)
        except TypeError as error:
            raise ExpressionError("条件比较了带时区和不带时区的时刻，流程不能继续，请联系管理员") from error

    return test


def _member(value: object, values: tuple[object, ...]) -> bool:
    # Every member is checked for its kind before one of them answers.
    results = [_equal(value, candidate) for candidate in values]
    return True in results


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise ExpressionError("and、or、not 的两边必须是“是或否”，请写成比较，例如 == 0；流程不能继续")
    return value


def _number(value: object) -> int | Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ExpressionError("加减乘除的两边必须是数，流程不能继续，请联系管理员")
    return value


_COMPARE: dict[type[ast.cmpop], Callable[[object, object], bool]] = {
    ast.Eq: _equal,
    ast.NotEq: lambda first, second: not _equal(first, second),
    ast.Lt: _ordered(lambda first, second: first < second),  # type: ignore[operator]  # kinds are checked
    ast.LtE: _ordered(lambda first, second: first <= second),  # type: ignore[operator]  # kinds are checked
    ast.Gt: _ordered(lambda first, second: first > second),  # type: ignore[operator]  # kinds are checked
    ast.GtE: _ordered(lambda first, second: first >= second),  # type: ignore[operator]  # kinds are checked
}

_ARITHMETIC: dict[type[ast.operator], Callable[[int | Decimal, int | Decimal], object]] = {
    ast.Add: lambda first, second: first + second,
    ast.Sub: lambda first, second: first - second,
    ast.Mult: lambda first, second: first * second,
    # No floats anywhere: a quotient is decimal.
    ast.Div: lambda first, second: Decimal(first) / Decimal(second),
    ast.FloorDiv: lambda first, second: first // second,
    ast.Mod: lambda first, second: first % second,
}
