// SPDX-License-Identifier: Apache-2.0
// The function is the weighted mean of the keys of separable attention. Reference:
// hyq_hls/ops/separable_context.py, SeparableContext.
#ifndef HYQ_SEPARABLE_CONTEXT_H_
#define HYQ_SEPARABLE_CONTEXT_H_

#include "requantize.h"

namespace hyq {

/// The sums of the last token of a pixel are divided as they come. Keys count from their smallest
/// code, so that all sums are positive; the offset undoes it.
///
/// \tparam CONFIG_T  gives pixels, tokens, channels, in_lanes, out_lanes, mean_fraction (fraction
///                   bits of the mean), score_first and key_first (the smallest codes), and the
///                   types weight_t, weighted_t, total_t, dividend_t and quotient_t.
template <typename CONFIG_T, class score_T, class key_T, class res_T>
void separable_context(
    stream<score_T> &score, stream<key_T> &key, stream<res_T> &res,
    const typename CONFIG_T::exponential_t &exponential,
    const typename CONFIG_T::offset_t &offset,
    const typename CONFIG_T::requantize_t &requantize) {
    typedef typename CONFIG_T::weighted_t weighted_t;
    typedef typename CONFIG_T::total_t total_t;
    typedef typename CONFIG_T::dividend_t dividend_t;
    static const unsigned lanes = CONFIG_T::in_lanes, beats = CONFIG_T::channels / lanes;
    static_assert(score_T::size == 1, "a token has one score");
    static_assert(key_T::size == lanes && res_T::size == lanes,
                  "keys and their mean have the same lanes");
    static_assert(CONFIG_T::channels % lanes == 0, "beats divide the channels of a token");
    weighted_t sums[beats][lanes];
    HYQ_RESHAPE(sums, 2)
    total_t total = 0;
    typename CONFIG_T::weight_t weight = 0;
Pixels:
    for (unsigned p = 0; p < CONFIG_T::pixels; p++) {
    Tokens:
        for (unsigned n = 0; n < CONFIG_T::tokens; n++) {
        Beats:
            for (unsigned beat = 0; beat < beats; beat++) {
                HYQ_PIPELINE(1)
                HYQ_DEPENDENCE(sums, beats)
                if (beat == 0) {
                    weight = exponential[int(score.read()[0]) - CONFIG_T::score_first][0];
                    total = n == 0 ? total_t(weight) : total_t(total + weight);
                }
                const key_T in = key.read();
                weighted_t sum[lanes];
                HYQ_PARTITION(sum, 1)
            Sums:
                for (unsigned l = 0; l < lanes; l++) {
                    HYQ_UNROLL
                    const weighted_t x = int(in[l]) - CONFIG_T::key_first;
                    sum[l] = (n == 0 ? weighted_t(0) : sums[beat][l]) +
                             product<weighted_t>(weight, x);
                    sums[beat][l] = sum[l];
                }
                if (n == CONFIG_T::tokens - 1) {
                    res_T out;
                Means:
                    for (unsigned l = 0; l < lanes; l++) {
                        HYQ_UNROLL
                        const dividend_t dividend =
                            (dividend_t(sum[l]) << CONFIG_T::mean_fraction) + (total >> 1);
                        const typename CONFIG_T::quotient_t mean = dividend / dividend_t(total);
                        const typename CONFIG_T::accumulator_t acc =
                            typename CONFIG_T::accumulator_t(mean) - of_channel(offset, beat, l);
                        out[l] = requantize_value<CONFIG_T>(acc, of_channel(requantize, beat, l));
                    }
                    res.write(out);
                }
            }
        }
    }
}

} // namespace hyq

#endif
