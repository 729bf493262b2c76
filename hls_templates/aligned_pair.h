// SPDX-License-Identifier: Apache-2.0
// Operations on two operands of different scales share this. References: hyq_hls/ops/add.py, Add,
// and hyq_hls/ops/maximum.py, Maximum.
#ifndef HYQ_ALIGNED_PAIR_H_
#define HYQ_ALIGNED_PAIR_H_

#include "requantize.h"

namespace hyq {

/// Returns (code - zero point) * multiplier * 2^exponent, an operand on the common scale. Where all
/// factors of the operand are powers of two, its only multiplier is 1, and no multiplier is built;
/// else its only exponent is 0.
///
/// \tparam term_T  holds the result.
/// \tparam centred_T  holds a code minus its zero point.
template <typename term_T, typename centred_T, class code_T, class zero_T, class multiplier_T,
          class exponent_T>
inline term_T aligned_term(const code_T &code, const zero_T &zero_point,
                           const multiplier_T &multiplier, const exponent_T &exponent,
                           unsigned beat, unsigned lane) {
    HYQ_INLINE
    const centred_T centred = int(code) - of_channel(zero_point, beat, lane);
    return product<term_T>(of_channel(multiplier, beat, lane), centred)
           << int(of_channel(exponent, beat, lane));
}

/// Combines two streams element by element on a common scale, and requantizes the result.
///
/// \tparam CONFIG_T  gives words (positions), channels, in_lanes, out_lanes, centred_a_t and
///                   centred_b_t (a code minus its zero point).
/// \tparam combination_T  combines two terms.
template <typename CONFIG_T, class combination_T, class a_T, class b_T, class res_T>
inline void aligned_pair(stream<a_T> &a, stream<b_T> &b, stream<res_T> &res,
                         const typename CONFIG_T::zero_point_a_t &zero_point_a,
                         const typename CONFIG_T::multiplier_a_t &multiplier_a,
                         const typename CONFIG_T::exponent_a_t &exponent_a,
                         const typename CONFIG_T::zero_point_b_t &zero_point_b,
                         const typename CONFIG_T::multiplier_b_t &multiplier_b,
                         const typename CONFIG_T::exponent_b_t &exponent_b,
                         const typename CONFIG_T::requantize_t &requantize) {
    HYQ_INLINE
    typedef typename CONFIG_T::accumulator_t accumulator_t;
    typedef typename CONFIG_T::centred_a_t centred_a_t;
    typedef typename CONFIG_T::centred_b_t centred_b_t;
    static const unsigned lanes = CONFIG_T::in_lanes;
    static_assert(a_T::size == lanes && b_T::size == lanes && res_T::size == lanes,
                  "both operands and the result have the same lanes");
    static_assert(CONFIG_T::channels % lanes == 0, "beats divide the channels of a position");
Words:
    for (unsigned i = 0; i < CONFIG_T::words; i++) {
    Beats:
        for (unsigned beat = 0; beat < CONFIG_T::channels / lanes; beat++) {
            HYQ_PIPELINE(1)
            const a_T in_a = a.read();
            const b_T in_b = b.read();
            res_T out;
        Lanes:
            for (unsigned l = 0; l < lanes; l++) {
                HYQ_UNROLL
                const accumulator_t term_a = aligned_term<accumulator_t, centred_a_t>(
                    in_a[l], zero_point_a, multiplier_a, exponent_a, beat, l);
                const accumulator_t term_b = aligned_term<accumulator_t, centred_b_t>(
                    in_b[l], zero_point_b, multiplier_b, exponent_b, beat, l);
                out[l] = requantize_value<CONFIG_T>(combination_T::of(term_a, term_b),
                                                    of_channel(requantize, beat, l));
            }
            res.write(out);
        }
    }
}

} // namespace hyq

#endif
