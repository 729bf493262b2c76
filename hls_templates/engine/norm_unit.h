// SPDX-License-Identifier: Apache-2.0
// The norm unit normalizes rows of codes. Specification: docs/engine.md, section 3.5.
#ifndef HYQ_ENGINE_NORM_UNIT_H_
#define HYQ_ENGINE_NORM_UNIT_H_

#include "features.h"
#include "output_stage.h"

namespace hyq {
namespace engine {

typedef integer<62> norm_integer; ///< every value of the unit
typedef integer<36> remainder_t;  ///< of the square root and of the division by it

/// Returns floor(sqrt(value)), by one bit per cycle.
inline norm_integer integer_root(norm_integer value) {
    norm_integer root = 0;
    remainder_t remainder = 0;
RootBits:
    for (unsigned step = 0; step < 31; step++) {
        HYQ_PIPELINE(1)
        const remainder_t pair = norm_integer(value >> (60 - 2 * step)) & norm_integer(3);
        const remainder_t shifted = remainder_t(remainder << 2) | pair;
        const remainder_t trial = remainder_t(remainder_t(root) << 2) | remainder_t(1);
        const bool fits = shifted >= trial;
        remainder = fits ? remainder_t(shifted - trial) : shifted;
        root = norm_integer(root << 1) | norm_integer(fits ? 1 : 0);
    }
    return root;
}

/// Returns 2^bits / divisor, by one bit per cycle. The divisor has 31 bits.
inline norm_integer reciprocal(unsigned bits, norm_integer divisor) {
    norm_integer quotient = 0;
    remainder_t remainder = 0;
QuotientBits:
    for (unsigned step = 0; step < 62; step++) {
        HYQ_PIPELINE(1)
        const remainder_t bit = 61 - step == bits ? 1 : 0;
        const remainder_t shifted = remainder_t(remainder << 1) | bit;
        const bool fits = shifted >= remainder_t(divisor);
        remainder = fits ? remainder_t(shifted - remainder_t(divisor)) : shifted;
        quotient = norm_integer(quotient << 1) | norm_integer(fits ? 1 : 0);
    }
    return quotient;
}

/// A channel of the norm memory: gamma (16 bits, signed), zero_in (8), k (8), beta (32, signed);
/// zero_out (16), shift (8).
template <class SIZES_T> struct norm_channel {
    beat_t lower, upper;

    norm_channel(const typename SIZES_T::norm_t &norm, unsigned c)
        : lower(norm[(c + 2) % (SIZES_T::norm_channels + 2)][0]),
          upper(norm[(c + 2) % (SIZES_T::norm_channels + 2)][1]) {}

    /// Returns the input of the normalization.
    norm_integer value(byte_t code) const {
        HYQ_INLINE
        const int centred = int(code) - int(bits_of(lower, 16, 8));
        return norm_integer(norm_integer(centred) << bits_of(lower, 24, 4));
    }
};

/// Runs an instruction of the norm unit, a code per cycle.
template <class SIZES_T>
inline void run_norm(const instruction &i, typename SIZES_T::features_t &features,
              const typename SIZES_T::norm_t &norm) {
    const view src(i, 4), dst(i, 6);
    const unsigned rows = i.field(8, 0, 16), pixels = i.field(8, 16, 16), bits = i.field(9, 0, 5);
    const norm_integer epsilon = norm[0][0];
    const unsigned root_bits = bits_of(norm[0][1], 0, 8), fraction = bits_of(norm[0][1], 8, 8);
    const unsigned down = fraction - root_bits - bits_of(norm[0][1], 16, 8);
    const unsigned channels = bits_of(norm[0][1], 32, 16);
    const unsigned words =
        channels <= word_codes ? 1 : 2 * ceil_div(channels, 2 * word_codes);
    const norm_integer count = channels;
Rows:
    for (unsigned r = 0; r < rows; r++) {
        HYQ_TRIPCOUNT(65535)
    Pixels:
        for (unsigned x = 0; x < pixels; x++) {
            HYQ_TRIPCOUNT(65535)
            norm_integer total = 0, squares = 0;
        Sums:
            for (unsigned c = 0; c < channels; c++) {
                HYQ_TRIPCOUNT(512)
                HYQ_PIPELINE(1)
                byte_t codes[word_codes];
                HYQ_PARTITION(codes, 1)
                read_pixel<SIZES_T>(features, src, r, x, c, codes);
                const norm_integer value = norm_channel<SIZES_T>(norm, c).value(codes[0]);
                total = total + value;
                squares = squares + product<norm_integer>(value, value);
            }
            const norm_integer variance = product<norm_integer>(count, squares) -
                                          product<norm_integer>(total, total) + epsilon;
            const norm_integer root = integer_root(norm_integer(variance << (2 * root_bits)));
            const norm_integer factor = reciprocal(fraction, root);
            byte_t word[word_codes];
            HYQ_PARTITION(word, 1)
        Codes:
            for (unsigned c = 0; c < word_codes * words; c++) {
                HYQ_TRIPCOUNT(512)
                HYQ_PIPELINE(1)
                HYQ_NO_DEPENDENCE(features) // a word is read before it is written
                byte_t codes[word_codes];
                HYQ_PARTITION(codes, 1)
                read_pixel<SIZES_T>(features, src, r, x, c, codes);
                const norm_channel<SIZES_T> channel(norm, c);
                const norm_integer deviation =
                    product<norm_integer>(count, channel.value(codes[0])) - total;
                const norm_integer rounded = product<norm_integer>(deviation, factor) +
                                             norm_integer(norm_integer(1) << (down - 1));
                const norm_integer normalized = rounded >> down;
                const integer<16> gamma = int(short(bits_of(channel.lower, 0, 16)));
                const norm_integer sum =
                    product<norm_integer>(normalized, gamma) +
                    norm_integer(int(bits_of(channel.lower, 32, 32)));
                const unsigned code = output_code<norm_integer>(
                    sum, integer<2>(1), bits_of(channel.upper, 16, 6),
                    bits_of(channel.upper, 0, 16), bits);
            Lanes:
                for (unsigned k = 0; k < word_codes; k++) {
                    HYQ_UNROLL
                    const bool is_here = k == c % word_codes;
                    word[k] = !is_here ? word[k] : byte_t(c < channels ? code : 0);
                }
                if (c % word_codes == word_codes - 1) {
                    write_pixel<SIZES_T>(features, dst, r, x, c / word_codes, word);
                }
            }
        }
    }
}

} // namespace engine
} // namespace hyq

#endif
