// SPDX-License-Identifier: Apache-2.0
// The function multiplies two streams element by element. Reference: hyq_hls/ops/multiply.py,
// Multiply.
#ifndef HYQ_MULTIPLY_H_
#define HYQ_MULTIPLY_H_

#include "requantize.h"

namespace hyq {

/// A position of b holds for `repeats` positions of a. It is read with the first of them and kept
/// for the others. Where b has one channel, that channel holds for all channels of a.
///
/// \tparam CONFIG_T  gives words (positions of a), channels, b_channels, repeats, in_lanes,
///                   out_lanes, centred_a_t and centred_b_t (a code minus its zero point).
template <typename CONFIG_T, class a_T, class b_T, class res_T>
void multiply(stream<a_T> &a, stream<b_T> &b, stream<res_T> &res,
              const typename CONFIG_T::zero_point_a_t &zero_point_a,
              const typename CONFIG_T::zero_point_b_t &zero_point_b,
              const typename CONFIG_T::requantize_t &requantize) {
    typedef typename CONFIG_T::accumulator_t accumulator_t;
    static const unsigned lanes = CONFIG_T::in_lanes, channels = CONFIG_T::channels;
    static const bool alike = CONFIG_T::b_channels == channels;
    static const unsigned beats = channels / lanes, kept_beats = alike ? beats : 1;
    static_assert(a_T::size == lanes && res_T::size == lanes && b_T::size == (alike ? lanes : 1),
                  "both operands and the product have the same lanes, or b has one channel");
    static_assert(alike || CONFIG_T::b_channels == 1, "b has all channels, or one");
    static_assert(channels % lanes == 0, "beats divide the channels of a position");
    static_assert(CONFIG_T::words % CONFIG_T::repeats == 0,
                  "every position of b holds for equally many positions of a");
    typename b_T::value_type kept[kept_beats][b_T::size];
    HYQ_RESHAPE(kept, 2)
Positions:
    for (unsigned p = 0; p < CONFIG_T::words / CONFIG_T::repeats; p++) {
    Repeats:
        for (unsigned i = 0; i < CONFIG_T::repeats; i++) {
        Beats:
            for (unsigned beat = 0; beat < beats; beat++) {
                HYQ_PIPELINE(1)
                HYQ_DEPENDENCE(kept, kept_beats)
                const unsigned place = alike ? beat : 0;
                const a_T in_a = a.read();
                b_T in_b;
                if (i == 0 && beat == place) {
                    in_b = b.read();
                Keep:
                    for (unsigned l = 0; l < b_T::size; l++) {
                        HYQ_UNROLL
                        kept[place][l] = in_b[l];
                    }
                } else {
                Load:
                    for (unsigned l = 0; l < b_T::size; l++) {
                        HYQ_UNROLL
                        in_b[l] = kept[place][l];
                    }
                }
                res_T out;
            Lanes:
                for (unsigned l = 0; l < lanes; l++) {
                    HYQ_UNROLL
                    const typename CONFIG_T::centred_a_t x_a =
                        int(in_a[l]) - of_channel(zero_point_a, beat, l);
                    const typename CONFIG_T::centred_b_t x_b =
                        int(in_b[alike ? l : 0]) - of_channel(zero_point_b, place, alike ? l : 0);
                    out[l] = requantize_value<CONFIG_T>(product<accumulator_t>(x_a, x_b),
                                                        of_channel(requantize, beat, l));
                }
                res.write(out);
            }
        }
    }
}

} // namespace hyq

#endif
