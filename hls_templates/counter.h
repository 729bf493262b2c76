// SPDX-License-Identifier: Apache-2.0
// A counter has the bits that its count needs, and holds in a register whether it is at its end.
#ifndef HYQ_COUNTER_H_
#define HYQ_COUNTER_H_

#include "types.h"

namespace hyq {

/// The bits of an unsigned integer up to `largest`, at least one.
template <unsigned largest> struct bits_for {
    static const int value = 1 + bits_for<largest / 2>::value;
};
template <> struct bits_for<1> {
    static const int value = 1;
};
template <> struct bits_for<0> {
    static const int value = 1;
};

/// An unsigned integer up to `largest`, for state that one iteration of a loop hands to the next.
/// A wider integer would make the adder longer between the two, and the interval of the loop too.
template <unsigned largest> using index_integer = integer<bits_for<largest>::value, false>;

/// Counts 0 .. count - 1, and starts again.
///
/// `last` is compared one step ahead, with the old value. So an iteration begins with a register,
/// not with an adder and a comparison.
template <unsigned count> struct counter {
    static_assert(count > 0, "a counter has a first value");

    index_integer<count - 1> value;
    bool last; ///< the value is count - 1

    counter() : value(0), last(count == 1) {}

    unsigned index() const {
        HYQ_INLINE
        return unsigned(value);
    }

    /// Moves to the next value, if it goes on.
    void advance(bool goes_on = true) {
        HYQ_INLINE
        const bool is_last = count == 1 || (!last && index() == count - 2);
        const index_integer<count - 1> next = last ? 0 : index() + 1;
        value = goes_on ? next : value;
        last = goes_on ? is_last : last;
    }
};

} // namespace hyq

#endif
