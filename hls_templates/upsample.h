// SPDX-License-Identifier: Apache-2.0
// The function makes a map of twice the height and width. Reference: hyq_hls/ops/upsample.py,
// Upsample.
#ifndef HYQ_UPSAMPLE_H_
#define HYQ_UPSAMPLE_H_

#include "counter.h"

namespace hyq {

/// The place of a line of the result between the lines of the input. A line is a row of the map, or
/// a pixel of a row. The newer line is the one that comes, or came last. Copies have no other.
template <unsigned lines, bool is_bilinear> struct doubled_lines {
    counter<lines> pair; ///< two lines of the result
    bool is_odd;
    bool takes;     ///< the next line of the input comes
    bool is_border; ///< there is no older line
    bool newer;     ///< the bank of the newer line

    doubled_lines() : is_odd(false), takes(true), is_border(true), newer(false) {}

    void advance(bool goes_on) {
        HYQ_INLINE
        const bool takes_next = is_bilinear ? is_odd == pair.last : is_odd;
        const bool newer_next = is_bilinear && !is_last() && newer != (takes_next && !is_odd);
        is_border = goes_on ? !is_bilinear || pair.last : is_border;
        takes = goes_on ? takes_next : takes;
        newer = goes_on ? newer_next : newer;
        pair.advance(goes_on && is_odd);
        is_odd = is_odd != goes_on;
    }

    /// Returns the newer line, or what lies between both lines, in quarters.
    template <class T> int between(T newer_code, T older_code) const {
        HYQ_INLINE
        const int nearer = int(is_odd ? older_code : newer_code);
        const int farther = int(is_odd ? newer_code : older_code);
        return is_bilinear ? 2 * nearer + (nearer + farther) : int(newer_code);
    }

    /// Returns whether the line is the last one of the result.
    bool is_last() const {
        HYQ_INLINE
        return is_odd && pair.last;
    }
};

/// Rows are doubled first, then the pixels of every row. A word leaves per cycle.
///
/// \tparam CONFIG_T  gives height, width, channels of the input, in_lanes, out_lanes, is_bilinear,
///                   and operand_t, quarters_t (a code between two rows), accumulator_t.
template <typename CONFIG_T, class data_T, class res_T>
void upsample(stream<data_T> &data, stream<res_T> &res) {
    static const unsigned lanes = CONFIG_T::in_lanes, beats = CONFIG_T::channels / lanes;
    static const unsigned words = CONFIG_T::width * beats;
    static const bool is_bilinear = CONFIG_T::is_bilinear;
    typedef typename CONFIG_T::operand_t operand_t;
    typedef typename CONFIG_T::quarters_t quarters_t;
    static_assert(CONFIG_T::channels % lanes == 0, "beats divide the channels of a position");
    static_assert(data_T::size == lanes && res_T::size == lanes,
                  "input and output have the same lanes");

    operand_t rows[2][words][lanes];
    HYQ_PARTITION(rows, 1)
    HYQ_RESHAPE(rows, 3)
    quarters_t pixels[2][beats][lanes];
    HYQ_PARTITION(pixels, 1)
    HYQ_RESHAPE(pixels, 3)
    doubled_lines<CONFIG_T::height, is_bilinear> row;
    doubled_lines<CONFIG_T::width, is_bilinear> pixel;
    counter<words> word;
    counter<beats> beat;
Words:
    for (unsigned i = 0; i < 4 * CONFIG_T::height * words; i++) {
        HYQ_PIPELINE(1)
        HYQ_DEPENDENCE(rows, words)
        HYQ_DEPENDENCE(pixels, beats)
        const unsigned w = word.index(), b = beat.index();
        const bool reads = row.takes && pixel.takes;
        data_T in;
        if (reads) {
            in = data.read();
        }
        res_T out;
    Lanes:
        for (unsigned l = 0; l < lanes; l++) {
            HYQ_UNROLL
            // Copies read a word only where they do not write it.
            const operand_t next = in[l], row1 = rows[1][w][l];
            const operand_t row0 = is_bilinear || !reads ? rows[0][w][l] : next;
            const operand_t newer_row = reads ? next : row.newer ? row1 : row0;
            const operand_t older_row = row.is_border ? newer_row : row.newer ? row0 : row1;
            const quarters_t between = row.between(newer_row, older_row);
            const quarters_t pixel1 = pixels[1][b][l];
            const quarters_t pixel0 = is_bilinear || !pixel.takes ? pixels[0][b][l] : between;
            const quarters_t newer_pixel = pixel.takes ? between : pixel.newer ? pixel1 : pixel0;
            const quarters_t older_pixel =
                pixel.is_border ? newer_pixel : pixel.newer ? pixel0 : pixel1;
            const typename CONFIG_T::accumulator_t code = pixel.between(newer_pixel, older_pixel);
            out[l] = is_bilinear ? int(code + 8) >> 4 : int(code);
            if (reads) {
                rows[row.newer][w][l] = next;
            }
            if (pixel.takes) {
                pixels[pixel.newer][b][l] = between;
            }
        }
        res.write(out);
        word.advance(pixel.takes);
        row.advance(beat.last && pixel.is_last());
        pixel.advance(beat.last);
        beat.advance();
    }
}

} // namespace hyq

#endif
