// Two inputs requantized to common codes and joined. Reference: hyq_hls/ops/concat.py, Concat.
#ifndef HYQ_CONCAT_H_
#define HYQ_CONCAT_H_

#include "requantize.h"

namespace hyq {

/// \tparam CONFIG_T  gives words, channels_a, channels_b.
template <typename CONFIG_T, class a_T, class b_T, class res_T>
void concat(hls::stream<a_T> &a, hls::stream<b_T> &b, hls::stream<res_T> &res,
            const typename CONFIG_T::zero_point_a_t zero_point_a[CONFIG_T::zero_point_a_entries],
            const typename CONFIG_T::requantize_a_t requantize_a[CONFIG_T::requantize_a_entries],
            const typename CONFIG_T::zero_point_b_t zero_point_b[CONFIG_T::zero_point_b_entries],
            const typename CONFIG_T::requantize_b_t requantize_b[CONFIG_T::requantize_b_entries]) {
    typedef typename CONFIG_T::accumulator_t accumulator_t;
    static_assert(a_T::size == CONFIG_T::channels_a && b_T::size == CONFIG_T::channels_b,
                  "a word carries all channels of a position");
    static_assert(res_T::size == CONFIG_T::channels_a + CONFIG_T::channels_b,
                  "the output carries the channels of both inputs");
Words:
    for (unsigned i = 0; i < CONFIG_T::words; i++) {
        #pragma HLS PIPELINE II=1
        const a_T in_a = a.read();
        const b_T in_b = b.read();
        res_T out;
    First:
        for (unsigned c = 0; c < CONFIG_T::channels_a; c++) {
            #pragma HLS UNROLL
            const accumulator_t centred =
                accumulator_t(in_a[c]) - zero_point_a[CONFIG_T::zero_point_a_entries == 1 ? 0 : c];
            out[c] = requantize_value<CONFIG_T>(
                centred, requantize_a[CONFIG_T::requantize_a_entries == 1 ? 0 : c]);
        }
    Second:
        for (unsigned c = 0; c < CONFIG_T::channels_b; c++) {
            #pragma HLS UNROLL
            const accumulator_t centred =
                accumulator_t(in_b[c]) - zero_point_b[CONFIG_T::zero_point_b_entries == 1 ? 0 : c];
            out[CONFIG_T::channels_a + c] = requantize_value<CONFIG_T>(
                centred, requantize_b[CONFIG_T::requantize_b_entries == 1 ? 0 : c]);
        }
        res.write(out);
    }
}

} // namespace hyq

#endif
