// Convolution and dense layers share these dot products: out_lanes sums at a time, in_lanes
// operands per cycle.
#ifndef HYQ_DOT_PRODUCT_H_
#define HYQ_DOT_PRODUCT_H_

#include "requantize.h"

namespace hyq {

/// Starts the sums of a group of outputs from their biases.
template <typename CONFIG_T>
inline void start_sums(typename CONFIG_T::accumulator_t acc[CONFIG_T::out_lanes], unsigned group,
                       const typename CONFIG_T::bias_t bias[CONFIG_T::bias_entries]) {
    HYQ_INLINE
Biases:
    for (unsigned o = 0; o < CONFIG_T::out_lanes; o++) {
        HYQ_UNROLL
        acc[o] = bias[group * CONFIG_T::out_lanes + o];
    }
}

/// Adds the products of one cycle. Their weights are word `word`, [output lane][input lane].
template <typename CONFIG_T>
inline void add_products(typename CONFIG_T::accumulator_t acc[CONFIG_T::out_lanes],
                         const typename CONFIG_T::operand_t x[CONFIG_T::in_lanes], unsigned word,
                         const typename CONFIG_T::weight_t weight[CONFIG_T::weight_entries]) {
    HYQ_INLINE
    typedef typename CONFIG_T::accumulator_t accumulator_t;
    static_assert(CONFIG_T::weight_lanes == CONFIG_T::out_lanes * CONFIG_T::in_lanes,
                  "a word of weights is what one cycle multiplies by");
Sums:
    for (unsigned o = 0; o < CONFIG_T::out_lanes; o++) {
        HYQ_UNROLL
        accumulator_t sum = acc[o];
    Products:
        for (unsigned i = 0; i < CONFIG_T::in_lanes; i++) {
            HYQ_UNROLL
            const unsigned entry = (word * CONFIG_T::out_lanes + o) * CONFIG_T::in_lanes + i;
            sum += product<accumulator_t>(weight[entry], x[i]);
        }
        acc[o] = sum;
    }
}

/// Returns the output word of a group of outputs.
template <class res_T, typename CONFIG_T>
inline res_T
requantize_sums(const typename CONFIG_T::accumulator_t acc[CONFIG_T::out_lanes], unsigned group,
                const typename CONFIG_T::requantize_t requantize[CONFIG_T::requantize_entries]) {
    HYQ_INLINE
    static_assert(res_T::size == CONFIG_T::out_lanes, "a word carries out_lanes outputs");
    res_T out;
Outputs:
    for (unsigned o = 0; o < CONFIG_T::out_lanes; o++) {
        HYQ_UNROLL
        const unsigned channel = group * CONFIG_T::out_lanes + o;
        out[o] = requantize_value<CONFIG_T>(acc[o], entry_of<CONFIG_T>(requantize, channel));
    }
    return out;
}

} // namespace hyq

#endif
