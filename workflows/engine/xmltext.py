"""Reading XML that anybody may have sent: no DTD, no entities, no network, no size tricks."""

from __future__ import annotations

import re
from typing import Any

from lxml import etree

from workflows.engine.errors import Problem

MAX_BYTES = 4_000_000
_DECLARATION = re.compile(r"^\ufeff?\s*<\?xml[^>]*\?>")


def parse_xml(text: str, file: str) -> Any:
    """The root element (lxml), or a :class:`Problem` when the text is not acceptable XML."""
    if len(text) > MAX_BYTES:
        return Problem.at(file, "", "超过 4 MB，不像是流程文件；请检查是否放错了文件")
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        return Problem.at(file, "", "含有 DOCTYPE 或实体声明，这可能被用来读取服务器文件；请删去后再发布")
    try:
        data = _DECLARATION.sub("", text, count=1).encode("utf-8")
        parser = etree.XMLParser(
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
            encoding="utf-8",
        )
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        where = f"第 {line} 行附近" if line else ""
        return Problem.at(file, "", f"{where}不是完整的 XML，无法打开；请用流程图编辑器重新保存")
    return root


def local(element: Any) -> str:
    """The tag without its namespace."""
    return str(etree.QName(element).localname)


def namespace(element: Any) -> str:
    """The namespace of the tag, empty when there is none."""
    return str(etree.QName(element).namespace or "")
