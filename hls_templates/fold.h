// Tokens to map through a reorder buffer. Reference: hyq_hls/ops/fold.py, Fold.
#ifndef HYQ_FOLD_H_
#define HYQ_FOLD_H_

#include "types.h"

namespace hyq {

/// The second pixel of the map arrives after a whole pixel phase, so all tokens are stored.
///
/// \tparam CONFIG_T  gives height, width, channels, patch_height, patch_width of the map.
template <typename CONFIG_T, class data_T, class res_T>
void fold(hls::stream<data_T> &data, hls::stream<res_T> &res) {
    static_assert(CONFIG_T::height % CONFIG_T::patch_height == 0 &&
                      CONFIG_T::width % CONFIG_T::patch_width == 0,
                  "the patch divides the map");
    static_assert(data_T::size == CONFIG_T::channels && res_T::size == CONFIG_T::channels,
                  "a word carries all channels of a token");
    res_T map[CONFIG_T::height * CONFIG_T::width];
PatchRow:
    for (unsigned a = 0; a < CONFIG_T::patch_height; a++) {
    PatchColumn:
        for (unsigned b = 0; b < CONFIG_T::patch_width; b++) {
        Row:
            for (unsigned i = 0; i < CONFIG_T::height / CONFIG_T::patch_height; i++) {
            Column:
                for (unsigned j = 0; j < CONFIG_T::width / CONFIG_T::patch_width; j++) {
                    #pragma HLS PIPELINE II=1
                    const data_T in = data.read();
                    const unsigned y = i * CONFIG_T::patch_height + a;
                    const unsigned x = j * CONFIG_T::patch_width + b;
                Channels:
                    for (unsigned c = 0; c < CONFIG_T::channels; c++) {
                        #pragma HLS UNROLL
                        map[y * CONFIG_T::width + x][c] = in[c];
                    }
                }
            }
        }
    }
Send:
    for (unsigned i = 0; i < CONFIG_T::height * CONFIG_T::width; i++) {
        #pragma HLS PIPELINE II=1
        res.write(map[i]);
    }
}

} // namespace hyq

#endif
