// SPDX-License-Identifier: Apache-2.0
// The softmax unit makes probabilities of rows of codes. Specification: docs/engine.md, section 3.4.
#ifndef HYQ_ENGINE_SOFTMAX_UNIT_H_
#define HYQ_ENGINE_SOFTMAX_UNIT_H_

#include "../tree.h"
#include "features.h"

namespace hyq {
namespace engine {

enum softmax_kind { uniform_softmax, log2_softmax, rounded_log2_softmax };

/// Holds a sum of exponentials (42 bits) times five.
typedef integer<46> total_t;

/// Returns e / E with `bits` fraction bits, rounded half up: at most 2^bits, because e is one of
/// the terms of E.
inline unsigned uniform_probability(exponential_t e, total_t total, unsigned bits) {
    HYQ_INLINE
    static const unsigned most_bits = 12;
    // The dividend is 2^bits * e + E / 2. What stands above its `bits` low bits is below 2 E.
    const total_t half = total >> 1;
    const total_t above = total_t(e) + total_t(half >> bits);
    const unsigned below = unsigned(half) & ((1u << bits) - 1);
    total_t remainder = above >= total ? total_t(above - total) : above;
    unsigned quotient = above >= total ? 1 : 0;
QuotientBits:
    for (unsigned k = 0; k < most_bits; k++) {
        HYQ_UNROLL
        if (k < bits) {
            const total_t shifted =
                total_t(remainder << 1) + total_t((below >> (bits - 1 - k)) & 1);
            const bool fits = shifted >= total;
            remainder = fits ? total_t(shifted - total) : shifted;
            quotient = 2 * quotient + (fits ? 1 : 0);
        }
    }
    return quotient;
}

/// Returns the number of n >= 0 whose threshold is passed. The thresholds rise with n, so a search
/// finds it bit by bit.
inline unsigned log2_probability(exponential_t e, total_t total, bool is_rounded) {
    HYQ_INLINE
    const total_t twice = total << 1;
    const total_t triple = total_t(e) + total_t(total_t(e) << 1);
    unsigned count = 0;
Bits:
    for (unsigned k = 0; k < 6; k++) {
        HYQ_UNROLL
        const unsigned more = 32u >> k, n = count + more - 1;
        const total_t more_than = is_rounded && n >= 2 ? total_t(twice + total_t(e)) : twice;
        const bool is_quintuple = is_rounded && n == 1;
        const bool passes = is_quintuple ? twice > total_t(triple + total_t(total_t(e) << 1))
                                         : total_t(more_than >> n) >= triple;
        count += passes ? more : 0;
    }
    return count;
}

/// Runs an instruction of the softmax unit.
template <class SIZES_T>
inline void run_softmax(const instruction &i, typename SIZES_T::features_t &features,
                 const typename SIZES_T::exponentials_t &exponentials) {
    const view src(i, 4), dst(i, 6);
    const unsigned kind = i.field(0, 16, 2), rows = i.field(8, 0, 16), pixels = i.field(8, 16, 16);
    const unsigned length = i.field(9, 0, 16), bits = i.field(9, 16, 5), high = i.field(10, 0, 16);
    const unsigned words = ceil_div(length, word_codes), top = (1u << bits) - 1;
    exponential_t terms[SIZES_T::softmax_length];
Rows:
    for (unsigned r = 0; r < rows; r++) {
        HYQ_TRIPCOUNT(65535)
    Pixels:
        for (unsigned x = 0; x < pixels; x++) {
            HYQ_TRIPCOUNT(65535)
            byte_t maximum = 0;
        Maximum:
            for (unsigned w = 0; w < words; w++) {
                HYQ_TRIPCOUNT(256)
                HYQ_PIPELINE(1)
                byte_t codes[word_codes];
                HYQ_PARTITION(codes, 1)
                read_pixel<SIZES_T>(features, src, r, x, word_codes * w, codes);
            Codes:
                for (unsigned l = 0; l < word_codes; l++) {
                    HYQ_UNROLL
                    codes[l] = word_codes * w + l < length ? codes[l] : byte_t(0);
                }
                const byte_t largest = tree<word_codes>::maximum(codes);
                maximum = largest > maximum ? largest : maximum;
            }
            total_t total = 0;
        Terms:
            for (unsigned j = 0; j < length; j++) {
                HYQ_TRIPCOUNT(1024)
                HYQ_PIPELINE(1)
                byte_t codes[word_codes];
                HYQ_PARTITION(codes, 1)
                read_pixel<SIZES_T>(features, src, r, x, j, codes);
                const exponential_t e = exponentials[unsigned(maximum) - unsigned(codes[0])];
                terms[j % SIZES_T::softmax_length] = e;
                total = total + total_t(e);
            }
            byte_t low_word[word_codes], high_word[word_codes];
            HYQ_PARTITION(low_word, 1)
            HYQ_PARTITION(high_word, 1)
            // A high word is written in the cycle behind its low word: one more for the last.
        Probabilities:
            for (unsigned j = 0; j < word_codes * words + 1; j++) {
                HYQ_TRIPCOUNT(1025)
                HYQ_PIPELINE(1)
                const unsigned l = j % word_codes, w = j / word_codes;
                if (bits > 8 && l == 0 && j != 0) {
                    write_pixel<SIZES_T>(features, dst, r, x, high + w - 1, high_word);
                }
                const exponential_t e = terms[j % SIZES_T::softmax_length];
                const unsigned found =
                    kind == uniform_softmax ? uniform_probability(e, total, bits)
                    : e == 0                ? top
                                            : log2_probability(e, total,
                                                               kind == rounded_log2_softmax);
                const unsigned code = j >= length ? 0 : found < top ? found : top;
            Lanes:
                for (unsigned k = 0; k < word_codes; k++) {
                    HYQ_UNROLL
                    low_word[k] = k == l ? byte_t(code & 255) : low_word[k];
                    high_word[k] = k == l ? byte_t(code >> 8) : high_word[k];
                }
                if (l == word_codes - 1) {
                    write_pixel<SIZES_T>(features, dst, r, x, w, low_word);
                }
            }
        }
    }
}

} // namespace engine
} // namespace hyq

#endif
