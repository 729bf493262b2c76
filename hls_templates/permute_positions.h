// The function sends positions in another order. Reference: hyq_hls/ops/permute_positions.py,
// PermutePositions.
#ifndef HYQ_PERMUTE_POSITIONS_H_
#define HYQ_PERMUTE_POSITIONS_H_

#include "reorder.h"

namespace hyq {

/// Sends the words of a frame, block after block, in the order of the positions of a block.
///
/// \tparam beats  words of a position.
/// \param order  the first word of each position, counted from the first word of the block.
template <unsigned beats, unsigned words, unsigned positions, class first_T, class code_T,
          class res_T>
void send_positions(const code_T (&frame)[words][res_T::size], stream<res_T> &res,
                    const first_T (&order)[positions][1]) {
    static_assert(words % (positions * beats) == 0, "a frame is whole blocks");
    counter<beats> beat;
    counter<positions> position;
    index_integer<words> block = 0; // the first word of the block
Words:
    for (unsigned i = 0; i < words; i++) {
        HYQ_PIPELINE(1)
        const unsigned word = unsigned(block) + unsigned(order[position.index()][0]) + beat.index();
        res_T out;
    Lanes:
        for (unsigned l = 0; l < res_T::size; l++) {
            HYQ_UNROLL
            out[l] = frame[word][l];
        }
        res.write(out);
        block = unsigned(block) + (beat.last && position.last ? positions * beats : 0);
        position.advance(beat.last);
        beat.advance();
    }
}

/// The frame is stored as a whole, so that one process has nothing to wait for in the other.
///
/// \tparam CONFIG_T  gives words (positions), channels, in_lanes and out_lanes.
/// \param order  for every position of a block, the first word of the position that is sent there.
template <typename CONFIG_T, class data_T, class res_T>
void permute_positions(stream<data_T> &data, stream<res_T> &res,
                       const typename CONFIG_T::order_t &order) {
    HYQ_PING_PONG
    static const unsigned lanes = CONFIG_T::in_lanes, beats = CONFIG_T::channels / lanes;
    static const unsigned words = CONFIG_T::words * beats;
    static_assert(data_T::size == lanes && res_T::size == lanes,
                  "input and output have the same lanes");
    static_assert(CONFIG_T::channels % lanes == 0, "beats divide the channels of a position");
    typename data_T::value_type frame[words][lanes];
    HYQ_RESHAPE(frame, 2)
    HYQ_PROCESS(store_frame<words>(data, frame));
    HYQ_PROCESS(send_positions<beats>(frame, res, order));
}

} // namespace hyq

#endif
