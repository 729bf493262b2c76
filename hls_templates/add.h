// SPDX-License-Identifier: Apache-2.0
// The function adds two streams on a common scale. Reference: hyq_hls/ops/add.py, Add.
#ifndef HYQ_ADD_H_
#define HYQ_ADD_H_

#include "aligned_pair.h"

namespace hyq {

/// The sum of two terms.
struct sum_of_terms {
    template <class term_T> static term_T of(const term_T &a, const term_T &b) {
        HYQ_INLINE
        return a + b;
    }
};

/// \tparam CONFIG_T  as for aligned_pair.
template <typename CONFIG_T, class a_T, class b_T, class res_T>
void add(stream<a_T> &a, stream<b_T> &b, stream<res_T> &res,
         const typename CONFIG_T::zero_point_a_t &zero_point_a,
         const typename CONFIG_T::multiplier_a_t &multiplier_a,
         const typename CONFIG_T::exponent_a_t &exponent_a,
         const typename CONFIG_T::zero_point_b_t &zero_point_b,
         const typename CONFIG_T::multiplier_b_t &multiplier_b,
         const typename CONFIG_T::exponent_b_t &exponent_b,
         const typename CONFIG_T::requantize_t &requantize) {
    aligned_pair<CONFIG_T, sum_of_terms>(a, b, res, zero_point_a, multiplier_a, exponent_a,
                                         zero_point_b, multiplier_b, exponent_b, requantize);
}

} // namespace hyq

#endif
