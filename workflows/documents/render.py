"""From a template and its context to a PDF."""

from __future__ import annotations

import atexit
from collections.abc import Mapping
from functools import cache
from typing import Any

from workflows.documents.errors import DocumentError
from workflows.documents.qr import qr_data_uri
from workflows.documents.render_process import RenderProcess
from workflows.documents.schema import printable
from workflows.documents.templates import FORMS, DocumentTemplate

__all__ = ["DocumentTemplate", "render", "renderer"]

_UNFIT = "文书数据不完整或者类型有误，没有生成文书。请联系系统管理员检查模板与数据。"


@cache
def renderer() -> RenderProcess:
    """The render process that this program shares. ``renderer().warm()`` starts it early, in the worker."""
    process = RenderProcess()
    atexit.register(process.close)
    return process


def render(
    template: DocumentTemplate, context: Mapping[str, Any], process: RenderProcess | None = None
) -> bytes:
    """Fill in and lay out a document. The same context gives the same bytes (on the same fonts and libraries).

    :param context: data only, exactly the keys of ``template.context``; the QR is drawn here from ``verify_url``.
    :param process: another render process than the shared one.
    :raises DocumentError: the context does not fit, the template is broken, or layout failed or was late.
    """
    return (process or renderer()).run(job_of(template, context))


def job_of(template: DocumentTemplate, context: Mapping[str, Any]) -> dict[str, Any]:
    """The checked job that a render child takes: names of folders, and primitives.

    :raises DocumentError: the context does not fit; ``detail`` names the keys.
    """
    if problems := template.problems(context):
        raise DocumentError(_UNFIT, f"{template.process}/{template.name}: " + "; ".join(problems))
    clean = printable(context)
    try:
        clean["qr"] = qr_data_uri(clean["verify_url"])
    except ValueError as error:
        raise DocumentError(_UNFIT, f"{template.process}/{template.name}: verify_url: {error}") from error
    return {
        "root": str(template.root),
        "shared": str(FORMS / "shared/documents"),
        "process": template.process,
        "name": template.name,
        "kind": template.kind,
        "context": clean,
    }
