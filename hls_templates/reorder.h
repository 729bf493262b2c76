// SPDX-License-Identifier: Apache-2.0
// One process stores a frame, another one sends it in another order. The frame is a pair of pages:
// while one is sent, the next frame is stored in the other. RTL: hyq_reorder_buffer.sv.
#ifndef HYQ_REORDER_H_
#define HYQ_REORDER_H_

#include "counter.h"

namespace hyq {

/// Stores the words of a frame as they come.
template <unsigned words, class data_T>
void store_frame(stream<data_T> &data,
                 typename data_T::value_type (&frame)[words][data_T::size]) {
Words:
    for (unsigned i = 0; i < words; i++) {
        HYQ_PIPELINE(1)
        const data_T in = data.read();
    Lanes:
        for (unsigned l = 0; l < data_T::size; l++) {
            HYQ_UNROLL
            frame[i][l] = in[l];
        }
    }
}

/// Sends the words of a frame by five nested loops, 0 innermost.
///
/// \tparam order  gives words of a frame, size0 .. size3 and stride0 .. stride4 of the loops:
///                word = index4 * stride4 + ... + index0 * stride0.
template <class order, class code_T, class res_T>
void send_frame(const code_T (&frame)[order::words][res_T::size], stream<res_T> &res) {
    // The way from a word to the next, when a loop goes on and all inside it start again.
    static const unsigned step0 = order::stride0;
    static const unsigned step1 = order::stride1 - (order::size0 - 1) * order::stride0;
    static const unsigned step2 =
        order::stride2 - (order::size1 - 1) * order::stride1 - (order::size0 - 1) * order::stride0;
    static const unsigned back2 = (order::size2 - 1) * order::stride2 +
                                  (order::size1 - 1) * order::stride1 +
                                  (order::size0 - 1) * order::stride0;
    static const unsigned step3 = order::stride3 - back2;
    static const unsigned step4 = order::stride4 - (order::size3 - 1) * order::stride3 - back2;
    counter<order::size0> index0;
    counter<order::size1> index1;
    counter<order::size2> index2;
    counter<order::size3> index3;
    index_integer<order::words> word = 0;
Words:
    for (unsigned i = 0; i < order::words; i++) {
        HYQ_PIPELINE(1)
        res_T out;
    Lanes:
        for (unsigned l = 0; l < res_T::size; l++) {
            HYQ_UNROLL
            out[l] = frame[unsigned(word)][l];
        }
        res.write(out);
        const bool last1 = index0.last && index1.last;
        const bool last2 = last1 && index2.last;
        const bool last3 = last2 && index3.last;
        const unsigned outer_step = last3 ? step4 : last2 ? step3 : step2;
        const unsigned step = last1 ? outer_step : index0.last ? step1 : step0;
        word = unsigned(word) + step; // a step back wraps around
        index3.advance(last2);
        index2.advance(last1);
        index1.advance(index0.last);
        index0.advance();
    }
}

} // namespace hyq

#endif
