// SPDX-License-Identifier: Apache-2.0
// The function makes dot products of queries and keys. Reference: hyq_hls/ops/attention_scores.py,
// AttentionScores.
#ifndef HYQ_ATTENTION_SCORES_H_
#define HYQ_ATTENTION_SCORES_H_

#include "matrix_buffer.h"
#include "requantize.h"
#include "tree.h"

namespace hyq {

/// The order in which the keys of a pixel meet a query.
template <typename CONFIG_T> struct key_order {
    typedef matrix_order<CONFIG_T::keys, CONFIG_T::out_lanes, CONFIG_T::heads,
                         CONFIG_T::depth / CONFIG_T::in_lanes>
        type;
};

/// The first query of a pixel meets its keys as they come, and stores them for the other queries.
template <typename CONFIG_T, class query_T, class keys_T, class res_T>
void multiply_keys(stream<query_T> &query, stream<keys_T> &keys, stream<res_T> &res
                   HYQ_MEMORIES(const typename CONFIG_T::requantize_t &requantize)) {
    HYQ_MEMORY(requantize)
    typedef typename CONFIG_T::accumulator_t accumulator_t;
    typedef typename CONFIG_T::key_operand_t key_operand_t;
    typedef typename CONFIG_T::query_operand_t query_operand_t;
    static const unsigned in_lanes = CONFIG_T::in_lanes, out_lanes = CONFIG_T::out_lanes;
    static const unsigned beats = CONFIG_T::depth / in_lanes, groups = CONFIG_T::keys / out_lanes;
    static const unsigned key_words = key_order<CONFIG_T>::type::bank_words;

    key_operand_t stored_keys[key_words][keys_T::size];
    HYQ_RESHAPE(stored_keys, 2)
    query_operand_t stored_query[beats][in_lanes];
    HYQ_RESHAPE(stored_query, 2)
    accumulator_t acc[out_lanes];
    HYQ_PARTITION(acc, 1)
    counter<key_words> word;
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
                        HYQ_DEPENDENCE(stored_keys, key_words)
                        HYQ_DEPENDENCE(stored_query, beats)
                        key_operand_t k[keys_T::size];
                        HYQ_PARTITION(k, 1)
                        if (i == 0) {
                            const keys_T in = keys.read();
                        StoreKeys:
                            for (unsigned c = 0; c < keys_T::size; c++) {
                                HYQ_UNROLL
                                k[c] = int(in[c]) - CONFIG_T::code_key_zero;
                                stored_keys[word.index()][c] = k[c];
                            }
                        } else {
                        LoadKeys:
                            for (unsigned c = 0; c < keys_T::size; c++) {
                                HYQ_UNROLL
                                k[c] = stored_keys[word.index()][c];
                            }
                        }
                        query_operand_t q[in_lanes];
                        HYQ_PARTITION(q, 1)
                        if (g == 0) {
                            const query_T in = query.read();
                        StoreQuery:
                            for (unsigned c = 0; c < in_lanes; c++) {
                                HYQ_UNROLL
                                q[c] = int(in[c]) - CONFIG_T::code_query_zero;
                                stored_query[b][c] = q[c];
                            }
                        } else {
                        LoadQuery:
                            for (unsigned c = 0; c < in_lanes; c++) {
                                HYQ_UNROLL
                                q[c] = stored_query[b][c];
                            }
                        }
                        res_T out;
                    Keys:
                        for (unsigned j = 0; j < out_lanes; j++) {
                            HYQ_UNROLL
                            accumulator_t products[in_lanes];
                            HYQ_PARTITION(products, 1)
                        Channels:
                            for (unsigned c = 0; c < in_lanes; c++) {
                                HYQ_UNROLL
                                products[c] = product<accumulator_t>(q[c], k[j * in_lanes + c]);
                            }
                            const accumulator_t sum = tree<in_lanes>::sum(products);
                            acc[j] = b == 0 ? sum : accumulator_t(acc[j] + sum);
                            out[j] = requantize_value<CONFIG_T>(acc[j], requantize[0][0]);
                        }
                        if (b == beats - 1) {
                            res.write(out);
                        }
                        word.advance();
                    }
                }
            }
        }
    }
}

/// One process collects the keys of a pixel while the other one multiplies those of the pixel
/// before, in_lanes channels of a query with those of out_lanes keys per cycle. Both go on with the
/// next frame without a pause.
///
/// \tparam CONFIG_T  gives pixels, queries and keys (of a pixel), channels, heads, depth (channels of
///                   a head), in_lanes, out_lanes, the zero points, and query_operand_t,
///                   key_operand_t (a code minus its zero point).
template <typename CONFIG_T, class query_T, class key_T, class res_T>
void attention_scores(stream<query_T> &query, stream<key_T> &key, stream<res_T> &res
                      HYQ_MEMORIES(const typename CONFIG_T::requantize_t &requantize)) {
    HYQ_DATAFLOW
    static_assert(query_T::size == CONFIG_T::in_lanes && key_T::size == CONFIG_T::in_lanes,
                  "queries and keys have the lanes of the input");
    static_assert(res_T::size == CONFIG_T::out_lanes,
                  "a word carries the scores of out_lanes keys");
    static_assert(CONFIG_T::heads * CONFIG_T::depth == CONFIG_T::channels,
                  "heads divide the channels");
    static_assert(CONFIG_T::depth % CONFIG_T::in_lanes == 0,
                  "beats divide the channels of a head");
    static_assert(CONFIG_T::requantize_entries == 1, "scores are requantized per tensor");
    typedef word<typename key_T::value_type, CONFIG_T::out_lanes * CONFIG_T::in_lanes> keys_t;
    stream<keys_t> keys;
    HYQ_STREAM_DEPTH(keys, 2)
    typedef typename key_order<CONFIG_T>::type order;
    HYQ_PROCESS(collect_matrices<order, CONFIG_T::pixels>(key, keys));
    HYQ_PROCESS(multiply_keys<CONFIG_T>(query, keys, res HYQ_MEMORIES(requantize)));
}

} // namespace hyq

#endif
