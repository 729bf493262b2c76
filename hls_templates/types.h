// SPDX-License-Identifier: Apache-2.0
// The integer types of the templates have two forms with the same values.
//
// Synthesis (and csim with -DHYQ_BIT_ACCURATE) uses ap_int of the exact proven widths. Plain csim
// uses the next larger native integer, which g++ vectorizes. Bounds are proven when the graph is
// built, so both give the same integers; a test compiles both and compares.
#ifndef HYQ_TYPES_H_
#define HYQ_TYPES_H_

#include "target.h"
#if defined(HYQ_TIMED)
#include "csim/timed.h"
#endif

namespace hyq {

#ifndef HYQ_OWN_WORD // target.h may have one that its compiler understands better.
/// The content of one stream transfer (a beat): `lanes` neighbouring channels of one position. The
/// beats of a position follow each other, channels ascending.
template <class T, unsigned lanes> struct word {
    typedef T value_type;
    static const unsigned size = lanes;

    T data[lanes];

    T &operator[](unsigned i) { return data[i]; }
    const T &operator[](unsigned i) const { return data[i]; }
};
#endif

/// Most cycles from the read to the write of an iteration: a pipeline that waits keeps its words.
/// Streams inside an operation have room for them. The timed C simulation assumes as many.
static const unsigned pipeline_latency = 32;

template <int bytes> struct native;
template <> struct native<2> {
    typedef short type;
};
template <> struct native<4> {
    typedef int type;
};
template <> struct native<8> {
    typedef long long type;
};

/// The smallest signed native integer that holds `bits` bits and one more, such as the sign of an
/// unsigned value.
template <int bits, bool is_signed> struct native_integer {
    static_assert(bits + (is_signed ? 0 : 1) <= 64,
                  "an integer of more than 64 bits has no native type");
    typedef typename native<(bits < 16 ? 2 : bits < 32 ? 4 : 8)>::type type;
};

/// The integer of the arithmetic.
#if defined(__SYNTHESIS__) || defined(HYQ_BIT_ACCURATE)
template <int bits, bool is_signed = true>
using integer = exact<bits, is_signed>;
#else
template <int bits, bool is_signed = true>
using integer = typename native_integer<bits, is_signed>::type;
#endif

/// The integer of constant memories. Their values are checked against `bits` when they are written.
/// In csim they are always native, because g++ takes minutes over a large array of ap_int.
#if defined(__SYNTHESIS__)
template <int bits, bool is_signed = true>
using rom = exact<bits, is_signed>;
#else
template <int bits, bool is_signed = true>
using rom = typename native_integer<bits, is_signed>::type;
#endif

/// Returns a product of two integers, wide enough for `accumulator_T`. Products of ap_int widen by
/// themselves; native integers are widened first.
template <class accumulator_T, class a_T, class b_T> inline accumulator_T product(a_T a, b_T b) {
    HYQ_INLINE
#if defined(__SYNTHESIS__) || defined(HYQ_BIT_ACCURATE)
    return a * b;
#else
    return static_cast<accumulator_T>(a) * static_cast<accumulator_T>(b);
#endif
}

/// Returns the entry of a constant memory for a channel: lane `lane` of beat `beat`. One entry
/// serves all channels, or each has its own.
template <class T, unsigned words, unsigned lanes>
inline const T &of_channel(const T (&memory)[words][lanes], unsigned beat, unsigned lane) {
    HYQ_INLINE
    return memory[words == 1 ? 0 : beat][lanes == 1 ? 0 : lane];
}

} // namespace hyq

#endif
