// The function is an average pooling with a line buffer, whose border counts nothing.
// Reference: hyq_hls/ops/average_pool.py, AveragePool.
#ifndef HYQ_AVERAGE_POOL_H_
#define HYQ_AVERAGE_POOL_H_

#include "requantize.h"
#include "sliding_window.h"

namespace hyq {

/// Every cycle multiplies one tap of in_lanes channels, while the next rows are written. Between
/// two frames there is a pause (see sliding_window.h). The factor of a window is
/// factor[rows[y] + columns[x]], by the numbers of rows and of columns inside.
///
/// \tparam CONFIG_T  gives the geometry (see sliding_window.h), out_lanes = in_lanes, centre (what
///                   the factor of the middle tap is less), centred_t (a code minus its zero point)
///                   and tap_t (a factor).
/// \param pad  zero points, which are the codes of the border too.
template <typename CONFIG_T, class data_T, class res_T>
void average_pool(stream<data_T> &data, stream<res_T> &res, const typename CONFIG_T::rows_t &rows,
                  const typename CONFIG_T::columns_t &columns,
                  const typename CONFIG_T::factor_t &factor, const typename CONFIG_T::pad_t &pad,
                  const typename CONFIG_T::requantize_t &requantize) {
    typedef typename CONFIG_T::accumulator_t accumulator_t;
    typedef sliding_window<CONFIG_T> window_t;
    static const unsigned lanes = CONFIG_T::in_lanes, beats = window_t::beats;
    static const unsigned kernel_height = CONFIG_T::kernel_height;
    static const unsigned kernel_width = CONFIG_T::kernel_width;
    static const unsigned reads = window_t::out_width * beats * kernel_height * kernel_width;
    static_assert(CONFIG_T::out_lanes == lanes && res_T::size == lanes,
                  "every input channel gives an output channel");
    static_assert(CONFIG_T::factor_entries == kernel_height * kernel_width,
                  "one factor for each number of rows and of columns");
    static_assert(CONFIG_T::rows_entries == window_t::out_height &&
                      CONFIG_T::columns_entries == window_t::out_width,
                  "one entry for each row of windows, and for each window of a row");
    typedef window_taps<CONFIG_T, kernel_width, beats, beats, 1, CONFIG_T::stride_width * beats>
        taps_t;

    window_t window;
    window_rows<CONFIG_T> stored;
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
        counter<window_t::out_width> x;
    Taps:
        for (unsigned i = 0; i < reads; i++) {
            HYQ_PIPELINE(1)
            HYQ_NO_DEPENDENCE(buffer)
            window.take(buffer, data, pad, i < window_t::next_words);
            typename CONFIG_T::operand_t codes[lanes];
            HYQ_PARTITION(codes, 1)
            const unsigned group = taps.group.index();
            read_operands<CONFIG_T>(codes, buffer, stored, taps, group, pad);
            const bool is_middle = taps.kernel_row.index() == kernel_height / 2 &&
                                   taps.tap.index() == kernel_width / 2;
            const int whole = factor[unsigned(rows[y][0]) + unsigned(columns[x.index()][0])][0];
            const typename CONFIG_T::tap_t by = whole - (is_middle ? int(CONFIG_T::centre) : 0);
        Products:
            for (unsigned l = 0; l < lanes; l++) {
                HYQ_UNROLL
                const typename CONFIG_T::centred_t centred =
                    int(codes[l]) - of_channel(pad, group, l);
                const accumulator_t term = product<accumulator_t>(by, centred);
                acc[l] = taps.is_first ? term : accumulator_t(acc[l] + term);
            }
            if (taps.is_last()) {
                res_T out;
            Outputs:
                for (unsigned l = 0; l < lanes; l++) {
                    HYQ_UNROLL
                    out[l] = requantize_value<CONFIG_T>(acc[l], of_channel(requantize, group, l));
                }
                res.write(out);
            }
            x.advance(taps.is_last() && taps.group.last);
            taps.advance();
        }
    RestOfRows:
        for (unsigned i = reads; i < window_t::next_words; i++) {
            HYQ_PIPELINE(1)
            window.take(buffer, data, pad);
        }
        stored.next();
    }
}

} // namespace hyq

#endif
