// Depthwise 2-D convolution with a line buffer.
// Reference: hyq_hls/ops/depthwise_conv2d.py, DepthwiseConv2d.
#ifndef HYQ_DEPTHWISE_CONV2D_H_
#define HYQ_DEPTHWISE_CONV2D_H_

#include "requantize.h"
#include "sliding_window.h"

namespace hyq {

/// One output pixel: the window whose last pixel is (y, x), read in place from the line buffer.
///
/// \param weight  as [kernel row][kernel column][channel], the order of the buffer: neighbouring
///                channels are independent sums, so that one starts every cycle.
template <typename CONFIG_T, class data_T, class res_T>
inline res_T depthwise_pixel(const sliding_window<data_T, CONFIG_T> &window, unsigned y, unsigned x,
                             const typename CONFIG_T::weight_t weight[CONFIG_T::weight_entries],
                             const typename CONFIG_T::bias_t bias[CONFIG_T::bias_entries],
                             const typename CONFIG_T::requantize_t requantize[CONFIG_T::requantize_entries]) {
    #pragma HLS INLINE
    typedef typename CONFIG_T::accumulator_t accumulator_t;
    const unsigned channels = CONFIG_T::in_channels;
    const unsigned top = y + 1 - CONFIG_T::kernel_height;
    const unsigned left = (x + 1 - CONFIG_T::kernel_width) * channels;
    accumulator_t acc[channels];
KernelRows:
    for (unsigned r = 0; r < CONFIG_T::kernel_height; r++) {
        const unsigned row = (top + r) % CONFIG_T::kernel_height;
    KernelColumns:
        for (unsigned k = 0; k < CONFIG_T::kernel_width; k++) {
            const unsigned tap = (r * CONFIG_T::kernel_width + k) * channels;
        Products:
            for (unsigned c = 0; c < channels; c++) {
                #pragma HLS PIPELINE II=1
                const accumulator_t before = tap == 0 ? accumulator_t(bias[c]) : acc[c];
                acc[c] = before + product<accumulator_t>(weight[tap + c],
                                                         window.rows[row][left + k * channels + c]);
            }
        }
    }
    res_T out;
Outputs:
    for (unsigned c = 0; c < channels; c++) {
        #pragma HLS PIPELINE II=1
        out[c] = requantize_value<CONFIG_T>(acc[c], entry_of<CONFIG_T>(requantize, c));
    }
    return out;
}

/// \tparam CONFIG_T  gives the geometry (see sliding_window.h); in_channels go in and out.
template <typename CONFIG_T, class data_T, class res_T>
void depthwise_conv2d(hls::stream<data_T> &data, hls::stream<res_T> &res,
                      const typename CONFIG_T::weight_t weight[CONFIG_T::weight_entries],
                      const typename CONFIG_T::bias_t bias[CONFIG_T::bias_entries],
                      const typename CONFIG_T::pad_t pad[CONFIG_T::pad_entries],
                      const typename CONFIG_T::requantize_t requantize[CONFIG_T::requantize_entries]) {
    static_assert(res_T::size == CONFIG_T::in_channels, "every input channel gives an output channel");
    static_assert(CONFIG_T::weight_entries ==
                      CONFIG_T::kernel_height * CONFIG_T::kernel_width * CONFIG_T::in_channels,
                  "one weight per tap and channel");
    static_assert(CONFIG_T::bias_entries == CONFIG_T::in_channels, "one bias per channel");
    sliding_window<data_T, CONFIG_T> window;
Rows:
    for (unsigned y = 0; y < CONFIG_T::height + 2 * CONFIG_T::pad_height; y++) {
    Columns:
        for (unsigned x = 0; x < CONFIG_T::width + 2 * CONFIG_T::pad_width; x++) {
            window.push(data, y, x, pad);
            if (window.is_output(y, x)) {
                res.write(depthwise_pixel<CONFIG_T, data_T, res_T>(window, y, x, weight, bias, requantize));
            }
        }
    }
}

} // namespace hyq

#endif
