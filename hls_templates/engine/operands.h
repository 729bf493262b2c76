// SPDX-License-Identifier: Apache-2.0
// The operands of the array, step by step. Specification: docs/engine.md, section 3.2.
#ifndef HYQ_ENGINE_OPERANDS_H_
#define HYQ_ENGINE_OPERANDS_H_

#include "features.h"

namespace hyq {
namespace engine {

enum operand_source { from_features, from_constant, from_one_hot };

/// The fields of an instruction of the array that say what is added.
struct sum_fields {
    view src;
    unsigned rows, pixels, ky_stride, pass_stride, kx_words, kx_shift, kx_plane;
    unsigned c0, steps, kernel_y, kernel_x, groups, source, passes, one_hot, weights, weight_group;
    bool is_depthwise, is_signed, has_prologue, is_held, has_digits, repeats;
    int constant;
    integer<6> wrap_step; ///< kx_plane - planes
    int wrap_words_step;  ///< of plane_words, where a column wraps

    explicit sum_fields(const instruction &i)
        : src(i, 4), rows(i.field(8, 0, 16)), pixels(i.field(8, 16, 16)),
          ky_stride(i.field(9, 0, 16)), pass_stride(i.field(9, 16, 16)),
          kx_words(i.field(10, 0, 16)), kx_shift(i.field(11, 0, 8)), kx_plane(i.field(11, 8, 4)),
          c0(i.field(11, 16, 16)), steps(i.field(12, 0, 16)), kernel_y(i.field(12, 16, 8)),
          kernel_x(i.field(12, 24, 8)), groups(i.field(13, 0, 8)), source(i.field(13, 9, 2)),
          passes(i.field(13, 13, 2) + 1), one_hot(i.field(13, 24, 5)), weights(i.field(14, 0, 16)),
          weight_group(i.field(14, 16, 16)), is_depthwise(i.field(13, 8, 1) != 0),
          is_signed(i.field(13, 11, 1) != 0), has_prologue(i.field(13, 12, 1) != 0),
          is_held(i.field(13, 15, 1) != 0), has_digits(i.field(13, 29, 1) != 0),
          repeats(i.field(13, 30, 1) != 0), constant(int(i.field(15, 8, 9) ^ 256u) - 256),
          wrap_step(int(i.field(11, 8, 4)) - int(i.field(11, 12, 4))),
          wrap_words_step(int(kx_words) - int(i.field(10, 16, 16))) {}
};

/// A step of a tile: pass, place in the kernel, three channels.
struct step_counter {
    unsigned pass, ky, kx, s;
    integer<6, false> plane; ///< of kx, like the two below
    integer<16, false> shift, plane_words;
    unsigned weight;                    ///< word of the group
    bool is_first;                      ///< of the pass

    step_counter()
        : pass(0), ky(0), kx(0), s(0), plane(0), shift(0), plane_words(0), weight(0),
          is_first(true) {}

    void advance(const sum_fields &fields) {
        HYQ_INLINE
        const bool ends_s = s == fields.steps - 1;
        const bool ends_kx = ends_s && kx == fields.kernel_x - 1;
        const bool ends_ky = ends_kx && ky == fields.kernel_y - 1;
        // Sum and difference are made side by side, and the sign chooses.
        const integer<6, false> next = plane + fields.kx_plane;
        const integer<7> wrapped = integer<7>(plane) + fields.wrap_step;
        const bool wraps = wrapped >= 0;
        s = ends_s ? 0 : s + 1;
        if (ends_s) {
            plane = ends_kx ? 0 : wraps ? int(wrapped) : int(next);
            shift = ends_kx ? 0 : int(shift) + int(fields.kx_shift + (wraps ? 1 : 0));
            plane_words =
                ends_kx ? 0 : (int(plane_words) + (wraps ? fields.wrap_words_step
                                                         : int(fields.kx_words))) & 0xFFFF;
            kx = ends_kx ? 0 : kx + 1;
        }
        ky = ends_ky ? 0 : ends_kx ? ky + 1 : ky;
        pass = ends_ky ? pass + 1 : pass;
        weight = fields.is_held || (ends_ky && fields.repeats) ? 0 : weight + 1;
        is_first = ends_ky;
    }
};

/// Returns an operand from a code.
inline operand_t operand_of(byte_t code, const sum_fields &fields, unsigned pass) {
    HYQ_INLINE
    const int value = int(code);
    const bool is_centred = fields.is_signed && pass == fields.passes - 1;
    const int exponent = int(fields.one_hot) - value;
    const unsigned digit = fields.passes - 1 - pass;
    const bool is_hot = exponent >= 0 && unsigned(exponent) / 8 == digit;
    return fields.source == from_features   ? (is_centred ? value - 128 : value)
           : fields.source == from_constant ? fields.constant
           : is_hot                         ? 1 << (exponent & 7)
                                            : 0;
}

/// Makes the operands of a step for P neighbouring pixels, from pixel x of row r on.
///
/// \param operands  as [pixel][input][output].
template <class SIZES_T>
inline void make_operands(operand_t (&operands)[SIZES_T::pixels][inputs][outputs],
                          const sum_fields &fields, const step_counter &step, unsigned group,
                          unsigned r, unsigned x,
                          const typename SIZES_T::features_t &features) {
    HYQ_INLINE
    static const unsigned pixels = SIZES_T::pixels;
    const unsigned c = fields.c0 + (fields.is_depthwise ? outputs * group : inputs * step.s);
    const unsigned position = fields.src.x0 + unsigned(step.shift) + x, first_bank = position % pixels;
    const unsigned address = fields.src.address<SIZES_T>(r, position) +
                             step.pass * fields.pass_stride + step.ky * fields.ky_stride +
                             unsigned(step.plane_words) + c / word_codes;
    byte_t by_bank[window_codes][pixels];
    HYQ_PARTITION(by_bank, 1)
    HYQ_PARTITION(by_bank, 2)
Banks:
    for (unsigned bank = 0; bank < pixels; bank++) {
        HYQ_UNROLL
        const unsigned next = bank < first_bank ? fields.src.group : 0;
        byte_t window[window_codes];
        HYQ_PARTITION(window, 1)
        read_window<SIZES_T>(features, bank, address + next, window);
    Windows:
        for (unsigned k = 0; k < window_codes; k++) {
            HYQ_UNROLL
            by_bank[k][bank] = window[k];
        }
    }
Pixels:
    for (unsigned p = 0; p < pixels; p++) {
        HYQ_UNROLL
        const unsigned bank = (first_bank + p) % pixels;
        operand_t codes[window_codes];
        HYQ_PARTITION(codes, 1)
    Codes:
        for (unsigned k = 0; k < window_codes; k++) {
            HYQ_UNROLL
            codes[k] = operand_of(pick(by_bank[k], bank), fields, step.pass);
        }
    Inputs:
        for (unsigned i = 0; i < inputs; i++) {
            HYQ_UNROLL
            const operand_t shared = code_of(codes, c, i);
        Outputs:
            for (unsigned o = 0; o < outputs; o++) {
                HYQ_UNROLL
                operands[p][i][o] = fields.is_depthwise ? codes[o] : shared;
            }
        }
    }
}

} // namespace engine
} // namespace hyq

#endif
