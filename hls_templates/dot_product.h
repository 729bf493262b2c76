// The dot products that convolution and dense layers share.
#ifndef HYQ_DOT_PRODUCT_H_
#define HYQ_DOT_PRODUCT_H_

#include "requantize.h"

namespace hyq {

/// One output word: out_channels dot products of `length` operands, requantized.
///
/// \tparam CONFIG_T  gives length, out_channels, operand_t and the types of the memories.
template <class res_T, typename CONFIG_T>
inline res_T dot_products(const typename CONFIG_T::operand_t x[CONFIG_T::length],
                          const typename CONFIG_T::weight_t weight[CONFIG_T::weight_entries],
                          const typename CONFIG_T::bias_t bias[CONFIG_T::bias_entries],
                          const typename CONFIG_T::requantize_t requantize[CONFIG_T::requantize_entries]) {
    #pragma HLS INLINE
    typedef typename CONFIG_T::accumulator_t accumulator_t;
    static_assert(CONFIG_T::weight_entries == CONFIG_T::out_channels * CONFIG_T::length,
                  "one weight per output channel and operand");
    res_T out;
Outputs:
    for (unsigned o = 0; o < CONFIG_T::out_channels; o++) {
        accumulator_t acc = bias[o];
    Products:
        for (unsigned i = 0; i < CONFIG_T::length; i++) {
            #pragma HLS PIPELINE II=1
            acc += product<accumulator_t>(weight[o * CONFIG_T::length + i], x[i]);
        }
        out[o] = requantize_value<CONFIG_T>(acc, entry_of<CONFIG_T>(requantize, o));
    }
    return out;
}

} // namespace hyq

#endif
