// SPDX-License-Identifier: Apache-2.0
// The load and the store unit copy rows and blocks between DRAM and the memories. Specification:
// docs/engine.md, section 3.1.
#ifndef HYQ_ENGINE_TRANSFER_H_
#define HYQ_ENGINE_TRANSFER_H_

#include "../counter.h"
#include "features.h"

namespace hyq {
namespace engine {

enum target {
    features_target,
    weights_target,
    parameters_target,
    tables_target,
    exponentials_target,
    norm_target
};

/// The place of the next word of a row in the feature memory.
template <class SIZES_T> struct row_place {
    const view at;
    const unsigned words, planes, plane_stride, row; // of the instruction
    unsigned word, plane, position;                  // of the next word

    row_place(const instruction &i, unsigned row_)
        : at(i, 8), words(i.field(6, 0, 16)), planes(i.field(6, 16, 8)),
          plane_stride(i.field(10, 0, 16)), row(row_), word(0), plane(i.field(6, 24, 8)),
          position(at.x0) {}

    unsigned bank() const { return position % SIZES_T::pixels; }
    unsigned address() const {
        return (at.address<SIZES_T>(row, position) + plane * plane_stride + word) & address_mask;
    }

    /// Moves to the next word: of the pixel, of the next plane, of the next position.
    void advance() {
        HYQ_INLINE
        const bool ends_pixel = word == words - 1, ends_planes = plane == planes - 1;
        word = ends_pixel ? 0 : word + 1;
        position += ends_pixel && ends_planes ? 1 : 0;
        plane = !ends_pixel ? plane : ends_planes ? 0 : plane + 1;
    }
};

/// Writes one half of a beat to the feature memory.
template <class SIZES_T>
inline void write_half(typename SIZES_T::features_t &features, row_place<SIZES_T> &place,
                       unsigned half, bool enabled) {
    HYQ_INLINE
    byte_t word[word_codes];
    HYQ_PARTITION(word, 1)
Codes:
    for (unsigned l = 0; l < word_codes; l++) {
        HYQ_UNROLL
        word[l] = (half >> (8 * l)) & 255u;
    }
    write_word<SIZES_T>(features, place.bank(), place.address(), word, enabled);
    place.advance();
}

/// Reads one half of a beat from the feature memory.
template <class SIZES_T>
inline unsigned read_half(const typename SIZES_T::features_t &features,
                          row_place<SIZES_T> &place) {
    HYQ_INLINE
    byte_t word[word_codes];
    HYQ_PARTITION(word, 1)
    read_codes<SIZES_T>(features, place.bank(), place.address(), word);
    place.advance();
    return unsigned(word[0]) | unsigned(word[1]) << 8 | unsigned(word[2]) << 16 |
           unsigned(word[3]) << 24;
}

/// Copies rows of pixels from DRAM, a beat of two words in two cycles.
///
/// \param start  byte address of the first row.
template <class SIZES_T>
inline void load_map(const instruction &i, unsigned start, const beat_t dram[dram_beats],
              typename SIZES_T::features_t &features) {
    const unsigned rows = i.field(5, 0, 16), count = i.field(5, 16, 16) * i.field(6, 0, 16);
Rows:
    for (unsigned r = 0; r < rows; r++) {
        HYQ_TRIPCOUNT(65535)
        const unsigned first = (start + r * i.words[7]) / 8;
        row_place<SIZES_T> place(i, r);
    Beats:
        for (unsigned k = 0; k < count; k += 2) {
            HYQ_TRIPCOUNT(65535)
            HYQ_PIPELINE(2)
            const beat_t beat = dram[first + k / 2];
            write_half<SIZES_T>(features, place, unsigned(beat), true);
            write_half<SIZES_T>(features, place, unsigned(beat >> 32), k + 1 < count);
        }
    }
}

/// Copies rows of pixels to DRAM. The upper half of the last beat keeps what it was where a row has
/// an odd number of words.
template <class SIZES_T>
inline void store_map(const instruction &i, unsigned start, beat_t dram[dram_beats],
               const typename SIZES_T::features_t &features) {
    const unsigned rows = i.field(5, 0, 16), count = i.field(5, 16, 16) * i.field(6, 0, 16);
Rows:
    for (unsigned r = 0; r < rows; r++) {
        HYQ_TRIPCOUNT(65535)
        const unsigned first = (start + r * i.words[7]) / 8;
        row_place<SIZES_T> place(i, r);
    Beats:
        for (unsigned k = 0; k < count / 2; k++) {
            HYQ_TRIPCOUNT(32768)
            HYQ_PIPELINE(2)
            const beat_t lower = read_half<SIZES_T>(features, place);
            const beat_t upper = read_half<SIZES_T>(features, place);
            dram[first + k] = upper << 32 | lower;
        }
        if (count % 2 != 0) {
            const beat_t kept = dram[first + count / 2] >> 32 << 32;
            dram[first + count / 2] = kept | read_half<SIZES_T>(features, place);
        }
    }
}

/// Copies words of 48 weights, six beats each.
template <class SIZES_T>
inline void load_weights(unsigned first, unsigned count, unsigned dest, const beat_t dram[dram_beats],
                  typename SIZES_T::weights_t &weights) {
    beat_t word[6];
    HYQ_PARTITION(word, 1)
    counter<6> part;
Beats:
    for (unsigned k = 0; k < count; k++) {
        HYQ_TRIPCOUNT(393216)
        HYQ_PIPELINE(1)
        const beat_t beat = dram[first + k];
    Parts:
        for (unsigned p = 0; p < 6; p++) {
            HYQ_UNROLL
            word[p] = p == part.index() ? beat : word[p];
        }
        if (part.last && dest < SIZES_T::weight_words) {
        Lanes:
            for (unsigned lane = 0; lane < inputs * outputs; lane++) {
                HYQ_UNROLL
                const int byte = int(bits_of(word[lane / 8], 8 * (lane % 8), 8));
                weights[dest][lane % inputs][lane / inputs] = byte < 128 ? byte : byte - 256;
            }
        }
        dest += part.last ? 1 : 0;
        part.advance();
    }
}

/// Copies channel records, two beats each.
template <class SIZES_T>
inline void load_records(unsigned first, unsigned count, unsigned group, const beat_t dram[dram_beats],
                  typename SIZES_T::records_t &records, typename SIZES_T::shifts_t &shifts) {
Beats:
    for (unsigned k = 0; k < count; k++) {
        HYQ_TRIPCOUNT(8192)
        HYQ_PIPELINE(1)
        const beat_t beat = dram[first + k];
        const unsigned channel = outputs * group + k / 2, row = channel / word_codes;
    Lanes:
        for (unsigned l = 0; l < word_codes; l++) {
            HYQ_UNROLL
            const bool is_here = l == channel % word_codes && row < SIZES_T::parameter_rows;
            if (is_here && k % 2 == 0) {
                records[row][l] = beat;
            }
            if (is_here && k % 2 != 0) {
                shifts[row][l] = bits_of(beat, 0, 6);
            }
        }
    }
}

/// Copies entries of the tables of the output stage into all copies.
template <class SIZES_T>
inline void load_tables(unsigned first, unsigned count, unsigned dest, const beat_t dram[dram_beats],
                 typename SIZES_T::tables_t &tables) {
Entries:
    for (unsigned k = 0; k < 8 * count; k++) {
        HYQ_TRIPCOUNT(2048)
        HYQ_PIPELINE(1)
        const byte_t entry = bits_of(dram[first + k / 8], 8 * (k % 8), 8);
        const unsigned index = (dest + k) % (2 * table_entries);
    Copies:
        for (unsigned copy = 0; copy < SIZES_T::pixels * word_codes; copy++) {
            HYQ_UNROLL
            tables[copy][index] = entry;
        }
    }
}

template <class SIZES_T>
inline void load_exponentials(unsigned first, unsigned count, unsigned dest,
                       const beat_t dram[dram_beats],
                       typename SIZES_T::exponentials_t &exponentials) {
Entries:
    for (unsigned k = 0; k < 2 * count; k++) {
        HYQ_TRIPCOUNT(256)
        HYQ_PIPELINE(1)
        exponentials[(dest + k) % exponential_entries] =
            bits_of(dram[first + k / 2], 32 * (k % 2), 32);
    }
}

template <class SIZES_T>
inline void load_norm(unsigned first, unsigned count, const beat_t dram[dram_beats],
               typename SIZES_T::norm_t &norm) {
Beats:
    for (unsigned k = 0; k < count; k++) {
        HYQ_TRIPCOUNT(1028)
        HYQ_PIPELINE(1)
        const beat_t beat = dram[first + k];
        const unsigned entry = k / 2;
        if (entry < SIZES_T::norm_channels + 2) {
            norm[entry][k % 2] = beat;
        }
    }
}

} // namespace engine
} // namespace hyq

#endif
