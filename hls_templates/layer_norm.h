// The function is a LayerNorm over the channels of every position. Reference:
// hyq_hls/ops/layer_norm.py, LayerNorm.
#ifndef HYQ_LAYER_NORM_H_
#define HYQ_LAYER_NORM_H_

#include "requantize.h"
#include "tree.h"

namespace hyq {

/// The buffers of a LayerNorm between its four processes. A position waits for its reciprocal.
/// There is more room for the words that a synthesized pipeline may still hold behind it.
///
/// \tparam CONFIG_T  as for layer_norm.
template <typename CONFIG_T> struct layer_norm_rows {
    typedef word<exact<CONFIG_T::value_bits>, CONFIG_T::in_lanes> values_t;
    typedef word<exact<CONFIG_T::total_bits>, 1> total_t;
    typedef word<exact<2 * CONFIG_T::root_steps, false>, 1> radicand_t;
    typedef word<exact<CONFIG_T::root_steps, false>, 1> root_t;
    typedef word<exact<CONFIG_T::reciprocal_steps, false>, 1> reciprocal_t;

    static const unsigned beats = CONFIG_T::channels / CONFIG_T::in_lanes;
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
    stream<radicand_T> &radicands,
    const typename CONFIG_T::factor_shift_t &factor_shift,
    const typename CONFIG_T::zero_point_t &zero_point,
    const typename CONFIG_T::epsilon_t &epsilon) {
    typedef typename CONFIG_T::value_t value_t;
    typedef typename CONFIG_T::squares_t squares_t;
    typedef typename CONFIG_T::total_t total_t;
    typedef typename CONFIG_T::variance_t variance_t;
    typedef typename CONFIG_T::radicand_t radicand_t;
    const typename CONFIG_T::count_t count = CONFIG_T::channels;
    total_t total = 0, beat_total = 0; // of the beats before, and of the last of them
    squares_t squares = 0;
Words:
    for (unsigned i = 0; i < CONFIG_T::words; i++) {
    Beats:
        for (unsigned beat = 0; beat < layer_norm_rows<CONFIG_T>::beats; beat++) {
            HYQ_PIPELINE(1)
            const data_T in = data.read();
            values_T x;
            total_t lanes[CONFIG_T::in_lanes];
            HYQ_PARTITION(lanes, 1)
            squares_t lane_squares[CONFIG_T::in_lanes];
            HYQ_PARTITION(lane_squares, 1)
        Lanes:
            for (unsigned l = 0; l < CONFIG_T::in_lanes; l++) {
                HYQ_UNROLL
                const int zero = of_channel(zero_point, beat, l);
                const int shift = of_channel(factor_shift, beat, l);
                const value_t value = value_t(int(in[l]) - zero) << shift;
                x[l] = value;
                lanes[l] = value;
                lane_squares[l] = product<squares_t>(value, value);
            }
            // The sum of a beat waits in a register for its addition to the total. Otherwise tools
            // move the zero points, which are constants, behind that adder.
            total = beat == 0 ? total_t(0) : total_t(total + beat_total);
            beat_total = tree<CONFIG_T::in_lanes>::sum(lanes);
            const squares_t beat_squares = tree<CONFIG_T::in_lanes>::sum(lane_squares);
            squares = beat == 0 ? beat_squares : squares_t(squares + beat_squares);
            values.write(x);
            if (beat == layer_norm_rows<CONFIG_T>::beats - 1) {
                const total_t row_total = total + beat_total;
                const variance_t variance = product<variance_t>(squares, count) -
                                            product<variance_t>(row_total, row_total) +
                                            epsilon[0][0];
                const radicand_t widened = variance;
                total_T sum;
                radicand_T radicand;
                sum[0] = row_total;
                radicand[0] = widened << (2 * CONFIG_T::root_fraction);
                totals.write(sum);
                radicands.write(radicand);
            }
        }
    }
}

/// Makes standard deviations, with root_fraction more bits. None is 0, because epsilon >= 1.
///
/// A root is the floor of a square root, by one bit per cycle. It is non-restoring: the addition of
/// the next step repairs a remainder that became negative. Sum and difference are made side by
/// side, and the sign chooses, so that one adder lies between two steps.
///
/// \tparam CONFIG_T  gives root_steps (bits of the root), radicand_t, root_t, remainder_t.
template <typename CONFIG_T, class radicand_T, class root_T>
void layer_norm_roots(stream<radicand_T> &radicands, stream<root_T> &roots) {
    typedef typename CONFIG_T::radicand_t radicand_t;
    typedef typename CONFIG_T::remainder_t remainder_t;
    typedef typename CONFIG_T::root_t root_t;
    static const unsigned steps = CONFIG_T::root_steps;
    const radicand_t below = (radicand_t(1) << (2 * steps - 2)) - 1; // all but the top two bits
    radicand_t radicand = 0; // a shift register
    remainder_t remainder = 0;
    root_t root = 0;
Words:
    for (unsigned i = 0; i < CONFIG_T::words; i++) {
    RootBits:
        for (unsigned step = 0; step < steps; step++) {
            HYQ_PIPELINE(1)
            if (step == 0) {
                radicand = radicands.read()[0];
                remainder = 0;
                root = 0;
            }
            const remainder_t pair = radicand >> (2 * steps - 2);
            const remainder_t shifted = (remainder << 2) | pair;
            const remainder_t four_roots = remainder_t(root) << 2;
            const remainder_t sum = shifted + remainder_t(four_roots | remainder_t(3));
            const remainder_t difference = shifted - remainder_t(four_roots | remainder_t(1));
            remainder = remainder < 0 ? sum : difference;
            root = (root << 1) | root_t(remainder < 0 ? 0 : 1);
            radicand = (radicand & below) << 2;
            if (step == steps - 1) {
                root_T out;
                out[0] = root;
                roots.write(out);
            }
        }
    }
}

/// Makes reciprocals of the standard deviations: floor(2^reciprocal_fraction / root), by one bit
/// per cycle.
///
/// The quotient fits reciprocal_steps bits, so nothing is subtracted before the last
/// reciprocal_steps steps of a restoring division, and the division starts there.
///
/// \tparam CONFIG_T  gives reciprocal_fraction, reciprocal_steps, root_t, reciprocal_t and
///                   remainder_t.
template <typename CONFIG_T, class root_T, class reciprocal_T>
void layer_norm_reciprocals(stream<root_T> &roots, stream<reciprocal_T> &reciprocals) {
    typedef typename CONFIG_T::remainder_t remainder_t;
    typedef typename CONFIG_T::reciprocal_t reciprocal_t;
    static const unsigned steps = CONFIG_T::reciprocal_steps;
    const remainder_t start = remainder_t(1) << (CONFIG_T::reciprocal_fraction + 1 - steps);
    remainder_t divisor = 0;
    remainder_t remainder = 0;
    reciprocal_t quotient = 0;
Words:
    for (unsigned i = 0; i < CONFIG_T::words; i++) {
    QuotientBits:
        for (unsigned step = 0; step < steps; step++) {
            HYQ_PIPELINE(1)
            if (step == 0) {
                divisor = roots.read()[0];
                remainder = start;
                quotient = 0;
            }
            const remainder_t difference = remainder - divisor;
            const bool fits = !(difference < 0);
            remainder = (fits ? difference : remainder) << 1;
            quotient = (quotient << 1) | reciprocal_t(fits ? 1 : 0);
            if (step == steps - 1) {
                reciprocal_T out;
                out[0] = quotient;
                reciprocals.write(out);
            }
        }
    }
}

/// Makes normalized values, multiplies them by gamma, adds beta, and requantizes to codes.
template <typename CONFIG_T, class values_T, class total_T, class reciprocal_T, class res_T>
void layer_norm_normalize(
    stream<values_T> &values, stream<total_T> &totals, stream<reciprocal_T> &reciprocals,
    stream<res_T> &res,
    const typename CONFIG_T::gamma_t &gamma,
    const typename CONFIG_T::beta_t &beta,
    const typename CONFIG_T::requantize_t &requantize) {
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
    stream<data_T> &data, stream<res_T> &res,
    const typename CONFIG_T::factor_shift_t &factor_shift,
    const typename CONFIG_T::zero_point_t &zero_point,
    const typename CONFIG_T::epsilon_t &epsilon,
    const typename CONFIG_T::gamma_t &gamma,
    const typename CONFIG_T::beta_t &beta,
    const typename CONFIG_T::requantize_t &requantize) {
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
    HYQ_PROCESS(layer_norm_moments<CONFIG_T>(data, values, totals, radicands, factor_shift,
                                             zero_point, epsilon));
    HYQ_PROCESS(layer_norm_roots<CONFIG_T>(radicands, roots));
    HYQ_PROCESS(layer_norm_reciprocals<CONFIG_T>(roots, reciprocals));
    HYQ_PROCESS(layer_norm_normalize<CONFIG_T>(values, totals, reciprocals, res, gamma, beta,
                                               requantize));
}

} // namespace hyq

#endif
