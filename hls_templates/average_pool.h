// The function is an average pooling with a line buffer, whose border counts nothing.
// Reference: hyq_hls/ops/average_pool.py, AveragePool.
#ifndef HYQ_AVERAGE_POOL_H_
#define HYQ_AVERAGE_POOL_H_

#include "dot_product.h"
#include "sliding_window.h"

namespace hyq {

/// Every cycle multiplies one tap of in_lanes channels, while the next rows are written. The factor
/// of a window is factor[rows[y] + columns[x]], by the numbers of rows and of columns inside.
///
/// \tparam CONFIG_T  gives the geometry (see sliding_window.h), out_lanes = in_lanes, centre (what
///                   the factor of the middle tap is less), centred_t (a code minus its zero point)
///                   and tap_t (a factor).
/// \param pad  zero points, which are the codes of the border too.
template <typename CONFIG_T, class data_T, class res_T>
void average_pool(stream<data_T> &data, stream<res_T> &res,
                  const typename CONFIG_T::rows_t rows[CONFIG_T::rows_entries],
                  const typename CONFIG_T::columns_t columns[CONFIG_T::columns_entries],
                  const typename CONFIG_T::factor_t factor[CONFIG_T::factor_entries],
                  const typename CONFIG_T::pad_t pad[CONFIG_T::pad_entries],
                  const typename CONFIG_T::requantize_t requantize[CONFIG_T::requantize_entries]) {
    HYQ_RESHAPE_CYCLIC(pad, CONFIG_T::pad_lanes)
    HYQ_RESHAPE_CYCLIC(requantize, CONFIG_T::requantize_lanes)
    typedef typename CONFIG_T::accumulator_t accumulator_t;
    typedef sliding_window<CONFIG_T> window_t;
    static const unsigned lanes = CONFIG_T::in_lanes;
    static const unsigned kernel_width = CONFIG_T::kernel_width;
    static const unsigned taps = CONFIG_T::kernel_height * kernel_width;
    static const unsigned middle = CONFIG_T::kernel_height / 2 * kernel_width + kernel_width / 2;
    static const unsigned reads = window_t::out_width * window_t::beats * taps;
    static_assert(CONFIG_T::out_lanes == lanes, "every input channel gives an output channel");
    static_assert(CONFIG_T::factor_entries == taps,
                  "one factor for each number of rows and of columns");
    static_assert(CONFIG_T::rows_entries == window_t::out_height &&
                      CONFIG_T::columns_entries == window_t::out_width,
                  "one entry for each row of windows, and for each window of a row");

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
                        const int less = tap == middle ? int(CONFIG_T::centre) : 0;
                        const typename CONFIG_T::tap_t by =
                            int(factor[rows[y] + columns[x]]) - less;
                    Products:
                        for (unsigned l = 0; l < lanes; l++) {
                            HYQ_UNROLL
                            const typename CONFIG_T::centred_t centred =
                                int(buffer[from][l]) -
                                of_channel<CONFIG_T::pad_entries>(pad, g * lanes + l);
                            const accumulator_t sum = tap == 0 ? accumulator_t(0) : acc[l];
                            acc[l] = sum + product<accumulator_t>(by, centred);
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
