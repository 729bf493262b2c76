// SPDX-License-Identifier: Apache-2.0
// The function sums values that are weighted by probabilities. Reference:
// hyq_hls/ops/attention_values.py, AttentionValues.
#ifndef HYQ_ATTENTION_VALUES_H_
#define HYQ_ATTENTION_VALUES_H_

#include "matrix_buffer.h"
#include "requantize.h"
#include "tree.h"

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

/// The order in which the values of a pixel meet the probabilities of a query.
template <typename CONFIG_T> struct value_order {
    typedef matrix_order<CONFIG_T::keys, CONFIG_T::in_lanes,
                         CONFIG_T::channels / CONFIG_T::out_lanes, 1>
        type;
};

/// The first query of a pixel meets its values as they come, and stores them for the other queries.
template <typename CONFIG_T, class probability_T, class values_T, class res_T>
void weight_values(stream<probability_T> &probability, stream<values_T> &values, stream<res_T> &res
                   HYQ_MEMORIES(const typename CONFIG_T::zero_point_t &zero_point,
                                const typename CONFIG_T::requantize_t &requantize)) {
    HYQ_MEMORY(zero_point)
    HYQ_MEMORY(requantize)
    typedef typename CONFIG_T::accumulator_t accumulator_t;
    typedef typename CONFIG_T::value_operand_t value_operand_t;
    typedef typename CONFIG_T::probability_operand_t probability_operand_t;
    static const unsigned in_lanes = CONFIG_T::in_lanes, out_lanes = CONFIG_T::out_lanes;
    static const unsigned beats = CONFIG_T::keys / in_lanes, groups = CONFIG_T::depth / out_lanes;
    static const unsigned value_words = value_order<CONFIG_T>::type::bank_words;

    value_operand_t stored_values[value_words][values_T::size];
    HYQ_RESHAPE(stored_values, 2)
    probability_operand_t stored_weights[beats][in_lanes];
    HYQ_RESHAPE(stored_weights, 2)
    accumulator_t acc[out_lanes];
    HYQ_PARTITION(acc, 1)
    counter<value_words> word;
    counter<CONFIG_T::heads * groups> group; // of all output channels
Pixels:
    for (unsigned p = 0; p < CONFIG_T::pixels; p++) {
    Queries:
        for (unsigned i = 0; i < CONFIG_T::queries; i++) {
        Heads:
            for (unsigned h = 0; h < CONFIG_T::heads; h++) {
            Groups:
                for (unsigned g = 0; g < groups; g++) {
                Beats:
                    for (unsigned b = 0; b < beats; b++) {
                        HYQ_PIPELINE(1)
                        HYQ_DEPENDENCE(stored_values, value_words)
                        HYQ_DEPENDENCE(stored_weights, beats)
                        value_operand_t v[values_T::size];
                        HYQ_PARTITION(v, 1)
                        if (i == 0) {
                            const values_T in = values.read();
                        StoreValues:
                            for (unsigned c = 0; c < values_T::size; c++) {
                                HYQ_UNROLL
                                v[c] = int(in[c]) - int(of_channel(zero_point, group.index(),
                                                                   c % out_lanes));
                                stored_values[word.index()][c] = v[c];
                            }
                        } else {
                        LoadValues:
                            for (unsigned c = 0; c < values_T::size; c++) {
                                HYQ_UNROLL
                                v[c] = stored_values[word.index()][c];
                            }
                        }
                        probability_operand_t w[in_lanes];
                        HYQ_PARTITION(w, 1)
                        if (g == 0) {
                            const probability_T in = probability.read();
                        StoreWeights:
                            for (unsigned j = 0; j < in_lanes; j++) {
                                HYQ_UNROLL
                                w[j] = int(in[j]) - CONFIG_T::code_probability_zero;
                                stored_weights[b][j] = w[j];
                            }
                        } else {
                        LoadWeights:
                            for (unsigned j = 0; j < in_lanes; j++) {
                                HYQ_UNROLL
                                w[j] = stored_weights[b][j];
                            }
                        }
                        res_T out;
                    Channels:
                        for (unsigned c = 0; c < out_lanes; c++) {
                            HYQ_UNROLL
                            accumulator_t terms[in_lanes];
                            HYQ_PARTITION(terms, 1)
                        Keys:
                            for (unsigned j = 0; j < in_lanes; j++) {
                                HYQ_UNROLL
                                terms[j] = weighted<CONFIG_T>(w[j], v[j * out_lanes + c]);
                            }
                            const accumulator_t sum = tree<in_lanes>::sum(terms);
                            acc[c] = b == 0 ? sum : accumulator_t(acc[c] + sum);
                            out[c] = requantize_value<CONFIG_T>(
                                acc[c], of_channel(requantize, group.index(), c));
                        }
                        if (b == beats - 1) {
                            res.write(out);
                        }
                        group.advance(b == beats - 1);
                        word.advance();
                    }
                }
            }
        }
    }
}

/// One process collects the values of a pixel while the other one weights those of the pixel
/// before, out_lanes channels of in_lanes keys per cycle. Both go on with the next frame without a
/// pause.
///
/// \tparam CONFIG_T  gives pixels, queries and keys (of a pixel), channels, heads, depth (channels of
///                   a head), in_lanes, out_lanes, is_log2, code_top (the largest probability code),
///                   code_probability_zero, and probability_operand_t, value_operand_t (a code minus
///                   its zero point).
template <typename CONFIG_T, class probability_T, class value_T, class res_T>
void attention_values(stream<probability_T> &probability, stream<value_T> &value, stream<res_T> &res
                      HYQ_MEMORIES(const typename CONFIG_T::zero_point_t &zero_point,
                                   const typename CONFIG_T::requantize_t &requantize)) {
    HYQ_DATAFLOW
    static_assert(probability_T::size == CONFIG_T::in_lanes,
                  "a word carries the weights of in_lanes keys");
    static_assert(value_T::size == CONFIG_T::out_lanes && res_T::size == CONFIG_T::out_lanes,
                  "values have the lanes of the output");
    static_assert(CONFIG_T::heads * CONFIG_T::depth == CONFIG_T::channels,
                  "heads divide the channels");
    static_assert(CONFIG_T::depth % CONFIG_T::out_lanes == 0,
                  "words divide the channels of a head");
    typedef word<typename value_T::value_type, CONFIG_T::in_lanes * CONFIG_T::out_lanes> values_t;
    stream<values_t> values;
    HYQ_STREAM_DEPTH(values, 2)
    typedef typename value_order<CONFIG_T>::type order;
    HYQ_PROCESS(collect_matrices<order, CONFIG_T::pixels>(value, values));
    HYQ_PROCESS(
        weight_values<CONFIG_T>(probability, values, res HYQ_MEMORIES(zero_point, requantize)));
}

} // namespace hyq

#endif
