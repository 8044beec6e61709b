"""Files of a case, for whoever may see it: materials as uploaded, documents as issued."""

from __future__ import annotations

from urllib.parse import quote

from flask import Blueprint, Response, request

from webapp.access import allow, page_actor
from webapp.database import reading
from workflows.base.errors import NotFound
from workflows.base.files import ATTACHMENTS, PDF, StoredFile
from workflows.base.installation import installation
from workflows.cases.access import case_facts
from workflows.cases.attachments import opened
from workflows.cases.model import Case
from workflows.documents.model import IssuedDocument
from workflows.organisations.permissions import require

bp = Blueprint("files", __name__)

#: What somebody uploaded stands alone: no script, no form, nothing fetched, no part in our pages.
_ALONE = "default-src 'none'; img-src 'self'; frame-ancestors 'none'; sandbox"
#: A browser's own PDF viewer does not start in a sandbox; a PDF has no access to the page's origin anyway.
_PDF = "default-src 'none'; object-src 'self'; frame-ancestors 'none'"


@bp.get("/files/<int:attachment_id>")
@allow("officer", "auditor", "employer")
def attachment(attachment_id: int) -> Response:
    """A material: shown by the browser when it is a picture or a PDF, else (or when asked) downloaded."""
    file, content = opened(reading(), page_actor(), attachment_id)
    return send(file, content, download="download" in request.args)


@bp.get("/documents/<int:document_id>/pdf")
@allow("officer", "auditor", "employer")
def document(document_id: int) -> Response:
    """A document, byte for byte as signed."""
    session = reading()
    row = session.get(IssuedDocument, document_id)
    case = session.get(Case, row.case_id) if row is not None else None
    if row is None or case is None:
        raise NotFound("没有这份文书。")
    require(page_actor(), "document.download", case_facts(session, case))
    if row.file is None:
        raise NotFound("文书正在生成，请稍后刷新页面再下载。")
    return send(row.file, installation().files.read(row.file), download="download" in request.args)


def send(file: StoredFile, content: bytes, *, download: bool) -> Response:
    """A stored file as an answer that can do nothing in our pages."""
    return send_bytes(content, file.name, file.media_type, download=download)


def send_bytes(content: bytes, name: str, media_type: str, *, download: bool) -> Response:
    """Bytes as a file of that name: shown when asked for and harmless, else downloaded."""
    shown = media_type in ATTACHMENTS and not download
    response = Response(content, mimetype=media_type if shown else "application/octet-stream")
    kind = "inline" if shown else "attachment"
    response.headers["Content-Disposition"] = f"{kind}; filename*=UTF-8''{quote(name, safe='')}"
    response.headers["Content-Security-Policy"] = _PDF if shown and media_type == PDF else _ALONE
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
