// SPDX-License-Identifier: Apache-2.0
// A window slides over a padded map in a line buffer. Reference: hyq_hls/ops/convolution.py.
#ifndef HYQ_SLIDING_WINDOW_H_
#define HYQ_SLIDING_WINDOW_H_

#include "counter.h"

namespace hyq {

/// The geometry of a line buffer, and the places at which it is written. Its rows lie in a circle:
/// while the windows of one row are read from kernel_height rows, the next stride_height rows are
/// written. Rows above and below the map are not stored.
///
/// A frame begins with an empty buffer. No window is read in the cycles that store its first rows,
/// so a frame takes first_words cycles more than its windows. In the RTL, the first rows of a frame
/// overlap with the last windows of the frame before, but the border is stored too. At stride 1
/// with a border of one row both take the same time; else the time differs by stride_height -
/// pad_height rows. A buffer that outlives the call could overlap too, but a reset would have to
/// clear it, and C simulation could not run frames on several threads.
///
/// \tparam CONFIG_T  gives height, width, in_channels, kernel_height, kernel_width, stride_height,
///                   stride_width, pad_height, pad_width, dilation_height, dilation_width,
///                   in_lanes, operand_t, pad_t.
template <typename CONFIG_T> struct sliding_window {
    typedef typename CONFIG_T::operand_t operand_t;
    static const unsigned lanes = CONFIG_T::in_lanes;
    static_assert(CONFIG_T::in_channels % lanes == 0, "beats divide the channels of a pixel");
    static const unsigned beats = CONFIG_T::in_channels / lanes;
    static const unsigned padded_height = CONFIG_T::height + 2 * CONFIG_T::pad_height;
    static const unsigned padded_width = CONFIG_T::width + 2 * CONFIG_T::pad_width;
    /// Rows and columns from the first tap of a window to its last.
    static const unsigned extent_height =
        (CONFIG_T::kernel_height - 1) * CONFIG_T::dilation_height + 1;
    static const unsigned extent_width =
        (CONFIG_T::kernel_width - 1) * CONFIG_T::dilation_width + 1;
    static_assert(CONFIG_T::pad_height <= extent_height,
                  "a border that no window sees is not stored");
    static const unsigned out_height =
        (padded_height - extent_height) / CONFIG_T::stride_height + 1;
    static const unsigned out_width = (padded_width - extent_width) / CONFIG_T::stride_width + 1;

    static const unsigned rows = extent_height + CONFIG_T::stride_height;
    static const unsigned row_words = padded_width * beats;
    static const unsigned words = rows * row_words;
    /// Words that are written before the first window, and during a row of windows.
    static const unsigned first_rows = extent_height - CONFIG_T::pad_height;
    static const unsigned first_words =
        (first_rows < CONFIG_T::height ? first_rows : CONFIG_T::height) * row_words;
    static const unsigned next_words = CONFIG_T::stride_height * row_words;

    counter<beats> beat; ///< the next beat of the map, with its border on the left and right
    counter<padded_width> column;
    bool is_inside; ///< the column is none of the border
    counter<CONFIG_T::height> row;
    counter<words> place; ///< its word in the buffer
    bool is_whole;        ///< the whole map was read

    sliding_window() : is_inside(CONFIG_T::pad_width == 0), is_whole(false) {}

    /// Writes the next beat, if it is time for it. It comes from the stream, or is `pad` in the
    /// border.
    template <class data_T>
    void take(operand_t (&buffer)[words][lanes], stream<data_T> &data,
              const typename CONFIG_T::pad_t &pad, bool is_time = true) {
        HYQ_INLINE
        static_assert(data_T::size == lanes, "a word carries in_lanes channels");
        const bool takes = is_time && !is_whole;
        const bool is_pixel = takes && beat.last, is_row = is_pixel && column.last;
        const bool reads = takes && is_inside;
        const unsigned of_pixel = beat.index(), to = place.index(), next = column.index() + 1;
        const bool is_next_inside = column.last ? CONFIG_T::pad_width == 0
                                                : next >= CONFIG_T::pad_width &&
                                                      next < CONFIG_T::pad_width + CONFIG_T::width;
        is_inside = is_pixel ? is_next_inside : is_inside;
        is_whole = is_whole || (is_row && row.last);
        place.advance(takes);
        row.advance(is_row);
        column.advance(is_pixel);
        beat.advance(takes);
        if (reads) {
            const data_T in = data.read();
        Inside:
            for (unsigned l = 0; l < lanes; l++) {
                HYQ_UNROLL
                buffer[to][l] = in[l];
            }
        } else if (takes) {
        Border:
            for (unsigned l = 0; l < lanes; l++) {
                HYQ_UNROLL
                buffer[to][l] = of_channel(pad, of_pixel, l);
            }
        }
    }
};

/// The rows of the buffer that a row of windows is read from.
template <typename CONFIG_T> struct window_rows {
    typedef sliding_window<CONFIG_T> window_t;
    static const unsigned kernel_height = CONFIG_T::kernel_height;
    static const unsigned behind = window_t::padded_height + CONFIG_T::stride_height;

    index_integer<window_t::words> start[kernel_height]; ///< its first word, per row of the kernel
    index_integer<behind + window_t::extent_height> y[kernel_height]; ///< its row of the padded map

    window_rows() {
        HYQ_PARTITION(start, 1)
        HYQ_PARTITION(y, 1)
    KernelRows:
        for (unsigned r = 0; r < kernel_height; r++) {
            HYQ_UNROLL
            const unsigned rows = window_t::rows, row = r * CONFIG_T::dilation_height;
            start[r] = (rows - CONFIG_T::pad_height + row) % rows * window_t::row_words;
            y[r] = row;
        }
    }

    /// Returns whether a row of the kernel lies above or below the map.
    bool is_border(unsigned kernel_row) const {
        HYQ_INLINE
        const unsigned row = y[kernel_row];
        return CONFIG_T::pad_height > 0 && (row < CONFIG_T::pad_height ||
                                            row >= CONFIG_T::pad_height + CONFIG_T::height);
    }

    /// Moves to the next row of windows.
    void next() {
        HYQ_INLINE
    KernelRows:
        for (unsigned r = 0; r < kernel_height; r++) {
            HYQ_UNROLL
            const unsigned moved = unsigned(start[r]) + window_t::next_words;
            start[r] = moved < window_t::words ? moved : moved - window_t::words;
            y[r] = unsigned(y[r]) + CONFIG_T::stride_height;
        }
    }
};

/// The taps of a row of windows, in the order of their use: windows, groups, kernel rows, taps.
/// Words are counted from the start of a row of the buffer.
///
/// \tparam taps, step  of a kernel row, and the words from one to the next.
/// \tparam groups, group_step  times that a window is read, and the words from one to the next.
/// \tparam window_step  words from a window to the next.
template <typename CONFIG_T, unsigned taps, unsigned step, unsigned groups, unsigned group_step,
          unsigned window_step>
struct window_taps {
    typedef index_integer<sliding_window<CONFIG_T>::row_words + window_step> word_t;
    /// Taps of a window, counted for each time that it is read.
    static const unsigned per_window = groups * CONFIG_T::kernel_height * taps;

    counter<taps> tap;
    counter<CONFIG_T::kernel_height> kernel_row;
    counter<groups> group;
    bool is_first; ///< of a group
    word_t start;  ///< the first word of the group
    word_t word;

    window_taps() : is_first(true), start(0), word(0) {}

    /// Returns whether the tap is the last of a group.
    bool is_last() const {
        HYQ_INLINE
        return tap.last && kernel_row.last;
    }

    /// Returns the word of outputs that the tap belongs to.
    unsigned output() const {
        HYQ_INLINE
        return group.index();
    }

    void advance() {
        HYQ_INLINE
        const unsigned to_next = group.last ? window_step - (groups - 1) * group_step : group_step;
        const word_t next_start = unsigned(start) + to_next;
        const word_t next_word = unsigned(word) + step;
        is_first = is_last();
        word = is_first ? next_start : tap.last ? start : next_word;
        start = is_first ? next_start : start;
        group.advance(is_first);
        kernel_row.advance(tap.last);
        tap.advance();
    }
};

/// The taps of windows that are read whole, once per group of outputs.
template <typename CONFIG_T, unsigned groups>
using whole_window_taps =
    window_taps<CONFIG_T, CONFIG_T::kernel_width * sliding_window<CONFIG_T>::beats, 1, groups, 0,
                CONFIG_T::stride_width * sliding_window<CONFIG_T>::beats>;

/// The same with the beats of a pixel, each of which is a tap.
template <typename CONFIG_T, unsigned groups>
struct dense_taps : whole_window_taps<CONFIG_T, groups> {
    counter<sliding_window<CONFIG_T>::beats> of_pixel;

    /// Returns the beat of the tap's pixel.
    unsigned beat() const {
        HYQ_INLINE
        return of_pixel.index();
    }

    void advance() {
        HYQ_INLINE
        whole_window_taps<CONFIG_T, groups>::advance();
        of_pixel.advance();
    }
};

/// The taps of windows that are read beat by beat. Each beat is a group of outputs.
template <typename CONFIG_T>
struct depthwise_taps
    : window_taps<CONFIG_T, CONFIG_T::kernel_width,
                  CONFIG_T::dilation_width * sliding_window<CONFIG_T>::beats,
                  sliding_window<CONFIG_T>::beats, 1,
                  CONFIG_T::stride_width * sliding_window<CONFIG_T>::beats> {
    /// Returns the beat of the tap's pixel.
    unsigned beat() const {
        HYQ_INLINE
        return this->group.index();
    }
};

/// Reads the operands of a tap: from the buffer, or `pad` above and below the map.
///
/// \param beat  its beat of a pixel.
template <typename CONFIG_T, class taps_T>
inline void
read_operands(typename CONFIG_T::operand_t (&x)[CONFIG_T::in_lanes],
              const typename CONFIG_T::operand_t (
                  &buffer)[sliding_window<CONFIG_T>::words][CONFIG_T::in_lanes],
              const window_rows<CONFIG_T> &rows, const taps_T &taps, unsigned beat,
              const typename CONFIG_T::pad_t &pad) {
    HYQ_INLINE
    const unsigned kernel_row = taps.kernel_row.index();
    const bool is_border = rows.is_border(kernel_row);
    const unsigned place = unsigned(rows.start[kernel_row]) + unsigned(taps.word);
Operands:
    for (unsigned l = 0; l < CONFIG_T::in_lanes; l++) {
        HYQ_UNROLL
        if (is_border) {
            x[l] = of_channel(pad, beat, l);
        } else {
            x[l] = buffer[place][l];
        }
    }
}

/// Reads all windows of a map, one tap per cycle, while the next rows are written. Between two
/// frames there is a pause (see sliding_window).
///
/// \tparam taps_T  the order of the taps, such as dense_taps.
/// \param sums  gets every tap, by sums.add(operands, taps, row of windows, others...).
/// \param others  what it needs besides: the output stream and memories.
template <typename CONFIG_T, class taps_T, class data_T, class sums_T, class... others_T>
inline void each_tap(stream<data_T> &data, const typename CONFIG_T::pad_t &pad, sums_T &sums,
                     others_T &...others) {
    HYQ_INLINE
    typedef sliding_window<CONFIG_T> window_t;
    static const unsigned reads = window_t::out_width * taps_T::per_window;
    window_t window;
    window_rows<CONFIG_T> stored;
    typename CONFIG_T::operand_t buffer[window_t::words][CONFIG_T::in_lanes];
    HYQ_RESHAPE(buffer, 2)
FirstRows:
    for (unsigned i = 0; i < window_t::first_words; i++) {
        HYQ_PIPELINE(1)
        window.take(buffer, data, pad);
    }
Rows:
    for (unsigned y = 0; y < window_t::out_height; y++) {
        taps_T taps;
    Taps:
        for (unsigned i = 0; i < reads; i++) {
            HYQ_PIPELINE(1)
            HYQ_NO_DEPENDENCE(buffer)
            window.take(buffer, data, pad, i < window_t::next_words);
            typename CONFIG_T::operand_t x[CONFIG_T::in_lanes];
            HYQ_PARTITION(x, 1)
            read_operands<CONFIG_T>(x, buffer, stored, taps, taps.beat(), pad);
            sums.add(x, taps, y, others...);
            taps.advance();
        }
    RestOfRows:
        for (unsigned i = reads; i < window_t::next_words; i++) {
            HYQ_PIPELINE(1)
            window.take(buffer, data, pad);
        }
        stored.next();
    }
}

} // namespace hyq

#endif
