// SPDX-License-Identifier: Apache-2.0
// The function requantizes two inputs to common codes and joins them. Reference:
// hyq_hls/ops/concat.py, Concat.
#ifndef HYQ_CONCAT_H_
#define HYQ_CONCAT_H_

#include "requantize.h"

namespace hyq {

/// At every position the beats of `a` come first, then those of `b`.
///
/// \tparam CONFIG_T  gives words (positions), channels_a, channels_b, in_lanes and out_lanes.
template <typename CONFIG_T, class a_T, class b_T, class res_T>
void concat(stream<a_T> &a, stream<b_T> &b, stream<res_T> &res,
            const typename CONFIG_T::zero_point_a_t &zero_point_a,
            const typename CONFIG_T::requantize_a_t &requantize_a,
            const typename CONFIG_T::zero_point_b_t &zero_point_b,
            const typename CONFIG_T::requantize_b_t &requantize_b) {
    typedef typename CONFIG_T::accumulator_t accumulator_t;
    static const unsigned lanes = CONFIG_T::in_lanes;
    static_assert(a_T::size == lanes && b_T::size == lanes && res_T::size == lanes,
                  "both inputs and the output have the same lanes");
    static_assert(CONFIG_T::channels_a % lanes == 0 && CONFIG_T::channels_b % lanes == 0,
                  "no beat has channels of both inputs");
    static const unsigned beats_a = CONFIG_T::channels_a / lanes;
    static const unsigned beats_b = CONFIG_T::channels_b / lanes;
Words:
    for (unsigned i = 0; i < CONFIG_T::words; i++) {
    Beats:
        for (unsigned beat = 0; beat < beats_a + beats_b; beat++) {
            HYQ_PIPELINE(1)
            res_T out;
            if (beat < beats_a) {
                const a_T in = a.read();
            First:
                for (unsigned l = 0; l < lanes; l++) {
                    HYQ_UNROLL
                    const accumulator_t centred =
                        accumulator_t(in[l]) -
                        of_channel(zero_point_a, beat, l);
                    out[l] = requantize_value<CONFIG_T, typename CONFIG_T::requantize_a_format>(
                        centred, of_channel(requantize_a, beat, l));
                }
            } else {
                const b_T in = b.read();
            Second:
                for (unsigned l = 0; l < lanes; l++) {
                    HYQ_UNROLL
                    const accumulator_t centred =
                        accumulator_t(in[l]) -
                        of_channel(zero_point_b, beat - beats_a, l);
                    out[l] = requantize_value<CONFIG_T, typename CONFIG_T::requantize_b_format>(
                        centred, of_channel(requantize_b, beat - beats_a, l));
                }
            }
            res.write(out);
        }
    }
}

} // namespace hyq

#endif
