// Requantization turns an accumulator into a code. Reference: hyq_hls/graph/requantize.py,
// Requantize.
//
//   code = saturate(round_half_up(acc * multiplier / 2^shift) + zero_point)
#ifndef HYQ_REQUANTIZE_H_
#define HYQ_REQUANTIZE_H_

#include "types.h"

namespace hyq {

/// A scale factor 2^-shift takes one adder and a shift.
struct power_of_two {
    rom<7> shift;
    rom<17> zero_point;
};

/// A scale factor multiplier * 2^-shift takes a multiplier too.
struct dyadic {
    rom<17> multiplier;
    rom<7> shift;
    rom<17> zero_point;
};

template <class scaled_T, class accumulator_T>
inline scaled_T scale(accumulator_T acc, const power_of_two &) {
    HYQ_INLINE
    return acc;
}

template <class scaled_T, class accumulator_T>
inline scaled_T scale(accumulator_T acc, const dyadic &entry) {
    HYQ_INLINE
    return product<scaled_T>(acc, entry.multiplier);
}

/// Turns one accumulator into one code.
///
/// \tparam CONFIG_T  gives accumulator_t, scaled_t (holds the scaled and rounded accumulator),
///                   code_min and code_max.
template <typename CONFIG_T, class entry_T>
inline int requantize_value(typename CONFIG_T::accumulator_t acc, const entry_T &entry) {
    HYQ_INLINE
    typedef typename CONFIG_T::scaled_t scaled_t;
    const int shift = entry.shift;
    scaled_t scaled = scale<scaled_t>(acc, entry);
    if (shift > 0) {
        scaled = (scaled + (scaled_t(1) << (shift - 1))) >> shift;
    } else {
        scaled = scaled << -shift;
    }
    // The range test comes before the zero point is added, so that no wider integer is needed.
    const int zero_point = entry.zero_point;
    if (scaled < CONFIG_T::code_min - zero_point) {
        return CONFIG_T::code_min;
    }
    if (scaled > CONFIG_T::code_max - zero_point) {
        return CONFIG_T::code_max;
    }
    return int(scaled) + zero_point;
}

/// Returns the requantization entry of a channel. One entry serves all, or each has its own.
template <typename CONFIG_T>
inline const typename CONFIG_T::requantize_t &
entry_of(const typename CONFIG_T::requantize_t requantize[CONFIG_T::requantize_entries],
         unsigned channel) {
    HYQ_INLINE
    return of_channel<CONFIG_T::requantize_entries>(requantize, channel);
}

/// Requantizes a stream.
///
/// \tparam CONFIG_T  gives words (positions), channels, in_lanes and out_lanes.
template <typename CONFIG_T, class data_T, class res_T>
void requantize(stream<data_T> &data, stream<res_T> &res,
                const typename CONFIG_T::zero_point_t zero_point[CONFIG_T::zero_point_entries],
                const typename CONFIG_T::requantize_t entries[CONFIG_T::requantize_entries]) {
    HYQ_RESHAPE_CYCLIC(zero_point, CONFIG_T::zero_point_lanes)
    HYQ_RESHAPE_CYCLIC(entries, CONFIG_T::requantize_lanes)
    typedef typename CONFIG_T::accumulator_t accumulator_t;
    static const unsigned lanes = CONFIG_T::in_lanes;
    static_assert(data_T::size == lanes && res_T::size == lanes,
                  "every input code gives an output code");
    static_assert(CONFIG_T::channels % lanes == 0, "beats divide the channels of a position");
Words:
    for (unsigned i = 0; i < CONFIG_T::words; i++) {
    Beats:
        for (unsigned beat = 0; beat < CONFIG_T::channels / lanes; beat++) {
            HYQ_PIPELINE(1)
            const data_T in = data.read();
            res_T out;
        Lanes:
            for (unsigned l = 0; l < lanes; l++) {
                HYQ_UNROLL
                const unsigned c = beat * lanes + l;
                const accumulator_t centred =
                    accumulator_t(in[l]) - of_channel<CONFIG_T::zero_point_entries>(zero_point, c);
                out[l] = requantize_value<CONFIG_T>(centred, entry_of<CONFIG_T>(entries, c));
            }
            res.write(out);
        }
    }
}

} // namespace hyq

#endif
