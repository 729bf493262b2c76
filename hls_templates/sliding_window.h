// A window slides over a padded map in a line buffer. Reference: hyq_hls/ops/convolution.py.
#ifndef HYQ_SLIDING_WINDOW_H_
#define HYQ_SLIDING_WINDOW_H_

#include "types.h"

namespace hyq {

/// The places at which a line buffer is written and read. Its rows lie in a circle: while the
/// windows of one row are read from kernel_height rows, the next stride_height rows are written.
///
/// \tparam CONFIG_T  gives height, width, in_channels, kernel_height, kernel_width, stride_height,
///                   stride_width, pad_height, pad_width, in_lanes, operand_t, pad_t.
template <typename CONFIG_T> struct sliding_window {
    typedef typename CONFIG_T::operand_t operand_t;
    static const unsigned lanes = CONFIG_T::in_lanes;
    static_assert(CONFIG_T::in_channels % lanes == 0, "beats divide the channels of a pixel");
    static const unsigned beats = CONFIG_T::in_channels / lanes;
    static const unsigned padded_height = CONFIG_T::height + 2 * CONFIG_T::pad_height;
    static const unsigned padded_width = CONFIG_T::width + 2 * CONFIG_T::pad_width;
    static const unsigned out_height =
        (padded_height - CONFIG_T::kernel_height) / CONFIG_T::stride_height + 1;
    static const unsigned out_width =
        (padded_width - CONFIG_T::kernel_width) / CONFIG_T::stride_width + 1;

    static const unsigned rows = CONFIG_T::kernel_height + CONFIG_T::stride_height;
    static const unsigned row_words = padded_width * beats;
    static const unsigned words = rows * row_words;
    /// Cycles in which rows are only written: those before the first window, and those per row of
    /// windows.
    static const unsigned first_words = CONFIG_T::kernel_height * row_words;
    static const unsigned next_words = CONFIG_T::stride_height * row_words;

    unsigned y = 0, x = 0, beat = 0; ///< the next beat of the padded map
    unsigned write_word = 0;         ///< its place in the buffer
    unsigned row = 0;                ///< first row of the windows, and its place in the buffer
    unsigned place = 0;

    /// Writes the next beat if the windows after these need it. The beat comes from the stream, or
    /// is `pad` in the border. Behind the last row of windows, the rest of the map is read.
    template <class data_T>
    void take(operand_t buffer[words][lanes], stream<data_T> &data,
              const typename CONFIG_T::pad_t pad[CONFIG_T::pad_entries]) {
        HYQ_INLINE
        static_assert(data_T::size == lanes, "a word carries in_lanes channels");
        if (y == padded_height || y >= row + rows) {
            return;
        }
        if (y >= CONFIG_T::pad_height && y < CONFIG_T::pad_height + CONFIG_T::height &&
            x >= CONFIG_T::pad_width && x < CONFIG_T::pad_width + CONFIG_T::width) {
            const data_T in = data.read();
        Inside:
            for (unsigned l = 0; l < lanes; l++) {
                HYQ_UNROLL
                buffer[write_word][l] = in[l];
            }
        } else {
        Border:
            for (unsigned l = 0; l < lanes; l++) {
                HYQ_UNROLL
                buffer[write_word][l] = of_channel<CONFIG_T::pad_entries>(pad, beat * lanes + l);
            }
        }
        write_word = write_word == words - 1 ? 0 : write_word + 1;
        beat = beat == beats - 1 ? 0 : beat + 1;
        if (beat == 0) {
            x = x == padded_width - 1 ? 0 : x + 1;
            y += x == 0;
        }
    }

    /// Returns the address of a beat of window `column` at a row of the kernel, `offset` beats from
    /// the window's left edge.
    unsigned word(unsigned column, unsigned kernel_row, unsigned offset) const {
        HYQ_INLINE
        const unsigned at = place + kernel_row;
        return (at < rows ? at : at - rows) * row_words +
               column * CONFIG_T::stride_width * beats + offset;
    }

    /// Moves to the next row of windows.
    void next_row() {
        HYQ_INLINE
        row += CONFIG_T::stride_height;
        place += CONFIG_T::stride_height;
        place = place < rows ? place : place - rows;
    }
};

} // namespace hyq

#endif
