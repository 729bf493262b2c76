// SPDX-License-Identifier: Apache-2.0
// The function is a GroupNorm with one group: all elements of a frame have one mean and one
// variance. Reference: hyq_hls/ops/group_norm.py, GroupNorm.
#ifndef HYQ_GROUP_NORM_H_
#define HYQ_GROUP_NORM_H_

#include "normalization.h"

namespace hyq {

/// The buffers of a GroupNorm between its four processes. A frame waits for its reciprocal. There
/// is more room for the words that a synthesized pipeline may still hold behind it.
///
/// \tparam CONFIG_T  as for group_norm.
template <typename CONFIG_T> struct group_norm_frame : norm_words<CONFIG_T> {
    static const unsigned positions = CONFIG_T::elements / CONFIG_T::channels;
    static const unsigned depth = CONFIG_T::frame_depth + 2 * pipeline_latency;
};

/// Makes values x, their sum, and M^2 times their variance, shifted for the square root.
template <typename CONFIG_T, class data_T, class values_T, class total_T, class radicand_T>
void group_norm_moments(
    stream<data_T> &data, stream<values_T> &values, stream<total_T> &totals,
    stream<radicand_T> &radicands
    HYQ_MEMORIES(const typename CONFIG_T::zero_point_t &zero_point,
                 const typename CONFIG_T::epsilon_t &epsilon)) {
    HYQ_MEMORY(zero_point)
    HYQ_MEMORY(epsilon)
    typedef group_norm_frame<CONFIG_T> frame;
    typedef typename CONFIG_T::value_t value_t;
    norm_sums<CONFIG_T> sums;
Positions:
    for (unsigned i = 0; i < frame::positions; i++) {
    Beats:
        for (unsigned beat = 0; beat < frame::beats; beat++) {
            HYQ_PIPELINE(1)
            const data_T in = data.read();
            values_T x;
            value_t beat_values[CONFIG_T::in_lanes];
            HYQ_PARTITION(beat_values, 1)
        Lanes:
            for (unsigned l = 0; l < CONFIG_T::in_lanes; l++) {
                HYQ_UNROLL
                beat_values[l] = int(in[l]) - of_channel(zero_point, beat, l);
                x[l] = beat_values[l];
            }
            sums.add(beat_values, i == 0 && beat == 0);
            values.write(x);
            if (i == frame::positions - 1 && beat == frame::beats - 1) {
                sums.write(totals, radicands, CONFIG_T::elements, epsilon);
            }
        }
    }
}

/// Makes normalized values, multiplies them by gamma, adds beta, and requantizes to codes.
template <typename CONFIG_T, class values_T, class total_T, class reciprocal_T, class res_T>
void group_norm_normalize(
    stream<values_T> &values, stream<total_T> &totals, stream<reciprocal_T> &reciprocals,
    stream<res_T> &res
    HYQ_MEMORIES(const typename CONFIG_T::gamma_t &gamma,
                 const typename CONFIG_T::beta_t &beta,
                 const typename CONFIG_T::requantize_t &requantize)) {
    HYQ_MEMORY(gamma)
    HYQ_MEMORY(beta)
    HYQ_MEMORY(requantize)
    typedef group_norm_frame<CONFIG_T> frame;
    typedef typename CONFIG_T::value_t value_t;
    typedef typename CONFIG_T::mean_product_t mean_product_t;
    typedef typename CONFIG_T::difference_t difference_t;
    typedef typename CONFIG_T::product_t product_t;
    typedef typename CONFIG_T::normalized_t normalized_t;
    typedef typename CONFIG_T::accumulator_t accumulator_t;
    const integer<18> multiplier = CONFIG_T::mean_multiplier;
    const mean_product_t mean_half = mean_product_t(1) << (CONFIG_T::mean_shift - 1);
    const product_t half = product_t(1) << (CONFIG_T::normalize_shift - 1);
    difference_t mean = 0;
    typename CONFIG_T::reciprocal_t reciprocal = 0;
Positions:
    for (unsigned i = 0; i < frame::positions; i++) {
    Beats:
        for (unsigned beat = 0; beat < frame::beats; beat++) {
            HYQ_PIPELINE(1)
            if (i == 0 && beat == 0) {
                const typename CONFIG_T::total_t total = totals.read()[0];
                mean = (product<mean_product_t>(total, multiplier) + mean_half) >>
                       CONFIG_T::mean_shift;
                reciprocal = reciprocals.read()[0];
            }
            const values_T x = values.read();
            res_T out;
        Lanes:
            for (unsigned l = 0; l < CONFIG_T::in_lanes; l++) {
                HYQ_UNROLL
                const difference_t d =
                    (difference_t(value_t(x[l])) << CONFIG_T::mean_fraction) - mean;
                const normalized_t n =
                    (product<product_t>(d, reciprocal) + half) >> CONFIG_T::normalize_shift;
                const accumulator_t acc = product<accumulator_t>(gamma[beat][l], n) + beta[beat][l];
                out[l] = requantize_value<CONFIG_T>(acc, of_channel(requantize, beat, l));
            }
            res.write(out);
        }
    }
}

/// Four processes work on different frames. The first and the last pass one beat per cycle; the
/// square root and the reciprocal make one bit per cycle.
///
/// \tparam CONFIG_T  gives words (1: a frame is one row of a LayerNorm), elements (of a frame),
///                   channels, in_lanes, out_lanes, mean_fraction, mean_multiplier, mean_shift,
///                   root_fraction, root_steps, reciprocal_fraction, reciprocal_steps,
///                   normalize_shift, frame_depth, value_bits, total_bits, and the types of all
///                   intermediate integers.
template <typename CONFIG_T, class data_T, class res_T>
void group_norm(
    stream<data_T> &data, stream<res_T> &res
    HYQ_MEMORIES(const typename CONFIG_T::zero_point_t &zero_point,
                 const typename CONFIG_T::epsilon_t &epsilon,
                 const typename CONFIG_T::gamma_t &gamma,
                 const typename CONFIG_T::beta_t &beta,
                 const typename CONFIG_T::requantize_t &requantize)) {
    HYQ_DATAFLOW
    typedef group_norm_frame<CONFIG_T> frame;
    static_assert(data_T::size == CONFIG_T::in_lanes && res_T::size == CONFIG_T::out_lanes &&
                      CONFIG_T::in_lanes == CONFIG_T::out_lanes,
                  "every input code gives an output code");
    static_assert(CONFIG_T::channels % CONFIG_T::in_lanes == 0 &&
                      CONFIG_T::elements % CONFIG_T::channels == 0,
                  "beats divide the channels of a position, and positions the frame");
    static_assert(CONFIG_T::gamma_entries == CONFIG_T::channels &&
                      CONFIG_T::beta_entries == CONFIG_T::channels,
                  "one gamma and one beta per channel");
    static_assert(CONFIG_T::normalize_shift >= 1 && CONFIG_T::mean_shift >= 1,
                  "half a step is added before a shift");
    stream<typename frame::values_t> values;
    HYQ_STREAM_DEPTH(values, frame::depth)
    stream<typename frame::total_t> totals;
    HYQ_STREAM_DEPTH(totals, 2)
    stream<typename frame::radicand_t> radicands;
    HYQ_STREAM_DEPTH(radicands, 2)
    stream<typename frame::root_t> roots;
    HYQ_STREAM_DEPTH(roots, 2)
    stream<typename frame::reciprocal_t> reciprocals;
    HYQ_STREAM_DEPTH(reciprocals, 2)
    HYQ_PROCESS(group_norm_moments<CONFIG_T>(
        data, values, totals, radicands HYQ_MEMORIES(zero_point, epsilon)));
    HYQ_PROCESS(norm_roots<CONFIG_T>(radicands, roots));
    HYQ_PROCESS(norm_reciprocals<CONFIG_T>(roots, reciprocals));
    HYQ_PROCESS(group_norm_normalize<CONFIG_T>(
        values, totals, reciprocals, res HYQ_MEMORIES(gamma, beta, requantize)));
}

} // namespace hyq

#endif
