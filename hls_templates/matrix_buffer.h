// Two matrices lie in banks of rows: one is stored while the other is used. RTL:
// hyq_matrix_buffer.sv.
#ifndef HYQ_MATRIX_BUFFER_H_
#define HYQ_MATRIX_BUFFER_H_

#include "types.h"

namespace hyq {

/// The place at which the next word of a stream of matrices is stored.
///
/// Row r lies in bank r % banks, as row r / banks of that bank. A row is blocks of words. Addresses
/// in a bank count blocks, rows and words of a block, the last fastest. This is the order of their
/// use.
template <unsigned rows, unsigned banks, unsigned blocks, unsigned block_words>
struct matrix_cursor {
    static_assert(rows % banks == 0, "banks divide the rows");
    static const unsigned bank_rows = rows / banks;
    static const unsigned row_words = blocks * block_words;
    static const unsigned page_words = bank_rows * row_words;

    unsigned page, row, bank, block, word;

    matrix_cursor() : page(0), row(0), bank(0), block(0), word(0) {}

    unsigned address() const {
        HYQ_INLINE
        return (block * bank_rows + row) * block_words + word;
    }

    unsigned word_of_row() const {
        HYQ_INLINE
        return block * block_words + word;
    }

    void advance() {
        HYQ_INLINE
        word = word + 1 < block_words ? word + 1 : 0;
        if (word == 0) {
            block = block + 1 < blocks ? block + 1 : 0;
        }
        if (word == 0 && block == 0) {
            bank = bank + 1 < banks ? bank + 1 : 0;
        }
        if (word == 0 && block == 0 && bank == 0) {
            row = row + 1 < bank_rows ? row + 1 : 0;
        }
        if (word == 0 && block == 0 && bank == 0 && row == 0) {
            page = 1 - page;
        }
    }
};

/// Stores a word of codes minus the zero points of its channels. One zero point serves all, or each
/// has its own.
template <unsigned zero_points, class operand_T, unsigned banks, unsigned words, unsigned lanes,
          class cursor_T, class data_T, class zero_T>
inline void store_word(operand_T (&pages)[2][banks][words][lanes], cursor_T &next, const data_T &in,
                       const zero_T zero_point[zero_points]) {
    HYQ_INLINE
Lanes:
    for (unsigned l = 0; l < lanes; l++) {
        HYQ_UNROLL
        const unsigned channel = next.word_of_row() * lanes + l;
        pages[next.page][next.bank][next.address()][l] =
            int(in[l]) - int(of_channel<zero_points>(zero_point, channel));
    }
    next.advance();
}

} // namespace hyq

#endif
