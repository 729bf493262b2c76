// The function is a depthwise 2-D convolution with a line buffer.
// Reference: hyq_hls/ops/depthwise_conv2d.py, DepthwiseConv2d.
#ifndef HYQ_DEPTHWISE_CONV2D_H_
#define HYQ_DEPTHWISE_CONV2D_H_

#include "dot_product.h"
#include "sliding_window.h"

namespace hyq {

/// Every cycle multiplies one tap of in_lanes channels, while the next rows are written.
///
/// \tparam CONFIG_T  gives the geometry (see sliding_window.h); out_lanes = in_lanes.
/// \param weight  as [group of channels][kernel row][kernel column][lane].
template <typename CONFIG_T, class data_T, class res_T>
void depthwise_conv2d(
    stream<data_T> &data, stream<res_T> &res,
    const typename CONFIG_T::weight_t weight[CONFIG_T::weight_entries],
    const typename CONFIG_T::bias_t bias[CONFIG_T::bias_entries],
    const typename CONFIG_T::pad_t pad[CONFIG_T::pad_entries],
    const typename CONFIG_T::requantize_t requantize[CONFIG_T::requantize_entries]) {
    HYQ_RESHAPE_CYCLIC(weight, CONFIG_T::weight_lanes)
    HYQ_RESHAPE_CYCLIC(bias, CONFIG_T::bias_lanes)
    HYQ_RESHAPE_CYCLIC(pad, CONFIG_T::pad_lanes)
    HYQ_RESHAPE_CYCLIC(requantize, CONFIG_T::requantize_lanes)
    typedef typename CONFIG_T::accumulator_t accumulator_t;
    typedef sliding_window<CONFIG_T> window_t;
    static const unsigned lanes = CONFIG_T::in_lanes;
    static const unsigned kernel_width = CONFIG_T::kernel_width;
    static const unsigned taps = CONFIG_T::kernel_height * kernel_width;
    static const unsigned reads = window_t::out_width * window_t::beats * taps;
    static_assert(CONFIG_T::out_lanes == lanes && CONFIG_T::weight_lanes == lanes,
                  "every input channel gives an output channel");
    static_assert(CONFIG_T::weight_entries == taps * CONFIG_T::in_channels,
                  "one weight per tap and channel");

    window_t window;
    typename CONFIG_T::operand_t buffer[window_t::words][lanes];
    HYQ_RESHAPE(buffer, 2)
    accumulator_t acc[lanes];
    HYQ_PARTITION(acc, 1)
FirstRows:
    for (unsigned i = 0; i < window_t::first_words; i++) {
        HYQ_PIPELINE(1)
        window.take(buffer, data, pad);
    }
Rows:
    for (unsigned y = 0; y < window_t::out_height; y++) {
    Columns:
        for (unsigned x = 0; x < window_t::out_width; x++) {
        Groups:
            for (unsigned g = 0; g < window_t::beats; g++) {
            KernelRows:
                for (unsigned r = 0; r < CONFIG_T::kernel_height; r++) {
                KernelColumns:
                    for (unsigned k = 0; k < kernel_width; k++) {
                        HYQ_PIPELINE(1)
                        HYQ_NO_DEPENDENCE(buffer)
                        window.take(buffer, data, pad);
                        const unsigned tap = r * kernel_width + k;
                        const unsigned from = window.word(x, r, k * window_t::beats + g);
                        if (tap == 0) {
                            start_sums<CONFIG_T>(acc, g, bias);
                        }
                    Products:
                        for (unsigned l = 0; l < lanes; l++) {
                            HYQ_UNROLL
                            acc[l] += product<accumulator_t>(weight[(g * taps + tap) * lanes + l],
                                                             buffer[from][l]);
                        }
                        if (tap == taps - 1) {
                            res.write(requantize_sums<res_T, CONFIG_T>(acc, g, requantize));
                        }
                    }
                }
            }
        }
    RestOfRows:
        for (unsigned i = reads; i < window_t::next_words; i++) {
            HYQ_PIPELINE(1)
            window.take(buffer, data, pad);
        }
        window.next_row();
    }
}

} // namespace hyq

#endif
