// The function is a dense 2-D convolution with a line buffer. Reference: hyq_hls/ops/conv2d.py,
// Conv2d.
#ifndef HYQ_CONV2D_H_
#define HYQ_CONV2D_H_

#include "convolution.h"

namespace hyq {

/// Every window is read once per group of outputs, while the next rows are written. Between two
/// frames there is a pause (see sliding_window.h).
///
/// \tparam CONFIG_T  gives the geometry (see sliding_window.h), out_channels, out_lanes and
///                   length = kernel_height * kernel_width * in_channels.
/// \param weight  as [group of outputs][kernel row][kernel column][beat],
///                [output lane][input lane].
template <typename CONFIG_T, class data_T, class res_T>
void conv2d(stream<data_T> &data, stream<res_T> &res, const typename CONFIG_T::weight_t &weight,
            const typename CONFIG_T::bias_t &bias, const typename CONFIG_T::pad_t &pad,
            const typename CONFIG_T::requantize_t &requantize) {
    static_assert(CONFIG_T::out_channels % CONFIG_T::out_lanes == 0, "lanes divide the channels");
    static_assert(CONFIG_T::weight_entries == CONFIG_T::out_channels * CONFIG_T::length,
                  "one weight per output channel and operand");
    typedef dense_taps<CONFIG_T, CONFIG_T::out_channels / CONFIG_T::out_lanes> taps_t;
    convolve<CONFIG_T, taps_t, dense_products>(data, res, weight, bias, pad, requantize);
}

} // namespace hyq

#endif
