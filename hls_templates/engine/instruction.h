// SPDX-License-Identifier: Apache-2.0
// An instruction has 16 words of 32 bits. Specification: docs/engine.md, section 3.
#ifndef HYQ_ENGINE_INSTRUCTION_H_
#define HYQ_ENGINE_INSTRUCTION_H_

#include "sizes.h"

namespace hyq {
namespace engine {

static const unsigned instruction_version = 1;
static const unsigned instruction_words = 16;
enum queue {
    load_queue,
    store_queue,
    array_queue,
    move_queue,
    softmax_queue,
    norm_queue,
    none_queue ///< no instruction is for it
};

struct instruction {
    unsigned words[instruction_words];

    /// Returns bits low .. low + bits - 1 of a word.
    unsigned field(unsigned word, unsigned low, unsigned bits) const {
        HYQ_INLINE
        return (words[word] >> low) & (0xFFFFFFFFu >> (32 - bits));
    }
};

/// Where the pixels of a tensor lie in the feature memory. Words w of pixel x in row r lie in bank
/// (x0 + x) mod P, at address base + r * row + ((x0 + x) div P) * group + w.
struct view {
    unsigned base, row, group, x0;

    /// The view of words `word` and `word` + 1 of an instruction.
    view(const instruction &i, unsigned word)
        : base(i.field(word, 0, 16)), row(i.field(word, 16, 16)), group(i.field(word + 1, 0, 16)),
          x0(i.field(word + 1, 16, 16)) {}

    /// Returns the address of the first word of row r in the group of P pixels that `position`
    /// (x0 + x) belongs to.
    template <class SIZES_T> unsigned address(unsigned r, unsigned position) const {
        HYQ_INLINE
        return (base + r * row + (position / SIZES_T::pixels) * group) & address_mask;
    }
};

} // namespace engine
} // namespace hyq

#endif
