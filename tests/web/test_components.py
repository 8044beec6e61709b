"""The macros: what they put on a page, for definitions, typed text, errors and remarks."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import html5lib
import pytest
from lxml import etree

from forms.definition import load_form
from tests.web.shell_app import render, shell_app
from webapp import styleguide, views_support
from workflows.base.clock import frozen

FORM = styleguide.form()
FIELD = '{% from "components/form.html" import form_field %}{{ form_field(field, value, **more) }}'


def parsed(html: str) -> Any:
    return html5lib.parse(html, treebuilder="lxml", namespaceHTMLElements=False)


def field(key: str, value: Any = None, **more: Any) -> Any:
    return parsed(render(FIELD, field=FORM.field(key), value=value, more=more))


def texts(tree: Any, path: str) -> list[str]:
    return [" ".join("".join(one.itertext()).split()) for one in tree.xpath(path)]


@pytest.fixture(scope="module")
def guide() -> Any:
    answer = shell_app().test_client().get("/")
    assert answer.status_code == 200
    return parsed(answer.get_data(as_text=True))


def test_style_guide_is_well_formed(guide: Any) -> None:
    ids = Counter(guide.xpath("//@id"))
    assert not [key for key, count in ids.items() if count > 1]
    for label in guide.xpath("//label[@for]"):
        assert label.get("for") in ids
    for names in guide.xpath("//@aria-describedby"):
        assert set(names.split()) <= set(ids), names


def test_no_inline_script_or_style(guide: Any) -> None:
    assert not guide.xpath("//@style | //style | //script[not(@src)]")
    assert not [name for one in guide.iter() for name in one.attrib if name.startswith("on")]


def test_every_input_has_a_name_a_reader_hears(guide: Any) -> None:
    labelled = set(guide.xpath("//label/@for"))
    for one in guide.xpath("//input[not(@type='hidden')] | //select | //textarea"):
        assert one.get("id") in labelled or one.get("aria-label"), etree.tostring(one)[:200]


def test_what_was_typed_is_still_there_beside_its_error() -> None:
    tree = field("staff", ["三十"], error="请填写数字")
    (box,) = tree.xpath("//input")
    assert box.get("value") == "三十"
    assert box.get("aria-invalid") == "true"
    assert box.get("aria-describedby") == "f-staff-error"
    assert texts(tree, "//*[@id='f-staff-error']") == ["错误：请填写数字"]


def test_error_summary_leads_to_the_control() -> None:
    tree = parsed(
        render(
            '{% from "components/page.html" import error_summary %}{{ error_summary(errors) }}'
            '{% from "components/form.html" import form_field %}{{ form_field(mode) }}{{ form_field(papers) }}',
            errors=[("mode", "请选择"), ("papers", "请上传"), ("", "没有保存")],
            mode=FORM.field("mode"),
            papers=FORM.field("papers"),
        )
    )
    links = [href.removeprefix("#") for href in tree.xpath("//*[@data-error-summary]//a/@href")]
    assert [tree.xpath(f"//*[@id='{one}']")[0].tag for one in links] == ["input", "input"]
    assert texts(tree, "//*[@data-error-summary]//li") == ["请选择", "请上传", "没有保存"]


@pytest.mark.parametrize(
    ("key", "value", "shown"),
    [
        ("wage", 286050, "2860.50"),
        ("wage", ["2,860.5"], "2,860.5"),
        ("founded", "2021-03-15", "2021-03-15"),
        ("area", None, ""),
    ],
)
def test_stored_and_typed_values_in_an_input(key: str, value: Any, shown: str) -> None:
    assert field(key, value).xpath("//input/@value") == [shown]


@pytest.mark.parametrize("value", [True, "yes", ["yes"]])
def test_a_yes_is_a_yes_stored_or_typed(value: Any) -> None:
    assert field("resettled", value).xpath("//input[@checked]/@value") == ["yes"]
    assert field("promise", value).xpath("//input[@checked]/@value") == ["yes"]


def test_few_options_are_radio_buttons_many_a_list() -> None:
    assert len(field("mode", "home").xpath("//input[@type='radio']")) == 4
    assert field("mode", "home").xpath("//input[@checked]/@value") == ["home"]
    many = [(str(number), f"第{number}项") for number in range(7)]
    assert field("mode", "3", options=many).xpath("//option[@selected]/@value") == ["3"]


def test_townships_stand_under_their_county() -> None:
    tree = field("place", "220822101", options=styleguide.LISTS["divisions"])
    assert tree.xpath("//optgroup/@label") == ["大安市", "通榆县"]
    assert texts(tree, "//option[@selected]") == ["瞻榆镇"]


def test_an_unanswered_optional_question_says_so_only_once_required_never() -> None:
    assert "（选填）" in texts(field("phone"), "//label")[0]
    assert "（选填）" not in texts(field("name"), "//label")[0]


def test_the_remark_of_an_officer_stands_with_its_field() -> None:
    tree = field("area", "1250.5", remark={"text": "与合同不一致", "who": "王志刚"})
    assert tree.xpath("//input/@aria-describedby") == ["f-area-remark"]
    assert texts(tree, "//*[@id='f-area-remark']") == ["补正意见王志刚与合同不一致"]


def test_a_hidden_field_leaves_nothing_on_the_page() -> None:
    assert not field("name", "某单位", mode="hidden").xpath("//body/*")


def test_a_field_to_read_masks_what_is_sensitive() -> None:
    assert texts(field("legal_id", "220822197501011234", mode="read"), "//*[@class='wg-read-value']") == [
        "220822********1234"
    ]
    whole = field("legal_id", "220822197501011234", mode="read", reveal=True)
    assert texts(whole, "//*[@class='wg-read-value']") == ["220822197501011234"]


@pytest.mark.parametrize(
    ("key", "value", "shown"),
    [
        ("wage", 286050, "2,860.50 元"),
        ("wage", ["2860.5"], "2860.5 元"),
        ("founded", "2021-03-15", "2021年3月15日"),
        ("resettled", ["no"], "否"),
        ("staff", 30, "30 人"),
        ("kinds", ["工伤保险", "意外伤害保险"], "工伤保险、意外伤害保险"),
        ("name", None, "未填"),
    ],
)
def test_answers_as_people_read_them(key: str, value: Any, shown: str) -> None:
    assert texts(field(key, value, mode="read"), "//*[contains(@class, 'wg-read-value')]") == [shown]


def test_files_there_can_be_dropped_and_the_camera_offered() -> None:
    tree = field("papers", ["a1"], files=[{"id": "a1", "name": "合同.pdf", "size": 2048}])
    assert tree.xpath("//input[@type='hidden'][@name='papers']/@value") == ["a1"]
    assert tree.xpath("//input[@name='papers-remove']/@value") == ["a1"]
    assert tree.xpath("//input[@capture]/@accept") == ["image/*"]


@pytest.mark.parametrize(
    "values",
    [
        {"faults": [{"field": "lease", "problem": "缺少签字", "action": "补签"}]},
        {"faults-0-field": ["lease"], "faults-0-problem": ["缺少签字"], "faults-0-action": ["补签"]},
    ],
)
def test_defects_keep_their_rows_stored_or_typed(values: dict[str, Any]) -> None:
    rows = shell_app().jinja_env.filters["defect_rows"](values, "faults")
    tree = field("faults", rows, options=styleguide.LISTS["targets"], errors={"faults-1-problem": "没有填写"})
    assert tree.xpath("//option[@selected]/@value") == ["lease"]
    assert [one.strip() for one in texts(tree, "//textarea")][:2] == ["缺少签字", "补签"]
    assert len(tree.xpath("//*[@data-repeat-row]")) == 3
    assert tree.xpath("//*[@id='f-faults-1-problem']/@aria-invalid") == ["true"]


def test_a_question_may_depend_on_another() -> None:
    (box,) = field("settlement").xpath("//*[@data-show-if]")
    assert (box.get("data-show-if"), box.get("data-show-if-values")) == ("resettled", '["yes"]')


def test_what_people_typed_cannot_become_markup() -> None:
    attack = '"><script>alert(1)</script>'
    for key in ("name", "story", "settlement"):
        assert not field(key, attack, error=attack, warning=attack, remark=attack).xpath("//script")
        assert not field(key, attack, mode="read").xpath("//script")


DECISION = (
    '{% from "components/decision.html" import decision_panel %}{{ decision_panel(form.outcomes, **more) }}'
)


def test_the_decision_says_what_happens_next_and_keeps_the_choice() -> None:
    tree = parsed(
        render(
            DECISION,
            form=FORM,
            more={
                "values": {"outcome": ["refuse"], "opinion": ["不在本县"]},
                "errors": {"opinion": "请写明意见"},
                "hidden": {"seen_version": 3},
            },
        )
    )
    assert tree.xpath("//input[@name='outcome'][@checked]/@value") == ["refuse"]
    assert "本件办结，不能恢复" in texts(tree, "//*[@id='f-outcome-3-next']")[0]
    assert texts(tree, "//textarea[@name='opinion']") == ["不在本县"]
    assert tree.xpath("//input[@name='seen_version']/@value") == ["3"]
    assert texts(tree, "//*[@id='f-opinion-error']") == ["错误：请写明意见"]


def test_a_field_that_an_outcome_requires_is_not_called_optional() -> None:
    tree = parsed(render(DECISION, form=FORM, more={"fields": [FORM.field("lacks")]}))
    assert texts(tree, "//fieldset[contains(@class, 'wg-field-body')]/legend") == ["需要补正的内容"]


def test_a_single_outcome_is_chosen_and_on_the_button() -> None:
    form = load_form("title: 签发\noutcomes:\n  - {key: sign, label: 同意签发, opinion: none}\n", "sign.yaml")
    tree = parsed(render(DECISION, form=form, more={}))
    assert texts(tree, "//button[@data-decision-button]") == ["同意签发"]
    assert tree.xpath("//input[@name='outcome'][@checked]/@value") == ["sign"]
    assert not tree.xpath("//textarea")


TABLE = '{% from "components/list.html" import data_table %}{{ data_table(columns, rows, caption="名单") }}'


def test_each_cell_knows_its_heading_for_the_phone() -> None:
    columns = [
        {"key": "name", "title": "姓名", "primary": True},
        {"key": "pay", "title": "金额（元）", "format": "amount"},
    ]
    tree = parsed(render(TABLE, columns=columns, rows=[{"name": "张桂兰", "pay": 100000}]))
    assert tree.xpath("//td/@data-label") == ["金额（元）"]
    assert texts(tree, "//td[@class='wg-money']") == ["1,000.00"]
    assert texts(parsed(render(TABLE, columns=columns, rows=[])), "//tbody") == ["没有记录。"]


PAGER = '{% from "components/list.html" import pager %}{{ pager(page, total) }}'


@pytest.mark.parametrize(
    ("page", "total", "says", "links"),
    [
        (1, 15, "共 15 条", []),
        (3, 157, "共 157 条，第 3 / 8 页", ["2", "1", "2", "4", "5", "8", "4"]),
        (8, 157, "共 157 条，第 8 / 8 页", ["7", "1", "6", "7"]),
        (3, 1001, "共 1000+ 条，第 3 页", ["2", "4"]),
    ],
)
def test_pages_keep_the_filters_and_cap_the_count(page: int, total: int, says: str, links: list[str]) -> None:
    app = shell_app()
    with app.test_request_context("/?q=a&page=3"):
        tree = parsed(app.jinja_env.from_string(PAGER).render(page=page, total=total))
    assert texts(tree, "//p") == [says]
    hrefs = tree.xpath("//a/@href")
    assert all("q=a" in one for one in hrefs)
    assert [re.search(r"page=(\d+)", one)[1] for one in hrefs] == links  # type: ignore[index]  # None fails the test


def test_filters_of_the_address_can_be_replaced_and_taken_away() -> None:
    app = shell_app()
    with app.test_request_context("/?q=a&light=over&page=3"):
        assert views_support.replace_args(light=None, page=1) == "/?q=a&page=1"


def test_reasons_mark_what_is_not_met_in_words_and_signs() -> None:
    tree = parsed(
        render(
            '{% from "components/case.html" import reasons_table %}{{ reasons_table(rows) }}',
            rows=styleguide.case(datetime(2026, 11, 23, tzinfo=UTC))["reasons"],
        )
    )
    assert tree.xpath("//tbody/tr/@class") == ["wg-reason-good", "wg-reason-bad", "wg-reason-note"]
    assert texts(tree, "//td[@data-label='结论']") == ["✔有依据", "✘2 人，不足 3 人", "✔符合需要留意"]


def test_a_guest_sees_no_one_elses_frame() -> None:
    tree = parsed(render('{% extends "layout/public.html" %}{% block title %}公示{% endblock %}'))
    assert not tree.xpath("//header//form")
    assert tree.xpath("//body/@data-user") == [""]
    assert texts(tree, "//h1") == ["公示"]
    assert texts(tree, "//title") == ["公示 - 稳岗通"]


NOW = datetime(2026, 11, 23, 6, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("money", 100000, "1,000.00 元"),
        ("money", -5, "-0.05 元"),
        ("amount", None, "—"),
        ("day", "2026-11-23", "2026年11月23日"),
        ("day", datetime(2026, 11, 22, 16, 0, tzinfo=UTC), "2026年11月23日"),
        ("day", "昨天", "昨天"),
        ("short_day", datetime(2025, 12, 31, 15, 59, tzinfo=UTC), "2025年12月31日"),
        ("moment", NOW, "11月23日 14:05"),
        ("full_moment", NOW, "2026年11月23日 14:05"),
        ("machine_time", NOW, "2026-11-23T14:05:00+08:00"),
        ("relative", NOW - timedelta(seconds=10), "刚刚"),
        ("relative", NOW - timedelta(minutes=5), "5 分钟前"),
        ("relative", NOW - timedelta(hours=5), "今天 09:05"),
        ("relative", NOW - timedelta(days=1), "昨天 14:05"),
        ("relative", NOW - timedelta(days=9), "11月14日 14:05"),
        ("duration", 30, "不到 1 分钟"),
        ("duration", 170, "约 3 分钟"),
        ("duration", 7300, "约 2 小时"),
        ("file_size", 10, "1 KB"),
        ("file_size", 3912044, "3.7 MB"),
        ("capped", 1000, "1000"),
        ("capped", 1001, "1000+"),
    ],
)
def test_how_values_are_written(name: str, value: Any, shown: str) -> None:
    with frozen(NOW):
        assert shell_app().jinja_env.filters[name](value) == shown


@pytest.mark.parametrize(
    "name",
    [
        "money",
        "amount",
        "day",
        "short_day",
        "moment",
        "full_moment",
        "hour",
        "relative",
        "duration",
        "file_size",
        "capped",
    ],
)
def test_nothing_is_written_as_a_dash(name: str) -> None:
    assert shell_app().jinja_env.filters[name](None) == "—"


def test_static_files_carry_their_digest() -> None:
    app = shell_app()
    with app.test_request_context("/"):
        first = views_support.asset("css/base.css")
    assert re.fullmatch(r"/static/css/base\.css\?v=[0-9a-f]{10}", first)
    with app.test_client().get(first) as answer:
        assert answer.status_code == 200
