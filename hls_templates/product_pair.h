// SPDX-License-Identifier: Apache-2.0
// Two products with one operand take one multiplier. RTL: hyq_packed_product.sv.
#ifndef HYQ_PRODUCT_PAIR_H_
#define HYQ_PRODUCT_PAIR_H_

#include "types.h"

namespace hyq {

/// The multiplier of a DSP48E1 takes 25 x 18 bits. So ((a << shift) + b) * x + 2^(shift - 1) holds
/// both products exactly: the constant makes the lower part non-negative, and nothing is borrowed
/// from a * x above it.
///
/// \tparam shift  bits of a product.
template <unsigned shift> struct product_pair {
    template <class accumulator_T, class weight_T, class x_T>
    static void multiply(weight_T a, weight_T b, x_T x, accumulator_T &ax, accumulator_T &bx) {
        HYQ_INLINE
        const exact<25> weights = (exact<25>(a) << shift) + exact<25>(b);
        const exact<2 * shift> half = exact<2 * shift>(1) << (shift - 1);
        const exact<2 * shift> both = exact<2 * shift>(weights * x) + half;
        const exact<shift, false> lower = both;
        ax = both >> shift;
        bx = exact<shift + 1>(lower) - exact<shift + 1>(half);
    }
};

/// Two products do not fit one multiplier.
template <> struct product_pair<0> {
    template <class accumulator_T, class weight_T, class x_T>
    static void multiply(weight_T a, weight_T b, x_T x, accumulator_T &ax, accumulator_T &bx) {
        HYQ_INLINE
        ax = product<accumulator_T>(a, x);
        bx = product<accumulator_T>(b, x);
    }
};

/// The native integers of plain csim have no use for wide products.
#if defined(__SYNTHESIS__) || defined(HYQ_BIT_ACCURATE)
template <unsigned shift> using packed_pair = product_pair<shift>;
#else
template <unsigned shift> using packed_pair = product_pair<0>;
#endif

} // namespace hyq

#endif
