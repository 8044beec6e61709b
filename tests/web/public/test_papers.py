"""Is this paper genuine: by its QR code, by number and 查验码, by the file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from flask import Flask
from sqlalchemy import select

from tests.web import public_world
from tests.web.client import Browser
from tests.web.public.world import upload
from tests.web.public_world import PublicWorld
from webapp.config import Settings
from webapp.public import signatures, verifying
from workflows.base.session import Database
from workflows.documents import issue, signing
from workflows.documents.model import IssuedDocument


def test_a_valid_paper_is_told_without_a_person(guest: Browser, public: PublicWorld) -> None:
    token, number, _ = public.papers["certificate"]
    page = guest.get(f"/v/{token}")
    for words in (
        "现在有效",
        "就业帮扶车间认定证书",
        number,
        "2026年3月10日",
        "通榆县乡村振兴局",
        "名录状态：有效",
    ):
        assert words in page.main
    for words in ("孙敏", "赵德厚", *(part for person in public.people for part in person)):
        assert words not in page.source


def test_a_revoked_paper_is_told(guest: Browser, public: PublicWorld, web_database: Database) -> None:
    token, _, pdf = public.papers["certificate"]
    with web_database.transaction() as session:
        row = session.scalars(select(IssuedDocument).where(IssuedDocument.token == token)).one()
        issue.revoke(session, row)
    page = guest.get(f"/v/{token}")
    assert "已经撤销，不再有效" in page.main
    assert "撤销日期2026年3月11日" in page.main
    page = upload(guest, f"/v/{token}", pdf)
    assert "已经撤销，不再有效" in page.main
    assert "与签发的原件完全一致" in page.main


def test_an_unknown_paper_is_told(guest: Browser) -> None:
    for token in ("0" * 40, "x", "a" * 300):
        assert "查无此文书" in guest.get(f"/v/{token}", status=404).main


def test_a_paper_being_sealed_is_told(guest: Browser, public: PublicWorld, web_database: Database) -> None:
    token, _, pdf = public.papers["approval_form"]
    with web_database.transaction() as session:
        row = session.scalars(select(IssuedDocument).where(IssuedDocument.token == token)).one()
        row.status, row.file_id, row.sha256 = "pending", None, None
    assert "正在签章" in guest.get(f"/v/{token}").main
    assert "暂时不能比对" in upload(guest, f"/v/{token}", pdf).main


def test_number_and_code_lead_to_the_paper(guest: Browser, public: PublicWorld) -> None:
    token, number, _ = public.papers["certificate"]
    code = token[:8]
    for typed, also in (
        (number, code.upper()),
        (number.replace("〔", "[").replace("〕", "]"), f" {code} "),
        (number.replace("〔", "（").replace("〕", "）").replace("号", " 号"), code),
        (public.recognised_number, code),
    ):
        response = guest.post("/verify", {"number": typed, "code": also})
        assert response.headers["Location"] == f"/v/{token}"


def test_a_wrong_number_or_code_is_answered_alike(guest: Browser, public: PublicWorld) -> None:
    token, number, _ = public.papers["certificate"]
    for typed, code in ((number, "00000000"), ("通榆就帮车间〔2026〕9号", token[:8]), (number, "%%%%%%%%")):
        assert guest.refused("/verify", {"number": typed, "code": code}).errors == [verifying.NOT_FOUND]
    assert len(guest.refused("/verify", {"number": "", "code": ""}).errors) == 2


def test_looking_up_is_slowed(guest: Browser, public: PublicWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verifying, "LOOKUPS", 1)
    guest.refused("/verify", {"number": "1", "code": "1"})
    assert "过于频繁" in guest.refused("/verify", {"number": "1", "code": "1"}, status=429).errors[0]


def test_the_issued_file_is_the_issued_file(guest: Browser, public: PublicWorld) -> None:
    token, _, pdf = public.papers["certificate"]
    for path in (f"/v/{token}", "/verify", f"/v/{'0' * 40}"):
        page = upload(guest, path, pdf)
        assert "与签发的原件完全一致" in page.main, path
        assert "电子签名完好" in page.main
        assert "就业帮扶车间认定证书" in page.main


def test_a_tampered_file_is_neither_issued_nor_signed(guest: Browser, public: PublicWorld) -> None:
    token, _, pdf = public.papers["certificate"]
    tampered = pdf.replace(b"595", b"596", 1)
    assert tampered != pdf
    page = upload(guest, f"/v/{token}", tampered)
    assert "与签发的原件不一致" in page.main
    assert "电子签名已失效" in page.main
    assert "现在有效" not in page.main, "no green word over a false file"
    page = upload(guest, "/verify", tampered)
    assert "没有签发过这个文件" in page.main


def test_something_added_after_the_signature_is_noticed(guest: Browser, public: PublicWorld) -> None:
    token, _, pdf = public.papers["certificate"]
    page = upload(guest, f"/v/{token}", pdf + b"\n% more\n")
    assert "与签发的原件不一致" in page.main
    assert "签名之后又加了内容" in page.main


def test_another_paper_of_ours_is_named(guest: Browser, public: PublicWorld) -> None:
    page = upload(guest, f"/v/{public.papers['joint_notice'][0]}", public.papers["certificate"][2])
    assert "不是这份文书" in page.main
    assert "另一份文书：就业帮扶车间认定证书" in page.main


def test_a_file_without_a_signature_and_one_signed_by_a_stranger(
    guest: Browser, public: PublicWorld, tmp_path: Path
) -> None:
    token = public.papers["certificate"][0]
    plain = public_world.blank_page(None, {"title": "就业帮扶车间认定证书", "verify_code": "00000000"})
    assert "没有电子签名" in upload(guest, f"/v/{token}", plain).main
    stranger = signing.load_signer(None, "", tmp_path / "stranger")
    signed = signing.sign(plain, stranger, "认定", "", public.at)
    page = upload(guest, f"/v/{token}", signed)
    assert "不是本系统现在使用的签名证书" in page.main
    assert "不要采信" in page.main


def test_signed_here_and_not_on_record_is_no_proof(
    guest: Browser, public: PublicWorld, settings: Settings
) -> None:
    plain = public_world.blank_page(None, {"title": "通知", "verify_code": "00000000"})
    signed = signing.sign(plain, signing.load_signer(None, "", settings.data_dir), "通知", "", public.at)
    page = upload(guest, "/verify", signed)
    assert "没有签发过这个文件" in page.main
    assert "签发记录里没有这个文件" in page.main


def test_a_paper_under_sm2_is_known_as_ours(
    guest: Browser, app: Flask, public: PublicWorld, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the bounded process, too, where nothing may be written and OpenSSL is another program."""
    chosen = SimpleNamespace(settings=replace(settings, crypto="gm"))
    monkeypatch.setattr(signatures, "services", lambda: chosen)
    plain = public_world.blank_page(None, {"title": "通知", "verify_code": "00000000"})
    signed = signing.sign(
        plain, signing.load_signer(None, "", settings.data_dir, "gm"), "通知", "", public.at
    )
    assert signatures.check_own(signed).trusted
    assert "签名用的是本系统的证书" in upload(guest, "/verify", signed).main
    stranger = signing.load_signer(None, "", settings.data_dir / "stranger", "gm")
    page = upload(guest, "/verify", signing.sign(plain, stranger, "通知", "", public.at))
    assert "不是本系统现在使用的签名证书" in page.main


def test_our_file_after_a_change_of_certificate(
    guest: Browser, public: PublicWorld, settings: Settings
) -> None:
    (settings.data_dir / "development-signer.p12").unlink()
    page = upload(guest, f"/v/{public.papers['certificate'][0]}", public.papers["certificate"][2])
    assert "现在有效" in page.main
    assert "文件本身与签发的原件一致" in page.main
    (settings.data_dir / "development-signer.p12").write_bytes(b"broken")
    page = upload(guest, f"/v/{public.papers['certificate'][0]}", public.papers["certificate"][2])
    assert "文件本身与签发的原件一致" in page.main


@pytest.mark.parametrize(
    ("content", "status", "words"),
    [
        (b"", 422, "请选择"),
        (b"PK\x03\x04 a spreadsheet", 422, "不是 PDF 文件"),
        (b"%PDF-1.7\n" + b"0" * 1000, 413, "超过 5 兆"),
    ],
    ids=["nothing", "no pdf", "too large"],
)
def test_unfit_files_are_refused_in_words(
    guest: Browser,
    public: PublicWorld,
    content: bytes,
    status: int,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(verifying, "LARGEST", 1000)
    for path in ("/verify", f"/v/{public.papers['certificate'][0]}", f"/v/{'0' * 40}"):
        assert words in upload(guest, path, content, status).errors[0]


def test_a_form_sent_without_a_file_is_refused_in_words(guest: Browser, public: PublicWorld) -> None:
    page = guest.refused(f"/v/{public.papers['certificate'][0]}", {"number": "1"})
    assert page.errors == ["请选择要核验的 PDF 文件。"]


def test_comparing_files_is_slowed(
    guest: Browser, public: PublicWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verifying, "FILES", 1)
    token, _, pdf = public.papers["certificate"]
    upload(guest, f"/v/{token}", pdf)
    assert "过于频繁" in upload(guest, f"/v/{token}", pdf, 429).errors[0]


def test_an_uploaded_file_is_not_kept(guest: Browser, public: PublicWorld, settings: Settings) -> None:
    def stored() -> set[Path]:
        return {path for path in settings.data_dir.rglob("*") if path.is_file()}

    before = stored()
    upload(guest, "/verify", public.papers["certificate"][2] + b"%")
    assert stored() == before


def test_a_hostile_file_costs_no_more_than_its_bounds(
    app: Flask, public: PublicWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    pdf = public.papers["certificate"][2]
    with app.app_context():
        assert signatures.check_signature(pdf).valid
        assert not signatures.check_signature(pdf, memory=48 * 1024 * 1024).valid, "too little to even begin"
        monkeypatch.setattr(signatures, "_CHILD", Path(__file__).with_name("no_such_child.py"))
        assert signatures.check_signature(pdf) == signing.SignatureCheck(signed=True)
        assert signatures.check_signature(b"%PDF-1.7") == signing.SignatureCheck()


def test_a_file_that_takes_too_long_is_given_up(
    app: Flask, public: PublicWorld, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sleeper = tmp_path / "sleeper.py"
    sleeper.write_text("import time\ntime.sleep(60)\n")
    monkeypatch.setattr(signatures, "_CHILD", sleeper)
    with app.app_context():
        assert not signatures.check_signature(public.papers["certificate"][2], seconds=-4).valid
