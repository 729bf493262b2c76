// Dense 2-D convolution with a line buffer. Reference: hyq_hls/ops/conv2d.py, Conv2d.
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
void conv2d(hls::stream<data_T> &data, hls::stream<res_T> &res,
            const typename CONFIG_T::weight_t weight[CONFIG_T::weight_entries],
            const typename CONFIG_T::bias_t bias[CONFIG_T::bias_entries],
            const typename CONFIG_T::pad_t pad[CONFIG_T::pad_entries],
            const typename CONFIG_T::requantize_t requantize[CONFIG_T::requantize_entries]) {
    #pragma HLS ARRAY_RESHAPE variable=weight cyclic factor=CONFIG_T::weight_lanes dim=1
    #pragma HLS ARRAY_RESHAPE variable=bias cyclic factor=CONFIG_T::bias_lanes dim=1
    #pragma HLS ARRAY_RESHAPE variable=pad cyclic factor=CONFIG_T::pad_lanes dim=1
    #pragma HLS ARRAY_RESHAPE variable=requantize cyclic factor=CONFIG_T::requantize_lanes dim=1
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
    #pragma HLS ARRAY_RESHAPE variable=buffer complete dim=2
    typename CONFIG_T::accumulator_t acc[CONFIG_T::out_lanes];
    #pragma HLS ARRAY_PARTITION variable=acc complete
FirstRows:
    for (unsigned i = 0; i < window_t::first_words; i++) {
        #pragma HLS PIPELINE II=1
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
                        #pragma HLS PIPELINE II=1
                        #pragma HLS DEPENDENCE variable=buffer type=inter dependent=false
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
            #pragma HLS PIPELINE II=1
            window.take(buffer, data, pad);
        }
        window.next_row();
    }
}

} // namespace hyq

#endif
