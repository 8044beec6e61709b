"""What is on the papers: looked up in the PDF itself."""

from __future__ import annotations

import copy
import hashlib
import itertools
import re
from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader

from tests.documents.conftest import MakeTemplate, pages_of
from tests.documents.test_templates import PAPERS
from workflows.documents.fonts import RARE_CHARACTERS
from workflows.documents.render import render
from workflows.documents.render_process import RenderProcess
from workflows.documents.templates import DocumentTemplate, load_template

POINT = 25.4 / 72
LONG_NAME = (
    "梨树县郭家店镇青堆子村老山头屯丰禾粘玉米杂粮种植加工仓储物流农民专业合作社联合社（普通合伙）第二分社"
)


@pytest.fixture(scope="module")
def printed(press: RenderProcess) -> dict[tuple[str, str], bytes]:
    """Every paper from its sample, printed once."""
    return {key: _print(press, load_template(*key)) for key in sorted(PAPERS)}


def _print(press: RenderProcess, template: DocumentTemplate, **changes: Any) -> bytes:
    return render(template, {**copy.deepcopy(dict(template.sample)), **changes}, press)


@pytest.mark.parametrize("key", sorted(PAPERS), ids="/".join)
def test_a_paper_says_who_what_when_and_how_to_verify(
    key: tuple[str, str], printed: dict[tuple[str, str], bytes]
) -> None:
    sample = load_template(*key).sample
    pages = pages_of(printed[key])
    text = "".join(pages)
    assert sample["title"] in text
    for office in sample["offices"]:
        assert office in text
    assert ("二〇二六年十一月" if key[1] == "certificate" else "2026年11月") in text
    for part in (sample["verify_url"], sample["verify_code"], "扫码验真", "电子签名"):
        assert part in text
    reference = (sample["number"] or sample["case_number"]).replace(" ", "")
    for number, page in enumerate(pages, 1):
        assert f"{reference}·存证码{sample['chain_head'][:12]}·第{number}页共{len(pages)}页" in page
        assert "演示数据·无法律效力" in page
    assert "（虚构依据，仅供演示）" in text or "虚构" in text


@pytest.mark.parametrize("key", sorted(PAPERS), ids="/".join)
def test_a_paper_is_set_in_chinese_type_on_a4(
    key: tuple[str, str], printed: dict[tuple[str, str], bytes]
) -> None:
    reader = PdfReader(BytesIO(printed[key]))
    fonts = {
        re.sub(r"^[A-Z]{6}\+", "", str(font.get_object()["/BaseFont"]).lstrip("/"))
        for page in reader.pages
        for font in page["/Resources"]["/Font"].values()
    }
    assert fonts
    for font in fonts:
        assert re.match(r"(Noto-(Serif|Sans)-CJK-SC|FangSong|SimHei|SimSun|FZ|方正|仿宋)", font), fonts
    for page in reader.pages:
        sides = sorted(
            (round(float(page.mediabox.width) * POINT), round(float(page.mediabox.height) * POINT))
        )
        assert sides == [210, 297]


@pytest.mark.parametrize("name", ["correction_notice", "not_accepted", "refusal", "rectification_notice"])
def test_an_adverse_paper_has_facts_basis_remedies_and_a_receipt(
    name: str, printed: dict[tuple[str, str], bytes]
) -> None:
    template = load_template("workshop_recognition", name)
    *letter, receipt = pages_of(printed["workshop_recognition", name])
    text = "".join(letter)
    for item in template.sample["basis"]:
        assert item["number"] in text
    for fact in template.sample.get("facts", []):
        assert fact in text
    for remedy in template.sample["remedies"]:
        assert remedy in text
    for defect in template.sample.get("defects", []):
        assert defect["problem"] in text
        assert defect["action"] in text
    assert template.sample["inquiry"]["phone"] in text
    assert "送达回证" in receipt
    assert template.sample["employer"]["name"] in receipt


def test_the_approval_form_has_a_page_each_and_only_masked_numbers(
    printed: dict[tuple[str, str], bytes],
) -> None:
    application, opinions, reasons, roster = pages_of(printed["workshop_recognition", "approval_form"])
    assert "就业帮扶车间认定审批表" in application
    assert "统一社会信用代码" in application
    assert "青堆子村民委员会（签字、盖章）" in opinions
    assert "材料齐全" in opinions
    assert "赵春生2026年10月13日" in opinions
    assert "吸纳人数不符合" in reasons
    assert "headcount_below_three" not in reasons  # a name for programs, not for readers
    assert "220322********1226" in roster
    assert "12,600.00" in roster
    assert not re.search(r"\d{17}[\dX]", application + opinions + reasons + roster)


def test_the_wall_sheet_fits_on_one_page(printed: dict[tuple[str, str], bytes]) -> None:
    (page,) = pages_of(printed["workshop_recognition", "publicity_sheet"])
    assert "2026年11月10日至2026年11月16日（5个工作日）" in page
    assert "异议" in page


def test_rare_characters_of_names_are_printed_as_they_are(
    press: RenderProcess, make_template: MakeTemplate
) -> None:
    template = make_template("<p>{{ title }}</p>")
    assert RARE_CHARACTERS in pages_of(_print(press, template, title=RARE_CHARACTERS))[0]


def test_a_real_paper_carries_no_demonstration_mark(press: RenderProcess) -> None:
    template = load_template("workshop_review", "restoration")
    basis = [dict(item, fictional=False) for item in template.sample["basis"]]
    text = "".join(pages_of(_print(press, template, demonstration=False, basis=basis)))
    assert "演示" not in text
    assert "恢复" in text


def test_long_names_long_opinions_and_sixty_rows_stay_on_the_paper(press: RenderProcess) -> None:
    template = load_template("workshop_recognition", "approval_form")
    sample = copy.deepcopy(dict(template.sample))
    opinion = "经审核，劳动合同、工资发放凭证、花名册与现场核查情况一致，间歇式务工有台账可查。" * 13
    for row in sample["opinions"][1:]:
        row["text"] = opinion
    roster = [dict(row, name=f"{row['name']}{n}") for n in range(12) for row in sample["roster"]]
    pdf = _print(
        press,
        template,
        opinions=sample["opinions"],
        roster=roster,
        employer=dict(sample["employer"], name=LONG_NAME),
    )
    pages = pages_of(pdf)
    text = "".join(pages)
    assert text.count(opinion[:30]) >= 6
    assert LONG_NAME in text
    assert all(row["name"] in text for row in roster)
    header = "序号姓名身份证号码"
    rows = [page for page in pages if "220322********" in page and "存证码" in page and header in page]
    assert len(rows) >= 3, "the header is repeated on each page of the roster"
    for page in PdfReader(BytesIO(pdf)).pages:
        right = float(page.mediabox.width) - 20 / POINT
        assert max(x for x, _, _ in _spots(page)) < right


def test_the_certificate_holds_names_of_fifty_characters(press: RenderProcess) -> None:
    template = load_template("workshop_recognition", "certificate")
    workshop = dict(template.sample["workshop"], name=LONG_NAME + "就业帮扶车间")
    (page,) = pages_of(
        _print(press, template, workshop=workshop, employer=dict(template.sample["employer"], name=LONG_NAME))
    )
    assert page.count(LONG_NAME) == 2


def test_a_signature_never_stands_alone_on_a_page(press: RenderProcess) -> None:
    template = load_template("workshop_review", "restoration")
    for lines in range(16, 20):
        pages = pages_of(_print(press, template, facts=[f"第{n}项事实。" for n in range(lines)]))
        last = pages[-1]
        assert "联系单位" in last or "项事实" in last, f"{lines} facts"


def test_text_from_people_is_text(press: RenderProcess, make_template: MakeTemplate) -> None:
    template = make_template("<p>{{ title }}</p>")
    typed = "<b>甲</b>&lt;{{7*7}}<img/src=file:///etc/passwd>"
    assert typed in pages_of(_print(press, template, title=typed))[0]


# GB/T 9704-2012 ------------------------------------------------------------------------------------------------


def _spots(page: Any) -> list[tuple[float, float, str]]:
    """Where text starts: x and y in points from the lower left corner."""
    spots: list[tuple[float, float, str]] = []

    def visit(text: str, matrix: list[float], line: list[float], _font: Any, _size: float) -> None:
        if text.strip():
            a, _, _, d, e, f = matrix
            spots.append((a * line[4] + e, d * line[5] + f, text.strip()))

    page.extract_text(visitor_text=visit)
    return spots


def test_the_type_area_has_22_lines_of_28_characters(
    press: RenderProcess, make_template: MakeTemplate
) -> None:
    template = make_template('<p class="plain">{{ title }}</p>')
    first, second = PdfReader(BytesIO(_print(press, template, title="国" * (28 * 24)))).pages
    lines = [spot for spot in _spots(first) if "国" in spot[2]]
    assert "".join(line for _, _, line in lines).count("国") == 28 * 22
    assert sum(text.count("国") for _, _, text in _spots(second)) == 28 * 2
    heights = sorted({round(y, 2) for _, y, text in lines}, reverse=True)
    assert len(heights) == 22
    pitches = [above - below for above, below in itertools.pairwise(heights)]
    assert all(abs(pitch - 28.99) < 0.05 for pitch in pitches), pitches
    # Binding side 28 mm; the first line's box begins 37 mm from the top, the last ends 35 mm from the bottom.
    assert min(x for x, _, _ in lines) * POINT == pytest.approx(28, abs=0.3)
    top = float(first.mediabox.height)
    assert (top - heights[0]) * POINT == pytest.approx(37 + 0.68 * 28.99 * POINT, abs=1.5)
    assert heights[-1] * POINT == pytest.approx(35 + 0.32 * 28.99 * POINT, abs=1.5)


def test_page_numbers_stand_outside_between_dashes(printed: dict[tuple[str, str], bytes]) -> None:
    first, second, *_ = PdfReader(BytesIO(printed["workshop_recognition", "refusal"])).pages
    (odd,) = [x for x, y, text in _spots(first) if text.startswith("—") and y * POINT < 35]
    (even,) = [x for x, y, text in _spots(second) if text.startswith("—") and y * POINT < 35]
    assert odd * POINT > 150
    assert even * POINT < 40


# The same bytes -------------------------------------------------------------------------------------------------


def test_the_same_context_gives_the_same_bytes_in_another_process(
    printed: dict[tuple[str, str], bytes],
) -> None:
    other = RenderProcess(jobs=1)
    try:
        key = ("workshop_recognition", "certificate")
        assert _sha(_print(other, load_template(*key))) == _sha(printed[key])
        assert other.pid is None, "a child is replaced after its share of papers"
    finally:
        other.close()


def test_dates_inside_the_pdf_are_those_of_the_context(printed: dict[tuple[str, str], bytes]) -> None:
    information = PdfReader(BytesIO(printed["workshop_recognition", "refusal"])).metadata
    assert information is not None
    assert information["/CreationDate"] == information["/ModDate"]
    assert str(information["/CreationDate"]).startswith("D:20261124")
    assert information.title == "不予认定就业帮扶车间决定书"


def _sha(pdf: bytes) -> str:
    return hashlib.sha256(pdf).hexdigest()
