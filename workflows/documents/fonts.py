"""Are there fonts for Chinese, rare characters of people's names included?

Without a CJK font WeasyPrint raises no error: it prints boxes, or another script's shapes. So the program asks
fontconfig, which WeasyPrint's text engine asks too, at start-up and in the health page.
"""

from __future__ import annotations

import subprocess
from functools import cache

#: Faces the house style can set text in, in the order of its font stacks (``gbt9704.css``).
BODY_FAMILIES = (
    "仿宋_GB2312",
    "FangSong_GB2312",
    "FangSong",
    "FZFangSong-Z02",
    "Noto Serif CJK SC",
    "Source Han Serif SC",
)
HEADING_FAMILIES = ("SimHei", "黑体", "Noto Sans CJK SC")
#: Rare characters met in names: CJK Extension A (㛃 䶮), E (𬭎), C (𫖯) and B (𠅤).
RARE_CHARACTERS = "㛃䶮𬭎𫖯𠅤"

_HINT = "请安装 fonts-noto-cjk 后重新启动"


@cache
def font_problem() -> str | None:
    """What is wrong with the fonts of this machine, as a Chinese sentence; None when documents can be printed.

    Asked once: fonts do not change under a running program.
    """
    try:
        families = _families("")
        if not families & set(BODY_FAMILIES):
            return f"没有可用的中文正文字体，{_HINT}。"
        if not families & set(HEADING_FAMILIES):
            return f"没有可用的中文标题字体，{_HINT}。"
        lost = [character for character in RARE_CHARACTERS if not _families(f":charset={ord(character):x}")]
    except (OSError, subprocess.SubprocessError):
        return "无法检查中文字体：没有找到 fontconfig，请安装 fontconfig 后重新启动。"
    return f"现有字体缺少生僻字“{'、'.join(lost)}”，姓名会印错，{_HINT}。" if lost else None


def _families(pattern: str) -> set[str]:
    """Names of the installed faces that match a fontconfig pattern, each of a face's names by itself."""
    # Unlike the renderer's preload this costs 20 ms and needs no WeasyPrint in the web process.
    listed = subprocess.run(  # noqa: S603 - our own pattern, no shell
        ["fc-list", *([pattern] if pattern else []), "--format=%{family}\n"],  # noqa: S607 - found on PATH
        capture_output=True,
        check=True,
        timeout=30,
        text=True,
        encoding="utf-8",
    ).stdout
    return {name for line in listed.splitlines() for name in line.split(",") if name}
