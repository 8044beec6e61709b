from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from tests.unit.engine.tables import CITED, compiled, refused, table
from workflows.base.errors import Invalid
from workflows.engine import EngineError, FactError, decide
from workflows.engine.cells import CellError, Scalar, read_cell, read_constant, type_of

D = date


@pytest.mark.parametrize(
    ("kind", "text", "yes", "no"),
    [
        ("string", "-", ["", "x"], []),
        ("string", "  ", ["x"], []),
        ("string", '"甲"', ["甲"], ["乙", "甲 "]),
        ("string", '"甲","乙"', ["甲", "乙"], ["丙", "甲,乙"]),
        ("string", '"a\\"b", "c\\\\d"', ['a"b', "c\\d"], ["ab"]),
        ("string", 'not("甲", "乙")', ["丙"], ["甲", "乙"]),
        ("string", '"a,b"', ["a,b"], ["a", "b"]),
        ("string", "null", [None], ["x"]),
        ("string", 'null, "x"', [None, "x"], ["y"]),
        ("string", "not(null)", ["x"], [None]),
        ("string", 'not("x")', ["y", None], ["x"]),
        ("boolean", "true", [True], [False]),
        ("boolean", "not(true)", [False], [True]),
        ("boolean", "true, false", [True, False], []),
        ("number", "3", [3, Decimal("3.0")], [Decimal("3.1"), 2]),
        ("number", "-1.5", [Decimal("-1.5")], [1]),
        ("number", "< 3", [2, Decimal("2.99")], [3, 4, None]),
        ("number", "<= 3", [3], [Decimal("3.01")]),
        ("number", "> 3", [4], [3, None]),
        ("number", ">=4000", [4000], [3999]),
        ("number", "[1..10]", [1, 10, Decimal("5.5")], [0, 11]),
        ("number", "(1..10]", [10, 2], [1, 11]),
        ("number", "[1..10)", [1], [10]),
        ("number", "]1..10[", [5], [1, 10]),
        ("number", "[ 1.5 .. 2.5 ]", [2], [1]),
        ("number", "[-3..-1]", [-2], [0]),
        ("number", "[3..3]", [3], [2]),
        ("number", "1, 2, [5..6], > 9", [1, 2, 5, 10], [3, 9]),
        ("number", "not([1..10])", [0, 11], [1, 10]),
        # FEEL: the size of null is unknown, and so is its negation.
        ("number", "not(< 3)", [3], [2, None]),
        ("number", "not(< 3, null)", [3], [None]),
        ("integer", "> 3", [4], [3]),
        ("date", 'date("2022-06-06")', [D(2022, 6, 6)], [D(2022, 6, 7)]),
        ("date", '>= date("2022-06-06")', [D(2022, 6, 6)], [D(2022, 6, 5)]),
        ("date", '[date("2022-06-06")..date("2025-12-31")]', [D(2023, 1, 1)], [D(2026, 1, 1)]),
        ("date", '< date( "2022-06-06" )', [D(2022, 6, 5)], [D(2022, 6, 6)]),
    ],
)
def test_cells_mean_what_feel_says(kind: str, text: str, yes: list[Scalar], no: list[Scalar]) -> None:
    cell = read_cell(text, kind)  # type: ignore[arg-type]  # a parameter
    assert [fact for fact in yes if not cell.matches(fact)] == []
    assert [fact for fact in no if cell.matches(fact)] == []


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("string", "甲"),
        ("string", '"甲" "乙"'),
        ("string", '"甲",'),
        ("string", ',"甲"'),
        ("string", '"甲'),
        ("string", '"a\\n"'),
        ("string", '> "a"'),
        ("string", '["a".."b"]'),
        ("string", "3"),
        ("string", 'not "a"'),
        ("string", "not()"),
        ("string", "not"),
        ("string", 'not("a"'),
        ("string", 'not("a"), "b"'),
        ("string", 'not(not("a"))'),
        ("string", 'upper case("a")'),
        ("string", '? = "a"'),
        ("boolean", "True"),
        ("boolean", "trueish"),
        ("boolean", "< true"),
        ("number", "1..10"),
        ("number", "[1..]"),
        ("number", "[1 10]"),
        ("number", "[1..10"),
        ("number", "[10..1]"),
        ("number", "(3..3]"),
        ("number", ")1..3]"),
        ("number", "[1..3("),
        ("number", "< null"),
        ("number", "= 3"),
        ("number", "!= 3"),
        ("number", "3 + 1"),
        ("number", "1e5"),
        ("number", "1.2.3"),
        ("number", "3x"),
        ("number", "<"),
        ("number", "1 [2..3]"),
        ("number", "1" * 40),
        ("number", '"3"'),
        ("integer", "3.5"),
        ("date", '"2022-06-06"'),
        ("date", 'date("2022-6-6")'),
        ("date", 'date("2022-02-30")'),
        ("date", "2022-06-06"),
        ("date", "date(2022, 6, 6)"),
        ("date", "today()"),
    ],
)
def test_anything_else_in_a_cell_is_refused(kind: str, text: str) -> None:
    with pytest.raises(CellError) as caught:
        read_cell(text, kind)  # type: ignore[arg-type]  # a parameter
    assert str(caught.value)


def test_outputs_are_constants() -> None:
    assert read_constant('"甲"', "string") == "甲"
    assert read_constant("null", "string") is None
    assert read_constant("1.50", "number") == Decimal("1.50")
    assert read_constant('date("2026-01-01")', "date") == D(2026, 1, 1)
    for text in ("", "-", '"a","b"', "< 3", "result", "3", "甲"):
        with pytest.raises(CellError):
            read_constant(text, "string")
    assert type_of(None) is None


AGE = table(
    [("age", "integer"), ("kind", "string", '"company","farm"')],
    [
        (["< 3", "-"], ['"no"']),
        ([">= 3", '"company"'], ['"yes"']),
        ([">= 3", '"farm"'], ['"look"']),
    ],
    descriptions=[f"不足3人。{CITED}", CITED, "农场 依据: 说明第1条\n第2款"],
)


def test_a_decision_names_the_rule_that_fired_and_its_basis() -> None:
    decision = compiled(AGE)
    decided = decide(decision, {"age": 5, "kind": "farm", "other": "ignored"})
    assert decided.outputs == {"result": "look"}
    assert decided.row == {"result": "look"}
    assert decided.fired == ("r3",)
    assert decided.rules[0].citation == "说明第1条\n第2款"
    assert (decision.rules[0].note, decision.rules[0].citation) == (
        "不足3人",
        "吉人社联〔2022〕81号 二（六）",
    )
    assert [rule.number for rule in decision.rules] == [1, 2, 3]


@pytest.mark.parametrize(
    ("facts", "part"),
    [
        ({"kind": "farm"}, "没有提供"),
        ({"age": None, "kind": "farm"}, "是空的"),
        ({"age": "5", "kind": "farm"}, "应是整数"),
        ({"age": 5.0, "kind": "farm"}, "应是整数"),
        ({"age": True, "kind": "farm"}, "应是整数"),
        ({"age": Decimal("2.5"), "kind": "farm"}, "应是整数"),
        ({"age": 5, "kind": 3}, "应是文字"),
        ({"age": 5, "kind": "school"}, "允许的取值"),
    ],
)
def test_a_wrong_fact_is_an_error_never_a_silent_miss(facts: dict[str, Scalar], part: str) -> None:
    with pytest.raises(FactError, match=part) as caught:
        decide(compiled(AGE), facts)
    assert isinstance(caught.value, Invalid)


def test_a_datetime_is_no_date() -> None:
    decision = compiled(table([("day", "date")], [(["-"], ['"x"'])]))
    assert decide(decision, {"day": D(2026, 1, 1)}).row == {"result": "x"}
    with pytest.raises(FactError):
        decide(decision, {"day": datetime(2026, 1, 1, tzinfo=UTC)})


def test_null_comes_only_where_the_table_provides_for_it() -> None:
    decision = compiled(table([("kind", "string")], [(["null"], ['"ask"']), (["not(null)"], ['"ok"'])]))
    assert decide(decision, {"kind": None}).row == {"result": "ask"}
    assert decide(decision, {"kind": "x"}).row == {"result": "ok"}


def test_hit_policies() -> None:
    rows = [([">= 3"], ['"a"']), ([">= 5"], ['"b"'])]
    first = compiled(table([("n", "number")], rows, policy="FIRST"))
    assert decide(first, {"n": 9}).fired == ("r1",)
    collect = compiled(table([("n", "number")], rows, policy="COLLECT"))
    assert decide(collect, {"n": 9}).outputs == [{"result": "a"}, {"result": "b"}]
    assert decide(collect, {"n": 9}).fired == ("r1", "r2")
    assert decide(collect, {"n": 1}).outputs == []
    with pytest.raises(EngineError, match="一组结果"):
        _ = decide(collect, {"n": 9}).row
    same = compiled(table([("n", "number")], [([">= 3"], ['"a"']), ([">= 5"], ['"a"'])], policy="ANY"))
    assert decide(same, {"n": 9}).fired == ("r1", "r2")
    # The lint excludes these; whoever gets past it is stopped here.
    for policy, text in (("UNIQUE", "同时适用"), ("ANY", "同时适用")):
        with pytest.raises(EngineError, match=text):
            decide(compiled(table([("n", "number")], rows, policy=policy)), {"n": 9})
    with pytest.raises(EngineError, match="没有适用"):
        decide(first, {"n": 1})


GOOD = [(["true"], ['"a"']), (["false"], ['"b"'])]
ONE = [("flag", "boolean")]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (table(ONE, GOOD, policy="PRIORITY"), "PRIORITY"),
        (table(ONE, GOOD, policy="RULE ORDER"), "RULE ORDER"),
        (table(ONE, GOOD, policy="COLLECT", attributes=' aggregation="SUM"'), "SUM"),
        (table([("flag", "context")], GOOD), "typeRef"),
        (table([("flag", "")], GOOD), "typeRef"),
        (table([("flag.value", "boolean")], GOOD), "只是一个事实的名称"),
        (table([("count(rows)", "number")], [(["-"], ['"a"'])]), "只是一个事实的名称"),
        (table(ONE, GOOD, outputs=[("", "string")]), "输出列没有名称"),
        (table(ONE, GOOD, outputs=[("result", "any")]), "typeRef"),
        (table(ONE, [(["maybe"], ['"a"'])]), "第 1 条规则「flag」一格“maybe”"),
        (table(ONE, [(["true"], ["flag"])]), "第 1 条规则「result」一格“flag”"),
        (table(ONE, [(["true"], ['"c"'])], outputs=[("result", "string", '"a","b"')]), "允许的取值之内"),
        (table(ONE, [(["true", "-"], ['"a"'])]), "格数与列数不一致"),
        (table(ONE, [(["true"], [])]), "格数与列数不一致"),
        (table(ONE, GOOD, descriptions=["没有", CITED]), "第 1 条规则没有写依据"),
        (table(ONE, []), "至少要有"),
        (table([*ONE, *ONE], [(["-", "-"], ['"a"'])]), "有两列都叫 flag"),
        (table([("n", "number", "few")], [(["-"], ['"a"'])]), "inputValues"),
        (table(ONE, GOOD, identifier="Check 1"), "小写英文"),
        (table(ONE, GOOD, extra="<businessKnowledgeModel id='b'/>"), "businessKnowledgeModel"),
        (table(ONE, GOOD, extra_in_decision="<literalExpression/>"), "literalExpression"),
        (
            table(
                ONE,
                GOOD,
                extra_in_decision="<informationRequirement><requiredDecision href='#x'/></informationRequirement>",
            ),
            "另一张规则表",
        ),
        (table(ONE, GOOD, namespace="http://www.omg.org/spec/DMN/20130901"), "DMN 1.1"),
        (table(ONE, GOOD).replace("<decision ", "<decison ").replace("</decision>", "</decison>"), "decison"),
        (table(ONE, GOOD).replace('id="r2"', 'id="r1"'), "id 都是 r1"),
        (table(ONE, GOOD).replace('id="r2"', ""), "第 2 条规则没有 id"),
        (
            table(ONE, GOOD).replace('typeRef="boolean"', 'typeRef="boolean" expressionLanguage="x"'),
            "表达式语言",
        ),
        (table(ONE, GOOD).replace("<inputEntry>", '<inputEntry expressionLanguage="x">', 1), "表达式语言"),
        (table(ONE, GOOD).replace("</output>", "<defaultOutputEntry/></output>"), "默认值"),
        (table(ONE, GOOD).replace("</decisionTable>", "<relation/></decisionTable>"), "relation"),
        (table(ONE, GOOD).replace("decisionTable", "invocation"), "正好有一张规则表"),
        ('<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/"/>', "没有规则表"),
        ("<nothing/>", "DMN 1.1"),
        ("<definitions", "不是完整的 XML"),
        ('<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><definitions>&e;</definitions>', "DOCTYPE"),
    ],
)
def test_tables_that_would_be_read_differently_are_refused(text: str, part: str) -> None:
    assert part in refused(text)


def test_annotations_are_kept_and_may_carry_the_basis() -> None:
    text = (
        table(ONE, GOOD, descriptions=["说明", CITED])
        .replace("</rule>", "<annotationEntry><text>按通知。依据：第六条</text></annotationEntry></rule>", 1)
        .replace('<rule id="r1">', '<annotation name="依据"/><rule id="r1">')
    )
    decision = compiled(text)
    assert (decision.rules[0].note, decision.rules[0].citation) == ("按通知", "第六条")
    assert decision.rules[0].annotations == ("按通知。依据：第六条",)


def test_several_tables_and_harmless_parts_in_one_file() -> None:
    from workflows.engine.dmn_reading import read_decisions

    other = table(ONE, GOOD, identifier="second")
    for own in ('"t"', '"i0"', '"o0"', '"r1"', '"r2"'):
        other = other.replace(f"id={own}", f'id="second_{own[1:]}')
    inner = other[other.index("<decision ") : other.index("</definitions>")]
    decisions, problems = read_decisions(table(ONE, GOOD, extra=inner + "<inputData id='x'/>"), "check.dmn")
    assert not problems
    assert [decision.id for decision in decisions] == ["check", "second"]
