// A memory with an entry for every input code. Reference: hyq_hls/ops/table.py, Table.
#ifndef HYQ_TABLE_H_
#define HYQ_TABLE_H_

#include "types.h"

namespace hyq {

/// One look-up a cycle: the channels of a word share one memory.
///
/// \tparam CONFIG_T  gives words, channels and code_first, the code that values[0] answers.
template <typename CONFIG_T, class data_T, class res_T>
void table(hls::stream<data_T> &data, hls::stream<res_T> &res,
           const typename CONFIG_T::values_t values[CONFIG_T::values_entries]) {
    static_assert(data_T::size == CONFIG_T::channels, "a word carries all channels");
    static_assert(res_T::size == CONFIG_T::channels, "every input code gives an output code");
Words:
    for (unsigned i = 0; i < CONFIG_T::words; i++) {
        const data_T in = data.read();
        res_T out;
    Channels:
        for (unsigned c = 0; c < CONFIG_T::channels; c++) {
            #pragma HLS PIPELINE II=1
            out[c] = values[int(in[c]) - CONFIG_T::code_first];
        }
        res.write(out);
    }
}

} // namespace hyq

#endif
