// Sum over all positions. Reference: hyq_hls/ops/global_average_pool.py, GlobalAveragePool.
#ifndef HYQ_GLOBAL_AVERAGE_POOL_H_
#define HYQ_GLOBAL_AVERAGE_POOL_H_

#include "requantize.h"

namespace hyq {

/// \tparam CONFIG_T  gives words (positions of the map) and channels.
template <typename CONFIG_T, class data_T, class res_T>
void global_average_pool(hls::stream<data_T> &data, hls::stream<res_T> &res,
                         const typename CONFIG_T::zero_point_t zero_point[CONFIG_T::zero_point_entries],
                         const typename CONFIG_T::requantize_t requantize[CONFIG_T::requantize_entries]) {
    typedef typename CONFIG_T::accumulator_t accumulator_t;
    static_assert(data_T::size == CONFIG_T::channels && res_T::size == CONFIG_T::channels,
                  "a word carries all channels of a position");
    accumulator_t sum[CONFIG_T::channels];
    #pragma HLS ARRAY_PARTITION variable=sum complete
Clear:
    for (unsigned c = 0; c < CONFIG_T::channels; c++) {
        #pragma HLS UNROLL
        sum[c] = 0;
    }
Words:
    for (unsigned i = 0; i < CONFIG_T::words; i++) {
        #pragma HLS PIPELINE II=1
        const data_T in = data.read();
    Channels:
        for (unsigned c = 0; c < CONFIG_T::channels; c++) {
            #pragma HLS UNROLL
            const accumulator_t code = in[c];
            const accumulator_t zero = zero_point[CONFIG_T::zero_point_entries == 1 ? 0 : c];
            sum[c] += code - zero;
        }
    }
    res_T out;
Outputs: // one vector for a whole map: its channels take turns
    for (unsigned c = 0; c < CONFIG_T::channels; c++) {
        #pragma HLS PIPELINE II=1
        out[c] = requantize_value<CONFIG_T>(sum[c], entry_of<CONFIG_T>(requantize, c));
    }
    res.write(out);
}

} // namespace hyq

#endif
