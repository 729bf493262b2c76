// A stand-in for the ap_int.h of Bambu: integers of exact widths, on the _BitInt of clang.
//
// Bambu names its integers ac_int, as Mentor's library does. Widths of results are those of that
// library: a sum has one bit more, a product the bits of both factors, and a shift the width of its
// left operand. Only what the templates use is here.
#ifndef STAND_IN_AP_INT_H_
#define STAND_IN_AP_INT_H_

#include <type_traits>

template <int W, bool S> struct bit_int {
    typedef _BitInt(W) type;
};
template <int W> struct bit_int<W, false> {
    typedef unsigned _BitInt(W) type;
};

template <int W, bool S> class ac_int;

constexpr int larger(int a, int b) { return a > b ? a : b; }

/// Bits of both operands on one scale: an unsigned one beside a signed one takes one more.
constexpr int common(int w1, bool s1, int w2, bool s2) {
    return larger(w1 + (s2 && !s1), w2 + (s1 && !s2));
}

/// The exact integer that holds every value of an operand.
template <class T, bool is_native = std::is_integral<T>::value> struct operand;
template <class T> struct operand<T, true> {
    static const int width = std::is_same<T, bool>::value ? 1 : 8 * int(sizeof(T));
    static const bool sign = std::is_signed<T>::value;
    static typename bit_int<width, sign>::type of(T value) { return value; }
};
template <int W, bool S> struct operand<ac_int<W, S>, false> {
    static const int width = W;
    static const bool sign = S;
    static typename bit_int<W, S>::type of(const ac_int<W, S> &value) { return value.bits; }
};

template <class T> struct is_exact : std::false_type {};
template <int W, bool S> struct is_exact<ac_int<W, S>> : std::true_type {};

/// Integers of this library and native ones, of which one at least is of this library.
template <class A, class B>
using both = typename std::enable_if<(is_exact<A>::value && std::is_integral<B>::value) ||
                                     (std::is_integral<A>::value && is_exact<B>::value) ||
                                     (is_exact<A>::value && is_exact<B>::value)>::type;

template <int W, bool S> class ac_int {
  public:
    static const int width = W;
    typedef typename bit_int<W, S>::type bits_t;
    bits_t bits;

    ac_int() = default;
    template <class T, class = typename std::enable_if<std::is_integral<T>::value>::type>
    ac_int(T value) : bits(static_cast<bits_t>(value)) {}
    template <int W2, bool S2>
    ac_int(const ac_int<W2, S2> &other) : bits(static_cast<bits_t>(other.bits)) {}

    operator long long() const { return static_cast<long long>(bits); }
    int to_int() const { return static_cast<int>(bits); }

    ac_int<W + 1, true> operator-() const {
        ac_int<W + 1, true> result;
        result.bits = -static_cast<_BitInt(W + 1)>(bits);
        return result;
    }
    template <class T> ac_int &operator+=(const T &other) { return *this = *this + other; }
    template <class T> ac_int &operator-=(const T &other) { return *this = *this - other; }
    template <class T> ac_int &operator|=(const T &other) { return *this = *this | other; }
    ac_int &operator<<=(int n) { return *this = *this << n; }
    ac_int &operator>>=(int n) { return *this = *this >> n; }
    ac_int &operator++() { return *this += 1; }
    ac_int operator++(int) {
        const ac_int old = *this;
        *this += 1;
        return old;
    }

    /// A shift by the width or more leaves the sign; a negative one goes the other way.
    ac_int operator<<(int n) const {
        ac_int result;
        result.bits = n < 0 ? (*this >> -n).bits : n >= W ? bits_t(0) : bits_t(bits << n);
        return result;
    }
    ac_int operator>>(int n) const {
        ac_int result;
        result.bits = n < 0    ? (*this << -n).bits
                      : n >= W ? bits_t(bits < 0 ? -1 : 0)
                               : bits_t(bits >> n);
        return result;
    }
    template <class T, class = typename std::enable_if<is_exact<T>::value ||
                                                       std::is_integral<T>::value>::type>
    ac_int operator<<(const T &n) const {
        return *this << int(n);
    }
    template <class T, class = typename std::enable_if<is_exact<T>::value ||
                                                       std::is_integral<T>::value>::type>
    ac_int operator>>(const T &n) const {
        return *this >> int(n);
    }
};

#define STAND_IN_OPERATOR(symbol, width_of, sign_of)                                               \
    template <class A, class B, class = both<A, B>>                                                \
    auto operator symbol(const A &a, const B &b) {                                                 \
        constexpr int w1 = operand<A>::width, w2 = operand<B>::width;                              \
        constexpr bool s1 = operand<A>::sign, s2 = operand<B>::sign;                               \
        ac_int<(width_of), (sign_of)> result;                                                      \
        typedef typename decltype(result)::bits_t bits_t;                                          \
        result.bits = bits_t(operand<A>::of(a)) symbol bits_t(operand<B>::of(b));                  \
        return result;                                                                             \
    }
STAND_IN_OPERATOR(+, common(w1, s1, w2, s2) + 1, s1 || s2)
STAND_IN_OPERATOR(-, common(w1, s1, w2, s2) + 1, true)
STAND_IN_OPERATOR(*, w1 + w2, s1 || s2)
STAND_IN_OPERATOR(&, common(w1, s1, w2, s2), s1 || s2)
STAND_IN_OPERATOR(|, common(w1, s1, w2, s2), s1 || s2)
#undef STAND_IN_OPERATOR

template <class A, class B, class = both<A, B>> auto operator/(const A &a, const B &b) {
    typedef _BitInt(larger(operand<A>::width, operand<B>::width) + 1) bits_t;
    ac_int<operand<A>::width + operand<B>::sign, operand<A>::sign || operand<B>::sign> result;
    result.bits = bits_t(operand<A>::of(a)) / bits_t(operand<B>::of(b));
    return result;
}

#define STAND_IN_COMPARISON(symbol)                                                                \
    template <class A, class B, class = both<A, B>>                                                \
    bool operator symbol(const A &a, const B &b) {                                                 \
        constexpr int width = larger(operand<A>::width, operand<B>::width) + 1;                    \
        typedef _BitInt(width) bits_t;                                                             \
        return bits_t(operand<A>::of(a)) symbol bits_t(operand<B>::of(b));                         \
    }
STAND_IN_COMPARISON(==)
STAND_IN_COMPARISON(!=)
STAND_IN_COMPARISON(<)
STAND_IN_COMPARISON(>)
STAND_IN_COMPARISON(<=)
STAND_IN_COMPARISON(>=)
#undef STAND_IN_COMPARISON

template <int W> using ap_int = ac_int<W, true>;
template <int W> using ap_uint = ac_int<W, false>;

#endif
