// The function turns a map into tokens through a reorder buffer. Reference: hyq_hls/ops/unfold.py,
// Unfold.
#ifndef HYQ_UNFOLD_H_
#define HYQ_UNFOLD_H_

#include "types.h"

namespace hyq {

/// The first token needs the first pixel of the last patch, so the whole map is stored.
///
/// \tparam CONFIG_T  gives height, width, channels, patch_height, patch_width, in_lanes, out_lanes.
template <typename CONFIG_T, class data_T, class res_T>
void unfold(stream<data_T> &data, stream<res_T> &res) {
    static const unsigned lanes = CONFIG_T::in_lanes, beats = CONFIG_T::channels / lanes;
    static_assert(CONFIG_T::height % CONFIG_T::patch_height == 0 &&
                      CONFIG_T::width % CONFIG_T::patch_width == 0,
                  "the patch divides the map");
    static_assert(data_T::size == lanes && res_T::size == lanes,
                  "input and output have the same lanes");
    static_assert(CONFIG_T::channels % lanes == 0, "beats divide the channels of a position");
    data_T map[CONFIG_T::height * CONFIG_T::width * beats];
Store:
    for (unsigned i = 0; i < CONFIG_T::height * CONFIG_T::width * beats; i++) {
        HYQ_PIPELINE(1)
        map[i] = data.read();
    }
PatchRow:
    for (unsigned a = 0; a < CONFIG_T::patch_height; a++) {
    PatchColumn:
        for (unsigned b = 0; b < CONFIG_T::patch_width; b++) {
        Row:
            for (unsigned i = 0; i < CONFIG_T::height / CONFIG_T::patch_height; i++) {
            Column:
                for (unsigned j = 0; j < CONFIG_T::width / CONFIG_T::patch_width; j++) {
                Beats:
                    for (unsigned beat = 0; beat < beats; beat++) {
                        HYQ_PIPELINE(1)
                        const unsigned y = i * CONFIG_T::patch_height + a;
                        const unsigned x = j * CONFIG_T::patch_width + b;
                        const data_T in = map[(y * CONFIG_T::width + x) * beats + beat];
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
