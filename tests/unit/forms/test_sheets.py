"""Reading rosters: every error of every row at once, said so that a clerk can put it right."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter

from forms import sheet_process
from forms.definition import load_roster
from forms.rows import Row
from forms.sheet_process import Bounds
from forms.sheets import RosterReading, SheetRefused, read_roster
from tests.unit.forms.files import SHEET, repacked, replacing
from tests.unit.forms.people import LABELS, TODAY, VILLAGES, id_number, line, roster, saved, workbook
from workflows.base.errors import CatalogueError

ROSTER = roster()


def read(source: openpyxl.Workbook | bytes | Path, **more: Any) -> RosterReading:
    data = saved(source) if isinstance(source, openpyxl.Workbook) else source
    return read_roster(ROSTER, data, today=TODAY, lists=VILLAGES, **more)


def errors(lines: Sequence[dict[str, Any]]) -> dict[int, dict[str, str]]:
    return {row.number: row.errors for row in read(workbook(lines)).rows if row.errors}


def test_good_rows() -> None:
    seen: list[tuple[int, int]] = []
    reading = read(workbook([line(1), line(2, name="阿依古丽•买买提")]), progress=lambda *at: seen.append(at))
    assert reading.ok
    assert reading.sheet == "花名册"
    assert reading.header_row == 1
    assert reading.rows[1].number == 3
    assert reading.rows[1].values == {
        "name": "阿依古丽·买买提",
        "id_number": id_number(2),
        "category": "poverty",
        "village": "v1",
        "phone": "13804380002",
        "start": "2026-03-01",
        "end": "2027-02-28",
        "wages": 400000,
        "insured": False,
    }
    assert reading.rows[1].raw["wages"] == "4,000.00"
    assert seen == [(2, 2)], "the heading is no person"
    assert reading.problems == reading.notices == []


def test_a_path_will_do(tmp_path: Path) -> None:
    path = tmp_path / "roster.exe"
    path.write_bytes(saved(workbook([line(1)])))
    assert read(path).ok


def test_every_error_of_every_row_with_its_place() -> None:
    reading = read(
        workbook(
            [
                line(1, name="张3", category="富裕", wages="四千", start="去年"),
                line(2),
                line(3, id_number="220822199001011234", end="2026-01-01"),
            ]
        )
    )
    assert list(reading.lines(ROSTER)) == [
        "“花名册”第 2 行 A 列“姓名”：姓名中有不该出现的字符：“张3”中的“3”，请按身份证上的姓名重填",
        "“花名册”第 2 行 C 列“人员类别”：不在可选范围内：填的是“富裕”，只能填：脱贫人口、监测对象",
        "“花名册”第 2 行 F 列“合同开始”：日期格式不对：填的是“去年”，请写成 2026-11-24 这样的年月日",
        "“花名册”第 2 行 H 列“工资总额”：不是金额：填的是“四千”，请以元为单位填写数字，如 4,000.00",
        "“花名册”第 4 行 B 列“身份证号”：身份证号校验不通过：填的是 220822********1234，可能输错了一位，请对照身份证重填",
        "“花名册”第 4 行 G 列“合同结束”：合同结束早于合同开始：合同开始是2026年3月1日，合同结束是2026年1月1日，请核对两个日期",
    ]
    assert not reading.ok


def test_duplicates_name_each_other() -> None:
    found = errors([line(1), line(2), line(1, name="王大明")])
    assert found == {
        2: {
            "id_number": f"身份证号重复：第 2 行与第 4 行都是 220822********{id_number(1)[-4:]}，一人只填一行，请删除多余的行或改正号码"
        },
        4: {
            "id_number": f"身份证号重复：第 4 行与第 2 行都是 220822********{id_number(1)[-4:]}，一人只填一行，请删除多余的行或改正号码"
        },
    }


def test_many_duplicates_are_not_all_listed() -> None:
    found = errors([line(1) for _ in range(8)])
    assert "第 2 行与第 3、4、5、6、7 等 7 行" in found[2]["id_number"]


def test_a_duplicate_is_found_in_any_spelling() -> None:
    assert set(
        errors([line(1), line(1, id_number="220822900101001"), line(1, id_number=f" {id_number(1).lower()}")])
    ) == {
        2,
        3,
        4,
    }


def test_a_shared_phone_only_warns() -> None:
    reading = read(workbook([line(1), line(2, phone="138-0438-0001")]))
    assert reading.ok
    assert [row.warnings["phone"] for row in reading.rows] == [
        "联系电话与他人相同：第 2 行与第 3 行都是 138****0001，请核对是否本人的号码",
        "联系电话与他人相同：第 3 行与第 2 行都是 138****0001，请核对是否本人的号码",
    ]


def test_dates_as_text_numbers_and_dates() -> None:
    days = ["2026年3月1日", "20260301", 20260301, "2026/3/1", date(2026, 3, 1), 46082]
    reading = read(workbook([line(number, start=day) for number, day in enumerate(days)]))
    assert [row.values.get("start") for row in reading.rows] == ["2026-03-01"] * 6


def test_numbers_kept_as_text_and_text_kept_as_numbers() -> None:
    reading = read(
        workbook(
            [
                line(1, phone=13804380001, wages=4000.5),
                line(2, id_number=f"'{id_number(2)}"),
                line(3, id_number=float(id_number(3, "19910101")[:17] + "0")),
            ]
        )
    )
    assert reading.rows[0].values["wages"] == 400050
    assert reading.rows[0].raw["phone"] == "13804380001"
    assert reading.rows[1].ok
    assert reading.rows[2].errors["id_number"] == (
        "号码被 Excel 改成了数字：单元格里是 2.21E+17，后几位已经丢失，"
        "请先把这一列的单元格格式改为“文本”，再重新输入完整号码"
    )


def test_nul_and_direction_marks_in_names() -> None:
    data = repacked(
        saved(workbook([line(1, name="王AA小BB明")])),
        {SHEET: lambda xml: xml.replace(b"AA", b"&#8238;&#8203;").replace(b"BB", b"_x0000_")},
    )
    assert read(data).rows[0].values["name"] == "王小明"


def test_rare_characters_of_names_survive() -> None:
    assert read(workbook([line(1, name="王𪚥𠮷")])).rows[0].values["name"] == "王𪚥𠮷"


def test_formulas_are_named_not_believed() -> None:
    book = workbook([line(1, wages="=SUM(1,2)"), line(2)])
    reading = read(book)
    assert reading.rows[0].errors == {"wages": "单元格里是公式：H2，请复制后用“选择性粘贴—数值”改为实际内容"}
    assert "wages" not in reading.rows[0].values
    assert "wages" not in reading.rows[0].raw
    assert reading.rows[1].ok


def test_a_formula_that_gives_text() -> None:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer)
    page = book.add_worksheet("花名册")
    page.write_row(0, 0, LABELS)
    page.write_row(1, 0, [one or "" for one in line(1).values()])
    page.write_formula(1, 0, '=""&"王小明"', value="王小明")
    book.close()
    row = read(buffer.getvalue()).rows[0]
    assert row.errors["name"].startswith("单元格里是公式：A2")
    assert row.raw["name"] == "王小明"


def test_error_values() -> None:
    assert (
        read(workbook([line(1, wages="#N/A")]))
        .rows[0]
        .errors["wages"]
        .startswith("单元格里是错误值：H2 显示为 #N/A 之类，请改为实际内容")
    )


def test_merged_cells_in_the_data_are_named() -> None:
    book = workbook([line(1), line(2), line(3)], above=[["标题"]])
    book["花名册"].merge_cells("A1:C1")
    book["花名册"].merge_cells("D3:D4")
    book["花名册"].merge_cells("M3:M9")
    found = {row.number: row.errors for row in read(book).rows if row.errors}
    said = {"village": "单元格已合并：D3:D4，请取消合并，每行每列单独填写"}
    assert found == {3: said, 4: said}


def test_merged_headings() -> None:
    book = workbook([line(1)])
    book["花名册"].merge_cells("C1:D1")
    assert (
        "第 1 行标题里有合并单元格或公式：C1:D1。请取消合并，每列一个标题，直接填写文字"
        in read(book).problems
    )


def test_more_marks_than_can_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forms.sheet_marks._MOST_MARKS", 3)
    book = workbook([line(number) for number in range(5)])
    for row in range(2, 7):
        book["花名册"][f"H{row}"] = "=1"
    assert any("表中有大量公式或合并单元格，无法逐个指出" in one for one in read(book).problems)


def test_formulas_without_an_address() -> None:
    data = repacked(
        saved(workbook([line(1)])),
        {SHEET: replacing(b"</sheetData>", b"<row><c><f>1</f></c></row></sheetData>")},
    )
    assert any("无法逐个指出" in one for one in read(data).problems)


def test_columns_in_any_order_under_titles_and_notes() -> None:
    labels = ["备注", "证件号码（18位）", "姓　名*", "人员类别", "合同开始", "合同结束", "序号", None]
    rows = [
        {
            "a": "x",
            "b": id_number(1),
            "c": "王小明",
            "d": "监测对象",
            "e": "2026-03-01",
            "f": "2027-01-01",
            "g": 1,
        }
    ]
    reading = read(workbook(rows, labels=labels, above=[["东升服装厂"], [], ["姓名请写全"]]))
    assert reading.ok
    assert reading.header_row == 4
    assert reading.rows[0].number == 5
    assert reading.rows[0].values["category"] == "monitored"
    assert reading.letters["id_number"] == "B"
    assert (
        reading.notices
        == [
            "没有这些选填的列，按未填处理：户籍村、联系电话、工资总额、是否参保",
            "这些列不在模板中，没有导入：“备注”（A 列）",
        ]
        or reading.notices[1] == "这些列不在模板中，没有导入：“备注”（A 列）"
    )
    assert reading.unknown == ["“备注”（A 列）"]


def test_missing_and_double_headings() -> None:
    labels = list(LABELS)
    labels[2] = "联系电话"
    reading = read(workbook([line(1)], labels=labels))
    assert reading.problems == [
        "第 1 行标题缺少这些列：人员类别。请补上，或把数据粘贴到新下载的模板",
        "第 1 行标题“联系电话”重复，在 C、E 列。请只保留一列",
    ]
    assert "category" not in reading.rows[0].errors, "one message about the column is enough"


def test_no_headings_at_all() -> None:
    book = workbook([line(1)], labels=["a", "b"])
    reading = read(book)
    assert reading.problems[0].startswith("“花名册”里没有找到标题行。标题行应有这些列：姓名、身份证号、")
    assert reading.rows == []


def test_headings_are_looked_for_at_the_top_only() -> None:
    assert read(workbook([line(1)], above=[["x"]] * 70)).problems[0].startswith("“花名册”里没有找到标题行")


def test_an_empty_sheet() -> None:
    reading = read(openpyxl.Workbook())
    assert reading.empty
    assert reading.problems == ["“Sheet”里没有任何内容。请下载模板，从标题行的下一行开始填写，一人一行"]


def test_headings_and_nobody() -> None:
    reading = read(workbook([]))
    assert reading.empty
    assert reading.problems == ["“花名册”里只有标题，没有人员。请从第 2 行开始填写，一人一行"]


def test_empty_rows_and_the_example_are_passed_over() -> None:
    labels = ["序号", *LABELS]
    example = {"s": "示例", **line(5)}
    unmarked = {"s": 1, **line(5, name="张三", id_number="220822199001011232")}
    rows = [example, unmarked, {"s": 2}, {"s": " ", "name": "  "}, {"s": 3, **line(1)}]
    reading = read(workbook(rows, labels=labels))
    assert [row.number for row in reading.rows] == [6]
    assert reading.ok


def test_without_an_example_nothing_is_taken_for_one() -> None:
    plain = load_roster("title: 册\ncolumns: [{key: a, label: 甲}]", "roster.yaml")
    reading = read_roster(plain, saved(workbook([{"a": "x"}], labels=["甲"])), today=TODAY)
    assert [row.values for row in reading.rows] == [{"a": "x"}]


def test_a_million_empty_formatted_cells() -> None:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"constant_memory": True})
    page = book.add_worksheet("花名册")
    red = book.add_format({"bg_color": "red"})
    page.write_row(0, 0, LABELS)
    page.write_row(1, 0, [one or "" for one in line(1).values()])
    for row in range(2, 2000):
        page.write_blank(row, 0, None, red)
    book.close()
    # The same row again and again: a million cells without waiting for a writer.
    cells = b"".join(b'<c r="%s%%d" s="1"/>' % bytes([65 + column]) for column in range(20))
    rows = b"".join(
        b'<row r="%d">' % row + cells.replace(b"%d", b"%d" % row) + b"</row>" for row in range(2001, 52001)
    )
    data = repacked(buffer.getvalue(), {SHEET: replacing(b"</sheetData>", rows + b"</sheetData>")})
    started = time.monotonic()
    reading = read(data)
    assert reading.ok, reading.problems
    assert len(reading.rows) == 1
    assert time.monotonic() - started < 20


def test_too_many_people() -> None:
    reading = read(workbook([line(number) for number in range(4)]), limit=3)
    assert reading.problems == ["人员超过 3 行，一次最多导入 3 人。请分成几个文件，或联系受理机关"]
    assert len(reading.rows) == 3


def test_many_rows_come_with_progress() -> None:
    seen: list[tuple[int, int]] = []
    reading = read(workbook([line(number) for number in range(900)]), progress=lambda *at: seen.append(at))
    assert len(reading.rows) == 900
    assert seen == [(499, 900), (900, 900)]


def test_columns_that_a_row_does_not_need() -> None:
    reading = read(
        workbook(
            [
                line(1, insured="否", insurance_no="x"),
                line(2, insured="是", insurance_no="N1"),
                line(3, insured="是"),
                line(4, insured=True, insurance_no="N2"),
            ]
        )
    )
    assert [row.errors for row in reading.rows] == [{}, {}, {"insurance_no": "没有填写：请填写参保编号"}, {}]
    assert [row.values.get("insurance_no") for row in reading.rows] == [None, "N1", None, "N2"]


def test_ages_on_the_day() -> None:
    young, old = line(1, id_number=id_number(1, "20120101")), line(2, id_number=id_number(2, "19600101"))
    reading = read(workbook([young, old]))
    assert reading.rows[0].errors["id_number"].startswith("未满 16 周岁")
    assert reading.rows[1].warnings["id_number"].startswith("已满 60 周岁")


def test_days_from_1904_are_not_guessed() -> None:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"date_1904": True})
    page = book.add_worksheet("花名册")
    page.write_row(0, 0, LABELS)
    page.write_row(1, 0, [one or "" for one in line(1, start=44620).values()])
    page.write_row(2, 0, [one or "" for one in line(2).values()])
    page.write_row(3, 0, ["王小明"])
    book.close()
    rows = read(buffer.getvalue()).rows
    assert rows[0].errors["start"].startswith("日期格式不对：填的是“44620（1904 年起算的序号）”")
    assert rows[1].ok
    assert "没有填写：请填写合同开始" in rows[2].errors["start"]


def test_checks_handed_in_see_all_rows() -> None:
    definition = load_roster(
        "title: 册\ncolumns: [{key: a, label: 甲}]\nrow_checks: [known_person]", "roster.yaml"
    )
    data = saved(workbook([{"a": "x"}, {"a": "y"}], labels=["甲"]))

    def known_person(rows: list[Row]) -> None:
        rows[1].add_error("a", "查无此人：请核对")

    reading = read_roster(definition, data, today=TODAY, extra_checks={"known_person": known_person})
    assert [row.errors for row in reading.rows] == [{}, {"a": "查无此人：请核对"}]
    with pytest.raises(CatalogueError, match="没有提供“known_person”这项检查"):
        read_roster(definition, data, today=TODAY)


def test_what_is_no_spreadsheet_is_refused() -> None:
    with pytest.raises(SheetRefused, match="程序文件"):
        read(b"MZ renamed")
    with pytest.raises(SheetRefused, match="表格内部已损坏"):
        read(repacked(saved(workbook([line(1)])), {SHEET: b"<broken"}))


def test_reading_takes_no_longer_than_allowed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    slow = tmp_path / "slow.py"
    slow.write_text("import time; time.sleep(60)")
    monkeypatch.setattr(sheet_process, "_READER", slow)
    started = time.monotonic()
    with pytest.raises(SheetRefused, match="读取表格超过 1 秒，已停止"):
        read(workbook([line(1)]), bounds=Bounds(seconds=1))
    assert time.monotonic() - started < 10


def test_a_process_that_dies_is_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    dead = tmp_path / "dead.py"
    dead.write_text("")
    monkeypatch.setattr(sheet_process, "_READER", dead)
    with pytest.raises(SheetRefused, match="读取表格时出错，可能是文件过大或结构异常"):
        read(repacked(saved(workbook([line(1)])), {"xl/media/photo.jpg": os.urandom(300_000)}))


def test_reading_takes_no_more_memory_than_allowed() -> None:
    book = workbook([line(number) for number in range(200)])
    book["花名册"]["XFD9"] = "x"
    with pytest.raises(SheetRefused, match="读取表格时出错，可能是文件过大或结构异常"):
        read(book, bounds=Bounds(memory=120 * 1024 * 1024))
