"""Passwords: argon2id, a policy a person can follow, and temporary ones that can be read out on the telephone."""

from __future__ import annotations

import secrets
import unicodedata
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from workflows.base.errors import Invalid

#: The one password of the demonstration's accounts. Refused everywhere outside the demonstration mode.
DEMO_PASSWORD = "Wengang-demo-2026"  # noqa: S105 - public on purpose, works in the demonstration alone

#: Longest password, in characters: argon2 would read megabytes without a word.
MAX_LENGTH = 128
_COMMON_TEXT = """
    password1 password12 password123 password1234 password2026 passw0rd p@ssw0rd p@ssword1 p@ssw0rd1 p@ssw0rd123
    admin123 admin1234 admin12345 admin@123 admin@1234 admin@12345 admin123456 admin@2026 administrator adminadmin123
    qwerty123 qwerty1234 qwertyuiop qwertyuiop123 1qaz2wsx 1qaz@wsx 1qaz!qaz 1qaz2wsx3edc zaq12wsx zaq1@wsx qwer1234
    qwer@1234 asdf1234 asdf@1234 abc12345 abc@1234 abc123456 abcd1234 abcd@1234 abcd123456 abc123456789 aa123456
    aa123456789 a123456789 a1234567890 aa12345678 aa@123456 q1w2e3r4 q1w2e3r4t5 welcome1 welcome123 welcome@123
    letmein123 iloveyou1 iloveyou123 123456789012 1234567890123 123456abcdef 111111111111 000000000000 112233445566
    woaini1314 woaini520 woaini123 woaini1314520 jilin123 jilin@123 jilin2026 jilin@2026 wengang123 wengang@123
    wengang2026 wengang@2026 changchun123 baicheng123 tongyu123 tongyu@123 huawei@123 root@1234 test@1234 test1234
"""


@cache
def _common() -> frozenset[str]:
    """The thirty thousand passwords that people choose most, and those of this country and this trade."""
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    return frozenset(FREQUENCY_LISTS["passwords"]) | frozenset(_COMMON_TEXT.split())


_hasher = PasswordHasher()


def use_hasher(hasher: PasswordHasher) -> None:
    """Replace the hasher (tests: cheap parameters; an installation: dearer ones). Old hashes keep working."""
    global _hasher
    _hasher = hasher


def hash_password(password: str) -> str:
    """The argon2id hash to store."""
    return _hasher.hash(_normal(password))


def matches(stored: str, password: str) -> bool:
    """Whether ``password`` is the one behind ``stored``. A stored text that is no hash matches nothing."""
    try:
        return _hasher.verify(stored, _normal(password[:MAX_LENGTH]))
    except (VerifyMismatchError, InvalidHashError):
        return False


def needs_rehash(stored: str) -> bool:
    """Whether the hash was made with other parameters than today's."""
    return _hasher.check_needs_rehash(stored)


def problems(password: str, username: str = "") -> list[str]:
    """What is wrong with a new password, one Chinese sentence each.

    At least 12 characters, or at least 8 of three classes (upper case, lower case, digits, others); not one of the
    common ones, not the user name, not the demonstration's.
    """
    found: list[str] = []
    classes = sum(
        any(test(character) for character in password)
        for test in (str.isupper, str.islower, str.isdigit, _is_other)
    )
    if len(password) > MAX_LENGTH:
        found.append(f"密码不能超过 {MAX_LENGTH} 个字符。")
    elif len(password) < 8 or (len(password) < 12 and classes < 3):
        found.append("密码至少 12 个字符；或至少 8 个字符，并含大写字母、小写字母、数字、符号中的三类。")
    elif len(set(password)) < 5:
        found.append("密码中不同的字符太少，请至少使用 5 种字符。")
    if password == DEMO_PASSWORD or (not found and password.lower() in _common()):
        found.append("这个密码太常见，容易被猜中，请换一个。")
    if len(username) >= 3 and username.lower() in password.lower():
        found.append("密码中不能包含用户名。")
    return found


def check_policy(password: str, username: str = "", field: str = "password") -> None:
    """Raise ``Invalid`` when the password breaks the policy."""
    if found := problems(password, username):
        raise Invalid("密码不符合要求。", {field: " ".join(found)})


def temporary_password() -> str:
    """A random password without look-alikes, in groups that can be read out: ``kfmw-7294-rthd-3863`` (57 bits)."""
    letters, digits = "abcdefhkmnprstwxyz", "23456789"
    groups = (letters, digits, letters, digits)
    return "-".join("".join(secrets.choice(kind) for _ in range(4)) for kind in groups)


def _normal(password: str) -> str:
    """The same password from any keyboard: full-width and half-width, composed and decomposed are one."""
    return unicodedata.normalize("NFKC", password)


def _is_other(character: str) -> bool:
    return not character.isalnum()
