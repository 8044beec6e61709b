"""The child process that turns templates into PDFs. Run as ``python -m workflows.documents.render_child``.

It has no database, no keys and a bare environment; it reads jobs from its standard input and answers on its standard
output, one length-prefixed frame each, until its input ends. Whatever a template or an unlucky layout does to it, the
parent (:mod:`workflows.documents.render_process`) only loses a child.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import resource
import signal
import struct
import sys
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

import jinja2
import weasyprint
from jinja2.sandbox import ImmutableSandboxedEnvironment
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import FatalURLFetchingError, URLFetcher

from workflows.documents import wording
from workflows.documents.qr import qr_data_uri

#: Every frame starts with its kind and its length.
HEADER = struct.Struct(">cI")
JOB, PDF, FAILED, READY = b"J", b"P", b"F", b"R"
#: Largest job and largest PDF in bytes.
LARGEST_FRAME = 64_000_000

_WARM_UP = "<html lang=zh-CN><body style='font-family:serif'>稳岗通 <b>0123456789</b>〔〕—"
#: Makes a relative address a forbidden one: without a base WeasyPrint would leave the picture out and say nothing.
_BASE = "template:///"
_FONTS = FontConfiguration()
_FETCHER = URLFetcher(allowed_protocols={"data"}, allow_redirects=False, fail_on_errors=True)


class Loader(jinja2.BaseLoader):
    """Templates of one process and the shared ones; no other file of the machine has a name here."""

    def __init__(self, root: Path, shared: Path, process: str) -> None:
        self.folders = {f"{process}/documents": root / process / "documents", "shared/documents": shared}

    def get_source(
        self, environment: jinja2.Environment, template: str
    ) -> tuple[str, str, Callable[[], bool]]:
        """See Jinja2."""
        for prefix, folder in self.folders.items():
            path = (folder / template.removeprefix(f"{prefix}/")).resolve()
            inside = template.startswith(f"{prefix}/") and path.is_relative_to(folder.resolve())
            if inside and path.suffix == ".html" and path.is_file():
                return path.read_text("utf-8"), str(path), _unchanged(path)
        raise jinja2.TemplateNotFound(template)


def _unchanged(path: Path) -> Callable[[], bool]:
    """Asked by Jinja2 before it uses a compiled template again."""
    changed = path.stat().st_mtime_ns
    return lambda: path.stat().st_mtime_ns == changed


def chapters(rows: list[dict[str, Any]], key: str = "title") -> list[dict[str, Any]]:
    """Neighbouring rows that share a value, put together in order: ``[{"title": …, "rows": […]}]``."""
    groups: list[dict[str, Any]] = []
    for row in rows:
        if not groups or groups[-1]["title"] != row[key]:
            groups.append({"title": row[key], "rows": []})
        groups[-1]["rows"].append(row)
    return groups


def ordinal(text: str, index: int, count: int) -> str:
    """``（一）text`` where there are several, the bare text where there is one."""
    return f"（{wording.small_words(index)}）{text}" if count > 1 else text


def paired(fields: list[dict[str, str]], width: int = 18) -> list[list[dict[str, str]]]:
    """Fields of a form in rows: two short ones side by side, one whose label or value is longer than
    ``width`` characters by itself."""
    rows: list[list[dict[str, str]]] = []
    open_row = False
    for field in fields:
        short = max(len(field["label"]), len(field["value"])) <= width and "\n" not in field["value"]
        if short and open_row:
            rows[-1].append(field)
            open_row = False
        else:
            rows.append([field])
            open_row = short
    return rows


@lru_cache(maxsize=32)
def environment(root: Path, shared: Path, process: str) -> jinja2.Environment:
    """The sandbox of one process's templates: autoescaped, strict about names, nothing to call but our filters."""
    sandbox = ImmutableSandboxedEnvironment(
        loader=Loader(root, shared, process),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    sandbox.globals = {"range": sandbox.globals["range"]}
    sandbox.filters.update(
        cn_date=wording.cn_date,
        formal_date=wording.formal_date,
        yuan=wording.yuan,
        yuan_words=wording.yuan_words,
        chapters=chapters,
        ordinal=ordinal,
        paired=paired,
        qr=qr_data_uri,
    )
    return sandbox


@lru_cache(maxsize=64)
def _stylesheet(path: Path, changed: int) -> Any:
    """A parsed style sheet, parsed again when its file changed (an office edits a template while the worker runs)."""
    return weasyprint.CSS(string=path.read_text("utf-8"), font_config=_FONTS, url_fetcher=_FETCHER)


def html_of(job: dict[str, Any]) -> str:
    """The job's template filled in.

    :param job: ``root``, ``shared``, ``process``, ``name``, ``kind``, ``context`` as the parent sends them.
    """
    sandbox = environment(Path(job["root"]), Path(job["shared"]), job["process"])
    return sandbox.get_template(f"{job['process']}/documents/{job['name']}/template.html").render(
        job["context"]
    )


def stylesheets_of(job: dict[str, Any]) -> list[Any]:
    """The house style, the one of its kind, and the document's own, parsed."""
    shared = Path(job["shared"])
    own = Path(job["root"]) / job["process"] / "documents" / job["name"] / "style.css"
    paths = [shared / "gbt9704.css", shared / f"{job['kind']}.css", own]
    return [_stylesheet(path, path.stat().st_mtime_ns) for path in paths if path.is_file()]


def pdf_of(job: dict[str, Any]) -> bytes:
    """The job as a PDF: the same bytes for the same job, on the same fonts and libraries."""
    html = weasyprint.HTML(string=html_of(job), base_url=_BASE, url_fetcher=_FETCHER)
    # The identifier `True` is a digest of the content; dates come from the template's <meta>, that is the context.
    pdf: bytes = html.write_pdf(
        stylesheets=stylesheets_of(job), font_config=_FONTS, pdf_identifier=True, custom_metadata=False
    )
    return pdf


def answer(job: dict[str, Any]) -> tuple[bytes, bytes]:
    """Frame kind and payload for a job; a failure is told by kind and place, never by a value of the context."""
    try:
        return PDF, pdf_of(job)
    except jinja2.TemplateError as error:
        return FAILED, f"{type(error).__name__}: {error.message}{_template_line(error)}".encode()
    except FatalURLFetchingError:
        return FAILED, b"FatalURLFetchingError"
    except Exception as error:
        return FAILED, type(error).__name__.encode()


def _template_line(error: BaseException) -> str:
    """``(file:line)`` of the innermost template frame."""
    place = ""
    trace = error.__traceback__
    while trace:
        path = trace.tb_frame.f_code.co_filename
        if path.endswith(".html"):
            place = f" ({Path(path).parent.name}/{Path(path).name}:{trace.tb_lineno})"
        trace = trace.tb_next
    return place


def read_frame(source: IO[bytes]) -> tuple[bytes, bytes] | None:
    """The next frame, or None when the input ends, breaks off or is too large to be true."""
    header = source.read(HEADER.size)
    if len(header) < HEADER.size:
        return None
    kind, length = HEADER.unpack(header)
    if length > LARGEST_FRAME:
        return None
    payload = source.read(length)
    return (kind, payload) if len(payload) == length else None


def write_frame(target: IO[bytes], kind: bytes, payload: bytes) -> None:
    """Send one frame."""
    target.write(HEADER.pack(kind, len(payload)) + payload)
    target.flush()


def serve(source: IO[bytes], target: IO[bytes]) -> None:
    """Answer jobs until the input ends. After a memory or recursion error the child ends: its state is not trusted."""
    weasyprint.HTML(string=_WARM_UP, url_fetcher=_FETCHER).write_pdf(font_config=_FONTS)
    gc.collect()
    gc.freeze()
    write_frame(target, READY, b"")
    while frame := read_frame(source):
        job = json.loads(frame[1])
        # If the parent is gone or stuck, the child's own alarm (default action: die) ends an endless layout.
        signal.setitimer(signal.ITIMER_REAL, job["seconds"] + 1.0)
        kind, payload = answer(job)
        signal.setitimer(signal.ITIMER_REAL, 0)
        write_frame(target, kind, payload)
        if payload in (b"MemoryError", b"RecursionError"):
            return
        del job, frame, payload
        gc.collect()


def confine(memory: int) -> None:  # pragma: no cover - only in the child, whose limits a test reads
    """No core file, no file written, few descriptors, bounded memory (bytes of address space)."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def main() -> None:  # pragma: no cover - only in the child
    """Entry of the child: the frames keep the real standard output, prints of libraries go nowhere."""
    target = os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    logging.getLogger("weasyprint").setLevel(logging.CRITICAL)
    confine(int(sys.argv[1]))
    serve(sys.stdin.buffer, target)


if __name__ == "__main__":  # pragma: no cover - only in the child
    main()
