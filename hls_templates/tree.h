// SPDX-License-Identifier: Apache-2.0
// Lanes are added, and compared, as a tree: its depth is the logarithm of their number.
#ifndef HYQ_TREE_H_
#define HYQ_TREE_H_

#include "types.h"

namespace hyq {

/// The tree over `lanes` terms; its two halves are trees too.
template <unsigned lanes> struct tree {
    static const unsigned half = lanes / 2;

    /// Returns the sum of the terms from `first` on.
    template <class T, unsigned size>
    static T sum(const T (&terms)[size], unsigned first = 0) {
        HYQ_INLINE
        return tree<half>::sum(terms, first) + tree<lanes - half>::sum(terms, first + half);
    }

    /// Returns the largest of the terms from `first` on.
    template <class T, unsigned size>
    static T maximum(const T (&terms)[size], unsigned first = 0) {
        HYQ_INLINE
        const T a = tree<half>::maximum(terms, first);
        const T b = tree<lanes - half>::maximum(terms, first + half);
        return a > b ? a : b;
    }
};

template <> struct tree<1> {
    template <class T, unsigned size> static T sum(const T (&terms)[size], unsigned first = 0) {
        HYQ_INLINE
        return terms[first];
    }

    template <class T, unsigned size> static T maximum(const T (&terms)[size], unsigned first = 0) {
        HYQ_INLINE
        return terms[first];
    }
};

} // namespace hyq

#endif
