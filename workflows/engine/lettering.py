"""Fitting Chinese text into shapes without a font at hand: every full-width character is as wide as it is high."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from xml.sax.saxutils import escape

FONTS = '"PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif'
LINE = 1.3
#: Characters that do not begin a line.
_CLOSING = frozenset("，。、；：？！）》」』”’,.;:?!)]}%")
_OPENING = frozenset("（《「『“‘([{")


def width_of(text: str, size: float) -> float:
    """Width in pixels, on the safe side."""
    return sum(size if unicodedata.east_asian_width(letter) in "WFA" else size * 0.62 for letter in text)


def wrap(text: str, width: float, size: float) -> list[str]:
    """Lines no wider than ``width`` where a break is possible: between Chinese characters, at spaces, within words."""
    lines: list[str] = []
    current = ""
    for letter in " ".join(text.split()):
        # A closing mark hangs over the edge rather than open the next line.
        if current and width_of(current + letter, size) > width and letter not in _CLOSING:
            carried = ""
            while len(current) > 1 and current[-1] in _OPENING:
                current, carried = current[:-1], current[-1] + carried
            lines.append(current.rstrip())
            current = (carried + letter).lstrip()
        else:
            current += letter
    return [*lines, current] if current else lines


def balanced(text: str, width: float, size: float) -> list[str]:
    """As few lines as :func:`wrap` needs, of about equal length: no single character left over."""
    lines = wrap(text, width, size)
    narrower = width - size / 2
    while len(lines) > 1 and narrower >= size:
        tried = wrap(text, narrower, size)
        if len(tried) > len(lines):
            break
        lines, narrower = tried, narrower - size / 2
    return lines


@dataclass(frozen=True)
class Fitted:
    """Lines and the size at which they fit."""

    lines: tuple[str, ...]
    size: float

    @property
    def height(self) -> float:
        return len(self.lines) * self.size * LINE


def fit(text: str, width: float, height: float, sizes: tuple[float, ...] = (14, 13, 12, 11, 10)) -> Fitted:
    """The largest size at which the text fits; at the smallest the rest is cut with an ellipsis (the title has it all)."""
    size = sizes[-1]
    for size in sizes:
        lines = wrap(text, width - size, size)
        if len(lines) * size * LINE <= height:
            return Fitted(tuple(balanced(text, width - size, size)), size)
    room = max(1, int(height // (size * LINE)))
    kept = wrap(text, width - size, size)[:room]
    kept[-1] = kept[-1][:-1] + "…"
    return Fitted(tuple(kept), size)


def text_element(
    fitted: Fitted, x: float, y: float, *, colour: str = "#1f2933", halo: bool = False, weight: str = ""
) -> str:
    """Lines centred on (x, y)."""
    top = y - fitted.height / 2 + fitted.size * (LINE - 1) / 2 + fitted.size * 0.86
    spans = "".join(
        f'<tspan x="{num(x)}" y="{num(top + index * fitted.size * LINE)}">{escape(line)}</tspan>'
        for index, line in enumerate(fitted.lines)
    )
    around = ' stroke="#ffffff" stroke-width="3" stroke-linejoin="round" paint-order="stroke"' if halo else ""
    bold = f' font-weight="{weight}"' if weight else ""
    return f'<text text-anchor="middle" font-size="{num(fitted.size)}" fill="{colour}"{around}{bold}>{spans}</text>'


def upright(text: str, x: float, top: float, height: float, size: float = 14) -> str:
    """A lane's name, one character under the other, as Chinese signs are written."""
    letters = "".join(text.split())
    step = min(size * 1.2, height / max(1, len(letters)))
    shown = min(size, step)
    begin = top + (height - step * len(letters)) / 2 + shown * 0.9
    spans = "".join(
        f'<tspan x="{num(x)}" y="{num(begin + index * step)}">{escape(letter)}</tspan>'
        for index, letter in enumerate(letters)
    )
    return f'<text text-anchor="middle" font-size="{num(shown)}" fill="#1f2933">{spans}</text>'


def num(value: float) -> str:
    """A coordinate, short."""
    return f"{value:.1f}".rstrip("0").rstrip(".")
