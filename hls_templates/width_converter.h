// SPDX-License-Identifier: Apache-2.0
// The function regroups codes to words of other lanes, in the same order.
#ifndef HYQ_WIDTH_CONVERTER_H_
#define HYQ_WIDTH_CONVERTER_H_

#include "types.h"

namespace hyq {

/// A narrow word passes per cycle: a wide word leaves as several, or is gathered from several.
///
/// \tparam words  words of the wider side; its lanes are a multiple of the narrower one's.
template <unsigned words, class data_T, class res_T>
void convert_width(stream<data_T> &data, stream<res_T> &res) {
    static const unsigned in_lanes = data_T::size, out_lanes = res_T::size;
    static_assert(in_lanes % out_lanes == 0 || out_lanes % in_lanes == 0,
                  "one number of lanes divides the other");
    static const unsigned lanes = in_lanes < out_lanes ? in_lanes : out_lanes;
    static const unsigned wide = in_lanes < out_lanes ? out_lanes : in_lanes;
    // The wide word is a shift register of narrow ones, the next at its low end.
    typename data_T::value_type codes[wide];
    HYQ_PARTITION(codes, 1)
Words:
    for (unsigned i = 0; i < words; i++) {
    Parts:
        for (unsigned part = 0; part < wide / lanes; part++) {
            HYQ_PIPELINE(1)
        Shift:
            for (unsigned c = 0; c < wide - lanes; c++) {
                HYQ_UNROLL
                codes[c] = codes[c + lanes];
            }
            if (in_lanes == lanes || part == 0) {
                const data_T in = data.read();
            Take:
                for (unsigned c = 0; c < in_lanes; c++) {
                    HYQ_UNROLL
                    codes[wide - in_lanes + c] = in[c];
                }
            }
            if (out_lanes == lanes || part == wide / lanes - 1) {
                res_T out;
            Give:
                for (unsigned c = 0; c < out_lanes; c++) {
                    HYQ_UNROLL
                    out[c] = codes[c];
                }
                res.write(out);
            }
        }
    }
}

} // namespace hyq

#endif
