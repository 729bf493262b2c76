// The function is a depthwise 2-D convolution with a line buffer.
// Reference: hyq_hls/ops/depthwise_conv2d.py, DepthwiseConv2d.
#ifndef HYQ_DEPTHWISE_CONV2D_H_
#define HYQ_DEPTHWISE_CONV2D_H_

#include "dot_product.h"
#include "sliding_window.h"

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
    typedef typename CONFIG_T::accumulator_t accumulator_t;
    typedef sliding_window<CONFIG_T> window_t;
    static const unsigned lanes = CONFIG_T::in_lanes, beats = window_t::beats;
    static const unsigned kernel_width = CONFIG_T::kernel_width;
    static const unsigned window_words = beats * CONFIG_T::kernel_height * kernel_width;
    static const unsigned reads = window_t::out_width * window_words;
    static_assert(CONFIG_T::out_lanes == lanes && CONFIG_T::weight_lanes == lanes,
                  "every input channel gives an output channel");
    static_assert(CONFIG_T::weight_entries == window_words * lanes,
                  "one weight per tap and channel");
    typedef window_taps<CONFIG_T, kernel_width, beats, beats, 1, CONFIG_T::stride_width * beats>
        taps_t;

    window_t window;
    window_rows<CONFIG_T> rows;
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
        taps_t taps;
        counter<window_words> word;
    Taps:
        for (unsigned i = 0; i < reads; i++) {
            HYQ_PIPELINE(1)
            HYQ_NO_DEPENDENCE(buffer)
            window.take(buffer, data, pad, i < window_t::next_words);
            typename CONFIG_T::operand_t x[lanes];
            HYQ_PARTITION(x, 1)
            const unsigned group = taps.group.index();
            read_operands<CONFIG_T>(x, buffer, rows, taps, group, pad);
        Products:
            for (unsigned l = 0; l < lanes; l++) {
                HYQ_UNROLL
                const accumulator_t term =
                    product<accumulator_t>(weight[word.index()][l], x[l]);
                acc[l] = taps.is_first ? term : accumulator_t(acc[l] + term);
            }
            if (taps.is_last()) {
                res.write(requantize_sums<res_T, CONFIG_T>(acc, group, bias, requantize));
            }
            taps.advance();
            word.advance();
        }
    RestOfRows:
        for (unsigned i = reads; i < window_t::next_words; i++) {
            HYQ_PIPELINE(1)
            window.take(buffer, data, pad);
        }
        rows.next();
    }
}

} // namespace hyq

#endif
