"""A rule table tried with values that somebody typed as JSON: exact numbers, days as texts, and a reason for whatever is refused."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, localcontext
from typing import Any

from workflows.engine.cells import Scalar
from workflows.engine.dmn import MANY, Decision, Input, Rule, matching
from workflows.engine.errors import EngineError, FactError, Problem
from workflows.engine.foreign import Verdict

_INPUT = "--input"
#: Digits of a number that somebody types, and places that an exponent may move them.
MAX_DIGITS = 60


class Refused(Exception):
    """No answer, and why."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("；".join(map(str, problems)))
        self.problems = problems


@dataclass(frozen=True)
class Answer:
    """What a table said.

    :param outputs: output → value; a list of such rows where the table collects; ``None`` when no rule applied, which DMN calls
        null.
    """

    decision: str
    outputs: dict[str, Scalar] | list[dict[str, Scalar]] | None
    rules: tuple[Rule, ...]

    def to_json(self, file: str) -> str:
        """One JSON object; numbers as exact as they stand in the table."""
        return _dumps(
            {
                "file": file,
                "decision": self.decision,
                "ok": True,
                "outputs": self.outputs,
                "rules": [
                    {
                        "id": rule.id,
                        "number": rule.number,
                        "citation": rule.citation,
                        "annotations": [one for one in (rule.note, *rule.annotations) if one],
                    }
                    for rule in self.rules
                ],
            }
        )


def read_facts(text: str) -> dict[str, Any]:
    """The values of a JSON object. Raises :class:`Refused` for anything else: a key twice, numbers without end."""
    try:
        facts = json.loads(
            text,
            parse_float=_number,
            parse_int=_number,
            parse_constant=_no_number,
            object_pairs_hook=_without_doubles,
        )
    except Refused:
        raise
    except (ValueError, RecursionError):
        raise Refused(
            Problem(_INPUT, "", '输入不是正确的 JSON；请写成 {"名称": 值, …}，文字加英文双引号')
        ) from None
    if not isinstance(facts, dict):
        raise Refused(Problem(_INPUT, "", '输入应当是一个 JSON 对象：{"名称": 值, …}'))
    return facts


def _number(text: str) -> int | Decimal:
    """A number as it is written. What nobody could count or write out is refused: ``1e999999999`` would be a gigabyte of digits."""
    mantissa, _, exponent = text.lower().partition("e")
    if len(mantissa) > MAX_DIGITS or len(exponent) > 3 or abs(int(exponent or 0)) > MAX_DIGITS:
        raise Refused(Problem(_INPUT, "", f"输入里的数 {text[:20]}… 太长；最多 {MAX_DIGITS} 位"))
    return int(text) if text.lstrip("-").isdigit() else Decimal(text)


def _no_number(word: str) -> None:
    raise Refused(Problem(_INPUT, "", f"输入里的 {word} 不是数；请写出具体的数"))


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        doubled = next(key for key, _ in pairs if [one for one, _ in pairs].count(key) > 1)
        raise Refused(Problem(_INPUT, doubled, f"输入里“{doubled}”写了两次；请只留一个"))
    return found


def try_table(verdict: Verdict, wanted: str, facts: Mapping[str, Any]) -> Answer:
    """Ask one table of an examined file.

    :param wanted: its id; empty when the file has one alone.
    :raises Refused: the file or the table is refused, or an input is missing or of another kind.
    """
    decision = _chosen(verdict, wanted)
    values = {column.fact: _value(verdict.file, decision, column, facts) for column in decision.inputs}
    try:
        matched = tuple(matching(decision, values))
    except (FactError, EngineError) as error:
        raise Refused(Problem(verdict.file, decision.id, error.message)) from None
    rows = [dict(rule.outputs) for rule in matched]
    if decision.aggregation:
        name = decision.outputs[0].name
        return Answer(
            decision.id, {name: _together(decision.aggregation, [row[name] for row in rows])}, matched
        )
    if decision.hit_policy in MANY:
        return Answer(decision.id, rows, matched)
    return Answer(decision.id, rows[0] if rows else None, matched)


def _together(aggregation: str, values: Sequence[Scalar]) -> Scalar:
    """One value of many; null when there is none, but for their number."""
    if aggregation == "COUNT":
        return len(values)
    numbers = [value for value in values if isinstance(value, int | Decimal)]
    if not numbers or len(numbers) != len(values):
        return None
    with localcontext(Context(prec=200, Emax=MAX_EMAX, Emin=MIN_EMIN)):
        return {"SUM": sum, "MIN": min, "MAX": max}[aggregation](numbers)  # type: ignore[no-any-return, operator]  # of numbers


def _chosen(verdict: Verdict, wanted: str) -> Decision:
    if verdict.kind != "dmn":
        raise Refused(
            *(verdict.problems or (Problem(verdict.file, "", f"{verdict.file} 不是 DMN 规则表文件"),))
        )
    # what is wrong with another table of the file does not matter to this one
    others = set(verdict.tables) - {wanted} if wanted and verdict.tables.count(wanted) == 1 else set()
    wrong = [one for one in verdict.problems if one.element not in others]
    if wrong:
        raise Refused(*wrong)
    known = {one.id: one for one in verdict.decisions}
    if not wanted and len(known) == 1:
        return next(iter(known.values()))
    if wanted not in known:
        names = "、".join(sorted(known)) or "（没有）"
        said = f"没有 id 为 {wanted} 的规则表" if wanted else "里有几张规则表，请用 --decision 写明是哪一张"
        raise Refused(Problem.at(verdict.file, "", f"{said}；现有：{names}"))
    return known[wanted]


def _value(file: str, decision: Decision, column: Input, facts: Mapping[str, Any]) -> Scalar:
    where = f"输入「{column.label}」（{column.fact}）"
    if column.fact not in facts:
        raise Refused(Problem(file, column.fact, f"{where}没有提供；请补上，没有值的写 null"))
    value = facts[column.fact]
    if column.type == "date" and isinstance(value, str):
        try:
            return date.fromisoformat(value if len(value) == 10 else "")
        except ValueError:
            raise Refused(Problem(file, column.fact, f"{where}应是日期，写成 2022-06-06 的样子")) from None
    if isinstance(value, dict | list):
        raise Refused(Problem(file, column.fact, f"{where}应是一个值，不能是列表或对象"))
    return value  # type: ignore[no-any-return]  # what JSON can hold besides; the table checks the type


def _dumps(content: Any) -> str:
    """JSON by hand where the library would round: numbers with decimals are written digit by digit."""
    if isinstance(content, dict):
        inner = ", ".join(
            f"{json.dumps(key, ensure_ascii=False)}: {_dumps(value)}" for key, value in content.items()
        )
        return f"{{{inner}}}"
    if isinstance(content, list):
        return f"[{', '.join(map(_dumps, content))}]"
    if isinstance(content, Decimal):
        return format(content, "f")
    if isinstance(content, date):
        return f'"{content.isoformat()}"'
    return json.dumps(content, ensure_ascii=False)
