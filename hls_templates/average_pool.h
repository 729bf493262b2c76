// SPDX-License-Identifier: Apache-2.0
// The function is an average pooling with a line buffer, whose border counts nothing.
// Reference: hyq_hls/ops/average_pool.py, AveragePool.
#ifndef HYQ_AVERAGE_POOL_H_
#define HYQ_AVERAGE_POOL_H_

#include "requantize.h"
#include "sliding_window.h"

namespace hyq {

/// The weighted sums of in_lanes channels, over the taps of a window.
///
/// \tparam CONFIG_T  as for average_pool.
template <typename CONFIG_T> struct average_pool_sums {
    typedef typename CONFIG_T::accumulator_t accumulator_t;
    typedef depthwise_taps<CONFIG_T> taps_t;

    accumulator_t acc[CONFIG_T::in_lanes];
    counter<sliding_window<CONFIG_T>::out_width> column; ///< of the window

    average_pool_sums() {
        HYQ_PARTITION(acc, 1)
    }

    template <class res_T>
    void add(const typename CONFIG_T::operand_t (&x)[CONFIG_T::in_lanes], const taps_t &taps,
             unsigned row, bool is_tap, stream<res_T> &res, const typename CONFIG_T::rows_t &rows,
             const typename CONFIG_T::columns_t &columns, const typename CONFIG_T::factor_t &factor,
             const typename CONFIG_T::pad_t &pad,
             const typename CONFIG_T::requantize_t &requantize) {
        HYQ_INLINE
        const unsigned group = taps.output();
        const bool is_middle = taps.kernel_row.index() == CONFIG_T::kernel_height / 2 &&
                               taps.tap.index() == CONFIG_T::kernel_width / 2;
        const int whole =
            factor[unsigned(rows[row][0]) + unsigned(columns[column.index()][0])][0];
        const typename CONFIG_T::tap_t by = whole - (is_middle ? int(CONFIG_T::centre) : 0);
    Products:
        for (unsigned l = 0; l < CONFIG_T::in_lanes; l++) {
            HYQ_UNROLL
            const typename CONFIG_T::centred_t centred = int(x[l]) - of_channel(pad, group, l);
            const accumulator_t term = product<accumulator_t>(by, centred);
            acc[l] = taps.is_first ? term : accumulator_t(acc[l] + term);
        }
        if (is_tap && taps.is_last()) {
            res_T out;
        Outputs:
            for (unsigned l = 0; l < CONFIG_T::in_lanes; l++) {
                HYQ_UNROLL
                out[l] = requantize_value<CONFIG_T>(acc[l], of_channel(requantize, group, l));
            }
            res.write(out);
        }
        column.advance(is_tap && taps.is_last() && taps.group.last);
    }
};

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
    typedef sliding_window<CONFIG_T> window_t;
    typedef average_pool_sums<CONFIG_T> sums_t;
    static_assert(CONFIG_T::out_lanes == CONFIG_T::in_lanes && res_T::size == CONFIG_T::out_lanes,
                  "every input channel gives an output channel");
    static_assert(CONFIG_T::factor_entries == CONFIG_T::kernel_height * CONFIG_T::kernel_width,
                  "one factor for each number of rows and of columns");
    static_assert(CONFIG_T::rows_entries == window_t::out_height &&
                      CONFIG_T::columns_entries == window_t::out_width,
                  "one entry for each row of windows, and for each window of a row");
    sums_t sums;
    each_tap<CONFIG_T, typename sums_t::taps_t>(data, pad, sums, res, rows, columns, factor, pad,
                                                requantize);
}

} // namespace hyq

#endif
