// SPDX-License-Identifier: Apache-2.0
// The function exchanges rows and columns of every matrix. Reference: hyq_hls/ops/transpose.py,
// Transpose.
#ifndef HYQ_TRANSPOSE_H_
#define HYQ_TRANSPOSE_H_

#include "counter.h"

namespace hyq {

/// A word of a matrix is stored while one of the matrix before is sent. Matrices take turns in two
/// pages: one is written row by row, the other is read column by column.
///
/// \tparam CONFIG_T  gives matrices, rows, columns (of the input), in_lanes = out_lanes = 1.
template <typename CONFIG_T, class data_T, class res_T>
void transpose(stream<data_T> &data, stream<res_T> &res) {
    static const unsigned rows = CONFIG_T::rows, columns = CONFIG_T::columns;
    static const unsigned words = rows * columns;
    static const unsigned apart = rows + columns - 1; // iterations from a write to its read
    static_assert(apart <= words, "a word is read while the next matrix is written");
    static_assert(data_T::size == 1 && res_T::size == 1, "a word carries one code");
    typedef typename data_T::value_type code_t;

    code_t pages[2][words];
    HYQ_PARTITION(pages, 1)
    counter<words> written;
    counter<rows> row;
    index_integer<words + columns> read = 0;
    bool page = false;    // the page that is written
    bool is_first = true; // there is no matrix before
Words:
    for (unsigned i = 0; i < (CONFIG_T::matrices + 1) * words; i++) {
        HYQ_PIPELINE(1)
        HYQ_DEPENDENCE(pages, apart)
        if (!is_first) {
            res_T out;
            out[0] = pages[!page][unsigned(read)];
            res.write(out);
        }
        if (i < CONFIG_T::matrices * words) {
            pages[page][written.index()] = data.read()[0];
        }
        // The next row of the same column, or the first row of the next column.
        const unsigned next_row = unsigned(read) + columns;
        const unsigned next_column = unsigned(read) + 1 - (rows - 1) * columns;
        read = written.last ? 0 : row.last ? next_column : next_row;
        page = page != written.last;
        is_first = is_first && !written.last;
        row.advance();
        written.advance();
    }
}

} // namespace hyq

#endif
