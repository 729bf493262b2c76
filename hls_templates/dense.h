// Dense layer over the channels of every word. Reference: hyq_hls/ops/dense.py, Dense.
#ifndef HYQ_DENSE_H_
#define HYQ_DENSE_H_

#include "dot_product.h"

namespace hyq {

/// \tparam CONFIG_T  gives words, length (input channels), out_channels.
template <typename CONFIG_T, class data_T, class res_T>
void dense(hls::stream<data_T> &data, hls::stream<res_T> &res,
           const typename CONFIG_T::weight_t weight[CONFIG_T::weight_entries],
           const typename CONFIG_T::bias_t bias[CONFIG_T::bias_entries],
           const typename CONFIG_T::requantize_t requantize[CONFIG_T::requantize_entries]) {
    static_assert(data_T::size == CONFIG_T::length, "a word carries all input channels");
    static_assert(res_T::size == CONFIG_T::out_channels, "a word carries all output channels");
Words:
    for (unsigned i = 0; i < CONFIG_T::words; i++) {
        const data_T in = data.read();
        typename CONFIG_T::operand_t x[CONFIG_T::length];
    Unpack:
        for (unsigned c = 0; c < CONFIG_T::length; c++) {
            #pragma HLS UNROLL
            x[c] = in[c];
        }
        res.write(dot_products<res_T, CONFIG_T>(x, weight, bias, requantize));
    }
}

} // namespace hyq

#endif
