// Sum of two streams on a common scale. Reference: hyq_hls/ops/add.py, Add.
#ifndef HYQ_ADD_H_
#define HYQ_ADD_H_

#include "requantize.h"

namespace hyq {

/// The multipliers are constants of an unrolled loop: those that are powers of two become wires.
///
/// \tparam CONFIG_T  gives words, channels, centred_a_t and centred_b_t (a code minus its zero point).
template <typename CONFIG_T, class a_T, class b_T, class res_T>
void add(hls::stream<a_T> &a, hls::stream<b_T> &b, hls::stream<res_T> &res,
         const typename CONFIG_T::multiplier_a_t multiplier_a[CONFIG_T::multiplier_a_entries],
         const typename CONFIG_T::multiplier_b_t multiplier_b[CONFIG_T::multiplier_b_entries],
         const typename CONFIG_T::zero_point_a_t zero_point_a[CONFIG_T::zero_point_a_entries],
         const typename CONFIG_T::zero_point_b_t zero_point_b[CONFIG_T::zero_point_b_entries],
         const typename CONFIG_T::requantize_t requantize[CONFIG_T::requantize_entries]) {
    typedef typename CONFIG_T::accumulator_t accumulator_t;
    static_assert(a_T::size == CONFIG_T::channels && b_T::size == CONFIG_T::channels &&
                      res_T::size == CONFIG_T::channels,
                  "a word carries all channels");
Words:
    for (unsigned i = 0; i < CONFIG_T::words; i++) {
        #pragma HLS PIPELINE II=1
        const a_T in_a = a.read();
        const b_T in_b = b.read();
        res_T out;
    Channels:
        for (unsigned c = 0; c < CONFIG_T::channels; c++) {
            #pragma HLS UNROLL
            const typename CONFIG_T::centred_a_t x_a =
                int(in_a[c]) - zero_point_a[CONFIG_T::zero_point_a_entries == 1 ? 0 : c];
            const typename CONFIG_T::centred_b_t x_b =
                int(in_b[c]) - zero_point_b[CONFIG_T::zero_point_b_entries == 1 ? 0 : c];
            const accumulator_t acc =
                product<accumulator_t>(multiplier_a[CONFIG_T::multiplier_a_entries == 1 ? 0 : c], x_a) +
                product<accumulator_t>(multiplier_b[CONFIG_T::multiplier_b_entries == 1 ? 0 : c], x_b);
            out[c] = requantize_value<CONFIG_T>(acc, entry_of<CONFIG_T>(requantize, c));
        }
        res.write(out);
    }
}

} // namespace hyq

#endif
