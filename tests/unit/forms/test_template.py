"""The template: what a person meets in Excel, and that reading it gives nobody."""

from __future__ import annotations

import io
import re
import zipfile

import openpyxl

from forms.definition import Option, load_roster
from forms.sheet_template import template
from forms.sheets import read_roster
from tests.unit.forms.people import TODAY, VILLAGES, line, roster, saved

ROSTER = roster()


def opened(data: bytes) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(data))


def test_headings_notes_and_example() -> None:
    page = opened(template(ROSTER, title="东升服装厂花名册", lists=VILLAGES))["花名册"]
    assert page["A1"].value == "东升服装厂花名册"
    assert page["A2"].value == "一人一行，不要合并单元格。 身份证号按文本填写。"
    assert [page.cell(3, column).value for column in (1, 2, 3, 6)] == [
        "序号",
        "姓名*",
        "身份证号*",
        "联系电话",
    ]
    assert page["A4"].value == "示例"
    assert page["C4"].value == "220822199001011232"
    assert page.freeze_panes == "B4"


def test_numbers_of_persons_are_text() -> None:
    """Also below the example: the whole column is text, so that Excel keeps all 18 digits of what is typed."""
    data = template(ROSTER)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
        styles = archive.read("xl/styles.xml").decode()
    formats = re.findall(r'<xf numFmtId="(\d+)"', styles.split("<cellXfs")[1])
    columns = {
        number: formats[int(style)]
        for low, high, style in re.findall(r'<col min="(\d+)" max="(\d+)"[^>]*style="(\d+)"', sheet)
        for number in range(int(low), int(high) + 1)
    }
    assert columns[3] == columns[6] == "49", "49 is Excel's own number for text"
    assert columns[7] not in ("0", "49")


def test_drop_downs() -> None:
    page = opened(template(ROSTER, lists=VILLAGES))["花名册"]
    rules = {str(one.sqref).split(":")[0]: one for one in page.data_validations.dataValidation}
    assert rules["D4"].formula1 == '"脱贫人口,监测对象"'
    assert rules["E4"].formula1 == '"东升村,西岭村"'
    assert rules["J4"].formula1 == '"是,否"'
    assert str(rules["D4"].sqref) == "D4:D5005"
    assert rules["G4"].prompt == "合同上写的日期。日期，如 2026-11-24"


def test_long_lists_stand_on_a_hidden_sheet() -> None:
    villages = {"villages": [Option(str(number), f"某某镇第{number}村") for number in range(60)]}
    definition = load_roster(
        """
title: 册
columns:
  - {key: a, label: 村, type: choice, options_from: villages}
  - {key: b, label: 另村, type: choice, options: ["甲,乙", 丙]}
  - {key: c, label: 多选, type: multichoice, options: [甲, 乙]}
""",
        "roster.yaml",
    )
    book = opened(template(definition, lists=villages))
    rules = {str(one.sqref).split(":")[0]: one for one in book["花名册"].data_validations.dataValidation}
    assert rules["B4"].formula1 == "选项!$A$2:$A$61"
    assert rules["C4"].formula1 == "选项!$B$2:$B$3"
    assert rules["D4"].type is None or rules["D4"].type == "none"
    assert book["选项"].sheet_state == "hidden"
    assert book["选项"]["A61"].value == "某某镇第59村"


def test_the_help_sheet_explains_every_column() -> None:
    page = opened(template(ROSTER))["填写说明"]
    rows = [[cell.value for cell in row] for row in page.iter_rows()]
    assert rows[0] == ["列名", "必填", "怎么填", "示例"]
    assert rows[3] == ["人员类别", "是", "从下拉列表中选择。脱贫人口、监测对象", "脱贫人口"]
    assert len(rows) == 1 + len(ROSTER.columns)


def test_reading_the_template_finds_nobody() -> None:
    reading = read_roster(ROSTER, template(ROSTER, lists=VILLAGES), today=TODAY, lists=VILLAGES)
    assert reading.empty
    assert reading.problems == ["“花名册”里只有标题，没有人员。请从第 4 行开始填写，一人一行"]


def test_a_filled_template_is_read() -> None:
    examples = [{"name": "例一"}, {"name": "例二"}]
    book = opened(template(ROSTER, lists=VILLAGES, examples=examples))
    for column, value in enumerate([1, *line(1).values()], start=1):
        book["花名册"].cell(6, column, value)
    reading = read_roster(ROSTER, saved(book), today=TODAY, lists=VILLAGES)
    assert reading.ok, list(reading.lines(ROSTER))
    assert [row.number for row in reading.rows] == [6]
