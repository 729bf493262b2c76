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
/// A frame begins with an empty buffer. No window is read in the cycles that store most of its
/// first rows (see tap_schedule), so a frame takes these cycles more than its windows. In the RTL,
/// the first rows of a frame overlap with the last windows of the frame before, but the border is
/// stored too. At stride 1 with a border of one row the RTL takes some cycles more; else the times
/// differ by about stride_height - pad_height rows. A buffer that outlives the call could overlap
/// too, but a reset would have to clear it, and C simulation could not run frames on several
/// threads.
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
    /// Rows and words that the first row of windows reads, and words that come with each other row.
    static const unsigned below_border = extent_height - CONFIG_T::pad_height;
    static const unsigned first_rows =
        below_border < CONFIG_T::height ? below_border : CONFIG_T::height;
    static const unsigned first_words = first_rows * row_words;
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
              const typename CONFIG_T::pad_t &pad, bool is_time) {
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

/// The rows of the buffer and of the map at which a row of windows begins.
template <typename CONFIG_T> struct window_rows {
    typedef sliding_window<CONFIG_T> window_t;
    static const unsigned to_start = window_t::extent_height * window_t::row_words;
    static const unsigned first = (window_t::rows - CONFIG_T::pad_height) % window_t::rows;
    static const unsigned above = CONFIG_T::pad_height;
    static const unsigned behind = window_t::padded_height + CONFIG_T::stride_height;

    index_integer<window_t::words - 1> start; ///< the first word of the buffer
    bool wraps;                               ///< the next row of windows begins before it
    index_integer<behind> y;                  ///< the row of the padded map

    window_rows()
        : start(first * window_t::row_words), wraps(first >= window_t::extent_height), y(0) {}

    /// Returns whether a row is above or below the map.
    bool is_border(unsigned rows_below) const {
        HYQ_INLINE
        const unsigned row = unsigned(y) + rows_below;
        return above > 0 && (row < above || row >= above + CONFIG_T::height);
    }

    /// Returns where a word is that comes some rows and words behind the start.
    unsigned place(unsigned words_below) const {
        HYQ_INLINE
        const unsigned straight = unsigned(start) + words_below;
        return straight < window_t::words ? straight : straight - window_t::words;
    }

    /// Moves to the next row of windows, if it is time for it. What is compared is the old value,
    /// one step ahead, so that an iteration begins with a register.
    void advance(bool goes_on) {
        HYQ_INLINE
        static const unsigned next_words = window_t::next_words;
        static const unsigned at_least = to_start > next_words ? to_start - next_words : 0;
        const unsigned moved = wraps ? unsigned(start) - to_start : unsigned(start) + next_words;
        const bool next_wraps = unsigned(start) >= (wraps ? 2 * to_start : at_least);
        const unsigned next_y = unsigned(y) + CONFIG_T::stride_height;
        start = goes_on ? moved : unsigned(start);
        wraps = goes_on ? next_wraps : wraps;
        y = goes_on ? next_y : unsigned(y);
    }
};

/// The rows of a kernel, and how far they are below its first one.
template <typename CONFIG_T> struct kernel_rows : counter<CONFIG_T::kernel_height> {
    typedef sliding_window<CONFIG_T> window_t;
    static const unsigned step = CONFIG_T::dilation_height, most = window_t::extent_height - 1;

    index_integer<most> rows_below;
    index_integer<most * window_t::row_words> words_below;

    kernel_rows() : rows_below(0), words_below(0) {}

    void advance(bool goes_on) {
        HYQ_INLINE
        const unsigned next_rows = this->last ? 0 : unsigned(rows_below) + step;
        const unsigned next_words =
            this->last ? 0 : unsigned(words_below) + step * window_t::row_words;
        rows_below = goes_on ? next_rows : unsigned(rows_below);
        words_below = goes_on ? next_words : unsigned(words_below);
        counter<CONFIG_T::kernel_height>::advance(goes_on);
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
    static const unsigned per_kernel_row = taps;
    /// Taps of a window, counted for each time that it is read.
    static const unsigned per_window = groups * CONFIG_T::kernel_height * taps;

    counter<taps> tap;
    kernel_rows<CONFIG_T> kernel_row;
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

/// When the words of a map are written, and when its taps are read: one of each per iteration.
///
/// The first `lead` iterations only write. Then every row of windows has `period` iterations. Its
/// taps come first, and beside them the rows of the map that the next row of windows reads besides
/// its own. What is left of the period has no taps, or no words.
///
/// The first windows need not wait until all rows that they reach are whole: it suffices that every
/// word is there in time. Let the lead be all of first_words. Then `slack` is the least number of
/// iterations from the write of a word to its first read: a row of the map less the first window,
/// and the taps of the kernel rows above the last one, which are read before it. Where windows are
/// farther apart than their taps last, reads come closer to writes from window to window. What
/// exceeds pipeline_latency makes the lead shorter.
///
/// A word is overwritten after the period that reads it for the last time. In an iteration,
/// each_tap reads before it writes. So `distance` is all that a compiler must be told of the buffer.
/// Reference: tap_schedule of hyq_hls/stream/circuits/line_buffer.py; its test looks at every word.
///
/// \tparam taps_T  the order of the taps; gives per_window and per_kernel_row.
template <typename CONFIG_T, class taps_T> struct tap_schedule {
    typedef sliding_window<CONFIG_T> window_t;
    static const unsigned reads = window_t::out_width * taps_T::per_window;
    static const unsigned period = reads > window_t::next_words ? reads : window_t::next_words;
    static const unsigned window_words = CONFIG_T::stride_width * window_t::beats;
    /// Iterations by which reads come closer to writes from the first window to the last.
    static const unsigned closer =
        window_words > taps_T::per_window
            ? (window_t::out_width - 1) * (window_words - taps_T::per_window)
            : 0;
    /// The kernel row that reads the last of the first rows.
    static const unsigned last_row =
        (CONFIG_T::pad_height + window_t::first_rows - 1) / CONFIG_T::dilation_height;
    static const unsigned columns_left = window_t::padded_width - window_t::extent_width;
    static const unsigned slack =
        columns_left * window_t::beats + 1 + last_row * taps_T::per_kernel_row - closer;
    static const unsigned spare = slack > pipeline_latency ? slack - pipeline_latency : 0;
    static const unsigned not_writing = period - window_t::next_words;
    static const unsigned most =
        window_t::first_words < not_writing ? window_t::first_words : not_writing;
    static const unsigned early = spare < most ? spare : most;
    static const unsigned lead = window_t::first_words - early;
    /// Least number of iterations from the write of a word to its first read.
    static const unsigned distance = slack - early;
    static const unsigned iterations = lead + window_t::out_height * period;

    bool reads_tap;   ///< a tap is read
    bool writes_word; ///< a word may be written
    bool is_lead;
    bool is_last; ///< the last iteration of the lead or of a row of windows
    index_integer<(lead > period ? lead : period) - 1> left; ///< iterations until then
    counter<window_t::out_height> row;                       ///< of windows
    bool is_first_row;

    tap_schedule()
        : reads_tap(lead == 0), writes_word(true), is_lead(lead > 0),
          is_last((lead > 0 ? lead : period) == 1), left((lead > 0 ? lead : period) - 1),
          is_first_row(true) {}

    /// Returns whether a row of windows ends.
    bool ends_row() const {
        HYQ_INLINE
        return is_last && !is_lead;
    }

    void advance() {
        HYQ_INLINE
        // Behind the last word of a row, and behind its last tap; 0 where that is its end, too.
        const unsigned words_end = is_first_row ? not_writing - early : not_writing;
        const bool is_words_end = !is_lead && unsigned(left) == words_end;
        const bool is_taps_end = unsigned(left) == period - reads;
        const bool is_next_last = is_last ? period == 1 : unsigned(left) == 1;
        const unsigned next_left = is_last ? period - 1 : unsigned(left) - 1;
        const bool is_row = ends_row();
        writes_word = is_row || (writes_word && !is_words_end);
        reads_tap = is_last || (reads_tap && !is_taps_end);
        row.advance(is_row);
        is_first_row = is_first_row && !is_row;
        is_lead = is_lead && !is_last;
        is_last = is_next_last;
        left = next_left;
    }
};

/// Reads the operands of a tap: from the buffer, or `pad` above and below the map.
///
/// \param beat  its beat of a pixel.
/// \param is_tap  there is one; else the operands are `pad`, too.
template <typename CONFIG_T, class taps_T>
inline void
read_operands(typename CONFIG_T::operand_t (&x)[CONFIG_T::in_lanes],
              const typename CONFIG_T::operand_t (
                  &buffer)[sliding_window<CONFIG_T>::words][CONFIG_T::in_lanes],
              const window_rows<CONFIG_T> &rows, const taps_T &taps, unsigned beat,
              const typename CONFIG_T::pad_t &pad, bool is_tap) {
    HYQ_INLINE
    const bool is_border = !is_tap || rows.is_border(unsigned(taps.kernel_row.rows_below));
    const unsigned place =
        rows.place(unsigned(taps.kernel_row.words_below) + unsigned(taps.word));
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
/// frames there is a pause (see sliding_window). It is one loop, whose next frame starts at once.
///
/// \tparam taps_T  the order of the taps, such as dense_taps.
/// \param sums  gets every tap, by sums.add(operands, taps, row of windows, whether there is a tap,
///              others...). Where there is none, it changes nothing that a later tap sees.
/// \param others  what it needs besides: the output stream and memories.
template <typename CONFIG_T, class taps_T, class data_T, class sums_T, class... others_T>
inline void each_tap(stream<data_T> &data, const typename CONFIG_T::pad_t &pad, sums_T &sums,
                     others_T &...others) {
    HYQ_INLINE
    typedef sliding_window<CONFIG_T> window_t;
    typedef tap_schedule<CONFIG_T, taps_T> schedule_t;
    static const unsigned iterations = schedule_t::iterations, distance = schedule_t::distance;
    static_assert(distance > 0, "a word is written before it is read");
    schedule_t now;
    window_t window;
    window_rows<CONFIG_T> stored;
    taps_T taps;
    typename CONFIG_T::operand_t buffer[window_t::words][CONFIG_T::in_lanes];
    HYQ_RESHAPE(buffer, 2)
Iterations:
    for (unsigned i = 0; i < iterations; i++) {
        HYQ_PIPELINE(1)
        HYQ_DEPENDENCE(buffer, distance)
        typename CONFIG_T::operand_t x[CONFIG_T::in_lanes];
        HYQ_PARTITION(x, 1)
        read_operands<CONFIG_T>(x, buffer, stored, taps, taps.beat(), pad, now.reads_tap);
        sums.add(x, taps, now.row.index(), now.reads_tap, others...);
        window.take(buffer, data, pad, now.writes_word);
        stored.advance(now.ends_row());
        taps.advance();
        if (now.is_last) {
            taps = taps_T();
        }
        now.advance();
    }
}

} // namespace hyq

#endif
