// Sums of values, weighted by probabilities. Reference: hyq_hls/ops/attention_values.py,
// AttentionValues.
#ifndef HYQ_ATTENTION_VALUES_H_
#define HYQ_ATTENTION_VALUES_H_

#include "requantize.h"

namespace hyq {

/// A value times a probability code: a shift for log2 codes, a product for uniform ones.
template <typename CONFIG_T>
inline typename CONFIG_T::accumulator_t weighted(typename CONFIG_T::probability_operand_t code,
                                                 typename CONFIG_T::value_operand_t value) {
    #pragma HLS INLINE
    typedef typename CONFIG_T::accumulator_t accumulator_t;
    if (CONFIG_T::is_log2) {
        const int shift = CONFIG_T::code_top - 1 - int(code);
        return shift < 0 ? accumulator_t(0) : accumulator_t(accumulator_t(value) << shift);
    }
    return product<accumulator_t>(code, value);
}

/// The values of a pixel are buffered, then probabilities stream past: a query takes `heads` words
/// of `tokens` lanes (one lane per key) and gives one word of all channels.
///
/// \tparam CONFIG_T  gives pixels, tokens, channels, heads, depth (channels of a head), is_log2,
///                   code_top (the largest probability code), and probability_operand_t,
///                   value_operand_t (a code minus its zero point).
template <typename CONFIG_T, class probability_T, class value_T, class res_T>
void attention_values(hls::stream<probability_T> &probability, hls::stream<value_T> &value,
                      hls::stream<res_T> &res,
                      const typename CONFIG_T::zero_point_t zero_point[CONFIG_T::zero_point_entries],
                      const typename CONFIG_T::requantize_t requantize[CONFIG_T::requantize_entries]) {
    typedef typename CONFIG_T::accumulator_t accumulator_t;
    static_assert(probability_T::size == CONFIG_T::tokens, "a word carries the weights of all keys");
    static_assert(value_T::size == CONFIG_T::channels, "a word carries all channels of a value");
    static_assert(res_T::size == CONFIG_T::channels, "a word carries all output channels");
    static_assert(CONFIG_T::heads * CONFIG_T::depth == CONFIG_T::channels,
                  "heads divide the channels");
    // By channel, so that the keys of one sum lie side by side.
    typename CONFIG_T::value_operand_t values[CONFIG_T::channels * CONFIG_T::tokens];
Pixels:
    for (unsigned p = 0; p < CONFIG_T::pixels; p++) {
    Values:
        for (unsigned j = 0; j < CONFIG_T::tokens; j++) {
            #pragma HLS PIPELINE II=1
            const value_T in = value.read();
        UnpackValue:
            for (unsigned c = 0; c < CONFIG_T::channels; c++) {
                #pragma HLS UNROLL
                const int zero = zero_point[CONFIG_T::zero_point_entries == 1 ? 0 : c];
                values[c * CONFIG_T::tokens + j] = int(in[c]) - zero;
            }
        }
    Queries:
        for (unsigned i = 0; i < CONFIG_T::tokens; i++) {
            res_T out;
        Heads:
            for (unsigned h = 0; h < CONFIG_T::heads; h++) {
                const probability_T in = probability.read();
                typename CONFIG_T::probability_operand_t weights[CONFIG_T::tokens];
            UnpackProbability:
                for (unsigned j = 0; j < CONFIG_T::tokens; j++) {
                    #pragma HLS UNROLL
                    weights[j] = in[j];
                }
            Channels:
                for (unsigned d = 0; d < CONFIG_T::depth; d++) {
                    const unsigned c = h * CONFIG_T::depth + d;
                    accumulator_t acc = 0;
                Products:
                    for (unsigned j = 0; j < CONFIG_T::tokens; j++) {
                        #pragma HLS PIPELINE II=1
                        acc += weighted<CONFIG_T>(weights[j], values[c * CONFIG_T::tokens + j]);
                    }
                    out[c] = requantize_value<CONFIG_T>(acc, entry_of<CONFIG_T>(requantize, c));
                }
            }
            res.write(out);
        }
    }
}

} // namespace hyq

#endif
