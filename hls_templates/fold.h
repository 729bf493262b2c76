// The function turns tokens into a map through a reorder buffer. Reference: hyq_hls/ops/fold.py,
// Fold.
#ifndef HYQ_FOLD_H_
#define HYQ_FOLD_H_

#include "types.h"

namespace hyq {

/// The second pixel of the map arrives after a whole pixel phase, so all tokens are stored.
///
/// \tparam CONFIG_T  gives height, width, channels, patch_height, patch_width of the map, in_lanes,
///                   out_lanes.
template <typename CONFIG_T, class data_T, class res_T>
void fold(stream<data_T> &data, stream<res_T> &res) {
    static const unsigned lanes = CONFIG_T::in_lanes, beats = CONFIG_T::channels / lanes;
    static const unsigned rows = CONFIG_T::height / CONFIG_T::patch_height;
    static const unsigned columns = CONFIG_T::width / CONFIG_T::patch_width;
    static_assert(CONFIG_T::height % CONFIG_T::patch_height == 0 &&
                      CONFIG_T::width % CONFIG_T::patch_width == 0,
                  "the patch divides the map");
    static_assert(data_T::size == lanes && res_T::size == lanes,
                  "input and output have the same lanes");
    static_assert(CONFIG_T::channels % lanes == 0, "beats divide the channels of a position");
    data_T tokens[CONFIG_T::height * CONFIG_T::width * beats];
Store:
    for (unsigned i = 0; i < CONFIG_T::height * CONFIG_T::width * beats; i++) {
        HYQ_PIPELINE(1)
        tokens[i] = data.read();
    }
Row:
    for (unsigned i = 0; i < rows; i++) {
    PatchRow:
        for (unsigned a = 0; a < CONFIG_T::patch_height; a++) {
        Column:
            for (unsigned j = 0; j < columns; j++) {
            PatchColumn:
                for (unsigned b = 0; b < CONFIG_T::patch_width; b++) {
                Beats:
                    for (unsigned beat = 0; beat < beats; beat++) {
                        HYQ_PIPELINE(1)
                        const unsigned pixel = a * CONFIG_T::patch_width + b;
                        const unsigned token = (pixel * rows + i) * columns + j;
                        const data_T in = tokens[token * beats + beat];
                        res_T out;
                    Lanes:
                        for (unsigned l = 0; l < lanes; l++) {
                            HYQ_UNROLL
                            out[l] = in[l];
                        }
                        res.write(out);
                    }
                }
            }
        }
    }
}

} // namespace hyq

#endif
