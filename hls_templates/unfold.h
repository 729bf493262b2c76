// SPDX-License-Identifier: Apache-2.0
// The function turns a map into tokens through a reorder buffer. Reference: hyq_hls/ops/unfold.py,
// Unfold.
#ifndef HYQ_UNFOLD_H_
#define HYQ_UNFOLD_H_

#include "reorder.h"

namespace hyq {

/// The loops over tokens, in words of the map: pixel of a patch (row, column), patch (row, column),
/// beat.
template <typename CONFIG_T> struct token_order {
    static const unsigned beats = CONFIG_T::channels / CONFIG_T::in_lanes;
    static const unsigned words = CONFIG_T::height * CONFIG_T::width * beats;
    static const unsigned size3 = CONFIG_T::patch_width;
    static const unsigned size2 = CONFIG_T::height / CONFIG_T::patch_height;
    static const unsigned size1 = CONFIG_T::width / CONFIG_T::patch_width;
    static const unsigned size0 = beats;
    static const unsigned stride4 = CONFIG_T::width * beats;
    static const unsigned stride3 = beats;
    static const unsigned stride2 = CONFIG_T::patch_height * CONFIG_T::width * beats;
    static const unsigned stride1 = CONFIG_T::patch_width * beats;
    static const unsigned stride0 = 1;
};

/// The first token needs the first pixel of the last patch, so the whole map is stored.
///
/// \tparam CONFIG_T  gives height, width, channels, patch_height, patch_width, in_lanes, out_lanes.
template <typename CONFIG_T, class data_T, class res_T>
void unfold(stream<data_T> &data, stream<res_T> &res) {
    HYQ_PING_PONG
    static_assert(CONFIG_T::height % CONFIG_T::patch_height == 0 &&
                      CONFIG_T::width % CONFIG_T::patch_width == 0,
                  "the patch divides the map");
    static_assert(data_T::size == CONFIG_T::in_lanes && res_T::size == CONFIG_T::in_lanes,
                  "input and output have the same lanes");
    static_assert(CONFIG_T::channels % CONFIG_T::in_lanes == 0,
                  "beats divide the channels of a position");
    typedef token_order<CONFIG_T> order;
    typename data_T::value_type frame[order::words][CONFIG_T::in_lanes];
    HYQ_RESHAPE(frame, 2)
    HYQ_PROCESS(store_frame<order::words>(data, frame));
    HYQ_PROCESS(send_frame<order>(frame, res));
}

} // namespace hyq

#endif
