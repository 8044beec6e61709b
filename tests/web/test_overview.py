"""Overviews: projects by county and one by one, the counts that the notice names; on the page and as a workbook."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable, Iterator
from datetime import date, timedelta

import openpyxl
import pytest
from pypdf import PdfReader
from sqlalchemy import event, select

from tests.conftest import TEST_KEYRING
from tests.web import wage_cases
from tests.web.client import Browser
from tests.web.conftest import OfficerPlace
from tests.web.officer_cases import Filled
from workflows.base import clock
from workflows.base.session import Database
from workflows.cases import overview_counts
from workflows.cases.model import Case, Unmasking, WorkItem
from workflows.cases.overview_counts import county_counts
from workflows.cases.project_overview import Wanted, county_sums, project_page
from workflows.documents.signing import verify
from workflows.organisations.actors import Actor, Post
from workflows.organisations.model import Department, Division
from workflows.registers import projects
from workflows.registers.model import Identity, IdentitySnapshot
from workflows.registers.project_model import Project
from workflows.registers.projects import ProjectData

Enter = Callable[[str], Browser]
PROVINCE = Actor(1, "省级", "auditor", division_code="220000")


@pytest.fixture(scope="module")
def _officer_place(tmp_path_factory: pytest.TempPathFactory) -> OfficerPlace:
    folder = tmp_path_factory.mktemp("overview")
    TEST_KEYRING.save(folder / "keys.json")
    return OfficerPlace(folder, template="overview", fill=wage_cases.fill)


@pytest.fixture
def move(cases: Filled) -> Iterator[Callable[[timedelta], None]]:
    with clock.frozen(wage_cases.OPENED + timedelta(days=15)) as moved:
        yield moved


def statements(database: Database, call: Callable[[], object]) -> int:
    """How many statements a call sends."""
    sent: list[str] = []

    def note(_conn: object, _cursor: object, statement: str, *_: object) -> None:
        sent.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    call()
    event.remove(database.engine, "before_cursor_execute", note)
    return len(sent)


def more_projects(database: Database, number: int) -> None:
    """Further projects of the same owner and contractor."""
    with database.transaction() as session:
        one = session.scalars(select(Project).order_by(Project.id)).first()
        assert one is not None
        for at in range(number):
            fields = {key: getattr(one, key) for key in ProjectData.__dataclass_fields__}
            projects.register(
                session,
                ProjectData(**{**fields, "name": f"另一个项目{at}"}),
                f"演示〔2026〕{at}号",
                case_id=None,
                actor_id=None,
            )


def test_a_project_says_what_is_paid_owed_and_who_has_it(enter: Enter, cases: Filled) -> None:
    page = enter("fagai.clerk").get("/overview/projects")
    for part in (
        "通榆县",
        "向前河堤防修复以工代赈工程（虚构）",
        "施工单位",
        "核对工人确认，签字，15 天",
        "200,000.00",
    ):
        assert part in page.main
    # April's wages: 35 days after its last day
    assert "35 天" in page.main
    assert "有月份 35 天未发" in page.main
    assert page.links()["施工单位"] == f"/cases/{cases.numbers['asked']}"


@pytest.mark.parametrize(
    ("who", "sees"),
    [
        ("fagai.clerk", True),
        ("shuili.clerk", True),
        ("caizheng.clerk", True),
        ("shifan.clerk", True),
        ("xiangyang.clerk", False),
        ("shenji", True),
    ],
)
def test_each_sees_the_own_place(enter: Enter, cases: Filled, who: str, sees: bool) -> None:
    page = enter(who).get("/overview/projects")
    assert ("向前河堤防修复" in page.main) is sees


def test_conditions_narrow_it_and_the_workbook_alike(
    enter: Enter, officer_database: Database, cases: Filled
) -> None:
    more_projects(officer_database, 22)
    browser = enter("fagai.clerk")
    assert "共 23 条，第 1 / 2 页" in browser.get("/overview/projects").main
    late = browser.get("/overview/projects?late=1")
    assert "共 1 条" in late.main
    assert "没有符合条件的以工代赈项目。" in browser.get("/overview/projects?status=closed").main
    assert "没有符合条件" in browser.get("/overview/projects?county=999999").main
    answer = browser.fetch("/overview/projects.xlsx?late=1")
    book = openpyxl.load_workbook(io.BytesIO(answer.data))
    assert book.sheetnames == ["按县汇总", "项目"]
    rows = list(book["项目"].values)
    assert len(rows) == 2
    assert rows[1][1] == "向前河堤防修复以工代赈工程（虚构）"
    assert rows[1][-1] == "施工单位：核对工人确认，签字（15 天）"
    assert (
        len(
            list(
                openpyxl.load_workbook(io.BytesIO(browser.fetch("/overview/projects.xlsx").data))[
                    "项目"
                ].values
            )
        )
        == 24
    )


def test_the_number_of_questions_does_not_grow(officer_database: Database, cases: Filled) -> None:
    def look() -> None:
        with officer_database.reading() as session:
            county_sums(session, PROVINCE, Wanted())
            project_page(session, PROVINCE, Wanted())

    few = statements(officer_database, look)
    more_projects(officer_database, 19)
    assert statements(officer_database, look) == few


def test_an_owner_sees_its_own_projects_alone(officer_database: Database, cases: Filled) -> None:
    with officer_database.reading() as session:
        project = session.scalars(select(Project)).one()
        own = Actor(
            1, "业主", "officer", posts=(Post(project.owner_department_id, "owner", "220822", "head"),)
        )
        other = Actor(1, "别的业主", "officer", posts=(Post(999, "owner", "220822", "head"),))
        nobody = Actor(1, "无岗位", "officer")
        assert [project_page(session, one, Wanted()).total for one in (own, other, nobody)] == [1, 0, 0]


def test_the_counts_are_those_of_the_registers(
    enter: Enter, officer_database: Database, cases: Filled
) -> None:
    page = enter("renshe.a").get("/overview/counts")
    with officer_database.reading() as session:
        counties = [session.get_one(Division, "220822")]
        (found,) = county_counts(session, counties, 2026)
        newest = session.scalars(
            select(IdentitySnapshot)
            .where(IdentitySnapshot.division_code == "220822")
            .order_by(IdentitySnapshot.as_of.desc())
        ).first()
        assert newest is not None
        people = session.scalars(select(Identity).where(Identity.snapshot_id == newest.id)).all()
    assert found.listed == len(people)
    assert found.at_work == sum(one.work in ("county", "province", "outside") for one in people)
    assert found.unsaid == 0
    homes: dict[tuple[str | None, str | None], list[str | None]] = {}
    for one in people:
        if one.relocated:
            homes.setdefault((one.village_code, one.household), []).append(one.work)
    assert found.relocated == len(homes) > 0
    without = [
        home
        for home in homes.values()
        if "none" in home and not {"county", "province", "outside"} & set(home)
    ]
    assert found.without_work == len(without) > 0
    assert f"务工人数 {found.at_work} 人" in page.main
    for part in (
        "112900",
        "107300",
        "吉人社联〔2022〕81号 第一条第（一）项",
        "今年还没有新建车间的县（市）：通榆县",
    ):
        assert part in page.main


def test_what_a_list_does_not_say_is_said_to_be_missing(
    enter: Enter, officer_database: Database, cases: Filled
) -> None:
    with officer_database.transaction() as session:
        for one in session.scalars(select(Identity)):
            one.work = one.relocated = None
    with officer_database.reading() as session:
        (found,) = county_counts(session, [session.get_one(Division, "220822")], 2026)
    assert (found.at_work, found.unsaid, found.relocated) == (0, found.listed, 0)
    assert "名单没有写明务工情况的" in enter("renshe.a").get("/overview/counts").main


def test_the_province_sees_every_county_and_its_target(officer_database: Database, cases: Filled) -> None:
    with officer_database.reading() as session:
        counties = overview_counts.counties_of(session, PROVINCE)
        assert len(counties) > 50
        found = {one.code: one for one in county_counts(session, counties, 2026)}
        assert statements(officer_database, lambda: county_counts(session, counties, 2026)) == statements(
            officer_database, lambda: county_counts(session, counties[:1], 2026)
        )
    assert found["220822"].listed > 0
    assert found["220702"].district
    assert not found["220822"].district
    assert [one.people for one in overview_counts.targets()] == [112_900, 107_300]
    assert all("〕" in one.basis for one in overview_counts.targets())


def test_the_year_can_be_chosen_and_the_workbook_has_it(
    enter: Enter, officer_database: Database, cases: Filled
) -> None:
    browser = enter("renshe.a")
    assert "2024年已发资金" in browser.get("/overview/counts?year=2024").main
    for odd in ("1999", "9999", "abcd", "２０２４", ""):
        assert browser.get(f"/overview/counts?year={odd}").main
    answer = browser.fetch("/overview/counts.xlsx?year=2024")
    book = openpyxl.load_workbook(io.BytesIO(answer.data))
    assert book.sheetnames == ["统计", "2024年已发资金"]
    head, row = list(book["统计"].values)[:2]
    assert head[:4] == ("县（市、区）", "名单日期", "名单人数", "务工人数")
    assert row[0] == "通榆县"
    assert row[1] == date(2025, 12, 31).isoformat()


def test_a_case_is_still_of_the_month_it_began(officer_database: Database, cases: Filled) -> None:
    """The last day of the month, not of the case, is what wages are late from."""
    with officer_database.reading() as session:
        (line,) = project_page(session, PROVINCE, Wanted()).lines
        assert line.unpaid_since == date(2026, 4, 30)
        assert session.get_one(Case, cases.cases["asked"]).submitted_at is not None


def test_everybody_begins_with_what_waits_what_is_late_and_what_changed(
    enter: Enter, cases: Filled, move: Callable[[timedelta], None]
) -> None:
    figures = {
        "qiye5": ("等我办理 1 件", "超期 0 件", "最近7天 各单位作出意见 0 次"),
        "shifan.clerk": ("等本单位办理 0 件", "超期 0 件", "最近7天 转来 0 件，办出 0 件", "单位待确认 1 个"),
        "fagai.clerk": ("等本单位办理 0 件", "1 个以工代赈项目有月份超过30天未发"),
        "shenji": ("本地区超期环节 0 件", "最近7天 提交 0 件，办结 0 件", "1 个以工代赈项目"),
        "guanli": ("没有办成的后台任务 0 项", "后台处理 没有运行"),
    }
    for who, parts in figures.items():
        browser = enter(who)
        page = browser.follow(browser.client.get("/"))
        for part in parts:
            assert part in page.main, (who, part, page.main[:400])


def test_what_came_to_an_office_is_counted_for_a_week(
    enter: Enter, officer_database: Database, cases: Filled, move: Callable[[timedelta], None]
) -> None:
    clerk = enter("qiye5")
    with officer_database.reading() as session:
        item = session.scalars(
            select(WorkItem).where(WorkItem.case_id == cases.cases["asked"], WorkItem.closed_at.is_(None))
        ).one()
    path = f"/employer/steps/{item.id}/review"
    step = clerk.get(path)
    sent = {**step.form("step-confirmation"), "outcome": "correct"}
    clerk.submit(path, sent)
    with officer_database.transaction() as session:
        moved = session.get_one(WorkItem, item.id)
        moved.department_id = session.scalars(
            select(Department.id).where(Department.kind == "owner", Department.division_code == "220822")
        ).first()
        moved.opened_at = clock.now()
    assert "转来 1 件，办出 0 件" in enter("shuili.clerk").get("/work").main
    move(timedelta(days=8))
    assert "转来 0 件" in enter("shuili.clerk").get("/work").main
    assert "最近7天" not in enter("shuili.clerk").get("/work?tab=soon").main


def test_the_ledger_is_handed_out_with_a_reason_and_not_without(
    enter: Enter, officer_database: Database, cases: Filled
) -> None:
    with officer_database.reading() as session:
        project = session.scalars(select(Project.id)).one()
    path = f"/overview/projects/{project}/archive"
    browser = enter("shuili.clerk")
    assert (
        browser.get("/overview/projects").links()["导出检查档案：向前河堤防修复以工代赈工程（虚构）"] == path
    )
    browser.get(path)
    assert "请填写" in browser.refused(path, {"reason": " "}).main
    answer = browser.client.post(path, data={"csrf_token": browser.token(), "reason": "工资支付专项检查"})
    assert answer.status_code == 200
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        signed = archive.read("清单（已签章）.pdf")
        assert verify(signed).valid
        assert hashlib.sha256(archive.read("SHA256SUMS")).hexdigest() in "".join(
            page.extract_text() for page in PdfReader(io.BytesIO(signed)).pages
        ).replace("\n", "")
    with officer_database.reading() as session:
        assert [one.reason for one in session.scalars(select(Unmasking))] == ["工资支付专项检查"]
    enter("xiangyang.clerk").get(path, 404)
    enter("caizheng.clerk").get(path)
