// SPDX-License-Identifier: Apache-2.0
// Convolution and dense layers share these dot products: out_lanes sums at a time, in_lanes
// operands per cycle.
#ifndef HYQ_DOT_PRODUCT_H_
#define HYQ_DOT_PRODUCT_H_

#include "product_pair.h"
#include "requantize.h"
#include "tree.h"

namespace hyq {

/// Makes the products of one cycle. Two output lanes share a multiplier per operand where they fit.
///
/// \tparam CONFIG_T  gives pair_shift: bits of a product, or 0 where two do not fit.
/// \param weight  as [output lane][input lane].
template <typename CONFIG_T, class weight_T, unsigned weight_lanes>
inline void
multiply_lanes(typename CONFIG_T::accumulator_t (&products)[CONFIG_T::out_lanes][CONFIG_T::in_lanes],
               const typename CONFIG_T::operand_t (&x)[CONFIG_T::in_lanes],
               const weight_T (&weight)[weight_lanes]) {
    HYQ_INLINE
    static const unsigned in_lanes = CONFIG_T::in_lanes, pairs = CONFIG_T::out_lanes / 2;
Pairs:
    for (unsigned p = 0; p < pairs; p++) {
        HYQ_UNROLL
    PairProducts:
        for (unsigned i = 0; i < in_lanes; i++) {
            HYQ_UNROLL
            const unsigned even = 2 * p * in_lanes + i;
            packed_pair<CONFIG_T::pair_shift>::multiply(weight[even + in_lanes], weight[even], x[i],
                                                        products[2 * p + 1][i], products[2 * p][i]);
        }
    }
LastLane:
    for (unsigned o = 2 * pairs; o < CONFIG_T::out_lanes; o++) {
        HYQ_UNROLL
    LastProducts:
        for (unsigned i = 0; i < in_lanes; i++) {
            HYQ_UNROLL
            products[o][i] =
                product<typename CONFIG_T::accumulator_t>(weight[o * in_lanes + i], x[i]);
        }
    }
}

/// Adds the products of one cycle to the sums of a group of outputs, which begin with their biases.
///
/// The products are summed apart from the accumulators. So one adder lies between two iterations,
/// whatever the lanes are. A look-up table of this adder also chooses between bias and sum.
///
/// \param bias  one per output lane.
/// \param is_first  it is the first cycle of the group.
/// \param weight  as [output lane][input lane].
template <typename CONFIG_T, class weight_T, unsigned weight_lanes, class bias_T>
inline void add_products(typename CONFIG_T::accumulator_t (&acc)[CONFIG_T::out_lanes],
                         const typename CONFIG_T::operand_t (&x)[CONFIG_T::in_lanes],
                         const weight_T (&weight)[weight_lanes],
                         const bias_T (&bias)[CONFIG_T::out_lanes], bool is_first) {
    HYQ_INLINE
    typedef typename CONFIG_T::accumulator_t accumulator_t;
    static_assert(weight_lanes == CONFIG_T::out_lanes * CONFIG_T::in_lanes,
                  "a word of weights is what one cycle multiplies by");
    accumulator_t products[CONFIG_T::out_lanes][CONFIG_T::in_lanes];
    HYQ_PARTITION(products, 1)
    HYQ_PARTITION(products, 2)
    multiply_lanes<CONFIG_T>(products, x, weight);
Sums:
    for (unsigned o = 0; o < CONFIG_T::out_lanes; o++) {
        HYQ_UNROLL
        const accumulator_t start = bias[o]; // read in every cycle: no branch holds an adder
        const accumulator_t before = is_first ? start : acc[o];
        acc[o] = before + tree<CONFIG_T::in_lanes>::sum(products[o]);
    }
}

/// Returns the output word of a group of outputs.
template <class res_T, typename CONFIG_T>
inline res_T requantize_sums(const typename CONFIG_T::accumulator_t (&acc)[CONFIG_T::out_lanes],
                             unsigned group, const typename CONFIG_T::requantize_t &requantize) {
    HYQ_INLINE
    static_assert(res_T::size == CONFIG_T::out_lanes, "a word carries out_lanes outputs");
    res_T out;
Outputs:
    for (unsigned o = 0; o < CONFIG_T::out_lanes; o++) {
        HYQ_UNROLL
        out[o] = requantize_value<CONFIG_T>(acc[o], of_channel(requantize, group, o));
    }
    return out;
}

} // namespace hyq

#endif
