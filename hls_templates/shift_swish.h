// SPDX-License-Identifier: Apache-2.0
// The function is Shift-Swish, x * sigmoid(x), with an exponential that is made of shifts.
// Reference: hyq_hls/ops/shift_swish.py, ShiftSwish. Its circuit of a table is in table.h.
#ifndef HYQ_SHIFT_SWISH_H_
#define HYQ_SHIFT_SWISH_H_

#include "requantize.h"

namespace hyq {

/// Returns about 2^(precision + fraction + 1) * exp(d * 2^-fraction) for d <= 0.
template <typename CONFIG_T>
inline typename CONFIG_T::exponential_t shift_exp(typename CONFIG_T::centred_t d) {
    HYQ_INLINE
    typedef typename CONFIG_T::exponent_t exponent_t;
    typedef typename CONFIG_T::exponential_t exponential_t;
    const exponent_t p = -(d + (d >> 1) - (d >> 4)); // -d * log2(e)
    const int k = p >> CONFIG_T::fraction;
    const exponent_t r = p & ((exponent_t(1) << CONFIG_T::fraction) - 1);
    if (k > int(CONFIG_T::fraction + CONFIG_T::precision + 1)) {
        return 0; // no bit is left; such a shift may be undefined
    }
    const exponential_t mantissa = (exponent_t(2) << CONFIG_T::fraction) - r;
    return (mantissa << CONFIG_T::precision) >> k;
}

/// Returns the sigmoid of x * 2^-fraction with `precision` fraction bits. It is a softmax of x and
/// 0. The larger of the two is subtracted from both, so one of the exponentials is a constant.
template <typename CONFIG_T>
inline typename CONFIG_T::sigmoid_t shift_sigmoid(typename CONFIG_T::centred_t x) {
    HYQ_INLINE
    typedef typename CONFIG_T::centred_t centred_t;
    typedef typename CONFIG_T::exponential_t exponential_t;
    typedef typename CONFIG_T::numerator_t numerator_t;
    const exponential_t one = exponential_t(2) << (CONFIG_T::fraction + CONFIG_T::precision);
    const exponential_t other = shift_exp<CONFIG_T>(x < 0 ? x : centred_t(-x));
    const numerator_t numerator = x < 0 ? other : one;
    return (numerator << CONFIG_T::precision) / (numerator_t(one) + other);
}

/// \tparam CONFIG_T  gives words (positions), channels, in_lanes, out_lanes, code_zero (zero point
///                   of the input), fraction (its scale is 2^-fraction), precision, centred_t
///                   (holds x and -x), exponent_t, exponential_t, numerator_t, sigmoid_t.
template <typename CONFIG_T, class data_T, class res_T>
void shift_swish(stream<data_T> &data, stream<res_T> &res,
                 const typename CONFIG_T::requantize_t &requantize) {
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
                const typename CONFIG_T::centred_t x = int(in[l]) - CONFIG_T::code_zero;
                const accumulator_t acc = product<accumulator_t>(x, shift_sigmoid<CONFIG_T>(x));
                out[l] = requantize_value<CONFIG_T>(
                    acc, of_channel(requantize, beat, l));
            }
            res.write(out);
        }
    }
}

} // namespace hyq

#endif
