// Dot products of queries and keys. Reference: hyq_hls/ops/attention_scores.py, AttentionScores.
#ifndef HYQ_ATTENTION_SCORES_H_
#define HYQ_ATTENTION_SCORES_H_

#include "requantize.h"

namespace hyq {

/// The keys of a pixel are buffered, then its queries stream past: a query gives `heads` words of
/// `tokens` lanes, one lane per key.
///
/// \tparam CONFIG_T  gives pixels, tokens, channels, heads, depth (channels of a head), the zero
///                   points, and query_operand_t, key_operand_t (a code minus its zero point).
template <typename CONFIG_T, class query_T, class key_T, class res_T>
void attention_scores(hls::stream<query_T> &query, hls::stream<key_T> &key, hls::stream<res_T> &res,
                      const typename CONFIG_T::requantize_t requantize[CONFIG_T::requantize_entries]) {
    typedef typename CONFIG_T::accumulator_t accumulator_t;
    static_assert(query_T::size == CONFIG_T::channels, "a word carries all channels of a query");
    static_assert(key_T::size == CONFIG_T::channels, "a word carries all channels of a key");
    static_assert(res_T::size == CONFIG_T::tokens, "a word carries the scores of all keys");
    static_assert(CONFIG_T::heads * CONFIG_T::depth == CONFIG_T::channels,
                  "heads divide the channels");
    static_assert(CONFIG_T::requantize_entries == 1, "scores are requantized per tensor");
    typename CONFIG_T::key_operand_t keys[CONFIG_T::tokens * CONFIG_T::channels];
Pixels:
    for (unsigned p = 0; p < CONFIG_T::pixels; p++) {
    Keys:
        for (unsigned j = 0; j < CONFIG_T::tokens; j++) {
            #pragma HLS PIPELINE II=1
            const key_T in = key.read();
        UnpackKey:
            for (unsigned c = 0; c < CONFIG_T::channels; c++) {
                #pragma HLS UNROLL
                keys[j * CONFIG_T::channels + c] = int(in[c]) - CONFIG_T::code_key_zero;
            }
        }
    Queries:
        for (unsigned i = 0; i < CONFIG_T::tokens; i++) {
            const query_T in = query.read();
            typename CONFIG_T::query_operand_t x[CONFIG_T::channels];
        UnpackQuery:
            for (unsigned c = 0; c < CONFIG_T::channels; c++) {
                #pragma HLS UNROLL
                x[c] = int(in[c]) - CONFIG_T::code_query_zero;
            }
        Heads:
            for (unsigned h = 0; h < CONFIG_T::heads; h++) {
                const unsigned first = h * CONFIG_T::depth;
                res_T out;
            Scores:
                for (unsigned j = 0; j < CONFIG_T::tokens; j++) {
                    accumulator_t acc = 0;
                Products:
                    for (unsigned c = 0; c < CONFIG_T::depth; c++) {
                        #pragma HLS PIPELINE II=1
                        acc += product<accumulator_t>(
                            x[first + c], keys[j * CONFIG_T::channels + first + c]);
                    }
                    out[j] = requantize_value<CONFIG_T>(acc, requantize[0]);
                }
                res.write(out);
            }
        }
    }
}

} // namespace hyq

#endif
