// SPDX-License-Identifier: Apache-2.0
// The templates are written for this HLS compiler: its integers, its streams, its directives.
//
// This is target.h for Bambu 2024.10 (PandA). Its directives are those of UG1399, but it knows few
// of them, and some of the others are errors or end its front end. So most macros are empty here;
// docs/hls.md has the table. A loop takes several cycles for an iteration, because Bambu does not
// pipeline loops. Without __BAMBU__, for C simulation with g++, the streams are plain ones.
#ifndef HYQ_TARGET_H_
#define HYQ_TARGET_H_

#if defined(__BAMBU__) && !defined(__SYNTHESIS__)
#define __SYNTHESIS__ // The templates take exact integers.
#endif

#include "ap_int.h"
#include "hls_stream.h"

namespace hyq {

template <int bits, bool is_signed> struct exact_integer {
    typedef ap_int<bits> type;
};
template <int bits> struct exact_integer<bits, false> {
    typedef ap_uint<bits> type;
};

/// An integer of exactly `bits` bits.
template <int bits, bool is_signed = true>
using exact = typename exact_integer<bits, is_signed>::type;

#ifdef __BAMBU__
#define HYQ_OWN_WORD

/// The content of one stream transfer; types.h explains it.
///
/// Bambu finds the width of a FIFO in the name of the type of its words: it is the width of the
/// first integer there. So the first one, `bits_T`, has the width of all lanes.
template <class bits_T, class T, unsigned lanes> struct packed_word {
    typedef T value_type;
    static const unsigned size = lanes;
    static const unsigned lane_bits = T::width;

    T data[lanes];

    T &operator[](unsigned i) { return data[i]; }
    const T &operator[](unsigned i) const { return data[i]; }

    /// Returns all lanes as one integer, the first in the lowest bits.
    bits_T packed() const {
        bits_T bits = 0;
        for (unsigned i = 0; i < lanes; i++) {
            const exact<lane_bits, false> code = data[i];
            bits = bits | (bits_T(code) << int(i * lane_bits));
        }
        return bits;
    }

    /// Sets all lanes to the parts of an integer.
    void unpack(const bits_T &bits) {
        for (unsigned i = 0; i < lanes; i++) {
            data[i] = T(bits >> int(i * lane_bits));
        }
    }
};

template <class T, unsigned lanes>
using word = packed_word<exact<int(T::width) * int(lanes), false>, T, lanes>;
#endif

/// A FIFO between two processes, with read() and write().
template <class T> using stream = hls::stream<T>;

} // namespace hyq

#ifdef __BAMBU__
/// A FIFO of words. Bambu loses all lanes but one of a structure, so the FIFO carries an integer.
template <class bits_T, class T, unsigned lanes>
class ac_channel<hyq::packed_word<bits_T, T, lanes>> {
  public:
    typedef hyq::packed_word<bits_T, T, lanes> element_type;

    ac_channel() : chan() {}
    explicit ac_channel(const char *) : chan() {} // Bambu has no names of streams.
    ac_channel(const ac_channel &) = delete;
    ac_channel &operator=(const ac_channel &) = delete;

    element_type read() {
        element_type word;
        word.unpack(chan.read());
        return word;
    }

    void write(const element_type &word) { chan.write(word.packed()); }

  private:
    typename ac_channel<bits_T>::fifo chan;
};
#endif

#define HYQ_PRAGMA(text) _Pragma(#text)

// Functions

/// A stream is a FIFO port without a directive.
#define HYQ_AXI_STREAM(name)

/// Ports that start the top function and say when it is ready are there anyway.
#define HYQ_CONTROL_PORTS

/// The calls of this function are processes that run at the same time.
#define HYQ_DATAFLOW HYQ_PRAGMA(HLS DATAFLOW)

/// Bambu has no pages of an array between processes, so one call follows the other.
#define HYQ_PING_PONG

/// Bambu does not drive a memory that is an argument of a process. So there are no such arguments.
#define HYQ_MEMORIES(...)

/// Makes a constant memory known in the body of its process: the array that the configuration names.
#define HYQ_MEMORY(name) constexpr const typename CONFIG_T::name##_t &name = CONFIG_T::name;

/// The call is a process of a HYQ_DATAFLOW or HYQ_PING_PONG function.
#define HYQ_PROCESS(...) __VA_ARGS__

/// In a template that nobody calls, the directive is an error. Small functions are inlined anyway.
#define HYQ_INLINE

// Loops

/// The pipelining of a loop is an error.
#define HYQ_PIPELINE(interval)

/// The directive ends the front end when it stands in the body. Short loops are unrolled anyway.
#define HYQ_UNROLL

// Variables

/// Bambu does not know the depth of a stream; it is a parameter in the Verilog, and build_bambu.sh
/// is followed by a step that sets it.
#define HYQ_STREAM_DEPTH(name, words)

// Bambu does not know the directives of memories.
#define HYQ_PARTITION(array, dimension)
#define HYQ_RESHAPE(array, dimension)
#define HYQ_ROM(array)
#define HYQ_LUT_ROM(array)
#define HYQ_BLOCK_ROM(array)
#define HYQ_LUT_FIFO(name)
#define HYQ_DEPENDENCE(array, iterations)
#define HYQ_NO_DEPENDENCE(array)

#endif
