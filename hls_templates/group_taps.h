// SPDX-License-Identifier: Apache-2.0
// The order in which a convolution with groups reads its windows.
#ifndef HYQ_GROUP_TAPS_H_
#define HYQ_GROUP_TAPS_H_

#include "sliding_window.h"

namespace hyq {

/// The taps of a row of windows, in the order of their use: windows, groups, times, kernel rows,
/// kernel columns, beats. Words are counted from the start of a row of the buffer.
///
/// \tparam run  beats of the input channels of a group.
/// \tparam times  times that a window of a group is read.
template <typename CONFIG_T, unsigned run, unsigned times> struct group_taps {
    typedef sliding_window<CONFIG_T> window_t;
    static const unsigned beats = window_t::beats, groups = beats / run;
    static const unsigned window_step = CONFIG_T::stride_width * beats;
    typedef index_integer<window_t::row_words + window_step> word_t;
    static const unsigned per_kernel_row = CONFIG_T::kernel_width * run;
    /// Taps of a window, counted for each time that it is read.
    static const unsigned per_window =
        groups * times * CONFIG_T::kernel_height * CONFIG_T::kernel_width * run;

    counter<run> of_group; ///< a beat
    counter<CONFIG_T::kernel_width> column;
    kernel_rows<CONFIG_T> kernel_row;
    counter<times> time;
    counter<groups> group;
    counter<groups * times> sum;
    index_integer<beats> first_beat; ///< the beat of a pixel at which the group begins
    bool is_first;                   ///< of a sum
    word_t start;                    ///< the first word of the window of the group
    word_t word;

    group_taps() : first_beat(0), is_first(true), start(0), word(0) {}

    /// Returns whether the tap is the last of a sum.
    bool is_last() const {
        HYQ_INLINE
        return of_group.last && column.last && kernel_row.last;
    }

    /// Returns the beat of the tap's pixel.
    unsigned beat() const {
        HYQ_INLINE
        return unsigned(first_beat) + of_group.index();
    }

    /// Returns the word of outputs that the tap belongs to.
    unsigned output() const {
        HYQ_INLINE
        return sum.index();
    }

    void advance() {
        HYQ_INLINE
        const bool is_row = of_group.last && column.last, is_sum = is_last();
        const bool is_group = is_sum && time.last;
        const unsigned to_next = group.last ? window_step - (groups - 1) * run : run;
        const word_t next_start = unsigned(start) + to_next;
        const unsigned to_column = CONFIG_T::dilation_width * beats - run + 1;
        const word_t next_word = unsigned(word) + (of_group.last ? to_column : 1);
        const index_integer<beats> next_beat = group.last ? 0 : unsigned(first_beat) + run;
        word = is_group ? next_start : is_row ? start : next_word;
        start = is_group ? next_start : start;
        first_beat = is_group ? next_beat : first_beat;
        is_first = is_sum;
        group.advance(is_group);
        time.advance(is_sum);
        sum.advance(is_sum);
        kernel_row.advance(is_row);
        column.advance(of_group.last);
        of_group.advance();
    }
};

} // namespace hyq

#endif
