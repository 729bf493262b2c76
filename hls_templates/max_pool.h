// SPDX-License-Identifier: Apache-2.0
// The function is a max pooling with a line buffer. Reference: hyq_hls/ops/max_pool.py, MaxPool.
#ifndef HYQ_MAX_POOL_H_
#define HYQ_MAX_POOL_H_

#include "sliding_window.h"

namespace hyq {

/// The largest codes of in_lanes channels, over the taps of a window.
///
/// \tparam CONFIG_T  as for max_pool.
template <typename CONFIG_T> struct max_pool_codes {
    typedef typename CONFIG_T::operand_t operand_t;
    typedef depthwise_taps<CONFIG_T> taps_t;

    operand_t largest[CONFIG_T::in_lanes];

    max_pool_codes() {
        HYQ_PARTITION(largest, 1)
    }

    template <class res_T>
    void add(const operand_t (&x)[CONFIG_T::in_lanes], const taps_t &taps, unsigned, bool is_tap,
             stream<res_T> &res) {
        HYQ_INLINE
        res_T out;
    Lanes:
        for (unsigned l = 0; l < CONFIG_T::in_lanes; l++) {
            HYQ_UNROLL
            const bool is_larger = taps.is_first || x[l] > largest[l];
            const operand_t larger = is_larger ? x[l] : largest[l];
            largest[l] = larger;
            out[l] = larger;
        }
        if (is_tap && taps.is_last()) {
            res.write(out);
        }
    }
};

/// Every cycle compares one tap of in_lanes channels, while the next rows are written. Between two
/// frames there is a pause (see sliding_window.h).
///
/// \tparam CONFIG_T  gives the geometry (see sliding_window.h); out_lanes = in_lanes.
/// \param pad  the smallest code, which is the border.
template <typename CONFIG_T, class data_T, class res_T>
void max_pool(stream<data_T> &data, stream<res_T> &res, const typename CONFIG_T::pad_t &pad) {
    typedef max_pool_codes<CONFIG_T> codes_t;
    static_assert(CONFIG_T::out_lanes == CONFIG_T::in_lanes && res_T::size == CONFIG_T::in_lanes,
                  "every input channel gives an output channel");
    codes_t codes;
    each_tap<CONFIG_T, typename codes_t::taps_t>(data, pad, codes, res);
}

} // namespace hyq

#endif
