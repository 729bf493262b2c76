// SPDX-License-Identifier: Apache-2.0
// The move unit makes weights of keys and values. Specification: docs/engine.md, section 3.3.
#ifndef HYQ_ENGINE_MOVE_H_
#define HYQ_ENGINE_MOVE_H_

#include "features.h"

namespace hyq {
namespace engine {

/// Subtracts the zero points of four channels, which are the biases of records from `channel` on.
template <class SIZES_T>
inline void subtract_zeros(weight_t (&values)[word_codes], const byte_t (&codes)[word_codes],
                           unsigned channel, const typename SIZES_T::records_t &records) {
    HYQ_INLINE
    int zeros[word_codes];
    HYQ_PARTITION(zeros, 1)
Records:
    for (unsigned l = 0; l < word_codes; l++) {
        HYQ_UNROLL
        const unsigned row = (channel + ((l - channel) & 3)) / word_codes;
        zeros[l] = int(bits_of(records[row % SIZES_T::parameter_rows][l], 0, 32));
    }
Values:
    for (unsigned l = 0; l < word_codes; l++) {
        HYQ_UNROLL
        values[l] = int(codes[l]) - pick(zeros, (channel + l) & 3);
    }
}

/// Runs an instruction of the move unit. A word of weights is filled by parts, one per cycle: three
/// channels of a key, or four of a value.
template <class SIZES_T>
inline void run_move(const instruction &i, const typename SIZES_T::features_t &features,
              typename SIZES_T::weights_t &weights,
              const typename SIZES_T::records_t &records) {
    const view src(i, 4);
    const bool is_value = i.field(0, 16, 1) != 0;
    const unsigned tokens = i.field(6, 0, 16), channels = i.field(6, 16, 16);
    const unsigned c0 = i.field(7, 0, 16), first = i.field(7, 16, 4);
    const unsigned groups = ceil_div(is_value ? first + channels : tokens, outputs);
    const unsigned words = ceil_div(is_value ? tokens : channels, inputs); // of a group
    const unsigned parts = is_value ? inputs * outputs / word_codes : outputs;
    const unsigned cycles = groups * words * parts;
    unsigned part = 0, word = 0, group = 0, address = i.field(8, 0, 16);
    weight_t lanes[inputs][outputs];
    HYQ_PARTITION(lanes, 1)
    HYQ_PARTITION(lanes, 2)
Parts:
    for (unsigned n = 0; n < cycles; n++) {
        HYQ_TRIPCOUNT(3145728)
        HYQ_PIPELINE(1)
        const unsigned input = part / 4, output = word_codes * (part % 4); // of a value
        const unsigned token = is_value ? inputs * word + input : outputs * group + part;
        const int channel = is_value ? int(outputs * group + output) - int(first)
                                     : int(inputs * word);
        byte_t codes[word_codes];
        HYQ_PARTITION(codes, 1)
        weight_t values[word_codes];
        HYQ_PARTITION(values, 1)
        // A channel before the first reads what nobody needs.
        read_pixel<SIZES_T>(features, src, 0, token, c0 + unsigned(channel), codes);
        subtract_zeros<SIZES_T>(values, codes, outputs * i.field(7, 24, 8) + unsigned(channel),
                                records);
    Inputs:
        for (unsigned li = 0; li < inputs; li++) {
            HYQ_UNROLL
        Outputs:
            for (unsigned lo = 0; lo < outputs; lo++) {
                HYQ_UNROLL
                const unsigned code = is_value ? lo % word_codes : li;
                const bool is_here = is_value ? li == input && lo / word_codes == part % 4
                                              : lo == part;
                const weight_t value = is_value ? values[lo % word_codes] : values[li];
                const int c = channel + int(code);
                const bool exists = token < tokens && c >= 0 && c < int(channels);
                const weight_t before = part == 0 ? weight_t(0) : lanes[li][lo];
                lanes[li][lo] = !is_here ? before : exists ? value : weight_t(0);
            }
        }
        const bool ends_word = part == parts - 1, ends_group = ends_word && word == words - 1;
        if (ends_word && address < SIZES_T::weight_words) {
        WordInputs:
            for (unsigned li = 0; li < inputs; li++) {
                HYQ_UNROLL
            WordOutputs:
                for (unsigned lo = 0; lo < outputs; lo++) {
                    HYQ_UNROLL
                    weights[address][li][lo] = lanes[li][lo];
                }
            }
        }
        address = ends_word ? address + 1 : address;
        part = ends_word ? 0 : part + 1;
        word = ends_group ? 0 : ends_word ? word + 1 : word;
        group = ends_group ? group + 1 : group;
    }
}

} // namespace engine
} // namespace hyq

#endif
