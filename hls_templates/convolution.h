// SPDX-License-Identifier: Apache-2.0
// Convolutions share these sums of products over the taps of a window. References:
// hyq_hls/ops/conv2d.py, Conv2d, and hyq_hls/ops/depthwise_conv2d.py, DepthwiseConv2d.
#ifndef HYQ_CONVOLUTION_H_
#define HYQ_CONVOLUTION_H_

#include "dot_product.h"
#include "sliding_window.h"

namespace hyq {

/// Every output lane takes all operands of a tap.
struct dense_products {
    /// Adds the products of a tap to the sums of its outputs; see add_products.
    template <typename CONFIG_T, class weight_T, unsigned weight_lanes, class bias_T>
    static void add(typename CONFIG_T::accumulator_t (&acc)[CONFIG_T::out_lanes],
                    const typename CONFIG_T::operand_t (&x)[CONFIG_T::in_lanes],
                    const weight_T (&weight)[weight_lanes],
                    const bias_T (&bias)[CONFIG_T::out_lanes], bool is_first) {
        HYQ_INLINE
        add_products<CONFIG_T>(acc, x, weight, bias, is_first);
    }
};

/// Every output lane takes its own operand.
struct depthwise_products {
    /// Adds the products of a tap to the sums of its outputs.
    template <typename CONFIG_T, class weight_T, unsigned weight_lanes, class bias_T>
    static void add(typename CONFIG_T::accumulator_t (&acc)[CONFIG_T::out_lanes],
                    const typename CONFIG_T::operand_t (&x)[CONFIG_T::in_lanes],
                    const weight_T (&weight)[weight_lanes],
                    const bias_T (&bias)[CONFIG_T::out_lanes], bool is_first) {
        HYQ_INLINE
        typedef typename CONFIG_T::accumulator_t accumulator_t;
        static_assert(weight_lanes == CONFIG_T::out_lanes, "a word has one weight per lane");
    Lanes:
        for (unsigned l = 0; l < CONFIG_T::out_lanes; l++) {
            HYQ_UNROLL
            const accumulator_t start = bias[l]; // read in every cycle, as in add_products
            const accumulator_t before = is_first ? start : acc[l];
            acc[l] = before + product<accumulator_t>(weight[l], x[l]);
        }
    }
};

/// The sums of out_lanes outputs.
///
/// \tparam CONFIG_T  as for convolve.
/// \tparam taps_T  the order of the taps.
/// \tparam products_T  dense_products or depthwise_products.
template <typename CONFIG_T, class taps_T, class products_T> struct convolution_sums {
    typename CONFIG_T::accumulator_t acc[CONFIG_T::out_lanes];
    counter<taps_T::per_window> word; ///< of weights

    convolution_sums() {
        HYQ_PARTITION(acc, 1)
    }

    /// Adds the products of a tap. The last tap of a sum writes the outputs. Without a tap, the sum
    /// is not needed: the next tap begins another one.
    template <class res_T>
    void add(const typename CONFIG_T::operand_t (&x)[CONFIG_T::in_lanes], const taps_T &taps,
             unsigned, bool is_tap, stream<res_T> &res, const typename CONFIG_T::weight_t &weight,
             const typename CONFIG_T::bias_t &bias,
             const typename CONFIG_T::requantize_t &requantize) {
        HYQ_INLINE
        products_T::template add<CONFIG_T>(acc, x, weight[word.index()], bias[taps.output()],
                                           taps.is_first);
        if (is_tap && taps.is_last()) {
            res.write(requantize_sums<res_T, CONFIG_T>(acc, taps.output(), requantize));
        }
        word.advance(is_tap);
    }
};

/// Multiplies every window of a padded map by weights. Between two frames there is a pause (see
/// sliding_window.h).
///
/// \tparam CONFIG_T  gives the geometry (see sliding_window.h) and out_lanes.
/// \tparam taps_T  the order of the taps, which is that of the words of weights.
/// \tparam products_T  dense_products or depthwise_products.
template <typename CONFIG_T, class taps_T, class products_T, class data_T, class res_T>
inline void convolve(stream<data_T> &data, stream<res_T> &res,
                     const typename CONFIG_T::weight_t &weight,
                     const typename CONFIG_T::bias_t &bias, const typename CONFIG_T::pad_t &pad,
                     const typename CONFIG_T::requantize_t &requantize) {
    HYQ_INLINE
    convolution_sums<CONFIG_T, taps_T, products_T> sums;
    each_tap<CONFIG_T, taps_T>(data, pad, sums, res, weight, bias, requantize);
}

} // namespace hyq

#endif
