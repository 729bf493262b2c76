"""A random C++ program that prints what the operators of ``ap_int`` give."""

from __future__ import annotations

import numpy as np

_ARITHMETIC = ("+", "-", "*", "&", "|", "^")
#: Between operands that both have a sign or both have none. Others are wrong in hls4ml's header:
#: ``ap_uint<29>(1 << 28) / ap_int<9>(-256)`` is 0, and ``ap_int<9>(-1) < 0u`` follows C.
#: No template has such an operation.
_OF_ONE_SIGN = ("==", "!=", "<", "<=", ">", ">=", "/", "%")
_SHIFTS = ("<<", ">>")
_NATIVE = {"int": 32, "unsigned": 32, "long long": 64, "bool": 1}

_PROLOGUE = """
#include "ap_int.h"
#include <stdio.h>
/// Prints a result modulo 2^64 after it was stored in 80 bits, so that a cut or a wrong sign shows.
template <class T> void show(const char *types, const char *what, const T &x) {
    const ap_int<80> wide = x;
    const ap_int<64> low = wide;
    const ap_int<16> high = wide >> 64;
    printf("%s: %s = %d * 2^64 + %lld\\n", types, what, high.to_int(), (long long)low);
}
#define SHOW(x) show(types, #x, x)
int main() {
"""


def random_program(rng: np.random.Generator, pairs: int = 5) -> str:
    """Return a program with ``pairs`` pairs of operand types: extreme and random values."""
    lines = [_PROLOGUE]
    for pair in range(pairs):
        a_bits, b_bits = rng.integers(1, 33, 2).tolist()
        a_type, b_type = _ap_type(rng, a_bits), _ap_type(rng, b_bits)
        if pair % 3 == 2:
            b_type = str(rng.choice(list(_NATIVE)))
            b_bits = min(_NATIVE[b_type], 32)
        lines.append(f'{{ const char *const types = "{a_type} a, {b_type} b";')
        lines.append(f"const long long as[] = {{{_values(rng, a_bits)}}};")
        lines.append(f"const long long bs[] = {{{_values(rng, b_bits)}}};")
        lines.append("for (int i = 0; i < 5; i++) for (int j = 0; j < 5; j++) {")
        lines.append(f"{a_type} a = as[i]; {b_type} b = bs[j];")
        lines.append(f"{a_type.partition('<')[0]}<{b_bits}> c = b; if (c == 0) c = 1;")
        lines += [f"SHOW(a {op} b);" for op in _ARITHMETIC]
        lines += [f"SHOW(a {op} c);" for op in _OF_ONE_SIGN]
        lines += [f"SHOW(a {op} {count});" for op in _SHIFTS for count in (1, a_bits, 40)]
        lines += ["SHOW(-a); SHOW(~a); SHOW(!a); SHOW((int)a);"]
        lines += [f"{{ {a_type} d = a; d {op}= b; SHOW(d); }}" for op in ("+", "-", "*")]
        lines += [f"SHOW({_ap_type(rng, int(rng.integers(1, 40)))}(a));"]
        lines += ["SHOW(b + a); SHOW(b - a); SHOW(c < a);", "}", "}"]
    return "\n".join([*lines, "return 0; }", ""])


def _ap_type(rng: np.random.Generator, bits: int) -> str:
    return f"{'ap_int' if rng.integers(2) else 'ap_uint'}<{bits}>"


def _values(rng: np.random.Generator, bits: int) -> str:
    """Both ends of ``bits`` bits, zero and two random values."""
    top = 1 << (bits - 1)
    return ", ".join(map(str, [-top, top - 1, 0, *rng.integers(-top, top, 2).tolist()]))
