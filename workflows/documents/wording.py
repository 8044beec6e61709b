"""How numbers, amounts and dates are written in official papers.

Amounts in words follow 《支付结算办法》附一 (正确填写票据和结算凭证的基本规定): 元 or 角 last → 整, 分 last → no 整, one 零 for a
gap between digits. Where the rule leaves a 零 to taste (元位 is 0, 角位 is not) none is written.
"""

from __future__ import annotations

from datetime import date

_CAPITALS = "零壹贰叁肆伍陆柒捌玖"
_PLACES = ("", "拾", "佰", "仟")
_GROUPS = ("", "万", "亿")
_SMALL = "〇一二三四五六七八九十"

#: Largest amount that can be written, in fen: one fen below a 万亿 of yuan.
LARGEST_FEN = 10**14 - 1


def yuan_words(fen: int) -> str:
    """Amount in capital numerals: ``100000`` → ``人民币壹仟元整``.

    :param fen: whole fen, 0 … :data:`LARGEST_FEN`.
    :raises ValueError: for a negative or larger amount.
    """
    if not 0 <= fen <= LARGEST_FEN:
        raise ValueError(f"not an amount that can be written in words: {fen}")
    yuan, rest = divmod(fen, 100)
    jiao, cent = divmod(rest, 10)
    words = f"{_integer_words(yuan)}元" if yuan or not rest else ""
    if jiao:
        words += f"{_CAPITALS[jiao]}角"
    if cent:
        gap = "零" if yuan and not jiao else ""
        return f"人民币{words}{gap}{_CAPITALS[cent]}分"
    return f"人民币{words}整"


def _integer_words(number: int) -> str:
    """Whole yuan below one 万亿, group by group of four digits; a gap of zeros, however long, is one 零."""
    if number == 0:
        return _CAPITALS[0]
    words = ""
    for group in (2, 1, 0):
        value = number // 10_000**group % 10_000
        gap = bool(words) and value < 1_000
        for column in (3, 2, 1, 0):
            digit = value // 10**column % 10
            if digit:
                words += ("零" if gap and words else "") + _CAPITALS[digit] + _PLACES[column]
            gap = not digit
        words += _GROUPS[group] if value else ""
    return words


def yuan(fen: int) -> str:
    """Amount in digits with separators and two decimals, no unit: ``123456`` → ``1,234.56``."""
    sign = "-" if fen < 0 else ""
    whole, rest = divmod(abs(fen), 100)
    return f"{sign}{whole:,}.{rest:02d}"


def cn_date(day: date | str) -> str:
    """``2026-11-24`` → ``2026年11月24日``; an empty string stays empty (a date still to be written by hand)."""
    if day == "":
        return ""
    day = _as_date(day)
    return f"{day.year}年{day.month}月{day.day}日"


def formal_date(day: date | str) -> str:
    """``2026-11-24`` → ``二〇二六年十一月二十四日``, for certificates."""
    day = _as_date(day)
    year = "".join(_SMALL[int(figure)] for figure in str(day.year))
    return f"{year}年{small_words(day.month)}月{small_words(day.day)}日"


def _as_date(day: date | str) -> date:
    return date.fromisoformat(day) if isinstance(day, str) else day


def small_words(number: int) -> str:
    """1 … 99 in plain numerals (十, 二十四)."""
    tens, ones = divmod(number, 10)
    head = "" if tens == 0 else ("十" if tens == 1 else f"{_SMALL[tens]}十")
    return head + (_SMALL[ones] if ones else "")


def document_number(agency: str, year: int, sequence: int) -> str:
    """Number of an official paper (GB/T 9704-2012, 7.2.5): ``梨人社就帮认〔2026〕3号``; the sequence is not zero-padded."""
    if sequence < 1:
        raise ValueError("document numbers start at 1")
    return f"{agency}〔{year}〕{sequence}号"
