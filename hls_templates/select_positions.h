// SPDX-License-Identifier: Apache-2.0
// The function drops the words of some positions. Reference: hyq_hls/ops/select_positions.py,
// SelectPositions.
#ifndef HYQ_SELECT_POSITIONS_H_
#define HYQ_SELECT_POSITIONS_H_

#include "types.h"

namespace hyq {

/// \tparam CONFIG_T  gives words (positions), channels, in_lanes and out_lanes.
/// \param kept  one for every position that stays, else zero.
template <typename CONFIG_T, class data_T, class res_T>
void select_positions(stream<data_T> &data, stream<res_T> &res,
                      const typename CONFIG_T::kept_t &kept) {
    static const unsigned lanes = CONFIG_T::in_lanes;
    static_assert(data_T::size == lanes && res_T::size == lanes,
                  "the input and the output have the same lanes");
    static_assert(CONFIG_T::channels % lanes == 0, "beats divide the channels of a position");
    static_assert(CONFIG_T::kept_entries == CONFIG_T::words, "one entry for every position");
Words:
    for (unsigned i = 0; i < CONFIG_T::words; i++) {
    Beats:
        for (unsigned beat = 0; beat < CONFIG_T::channels / lanes; beat++) {
            HYQ_PIPELINE(1)
            const data_T in = data.read();
            if (kept[i][0] != 0) {
                res_T out;
            Lanes:
                for (unsigned l = 0; l < lanes; l++) {
                    HYQ_UNROLL
                    out[l] = in[l];
                }
                res.write(out);
            }
        }
    }
}

} // namespace hyq

#endif
