"""An office's word on each person of a roster: one by one, over a selection, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select

from tests.web.client import Browser, Page, text_of
from tests.web.officer_cases import Filled, answered
from workflows.audit.model import Event
from workflows.base.session import Database
from workflows.cases.model import Case
from workflows.cases.roster_model import Roster, RosterRow, RowVerdict
from workflows.cases.verdicts import current_roster

Enter = Callable[[str], Browser]
REVIEW = {"contracts_checked": "12", "wages_checked": ["bank"], "arrears_found": "no"}


@pytest.fixture
def review(cases: Filled) -> int:
    return cases.items["reviewing", "hrss_review", "hrss"]


@pytest.fixture
def people(cases: Filled, officer_database: Database) -> list[int]:
    """Keys of the roster's rows, in the order of the sheet."""
    with officer_database.reading() as session:
        roster = current_roster(session, cases.cases["reviewing"])
        assert roster is not None
        return list(
            session.scalars(
                select(RosterRow.id).where(RosterRow.roster_id == roster.id).order_by(RosterRow.number)
            )
        )


def words(database: Database) -> dict[int, tuple[str, str]]:
    """Row → verdict and reason."""
    with database.reading() as session:
        return {one.row_id: (one.verdict, one.reason) for one in session.scalars(select(RowVerdict))}


def shown(page: Page) -> int:
    return len([one for one in page.all("tr") if (one.get("id") or "").startswith("row-")])


def test_one_by_one_with_a_reason(
    enter: Enter, review: int, people: list[int], officer_database: Database, cases: Filled
) -> None:
    browser = enter("renshe.a")
    browser.get(f"/work/{review}")
    page = browser.submit(
        f"/work/{review}/rows",
        {
            f"verdict-{people[0]}": "agree",
            f"verdict-{people[1]}": "refuse",
            f"reason-{people[1]}": "合同上的签名不是本人。",
            "save": "1",
        },
    )
    assert "已保存 2 人的意见。" in page.text
    assert "本单位已逐人审核 2 人" in page.main
    assert "其余 10 人均同意" in page.main
    assert words(officer_database) == {
        people[0]: ("agree", None),
        people[1]: ("refuse", "合同上的签名不是本人。"),
    }
    form = page.form("rows")
    assert form[f"verdict-{people[1]}"] == ["refuse"]
    assert form[f"reason-{people[1]}"] == ["合同上的签名不是本人。"]
    other = enter("xiangcun.a").get(f"/work/{cases.items['reviewing', 'rural_review', 'rural']}")
    assert "合同上的签名不是本人。" in other.main, "the other office reads it beside the person"
    with officer_database.reading() as session:
        event = session.scalars(
            select(Event).where(Event.kind == "rows-decided").order_by(Event.id.desc())
        ).first()
        assert event is not None
        assert event.actor_id == cases.users["renshe.a"]
        assert "签名" not in str(event.payload)


def test_over_a_selection(enter: Enter, review: int, people: list[int], officer_database: Database) -> None:
    browser = enter("renshe.a")
    chosen = [str(one) for one in people[2:5]]
    page = browser.submit(f"/work/{review}/rows", {"row": chosen, "bulk": "agree"})
    assert "已保存 3 人的意见。" in page.text
    page = browser.submit(
        f"/work/{review}/rows", {"row": chosen[:2], "bulk": "refuse", "bulk_reason": "收入不足"}
    )
    assert words(officer_database) == {
        people[2]: ("refuse", "收入不足"),
        people[3]: ("refuse", "收入不足"),
        people[4]: ("agree", None),
    }
    assert [one.get("value") for one in page.all("option")][:1], "reasons are offered"
    refused = [href for text, href in page.links().items() if text == "不同意 2"]
    assert shown(browser.get(refused[0].split("#")[0])) == 2
    unnamed = [href for text, href in page.links().items() if text == "未审核 9"]
    assert shown(browser.get(unnamed[0].split("#")[0])) == 9


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"bulk": "refuse", "row": [0, 1], "bulk_reason": " "}, "不同意的，请写明理由，申请单位会看到。"),
        ({"bulk": "agree", "bulk_reason": "记一下"}, "请先勾选人员"),
        ({"verdict": {0: "refuse", 1: "agree"}, "reason": {0: ""}}, "不同意的，请写明理由。"),
        ({"save": "1"}, "还没有选择意见"),
    ],
    ids=["no reason for many", "nobody ticked", "no reason for one", "nothing said"],
)
def test_mistakes_keep_every_tick_and_word(
    enter: Enter,
    review: int,
    people: list[int],
    officer_database: Database,
    sent: dict[str, object],
    said: str,
) -> None:
    posted: dict[str, object] = {}
    for key, value in sent.items():
        if key == "row":
            posted["row"] = [str(people[one]) for one in value]  # type: ignore[attr-defined]
        elif isinstance(value, dict):
            posted |= {f"{key}-{people[one]}": text for one, text in value.items()}
        else:
            posted[key] = value
    posted[f"verdict-{people[5]}"] = "refuse"
    posted[f"reason-{people[5]}"] = "电话里说没有在这里干活。"
    if said.startswith("还没有"):
        posted.pop(f"verdict-{people[5]}")
    browser = enter("renshe.a")
    browser.get(f"/work/{review}")
    page = browser.refused(f"/work/{review}/rows", posted)
    assert any(said in one for one in page.errors), page.errors
    again = page.form("rows")
    for key, value in posted.items():
        if key not in ("bulk", "save"):
            wanted = value if isinstance(value, list) else [value]
            assert again.get(key) == wanted, key
    assert words(officer_database) == {}


def test_who_comes_second_gets_the_reasons_back(
    enter: Enter, review: int, people: list[int], officer_database: Database
) -> None:
    slow, fast = enter("renshe.b"), enter("renshe.a")
    slow.get(f"/work/{review}")
    page = fast.get(f"/work/{review}")
    fast.submit(f"/work/{review}/claim")
    sent = {"bulk": "refuse", "row": [str(people[0])], "bulk_reason": "电话里说没有在这里干活。"}
    late = slow.refused(f"/work/{review}/rows", sent, 409)
    assert "任可心已领取这项工作" in late.main
    assert "电话里说没有在这里干活。" in late.main
    fast.submit(f"/work/{review}/decide", answered(page, outcome="agree", rest_verdict="agree", **REVIEW))
    late = slow.refused(f"/work/{review}/rows", sent, 409)
    assert "任可心于3月2日 11:00 办理" in late.main
    assert "电话里说没有在这里干活。" in late.main
    assert words(officer_database) == {}


def test_rows_of_another_case_are_left_alone(
    enter: Enter, review: int, cases: Filled, officer_database: Database
) -> None:
    with officer_database.reading() as session:
        others = list(
            session.scalars(
                select(RosterRow.id)
                .join(Roster, Roster.id == RosterRow.roster_id)
                .where(Roster.case_id == cases.cases["site"])
            )
        )
    browser = enter("renshe.a")
    page = browser.submit(f"/work/{review}/rows", {"bulk": "agree", "row": [str(one) for one in others]})
    assert "已保存 0 人的意见。" in page.text
    for strange in ("²", "9" * 40, "-1", "x"):
        browser.refused(f"/work/{review}/rows", {"bulk": "agree", "row": [strange]})
    assert words(officer_database) == {}


def test_what_is_refused_counts_for_nothing(
    enter: Enter, review: int, people: list[int], cases: Filled, officer_database: Database
) -> None:
    browser = enter("renshe.a")
    page = browser.get(f"/work/{review}")
    assert "符合 6" in page.main
    browser.submit(
        f"/work/{review}/rows",
        {"bulk": "refuse", "row": [str(one) for one in people[:6]], "bulk_reason": "材料不实"},
    )
    page = browser.get(f"/work/{review}")
    browser.submit(
        f"/work/{review}/decide",
        answered(page, outcome="propose_refuse", opinion="符合条件的人员不足3人，建议不予认定。", **REVIEW),
    )
    case = browser.get(f"/cases/{cases.numbers['reviewing']}")
    roster = text_of(case.one("section", id="roster"))
    assert roster.count("材料不实") == 6
    with officer_database.reading() as session:
        assert session.get_one(Case, cases.cases["reviewing"]).status == "reviewing", (
            "the other office decides, too"
        )
