// Line buffer: keeps the last kernel_height rows of a padded map and hands out windows.
#ifndef HYQ_SLIDING_WINDOW_H_
#define HYQ_SLIDING_WINDOW_H_

#include "types.h"

namespace hyq {

/// \tparam data_T    word of all channels of a pixel.
/// \tparam CONFIG_T  gives height, width, in_channels, kernel_height, kernel_width, stride_height,
///                   stride_width, pad_height, pad_width, operand_t, pad_t.
template <class data_T, typename CONFIG_T> struct sliding_window {
    static_assert(data_T::size == CONFIG_T::in_channels, "a word carries all channels of a pixel");
    static const unsigned padded_width = CONFIG_T::width + 2 * CONFIG_T::pad_width;
    static const unsigned row_length = CONFIG_T::kernel_width * CONFIG_T::in_channels;

    /// Row y lies at y % kernel_height.
    typename CONFIG_T::operand_t rows[CONFIG_T::kernel_height][padded_width * CONFIG_T::in_channels];

    /// Take the pixel at (y, x) of the padded map: from the stream, or `pad` in the border.
    void push(hls::stream<data_T> &data, unsigned y, unsigned x,
              const typename CONFIG_T::pad_t pad[CONFIG_T::pad_entries]) {
        #pragma HLS INLINE
        const bool inside = y >= CONFIG_T::pad_height && y < CONFIG_T::pad_height + CONFIG_T::height &&
                            x >= CONFIG_T::pad_width && x < CONFIG_T::pad_width + CONFIG_T::width;
        const unsigned row = y % CONFIG_T::kernel_height;
        const unsigned column = x * CONFIG_T::in_channels;
        if (inside) {
            const data_T pixel = data.read();
        Pixel:
            for (unsigned c = 0; c < CONFIG_T::in_channels; c++) {
                #pragma HLS UNROLL
                rows[row][column + c] = pixel[c];
            }
        } else {
        Border:
            for (unsigned c = 0; c < CONFIG_T::in_channels; c++) {
                #pragma HLS UNROLL
                rows[row][column + c] = pad[CONFIG_T::pad_entries == 1 ? 0 : c];
            }
        }
    }

    /// Whether the window whose last pixel is (y, x) gives an output.
    static bool is_output(unsigned y, unsigned x) {
        #pragma HLS INLINE
        return y + 1 >= CONFIG_T::kernel_height && x + 1 >= CONFIG_T::kernel_width &&
               (y + 1 - CONFIG_T::kernel_height) % CONFIG_T::stride_height == 0 &&
               (x + 1 - CONFIG_T::kernel_width) % CONFIG_T::stride_width == 0;
    }

    /// The window whose last pixel is (y, x), as [kernel row][kernel column][channel].
    void gather(unsigned y, unsigned x,
                typename CONFIG_T::operand_t out[CONFIG_T::kernel_height * row_length]) const {
        #pragma HLS INLINE
        const unsigned top = y + 1 - CONFIG_T::kernel_height;
        const unsigned left = (x + 1 - CONFIG_T::kernel_width) * CONFIG_T::in_channels;
    GatherRows:
        for (unsigned r = 0; r < CONFIG_T::kernel_height; r++) {
        GatherColumns:
            for (unsigned i = 0; i < row_length; i++) {
                #pragma HLS PIPELINE II=1
                out[r * row_length + i] = rows[(top + r) % CONFIG_T::kernel_height][left + i];
            }
        }
    }
};

} // namespace hyq

#endif
