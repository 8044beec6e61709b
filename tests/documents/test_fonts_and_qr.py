"""Fonts of the machine, and the QR."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import pytest

from workflows.documents import fonts
from workflows.documents.qr import qr_data_uri


@pytest.fixture(autouse=True)
def asked_anew() -> Iterator[None]:
    fonts.font_problem.cache_clear()
    yield
    fonts.font_problem.cache_clear()


class Machine:
    """A machine with these faces; ``lacking``: characters none of them has."""

    def __init__(self, *families: str, lacking: str = "") -> None:
        self.families = families
        self.lacking = lacking

    def __call__(self, command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        lost = any(f":charset={ord(character):x}" in command for character in self.lacking)
        return subprocess.CompletedProcess(command, 0, "" if lost else "\n".join(self.families))


def test_this_machine_can_print_chinese() -> None:
    assert fonts.font_problem() is None


@pytest.mark.parametrize(
    ("machine", "problem"),
    [
        (Machine("DejaVu Sans"), "没有可用的中文正文字体"),
        (Machine("FangSong,仿宋"), "没有可用的中文标题字体"),
        (Machine("FangSong,仿宋", "SimHei", lacking="𬭎𠅤"), "缺少生僻字“𬭎、𠅤”"),
        (Machine("Noto Serif CJK SC", "Noto Sans CJK SC"), None),
    ],
)
def test_what_is_missing_is_said(
    machine: Machine, problem: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subprocess, "run", machine)
    found = fonts.font_problem()
    if problem is None:
        assert found is None
    else:
        assert found is not None
        assert problem in found
        assert "fonts-noto-cjk" in found


def test_a_machine_without_fontconfig_cannot_be_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert fonts.font_problem() == "无法检查中文字体：没有找到 fontconfig，请安装 fontconfig 后重新启动。"


def test_a_qr_is_a_drawing_in_a_data_uri_and_always_the_same() -> None:
    uri = qr_data_uri("https://wengang.example/v/7c02a9d4")
    assert uri.startswith("data:image/svg+xml")
    assert "viewBox" in unquote(uri)
    assert uri == qr_data_uri("https://wengang.example/v/7c02a9d4")
    assert uri != qr_data_uri("https://wengang.example/v/7c02a9d5")


@pytest.mark.parametrize("url", ["", "x" * 301])
def test_an_address_no_phone_could_read_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="300"):
        qr_data_uri(url)
