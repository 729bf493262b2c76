// SPDX-License-Identifier: Apache-2.0
// The function takes the larger of two streams on a common scale, element by element. Reference:
// hyq_hls/ops/maximum.py, Maximum.
#ifndef HYQ_MAXIMUM_H_
#define HYQ_MAXIMUM_H_

#include "aligned_pair.h"

namespace hyq {

/// The larger of two terms.
struct larger_term {
    template <class term_T> static term_T of(const term_T &a, const term_T &b) {
        HYQ_INLINE
        return a < b ? b : a;
    }
};

/// \tparam CONFIG_T  as for aligned_pair.
template <typename CONFIG_T, class a_T, class b_T, class res_T>
void maximum(stream<a_T> &a, stream<b_T> &b, stream<res_T> &res,
             const typename CONFIG_T::zero_point_a_t &zero_point_a,
             const typename CONFIG_T::multiplier_a_t &multiplier_a,
             const typename CONFIG_T::exponent_a_t &exponent_a,
             const typename CONFIG_T::zero_point_b_t &zero_point_b,
             const typename CONFIG_T::multiplier_b_t &multiplier_b,
             const typename CONFIG_T::exponent_b_t &exponent_b,
             const typename CONFIG_T::requantize_t &requantize) {
    aligned_pair<CONFIG_T, larger_term>(a, b, res, zero_point_a, multiplier_a, exponent_a,
                                        zero_point_b, multiplier_b, exponent_b, requantize);
}

} // namespace hyq

#endif
