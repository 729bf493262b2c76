// The function is a dense 2-D convolution with a line buffer. Reference: hyq_hls/ops/conv2d.py,
// Conv2d.
#ifndef HYQ_CONV2D_H_
#define HYQ_CONV2D_H_

#include "dot_product.h"
#include "sliding_window.h"

namespace hyq {

/// Every window is read once per group of outputs, while the next rows are written.
///
/// \tparam CONFIG_T  gives the geometry (see sliding_window.h), out_channels, out_lanes and
///                   length = kernel_height * kernel_width * in_channels.
/// \param weight  as [group of outputs][kernel row][kernel column][beat][output lane][input lane].
template <typename CONFIG_T, class data_T, class res_T>
void conv2d(stream<data_T> &data, stream<res_T> &res,
            const typename CONFIG_T::weight_t weight[CONFIG_T::weight_entries],
            const typename CONFIG_T::bias_t bias[CONFIG_T::bias_entries],
            const typename CONFIG_T::pad_t pad[CONFIG_T::pad_entries],
            const typename CONFIG_T::requantize_t requantize[CONFIG_T::requantize_entries]) {
    HYQ_RESHAPE_CYCLIC(weight, CONFIG_T::weight_lanes)
    HYQ_RESHAPE_CYCLIC(bias, CONFIG_T::bias_lanes)
    HYQ_RESHAPE_CYCLIC(pad, CONFIG_T::pad_lanes)
    HYQ_RESHAPE_CYCLIC(requantize, CONFIG_T::requantize_lanes)
    static_assert(CONFIG_T::out_channels % CONFIG_T::out_lanes == 0, "lanes divide the channels");
    static_assert(CONFIG_T::weight_entries == CONFIG_T::out_channels * CONFIG_T::length,
                  "one weight per output channel and operand");
    typedef sliding_window<CONFIG_T> window_t;
    static const unsigned groups = CONFIG_T::out_channels / CONFIG_T::out_lanes;
    static const unsigned run = CONFIG_T::kernel_width * window_t::beats;
    static const unsigned taps = CONFIG_T::kernel_height * run;
    static const unsigned reads = window_t::out_width * groups * taps;

    window_t window;
    typename CONFIG_T::operand_t buffer[window_t::words][CONFIG_T::in_lanes];
    HYQ_RESHAPE(buffer, 2)
    typename CONFIG_T::accumulator_t acc[CONFIG_T::out_lanes];
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
            for (unsigned g = 0; g < groups; g++) {
            KernelRows:
                for (unsigned r = 0; r < CONFIG_T::kernel_height; r++) {
                Beats:
                    for (unsigned b = 0; b < run; b++) {
                        HYQ_PIPELINE(1)
                        HYQ_NO_DEPENDENCE(buffer)
                        window.take(buffer, data, pad);
                        const unsigned tap = r * run + b;
                        if (tap == 0) {
                            start_sums<CONFIG_T>(acc, g, bias);
                        }
                        add_products<CONFIG_T>(acc, buffer[window.word(x, r, b)], g * taps + tap,
                                               weight);
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
