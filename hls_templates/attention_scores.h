// The function makes dot products of queries and keys. Reference: hyq_hls/ops/attention_scores.py,
// AttentionScores.
#ifndef HYQ_ATTENTION_SCORES_H_
#define HYQ_ATTENTION_SCORES_H_

#include "matrix_buffer.h"
#include "requantize.h"

namespace hyq {

/// Queries stream past the keys of their pixel, while the keys of the next pixel are stored. A
/// cycle multiplies in_lanes channels of a query with those of out_lanes keys.
///
/// \tparam CONFIG_T  gives pixels, tokens, channels, heads, depth (channels of a head), in_lanes,
///                   out_lanes, the zero points, and query_operand_t, key_operand_t (a code minus
///                   its zero point).
template <typename CONFIG_T, class query_T, class key_T, class res_T>
void attention_scores(
    stream<query_T> &query, stream<key_T> &key, stream<res_T> &res,
    const typename CONFIG_T::requantize_t requantize[CONFIG_T::requantize_entries]) {
    typedef typename CONFIG_T::accumulator_t accumulator_t;
    static const unsigned in_lanes = CONFIG_T::in_lanes, out_lanes = CONFIG_T::out_lanes;
    static_assert(query_T::size == in_lanes && key_T::size == in_lanes,
                  "queries and keys have the lanes of the input");
    static_assert(res_T::size == out_lanes, "a word carries the scores of out_lanes keys");
    static_assert(CONFIG_T::heads * CONFIG_T::depth == CONFIG_T::channels,
                  "heads divide the channels");
    static_assert(CONFIG_T::depth % in_lanes == 0, "beats divide the channels of a head");
    static_assert(CONFIG_T::requantize_entries == 1, "scores are requantized per tensor");
    static const unsigned beats = CONFIG_T::depth / in_lanes, groups = CONFIG_T::tokens / out_lanes;
    static const int key_zero[1] = {CONFIG_T::code_key_zero};

    typedef matrix_cursor<CONFIG_T::tokens, out_lanes, CONFIG_T::heads, beats> cursor_t;
    cursor_t next;
    typename CONFIG_T::key_operand_t keys[2][out_lanes][cursor_t::page_words][in_lanes];
    HYQ_PARTITION(keys, 2)
    HYQ_RESHAPE(keys, 4)
    typename CONFIG_T::query_operand_t operands[beats][in_lanes];
    HYQ_RESHAPE(operands, 2)
    accumulator_t acc[out_lanes];
    HYQ_PARTITION(acc, 1)
FirstKeys:
    for (unsigned i = 0; i < CONFIG_T::tokens * cursor_t::row_words; i++) {
        HYQ_PIPELINE(1)
        store_word<1>(keys, next, key.read(), key_zero);
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
                        HYQ_NO_DEPENDENCE(keys)
                        // The loop has as many cycles as a pixel has words of keys.
                        if (p + 1 < CONFIG_T::pixels && i < out_lanes) {
                            store_word<1>(keys, next, key.read(), key_zero);
                        }
                        if (g == 0) {
                            const query_T in = query.read();
                        Unpack:
                            for (unsigned c = 0; c < in_lanes; c++) {
                                HYQ_UNROLL
                                operands[b][c] = int(in[c]) - CONFIG_T::code_query_zero;
                            }
                        }
                        const unsigned address = (h * groups + g) * beats + b;
                    Keys:
                        for (unsigned j = 0; j < out_lanes; j++) {
                            HYQ_UNROLL
                            accumulator_t sum = 0;
                        Channels:
                            for (unsigned c = 0; c < in_lanes; c++) {
                                HYQ_UNROLL
                                sum += product<accumulator_t>(operands[b][c],
                                                              keys[p % 2][j][address][c]);
                            }
                            acc[j] = b == 0 ? sum : accumulator_t(acc[j] + sum);
                        }
                        if (b == beats - 1) {
                            res_T out;
                        Scores:
                            for (unsigned j = 0; j < out_lanes; j++) {
                                HYQ_UNROLL
                                out[j] = requantize_value<CONFIG_T>(acc[j], requantize[0]);
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
