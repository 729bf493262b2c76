// SPDX-License-Identifier: Apache-2.0
// Requantization turns an accumulator into a code. Reference: hyq_hls/graph/requantize.py,
// Requantize.
//
//   code = saturate(round_half_up(acc * multiplier / 2^shift) + zero_point)
#ifndef HYQ_REQUANTIZE_H_
#define HYQ_REQUANTIZE_H_

#include "counter.h"

namespace hyq {

/// The fields of an entry, from its lowest bit: zero point (two's complement), shift - smallest
/// shift, multiplier. A field of 0 bits is the same for all entries: no shift more, or factor 1.
///
/// An entry is one integer, so the memory is an array of integers. RTL: hyq_pkg::requantize_t.
///
/// \tparam base  smallest shift, after all accumulators are shifted to the left by `left`; at least
///               1, so that there is a bit to round by.
template <int zero_point_bits, int shift_bits, int multiplier_bits, int base, int left>
struct requantization {
    typedef unsigned long long bits_t;
    typedef rom<zero_point_bits + shift_bits + multiplier_bits, false> entry_t;
    typedef integer<(multiplier_bits == 0 ? 1 : multiplier_bits) + 1> factor_t;

    static int zero_point(bits_t entry) {
        HYQ_INLINE
        const int unused = 32 - zero_point_bits; // bits above the field: filled with its sign
        return int(unsigned(entry) << unused) >> unused;
    }

    /// Returns the accumulator times the multiplier, over 2^(shift - 1), rounded down. So one
    /// fraction bit is left.
    template <class scaled_T, class accumulator_T>
    static scaled_T scale(accumulator_T acc, bits_t entry) {
        HYQ_INLINE
        const unsigned shift = unsigned(entry >> zero_point_bits) & ((1u << shift_bits) - 1);
        const int multiplier = int(entry >> (zero_point_bits + shift_bits));
        const factor_t factor = multiplier_bits == 0 ? 1 : multiplier;
        const scaled_T scaled = product<scaled_T>(acc, factor);
        return scaled_T(scaled_T(scaled << left) >> (base - 1)) >> shift;
    }
};

/// Turns one accumulator into one code.
///
/// \tparam CONFIG_T  gives accumulator_t, scaled_t (holds the scaled and rounded accumulator),
///                   code_min and code_max.
/// \tparam format  a requantization.
template <typename CONFIG_T, class format = typename CONFIG_T::requantize_format>
inline int requantize_value(typename CONFIG_T::accumulator_t acc,
                            typename format::entry_t entry) {
    HYQ_INLINE
    typedef typename CONFIG_T::scaled_t scaled_t;
    static const int bits = bits_for<unsigned(CONFIG_T::code_max)>::value;
    static_assert(CONFIG_T::code_max == (1ll << bits) - 1 &&
                      (CONFIG_T::code_min == 0 || CONFIG_T::code_min == -(1ll << bits)),
                  "codes have the whole range of an integer, with or without a sign");
    const scaled_t scaled =
        (format::template scale<scaled_t>(acc, entry) + scaled_t(1)) >> 1; // half a step up
    const auto sum = scaled + format::zero_point(entry);
    // What lies above the bits of a code is its sign. A test of these bits is smaller than
    // comparisons with both ends of the range.
    const auto above = sum >> bits;
    const bool fits = above == 0 || (CONFIG_T::code_min < 0 && above == -1);
    return fits ? int(sum) : above < 0 ? CONFIG_T::code_min : CONFIG_T::code_max;
}

/// Requantizes a stream.
///
/// \tparam CONFIG_T  gives words (positions), channels, in_lanes and out_lanes.
template <typename CONFIG_T, class data_T, class res_T>
void requantize(stream<data_T> &data, stream<res_T> &res,
                const typename CONFIG_T::zero_point_t &zero_point,
                const typename CONFIG_T::requantize_t &entries) {
    typedef typename CONFIG_T::accumulator_t accumulator_t;
    static const unsigned lanes = CONFIG_T::in_lanes;
    static_assert(data_T::size == lanes && res_T::size == lanes,
                  "every input code gives an output code");
    static_assert(CONFIG_T::channels % lanes == 0, "beats divide the channels of a position");
Words:
    for (unsigned i = 0; i < CONFIG_T::words; i++) {
    Beats:
        for (unsigned beat = 0; beat < CONFIG_T::channels / lanes; beat++) {
            HYQ_PIPELINE(1)
            const data_T in = data.read();
            res_T out;
        Lanes:
            for (unsigned l = 0; l < lanes; l++) {
                HYQ_UNROLL
                const accumulator_t centred =
                    accumulator_t(in[l]) - of_channel(zero_point, beat, l);
                out[l] = requantize_value<CONFIG_T>(centred, of_channel(entries, beat, l));
            }
            res.write(out);
        }
    }
}

} // namespace hyq

#endif
