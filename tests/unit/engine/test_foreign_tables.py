"""Tables that others made: accepted and then answered as DMN says, or refused with the reason."""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Sequence
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.engine.foreign import PLAIN, diagram, gateways, judged, reasons
from tests.unit.engine.tables import table
from tests.unit.engine.test_robustness import TABLE, mutate
from workflows.cases.vocabulary import VOCABULARY
from workflows.engine import Answer, Refused, examine, read_facts, try_table

plain = table([("n", "number")], [(["-"], ['"a"'])])


def asked(text: str, facts: dict[str, Any], decision: str = "") -> Answer:
    return try_table(judged(text, "theirs.dmn"), decision, facts)


def test_names_types_and_ids_of_others() -> None:
    text = table(
        [("Applicant Age", "tAge"), ("Risk/Class", "string")],
        [(["<18", "-"], ['"Declined"']), ([">=18", '"High"'], ['"Refer"'])],
        outputs=[("Approved/Declined", "feel:string")],
        descriptions=["", ""],
        extra='<itemDefinition name="tAge"><typeRef>number</typeRef><allowedValues><text>[0..150]</text></allowedValues>'
        '</itemDefinition><inputData id="i" name="Risk/Class"><variable name="Risk/Class" typeRef="string"/></inputData>'
        "<extensionElements/>",
        identifier="_1f-2",
    )
    answer = asked(text, {"Applicant Age": 17, "Risk/Class": None})
    assert (answer.outputs, [rule.number for rule in answer.rules]) == (
        {"Approved/Declined": "Declined"},
        [1],
    )
    none = asked(text, {"Applicant Age": 20, "Risk/Class": "Low"})
    assert (none.outputs, none.rules) == (None, ())
    notes = judged(text, "theirs.dmn").notes
    assert ["没有规则适用于" in str(one) for one in notes] == [True]
    with pytest.raises(Refused, match="允许的取值"):
        asked(text, {"Applicant Age": 151, "Risk/Class": "Low"})


ROWS = [(["<10"], ["3", '"b"']), (["[5..20]"], ["1", '"a"']), (["-"], ["2", '"b"'])]


@pytest.mark.parametrize(
    ("policy", "n", "numbers"),
    [
        ("FIRST", 7, [3]),
        ("RULE ORDER", 7, [3, 1, 2]),
        ("OUTPUT ORDER", 7, [1, 2, 3]),
        ("PRIORITY", 7, [1]),
        ("PRIORITY", 30, [2]),
        ("COLLECT", 30, [2]),
    ],
)
def test_every_hit_policy_says_what_dmn_says(policy: str, n: int, numbers: list[int]) -> None:
    text = table(
        [("n", "number")], ROWS, outputs=[("rank", "number", "1,2,3"), ("name", "string")], policy=policy
    )
    outputs = asked(text, {"n": n}).outputs
    rows = outputs if isinstance(outputs, list) else [outputs]
    assert [row and row["rank"] for row in rows] == numbers


@pytest.mark.parametrize(
    ("aggregation", "n", "value"),
    [
        ("SUM", 7, Decimal("6.5")),
        ("MIN", 7, 1),
        ("MAX", 7, Decimal("3.5")),
        ("COUNT", 7, 3),
        ("COUNT", 99, 0),
        ("SUM", 99, None),
    ],
)
def test_collected_numbers_are_taken_together(aggregation: str, n: int, value: object) -> None:
    rows = [(["<10"], ["3.5"]), (["[5..20]"], ["1"]), (["<50"], ["2"])]
    text = table(
        [("n", "number")],
        rows,
        outputs=[("total", "number")],
        policy="COLLECT",
        attributes=f' aggregation="{aggregation}"',
    )
    answer = asked(text, {"n": n})
    assert answer.outputs == {"total": value}
    assert json.loads(answer.to_json("x"))["outputs"] == {
        "total": value if value is None else float(str(value))
    }


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (table([("n", "number")], [(["<5"], ['"a"']), (["<9"], ['"b"'])]), "同时适用于"),
        (table([("n", "number")], [(["<5"], ['"a"']), (["<9"], ['"b"'])], policy="ANY"), "同时适用于"),
        (table([("n", "number")], [(["-"], ['"a"'])], policy="MAJORITY"), "命中方式"),
        (table([("n", "number")], [(["-"], ['"a"'])], policy="PRIORITY"), "outputValues"),
        (
            table([("n", "number")], [(["-"], ['"a"'])], policy="COLLECT", attributes=' aggregation="SUM"'),
            "不是数",
        ),
        (
            table([("n", "number")], [(["-"], ['"a"'])], policy="FIRST", attributes=' aggregation="SUM"'),
            "COLLECT",
        ),
        (
            table(
                [("n", "number")],
                [(["-"], ["1"])],
                outputs=[("r", "number")],
                policy="COLLECT",
                attributes=' aggregation="SUM"',
                namespace="http://www.omg.org/spec/DMN/20151101/dmn.xsd",
            ),
            "DMN 1.1",
        ),
        (table([("a and b", "boolean")], [(["-"], ['"a"'])]), "不能是计算式"),
        (table([("n + 1", "number")], [(["-"], ['"a"'])]), "不能是计算式"),
        (
            table(
                [("n", "tList")],
                [(["-"], ['"a"'])],
                extra='<itemDefinition name="tList" isCollection="true"/>',
            ),
            "类型",
        ),
        (
            table(
                [("n", "t")],
                [(["-"], ['"a"'])],
                extra='<itemDefinition name="t"><typeRef>t</typeRef></itemDefinition>',
            ),
            "类型",
        ),
        (table([("n", "number")], [(["? > 5"], ['"a"'])]), "写法不对"),
        (table([("n", "number")], [(["5 + 1"], ['"a"'])]), "写法不对"),
        (table([("n", "string")], [(["abc"], ['"a"'])]), "写法不对"),
        (table([("n", "string")], [(['< "b"'], ['"a"'])]), "写法不对"),
        (table([("n", "number")], [(["-"], ["n * 2"])], outputs=[("r", "number")]), "写法不对"),
        (table([("n", "number")], [(["-", "-"], ['"a"'])]), "格数"),
        (
            table([("n", "number")], [(["-"], ['"a"'])], extra='<businessKnowledgeModel id="b" name="b"/>'),
            "不执行",
        ),
        (
            table(
                [("n", "number")],
                [(["-"], ['"a"'])],
                extra_in_decision='<informationRequirement><requiredDecision href="#o"/></informationRequirement>',
            ),
            "另一张规则表",
        ),
        (
            table([("n", "number")], [(["-"], ['"a"'])]).replace(
                "<definitions ", '<definitions expressionLanguage="http://www.jcp.org/en/jsr/detail?id=245" '
            ),
            "语言",
        ),
        (table([("n", "number")], [(["-"], ['"a"'])] * 3_100, policy="FIRST"), "太大"),
        # what is read nowhere, or could be read in two ways
        (plain.replace("hitPolicy=", "hitpolicy="), "属性 hitpolicy"),
        (plain.replace("<text>-</text>", "<text>-</text><text>&lt; 5</text>"), "2 个 text"),
        (plain.replace("<text>-</text>", "- or not"), "没有 text"),
        (plain.replace("<text>-</text>", "<text>-</text>5"), "不在任何格子里"),
        (plain.replace("<text>-</text>", "<text>-<b>5</b></text>"), "不读取的内容"),
        (plain.replace("<inputEntry>", '<inputEntry expressionLanguage="juel">'), "表达式语言"),
        (plain.replace("<outputEntry>", '<outputEntry expressionLanguage="juel">'), "表达式语言"),
        (plain.replace("<inputEntry>", '<inputEntry xmlns:x="urn:x"><x:y/>'), "其他软件"),
        (plain.replace("inputExpression ", 'inputExpression expressionLanguage="juel" '), "表达式语言"),
        (plain.replace("</inputExpression>", "<importedValues/></inputExpression>"), "importedValues"),
        (plain.replace('<rule id="r1">', '<rule id="t">'), "不止一次"),
        (plain.replace("<outputEntry>", '<outputEntry typeRef="number">'), "互不相同"),
        (
            table(
                [("n", "number")],
                [(["-"], ['"a"'])],
                extra_in_decision='<variable name="v" typeRef="boolean"/>',
            ),
            "互不相同",
        ),
        (
            table(
                [("n", "number")],
                [(["-"], ['"a"', '"b"'])],
                outputs=[("a", "string"), ("b", "string")],
                extra_in_decision='<variable name="v" typeRef="string"/>',
            ),
            "结果却写成一个值",
        ),
        (
            table(
                [("n", "number")],
                [(["-"], ['"a"'])],
                extra='<inputData id="i" name="n"><variable name="n" typeRef="string"/></inputData>',
            ),
            "互不相同",
        ),
        (
            table(
                [("n", "t", "[0..9]")],
                [(["-"], ['"a"'])],
                extra='<itemDefinition name="t"><typeRef>number</typeRef><allowedValues><text>[0..5]</text></allowedValues>'
                "</itemDefinition>",
            ),
            "互不相同",
        ),
        (
            table(
                [("n", "t")],
                [(["-"], ['"a"'])],
                extra='<itemDefinition name="t"><typeRef>number</typeRef></itemDefinition>' * 2,
            ),
            "类型",
        ),
        (
            table(
                [("n", "number")],
                [(["-"], ['"a"'])],
                extra_in_decision='<informationRequirement><requiredInput href="#nobody"/></informationRequirement>',
            ),
            "不在这个文件里",
        ),
    ],
)
def test_tables_that_mean_something_else_are_refused(text: str, part: str) -> None:
    assert part in reasons(text, "theirs.dmn")
    with pytest.raises(Refused):
        asked(text, {"n": 1})


@pytest.mark.parametrize("cells", ["[{0}..{1})", "{0}", "not({0})"])
def test_a_table_of_thousands_of_rules_is_judged_in_seconds(cells: str) -> None:
    rows = [([cells.format(n, n + 1)], ['"a"']) for n in range(1_900)]
    began = time.process_time()
    verdict = judged(table([("n", "number")], rows), "theirs.dmn")
    assert verdict.accepted == ("not" not in cells)
    assert time.process_time() - began < 15  # by each value against each rule it was minutes


def renamed(text: str, identifier: str) -> str:
    """The same table under ids of its own."""
    return re.sub(
        r'(?<= id=")(?:check|[itor]\d*)(?=")', lambda found: f"{identifier}_{found[0]}", text
    ).replace(f'"{identifier}_check"', f'"{identifier}"')


def test_one_table_of_several_is_asked_by_its_id() -> None:
    good = table([("n", "number")], [(["-"], ['"a"'])])
    other = renamed(good, "other")
    broken = renamed(good, "broken").replace('hitPolicy="UNIQUE"', 'hitPolicy="NONE"')
    inner = [text[text.index("<decision ") : text.index("</definitions>")] for text in (good, other, broken)]
    text = good[: good.index("<decision ")] + "".join(inner) + "</definitions>"
    assert asked(text, {"n": 1}, "other").decision == "other"
    for wanted in ("", "broken", "nobody"):
        with pytest.raises(Refused):
            asked(text, {"n": 1}, wanted)
    two = good[: good.index("<decision ")] + "".join(inner[:2]) + "</definitions>"
    with pytest.raises(Refused, match="--decision"):
        asked(two, {"n": 1})
    with pytest.raises(Refused, match="不是 DMN"):
        try_table(judged(diagram(PLAIN)), "", {})


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "JSON"),
        ("[1]", "对象"),
        ('{"n": NaN}', "不是数"),
        ('{"n": Infinity}', "不是数"),
        ('{"n": 1, "n": 2}', "两次"),
        ("[" * 100_000, "JSON"),
        ('{"n": ' + "9" * 5_000 + "}", "太长"),
        ('{"n": 1e999}', "太长"),
        ('{"n": 1e-99999999999999999999999}', "太长"),
        ('{"n": -0.' + "1" * 60 + "}", "太长"),
    ],
)
def test_inputs_that_are_no_values_are_refused(text: str, part: str) -> None:
    with pytest.raises(Refused, match=part):
        read_facts(text)


@pytest.mark.parametrize(
    ("value", "part"),
    [('"7"', "别的类型"), ("true", "别的类型"), ("[7]", "不能是列表"), ("{}", "不能是列表")],
)
def test_a_value_of_another_type_is_refused_with_its_name(value: str, part: str) -> None:
    text = table([("n", "number")], [(["-"], ['"a"'])])
    with pytest.raises(Refused, match=part):
        asked(text, read_facts(f'{{"n": {value}}}'))
    with pytest.raises(Refused, match="没有提供"):
        asked(text, {})


def test_days_and_numbers_are_exact() -> None:
    text = table(
        [("d", "date"), ("n", "number")],
        [(['>= date("2022-06-06")', "0.1"], ["0.30000000000000000004"]), (["-", "-"], ["1"])],
        outputs=[("r", "number")],
        policy="FIRST",
    )
    answer = asked(text, read_facts('{"d": "2022-06-06", "n": 0.1}'))
    assert '"outputs": {"r": 0.30000000000000000004}' in answer.to_json("x")
    assert asked(text, read_facts('{"d": "2022-06-05", "n": 0.1}')).outputs == {"r": 1}
    with pytest.raises(Refused, match="应是日期"):
        asked(text, read_facts('{"d": "6 June", "n": 0.1}'))


_NUMBERS = st.integers(-3, 8)


@st.composite
def _number_cell(draw: st.DrawFn) -> tuple[str, Any]:
    low = draw(_NUMBERS)
    high = draw(st.integers(low + 1, 10))
    kind = draw(st.sampled_from(["any", "one", "less", "more", "range", "either", "not"]))
    opening, closing = draw(st.sampled_from("[(]")), draw(st.sampled_from("])["))
    return {
        "any": ("-", lambda n: True),
        "one": (str(low), lambda n: n == low),
        "less": (f"<= {high}", lambda n: n is not None and n <= high),
        "more": (f">{low}", lambda n: n is not None and n > low),
        "range": (
            f"{opening}{low}..{high}{closing}",
            lambda n: (
                n is not None
                and (n >= low if opening == "[" else n > low)
                and (n <= high if closing == "]" else n < high)
            ),
        ),
        "either": (f"{low},{high}", lambda n: n in (low, high)),
        "not": (f"not({low},{high})", lambda n: (n is not None and n not in (low, high)) or n is None),
    }[kind]


@st.composite
def _word_cell(draw: st.DrawFn) -> tuple[str, Any]:
    words = draw(st.lists(st.sampled_from(["甲", "乙", '丙 \\"丁\\"']), min_size=1, max_size=2, unique=True))
    plain = [word.replace('\\"', '"') for word in words]
    text = ",".join(f'"{word}"' for word in words)
    return draw(
        st.sampled_from(
            [("-", lambda w: True), (text, lambda w: w in plain), (f"not({text})", lambda w: w not in plain)]
        )
    )


@given(
    rows=st.lists(st.tuples(_number_cell(), _word_cell(), st.integers(1, 5)), min_size=1, max_size=5),
    policy=st.sampled_from(["UNIQUE", "FIRST", "ANY", "COLLECT", "RULE ORDER", "OUTPUT ORDER", "PRIORITY"]),
    facts=st.lists(
        st.tuples(st.none() | _NUMBERS, st.none() | st.sampled_from(["甲", "乙", '丙 "丁"', "别的"])),
        min_size=5,
        max_size=5,
    ),
)
@settings(max_examples=150)
def test_tables_answer_as_an_oracle_does(
    rows: Sequence[Any], policy: str, facts: Sequence[tuple[int | None, str | None]]
) -> None:
    text = table(
        [("n", "number"), ("w", "string")],
        [([number[0], word[0]], [str(rank)]) for number, word, rank in rows],
        outputs=[("r", "number", "5,4,3,2,1")],
        policy=policy,
    )
    verdict = judged(text, "theirs.dmn")
    for n, w in facts:
        hits = [rank for number, word, rank in rows if number[1](n) and word[1](w)]
        if not verdict.accepted:
            continue
        if policy in ("UNIQUE", "ANY"):
            assert len(hits) <= 1 or (policy == "ANY" and len(set(hits)) == 1)
        expected: Any = {
            "FIRST": hits[:1],
            "COLLECT": hits,
            "RULE ORDER": hits,
            "OUTPUT ORDER": sorted(hits, reverse=True),
            "PRIORITY": sorted(hits, reverse=True)[:1],
        }.get(policy, hits[:1])
        outputs = try_table(verdict, "", {"n": n, "w": w}).outputs
        found = outputs if isinstance(outputs, list) else [outputs] if outputs else []
        assert [row["r"] for row in found] == expected, (text, n, w)


@given(seed=st.integers(0, 2**32), times=st.integers(1, 6))
@settings(max_examples=150)
def test_whatever_a_file_holds_it_is_accepted_or_refused(seed: int, times: int) -> None:
    chance = random.Random(seed)
    name, text = chance.choice(
        [
            ("theirs.dmn", TABLE),
            ("theirs.bpmn", diagram(gateways("parallelGateway"))),
            ("theirs.bpmn", diagram(PLAIN)),
        ]
    )
    content = mutate(text, seed, times).encode("utf-8", "surrogatepass")
    if chance.random() < 0.3:
        cut = chance.randrange(len(content) + 1)
        content = (
            content[:cut] + bytes(chance.randrange(256) for _ in range(chance.randrange(4))) + content[cut:]
        )
    verdict = examine(content, name, VOCABULARY)
    assert verdict.accepted or all(one.message_zh for one in verdict.problems)
    with suppress(Refused):
        assert try_table(verdict, "", {"n": 1, "k": "a", "d": None}).decision
