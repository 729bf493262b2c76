// The function is a dense 2-D convolution with a line buffer. Reference: hyq_hls/ops/conv2d.py,
// Conv2d.
#ifndef HYQ_CONV2D_H_
#define HYQ_CONV2D_H_

#include "dot_product.h"
#include "sliding_window.h"

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
    typedef sliding_window<CONFIG_T> window_t;
    static const unsigned groups = CONFIG_T::out_channels / CONFIG_T::out_lanes;
    static const unsigned run = CONFIG_T::kernel_width * window_t::beats;
    static const unsigned window_words = groups * CONFIG_T::kernel_height * run;
    static const unsigned reads = window_t::out_width * window_words;
    typedef window_taps<CONFIG_T, run, 1, groups, 0, CONFIG_T::stride_width * window_t::beats>
        taps_t;

    window_t window;
    window_rows<CONFIG_T> rows;
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
        taps_t taps;
        counter<window_t::beats> beat;
        counter<window_words> word;
    Taps:
        for (unsigned i = 0; i < reads; i++) {
            HYQ_PIPELINE(1)
            HYQ_NO_DEPENDENCE(buffer)
            window.take(buffer, data, pad, i < window_t::next_words);
            typename CONFIG_T::operand_t x[CONFIG_T::in_lanes];
            HYQ_PARTITION(x, 1)
            read_operands<CONFIG_T>(x, buffer, rows, taps, beat.index(), pad);
            const unsigned group = taps.group.index();
            add_products<CONFIG_T>(acc, x, weight[word.index()], taps.is_first);
            if (taps.is_last()) {
                res.write(requantize_sums<res_T, CONFIG_T>(acc, group, bias, requantize));
            }
            taps.advance();
            beat.advance();
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
