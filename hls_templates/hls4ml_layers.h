// SPDX-License-Identifier: Apache-2.0
// Layers for any project of hls4ml: linear softmax, Shift-Swish and power-of-two requantization.
//
// hls4ml has fixed-point types. A value of an ap_fixed with f fraction bits is a code, an integer,
// times 2^-f, so every layer takes the codes of its input and gives the codes of its output. The
// formulas are those of the other templates. The integers are those of the references in
// hyq_hls/ops/: linear_softmax.py, shift_swish.py and requantize.py.
#ifndef HYQ_HLS4ML_LAYERS_H_
#define HYQ_HLS4ML_LAYERS_H_

#include "linear_softmax.h"
#include "requantize.h"
#include "shift_swish.h"

namespace hyq {

/// Returns the code of a value of fixed point: all its bits, as an integer.
///
/// \tparam CONFIG_T  gives code_t (of the input) and is_signed (whether its codes are).
template <typename CONFIG_T, class value_T>
inline typename CONFIG_T::code_t code_of(const value_T &value) {
    HYQ_INLINE
    exact<value_T::width, CONFIG_T::is_signed> code = 0;
    code.range(value_T::width - 1, 0) = value.range(value_T::width - 1, 0);
    return code;
}

/// Returns the value of fixed point that has this code. The code is in the range of the type.
template <class value_T> inline value_T value_of(int code) {
    HYQ_INLINE
    const exact<value_T::width> bits = code;
    value_T value = 0;
    value.range(value_T::width - 1, 0) = bits.range(value_T::width - 1, 0);
    return value;
}

/// Requantizes the channels of one position, which begin at index `first` of `size` values.
template <typename CONFIG_T> struct requantize_position {
    template <unsigned size, class data_T, class res_T>
    static void run(const data_T data[size], res_T res[size], unsigned first,
                    const typename CONFIG_T::requantize_t &requantize) {
        HYQ_INLINE
    Channels:
        for (unsigned c = 0; c < CONFIG_T::channels; c++) {
            HYQ_UNROLL
            const typename CONFIG_T::accumulator_t acc = code_of<CONFIG_T>(data[first + c]);
            res[first + c] = value_of<res_T>(
                requantize_value<CONFIG_T>(acc, of_channel(requantize, 0, c)));
        }
    }
};

/// Computes Shift-Swish of the channels of one position.
template <typename CONFIG_T> struct shift_swish_position {
    template <unsigned size, class data_T, class res_T>
    static void run(const data_T data[size], res_T res[size], unsigned first,
                    const typename CONFIG_T::requantize_t &requantize) {
        HYQ_INLINE
        typedef typename CONFIG_T::accumulator_t accumulator_t;
    Channels:
        for (unsigned c = 0; c < CONFIG_T::channels; c++) {
            HYQ_UNROLL
            const typename CONFIG_T::centred_t x = code_of<CONFIG_T>(data[first + c]);
            const accumulator_t acc = product<accumulator_t>(x, shift_sigmoid<CONFIG_T>(x));
            res[first + c] = value_of<res_T>(
                requantize_value<CONFIG_T>(acc, of_channel(requantize, 0, c)));
        }
    }
};

/// Returns the code of a probability: a level -log2(p), or p itself in fixed point.
template <typename CONFIG_T>
inline int probability_code(typename CONFIG_T::exponential_t exponential,
                            typename CONFIG_T::total_t total) {
    HYQ_INLINE
    typedef typename CONFIG_T::accumulator_t accumulator_t;
    if (!CONFIG_T::is_log2) {
        return uniform_probability<CONFIG_T>(exponential, total);
    }
    const accumulator_t quadruple = accumulator_t(total) << 2;
    const int level =
        log2_probability<CONFIG_T>(exponential, quadruple, leading_one<CONFIG_T>(quadruple));
    // The type of the result has the fraction bits of the smallest power of two.
    return level == CONFIG_T::code_max ? 0 : 1 << (CONFIG_T::code_max - 1 - level);
}

/// Computes the softmax over the channels of one position.
///
/// \tparam CONFIG_T  as for linear_softmax and code_of; and octave_multiplier and octave_shift (the
///                   factor from codes to octaves), octave_t (holds the product).
template <typename CONFIG_T> struct linear_softmax_position {
    template <unsigned size, class data_T, class res_T>
    static void run(const data_T data[size], res_T res[size], unsigned first) {
        HYQ_INLINE
        typedef typename CONFIG_T::octave_t octave_t;
        typedef typename CONFIG_T::operand_t operand_t;
        typedef typename CONFIG_T::exponential_t exponential_t;
        typedef typename CONFIG_T::total_t total_t;
        static const unsigned channels = CONFIG_T::channels;
        const octave_t half = (octave_t(1) << CONFIG_T::octave_shift) >> 1;
        operand_t octaves[channels];
        HYQ_PARTITION(octaves, 1)
        exponential_t exponentials[channels];
        HYQ_PARTITION(exponentials, 1)
        total_t terms[channels];
        HYQ_PARTITION(terms, 1)
    Octaves:
        for (unsigned c = 0; c < channels; c++) {
            HYQ_UNROLL
            const octave_t code = code_of<CONFIG_T>(data[first + c]);
            octaves[c] = (code * octave_t(CONFIG_T::octave_multiplier) + half) >>
                         CONFIG_T::octave_shift;
        }
        const operand_t maximum = tree<channels>::maximum(octaves);
    Exponentials:
        for (unsigned c = 0; c < channels; c++) {
            HYQ_UNROLL
            exponentials[c] = linear_exponential<CONFIG_T>(maximum - octaves[c]);
            terms[c] = exponentials[c];
        }
        const total_t total = tree<channels>::sum(terms);
    Probabilities:
        for (unsigned c = 0; c < channels; c++) {
            HYQ_UNROLL
            res[first + c] = value_of<res_T>(probability_code<CONFIG_T>(exponentials[c], total));
        }
    }
};

/// io_stream: a word holds the channels of one position.
///
/// \tparam POSITION_T  does the work on one position.
/// \tparam CONFIG_T    gives words (positions) and channels.
template <class POSITION_T, typename CONFIG_T, class data_T, class res_T, class... memory_T>
void each_position(stream<data_T> &data, stream<res_T> &res, const memory_T &...memories) {
    static_assert(data_T::size == CONFIG_T::channels && res_T::size == CONFIG_T::channels,
                  "a word holds the channels of one position");
Positions:
    for (unsigned i = 0; i < CONFIG_T::words; i++) {
        HYQ_PIPELINE(1)
        const data_T in = data.read();
        res_T out;
        POSITION_T::template run<CONFIG_T::channels>(in.data, out.data, 0, memories...);
        res.write(out);
    }
}

/// io_parallel: an array holds all positions.
template <class POSITION_T, typename CONFIG_T, class data_T, class res_T, class... memory_T>
void each_position(data_T data[CONFIG_T::words * CONFIG_T::channels],
                   res_T res[CONFIG_T::words * CONFIG_T::channels], const memory_T &...memories) {
    HYQ_PIPELINE(1)
    static const unsigned size = CONFIG_T::words * CONFIG_T::channels;
Positions:
    for (unsigned i = 0; i < CONFIG_T::words; i++) {
        HYQ_UNROLL
        POSITION_T::template run<size>(data, res, i * CONFIG_T::channels, memories...);
    }
}

} // namespace hyq

#endif
