// The function is a grouped 2-D convolution with a line buffer.
// Reference: hyq_hls/ops/grouped_conv2d.py, GroupedConv2d.
#ifndef HYQ_GROUPED_CONV2D_H_
#define HYQ_GROUPED_CONV2D_H_

#include "convolution.h"

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
    /// Taps of a window, counted for each time that it is read.
    static const unsigned per_window =
        groups * times * CONFIG_T::kernel_height * CONFIG_T::kernel_width * run;

    counter<run> of_group; ///< a beat
    counter<CONFIG_T::kernel_width> column;
    counter<CONFIG_T::kernel_height> kernel_row;
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
        const word_t next_word = unsigned(word) + (of_group.last ? beats - run + 1 : 1);
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

/// Every window of a group is read once per out_lanes outputs of the group, while the next rows are
/// written. Between two frames there is a pause (see sliding_window.h).
///
/// \tparam CONFIG_T  gives the geometry (see sliding_window.h), out_channels, out_lanes and groups;
///                   in_lanes and out_lanes divide the channels of a group.
/// \param weight  as [group][outputs of the group][kernel row][kernel column][beat],
///                [output lane][input lane].
template <typename CONFIG_T, class data_T, class res_T>
void grouped_conv2d(stream<data_T> &data, stream<res_T> &res,
                    const typename CONFIG_T::weight_t &weight,
                    const typename CONFIG_T::bias_t &bias, const typename CONFIG_T::pad_t &pad,
                    const typename CONFIG_T::requantize_t &requantize) {
    static const unsigned in_lanes = CONFIG_T::in_lanes, out_lanes = CONFIG_T::out_lanes;
    static const unsigned run = sliding_window<CONFIG_T>::beats / CONFIG_T::groups;
    static const unsigned times = CONFIG_T::out_channels / out_lanes / CONFIG_T::groups;
    typedef group_taps<CONFIG_T, run, times> taps_t;
    static_assert(run * in_lanes * CONFIG_T::groups == CONFIG_T::in_channels,
                  "input lanes divide the input channels of a group");
    static_assert(times * out_lanes * CONFIG_T::groups == CONFIG_T::out_channels,
                  "output lanes divide the output channels of a group");
    static_assert(CONFIG_T::weight_entries == taps_t::per_window * out_lanes * in_lanes,
                  "one weight per output channel and operand");
    convolve<CONFIG_T, taps_t, dense_products>(data, res, weight, bias, pad, requantize);
}

} // namespace hyq

#endif
