// SPDX-License-Identifier: Apache-2.0
// The array adds products of 16 output channels, 3 inputs and P pixels per cycle. Specification:
// docs/engine.md, section 3.2.
#ifndef HYQ_ENGINE_ARRAY_H_
#define HYQ_ENGINE_ARRAY_H_

#include "../product_pair.h"
#include "operands.h"
#include "output_stage.h"

namespace hyq {
namespace engine {

/// A product of the array has 16 bits, in each of the three forms of its operands.
static const unsigned product_bits = 16;
/// A tile leaves through the output stage in so many cycles, a word of every pixel in each.
static const unsigned beats_of_tile = outputs / word_codes;

/// Returns lane l of a beat of 16 values.
template <class T> inline T lane_of(const T (&values)[outputs], unsigned beat, unsigned l) {
    HYQ_INLINE
    const T choice[4] = {values[l], values[l + 4], values[l + 8], values[l + 12]};
    return pick(choice, beat);
}

/// Reads the weights of a word. Where the machine has no such word, nobody needs them.
template <class SIZES_T>
inline void read_weights(weight_t (&word)[inputs][outputs],
                         const typename SIZES_T::weights_t &weights, unsigned address) {
    HYQ_INLINE
    const bool exists = address < SIZES_T::weight_words;
Inputs:
    for (unsigned i = 0; i < inputs; i++) {
        HYQ_UNROLL
    Outputs:
        for (unsigned o = 0; o < outputs; o++) {
            HYQ_UNROLL
            word[i][o] = exists ? weights[address][i][o] : weight_t(0);
        }
    }
}

/// Reads the biases of a group, to which a prologue adds the sums of a constant operand.
template <class SIZES_T>
inline void make_biases(accumulator_t (&bias)[outputs], const sum_fields &fields, unsigned group,
                 unsigned first_row, const typename SIZES_T::weights_t &weights,
                 const typename SIZES_T::records_t &records) {
    accumulator_t sums[outputs];
    HYQ_PARTITION(sums, 1)
Clear:
    for (unsigned o = 0; o < outputs; o++) {
        HYQ_UNROLL
        sums[o] = 0;
    }
    const unsigned start = fields.weights + group * fields.weight_group;
    const unsigned steps =
        fields.has_prologue ? fields.kernel_y * fields.kernel_x * fields.steps : 0;
Weights:
    for (unsigned n = 0; n < steps; n++) {
        HYQ_TRIPCOUNT(65535)
        HYQ_PIPELINE(1)
        weight_t word[inputs][outputs];
        HYQ_PARTITION(word, 1)
        HYQ_PARTITION(word, 2)
        read_weights<SIZES_T>(word, weights, fields.is_held ? start : start + n);
    Sums:
        for (unsigned o = 0; o < outputs; o++) {
            HYQ_UNROLL
            sums[o] = sums[o] + accumulator_t(word[0][o] + word[1][o] + word[2][o]);
        }
    }
Biases:
    for (unsigned beat = 0; beat < beats_of_tile; beat++) {
        HYQ_PIPELINE(1)
    Lanes:
        for (unsigned l = 0; l < word_codes; l++) {
            HYQ_UNROLL
            const beat_t record = records[(first_row + beat) % SIZES_T::parameter_rows][l];
            const accumulator_t more =
                product<accumulator_t>(lane_of(sums, beat, l), operand_t(fields.constant));
            const accumulator_t sum = accumulator_t(int(bits_of(record, 0, 32))) + more;
        Places:
            for (unsigned b = 0; b < beats_of_tile; b++) {
                HYQ_UNROLL
                const unsigned o = word_codes * b + l;
                bias[o] = b == beat ? sum : bias[o];
            }
        }
    }
}

/// Adds the products of a step to the sums of a tile.
template <class SIZES_T>
inline void add_step(accumulator_t (&acc)[SIZES_T::pixels][outputs], const sum_fields &fields,
                     const step_counter &step, unsigned group, unsigned r, unsigned x,
                     const typename SIZES_T::features_t &features,
                     const typename SIZES_T::weights_t &weights) {
    HYQ_INLINE
    static const unsigned pixels = SIZES_T::pixels;
    operand_t operands[pixels][inputs][outputs];
    HYQ_PARTITION(operands, 1)
    HYQ_PARTITION(operands, 2)
    HYQ_PARTITION(operands, 3)
    make_operands<SIZES_T>(operands, fields, step, group, r, x, features);
    weight_t word[inputs][outputs];
    HYQ_PARTITION(word, 1)
    HYQ_PARTITION(word, 2)
    read_weights<SIZES_T>(word, weights,
                          fields.weights + group * fields.weight_group + step.weight);
    integer<product_bits> products[pixels][inputs][outputs];
    HYQ_PARTITION(products, 1)
    HYQ_PARTITION(products, 2)
    HYQ_PARTITION(products, 3)
    const bool is_digit = fields.has_digits && step.pass != 0;
Pairs:
    for (unsigned p = 0; p < pixels; p += 2) {
        HYQ_UNROLL
    Inputs:
        for (unsigned i = 0; i < inputs; i++) {
            HYQ_UNROLL
        Products:
            for (unsigned o = 0; o < outputs; o++) {
                HYQ_UNROLL
                packed_pair<product_bits>::multiply(operands[p + 1][i][o], operands[p][i][o],
                                                    word[i][o], products[p + 1][i][o],
                                                    products[p][i][o]);
            }
        }
    }
Pixels:
    for (unsigned p = 0; p < pixels; p++) {
        HYQ_UNROLL
    Sums:
        for (unsigned o = 0; o < outputs; o++) {
            HYQ_UNROLL
            const accumulator_t sum = products[p][0][o] + products[p][1][o] + products[p][2][o];
            const accumulator_t before = !step.is_first ? acc[p][o]
                                         : is_digit     ? accumulator_t(acc[p][o] << 8)
                                         : step.pass == 0 ? accumulator_t(0)
                                                        : acc[p][o];
            acc[p][o] = before + sum;
        }
    }
}

/// Sends a word of every pixel of a tile through the output stage to the feature memory.
template <class SIZES_T>
inline void write_codes(const accumulator_t (&acc)[SIZES_T::pixels][outputs],
                        const accumulator_t (&bias)[outputs], const instruction &i,
                        unsigned group, unsigned beat, unsigned r, unsigned x,
                        typename SIZES_T::features_t &features,
                        const typename SIZES_T::records_t &records,
                        const typename SIZES_T::shifts_t &shifts,
                        const typename SIZES_T::tables_t &tables) {
    HYQ_INLINE
    static const unsigned pixels = SIZES_T::pixels;
    const view dst(i, 6);
    const output_fields fields = {i.field(13, 16, 5), i.field(13, 21, 1) != 0,
                                  i.field(13, 23, 1) != 0, table_entries * i.field(13, 22, 1)};
    const unsigned first = i.field(15, 17, 4), end = first + i.field(15, 21, 11);
    const unsigned row = ((i.field(15, 0, 8) + group) * beats_of_tile + beat) %
                         SIZES_T::parameter_rows;
    byte_t codes[word_codes][pixels];
    HYQ_PARTITION(codes, 1)
    HYQ_PARTITION(codes, 2)
    bool enabled[word_codes];
    HYQ_PARTITION(enabled, 1)
Lanes:
    for (unsigned l = 0; l < word_codes; l++) {
        HYQ_UNROLL
        const unsigned channel = outputs * group + word_codes * beat + l;
        enabled[l] = channel >= first && channel < end;
    Codes:
        for (unsigned p = 0; p < pixels; p++) {
            HYQ_UNROLL
            const accumulator_t total = lane_of(acc[p], beat, l) + lane_of(bias, beat, l);
            codes[l][p] =
                output_byte<SIZES_T>(total, records[row][l], unsigned(shifts[row][l]), fields,
                                     tables[p * word_codes + l]);
        }
    }
    const unsigned position = dst.x0 + x, first_bank = position % pixels;
    const unsigned address = dst.address<SIZES_T>(r, position) + group * beats_of_tile + beat;
Banks:
    for (unsigned bank = 0; bank < pixels; bank++) {
        HYQ_UNROLL
        const unsigned p = (bank - first_bank) % pixels;
        byte_t word[word_codes];
        HYQ_PARTITION(word, 1)
        bool enables[word_codes];
        HYQ_PARTITION(enables, 1)
    Enables:
        for (unsigned l = 0; l < word_codes; l++) {
            HYQ_UNROLL
            word[l] = pick(codes[l], p);
            enables[l] = enabled[l] && x + p < i.field(8, 16, 16);
        }
        write_bank<SIZES_T>(features, bank, address + (bank < first_bank ? dst.group : 0), word,
                            enables);
    }
}

/// Runs the tiles of a group: one step of a tile, and one word of the tile before, per cycle.
template <class SIZES_T>
inline void run_group(const instruction &i, const sum_fields &fields, unsigned group,
               const accumulator_t (&bias)[outputs], typename SIZES_T::features_t &features,
               const typename SIZES_T::weights_t &weights,
               const typename SIZES_T::records_t &records,
               const typename SIZES_T::shifts_t &shifts,
               const typename SIZES_T::tables_t &tables) {
    static const unsigned pixels = SIZES_T::pixels;
    const unsigned steps = fields.passes * fields.kernel_y * fields.kernel_x * fields.steps;
    const unsigned interval = steps < beats_of_tile ? beats_of_tile : steps;
    const unsigned tiles = fields.rows * ceil_div(fields.pixels, pixels);
    const unsigned cycles = (tiles + 1) * interval;
    accumulator_t acc[pixels][outputs], done[pixels][outputs];
    HYQ_PARTITION(acc, 1)
    HYQ_PARTITION(acc, 2)
    HYQ_PARTITION(done, 1)
    HYQ_PARTITION(done, 2)
    step_counter step;
    unsigned cycle = 0, r = 0, x = 0, next_x = pixels, done_r = 0, done_x = 0;
    bool is_done = false; // a tile waits for the output stage
Cycles:
    for (unsigned n = 0; n < cycles; n++) {
        HYQ_TRIPCOUNT(4294967295)
        HYQ_PIPELINE(1)
        HYQ_NO_DEPENDENCE(features) // a program never reads where it writes
        if (is_done && cycle < beats_of_tile) {
            write_codes<SIZES_T>(done, bias, i, group, cycle, done_r, done_x, features, records,
                                 shifts, tables);
        }
        if (cycle < steps) {
            add_step<SIZES_T>(acc, fields, step, group, r, x, features, weights);
        }
        const bool ends_tile = cycle == interval - 1, ends_row = next_x >= fields.pixels;
        step.advance(fields);
        cycle++;
        if (ends_tile) {
        Pixels:
            for (unsigned p = 0; p < pixels; p++) {
                HYQ_UNROLL
            Sums:
                for (unsigned o = 0; o < outputs; o++) {
                    HYQ_UNROLL
                    done[p][o] = acc[p][o];
                }
            }
            is_done = true;
            done_r = r;
            done_x = x;
            r = ends_row ? r + 1 : r;
            x = ends_row ? 0 : next_x;
            next_x = ends_row ? pixels : next_x + pixels;
            step = step_counter();
            cycle = 0;
        }
    }
}

/// Runs an instruction of the array.
template <class SIZES_T>
inline void run_array(const instruction &i, typename SIZES_T::features_t &features,
               const typename SIZES_T::weights_t &weights,
               const typename SIZES_T::records_t &records,
               const typename SIZES_T::shifts_t &shifts,
               const typename SIZES_T::tables_t &tables) {
    const sum_fields fields(i);
    accumulator_t bias[outputs];
    HYQ_PARTITION(bias, 1)
Groups:
    for (unsigned group = 0; group < fields.groups; group++) {
        HYQ_TRIPCOUNT(255)
        make_biases<SIZES_T>(bias, fields, group,
                             (i.field(15, 0, 8) + group) * beats_of_tile, weights, records);
        run_group<SIZES_T>(i, fields, group, bias, features, weights, records, shifts, tables);
    }
}

} // namespace engine
} // namespace hyq

#endif
