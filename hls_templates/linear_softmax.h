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
    const exponential_t line = CONFIG_T::line_offset - remainder;
    const exponential_t scaled = line << CONFIG_T::shift_bits;
    return octave < CONFIG_T::exponential_bits ? exponential_t(scaled >> octave) : exponential_t(0);
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

/// What a softmax keeps between its three processes. A row waits for its result, and behind it as
/// much as a synthesized pipeline may still hold when the result leaves.
///
/// \tparam CONFIG_T  as for linear_softmax.
template <typename CONFIG_T> struct softmax_rows {
    typedef word<ap_uint<CONFIG_T::exponential_bits>, CONFIG_T::in_lanes> exponentials_t;
    typedef word<ap_uint<CONFIG_T::total_bits>, 1> result_t;

    static const unsigned beats = CONFIG_T::channels / CONFIG_T::in_lanes;
    static const unsigned code_depth = CONFIG_T::code_depth + 32;
    static const unsigned exponential_depth = CONFIG_T::exponential_depth + 32;
};

/// The largest code of every row; the codes go on.
template <typename CONFIG_T, class data_T, class maximum_T>
void softmax_maxima(hls::stream<data_T> &data, hls::stream<data_T> &codes,
                    hls::stream<maximum_T> &maxima) {
    typedef typename CONFIG_T::operand_t operand_t;
    operand_t maximum = 0;
Rows:
    for (unsigned i = 0; i < CONFIG_T::words; i++) {
    Beats:
        for (unsigned beat = 0; beat < softmax_rows<CONFIG_T>::beats; beat++) {
            #pragma HLS PIPELINE II=1
            const data_T in = data.read();
        Lanes:
            for (unsigned l = 0; l < CONFIG_T::in_lanes; l++) {
                #pragma HLS UNROLL
                const operand_t code = in[l];
                maximum = (beat == 0 && l == 0) || code > maximum ? code : maximum;
            }
            codes.write(in);
            if (beat == softmax_rows<CONFIG_T>::beats - 1) {
                maximum_T result;
                result[0] = maximum;
                maxima.write(result);
            }
        }
    }
}

/// The exponentials of every row and their sum.
template <typename CONFIG_T, class data_T, class maximum_T, class exponentials_T, class total_T>
void softmax_exponentials(hls::stream<data_T> &codes, hls::stream<maximum_T> &maxima,
                          hls::stream<exponentials_T> &exponentials, hls::stream<total_T> &totals) {
    typedef typename CONFIG_T::operand_t operand_t;
    typedef typename CONFIG_T::exponential_t exponential_t;
    operand_t maximum = 0;
    typename CONFIG_T::total_t total = 0;
Rows:
    for (unsigned i = 0; i < CONFIG_T::words; i++) {
    Beats:
        for (unsigned beat = 0; beat < softmax_rows<CONFIG_T>::beats; beat++) {
            #pragma HLS PIPELINE II=1
            if (beat == 0) {
                maximum = maxima.read()[0];
                total = 0;
            }
            const data_T in = codes.read();
            exponentials_T out;
        Lanes:
            for (unsigned l = 0; l < CONFIG_T::in_lanes; l++) {
                #pragma HLS UNROLL
                const exponential_t e = linear_exponential<CONFIG_T>(maximum - operand_t(in[l]));
                out[l] = e;
                total += e;
            }
            exponentials.write(out);
            if (beat == softmax_rows<CONFIG_T>::beats - 1) {
                total_T result;
                result[0] = total;
                totals.write(result);
            }
        }
    }
}

/// The probabilities of every row.
template <typename CONFIG_T, class exponentials_T, class total_T, class res_T>
void softmax_probabilities(hls::stream<exponentials_T> &exponentials, hls::stream<total_T> &totals,
                           hls::stream<res_T> &res) {
    typedef typename CONFIG_T::exponential_t exponential_t;
    typedef typename CONFIG_T::accumulator_t accumulator_t;
    typename CONFIG_T::total_t total = 0;
    accumulator_t quadruple = 0;
    int lead = 0;
Rows:
    for (unsigned i = 0; i < CONFIG_T::words; i++) {
    Beats:
        for (unsigned beat = 0; beat < softmax_rows<CONFIG_T>::beats; beat++) {
            #pragma HLS PIPELINE II=1
            if (beat == 0) {
                total = totals.read()[0];
                quadruple = CONFIG_T::is_log2 ? accumulator_t(total) << 2 : accumulator_t(0);
                lead = leading_one<CONFIG_T>(quadruple);
            }
            const exponentials_T in = exponentials.read();
            res_T out;
        Lanes:
            for (unsigned l = 0; l < CONFIG_T::in_lanes; l++) {
                #pragma HLS UNROLL
                const exponential_t e = in[l];
                out[l] = CONFIG_T::is_log2 ? log2_probability<CONFIG_T>(e, quadruple, lead)
                                           : uniform_probability<CONFIG_T>(e, total);
            }
            res.write(out);
        }
    }
}

/// Three processes on three rows at a time, one beat per cycle each.
///
/// \tparam CONFIG_T  gives words (rows), channels (codes of a row), in_lanes, out_lanes, fraction,
///                   line_offset, shift_bits, exponential_bits, total_bits, bits, is_log2,
///                   code_max, search_steps, code_depth, exponential_depth, and operand_t,
///                   distance_t, exponential_t, total_t, accumulator_t (holds 4 E or the dividend).
template <typename CONFIG_T, class data_T, class res_T>
void linear_softmax(hls::stream<data_T> &data, hls::stream<res_T> &res) {
    #pragma HLS DATAFLOW
    typedef softmax_rows<CONFIG_T> rows;
    typedef word<typename data_T::value_type, 1> maximum_t;
    static_assert(data_T::size == CONFIG_T::in_lanes && res_T::size == CONFIG_T::out_lanes &&
                      CONFIG_T::in_lanes == CONFIG_T::out_lanes,
                  "a beat of probabilities for a beat of codes");
    static_assert(CONFIG_T::channels % CONFIG_T::in_lanes == 0, "beats divide a row");
    static_assert(CONFIG_T::line_offset >> CONFIG_T::fraction == 1,
                  "the line stays positive over an octave");
    static_assert(CONFIG_T::code_max + 1 == 1 << CONFIG_T::bits, "codes have `bits` bits");
    hls::stream<data_T> codes;
    #pragma HLS STREAM variable=codes depth=rows::code_depth
    hls::stream<maximum_t> maxima;
    #pragma HLS STREAM variable=maxima depth=rows::code_depth
    hls::stream<typename rows::exponentials_t> exponentials;
    #pragma HLS STREAM variable=exponentials depth=rows::exponential_depth
    hls::stream<typename rows::result_t> totals;
    #pragma HLS STREAM variable=totals depth=rows::exponential_depth
    softmax_maxima<CONFIG_T>(data, codes, maxima);
    softmax_exponentials<CONFIG_T>(codes, maxima, exponentials, totals);
    softmax_probabilities<CONFIG_T>(exponentials, totals, res);
}

} // namespace hyq

#endif
