// Softmax by shifts and adds. Reference: hyq_hls/ops/linear_softmax.py, LinearSoftmax.
#ifndef HYQ_LINEAR_SOFTMAX_H_
#define HYQ_LINEAR_SOFTMAX_H_

#include "types.h"

namespace hyq {

/// Position of the leading one of `value` > 0, by halving the range `search_steps` times.
template <typename CONFIG_T> inline int leading_one(typename CONFIG_T::accumulator_t value) {
    #pragma HLS INLINE
    int position = 0;
Halves:
    for (unsigned i = 0; i < CONFIG_T::search_steps; i++) {
        #pragma HLS UNROLL
        const unsigned step = CONFIG_T::search_steps - 1 - i;
        // Without a branch, which g++ could not predict.
        const int skipped = int((value >> (1 << step)) != 0) << step;
        value = value >> skipped;
        position += skipped;
    }
    return position;
}

/// Exponential of a code that lies `distance` below the maximum of its row.
template <typename CONFIG_T>
inline typename CONFIG_T::exponential_t linear_exponential(typename CONFIG_T::distance_t distance) {
    #pragma HLS INLINE
    typedef typename CONFIG_T::exponential_t exponential_t;
    const unsigned steps = distance;
    const unsigned octave = steps >> CONFIG_T::fraction;
    const unsigned remainder = steps & ((1u << CONFIG_T::fraction) - 1);
    const exponential_t line = exponential_t(CONFIG_T::line_offset - remainder) << CONFIG_T::shift_bits;
    return octave < CONFIG_T::exponential_bits ? exponential_t(line >> octave) : exponential_t(0);
}

/// -log2(e / E), rounded at 1.5 times a power of two, without a divider.
///
/// The number of j >= 1 with 4 E >= 2^j * 3 e is floor(log2(4 E / 3 e)): the distance of the two
/// leading ones, or one less. `quadruple` is 4 E, `lead` the position of its leading one.
template <typename CONFIG_T>
inline int log2_probability(typename CONFIG_T::exponential_t exponential,
                            typename CONFIG_T::accumulator_t quadruple, int lead) {
    #pragma HLS INLINE
    typedef typename CONFIG_T::accumulator_t accumulator_t;
    if (exponential == 0) {
        return CONFIG_T::code_max;
    }
    const accumulator_t triple = accumulator_t(exponential) + (accumulator_t(exponential) << 1);
    const int level = lead - leading_one<CONFIG_T>(triple);
    const int code = level - int(quadruple < accumulator_t(triple << level));
    return code < CONFIG_T::code_max ? code : CONFIG_T::code_max;
}

/// e / E with `bits` fraction bits, rounded half up.
template <typename CONFIG_T>
inline int uniform_probability(typename CONFIG_T::exponential_t exponential,
                               typename CONFIG_T::total_t total) {
    #pragma HLS INLINE
    typedef typename CONFIG_T::accumulator_t accumulator_t;
    const accumulator_t dividend =
        (accumulator_t(exponential) << CONFIG_T::bits) + accumulator_t(total >> 1);
    const accumulator_t code = dividend / accumulator_t(total);
    return code < CONFIG_T::code_max ? int(code) : CONFIG_T::code_max;
}

/// \tparam CONFIG_T  gives words, lanes, fraction, line_offset, shift_bits, exponential_bits, bits,
///                   is_log2, code_max, search_steps, and operand_t, distance_t, exponential_t,
///                   total_t, accumulator_t (holds 4 E or the dividend).
template <typename CONFIG_T, class data_T, class res_T>
void linear_softmax(hls::stream<data_T> &data, hls::stream<res_T> &res) {
    typedef typename CONFIG_T::operand_t operand_t;
    typedef typename CONFIG_T::accumulator_t accumulator_t;
    static_assert(data_T::size == CONFIG_T::lanes, "a word carries a whole row");
    static_assert(res_T::size == CONFIG_T::lanes, "a word carries a whole row");
    static_assert(CONFIG_T::line_offset >> CONFIG_T::fraction == 1,
                  "the line stays positive over an octave");
    static_assert(CONFIG_T::code_max + 1 == 1 << CONFIG_T::bits, "codes have `bits` bits");
Rows:
    for (unsigned i = 0; i < CONFIG_T::words; i++) {
        const data_T in = data.read();
        operand_t maximum = in[0];
    Maximum:
        for (unsigned j = 0; j < CONFIG_T::lanes; j++) {
            #pragma HLS PIPELINE II=1
            const operand_t code = in[j];
            maximum = code > maximum ? code : maximum;
        }
        typename CONFIG_T::exponential_t exponentials[CONFIG_T::lanes];
        typename CONFIG_T::total_t total = 0;
    Exponentials:
        for (unsigned j = 0; j < CONFIG_T::lanes; j++) {
            #pragma HLS PIPELINE II=1
            exponentials[j] = linear_exponential<CONFIG_T>(maximum - operand_t(in[j]));
            total += exponentials[j];
        }
        const accumulator_t quadruple = CONFIG_T::is_log2 ? accumulator_t(total) << 2 : accumulator_t(0);
        const int lead = leading_one<CONFIG_T>(quadruple);
        res_T out;
    Probabilities:
        for (unsigned j = 0; j < CONFIG_T::lanes; j++) {
            #pragma HLS PIPELINE II=1
            out[j] = CONFIG_T::is_log2
                         ? log2_probability<CONFIG_T>(exponentials[j], quadruple, lead)
                         : uniform_probability<CONFIG_T>(exponentials[j], total);
        }
        res.write(out);
    }
}

} // namespace hyq

#endif
