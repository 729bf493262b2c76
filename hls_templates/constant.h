// SPDX-License-Identifier: Apache-2.0
// The codes are the same for every frame. Reference: hyq_hls/ops/constant.py, Constant.
#ifndef HYQ_CONSTANT_H_
#define HYQ_CONSTANT_H_

#include "types.h"

namespace hyq {

/// A word of the memory is a word of the stream.
///
/// \tparam CONFIG_T  gives out_lanes.
template <typename CONFIG_T, class res_T>
void constant(stream<res_T> &res, const typename CONFIG_T::values_t &values) {
    static const unsigned lanes = CONFIG_T::out_lanes;
    static_assert(res_T::size == lanes && CONFIG_T::values_lanes == lanes,
                  "a word of the memory has the lanes of the output");
Words:
    for (unsigned i = 0; i < CONFIG_T::values_entries / lanes; i++) {
        HYQ_PIPELINE(1)
        res_T out;
    Lanes:
        for (unsigned l = 0; l < lanes; l++) {
            HYQ_UNROLL
            out[l] = values[i][l];
        }
        res.write(out);
    }
}

} // namespace hyq

#endif
