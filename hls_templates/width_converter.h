// The function regroups codes to words of other lanes, in the same order.
#ifndef HYQ_WIDTH_CONVERTER_H_
#define HYQ_WIDTH_CONVERTER_H_

#include "types.h"

namespace hyq {

/// \tparam words  words of the wider side; its lanes are a multiple of the narrower one's.
template <unsigned words, class data_T, class res_T>
void convert_width(stream<data_T> &data, stream<res_T> &res) {
    static_assert(data_T::size % res_T::size == 0 || res_T::size % data_T::size == 0,
                  "one number of lanes divides the other");
    const unsigned lanes = data_T::size > res_T::size ? data_T::size : res_T::size;
    data_T in;
    res_T out;
Words:
    for (unsigned i = 0; i < words; i++) {
    Lanes:
        for (unsigned lane = 0; lane < lanes; lane++) {
            if (lane % data_T::size == 0) {
                in = data.read();
            }
            out[lane % res_T::size] = in[lane % data_T::size];
            if ((lane + 1) % res_T::size == 0) {
                res.write(out);
            }
        }
    }
}

} // namespace hyq

#endif
