"""Text as people type and paste it: cleaning, half-width forms, masks, and the shape of a message."""

from __future__ import annotations

import re
import unicodedata

# Control characters (NUL included), bidirectional marks, zero-width characters, lone surrogates, non-characters.
# Variation selectors stay: they choose the glyph of a rare character in a person's name.
_UNWANTED = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\uffff\ud800-\udfff"
_BREAKS = "\t\r\n\x0b\x0c\x85\u2028\u2029"
_SPACES = "\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
_LINE_DIRTY = re.compile(f"[{_UNWANTED}{_BREAKS}{_SPACES}]")
_SPACE = re.compile(f"[{_BREAKS}{_SPACES} ]+")
_REMOVE = re.compile(f"[{_UNWANTED}]")
_LINE_END = re.compile("\r\n|[\r\x85\u2028\u2029\x0b\x0c]")
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_WIDE = {0xFF01 + i: 0x21 + i for i in range(94)} | {0x3000: 0x20, 0x2013: 0x2D, 0x2014: 0x2D, 0x2212: 0x2D}


def clean(text: str) -> str:
    """One line of text without control, bidirectional and zero-width characters; rare characters are kept."""
    if _LINE_DIRTY.search(text) is None:
        return text.strip()
    return _REMOVE.sub("", _SPACE.sub(" ", text)).strip()


def clean_lines(text: str) -> str:
    """Text of several lines, cleaned like :func:`clean`; line ends become ``\\n``."""
    lines = (clean(line) for line in _LINE_END.sub("\n", text).split("\n"))
    return "\n".join(lines).strip("\n")


def half(text: str) -> str:
    """Cleaned text with full-width letters, digits and signs made half-width (１ → 1, Ｘ → X, － → -)."""
    text = clean(text)
    return text if text.isascii() else text.translate(_WIDE).strip()


def compact(text: str) -> str:
    """:func:`half` without any space: what numbers are compared by."""
    return half(text).replace(" ", "")


def heading(text: str) -> str:
    """A column heading reduced to what identifies it: no spaces, stars, or (必填)-like remarks in brackets."""
    text = compact(text).replace("*", "").rstrip(":")
    return re.sub(r"\([^()]*\)$", "", text)


def is_han(char: str) -> bool:
    """Whether a character is a Chinese ideograph of any plane, 〇 included."""
    code = ord(char)
    return (
        0x4E00 <= code <= 0x9FFF
        or 0x3400 <= code <= 0x4DBF
        or 0x20000 <= code <= 0x3FFFD
        or 0xF900 <= code <= 0xFAFF
        or code == 0x3007
    )


def mask(text: str, head: int, tail: int) -> str:
    """Stars for all but ``head`` first and ``tail`` last characters; a short text becomes stars altogether."""
    if len(text) <= head + tail:
        return "*" * len(text)
    return text[:head] + "*" * (len(text) - head - tail) + text[len(text) - tail :]


def masked(kind: str, text: str) -> str:
    """A personal value made fit for the screen, by field type: ID 220822********1234, phone 138****5678."""
    if kind == "id_number":
        return mask(text, 6, 4)
    if kind == "phone":
        return mask(text, 3, 4)
    if kind == "bank_account":
        return mask(text, 0, 4)
    return mask(text, 1, 0)


def message(headline: str, found: str = "", todo: str = "") -> str:
    """A message in the one shape all of them have: what is wrong, what was found, what to do.

    The headline holds nothing that varies, so that messages can be grouped by it (:func:`headline`).
    """
    tail = "，".join(part for part in (found, todo) if part)
    return f"{headline}：{tail}" if tail else headline


def headline(text: str) -> str:
    """The part of a message that says which kind of problem it is."""
    return text.split("：", 1)[0]


def quoted(text: str, limit: int = 30) -> str:
    """A found value in quotation marks, shortened to ``limit`` characters."""
    return f"“{text[:limit]}…”" if len(text) > limit else f"“{text}”"


def name_of(char: str) -> str:
    """A character as a person can recognise it: itself, or its code when it cannot be seen."""
    return char if unicodedata.category(char)[0] not in "CZ" else f"U+{ord(char):04X}"


def neutral(text: str) -> str:
    """Text that no spreadsheet program takes for a formula, however it is opened or exported: an apostrophe leads."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def plain(text: str) -> str:
    """The text that :func:`neutral` was given."""
    return text[1:] if text.startswith("'") and text[1:].startswith(_FORMULA_STARTS) else text
