// SPDX-License-Identifier: Apache-2.0
// The engine runs a program from DRAM. Specification: docs/engine.md. It runs one instruction after
// the other, in the order of the list, which the specification allows; so it needs no waits.
#ifndef HYQ_ENGINE_ENGINE_H_
#define HYQ_ENGINE_ENGINE_H_

#include "array.h"
#include "move.h"
#include "norm_unit.h"
#include "softmax_unit.h"
#include "transfer.h"

namespace hyq {
namespace engine {

/// Codes of the register STATUS.
enum status_code { no_error = 0, version_error = 1, queue_error = 2, target_error = 5 };

inline instruction fetch(const beat_t dram[dram_beats], unsigned beat) {
    unsigned words[instruction_words];
    HYQ_PARTITION(words, 1)
Beats:
    for (unsigned k = 0; k < instruction_words / 2; k++) {
        HYQ_PIPELINE(1)
        const beat_t both = dram[beat + k];
        words[2 * k] = bits_of(both, 0, 32);
        words[2 * k + 1] = bits_of(both, 32, 32);
    }
    instruction i;
Words:
    for (unsigned k = 0; k < instruction_words; k++) {
        HYQ_UNROLL
        i.words[k] = words[k];
    }
    return i;
}

/// Runs the program.
///
/// \tparam SIZES_T  a hyq::engine::sizes.
/// \param dram  eight bytes in an element; addresses of bytes begin with 0.
/// \param program  byte address of the program.
/// \param length  how many instructions it has.
/// \param bases  byte addresses of constants, input, output, scratch.
/// \return  0, or an error in the lowest eight bits and the index of its instruction above them.
template <class SIZES_T>
unsigned run(beat_t dram[dram_beats], unsigned program, unsigned length,
             const unsigned (&bases)[4]) {
    byte_t features[SIZES_T::pixels][SIZES_T::feature_rows][window_codes];
    HYQ_PARTITION(features, 1)
    HYQ_PARTITION(features, 3)
    weight_t weights[SIZES_T::weight_words][inputs][outputs];
    HYQ_RESHAPE(weights, 2)
    HYQ_RESHAPE(weights, 3)
    beat_t records[SIZES_T::parameter_rows][word_codes];
    HYQ_PARTITION(records, 2)
    shift_t shifts[SIZES_T::parameter_rows][word_codes];
    HYQ_PARTITION(shifts, 2)
    byte_t tables[SIZES_T::pixels * word_codes][2 * table_entries];
    HYQ_PARTITION(tables, 1)
    exponential_t exponentials[exponential_entries];
    beat_t norm[SIZES_T::norm_channels + 2][2];
    HYQ_PARTITION(norm, 2)
    unsigned status = no_error;
Instructions:
    for (unsigned n = 0; n < length; n++) {
        HYQ_TRIPCOUNT(4294967295)
        const instruction i = fetch(dram, program / 8 + n * instruction_words / 2);
        const unsigned unit = i.field(0, 0, 3), target = i.field(0, 16, 3);
        const unsigned start = bases[i.field(0, 20, 2)] + i.words[4];
        const unsigned count = i.words[5] / 8, dest = i.field(8, 0, 16);
        unsigned error =
            i.field(0, 8, 8) == instruction_version ? no_error : version_error;
        switch (error == no_error ? unit : unsigned(none_queue)) {
        case load_queue:
            switch (target) {
            case features_target:
                load_map<SIZES_T>(i, start, dram, features);
                break;
            case weights_target:
                load_weights<SIZES_T>(start / 8, count, dest, dram, weights);
                break;
            case parameters_target:
                load_records<SIZES_T>(start / 8, count, dest, dram, records, shifts);
                break;
            case tables_target:
                load_tables<SIZES_T>(start / 8, count, dest, dram, tables);
                break;
            case exponentials_target:
                load_exponentials<SIZES_T>(start / 8, count, dest, dram, exponentials);
                break;
            case norm_target:
                load_norm<SIZES_T>(start / 8, count, dram, norm);
                break;
            default:
                error = target_error;
            }
            break;
        case store_queue:
            if (target == features_target) {
                store_map<SIZES_T>(i, start, dram, features);
            } else {
                error = target_error;
            }
            break;
        case array_queue:
            run_array<SIZES_T>(i, features, weights, records, shifts, tables);
            break;
        case move_queue:
            run_move<SIZES_T>(i, features, weights, records);
            break;
        case softmax_queue:
            run_softmax<SIZES_T>(i, features, exponentials);
            break;
        case norm_queue:
            run_norm<SIZES_T>(i, features, norm);
            break;
        default:
            error = error == no_error ? unsigned(queue_error) : error;
        }
        if (error != no_error) {
            status = n << 8 | error;
            break;
        }
    }
    return status;
}

} // namespace engine
} // namespace hyq

#endif
