// The function is a dense 2-D convolution with a line buffer. Reference: hyq_hls/ops/conv2d.py,
// Conv2d.
#ifndef HYQ_CONV2D_H_
#define HYQ_CONV2D_H_

#include "dot_product.h"
#include "sliding_window.h"

namespace hyq {

/// The sums of a group of outputs, over the taps of a window.
///
/// \tparam CONFIG_T  as for conv2d.
template <typename CONFIG_T> struct conv2d_sums {
    typedef dense_taps<CONFIG_T, CONFIG_T::out_channels / CONFIG_T::out_lanes> taps_t;

    typename CONFIG_T::accumulator_t acc[CONFIG_T::out_lanes];
    counter<taps_t::per_window> word; ///< of weights

    conv2d_sums() { HYQ_PARTITION(acc, 1) }

    template <class res_T>
    void add(const typename CONFIG_T::operand_t (&x)[CONFIG_T::in_lanes], const taps_t &taps,
             unsigned, stream<res_T> &res, const typename CONFIG_T::weight_t &weight,
             const typename CONFIG_T::bias_t &bias,
             const typename CONFIG_T::requantize_t &requantize) {
        HYQ_INLINE
        const unsigned group = taps.group.index();
        add_products<CONFIG_T>(acc, x, weight[word.index()], taps.is_first);
        if (taps.is_last()) {
            res.write(requantize_sums<res_T, CONFIG_T>(acc, group, bias, requantize));
        }
        word.advance();
    }
};

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
    typedef conv2d_sums<CONFIG_T> sums_t;
    sums_t sums;
    each_tap<CONFIG_T, typename sums_t::taps_t>(data, pad, sums, res, weight, bias, requantize);
}

} // namespace hyq

#endif
