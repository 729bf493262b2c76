// This is a second ap_int, on the integers of exact width that clang has in itself (_BitInt of C23).
//
// It stands in the place of the vendor's header, with the part of it that the templates use. Values
// and widths of results are those of ap_int (UG1399, "Arbitrary Precision Integer Data Types").
// _BitInt itself does not widen: the result of an operator has the width of its wider operand. So
// every operator here widens its operands to the width of its result first.
//
// With HYQ_SCHEDULE a shift is only a shift, as in a circuit. Without it, a shift by more than the
// width, or by a negative number of bits, gives what ap_int gives.
#ifndef HYQ_BITINT_AP_INT_H_
#define HYQ_BITINT_AP_INT_H_

namespace bitint {

template <int bits, bool is_signed> struct storage {
    typedef _BitInt(bits) type;
};
template <int bits> struct storage<bits, false> {
    typedef unsigned _BitInt(bits) type;
};
/// C has no signed integer of one bit, so 0 and -1 are stored in two.
template <> struct storage<1, true> {
    typedef _BitInt(2) type;
};

template <bool condition, class T = void> struct enable_if {};
template <class T> struct enable_if<true, T> {
    typedef T type;
};

template <int bits, bool is_signed> class integer;

/// The integer that an operand of an operator is. Native integers have their own width.
template <class T> struct operand;
template <int bits_, bool is_signed_> struct native_operand {
    static const int bits = bits_;
    static const bool is_signed = is_signed_, is_native = true;
};
template <> struct operand<bool> : native_operand<1, false> {};
template <> struct operand<char> : native_operand<8, (char(-1) < 0)> {};
template <> struct operand<signed char> : native_operand<8, true> {};
template <> struct operand<unsigned char> : native_operand<8, false> {};
template <> struct operand<short> : native_operand<16, true> {};
template <> struct operand<unsigned short> : native_operand<16, false> {};
template <> struct operand<int> : native_operand<32, true> {};
template <> struct operand<unsigned> : native_operand<32, false> {};
template <> struct operand<long> : native_operand<8 * sizeof(long), true> {};
template <> struct operand<unsigned long> : native_operand<8 * sizeof(long), false> {};
template <> struct operand<long long> : native_operand<64, true> {};
template <> struct operand<unsigned long long> : native_operand<64, false> {};
template <int bits_, bool is_signed_> struct operand<integer<bits_, is_signed_>> {
    static const int bits = bits_;
    static const bool is_signed = is_signed_, is_native = false;
};

/// The native integer that an integer converts to by itself.
template <int bits, bool is_signed> struct native {
    static const int bytes = bits <= 8 ? 1 : bits <= 16 ? 2 : bits <= 32 ? 4 : 8;
    typedef typename native<-bytes, is_signed>::type type;
};
template <> struct native<-1, true> {
    typedef signed char type;
};
template <> struct native<-1, false> {
    typedef unsigned char type;
};
template <> struct native<-2, true> {
    typedef short type;
};
template <> struct native<-2, false> {
    typedef unsigned short type;
};
template <> struct native<-4, true> {
    typedef int type;
};
template <> struct native<-4, false> {
    typedef unsigned type;
};
template <> struct native<-8, true> {
    typedef long long type;
};
template <> struct native<-8, false> {
    typedef unsigned long long type;
};

template <int bits, bool is_signed> class integer {
  public:
    typedef typename storage<bits, is_signed>::type storage_t;
    typedef typename native<bits, is_signed>::type native_t;
    static const int width = bits;

    storage_t value;

    integer() = default;
    template <class T, class = typename enable_if<operand<T>::is_native>::type>
    constexpr integer(T x) : value(cut(x)) {}
    template <int other_bits, bool other_signed>
    constexpr integer(const integer<other_bits, other_signed> &x) : value(cut(x.value)) {}

    constexpr operator native_t() const { return native_t(value); }
    constexpr int to_int() const { return int(value); }

    template <class T> integer &operator+=(T x) { return *this = *this + x; }
    template <class T> integer &operator-=(T x) { return *this = *this - x; }
    template <class T> integer &operator*=(T x) { return *this = *this * x; }
    template <class T> integer &operator/=(T x) { return *this = *this / x; }
    template <class T> integer &operator%=(T x) { return *this = *this % x; }
    template <class T> integer &operator&=(T x) { return *this = *this & x; }
    template <class T> integer &operator|=(T x) { return *this = *this | x; }
    template <class T> integer &operator^=(T x) { return *this = *this ^ x; }
    template <class T> integer &operator<<=(T x) { return *this = *this << x; }
    template <class T> integer &operator>>=(T x) { return *this = *this >> x; }
    integer &operator++() { return *this += 1; }
    integer &operator--() { return *this -= 1; }
    integer operator++(int) {
        const integer old = *this;
        ++*this;
        return old;
    }
    integer operator--(int) {
        const integer old = *this;
        --*this;
        return old;
    }

    constexpr integer operator~() const { return made(~value); }
    constexpr bool operator!() const { return value == 0; }
    constexpr integer operator+() const { return *this; }

    /// Returns the bits `high` to `low`, as they are.
    constexpr integer<bits, false> range(int high, int low) const {
        typedef typename storage<bits, false>::type bits_t;
        return integer<bits, false>::made(bits_t(bits_t(value) << (bits - 1 - high)) >>
                                          (bits - 1 - high + low));
    }
    constexpr bool operator[](int i) const { return range(i, i) != 0; }

    /// Returns the integer whose low bits are those of `x`, a native or a _BitInt integer.
    template <class T> static constexpr integer made(T x) {
        integer result = 0;
        result.value = cut(x);
        return result;
    }

  private:
    template <class T> static constexpr storage_t cut(T x) {
        return bits == 1 && is_signed ? storage_t(-storage_t(x & 1)) : storage_t(x);
    }
};

constexpr int larger(int a, int b) { return a > b ? a : b; }

/// The widths and signs of the results of A op B, those of UG1399.
template <class A, class B> struct result {
    typedef operand<A> a;
    typedef operand<B> b;
    static_assert(!a::is_native || !b::is_native, "operators of native integers are those of C++");
    static const bool is_signed = a::is_signed || b::is_signed;
    /// The bits that hold either operand.
    static const int bits = larger(a::bits + (is_signed && !a::is_signed),
                                   b::bits + (is_signed && !b::is_signed));
    typedef integer<bits, is_signed> logic_t;
    typedef integer<bits + 1, is_signed> sum_t;
    typedef integer<bits + 1, true> difference_t;
    typedef integer<a::bits + b::bits, is_signed> product_t;
    typedef integer<a::bits + b::is_signed, is_signed> quotient_t;
    typedef integer<(a::bits < b::bits + (a::is_signed < b::is_signed)
                         ? a::bits
                         : b::bits + (b::is_signed < a::is_signed)),
                    a::is_signed>
        remainder_t;
    /// A type with a sign that holds both operands.
    typedef integer<bits + 1, true> both_t;
};

template <class A, class B>
using has_integer = typename enable_if<!operand<A>::is_native || !operand<B>::is_native>::type;

#define BITINT_OPERATOR(op, result_t, wide_t)                                                      \
    template <class A, class B, class = has_integer<A, B>>                                         \
    constexpr typename result<A, B>::result_t operator op(A a, B b) {                              \
        typedef typename result<A, B>::wide_t wide;                                                \
        return result<A, B>::result_t::made(wide(a).value op wide(b).value);                       \
    }
BITINT_OPERATOR(+, sum_t, sum_t)
BITINT_OPERATOR(-, difference_t, difference_t)
BITINT_OPERATOR(*, product_t, product_t)
BITINT_OPERATOR(/, quotient_t, both_t)
BITINT_OPERATOR(%, remainder_t, both_t)
BITINT_OPERATOR(&, logic_t, logic_t)
BITINT_OPERATOR(|, logic_t, logic_t)
BITINT_OPERATOR(^, logic_t, logic_t)
#undef BITINT_OPERATOR

#define BITINT_COMPARISON(op)                                                                      \
    template <class A, class B, class = has_integer<A, B>> constexpr bool operator op(A a, B b) {  \
        typedef typename result<A, B>::logic_t wide;                                               \
        return wide(a).value op wide(b).value;                                                     \
    }
BITINT_COMPARISON(==)
BITINT_COMPARISON(!=)
BITINT_COMPARISON(<)
BITINT_COMPARISON(<=)
BITINT_COMPARISON(>)
BITINT_COMPARISON(>=)
#undef BITINT_COMPARISON

template <int bits, bool is_signed>
constexpr typename result<bool, integer<bits, is_signed>>::difference_t
operator-(integer<bits, is_signed> x) {
    return false - x;
}

#ifdef HYQ_SCHEDULE
template <int bits, bool is_signed, class T>
constexpr integer<bits, is_signed> operator<<(integer<bits, is_signed> x, T count) {
    typedef typename storage<bits, false>::type bits_t;
    return integer<bits, is_signed>::made(bits_t(x.value) << int(count));
}
template <int bits, bool is_signed, class T>
constexpr integer<bits, is_signed> operator>>(integer<bits, is_signed> x, T count) {
    return integer<bits, is_signed>::made(x.value >> int(count));
}
#else
template <int bits, bool is_signed>
constexpr integer<bits, is_signed> shifted(integer<bits, is_signed> x, long long left) {
    typedef typename storage<bits, false>::type bits_t;
    return integer<bits, is_signed>::made(
        left >= bits   ? bits_t(0)
        : left >= 0    ? bits_t(bits_t(x.value) << left)
        : left > -bits ? bits_t(x.value >> -left)
                       : bits_t(x.value < 0 ? -1 : 0));
}
template <int bits, bool is_signed, class T>
constexpr integer<bits, is_signed> operator<<(integer<bits, is_signed> x, T count) {
    return shifted(x, static_cast<long long>(count));
}
template <int bits, bool is_signed, class T>
constexpr integer<bits, is_signed> operator>>(integer<bits, is_signed> x, T count) {
    return shifted(x, -static_cast<long long>(count));
}
#endif

} // namespace bitint

template <int bits> using ap_int = bitint::integer<bits, true>;
template <int bits> using ap_uint = bitint::integer<bits, false>;

#endif
