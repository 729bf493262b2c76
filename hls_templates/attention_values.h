// The function sums values that are weighted by probabilities. Reference:
// hyq_hls/ops/attention_values.py, AttentionValues.
#ifndef HYQ_ATTENTION_VALUES_H_
#define HYQ_ATTENTION_VALUES_H_

#include "matrix_buffer.h"
#include "requantize.h"

namespace hyq {

/// Returns a value times a probability code: a shift for log2 codes, a product for uniform codes.
template <typename CONFIG_T>
inline typename CONFIG_T::accumulator_t weighted(typename CONFIG_T::probability_operand_t code,
                                                 typename CONFIG_T::value_operand_t value) {
    HYQ_INLINE
    typedef typename CONFIG_T::accumulator_t accumulator_t;
    if (CONFIG_T::is_log2) {
        const int shift = CONFIG_T::code_top - 1 - int(code);
        return shift < 0 ? accumulator_t(0) : accumulator_t(accumulator_t(value) << shift);
    }
    return product<accumulator_t>(code, value);
}

/// Probabilities stream past the values of their pixel, while the values of the next pixel are
/// stored. A cycle weights out_lanes channels of in_lanes keys.
///
/// \tparam CONFIG_T  gives pixels, tokens, channels, heads, depth (channels of a head), in_lanes,
///                   out_lanes, is_log2, code_top (the largest probability code), and
///                   probability_operand_t, value_operand_t (a code minus its zero point).
template <typename CONFIG_T, class probability_T, class value_T, class res_T>
void attention_values(
    stream<probability_T> &probability, stream<value_T> &value, stream<res_T> &res,
    const typename CONFIG_T::zero_point_t zero_point[CONFIG_T::zero_point_entries],
    const typename CONFIG_T::requantize_t requantize[CONFIG_T::requantize_entries]) {
    HYQ_RESHAPE_CYCLIC(zero_point, CONFIG_T::zero_point_lanes)
    HYQ_RESHAPE_CYCLIC(requantize, CONFIG_T::requantize_lanes)
    typedef typename CONFIG_T::accumulator_t accumulator_t;
    static const unsigned in_lanes = CONFIG_T::in_lanes, out_lanes = CONFIG_T::out_lanes;
    static_assert(probability_T::size == in_lanes, "a word carries the weights of in_lanes keys");
    static_assert(value_T::size == out_lanes && res_T::size == out_lanes,
                  "values have the lanes of the output");
    static_assert(CONFIG_T::heads * CONFIG_T::depth == CONFIG_T::channels,
                  "heads divide the channels");
    static_assert(CONFIG_T::depth % out_lanes == 0, "words divide the channels of a head");
    static const unsigned beats = CONFIG_T::tokens / in_lanes, groups = CONFIG_T::depth / out_lanes;
    static const unsigned zero_points = CONFIG_T::zero_point_entries;

    typedef matrix_cursor<CONFIG_T::tokens, in_lanes, CONFIG_T::heads * groups, 1> cursor_t;
    cursor_t next;
    typename CONFIG_T::value_operand_t values[2][in_lanes][cursor_t::page_words][out_lanes];
    HYQ_PARTITION(values, 2)
    HYQ_RESHAPE(values, 4)
    typename CONFIG_T::probability_operand_t weights[beats][in_lanes];
    HYQ_RESHAPE(weights, 2)
    accumulator_t acc[out_lanes];
    HYQ_PARTITION(acc, 1)
FirstValues:
    for (unsigned i = 0; i < CONFIG_T::tokens * cursor_t::row_words; i++) {
        HYQ_PIPELINE(1)
        store_word<zero_points>(values, next, value.read(), zero_point);
    }
Pixels:
    for (unsigned p = 0; p < CONFIG_T::pixels; p++) {
    Queries:
        for (unsigned i = 0; i < CONFIG_T::tokens; i++) {
        Heads:
            for (unsigned h = 0; h < CONFIG_T::heads; h++) {
            Groups:
                for (unsigned g = 0; g < groups; g++) {
                Beats:
                    for (unsigned b = 0; b < beats; b++) {
                        HYQ_PIPELINE(1)
                        HYQ_NO_DEPENDENCE(values)
                        // The loop has as many cycles as a pixel has words of values.
                        if (p + 1 < CONFIG_T::pixels && i < in_lanes) {
                            store_word<zero_points>(values, next, value.read(), zero_point);
                        }
                        if (g == 0) {
                            const probability_T in = probability.read();
                        Unpack:
                            for (unsigned j = 0; j < in_lanes; j++) {
                                HYQ_UNROLL
                                weights[b][j] = in[j];
                            }
                        }
                        const unsigned word = h * groups + g;
                    Channels:
                        for (unsigned c = 0; c < out_lanes; c++) {
                            HYQ_UNROLL
                            accumulator_t sum = 0;
                        Keys:
                            for (unsigned j = 0; j < in_lanes; j++) {
                                HYQ_UNROLL
                                sum += weighted<CONFIG_T>(weights[b][j],
                                                          values[p % 2][j][word * beats + b][c]);
                            }
                            acc[c] = b == 0 ? sum : accumulator_t(acc[c] + sum);
                        }
                        if (b == beats - 1) {
                            res_T out;
                        Outputs:
                            for (unsigned c = 0; c < out_lanes; c++) {
                                HYQ_UNROLL
                                out[c] = requantize_value<CONFIG_T>(
                                    acc[c], entry_of<CONFIG_T>(requantize, word * out_lanes + c));
                            }
                            res.write(out);
                        }
                    }
                }
            }
        }
    }
}

} // namespace hyq

#endif
