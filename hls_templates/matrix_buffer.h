// SPDX-License-Identifier: Apache-2.0
// A process collects the rows of a matrix in banks, and sends the matrix in the order of its use.
// RTL: hyq_matrix_buffer.sv.
#ifndef HYQ_MATRIX_BUFFER_H_
#define HYQ_MATRIX_BUFFER_H_

#include "counter.h"

namespace hyq {

/// The order of a matrix. Row r lies in bank r % banks, as row r / banks of that bank. A row is
/// blocks of words. Addresses in a bank count blocks, rows and words of a block, the last fastest.
template <unsigned matrix_rows, unsigned matrix_banks, unsigned matrix_blocks, unsigned words>
struct matrix_order {
    static_assert(matrix_rows % matrix_banks == 0, "banks divide the rows");
    static const unsigned banks = matrix_banks, blocks = matrix_blocks, block_words = words;
    static const unsigned bank_rows = matrix_rows / banks;
    static const unsigned bank_words = blocks * bank_rows * block_words;
};

/// The place of the next word of a matrix, which comes row by row.
template <class order> struct matrix_cursor {
    typedef index_integer<order::bank_words + order::block_words> address_t;

    counter<order::block_words> word;
    counter<order::blocks> block;
    counter<order::banks> bank;
    counter<order::bank_rows> bank_row;
    address_t address, row_start;

    matrix_cursor() : address(0), row_start(0) {}

    void advance() {
        HYQ_INLINE
        const address_t next_row = unsigned(row_start) + order::block_words;
        const address_t next_block =
            unsigned(address) + (order::bank_rows - 1) * order::block_words + 1;
        const address_t next_word = unsigned(address) + 1;
        const bool is_row = word.last && block.last, is_bank_row = is_row && bank.last;
        row_start = !is_bank_row ? row_start : bank_row.last ? address_t(0) : next_row;
        address = is_row ? row_start : word.last ? next_block : next_word;
        bank_row.advance(is_bank_row);
        bank.advance(is_row);
        block.advance(word.last);
        word.advance();
    }
};

/// Stores a matrix, then sends it: at every address the words of all banks together. The reader
/// keeps what it needs again, so the next matrix is stored while the reader uses this one.
///
/// A matrix takes rows * blocks * block_words + bank_words cycles. That is less than its use takes
/// where it is used for at least two groups; where it is used for one, it is 1 + 1 / banks times
/// that. (The RTL sends while it stores.)
template <class order, unsigned matrices, class data_T, class banks_T>
void collect_matrices(stream<data_T> &data, stream<banks_T> &res) {
    static const unsigned lanes = data_T::size;
    static_assert(banks_T::size == order::banks * lanes, "a word has the words of all banks");
    typename data_T::value_type matrix[order::banks][order::bank_words][lanes];
    HYQ_PARTITION(matrix, 1)
    HYQ_RESHAPE(matrix, 3)
    matrix_cursor<order> next;
Matrices:
    for (unsigned m = 0; m < matrices; m++) {
    Store:
        for (unsigned i = 0; i < order::banks * order::bank_words; i++) {
            HYQ_PIPELINE(1)
            const data_T in = data.read();
        Lanes:
            for (unsigned l = 0; l < lanes; l++) {
                HYQ_UNROLL
                matrix[next.bank.index()][unsigned(next.address)][l] = in[l];
            }
            next.advance();
        }
    Send:
        for (unsigned i = 0; i < order::bank_words; i++) {
            HYQ_PIPELINE(1)
            banks_T out;
        Codes:
            for (unsigned c = 0; c < banks_T::size; c++) {
                HYQ_UNROLL
                out[c] = matrix[c / lanes][i][c % lanes];
            }
            res.write(out);
        }
    }
}

} // namespace hyq

#endif
