// The function multiplies and adds constants per channel; the summand may be another at every
// position. Reference: hyq_hls/ops/channel_affine.py, ChannelAffine.
#ifndef HYQ_CHANNEL_AFFINE_H_
#define HYQ_CHANNEL_AFFINE_H_

#include "requantize.h"

namespace hyq {

/// \tparam CONFIG_T  gives words (positions), channels, in_lanes, out_lanes and operand_t.
/// \param weight  one for all channels, or one for each.
/// \param bias  one for each channel, or as [position][channel].
template <typename CONFIG_T, class data_T, class res_T>
void channel_affine(stream<data_T> &data, stream<res_T> &res,
                    const typename CONFIG_T::weight_t weight[CONFIG_T::weight_entries],
                    const typename CONFIG_T::bias_t bias[CONFIG_T::bias_entries],
                    const typename CONFIG_T::requantize_t requantize[CONFIG_T::requantize_entries]) {
    HYQ_RESHAPE_CYCLIC(weight, CONFIG_T::weight_lanes)
    HYQ_RESHAPE_CYCLIC(bias, CONFIG_T::bias_lanes)
    HYQ_RESHAPE_CYCLIC(requantize, CONFIG_T::requantize_lanes)
    typedef typename CONFIG_T::accumulator_t accumulator_t;
    static const unsigned lanes = CONFIG_T::in_lanes, channels = CONFIG_T::channels;
    static const bool by_position = CONFIG_T::bias_entries != channels;
    static_assert(data_T::size == lanes && res_T::size == lanes,
                  "every input code gives an output code");
    static_assert(channels % lanes == 0, "beats divide the channels of a position");
    static_assert(!by_position || CONFIG_T::bias_entries == CONFIG_T::words * channels,
                  "one bias for every channel, or for every channel of every position");
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
                const unsigned c = beat * lanes + l;
                const typename CONFIG_T::operand_t x = in[l];
                accumulator_t acc = bias[(by_position ? i * channels : 0) + c];
                acc += product<accumulator_t>(of_channel<CONFIG_T::weight_entries>(weight, c), x);
                out[l] = requantize_value<CONFIG_T>(acc, entry_of<CONFIG_T>(requantize, c));
            }
            res.write(out);
        }
    }
}

} // namespace hyq

#endif
