// Dense 2-D convolution with a line buffer. Reference: hyq_hls/ops/conv2d.py, Conv2d.
#ifndef HYQ_CONV2D_H_
#define HYQ_CONV2D_H_

#include "dot_product.h"
#include "sliding_window.h"

namespace hyq {

/// \tparam CONFIG_T  gives the geometry (see sliding_window.h) and out_channels;
///                   length = kernel_height * kernel_width * in_channels.
template <typename CONFIG_T, class data_T, class res_T>
void conv2d(hls::stream<data_T> &data, hls::stream<res_T> &res,
            const typename CONFIG_T::weight_t weight[CONFIG_T::weight_entries],
            const typename CONFIG_T::bias_t bias[CONFIG_T::bias_entries],
            const typename CONFIG_T::pad_t pad[CONFIG_T::pad_entries],
            const typename CONFIG_T::requantize_t requantize[CONFIG_T::requantize_entries]) {
    static_assert(res_T::size == CONFIG_T::out_channels, "a word carries all output channels");
    sliding_window<data_T, CONFIG_T> window;
Rows:
    for (unsigned y = 0; y < CONFIG_T::height + 2 * CONFIG_T::pad_height; y++) {
    Columns:
        for (unsigned x = 0; x < CONFIG_T::width + 2 * CONFIG_T::pad_width; x++) {
            window.push(data, y, x, pad);
            if (window.is_output(y, x)) {
                typename CONFIG_T::operand_t operands[CONFIG_T::length];
                window.gather(y, x, operands);
                res.write(dot_products<res_T, CONFIG_T>(operands, weight, bias, requantize));
            }
        }
    }
}

} // namespace hyq

#endif
