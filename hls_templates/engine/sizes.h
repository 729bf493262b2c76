// SPDX-License-Identifier: Apache-2.0
// The sizes of an engine, and its memories as arrays. Specification: docs/engine.md, sections 1 and
// 2.
#ifndef HYQ_ENGINE_SIZES_H_
#define HYQ_ENGINE_SIZES_H_

#include "../types.h"
#include "ports.h"

namespace hyq {
namespace engine {

static const unsigned outputs = 16;       ///< channels of the array
static const unsigned inputs = 3;         ///< products per channel, pixel and cycle
static const unsigned word_codes = 4;     ///< codes of a word, and channel records of a row
static const unsigned window_codes = 16;  ///< codes that a bank gives in a cycle: four words
static const unsigned table_entries = 1024;
static const unsigned exponential_entries = 256;
static const unsigned address_mask = 0xFFFF; ///< the arithmetic of addresses is modulo 2^16

/// Eight bytes of DRAM.
typedef unsigned long long beat_t;
static const unsigned dram_beats = 1u << 29; ///< 32 bits address so many

typedef integer<8, false> byte_t;
typedef integer<9> operand_t; ///< of the array: a code, a constant, a power of two
typedef integer<9> weight_t;
typedef integer<32> accumulator_t;
typedef integer<6, false> shift_t;
typedef integer<32, false> exponential_t;

/// A machine.
///
/// \tparam pixels_  P, of the array and banks of the feature memory.
/// \tparam has_multiplier_  the output stage multiplies; else all multipliers are 1.
template <unsigned pixels_, unsigned feature_words_, unsigned weight_words_,
          unsigned parameter_groups_, unsigned softmax_length_, unsigned norm_channels_,
          bool has_multiplier_>
struct sizes {
    static const unsigned pixels = pixels_;
    static const unsigned feature_rows = (feature_words_ + 3) / 4; ///< four words are a row
    static const unsigned weight_words = weight_words_;
    static const unsigned parameter_rows = parameter_groups_ * outputs / word_codes;
    static const unsigned softmax_length = softmax_length_;
    static const unsigned norm_channels = norm_channels_;
    static const bool has_multiplier = has_multiplier_;
    static_assert(pixels == 2 || pixels == 4 || pixels == 8, "an engine has 2, 4 or 8 pixels");
    static_assert(feature_words_ <= 65536 && weight_words <= 65536 && parameter_groups_ <= 256,
                  "an address of an instruction has 16 bits, that of a parameter group 8");

    /// Every byte of a row of every bank is a memory of its own. So a cycle writes any bytes, and
    /// reads 16 neighbouring channels that begin with any word.
    typedef byte_t features_t[pixels][feature_rows][window_codes];
    typedef weight_t weights_t[weight_words][inputs][outputs];
    /// Bias (32 bits), zero point (16) and multiplier (16), as in DRAM.
    typedef beat_t records_t[parameter_rows][word_codes];
    typedef shift_t shifts_t[parameter_rows][word_codes];
    /// Every lane of the output stage looks up in a copy of its own.
    typedef byte_t tables_t[pixels * word_codes][2 * table_entries];
    typedef exponential_t exponentials_t[exponential_entries];
    /// Two entries of header, then one per channel; each is two beats.
    typedef beat_t norm_t[norm_channels + 2][2];
};

/// Returns bits low .. low + bits - 1 of a beat.
inline unsigned bits_of(beat_t beat, unsigned low, unsigned bits) {
    HYQ_INLINE
    return unsigned(beat >> low) & (0xFFFFFFFFu >> (32 - bits));
}

/// Returns the value at an index that is known when the machine runs. Tools see a multiplexer, and
/// no memory.
template <class T, unsigned size> inline T pick(const T (&values)[size], unsigned index) {
    HYQ_INLINE
    T found = values[0];
Values:
    for (unsigned k = 1; k < size; k++) {
        HYQ_UNROLL
        found = k == index ? values[k] : found;
    }
    return found;
}

/// Returns the smallest integer that is not below a / b.
inline unsigned ceil_div(unsigned a, unsigned b) {
    HYQ_INLINE
    return (a + b - 1) / b;
}

} // namespace engine
} // namespace hyq

#endif
