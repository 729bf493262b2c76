// SPDX-License-Identifier: Apache-2.0
// These are the parts that LayerNorm and GroupNorm share: sums of a row, its square root, and the
// reciprocal of that. References: hyq_hls/ops/layer_norm.py and hyq_hls/ops/group_norm.py.
#ifndef HYQ_NORMALIZATION_H_
#define HYQ_NORMALIZATION_H_

#include "requantize.h"
#include "tree.h"

namespace hyq {

/// The words between the four processes of a normalization.
///
/// \tparam CONFIG_T  as for layer_norm or group_norm.
template <typename CONFIG_T> struct norm_words {
    typedef word<exact<CONFIG_T::value_bits>, CONFIG_T::in_lanes> values_t;
    typedef word<exact<CONFIG_T::total_bits>, 1> total_t;
    typedef word<exact<2 * CONFIG_T::root_steps, false>, 1> radicand_t;
    typedef word<exact<CONFIG_T::root_steps, false>, 1> root_t;
    typedef word<exact<CONFIG_T::reciprocal_steps, false>, 1> reciprocal_t;

    static const unsigned beats = CONFIG_T::channels / CONFIG_T::in_lanes;
};

/// The sums of a row, which has one mean and one variance: a position of a LayerNorm, or a frame of
/// a GroupNorm.
///
/// \tparam CONFIG_T  gives in_lanes, root_fraction, value_t, total_t, squares_t, count_t (holds the
///                   numbers of a row), variance_t and radicand_t.
template <typename CONFIG_T> struct norm_sums {
    typedef typename CONFIG_T::value_t value_t;
    typedef typename CONFIG_T::total_t total_t;
    typedef typename CONFIG_T::squares_t squares_t;
    typedef typename CONFIG_T::variance_t variance_t;
    typedef typename CONFIG_T::radicand_t radicand_t;

    total_t total, beat_total; ///< of the beats before, and of the last of them
    squares_t squares;

    norm_sums() : total(0), beat_total(0), squares(0) {}

    /// Adds the values of a beat, which may be the first of a row.
    void add(const value_t (&values)[CONFIG_T::in_lanes], bool is_first) {
        HYQ_INLINE
        total_t lanes[CONFIG_T::in_lanes];
        HYQ_PARTITION(lanes, 1)
        squares_t lane_squares[CONFIG_T::in_lanes];
        HYQ_PARTITION(lane_squares, 1)
    Lanes:
        for (unsigned l = 0; l < CONFIG_T::in_lanes; l++) {
            HYQ_UNROLL
            lanes[l] = values[l];
            lane_squares[l] = product<squares_t>(values[l], values[l]);
        }
        // The sum of a beat waits in a register for its addition to the total. Otherwise tools
        // move the zero points, which are constants, behind that adder.
        total = is_first ? total_t(0) : total_t(total + beat_total);
        beat_total = tree<CONFIG_T::in_lanes>::sum(lanes);
        const squares_t beat_squares = tree<CONFIG_T::in_lanes>::sum(lane_squares);
        squares = is_first ? beat_squares : squares_t(squares + beat_squares);
    }

    /// Writes the sum of a row, and count^2 times its variance, shifted for the square root.
    template <class total_T, class radicand_T, class epsilon_T>
    void write(stream<total_T> &totals, stream<radicand_T> &radicands,
               typename CONFIG_T::count_t count, const epsilon_T &epsilon) const {
        HYQ_INLINE
        const total_t row_total = total + beat_total;
        const variance_t variance = product<variance_t>(squares, count) -
                                    product<variance_t>(row_total, row_total) + epsilon[0][0];
        const radicand_t widened = variance;
        total_T sum;
        radicand_T radicand;
        sum[0] = row_total;
        radicand[0] = widened << (2 * CONFIG_T::root_fraction);
        totals.write(sum);
        radicands.write(radicand);
    }
};

/// Makes standard deviations, with root_fraction more bits. None is 0, because epsilon >= 1.
///
/// A root is the floor of a square root, by one bit per cycle. It is non-restoring: the addition of
/// the next step repairs a remainder that became negative. Sum and difference are made side by
/// side, and the sign chooses, so that one adder lies between two steps.
///
/// \tparam CONFIG_T  gives root_steps (bits of the root), radicand_t, root_t, remainder_t.
template <typename CONFIG_T, class radicand_T, class root_T>
void norm_roots(stream<radicand_T> &radicands, stream<root_T> &roots) {
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
void norm_reciprocals(stream<root_T> &roots, stream<reciprocal_T> &reciprocals) {
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

} // namespace hyq

#endif
