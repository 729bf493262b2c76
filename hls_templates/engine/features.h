// SPDX-License-Identifier: Apache-2.0
// Words and windows of the feature memory. Specification: docs/engine.md, section 2.
#ifndef HYQ_ENGINE_FEATURES_H_
#define HYQ_ENGINE_FEATURES_H_

#include "instruction.h"

namespace hyq {
namespace engine {

/// Reads the codes of four words from `address` on. Where the machine has no such word, they are
/// 0: nobody needs them.
template <class SIZES_T>
inline void read_window(const typename SIZES_T::features_t &features, unsigned bank,
                        unsigned address, byte_t (&window)[window_codes]) {
    HYQ_INLINE
    byte_t codes[window_codes];
    HYQ_PARTITION(codes, 1)
Lanes:
    for (unsigned lane = 0; lane < window_codes; lane++) {
        HYQ_UNROLL
        const unsigned word = address + ((lane / word_codes - address) & 3);
        const unsigned row = (word & address_mask) / 4;
        codes[lane] = row < SIZES_T::feature_rows ? features[bank][row][lane] : byte_t(0);
    }
Codes:
    for (unsigned k = 0; k < window_codes; k++) {
        HYQ_UNROLL
        byte_t choice[4]; // by the word that `address` is in its row
        HYQ_PARTITION(choice, 1)
    Choices:
        for (unsigned w = 0; w < 4; w++) {
            HYQ_UNROLL
            choice[w] = codes[(word_codes * w + k) % window_codes];
        }
        window[k] = pick(choice, address & 3);
    }
}

/// Writes those codes of a word that are enabled.
template <class SIZES_T>
inline void write_bank(typename SIZES_T::features_t &features, unsigned bank, unsigned address,
                       const byte_t (&word)[word_codes], const bool (&enabled)[word_codes]) {
    HYQ_INLINE
    const unsigned row = (address & address_mask) / 4;
Lanes:
    for (unsigned lane = 0; lane < window_codes; lane++) {
        HYQ_UNROLL
        const bool is_word = lane / word_codes == (address & 3);
        if (is_word && row < SIZES_T::feature_rows && enabled[lane % word_codes]) {
            features[bank][row][lane] = word[lane % word_codes];
        }
    }
}

/// Reads the first codes of a window whose bank is known when the machine runs.
template <class SIZES_T, unsigned count>
inline void read_codes(const typename SIZES_T::features_t &features, unsigned bank,
                       unsigned address, byte_t (&codes)[count]) {
    HYQ_INLINE
    byte_t by_bank[window_codes][SIZES_T::pixels];
    HYQ_PARTITION(by_bank, 1)
    HYQ_PARTITION(by_bank, 2)
Banks:
    for (unsigned b = 0; b < SIZES_T::pixels; b++) {
        HYQ_UNROLL
        byte_t window[window_codes];
        HYQ_PARTITION(window, 1)
        read_window<SIZES_T>(features, b, address, window);
    Codes:
        for (unsigned k = 0; k < window_codes; k++) {
            HYQ_UNROLL
            by_bank[k][b] = window[k];
        }
    }
Picks:
    for (unsigned k = 0; k < count; k++) {
        HYQ_UNROLL
        codes[k] = pick(by_bank[k], bank);
    }
}

/// Returns code c % 4 + l of a window.
template <class T> inline T code_of(const T (&window)[window_codes], unsigned c, unsigned l) {
    HYQ_INLINE
    const T choice[4] = {window[l], window[l + 1], window[l + 2], window[l + 3]};
    return pick(choice, c % word_codes);
}

/// Reads four codes of one pixel from channel c on, which may stand anywhere in a word.
template <class SIZES_T>
inline void read_pixel(const typename SIZES_T::features_t &features, const view &v, unsigned r,
                       unsigned x, unsigned c, byte_t (&codes)[word_codes]) {
    HYQ_INLINE
    const unsigned position = v.x0 + x;
    byte_t window[window_codes];
    HYQ_PARTITION(window, 1)
    read_codes<SIZES_T>(features, position % SIZES_T::pixels,
                        v.address<SIZES_T>(r, position) + c / word_codes, window);
Codes:
    for (unsigned l = 0; l < word_codes; l++) {
        HYQ_UNROLL
        codes[l] = code_of(window, c, l);
    }
}

/// Writes those codes of a word that are enabled; its bank is known when the machine runs.
template <class SIZES_T>
inline void write_word(typename SIZES_T::features_t &features, unsigned bank, unsigned address,
                       const byte_t (&word)[word_codes], bool enabled) {
    HYQ_INLINE
Banks:
    for (unsigned b = 0; b < SIZES_T::pixels; b++) {
        HYQ_UNROLL
        const bool here = enabled && b == bank;
        const bool enables[word_codes] = {here, here, here, here};
        write_bank<SIZES_T>(features, b, address, word, enables);
    }
}

/// Writes a whole word w of one pixel.
template <class SIZES_T>
inline void write_pixel(typename SIZES_T::features_t &features, const view &v, unsigned r,
                        unsigned x, unsigned w, const byte_t (&word)[word_codes]) {
    HYQ_INLINE
    const unsigned position = v.x0 + x;
    write_word<SIZES_T>(features, position % SIZES_T::pixels,
                        v.address<SIZES_T>(r, position) + w, word, true);
}

} // namespace engine
} // namespace hyq

#endif
