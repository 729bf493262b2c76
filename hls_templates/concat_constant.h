// SPDX-License-Identifier: Apache-2.0
// The function joins constant positions with those of a stream. Reference:
// hyq_hls/ops/concat_constant.py, ConcatConstant.
#ifndef HYQ_CONCAT_CONSTANT_H_
#define HYQ_CONCAT_CONSTANT_H_

#include "counter.h"
#include "requantize.h"

namespace hyq {

/// In every row, the constants come before the stream, or behind it.
///
/// \tparam CONFIG_T  gives rows, positions (of the stream in a row), channels, constant_first,
///                   in_lanes and out_lanes.
/// \param constant  codes of the output.
template <typename CONFIG_T, class data_T, class res_T>
void concat_constant(stream<data_T> &data, stream<res_T> &res,
                     const typename CONFIG_T::zero_point_t &zero_point,
                     const typename CONFIG_T::constant_t &constant,
                     const typename CONFIG_T::requantize_t &requantize) {
    typedef typename CONFIG_T::accumulator_t accumulator_t;
    static const unsigned lanes = CONFIG_T::in_lanes, channels = CONFIG_T::channels;
    static_assert(data_T::size == lanes && res_T::size == lanes,
                  "the input and the output have the same lanes");
    static_assert(channels % lanes == 0 && CONFIG_T::constant_entries % channels == 0,
                  "beats divide the channels of a position");
    static const unsigned constants = CONFIG_T::constant_entries / lanes;
    static const unsigned beats = CONFIG_T::positions * channels / lanes;
Rows:
    for (unsigned row = 0; row < CONFIG_T::rows; row++) {
        counter<channels / lanes> channel;
        counter<constants> word;
    Beats:
        for (unsigned beat = 0; beat < constants + beats; beat++) {
            HYQ_PIPELINE(1)
            const bool is_constant = CONFIG_T::constant_first ? beat < constants : beat >= beats;
            res_T out;
            if (is_constant) {
            Constants:
                for (unsigned l = 0; l < lanes; l++) {
                    HYQ_UNROLL
                    out[l] = int(constant[word.index()][l]);
                }
            } else {
                const data_T in = data.read();
            Lanes:
                for (unsigned l = 0; l < lanes; l++) {
                    HYQ_UNROLL
                    const accumulator_t centred =
                        accumulator_t(in[l]) - of_channel(zero_point, channel.index(), l);
                    out[l] = requantize_value<CONFIG_T>(
                        centred, of_channel(requantize, channel.index(), l));
                }
            }
            word.advance(is_constant);
            channel.advance(!is_constant);
            res.write(out);
        }
    }
}

} // namespace hyq

#endif
