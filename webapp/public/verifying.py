"""Is this paper genuine: by its QR code, by number and 查验码, or by the file itself."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp.access import everyone
from webapp.database import reading
from webapp.public.blueprint import bp, fleeting, form, posted, too_often
from webapp.public.signatures import check_own, check_signature
from workflows.cases.public_papers import Paper, find_paper, paper_like, paper_of
from workflows.documents.issue import same_bytes
from workflows.documents.signing import SignatureCheck

LARGEST = 5 * 1024 * 1024
#: From one address: looking up in ten minutes, comparing files in ten minutes.
LOOKUPS, FILES, TEN_MINUTES = 30, 10, 600
NOT_FOUND = "没有查到这份文书。请核对文号和查验码；仍查不到的，请与文书上写明的单位联系核实。"


@dataclass(frozen=True)
class Said:
    """One thing that the comparison says. ``tone``: success, warning or error, as of an alert."""

    tone: str
    title: str
    text: str


@dataclass(frozen=True)
class Comparison:
    """What an uploaded file is: byte for byte the one issued or not, and separately its signature."""

    file: Said
    signature: Said


@bp.route("/verify", methods=["GET", "POST"])
@everyone
def verify() -> ResponseReturnValue:
    """Look a paper up by what stands on it, or by the file."""
    if request.method == "GET":
        return _ask()
    if "file" in request.files:
        return _compare(None, "")
    parsed = posted("verify")
    if parsed.errors:
        return _ask(parsed.raw, parsed.errors, status=422)
    if message := too_often("verify", LOOKUPS, TEN_MINUTES):
        return _ask(parsed.raw, {"": message}, status=429)
    found = find_paper(reading(), str(parsed.values["number"]), str(parsed.values["code"]))
    if found is None:
        return _ask(parsed.raw, {"": NOT_FOUND}, status=422)
    return redirect(url_for("public.paper", token=found.token), 303)


@bp.route("/v/<token>", methods=["GET", "POST"])
@everyone
def paper(token: str) -> ResponseReturnValue:
    """The page behind the QR code; a file sent to it is compared with the one issued."""
    found = paper_of(reading(), token[:64])
    if request.method == "POST":
        return _compare(found, token)
    return _show(found, token)


def _ask(
    typed: dict[str, list[str]] | None = None,
    errors: dict[str, str] | None = None,
    file_error: str = "",
    status: int = 200,
) -> Response:
    return fleeting(
        render_template(
            "public/verify.html",
            form=form("verify"),
            typed=typed or {},
            errors=errors or {},
            file_error=file_error,
        ),
        status,
    )


def _show(
    found: Paper | None,
    token: str,
    *,
    result: Comparison | None = None,
    file_error: str = "",
    status: int = 200,
) -> Response:
    """An unknown paper answers 404: machines, too, must not take it for a genuine one."""
    if found is None and status == 200 and result is None:
        status = 404
    page = render_template(
        "public/paper.html", paper=found, token=token, result=result, file_error=file_error
    )
    return fleeting(page, status)


def _compare(asked: Paper | None, token: str) -> Response:
    content, problem, status = _upload()
    if problem:
        return (
            _show(asked, token, file_error=problem, status=status)
            if token
            else _ask(file_error=problem, status=status)
        )
    like = paper_like(reading(), content)
    same = asked is not None and same_bytes(asked.document, content)
    pending = asked is not None and asked.state == "pending"
    known = same or like is not None
    check = check_own(content) if known else check_signature(content)
    file = _about_file(asked, like, same=same, pending=pending)
    # without a token, or with one that nobody issued, the file alone says which paper it is
    shown = asked or like
    return _show(shown, shown.token if shown else "", result=Comparison(file, about_signature(check, known)))


def _upload() -> tuple[bytes, str, int]:
    """The file sent: content, or what is wrong with it. It is compared and forgotten."""
    upload = request.files.get("file")
    content = b""
    if upload is not None:
        content = upload.stream.read(LARGEST + 1)
        upload.close()  # a large one lies in a temporary file: gone at once
    if not content:
        return b"", "请选择要核验的 PDF 文件。", 422
    if len(content) > LARGEST:
        return b"", "文件超过 5 兆。本系统签发的文书没有这么大，请选择下载到的原文件。", 413
    if not content.startswith(b"%PDF-"):
        return b"", "这不是 PDF 文件。请选择下载到的原文件，照片和截图不能核验。", 422
    if message := too_often("verify-file", FILES, TEN_MINUTES):
        return b"", message, 429
    return content, "", 200


def _about_file(asked: Paper | None, like: Paper | None, *, same: bool, pending: bool) -> Said:
    if same or (asked is None and like is not None):
        return Said("success", "与签发的原件完全一致", "您上传的文件与本系统签发的文件一字不差。")
    if like is not None:
        return Said(
            "error",
            "不是这份文书",
            f"您上传的是本系统签发的另一份文书：{like.title}{'，' + like.number if like.number else ''}。",
        )
    if pending:
        return Said("warning", "暂时不能比对", "这份文书正在签章，还没有原件可以比对。请过几分钟再试。")
    if asked is None:
        return Said("error", "没有签发过这个文件", "本系统没有签发过与它完全相同的文件。")
    return Said(
        "error",
        "与签发的原件不一致",
        "文件只要被改动、另存、转换或者打印后重新扫描，就会不一致。请以从本系统下载的原件为准。",
    )


def about_signature(check: SignatureCheck, known: bool) -> Said:
    """What the electronic signature says, in words for somebody who never heard of one.

    :param known: the file is one that was issued here.
    """
    if not check.signed:
        return Said(
            "warning",
            "没有电子签名",
            "文件里没有电子签名，不能证明由谁签发。打印后扫描、截图拼成的文件都没有签名。",
        )
    if not check.intact:
        return Said("error", "电子签名已失效", "文件内容在签名之后被改动过，不要采信。")
    if not check.complete:
        return Said(
            "error",
            "签名之后又加了内容",
            "签名时的内容没有变，但之后有人往文件里添加或者覆盖了内容，不要采信。",
        )
    if not check.trusted:
        return Said(
            "warning" if known else "error",
            "不是本系统现在使用的签名证书",
            "签名之后内容没有改动，但签名用的证书不是本系统现在使用的证书。"
            + ("文件本身与签发的原件一致。" if known else "任何人都可以自己做一个证书，不要采信。"),
        )
    return Said(
        "success" if known else "warning",
        "电子签名完好",
        "签名用的是本系统的证书，签名之后内容没有改动。"
        + ("" if known else "但是签发记录里没有这个文件，请与文书上写明的单位联系核实。"),
    )
