// SPDX-License-Identifier: Apache-2.0
// Softmax operations share the maxima of rows and the probabilities. References:
// hyq_hls/ops/linear_softmax.py, LinearSoftmax, and hyq_hls/ops/table_softmax.py, TableSoftmax.
#ifndef HYQ_SOFTMAX_H_
#define HYQ_SOFTMAX_H_

#include "tree.h"

namespace hyq {

/// Finds the leading one of a value below 2^2^steps: in its upper half, if that has one, else in the
/// lower. So every step has half as many bits as the one before.
template <unsigned steps> struct leading_one_search {
    static const unsigned half = 1u << (steps - 1);

    template <class value_T> static int position(value_T value) {
        HYQ_INLINE
        typedef integer<half, false> half_t;
        const half_t upper = value >> half, lower = value & ((value_T(1) << half) - 1);
        const bool is_upper = upper != 0;
        return (is_upper ? int(half) : 0) |
               leading_one_search<steps - 1>::position(is_upper ? upper : lower);
    }
};
template <> struct leading_one_search<0> {
    template <class value_T> static int position(value_T) {
        HYQ_INLINE
        return 0;
    }
};

/// Returns the position of the leading one of `value` > 0.
template <typename CONFIG_T> inline int leading_one(typename CONFIG_T::accumulator_t value) {
    HYQ_INLINE
    return leading_one_search<CONFIG_T::search_steps>::position(value);
}

/// Returns the number of j >= 1 with `quadruple` >= 2^j * `triple`, for `quadruple` >= `triple` >
/// 0.
///
/// The number is floor(log2(quadruple / triple)): the distance of the two leading ones, or one
/// less. `lead` is the position of the leading one of `quadruple`.
template <typename CONFIG_T>
inline int log2_level(typename CONFIG_T::accumulator_t quadruple,
                      typename CONFIG_T::accumulator_t triple, int lead) {
    HYQ_INLINE
    typedef typename CONFIG_T::accumulator_t accumulator_t;
    const int level = lead - leading_one<CONFIG_T>(triple);
    return level - int(quadruple < accumulator_t(triple << level));
}

/// Returns -log2(e / E), rounded at 1.5 times a power of two, without a divider. It is the number
/// of j >= 1 with 4 E >= 2^j * 3 e. `quadruple` is 4 E, and `lead` is the position of its leading
/// one.
template <typename CONFIG_T>
inline int log2_probability(typename CONFIG_T::exponential_t exponential,
                            typename CONFIG_T::accumulator_t quadruple, int lead) {
    HYQ_INLINE
    typedef typename CONFIG_T::accumulator_t accumulator_t;
    if (exponential == 0) {
        return CONFIG_T::code_max;
    }
    const accumulator_t triple = accumulator_t(exponential) + (accumulator_t(exponential) << 1);
    const int code = log2_level<CONFIG_T>(quadruple, triple, lead);
    return code < CONFIG_T::code_max ? code : CONFIG_T::code_max;
}

/// Returns the same for E / e that is rounded to an integer first, half to even. Half of e more, 2
/// E + e in the place of 2 E, passes the same thresholds, except in two cases that pass one too
/// many: E / e below 1.5, and 2.5, which rounds down.
template <typename CONFIG_T>
inline int rounded_log2_probability(typename CONFIG_T::exponential_t exponential,
                                    typename CONFIG_T::total_t total) {
    HYQ_INLINE
    typedef typename CONFIG_T::accumulator_t accumulator_t;
    if (exponential == 0) {
        return CONFIG_T::code_max;
    }
    const accumulator_t e = exponential;
    const accumulator_t twice = accumulator_t(total) << 1;
    const accumulator_t quadruple = (twice + e) << 1;
    const accumulator_t triple = e + (e << 1);
    const accumulator_t quintuple = e + (e << 2);
    const int level = log2_level<CONFIG_T>(quadruple, triple, leading_one<CONFIG_T>(quadruple));
    const int code = level - int(twice < triple || twice == quintuple);
    return code < CONFIG_T::code_max ? code : CONFIG_T::code_max;
}

/// Returns dividend / total, which has at most `steps` bits. It takes an adder per bit of the
/// quotient; the division of C++ would take one per bit of the dividend.
template <typename CONFIG_T, unsigned steps>
inline typename CONFIG_T::accumulator_t short_quotient(typename CONFIG_T::accumulator_t dividend,
                                                       typename CONFIG_T::total_t total) {
    HYQ_INLINE
    typedef typename CONFIG_T::accumulator_t accumulator_t;
    typedef integer<CONFIG_T::total_bits + 2> remainder_t;
    remainder_t remainder = dividend >> steps; // less than the total
    accumulator_t quotient = 0;
QuotientBits:
    for (unsigned step = 0; step < steps; step++) {
        HYQ_UNROLL
        const remainder_t bit = (dividend >> (steps - 1 - step)) & accumulator_t(1);
        const remainder_t shifted = (remainder << 1) | bit;
        const remainder_t difference = shifted - remainder_t(total);
        const bool fits = !(difference < 0);
        remainder = fits ? difference : shifted;
        quotient = (quotient << 1) | accumulator_t(fits ? 1 : 0);
    }
    return quotient;
}

/// Returns e / E with `bits` fraction bits, rounded half up. It is 1 at most, because e is one of
/// the terms of E.
template <typename CONFIG_T>
inline int uniform_probability(typename CONFIG_T::exponential_t exponential,
                               typename CONFIG_T::total_t total) {
    HYQ_INLINE
    typedef typename CONFIG_T::accumulator_t accumulator_t;
    const accumulator_t dividend =
        (accumulator_t(exponential) << CONFIG_T::bits) + accumulator_t(total >> 1);
    const accumulator_t code = short_quotient<CONFIG_T, CONFIG_T::bits + 1>(dividend, total);
    return code < CONFIG_T::code_max ? int(code) : CONFIG_T::code_max;
}

/// The buffers of a softmax between its three processes. A row waits for its result. There is more
/// room for the words that a synthesized pipeline may still hold when the result leaves. A row has
/// one result.
///
/// \tparam CONFIG_T  as for linear_softmax, without line and shifts.
template <typename CONFIG_T> struct softmax_rows {
    typedef word<exact<CONFIG_T::exponential_bits, false>, CONFIG_T::in_lanes> exponentials_t;
    typedef word<exact<CONFIG_T::total_bits, false>, 1> result_t;

    static const unsigned beats = CONFIG_T::channels / CONFIG_T::in_lanes;
    static const unsigned code_depth = CONFIG_T::code_depth + pipeline_latency;
    static const unsigned exponential_depth = CONFIG_T::exponential_depth + pipeline_latency;
    static const unsigned maximum_depth = code_depth / beats + 2;
    static const unsigned total_depth = exponential_depth / beats + 2;
};

/// Finds the largest code of every row, and passes the codes on.
template <typename CONFIG_T, class data_T, class maximum_T>
void softmax_maxima(stream<data_T> &data, stream<data_T> &codes, stream<maximum_T> &maxima) {
    typedef typename CONFIG_T::operand_t operand_t;
    operand_t maximum = 0;
Rows:
    for (unsigned i = 0; i < CONFIG_T::words; i++) {
    Beats:
        for (unsigned beat = 0; beat < softmax_rows<CONFIG_T>::beats; beat++) {
            HYQ_PIPELINE(1)
            const data_T in = data.read();
            operand_t lanes[CONFIG_T::in_lanes];
            HYQ_PARTITION(lanes, 1)
        Lanes:
            for (unsigned l = 0; l < CONFIG_T::in_lanes; l++) {
                HYQ_UNROLL
                lanes[l] = in[l];
            }
            const operand_t largest = tree<CONFIG_T::in_lanes>::maximum(lanes);
            maximum = beat == 0 || largest > maximum ? largest : maximum;
            codes.write(in);
            if (beat == softmax_rows<CONFIG_T>::beats - 1) {
                maximum_T result;
                result[0] = maximum;
                maxima.write(result);
            }
        }
    }
}

/// Makes the probabilities of every row.
///
/// \tparam CONFIG_T    as for linear_softmax, without line and shifts.
/// \tparam is_rounded  whether log2 codes are those of E / e rounded to an integer.
template <typename CONFIG_T, bool is_rounded, class exponentials_T, class total_T, class res_T>
void softmax_probabilities(stream<exponentials_T> &exponentials, stream<total_T> &totals,
                           stream<res_T> &res) {
    typedef typename CONFIG_T::exponential_t exponential_t;
    typedef typename CONFIG_T::accumulator_t accumulator_t;
    typename CONFIG_T::total_t total = 0;
    accumulator_t quadruple = 0;
    int lead = 0;
Rows:
    for (unsigned i = 0; i < CONFIG_T::words; i++) {
    Beats:
        for (unsigned beat = 0; beat < softmax_rows<CONFIG_T>::beats; beat++) {
            HYQ_PIPELINE(1)
            if (beat == 0) {
                total = totals.read()[0];
                quadruple = CONFIG_T::is_log2 ? accumulator_t(total) << 2 : accumulator_t(0);
                lead = leading_one<CONFIG_T>(quadruple);
            }
            const exponentials_T in = exponentials.read();
            res_T out;
        Lanes:
            for (unsigned l = 0; l < CONFIG_T::in_lanes; l++) {
                HYQ_UNROLL
                const exponential_t e = in[l];
                out[l] = !CONFIG_T::is_log2 ? uniform_probability<CONFIG_T>(e, total)
                         : is_rounded       ? rounded_log2_probability<CONFIG_T>(e, total)
                                            : log2_probability<CONFIG_T>(e, quadruple, lead);
            }
            res.write(out);
        }
    }
}

} // namespace hyq

#endif
