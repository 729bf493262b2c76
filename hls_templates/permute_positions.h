// SPDX-License-Identifier: Apache-2.0
// The function sends positions in another order. Reference: hyq_hls/ops/permute_positions.py,
// PermutePositions.
#ifndef HYQ_PERMUTE_POSITIONS_H_
#define HYQ_PERMUTE_POSITIONS_H_

#include <cstddef>

#include "reorder.h"

namespace hyq {

/// The number of rows of an array.
template <class array_T> struct row_count;
template <class value_T, std::size_t rows, std::size_t columns>
struct row_count<value_T[rows][columns]> {
    static const unsigned value = rows;
};

/// How many words a position and a frame have, and how many positions a block.
template <typename CONFIG_T> struct block_sizes {
    static const unsigned beats = CONFIG_T::channels / CONFIG_T::in_lanes;
    static const unsigned words = CONFIG_T::words * beats;
    static const unsigned positions = row_count<typename CONFIG_T::order_t>::value;
};

/// Sends the words of a frame, block after block, in the order of the positions of a block.
template <typename CONFIG_T, class code_T, class res_T>
void send_positions(const code_T (&frame)[block_sizes<CONFIG_T>::words][res_T::size],
                    stream<res_T> &res HYQ_MEMORIES(const typename CONFIG_T::order_t &order)) {
    HYQ_MEMORY(order)
    typedef block_sizes<CONFIG_T> sizes;
    static_assert(CONFIG_T::words % sizes::positions == 0, "a frame is whole blocks");
    counter<sizes::beats> beat;
    counter<sizes::positions> position;
    index_integer<sizes::words> block = 0; // the first word of the block
Words:
    for (unsigned i = 0; i < sizes::words; i++) {
        HYQ_PIPELINE(1)
        const unsigned word = unsigned(block) + unsigned(order[position.index()][0]) + beat.index();
        res_T out;
    Lanes:
        for (unsigned l = 0; l < res_T::size; l++) {
            HYQ_UNROLL
            out[l] = frame[word][l];
        }
        res.write(out);
        const bool last = beat.last && position.last;
        block = unsigned(block) + (last ? sizes::positions * sizes::beats : 0);
        position.advance(beat.last);
        beat.advance();
    }
}

/// The frame is stored as a whole, so that one process has nothing to wait for in the other.
///
/// \tparam CONFIG_T  gives words (positions), channels, in_lanes and out_lanes.
/// \param order  for every position of a block, the first word of the position that is sent there.
template <typename CONFIG_T, class data_T, class res_T>
void permute_positions(stream<data_T> &data,
                       stream<res_T> &res HYQ_MEMORIES(const typename CONFIG_T::order_t &order)) {
    HYQ_PING_PONG
    static_assert(data_T::size == CONFIG_T::in_lanes && res_T::size == CONFIG_T::in_lanes,
                  "input and output have the same lanes");
    static_assert(CONFIG_T::channels % CONFIG_T::in_lanes == 0,
                  "beats divide the channels of a position");
    typedef block_sizes<CONFIG_T> sizes;
    typename data_T::value_type frame[sizes::words][CONFIG_T::in_lanes];
    HYQ_RESHAPE(frame, 2)
    HYQ_PROCESS(store_frame<sizes::words>(data, frame));
    HYQ_PROCESS(send_positions<CONFIG_T>(frame, res HYQ_MEMORIES(order)));
}

} // namespace hyq

#endif
