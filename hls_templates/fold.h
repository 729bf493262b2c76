// SPDX-License-Identifier: Apache-2.0
// The function turns tokens into a map through a reorder buffer. Reference: hyq_hls/ops/fold.py,
// Fold.
#ifndef HYQ_FOLD_H_
#define HYQ_FOLD_H_

#include "reorder.h"

namespace hyq {

/// The loops over the map, in words of tokens: rows (patch, pixel), columns (patch, pixel), beat.
template <typename CONFIG_T> struct map_order {
    static const unsigned beats = CONFIG_T::channels / CONFIG_T::in_lanes;
    static const unsigned words = CONFIG_T::height * CONFIG_T::width * beats;
    static const unsigned rows = CONFIG_T::height / CONFIG_T::patch_height;
    static const unsigned columns = CONFIG_T::width / CONFIG_T::patch_width;
    static const unsigned size3 = CONFIG_T::patch_height;
    static const unsigned size2 = columns;
    static const unsigned size1 = CONFIG_T::patch_width;
    static const unsigned size0 = beats;
    static const unsigned stride4 = columns * beats;
    static const unsigned stride3 = CONFIG_T::patch_width * rows * columns * beats;
    static const unsigned stride2 = beats;
    static const unsigned stride1 = rows * columns * beats;
    static const unsigned stride0 = 1;
};

/// The second pixel of the map arrives after a whole pixel phase, so all tokens are stored.
///
/// \tparam CONFIG_T  gives height, width, channels, patch_height, patch_width of the map, in_lanes,
///                   out_lanes.
template <typename CONFIG_T, class data_T, class res_T>
void fold(stream<data_T> &data, stream<res_T> &res) {
    HYQ_PING_PONG
    static_assert(CONFIG_T::height % CONFIG_T::patch_height == 0 &&
                      CONFIG_T::width % CONFIG_T::patch_width == 0,
                  "the patch divides the map");
    static_assert(data_T::size == CONFIG_T::in_lanes && res_T::size == CONFIG_T::in_lanes,
                  "input and output have the same lanes");
    static_assert(CONFIG_T::channels % CONFIG_T::in_lanes == 0,
                  "beats divide the channels of a position");
    typedef map_order<CONFIG_T> order;
    typename data_T::value_type frame[order::words][CONFIG_T::in_lanes];
    HYQ_RESHAPE(frame, 2)
    HYQ_PROCESS(store_frame<order::words>(data, frame));
    HYQ_PROCESS(send_frame<order>(frame, res));
}

} // namespace hyq

#endif
