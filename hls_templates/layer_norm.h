// LayerNorm over the channels of every word. Reference: hyq_hls/ops/layer_norm.py, LayerNorm.
#ifndef HYQ_LAYER_NORM_H_
#define HYQ_LAYER_NORM_H_

#include "requantize.h"

namespace hyq {

/// Floor of the square root, one bit per step. Non-restoring: a remainder that became negative is
/// repaired by the addition of the next step.
///
/// \tparam CONFIG_T  gives root_steps (bits of the root), radicand_t, root_t, remainder_t.
template <typename CONFIG_T>
inline typename CONFIG_T::root_t integer_root(typename CONFIG_T::radicand_t radicand) {
    #pragma HLS INLINE
    typedef typename CONFIG_T::remainder_t remainder_t;
    remainder_t remainder = 0;
    typename CONFIG_T::root_t root = 0;
RootBits:
    for (unsigned i = 0; i < CONFIG_T::root_steps; i++) {
        #pragma HLS PIPELINE II=1
        const int pair = int((radicand >> (2 * (CONFIG_T::root_steps - 1 - i))) & 3);
        const remainder_t shifted = (remainder << 2) + pair;
        const remainder_t four_roots = remainder_t(root) << 2;
        if (remainder < 0) {
            remainder = shifted + four_roots + 3;
        } else {
            remainder = shifted - four_roots - 1;
        }
        root = (root << 1) + (remainder < 0 ? 0 : 1);
    }
    return root;
}

/// \tparam CONFIG_T  gives words, channels, root_bits, root_steps, reciprocal_bits,
///                   normalize_shift, and the types of all intermediate integers.
template <typename CONFIG_T, class data_T, class res_T>
void layer_norm(hls::stream<data_T> &data, hls::stream<res_T> &res,
                const typename CONFIG_T::factor_shift_t factor_shift[CONFIG_T::factor_shift_entries],
                const typename CONFIG_T::zero_point_t zero_point[CONFIG_T::zero_point_entries],
                const typename CONFIG_T::epsilon_t epsilon[CONFIG_T::epsilon_entries],
                const typename CONFIG_T::gamma_t gamma[CONFIG_T::gamma_entries],
                const typename CONFIG_T::beta_t beta[CONFIG_T::beta_entries],
                const typename CONFIG_T::requantize_t requantize[CONFIG_T::requantize_entries]) {
    typedef typename CONFIG_T::value_t value_t;
    typedef typename CONFIG_T::total_t total_t;
    typedef typename CONFIG_T::deviation_t deviation_t;
    typedef typename CONFIG_T::squares_t squares_t;
    typedef typename CONFIG_T::variance_t variance_t;
    typedef typename CONFIG_T::product_t product_t;
    typedef typename CONFIG_T::normalized_t normalized_t;
    typedef typename CONFIG_T::accumulator_t accumulator_t;
    static_assert(data_T::size == CONFIG_T::channels, "a word carries all channels");
    static_assert(res_T::size == CONFIG_T::channels, "a word carries all channels");
    static_assert(CONFIG_T::gamma_entries == CONFIG_T::channels &&
                      CONFIG_T::beta_entries == CONFIG_T::channels,
                  "one gamma and one beta per channel");
    static_assert(CONFIG_T::normalize_shift >= 1, "half a step is added before the shift");
    const typename CONFIG_T::count_t count = CONFIG_T::channels;
Words:
    for (unsigned i = 0; i < CONFIG_T::words; i++) {
        const data_T in = data.read();
        value_t x[CONFIG_T::channels];
        total_t total = 0;
        squares_t squares = 0;
    Sums:
        for (unsigned c = 0; c < CONFIG_T::channels; c++) {
            #pragma HLS PIPELINE II=1
            const int zero = zero_point[CONFIG_T::zero_point_entries == 1 ? 0 : c];
            const int shift = factor_shift[CONFIG_T::factor_shift_entries == 1 ? 0 : c];
            x[c] = value_t(int(in[c]) - zero) << shift;
            total += x[c];
            squares += product<squares_t>(x[c], x[c]);
        }
        const variance_t variance = product<variance_t>(squares, count) -
                                    product<variance_t>(total, total) + epsilon[0];
        const typename CONFIG_T::root_t root = integer_root<CONFIG_T>(
            typename CONFIG_T::radicand_t(variance) << (2 * CONFIG_T::root_bits));
        // epsilon >= 1, so that the root is never 0.
        const typename CONFIG_T::reciprocal_t reciprocal =
            (typename CONFIG_T::numerator_t(1) << CONFIG_T::reciprocal_bits) / root;
        const product_t half = product_t(1) << (CONFIG_T::normalize_shift - 1);
        res_T out;
    Channels:
        for (unsigned c = 0; c < CONFIG_T::channels; c++) {
            #pragma HLS PIPELINE II=1
            const deviation_t d = product<deviation_t>(x[c], count) - total;
            const normalized_t n =
                (product<product_t>(d, reciprocal) + half) >> CONFIG_T::normalize_shift;
            const accumulator_t acc = product<accumulator_t>(gamma[c], n) + beta[c];
            out[c] = requantize_value<CONFIG_T>(acc, entry_of<CONFIG_T>(requantize, c));
        }
        res.write(out);
    }
}

} // namespace hyq

#endif
