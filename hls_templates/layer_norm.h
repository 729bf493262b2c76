// The function is a LayerNorm over the channels of every position. Reference:
// hyq_hls/ops/layer_norm.py, LayerNorm.
#ifndef HYQ_LAYER_NORM_H_
#define HYQ_LAYER_NORM_H_

#include "requantize.h"

namespace hyq {

/// Returns the floor of the square root, by one bit per step. It is non-restoring: the addition of
/// the next step repairs a remainder that became negative.
///
/// \tparam CONFIG_T  gives root_steps (bits of the root), radicand_t, root_t, remainder_t.
template <typename CONFIG_T>
inline typename CONFIG_T::root_t integer_root(typename CONFIG_T::radicand_t radicand) {
    HYQ_INLINE
    typedef typename CONFIG_T::remainder_t remainder_t;
    remainder_t remainder = 0;
    typename CONFIG_T::root_t root = 0;
RootBits:
    for (unsigned i = 0; i < CONFIG_T::root_steps; i++) {
        HYQ_PIPELINE(1)
        const int pair = int((radicand >> (2 * (CONFIG_T::root_steps - 1 - i))) & 3);
        const remainder_t shifted = (remainder << 2) + pair;
        const remainder_t four_roots = remainder_t(root) << 2;
        if (remainder < 0) {
            remainder = shifted + four_roots + 3;
        } else {
            remainder = shifted - four_roots - 1;
        }
        root = (root << 1) + (remainder < 0 ? 0 : 1);
    }
    return root;
}

/// Returns floor(2^reciprocal_fraction / divisor), by one bit per step.
///
/// The quotient fits reciprocal_steps bits, so nothing is subtracted before the last
/// reciprocal_steps steps of a restoring division, and the division starts there.
///
/// \tparam CONFIG_T  gives reciprocal_fraction, reciprocal_steps, root_t, reciprocal_t and
///                   remainder_t.
template <typename CONFIG_T>
inline typename CONFIG_T::reciprocal_t integer_reciprocal(typename CONFIG_T::root_t divisor) {
    HYQ_INLINE
    typedef typename CONFIG_T::remainder_t remainder_t;
    remainder_t remainder = 1;
    remainder = remainder << (CONFIG_T::reciprocal_fraction + 1 - CONFIG_T::reciprocal_steps);
    typename CONFIG_T::reciprocal_t quotient = 0;
QuotientBits:
    for (unsigned i = 0; i < CONFIG_T::reciprocal_steps; i++) {
        HYQ_PIPELINE(1)
        const remainder_t difference = remainder - divisor;
        const bool fits = difference >= 0;
        remainder = (fits ? difference : remainder) << 1;
        quotient = (quotient << 1) + int(fits);
    }
    return quotient;
}

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
    static const unsigned depth = CONFIG_T::row_depth + 64;
};

/// Makes values x, their sum, and C^2 times their variance, shifted for the square root.
template <typename CONFIG_T, class data_T, class values_T, class total_T, class radicand_T>
void layer_norm_moments(
    stream<data_T> &data, stream<values_T> &values, stream<total_T> &totals,
    stream<radicand_T> &radicands,
    const typename CONFIG_T::factor_shift_t factor_shift[CONFIG_T::factor_shift_entries],
    const typename CONFIG_T::zero_point_t zero_point[CONFIG_T::zero_point_entries],
    const typename CONFIG_T::epsilon_t epsilon[CONFIG_T::epsilon_entries]) {
    typedef typename CONFIG_T::value_t value_t;
    typedef typename CONFIG_T::squares_t squares_t;
    typedef typename CONFIG_T::variance_t variance_t;
    typedef typename CONFIG_T::radicand_t radicand_t;
    const typename CONFIG_T::count_t count = CONFIG_T::channels;
    typename CONFIG_T::total_t total = 0;
    squares_t squares = 0;
Words:
    for (unsigned i = 0; i < CONFIG_T::words; i++) {
    Beats:
        for (unsigned beat = 0; beat < layer_norm_rows<CONFIG_T>::beats; beat++) {
            HYQ_PIPELINE(1)
            if (beat == 0) {
                total = 0;
                squares = 0;
            }
            const data_T in = data.read();
            values_T x;
        Lanes:
            for (unsigned l = 0; l < CONFIG_T::in_lanes; l++) {
                HYQ_UNROLL
                const unsigned c = beat * CONFIG_T::in_lanes + l;
                const int zero = of_channel<CONFIG_T::zero_point_entries>(zero_point, c);
                const int shift = of_channel<CONFIG_T::factor_shift_entries>(factor_shift, c);
                const value_t value = value_t(int(in[l]) - zero) << shift;
                x[l] = value;
                total += value;
                squares += product<squares_t>(value, value);
            }
            values.write(x);
            if (beat == layer_norm_rows<CONFIG_T>::beats - 1) {
                const variance_t variance = product<variance_t>(squares, count) -
                                            product<variance_t>(total, total) + epsilon[0];
                const radicand_t widened = variance;
                total_T sum;
                radicand_T radicand;
                sum[0] = total;
                radicand[0] = widened << (2 * CONFIG_T::root_fraction);
                totals.write(sum);
                radicands.write(radicand);
            }
        }
    }
}

/// Makes standard deviations, with root_fraction more bits. None is 0, because epsilon >= 1.
template <typename CONFIG_T, class radicand_T, class root_T>
void layer_norm_roots(stream<radicand_T> &radicands, stream<root_T> &roots) {
Words:
    for (unsigned i = 0; i < CONFIG_T::words; i++) {
        root_T root;
        root[0] = integer_root<CONFIG_T>(radicands.read()[0]);
        roots.write(root);
    }
}

/// Makes reciprocals of the standard deviations.
template <typename CONFIG_T, class root_T, class reciprocal_T>
void layer_norm_reciprocals(stream<root_T> &roots, stream<reciprocal_T> &reciprocals) {
Words:
    for (unsigned i = 0; i < CONFIG_T::words; i++) {
        reciprocal_T reciprocal;
        reciprocal[0] = integer_reciprocal<CONFIG_T>(roots.read()[0]);
        reciprocals.write(reciprocal);
    }
}

/// Makes normalized values, multiplies them by gamma, adds beta, and requantizes to codes.
template <typename CONFIG_T, class values_T, class total_T, class reciprocal_T, class res_T>
void layer_norm_normalize(
    stream<values_T> &values, stream<total_T> &totals, stream<reciprocal_T> &reciprocals,
    stream<res_T> &res,
    const typename CONFIG_T::gamma_t gamma[CONFIG_T::gamma_entries],
    const typename CONFIG_T::beta_t beta[CONFIG_T::beta_entries],
    const typename CONFIG_T::requantize_t requantize[CONFIG_T::requantize_entries]) {
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
                const unsigned c = beat * CONFIG_T::in_lanes + l;
                const deviation_t d = product<deviation_t>(value_t(x[l]), count) - total;
                const normalized_t n =
                    (product<product_t>(d, reciprocal) + half) >> CONFIG_T::normalize_shift;
                const accumulator_t acc = product<accumulator_t>(gamma[c], n) + beta[c];
                out[l] = requantize_value<CONFIG_T>(acc, entry_of<CONFIG_T>(requantize, c));
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
    const typename CONFIG_T::factor_shift_t factor_shift[CONFIG_T::factor_shift_entries],
    const typename CONFIG_T::zero_point_t zero_point[CONFIG_T::zero_point_entries],
    const typename CONFIG_T::epsilon_t epsilon[CONFIG_T::epsilon_entries],
    const typename CONFIG_T::gamma_t gamma[CONFIG_T::gamma_entries],
    const typename CONFIG_T::beta_t beta[CONFIG_T::beta_entries],
    const typename CONFIG_T::requantize_t requantize[CONFIG_T::requantize_entries]) {
    HYQ_DATAFLOW
    HYQ_RESHAPE_CYCLIC(factor_shift, CONFIG_T::factor_shift_lanes)
    HYQ_RESHAPE_CYCLIC(zero_point, CONFIG_T::zero_point_lanes)
    HYQ_RESHAPE_CYCLIC(gamma, CONFIG_T::gamma_lanes)
    HYQ_RESHAPE_CYCLIC(beta, CONFIG_T::beta_lanes)
    HYQ_RESHAPE_CYCLIC(requantize, CONFIG_T::requantize_lanes)
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
    stream<typename rows::total_t> totals;
    HYQ_STREAM_DEPTH(totals, rows::depth)
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
