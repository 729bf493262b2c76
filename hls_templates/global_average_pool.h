// SPDX-License-Identifier: Apache-2.0
// The function sums over all positions. Reference: hyq_hls/ops/global_average_pool.py,
// GlobalAveragePool.
#ifndef HYQ_GLOBAL_AVERAGE_POOL_H_
#define HYQ_GLOBAL_AVERAGE_POOL_H_

#include "requantize.h"

namespace hyq {

/// The sums of the last position are requantized as they come.
///
/// \tparam CONFIG_T  gives words (positions of the map), channels, in_lanes, out_lanes and
///                   centred_t (a code minus its zero point).
template <typename CONFIG_T, class data_T, class res_T>
void global_average_pool(
    stream<data_T> &data, stream<res_T> &res,
    const typename CONFIG_T::zero_point_t &zero_point,
    const typename CONFIG_T::requantize_t &requantize) {
    typedef typename CONFIG_T::accumulator_t accumulator_t;
    static const unsigned lanes = CONFIG_T::in_lanes;
    static_assert(data_T::size == lanes && res_T::size == lanes,
                  "a beat of sums has the lanes of a beat of codes");
    static_assert(CONFIG_T::channels % lanes == 0, "beats divide the channels of a position");
    static const unsigned beats = CONFIG_T::channels / lanes;
    accumulator_t sums[beats][lanes];
    HYQ_RESHAPE(sums, 2)
Words:
    for (unsigned i = 0; i < CONFIG_T::words; i++) {
    Beats:
        for (unsigned beat = 0; beat < beats; beat++) {
            HYQ_PIPELINE(1)
            HYQ_DEPENDENCE(sums, beats)
            const data_T in = data.read();
            accumulator_t sum[lanes];
            HYQ_PARTITION(sum, 1)
        Sums:
            for (unsigned l = 0; l < lanes; l++) {
                HYQ_UNROLL
                const typename CONFIG_T::centred_t centred =
                    int(in[l]) - of_channel(zero_point, beat, l);
                sum[l] = (i == 0 ? accumulator_t(0) : sums[beat][l]) + centred;
                sums[beat][l] = sum[l];
            }
            if (i == CONFIG_T::words - 1) {
                res_T out;
            Outputs:
                for (unsigned l = 0; l < lanes; l++) {
                    HYQ_UNROLL
                    out[l] = requantize_value<CONFIG_T>(
                        sum[l], of_channel(requantize, beat, l));
                }
                res.write(out);
            }
        }
    }
}

} // namespace hyq

#endif
