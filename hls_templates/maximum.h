// The function takes the larger of two streams on a common scale, element by element. Reference:
// hyq_hls/ops/maximum.py, Maximum.
#ifndef HYQ_MAXIMUM_H_
#define HYQ_MAXIMUM_H_

#include "aligned_term.h"

namespace hyq {

/// A word of both operands gives a word of the result (see aligned_term.h).
///
/// \tparam CONFIG_T  gives words (positions), channels, in_lanes, out_lanes, centred_a_t and
///                   centred_b_t (a code minus its zero point).
template <typename CONFIG_T, class a_T, class b_T, class res_T>
void maximum(stream<a_T> &a, stream<b_T> &b, stream<res_T> &res,
             const typename CONFIG_T::zero_point_a_t &zero_point_a,
             const typename CONFIG_T::multiplier_a_t &multiplier_a,
             const typename CONFIG_T::exponent_a_t &exponent_a,
             const typename CONFIG_T::zero_point_b_t &zero_point_b,
             const typename CONFIG_T::multiplier_b_t &multiplier_b,
             const typename CONFIG_T::exponent_b_t &exponent_b,
             const typename CONFIG_T::requantize_t &requantize) {
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
                out[l] = requantize_value<CONFIG_T>(
                    term_a < term_b ? term_b : term_a, of_channel(requantize, beat, l));
            }
            res.write(out);
        }
    }
}

} // namespace hyq

#endif
