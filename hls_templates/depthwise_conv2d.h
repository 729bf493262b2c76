// Depthwise 2-D convolution with a line buffer.
// Reference: hyq_hls/ops/depthwise_conv2d.py, DepthwiseConv2d.
#ifndef HYQ_DEPTHWISE_CONV2D_H_
#define HYQ_DEPTHWISE_CONV2D_H_

#include "dot_product.h"
#include "sliding_window.h"

namespace hyq {

/// One tap of in_lanes channels per cycle, while the next rows are written.
///
/// \tparam CONFIG_T  gives the geometry (see sliding_window.h); out_lanes = in_lanes.
/// \param weight  as [group of channels][kernel row][kernel column][lane].
template <typename CONFIG_T, class data_T, class res_T>
void depthwise_conv2d(
    hls::stream<data_T> &data, hls::stream<res_T> &res,
    const typename CONFIG_T::weight_t weight[CONFIG_T::weight_entries],
    const typename CONFIG_T::bias_t bias[CONFIG_T::bias_entries],
    const typename CONFIG_T::pad_t pad[CONFIG_T::pad_entries],
    const typename CONFIG_T::requantize_t requantize[CONFIG_T::requantize_entries]) {
    #pragma HLS ARRAY_RESHAPE variable=weight cyclic factor=CONFIG_T::weight_lanes dim=1
    #pragma HLS ARRAY_RESHAPE variable=bias cyclic factor=CONFIG_T::bias_lanes dim=1
    #pragma HLS ARRAY_RESHAPE variable=pad cyclic factor=CONFIG_T::pad_lanes dim=1
    #pragma HLS ARRAY_RESHAPE variable=requantize cyclic factor=CONFIG_T::requantize_lanes dim=1
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
    #pragma HLS ARRAY_RESHAPE variable=buffer complete dim=2
    accumulator_t acc[lanes];
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
            for (unsigned g = 0; g < window_t::beats; g++) {
            KernelRows:
                for (unsigned r = 0; r < CONFIG_T::kernel_height; r++) {
                KernelColumns:
                    for (unsigned k = 0; k < kernel_width; k++) {
                        #pragma HLS PIPELINE II=1
                        #pragma HLS DEPENDENCE variable=buffer type=inter dependent=false
                        window.take(buffer, data, pad);
                        const unsigned tap = r * kernel_width + k;
                        const unsigned from = window.word(x, r, k * window_t::beats + g);
                        if (tap == 0) {
                            start_sums<CONFIG_T>(acc, g, bias);
                        }
                    Products:
                        for (unsigned l = 0; l < lanes; l++) {
                            #pragma HLS UNROLL
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
            #pragma HLS PIPELINE II=1
            window.take(buffer, data, pad);
        }
        window.next_row();
    }
}

} // namespace hyq

#endif
