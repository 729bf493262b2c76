// SPDX-License-Identifier: Apache-2.0
// The function is a depthwise 2-D convolution with a line buffer.
// Reference: hyq_hls/ops/depthwise_conv2d.py, DepthwiseConv2d.
#ifndef HYQ_DEPTHWISE_CONV2D_H_
#define HYQ_DEPTHWISE_CONV2D_H_

#include "convolution.h"

namespace hyq {

/// Every cycle multiplies one tap of in_lanes channels, while the next rows are written. Between
/// two frames there is a pause (see sliding_window.h).
///
/// \tparam CONFIG_T  gives the geometry (see sliding_window.h); out_lanes = in_lanes.
/// \param weight  as [group of channels][kernel row][kernel column], [lane].
template <typename CONFIG_T, class data_T, class res_T>
void depthwise_conv2d(stream<data_T> &data, stream<res_T> &res,
                      const typename CONFIG_T::weight_t &weight,
                      const typename CONFIG_T::bias_t &bias, const typename CONFIG_T::pad_t &pad,
                      const typename CONFIG_T::requantize_t &requantize) {
    typedef depthwise_taps<CONFIG_T> taps_t;
    static_assert(CONFIG_T::out_lanes == CONFIG_T::in_lanes,
                  "every input channel gives an output channel");
    static_assert(CONFIG_T::weight_entries == taps_t::per_window * CONFIG_T::in_lanes,
                  "one weight per tap and channel");
    convolve<CONFIG_T, taps_t, depthwise_products>(data, res, weight, bias, pad, requantize);
}

} // namespace hyq

#endif
