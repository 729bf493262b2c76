// SPDX-License-Identifier: Apache-2.0
// The function is a dense layer over the channels of every position. Reference:
// hyq_hls/ops/dense.py, Dense.
#ifndef HYQ_DENSE_H_
#define HYQ_DENSE_H_

#include "counter.h"
#include "dot_product.h"

namespace hyq {

/// The beats of a position are stored while the first group of outputs takes them, and read again
/// for the others.
///
/// \tparam CONFIG_T  gives words (positions), length (input channels), out_channels, in_lanes,
///                   out_lanes and operand_t.
/// \param weight  as [group of outputs][beat], [output lane][input lane].
template <typename CONFIG_T, class data_T, class res_T>
void dense(stream<data_T> &data, stream<res_T> &res, const typename CONFIG_T::weight_t &weight,
           const typename CONFIG_T::bias_t &bias,
           const typename CONFIG_T::requantize_t &requantize) {
    static const unsigned in_lanes = CONFIG_T::in_lanes, out_lanes = CONFIG_T::out_lanes;
    static_assert(data_T::size == in_lanes, "a word carries in_lanes channels");
    static_assert(CONFIG_T::length % in_lanes == 0 && CONFIG_T::out_channels % out_lanes == 0,
                  "lanes divide the channels");
    static_assert(CONFIG_T::weight_entries == CONFIG_T::out_channels * CONFIG_T::length,
                  "one weight per output and input channel");
    static const unsigned beats = CONFIG_T::length / in_lanes;
    static const unsigned groups = CONFIG_T::out_channels / out_lanes;

    typename CONFIG_T::operand_t stored[beats][in_lanes];
    HYQ_RESHAPE(stored, 2)
    typename CONFIG_T::accumulator_t acc[out_lanes];
    HYQ_PARTITION(acc, 1)
    counter<groups * beats> word;
Words:
    for (unsigned i = 0; i < CONFIG_T::words; i++) {
    Groups:
        for (unsigned g = 0; g < groups; g++) {
        Beats:
            for (unsigned b = 0; b < beats; b++) {
                HYQ_PIPELINE(1)
                HYQ_DEPENDENCE(stored, beats)
                typename CONFIG_T::operand_t x[in_lanes];
                HYQ_PARTITION(x, 1)
                if (g == 0) {
                    const data_T in = data.read();
                Store:
                    for (unsigned l = 0; l < in_lanes; l++) {
                        HYQ_UNROLL
                        x[l] = in[l];
                        stored[b][l] = x[l];
                    }
                } else {
                Load:
                    for (unsigned l = 0; l < in_lanes; l++) {
                        HYQ_UNROLL
                        x[l] = stored[b][l];
                    }
                }
                add_products<CONFIG_T>(acc, x, weight[word.index()], bias[g], b == 0);
                if (b == beats - 1) {
                    res.write(requantize_sums<res_T, CONFIG_T>(acc, g, requantize));
                }
                word.advance();
            }
        }
    }
}

} // namespace hyq

#endif
