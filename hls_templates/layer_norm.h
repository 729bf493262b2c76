// SPDX-License-Identifier: Apache-2.0
// The function is a LayerNorm over the channels of every position. Reference:
// hyq_hls/ops/layer_norm.py, LayerNorm.
#ifndef HYQ_LAYER_NORM_H_
#define HYQ_LAYER_NORM_H_

#include "normalization.h"

namespace hyq {

/// The buffers of a LayerNorm between its four processes. A position waits for its reciprocal.
/// There is more room for the words that a synthesized pipeline may still hold behind it.
///
/// \tparam CONFIG_T  as for layer_norm.
template <typename CONFIG_T> struct layer_norm_rows : norm_words<CONFIG_T> {
    static const unsigned beats = norm_words<CONFIG_T>::beats;
    /// Positions whose root or reciprocal is in a pipeline.
    static const unsigned positions = pipeline_latency / CONFIG_T::root_steps +
                                      pipeline_latency / CONFIG_T::reciprocal_steps + 2;
    static const unsigned depth =
        CONFIG_T::row_depth + 2 * pipeline_latency + positions * beats;
    /// One sum waits for each of the positions whose values wait, whole or in part.
    static const unsigned total_depth = depth / beats + 2;
};

/// Makes values x, their sum, and C^2 times their variance, shifted for the square root.
template <typename CONFIG_T, class data_T, class values_T, class total_T, class radicand_T>
void layer_norm_moments(
    stream<data_T> &data, stream<values_T> &values, stream<total_T> &totals,
    stream<radicand_T> &radicands
    HYQ_MEMORIES(const typename CONFIG_T::factor_shift_t &factor_shift,
                 const typename CONFIG_T::zero_point_t &zero_point,
                 const typename CONFIG_T::epsilon_t &epsilon)) {
    HYQ_MEMORY(factor_shift)
    HYQ_MEMORY(zero_point)
    HYQ_MEMORY(epsilon)
    typedef typename CONFIG_T::value_t value_t;
    norm_sums<CONFIG_T> sums;
Words:
    for (unsigned i = 0; i < CONFIG_T::words; i++) {
    Beats:
        for (unsigned beat = 0; beat < layer_norm_rows<CONFIG_T>::beats; beat++) {
            HYQ_PIPELINE(1)
            const data_T in = data.read();
            values_T x;
            value_t beat_values[CONFIG_T::in_lanes];
            HYQ_PARTITION(beat_values, 1)
        Lanes:
            for (unsigned l = 0; l < CONFIG_T::in_lanes; l++) {
                HYQ_UNROLL
                const int zero = of_channel(zero_point, beat, l);
                const int shift = of_channel(factor_shift, beat, l);
                beat_values[l] = value_t(int(in[l]) - zero) << shift;
                x[l] = beat_values[l];
            }
            sums.add(beat_values, beat == 0);
            values.write(x);
            if (beat == layer_norm_rows<CONFIG_T>::beats - 1) {
                sums.write(totals, radicands, CONFIG_T::channels, epsilon);
            }
        }
    }
}

/// Makes normalized values, multiplies them by gamma, adds beta, and requantizes to codes.
template <typename CONFIG_T, class values_T, class total_T, class reciprocal_T, class res_T>
void layer_norm_normalize(
    stream<values_T> &values, stream<total_T> &totals, stream<reciprocal_T> &reciprocals,
    stream<res_T> &res
    HYQ_MEMORIES(const typename CONFIG_T::gamma_t &gamma,
                 const typename CONFIG_T::beta_t &beta,
                 const typename CONFIG_T::requantize_t &requantize)) {
    HYQ_MEMORY(gamma)
    HYQ_MEMORY(beta)
    HYQ_MEMORY(requantize)
    typedef typename CONFIG_T::value_t value_t;
    typedef typename CONFIG_T::deviation_t deviation_t;
    typedef typename CONFIG_T::product_t product_t;
    typedef typename CONFIG_T::normalized_t normalized_t;
    typedef typename CONFIG_T::accumulator_t accumulator_t;
    const typename CONFIG_T::count_t count = CONFIG_T::channels;
    const product_t half = product_t(1) << (CONFIG_T::normalize_shift - 1);
    typename CONFIG_T::total_t total = 0;
    typename CONFIG_T::reciprocal_t reciprocal = 0;
Words:
    for (unsigned i = 0; i < CONFIG_T::words; i++) {
    Beats:
        for (unsigned beat = 0; beat < layer_norm_rows<CONFIG_T>::beats; beat++) {
            HYQ_PIPELINE(1)
            if (beat == 0) {
                total = totals.read()[0];
                reciprocal = reciprocals.read()[0];
            }
            const values_T x = values.read();
            res_T out;
        Lanes:
            for (unsigned l = 0; l < CONFIG_T::in_lanes; l++) {
                HYQ_UNROLL
                const deviation_t d = product<deviation_t>(value_t(x[l]), count) - total;
                const normalized_t n =
                    (product<product_t>(d, reciprocal) + half) >> CONFIG_T::normalize_shift;
                const accumulator_t acc = product<accumulator_t>(gamma[beat][l], n) + beta[beat][l];
                out[l] = requantize_value<CONFIG_T>(acc, of_channel(requantize, beat, l));
            }
            res.write(out);
        }
    }
}

/// Four processes work on different positions. The first and the last pass one beat per cycle; the
/// square root and the reciprocal make one bit per cycle.
///
/// \tparam CONFIG_T  gives words (positions), channels, in_lanes, out_lanes, root_fraction,
///                   root_steps, reciprocal_fraction, reciprocal_steps, normalize_shift, row_depth,
///                   value_bits, total_bits, and the types of all intermediate integers.
template <typename CONFIG_T, class data_T, class res_T>
void layer_norm(
    stream<data_T> &data, stream<res_T> &res
    HYQ_MEMORIES(const typename CONFIG_T::factor_shift_t &factor_shift,
                 const typename CONFIG_T::zero_point_t &zero_point,
                 const typename CONFIG_T::epsilon_t &epsilon,
                 const typename CONFIG_T::gamma_t &gamma,
                 const typename CONFIG_T::beta_t &beta,
                 const typename CONFIG_T::requantize_t &requantize)) {
    HYQ_DATAFLOW
    typedef layer_norm_rows<CONFIG_T> rows;
    static_assert(data_T::size == CONFIG_T::in_lanes && res_T::size == CONFIG_T::out_lanes &&
                      CONFIG_T::in_lanes == CONFIG_T::out_lanes,
                  "every input code gives an output code");
    static_assert(CONFIG_T::channels % CONFIG_T::in_lanes == 0,
                  "beats divide the channels of a position");
    static_assert(CONFIG_T::gamma_entries == CONFIG_T::channels &&
                      CONFIG_T::beta_entries == CONFIG_T::channels,
                  "one gamma and one beta per channel");
    static_assert(CONFIG_T::normalize_shift >= 1, "half a step is added before the shift");
    stream<typename rows::values_t> values;
    HYQ_STREAM_DEPTH(values, rows::depth)
    HYQ_LUT_FIFO(values) // a row and a pipeline are few words
    stream<typename rows::total_t> totals;
    HYQ_STREAM_DEPTH(totals, rows::total_depth)
    stream<typename rows::radicand_t> radicands;
    HYQ_STREAM_DEPTH(radicands, 2)
    stream<typename rows::root_t> roots;
    HYQ_STREAM_DEPTH(roots, 2)
    stream<typename rows::reciprocal_t> reciprocals;
    HYQ_STREAM_DEPTH(reciprocals, 2)
    HYQ_PROCESS(layer_norm_moments<CONFIG_T>(
        data, values, totals, radicands HYQ_MEMORIES(factor_shift, zero_point, epsilon)));
    HYQ_PROCESS(norm_roots<CONFIG_T>(radicands, roots));
    HYQ_PROCESS(norm_reciprocals<CONFIG_T>(roots, reciprocals));
    HYQ_PROCESS(layer_norm_normalize<CONFIG_T>(
        values, totals, reciprocals, res HYQ_MEMORIES(gamma, beta, requantize)));
}

} // namespace hyq

#endif
