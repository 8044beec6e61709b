"""What is computed of a roster's row: terms, ages and the bounds on which a person's right hangs."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any, cast

import pytest

from workflows.base.errors import CatalogueError
from workflows.cases.facts import CaseView, fact_title, show_fact, storable
from workflows.cases.model import Case
from workflows.cases.package import parse_config
from workflows.cases.process import Process
from workflows.cases.row_facts import RowInput, age_on, apply_row_rules, case_inputs, months_between

RECOGNITION = Path(__file__).resolve().parents[3] / "bpmn/workshop_recognition/process.yaml"


def day(text: str) -> date:
    return date.fromisoformat(text)


@pytest.mark.parametrize(
    ("start", "end", "months"),
    [
        ("2026-03-01", "2026-05-31", 3),
        ("2026-03-01", "2026-05-30", 2),
        ("2026-03-15", "2026-06-14", 3),
        ("2026-03-15", "2026-06-13", 2),
        ("2025-11-30", "2026-02-28", 3),  # February has no 30th: its last day is the day (民法典 202)
        ("2025-11-30", "2026-02-27", 2),
        ("2025-12-01", "2026-02-28", 3),
        ("2026-03-01", "2026-03-01", 0),
        ("2026-03-02", "2026-03-01", None),
    ],
)
def test_a_term_counts_whole_months_with_both_days(start: str, end: str, months: int | None) -> None:
    assert months_between(day(start), day(end)) == months


def test_a_term_without_an_end_has_no_months() -> None:
    assert months_between(day("2026-03-01"), None) is None
    assert months_between(None, day("2026-03-01")) is None


@pytest.mark.parametrize(
    ("on", "age"), [("2026-03-01", 59), ("2026-03-02", 60), ("2026-12-31", 60), ("1966-03-02", 0)]
)
def test_an_age_changes_on_the_birthday(on: str, age: int) -> None:
    assert age_on("220822196603021234", day(on)) == age


def test_nobody_and_no_day_have_no_age() -> None:
    assert age_on(None, day("2026-03-02")) is None
    assert age_on("220822196603021234", None) is None


def process(**config: Any) -> Process:
    """A process of which only process.yaml matters."""
    return Process(1, "trial", 1, "试办", config, cast(Any, None), {}, {}, {}, None)


def view_of(described: Process, **typed: Any) -> CaseView:
    case = Case(rules={"parameters": {"cap": {"value": 300_000}}, "basis": None}, county_code="220822")
    return CaseView(cast(Any, None), case, described, {"application": typed})


def test_a_process_without_row_rules_says_nothing_of_its_rows() -> None:
    described = process()
    (outcome,) = apply_row_rules(described, view_of(described), [RowInput({"name": "王㛃"}, 1)])
    assert (outcome.result, outcome.facts, outcome.fired) == ("", {}, [])


def test_a_source_that_nobody_knows_is_said_to_the_author() -> None:
    described = process(
        facts={"odd": {"title": "怪", "from": "horoscope"}},
        row_facts={"odd": {"title": "怪", "from": "horoscope"}},
        row_result={"decision": "d", "output": "result"},
    )
    with pytest.raises(CatalogueError, match="row_facts 不认识来源“horoscope”"):
        apply_row_rules(described, view_of(described), [RowInput({}, None)])
    by_case = process(
        facts={"odd": {"title": "怪", "from": "horoscope"}},
        row_facts={"one": {"title": "一", "from": "case", "fact": "odd"}},
    )
    with pytest.raises(CatalogueError, match="facts 不认识来源“horoscope”"):
        case_inputs(by_case, view_of(by_case))
    missing = process(row_facts={"one": {"title": "一", "from": "case", "fact": "nowhere"}})
    with pytest.raises(CatalogueError, match="没有“nowhere”"):
        case_inputs(missing, view_of(missing))


def test_what_rows_read_of_the_case_is_found_however_deep_it_stands() -> None:
    """While these values stand, rows need not be judged again when an answer changes."""
    described = process(
        facts={
            "cap": {"title": "上限", "from": "parameter", "key": "cap"},
            "region": {"title": "地区", "from": "constant", "value": "吉林"},
            "basis": {"title": "依据", "from": "basis"},
        },
        row_facts={
            "ended": {"from": "before", "column": "to", "than": {"from": "case", "fact": "cap"}},
            "pay": {
                "from": "product",
                "of": [
                    {"from": "column", "column": "wage"},
                    {"from": "answer", "form": "application", "field": "months"},
                ],
            },
            "pick": {"from": "choose", "by": "pay", "when": {"a": {"from": "case", "fact": "region"}}},
            "basis": {"from": "case", "fact": "basis"},
        },
    )
    assert case_inputs(described, view_of(described, months=6)) == {
        "cap": 300_000,
        "application.months": 6,
        "region": "吉林",
        "basis": False,
    }


def test_facts_are_kept_as_json_keeps_them() -> None:
    assert storable({"on": day("2026-03-02"), "yes": True, "none": None, "fen": 12_345, "word": "a"}) == {
        "on": "2026-03-02",
        "yes": True,
        "none": None,
        "fen": 12_345,
        "word": "a",
    }


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("annual_income_fen", 4_000_00, "4,000.00 元"),
        ("annual_income_fen", 5, "0.05 元"),
        ("contract_months", 3, "3 个月"),
        ("contract_ended", True, "是"),
        ("contract_ended", False, "否"),
        ("identity_status", "monitored", "防止返贫监测对象"),
        ("applied_on", "2026-03-02", "2026年3月2日"),
        ("age", None, "未填"),
        ("of no process", 7, "7"),
    ],
)
def test_a_fact_is_shown_as_a_person_reads_it(name: str, value: Any, shown: str) -> None:
    described = process(**parse_config(RECOGNITION.read_text("utf-8")))
    assert show_fact(described, name, value) == shown


def test_a_fact_has_a_title_or_is_named_as_it_is() -> None:
    described = process(**parse_config(RECOGNITION.read_text("utf-8")))
    assert fact_title(described, "contract_months") == "合同约定期限"
    assert fact_title(described, "applied_on") == "申请日期"
    assert fact_title(described, "of no process") == "of no process"
