// The function is a depthwise 2-D convolution with a line buffer.
// Reference: hyq_hls/ops/depthwise_conv2d.py, DepthwiseConv2d.
#ifndef HYQ_DEPTHWISE_CONV2D_H_
#define HYQ_DEPTHWISE_CONV2D_H_

#include "dot_product.h"
#include "sliding_window.h"

namespace hyq {

/// The sums of in_lanes channels, over the taps of a window.
///
/// \tparam CONFIG_T  as for depthwise_conv2d.
template <typename CONFIG_T> struct depthwise_sums {
    typedef typename CONFIG_T::accumulator_t accumulator_t;
    typedef depthwise_taps<CONFIG_T> taps_t;

    accumulator_t acc[CONFIG_T::in_lanes];
    counter<taps_t::per_window> word; ///< of weights

    depthwise_sums() { HYQ_PARTITION(acc, 1) }

    template <class res_T>
    void add(const typename CONFIG_T::operand_t (&x)[CONFIG_T::in_lanes], const taps_t &taps,
             unsigned, stream<res_T> &res, const typename CONFIG_T::weight_t &weight,
             const typename CONFIG_T::bias_t &bias,
             const typename CONFIG_T::requantize_t &requantize) {
        HYQ_INLINE
        const unsigned group = taps.group.index();
    Products:
        for (unsigned l = 0; l < CONFIG_T::in_lanes; l++) {
            HYQ_UNROLL
            const accumulator_t term = product<accumulator_t>(weight[word.index()][l], x[l]);
            acc[l] = taps.is_first ? term : accumulator_t(acc[l] + term);
        }
        if (taps.is_last()) {
            res.write(requantize_sums<res_T, CONFIG_T>(acc, group, bias, requantize));
        }
        word.advance();
    }
};

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
    typedef depthwise_sums<CONFIG_T> sums_t;
    static const unsigned lanes = CONFIG_T::in_lanes;
    static_assert(CONFIG_T::out_lanes == lanes && CONFIG_T::weight_lanes == lanes,
                  "every input channel gives an output channel");
    static_assert(CONFIG_T::weight_entries == sums_t::taps_t::per_window * lanes,
                  "one weight per tap and channel");
    sums_t sums;
    each_tap<CONFIG_T, typename sums_t::taps_t>(data, pad, sums, res, weight, bias, requantize);
}

} // namespace hyq

#endif
