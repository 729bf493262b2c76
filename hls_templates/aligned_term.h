// Operations on two operands of different scales share this. References: hyq_hls/ops/add.py, Add,
// and hyq_hls/ops/maximum.py, Maximum.
#ifndef HYQ_ALIGNED_TERM_H_
#define HYQ_ALIGNED_TERM_H_

#include "requantize.h"

namespace hyq {

/// Returns (code - zero point) * multiplier * 2^exponent, an operand on the common scale. Where all
/// factors of the operand are powers of two, its only multiplier is 1, and no multiplier is built;
/// else its only exponent is 0.
///
/// \tparam term_T  holds the result.
/// \tparam centred_T  holds a code minus its zero point.
template <typename term_T, typename centred_T, class code_T, class zero_T, class multiplier_T,
          class exponent_T>
term_T aligned_term(const code_T &code, const zero_T &zero_point, const multiplier_T &multiplier,
                    const exponent_T &exponent, unsigned beat, unsigned lane) {
    HYQ_INLINE
    const centred_T centred = int(code) - of_channel(zero_point, beat, lane);
    return product<term_T>(of_channel(multiplier, beat, lane), centred)
           << int(of_channel(exponent, beat, lane));
}

} // namespace hyq

#endif
