"""Stored files: outside the web root, under random names, encrypted, accepted by content and never by name.

A file is written before the row that names it commits; a crash in between leaves a file without a row, which
``sweep`` removes after a day.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import unicodedata
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Integer, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from workflows.base.clock import now
from workflows.base.errors import Invalid, NotFound
from workflows.base.model import Base, Identifier, UtcDateTime
from workflows.base.privacy import EncryptedText, keyring, unseal

#: Largest upload, in bytes.
MAX_BYTES = 20 * 1024 * 1024

PDF, JPEG, PNG = "application/pdf", "image/jpeg", "image/png"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
#: What a person may attach to a case, and a browser may show.
ATTACHMENTS = frozenset({PDF, JPEG, PNG})
_NAMES = {PDF: "PDF", JPEG: "JPG", PNG: "PNG"}


class StoredFile(Base):
    """A file's row. ``sha256`` is of the plain bytes."""

    __tablename__ = "stored_files"

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    token: Mapped[str] = mapped_column(String(43), unique=True)
    name: Mapped[str] = mapped_column(EncryptedText)
    media_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int] = mapped_column(Integer)
    sha256: Mapped[str] = mapped_column(String(64))
    stored_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    stored_by: Mapped[int | None] = mapped_column(Identifier)


class FileStore:
    """The folder of the stored files.

    :param root: outside the web root; created when missing.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)

    def _path(self, token: str) -> Path:
        return self.root / token[:2] / token

    def put(
        self, session: Session, content: bytes, name: str, media_type: str, by: int | None = None
    ) -> StoredFile:
        """Encrypt and keep ``content``; flushes its row."""
        token = secrets.token_urlsafe(32)
        path = self._path(token)
        path.parent.mkdir(exist_ok=True)
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(keyring().encrypt(content))
            file.flush()
            os.fsync(file.fileno())
        _keep_name(path.parent)
        row = StoredFile(
            token=token,
            name=clean_name(name),
            media_type=media_type,
            size=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            stored_by=by,
        )
        session.add(row)
        session.flush()
        return row

    def attach(
        self,
        session: Session,
        content: bytes,
        name: str,
        by: int | None,
        allowed: frozenset[str] = ATTACHMENTS,
    ) -> StoredFile:
        """Keep what a person uploaded, if its content is of an allowed kind; raises ``Invalid`` in Chinese."""
        if not content:
            raise Invalid("文件是空的，请重新选择。")
        if len(content) > MAX_BYTES:
            raise Invalid(f"文件超过 {MAX_BYTES // 1024 // 1024} 兆，请压缩后再上传。")
        kind = sniff(content)
        if kind is None or kind not in allowed:
            names = "、".join(name for one, name in _NAMES.items() if one in allowed)
            instead = "请另存为 PDF 或拍照后上传。" if PDF in allowed else "请拍照，或者另存为图片后上传。"
            raise Invalid(f"只接受 {names} 文件（按文件内容判断，改扩展名无效）。{instead}")
        return self.put(session, content, name, kind, by)

    def read(self, row: StoredFile) -> bytes:
        """The plain bytes; raises ``NotFound`` when the file is gone and ``Invalid`` when it was altered."""
        try:
            content = unseal(self._path(row.token).read_bytes())
        except FileNotFoundError:
            raise NotFound("文件不在存储目录中，请联系管理员从备份恢复。") from None
        if hashlib.sha256(content).hexdigest() != row.sha256:
            raise Invalid("文件内容与登记的摘要不一致，可能已损坏，请联系管理员。")
        return content

    def orphans(self, session: Session, older_than: timedelta = timedelta(days=1)) -> list[Path]:
        """Files that no row names, left by a crash before the commit.

        :param older_than: by the machine's own time; a younger one's row may be about to commit.
        """
        limit = datetime.now(UTC).timestamp() - older_than.total_seconds()
        old = [path for path in self.root.glob("??/*") if path.stat().st_mtime < limit]
        known = set(session.scalars(select(StoredFile.token)))
        return sorted(path for path in old if path.name not in known)


def _keep_name(folder: Path) -> None:
    """A file whose name a power cut takes is as lost as one without content."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sniff(content: bytes) -> str | None:
    """The media type that the content itself shows, or ``None``."""
    if content.startswith(b"%PDF-") and b"%%EOF" in content[-2048:]:
        return PDF
    if content.startswith(b"\xff\xd8\xff"):
        return JPEG
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    return None


def clean_name(name: str) -> str:
    """A file name to show: no path, no control, NUL or direction marks, 120 characters at most."""
    base = name.replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join(c for c in base if unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Co", "Cn"})
    kept = kept.strip(". ") or "未命名"
    stem, dot, ending = kept.rpartition(".")
    if len(kept) <= 120:
        return kept
    return f"{stem[:100]}{dot}{ending[:10]}" if dot else kept[:110]
