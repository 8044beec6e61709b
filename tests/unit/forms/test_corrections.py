"""The annotated copy, and what a corrected upload replaces, keeps and adds."""

from __future__ import annotations

import io
from typing import Any

import openpyxl
import pytest

from forms.annotate import annotated
from forms.corrections import merge_correction
from forms.rows import Row
from forms.sheets import RosterReading, read_roster
from tests.unit.forms.people import TODAY, VILLAGES, id_number, line, roster, saved, workbook

ROSTER = roster()


def read(lines: list[dict[str, Any]] | bytes) -> RosterReading:
    data = lines if isinstance(lines, bytes) else saved(workbook(lines, above=[["标题"], ["说明"]]))
    return read_roster(ROSTER, data, today=TODAY, lists=VILLAGES)


def page_of(data: bytes) -> Any:
    return openpyxl.load_workbook(io.BytesIO(data))["花名册"]


BAD = "220822199001011234"


def test_bad_cells_are_coloured_and_explained() -> None:
    reading = read([line(1), line(2, id_number=BAD, village="北村"), line(3, phone="13804380001")])
    page = page_of(annotated(ROSTER, reading.rows, title="东升服装厂", lists=VILLAGES))
    assert [page.cell(3, column).value for column in (1, 2, 3)] == ["问题说明", "序号", "姓名*"]
    assert page["A5"].value == "\n".join(
        [
            "身份证号：身份证号校验不通过：填的是 220822********1234，可能输错了一位，请对照身份证重填",
            "户籍村：不在可选范围内：填的是“北村”，只能填：东升村、西岭村",
        ]
    )
    assert page["D5"].fill.start_color.rgb == "FFF8CBAD"
    assert page["D5"].value == BAD
    assert page["D5"].comment.text.startswith("身份证号校验不通过")
    assert page["D4"].comment is None
    assert page["G6"].fill.start_color.rgb == "FFFFE699"
    assert page["A6"].value.startswith("（请核对）联系电话：联系电话与他人相同")


def test_rows_keep_their_numbers() -> None:
    reading = read([line(1), line(2, id_number=BAD)])
    again = read(annotated(ROSTER, reading.rows))
    assert [row.number for row in again.rows] == [row.number for row in reading.rows] == [4, 5]
    early = read_roster(ROSTER, saved(workbook([line(1)])), today=TODAY, lists=VILLAGES)
    assert early.rows[0].number == 2
    assert [row.number for row in read(annotated(ROSTER, early.rows)).rows] == [4]


def test_comments_end_where_they_grow_heavy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forms.annotate.MOST_COMMENTS", 1)
    page = page_of(annotated(ROSTER, read([line(1, id_number="1"), line(2, id_number="2")]).rows))
    assert page["D4"].comment is not None
    assert page["D5"].comment is None
    assert page["A5"].value.startswith("身份证号：")


@pytest.mark.parametrize("text", ['=HYPERLINK("http://x")', "+1", "-1", "@x"])
def test_nothing_becomes_a_formula(text: str) -> None:
    row = Row(4, raw={"name": text}, errors={"name": text, "village": "=1"})
    data = annotated(ROSTER, [row])
    page = page_of(data)
    assert page["C4"].value == f"'{text}"
    assert all(cell.data_type != "f" for cells in page.iter_rows() for cell in cells)
    assert not page["A4"].value.startswith(("=", "+", "-", "@"))
    assert read(data).rows[0].raw["name"] == text


def test_an_empty_copy() -> None:
    assert read(annotated(ROSTER, [])).empty


def test_the_annotated_copy_corrected_and_uploaded() -> None:
    first = read([line(1), line(2, id_number=BAD), line(3, village="北村"), line(4)])
    book = openpyxl.load_workbook(io.BytesIO(annotated(ROSTER, first.rows, lists=VILLAGES)))
    page = book["花名册"]
    page["D5"] = id_number(2)
    page["F6"] = "西岭村"
    second = read(saved(book))
    assert second.notices == []
    merged = merge_correction(ROSTER, first.rows, second.rows)
    assert merged.replaced == [5, 6]
    assert merged.kept == [4, 7]
    assert (merged.added, merged.differing, merged.waiting, merged.dropped) == ([], [], [], [])
    assert all(row.ok for row in merged.rows)
    assert merged.rows[2].values["village"] == "v2"
    assert not first.rows[1].ok, "what came in is left as it was"


def test_only_the_bad_rows_sent_in_another_order() -> None:
    first = read([line(1), line(2, id_number=BAD, name="李四"), line(3, village="北村", name="赵六")])
    second = read([line(3, name="赵六"), line(2, name="李四"), line(9, name="新来")])
    merged = merge_correction(ROSTER, first.rows, second.rows)
    assert merged.replaced == [6, 5]
    assert merged.added == [7]
    assert [row.values["name"] for row in merged.rows] == ["王小明", "李四", "赵六", "新来"]
    assert [row.number for row in merged.rows] == [4, 5, 6, 7]


def test_good_rows_are_not_overwritten_and_the_difference_is_told() -> None:
    first = read([line(1), line(2), line(3, village="北村")])
    second = read([line(1, wages="9999"), line(2), line(3)])
    merged = merge_correction(ROSTER, first.rows, second.rows)
    assert merged.differing == [4]
    assert merged.rows[0].values["wages"] == 400000


def test_the_name_was_what_was_wrong() -> None:
    first = read([line(1, name="张3", id_number=BAD), line(2, name=None, id_number="1")])
    second = read([line(1, name="张三"), line(2, name="李四")])
    assert merge_correction(ROSTER, first.rows, second.rows).replaced == [4, 5]


def test_another_person_in_the_place_of_a_bad_row_is_added() -> None:
    first = read([line(1, name="张三", id_number=BAD)])
    merged = merge_correction(ROSTER, first.rows, read([line(7, name="李四")]).rows)
    assert (merged.added, merged.waiting) == ([5], [4])


def test_a_row_without_a_number_is_found_by_its_name() -> None:
    first = read([line(1, name="张三", id_number=None), line(2)])
    merged = merge_correction(ROSTER, first.rows, read([line(3, name="赵六"), line(1, name="张三")]).rows)
    assert (merged.replaced, merged.added) == ([4], [6])


def test_two_of_one_name_are_not_confused() -> None:
    first = read([line(1, id_number=BAD), line(2, id_number="2")])
    second = read([line(8, name="赵六"), line(9, name="赵七"), line(1)])
    assert merge_correction(ROSTER, first.rows, second.rows).added == [6, 7, 8]


def test_a_double_is_put_right_by_deleting_one() -> None:
    first = read([line(1), line(1), line(2)])
    merged = merge_correction(ROSTER, first.rows, read([line(1)]).rows)
    assert merged.replaced == [4]
    assert merged.dropped == [5]
    assert all(row.ok for row in merged.rows)
    assert [row.number for row in merged.rows] == [4, 6]


def test_a_double_is_put_right_by_a_new_number() -> None:
    first = read([line(1), line(1, name="李四")])
    second = read([line(1), line(3, name="李四")])
    merged = merge_correction(ROSTER, first.rows, second.rows)
    assert merged.replaced == [4, 5]
    assert all(row.ok for row in merged.rows)


def test_a_new_double_is_found_across_uploads() -> None:
    first = read([line(1), line(2, id_number=BAD)])
    merged = merge_correction(ROSTER, first.rows, read([line(5, name="丁一"), line(5, name="丁二")]).rows)
    assert [row.number for row in merged.rows if "id_number" in row.errors] == [5, 6, 7]


def test_the_same_place_wins_among_equal_numbers() -> None:
    first = read([line(1), line(1)])
    second = read([line(9, name="新来"), line(1)])
    merged = merge_correction(ROSTER, first.rows, second.rows)
    assert merged.replaced == [5]
    assert merged.dropped == [4]


def test_into_nothing() -> None:
    merged = merge_correction(ROSTER, [], read([line(1)]).rows)
    assert merged.added == [1]
