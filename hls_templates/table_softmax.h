// SPDX-License-Identifier: Apache-2.0
// The function is a softmax with a table of exponentials. Reference: hyq_hls/ops/table_softmax.py,
// TableSoftmax.
#ifndef HYQ_TABLE_SOFTMAX_H_
#define HYQ_TABLE_SOFTMAX_H_

#include "softmax.h"

namespace hyq {

/// Makes the exponentials of every row, by one look-up per lane and cycle, and their sum.
template <typename CONFIG_T, class data_T, class maximum_T, class exponentials_T, class total_T>
void table_exponentials(
    stream<data_T> &codes, stream<maximum_T> &maxima,
    stream<exponentials_T> &terms, stream<total_T> &totals
    HYQ_MEMORIES(const typename CONFIG_T::exponentials_t &exponentials)) {
    HYQ_MEMORY(exponentials)
    typedef typename CONFIG_T::operand_t operand_t;
    typedef typename CONFIG_T::distance_t distance_t;
    typedef typename CONFIG_T::exponential_t exponential_t;
    typedef typename CONFIG_T::total_t total_t;
    operand_t maximum = 0;
    total_t total = 0;
Rows:
    for (unsigned i = 0; i < CONFIG_T::words; i++) {
    Beats:
        for (unsigned beat = 0; beat < softmax_rows<CONFIG_T>::beats; beat++) {
            HYQ_PIPELINE(1)
            if (beat == 0) {
                maximum = maxima.read()[0];
            }
            const data_T in = codes.read();
            exponentials_T out;
            total_t lanes[CONFIG_T::in_lanes];
            HYQ_PARTITION(lanes, 1)
        Lanes:
            for (unsigned l = 0; l < CONFIG_T::in_lanes; l++) {
                HYQ_UNROLL
                const distance_t distance = maximum - operand_t(in[l]);
                const exponential_t e = exponentials[unsigned(distance)][0];
                out[l] = e;
                lanes[l] = e;
            }
            const total_t sum = tree<CONFIG_T::in_lanes>::sum(lanes);
            total = beat == 0 ? sum : total_t(total + sum);
            terms.write(out);
            if (beat == softmax_rows<CONFIG_T>::beats - 1) {
                total_T result;
                result[0] = total;
                totals.write(result);
            }
        }
    }
}

/// Three processes work on three rows at a time, and each passes one beat per cycle.
///
/// \tparam CONFIG_T  gives words (rows), channels (codes of a row), in_lanes, out_lanes,
///                   exponential_bits, total_bits, bits, is_log2, is_rounded, code_max,
///                   search_steps, code_depth, exponential_depth, exponentials_entries, and
///                   operand_t, distance_t, exponential_t, total_t, exponentials_t, accumulator_t
///                   (holds 4 E, 4 E + 2 e or the dividend).
template <typename CONFIG_T, class data_T, class res_T>
void table_softmax(
    stream<data_T> &data, stream<res_T> &res
    HYQ_MEMORIES(const typename CONFIG_T::exponentials_t &exponentials)) {
    HYQ_DATAFLOW
    typedef softmax_rows<CONFIG_T> rows;
    typedef word<typename data_T::value_type, 1> maximum_t;
    static_assert(data_T::size == CONFIG_T::in_lanes && res_T::size == CONFIG_T::out_lanes &&
                      CONFIG_T::in_lanes == CONFIG_T::out_lanes,
                  "a beat of probabilities for a beat of codes");
    static_assert(CONFIG_T::channels % CONFIG_T::in_lanes == 0, "beats divide a row");
    static_assert(CONFIG_T::code_max + 1 == 1 << CONFIG_T::bits, "codes have `bits` bits");
    stream<data_T> codes;
    HYQ_STREAM_DEPTH(codes, rows::code_depth)
    stream<maximum_t> maxima;
    HYQ_STREAM_DEPTH(maxima, rows::maximum_depth)
    stream<typename rows::exponentials_t> terms;
    HYQ_STREAM_DEPTH(terms, rows::exponential_depth)
    HYQ_LUT_FIFO(terms) // a row and a pipeline are few words
    stream<typename rows::result_t> totals;
    HYQ_STREAM_DEPTH(totals, rows::total_depth)
    HYQ_PROCESS(softmax_maxima<CONFIG_T>(data, codes, maxima));
    HYQ_PROCESS(
        table_exponentials<CONFIG_T>(codes, maxima, terms, totals HYQ_MEMORIES(exponentials)));
    HYQ_PROCESS(softmax_probabilities<CONFIG_T, CONFIG_T::is_rounded != 0>(terms, totals, res));
}

} // namespace hyq

#endif
