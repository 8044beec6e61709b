"""SM2 once more, as GB/T 32918.2-2016 writes it down, with whole numbers: slow, leaky, and independent of OpenSSL."""

from __future__ import annotations

from asn1crypto.core import Integer, Sequence
from cryptography.hazmat.primitives import hashes

# GB/T 32918.5-2017, the recommended curve.
P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
A = P - 3
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
G = (
    0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
)

Point = tuple[int, int] | None


class Pair(Sequence):  # type: ignore[misc]
    """SM2Signature of GM/T 0009."""

    _fields = [("r", Integer), ("s", Integer)]


def add(one: Point, other: Point) -> Point:
    """The sum of two points; ``None`` is the point at infinity."""
    if one is None or other is None:
        return one or other
    if one[0] == other[0] and (one[1] + other[1]) % P == 0:
        return None
    slope = (
        (3 * one[0] * one[0] + A) * pow(2 * one[1], -1, P)
        if one == other
        else (other[1] - one[1]) * pow(other[0] - one[0], -1, P)
    ) % P
    x = (slope * slope - one[0] - other[0]) % P
    return x, (slope * (one[0] - x) - one[1]) % P


def times(factor: int, point: Point) -> Point:
    """The point added to itself ``factor`` times."""
    total: Point = None
    while factor:
        if factor & 1:
            total = add(total, point)
        point = add(point, point)
        factor >>= 1
    return total


def sm3(*parts: bytes) -> bytes:
    """The hash of the parts one after the other."""
    made = hashes.Hash(hashes.SM3())
    for part in parts:
        made.update(part)
    return made.finalize()


def _bytes(*numbers: int) -> bytes:
    return b"".join(number.to_bytes(32, "big") for number in numbers)


def whose(public: tuple[int, int], identity: bytes) -> bytes:
    """Z: the hash of the signer's name, the curve and the key."""
    return sm3((len(identity) * 8).to_bytes(2, "big"), identity, _bytes(A, B, *G, *public))


def hashed(public: tuple[int, int], identity: bytes, data: bytes) -> int:
    """e = H(Z ‖ M)."""
    return int.from_bytes(sm3(whose(public, identity), data), "big")


def signature(private: int, chance: int, identity: bytes, data: bytes) -> tuple[int, int]:
    """r and s under a random number that is told."""
    public, point = times(private, G), times(chance, G)
    assert public is not None
    assert point is not None
    r = (hashed(public, identity, data) + point[0]) % N
    return r, pow(1 + private, -1, N) * (chance - r * private) % N


def holds(public: tuple[int, int], identity: bytes, data: bytes, r: int, s: int) -> bool:
    """Whether r and s sign the data."""
    if not (0 < r < N and 0 < s < N) or (r + s) % N == 0:
        return False
    point = add(times(s, G), times((r + s) % N, public))
    return point is not None and (hashed(public, identity, data) + point[0]) % N == r


def encoded(r: int, s: int) -> bytes:
    """The signature in DER."""
    written: bytes = Pair({"r": r, "s": s}).dump()
    return written


def decoded(signature_: bytes) -> tuple[int, int]:
    """r and s of a signature in DER."""
    read = Pair.load(signature_, strict=True)
    return read["r"].native, read["s"].native
