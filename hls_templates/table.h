// SPDX-License-Identifier: Apache-2.0
// A memory has an entry for every input code. Reference: hyq_hls/ops/table.py, Table.
#ifndef HYQ_TABLE_H_
#define HYQ_TABLE_H_

#include "types.h"

namespace hyq {

/// Every lane looks up one code per cycle: the memory has as many read ports as lanes.
///
/// \tparam CONFIG_T  gives words (positions), channels, in_lanes, out_lanes and code_first, the
///                   code that values[0] answers.
template <typename CONFIG_T, class data_T, class res_T>
void table(stream<data_T> &data, stream<res_T> &res,
           const typename CONFIG_T::values_t &values) {
    static const unsigned lanes = CONFIG_T::in_lanes;
    static_assert(data_T::size == lanes && res_T::size == lanes,
                  "every input code gives an output code");
    static_assert(CONFIG_T::channels % lanes == 0, "beats divide the channels of a position");
Beats:
    for (unsigned i = 0; i < CONFIG_T::words * CONFIG_T::channels / lanes; i++) {
        HYQ_PIPELINE(1)
        const data_T in = data.read();
        res_T out;
    Lanes:
        for (unsigned l = 0; l < lanes; l++) {
            HYQ_UNROLL
            out[l] = values[int(in[l]) - CONFIG_T::code_first][0];
        }
        res.write(out);
    }
}

} // namespace hyq

#endif
