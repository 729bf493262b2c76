// SPDX-License-Identifier: Apache-2.0
// The function multiplies and adds constants per channel; the summand may be another at every
// position. Reference: hyq_hls/ops/channel_affine.py, ChannelAffine.
#ifndef HYQ_CHANNEL_AFFINE_H_
#define HYQ_CHANNEL_AFFINE_H_

#include "counter.h"
#include "requantize.h"

namespace hyq {

/// \tparam CONFIG_T  gives words (positions), channels, in_lanes, out_lanes and operand_t.
/// \param weight  one for all channels, or one for each.
/// \param bias  one for each channel, or as [position][channel]; positions repeat their rows.
template <typename CONFIG_T, class data_T, class res_T>
void channel_affine(stream<data_T> &data, stream<res_T> &res,
                    const typename CONFIG_T::weight_t &weight,
                    const typename CONFIG_T::bias_t &bias,
                    const typename CONFIG_T::requantize_t &requantize) {
    typedef typename CONFIG_T::accumulator_t accumulator_t;
    static const unsigned lanes = CONFIG_T::in_lanes, channels = CONFIG_T::channels;
    static_assert(data_T::size == lanes && res_T::size == lanes,
                  "every input code gives an output code");
    static_assert(channels % lanes == 0, "beats divide the channels of a position");
    static_assert(CONFIG_T::bias_entries % channels == 0 &&
                      CONFIG_T::words * channels % CONFIG_T::bias_entries == 0,
                  "biases for every channel of some positions, which divide all positions");
    counter<CONFIG_T::bias_entries / lanes> bias_word;
Words:
    for (unsigned i = 0; i < CONFIG_T::words; i++) {
    Beats:
        for (unsigned beat = 0; beat < channels / lanes; beat++) {
            HYQ_PIPELINE(1)
            const data_T in = data.read();
            res_T out;
        Lanes:
            for (unsigned l = 0; l < lanes; l++) {
                HYQ_UNROLL
                const typename CONFIG_T::operand_t x = in[l];
                const accumulator_t acc = accumulator_t(bias[bias_word.index()][l]) +
                                          product<accumulator_t>(of_channel(weight, beat, l), x);
                out[l] = requantize_value<CONFIG_T>(acc, of_channel(requantize, beat, l));
            }
            res.write(out);
            bias_word.advance();
        }
    }
}

} // namespace hyq

#endif
