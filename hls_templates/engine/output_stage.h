// SPDX-License-Identifier: Apache-2.0
// The output stage turns sums into codes. Specification: docs/engine.md, "Output stage".
#ifndef HYQ_ENGINE_OUTPUT_STAGE_H_
#define HYQ_ENGINE_OUTPUT_STAGE_H_

#include "sizes.h"

namespace hyq {
namespace engine {

/// Returns round_half_up(total * multiplier / 2^(shift - 7)) + zero, saturated to `bits` bits.
///
/// \tparam scaled_T  holds the product and eight bits more.
template <class scaled_T, class total_T, class factor_T>
inline unsigned output_code(total_T total, factor_T multiplier, unsigned shift, unsigned zero,
                            unsigned bits) {
    HYQ_INLINE
    const scaled_T scaled = product<scaled_T>(total, multiplier);
    const scaled_T halves = scaled_T(scaled << 8) >> shift;
    const scaled_T value = scaled_T(scaled_T(halves + scaled_T(1)) >> 1) + scaled_T(zero);
    const scaled_T mask = (scaled_T(1) << bits) - scaled_T(1);
    return value < 0 ? 0u : value > mask ? unsigned(mask) : unsigned(value);
}

/// The fields of an instruction that the output stage of the array needs.
struct output_fields {
    unsigned bits;
    bool has_table, is_high;
    unsigned table_start;
};

/// Returns the byte that is stored for a sum, its bias included.
///
/// \param record  zero point and multiplier, as in the parameter memory.
/// \param table  the copy of this lane.
template <class SIZES_T>
inline byte_t output_byte(accumulator_t total, beat_t record, unsigned shift,
                          const output_fields &fields, const byte_t (&table)[2 * table_entries]) {
    HYQ_INLINE
    const unsigned stored = bits_of(record, 48, 16);
    const integer<16, false> multiplier = !SIZES_T::has_multiplier || stored == 0 ? 1u : stored;
    const unsigned code = output_code<integer<57>>(total, multiplier, shift,
                                                   bits_of(record, 32, 16), fields.bits);
    const byte_t looked_up = table[fields.table_start + code % table_entries];
    const unsigned shown = fields.has_table ? unsigned(looked_up) : code;
    return fields.is_high ? shown >> 8 : shown & 255;
}

} // namespace engine
} // namespace hyq

#endif
