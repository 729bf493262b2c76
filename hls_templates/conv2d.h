// SPDX-License-Identifier: Apache-2.0
// The function is a 2-D convolution with a line buffer, dense or with groups. References:
// hyq_hls/ops/conv2d.py, Conv2d, and hyq_hls/ops/grouped_conv2d.py, GroupedConv2d.
#ifndef HYQ_CONV2D_H_
#define HYQ_CONV2D_H_

#include "convolution.h"
#include "group_taps.h"

namespace hyq {

/// The order of the taps: that of group_taps, which needs fewer counters where the words of a kernel
/// row follow each other.
template <typename CONFIG_T, unsigned run, unsigned times, bool is_row> struct conv2d_taps {
    typedef group_taps<CONFIG_T, run, times> type;
};
template <typename CONFIG_T, unsigned run, unsigned times>
struct conv2d_taps<CONFIG_T, run, times, true> {
    typedef dense_taps<CONFIG_T, times> type;
};

/// Every window of a group is read once per out_lanes outputs of the group, while the next rows are
/// written. Between two frames there is a pause (see sliding_window.h).
///
/// \tparam CONFIG_T  gives the geometry (see sliding_window.h), out_channels, out_lanes and groups;
///                   in_lanes and out_lanes divide the channels of a group.
/// \param weight  as [group][outputs of the group][kernel row][kernel column][beat],
///                [output lane][input lane].
template <typename CONFIG_T, class data_T, class res_T>
void conv2d(stream<data_T> &data, stream<res_T> &res, const typename CONFIG_T::weight_t &weight,
            const typename CONFIG_T::bias_t &bias, const typename CONFIG_T::pad_t &pad,
            const typename CONFIG_T::requantize_t &requantize) {
    static const unsigned in_lanes = CONFIG_T::in_lanes, out_lanes = CONFIG_T::out_lanes;
    static const unsigned run = sliding_window<CONFIG_T>::beats / CONFIG_T::groups;
    static const unsigned times = CONFIG_T::out_channels / out_lanes / CONFIG_T::groups;
    static const bool is_row = CONFIG_T::groups == 1 && CONFIG_T::dilation_width == 1;
    typedef typename conv2d_taps<CONFIG_T, run, times, is_row>::type taps_t;
    static_assert(run * in_lanes * CONFIG_T::groups == CONFIG_T::in_channels,
                  "input lanes divide the input channels of a group");
    static_assert(times * out_lanes * CONFIG_T::groups == CONFIG_T::out_channels,
                  "output lanes divide the output channels of a group");
    static_assert(CONFIG_T::weight_entries == taps_t::per_window * out_lanes * in_lanes,
                  "one weight per output channel and operand");
    convolve<CONFIG_T, taps_t, dense_products>(data, res, weight, bias, pad, requantize);
}

} // namespace hyq

#endif
