"""The hash functions of TensorFlow's categorical layers, on bytes. All arithmetic is modulo 2^64.

Sources: `Fingerprint64` is farmhash's `farmhashna::Hash64` (google/farmhash, farmhash.cc); `StrongKeyedHash` is
SipHash-2-4 of Aumasson and Bernstein; `FingerprintCat64` is in tensorflow/core/platform/fingerprint.h (2.8).
"""

from __future__ import annotations

_MASK = (1 << 64) - 1
_K0, _K1, _K2 = 0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F


def _u64(text: bytes, start: int) -> int:
    return int.from_bytes(text[start : start + 8], "little")


def _rotated_right(value: int, bits: int) -> int:
    value &= _MASK
    return (value >> bits | value << (64 - bits)) & _MASK


def _shift_mix(value: int) -> int:
    value &= _MASK
    return value ^ (value >> 47)


def _mixed(u: int, v: int, factor: int) -> int:
    """`HashLen16`."""
    a = _shift_mix((u ^ v) * factor)
    return _shift_mix((v ^ a) * factor) * factor & _MASK


def fingerprint64(text: bytes) -> int:
    """`Fingerprint64`, the hash of `to_hash_bucket_fast` before it is taken modulo the number of buckets."""
    if len(text) <= 16:
        return _short(text)
    if len(text) <= 32:
        return _up_to_32(text)
    return _up_to_64(text) if len(text) <= 64 else _long(text)


def _short(text: bytes) -> int:
    size = len(text)
    factor = _K2 + 2 * size
    if size >= 8:
        a, b = _u64(text, 0) + _K2, _u64(text, size - 8)
        c, d = _rotated_right(b, 37) * factor + a, (_rotated_right(a, 25) + b) * factor
        return _mixed(c & _MASK, d & _MASK, factor)
    if size >= 4:
        first, last = (int.from_bytes(part, "little") for part in (text[:4], text[-4:]))
        return _mixed(size + (first << 3), last, factor)
    if size:
        y, z = text[0] + (text[size >> 1] << 8), size + (text[-1] << 2)
        return _shift_mix(y * _K2 ^ z * _K0) * _K2 & _MASK
    return _K2


def _up_to_32(text: bytes) -> int:
    size = len(text)
    factor = _K2 + 2 * size
    a, b = _u64(text, 0) * _K1, _u64(text, 8)
    c, d = _u64(text, size - 8) * factor, _u64(text, size - 16) * _K2
    u = _rotated_right(a + b, 43) + _rotated_right(c, 30) + d
    return _mixed(u & _MASK, (a + _rotated_right(b + _K2, 18) + c) & _MASK, factor)


def _up_to_64(text: bytes) -> int:
    size = len(text)
    factor = _K2 + 2 * size
    a, b = _u64(text, 0) * _K2, _u64(text, 8)
    c, d = _u64(text, size - 8) * factor, _u64(text, size - 16) * _K2
    y = (_rotated_right(a + b, 43) + _rotated_right(c, 30) + d) & _MASK
    z = _mixed(y, (a + _rotated_right(b + _K2, 18) + c) & _MASK, factor)
    e, f = _u64(text, 16) * factor, _u64(text, 24)
    g, h = (y + _u64(text, size - 32)) * factor, (z + _u64(text, size - 24)) * factor
    u = _rotated_right(e + f, 43) + _rotated_right(g, 30) + h
    return _mixed(u & _MASK, (e + _rotated_right(f + a, 18) + g) & _MASK, factor)


def _pair(text: bytes, start: int, a: int, b: int) -> tuple[int, int]:
    """`WeakHashLen32WithSeeds` of the 32 bytes from `start` on."""
    w, x, y, z = (_u64(text, start + 8 * index) for index in range(4))
    a += w
    b, c = _rotated_right(b + a + z, 21), a
    a += x + y
    return (a + z) & _MASK, (b + _rotated_right(a, 44) + c) & _MASK


def _long(text: bytes) -> int:
    size = len(text)
    x, y = 81, (81 * _K1 + 113) & _MASK
    z = _shift_mix(y * _K2 + 113) * _K2 & _MASK
    v, w = (0, 0), (0, 0)
    x = (x * _K2 + _u64(text, 0)) & _MASK
    for at in range(0, (size - 1) // 64 * 64, 64):
        x, y, z, v, w = _round(text, at, (x, y, z, v, w), _K1, 1)
    factor = _K1 + ((z & 0xFF) << 1)
    w = (w[0] + ((size - 1) & 63), w[1])
    v = (v[0] + w[0], v[1])
    w = (w[0] + v[0], w[1])
    x, y, z, v, w = _round(text, size - 64, (x, y, z, v, w), factor, 9)
    first = _mixed(v[0] & _MASK, w[0] & _MASK, factor) + _shift_mix(y) * _K0 + z
    return _mixed(first & _MASK, (_mixed(v[1], w[1], factor) + x) & _MASK, factor)


_State = tuple[int, int, int, tuple[int, int], tuple[int, int]]


def _round(text: bytes, at: int, state: _State, factor: int, weight: int) -> _State:
    """Mixes 64 bytes. For the last ones, two terms are multiplied by 9."""
    x, y, z, v, w = state
    x = _rotated_right(x + y + v[0] + _u64(text, at + 8), 37) * factor
    y = _rotated_right(y + v[1] + _u64(text, at + 48), 42) * factor
    x = (x ^ w[1] * weight) & _MASK
    y = (y + v[0] * weight + _u64(text, at + 40)) & _MASK
    z = _rotated_right(z + w[0], 33) * factor & _MASK
    v = _pair(text, at, v[1] * factor, x + w[0])
    w = _pair(text, at + 32, z + w[1], y + _u64(text, at + 16))
    return z, y, x, v, w


def fingerprint_cat64(first: int, second: int) -> int:
    """`FingerprintCat64`: combines the hash so far with that of the next column of a crossing."""
    factor = 0xC6A4A7935BD1E995
    result = (first ^ factor ^ (_shift_mix(second * factor) * factor & _MASK)) * factor & _MASK
    return _shift_mix(_shift_mix(result) * factor)


def siphash64(text: bytes, key: tuple[int, int]) -> int:
    """SipHash-2-4 under a key of two integers, the hash of `to_hash_bucket_strong`."""
    k0, k1 = key
    v = [
        k0 ^ 0x736F6D6570736575,
        k1 ^ 0x646F72616E646F6D,
        k0 ^ 0x6C7967656E657261,
        k1 ^ 0x7465646279746573,
    ]
    last = len(text) // 8 * 8
    words = [_u64(text, at) for at in range(0, last, 8)]
    for word in (*words, _u64(text, last) | (len(text) & 0xFF) << 56):
        v[3] ^= word
        _sip_round(v)
        _sip_round(v)
        v[0] ^= word
    v[2] ^= 0xFF
    for _ in range(4):
        _sip_round(v)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def _sip_round(v: list[int]) -> None:
    v[0], v[2] = (v[0] + v[1]) & _MASK, (v[2] + v[3]) & _MASK
    v[1], v[3] = _rotated_right(v[1], 51) ^ v[0], _rotated_right(v[3], 48) ^ v[2]
    v[0] = _rotated_right(v[0], 32)
    v[2], v[0] = (v[2] + v[1]) & _MASK, (v[0] + v[3]) & _MASK
    v[1], v[3] = _rotated_right(v[1], 47) ^ v[2], _rotated_right(v[3], 43) ^ v[0]
    v[2] = _rotated_right(v[2], 32)
