// SPDX-License-Identifier: Apache-2.0
// The templates are written for this HLS compiler: its integers, its streams, its directives.
//
// Every other file, generated files too, uses only the names below. So another HLS compiler needs
// only another version of this file. These are the names of Vitis HLS (UG1399).
//
// A directive is a macro on a line of its own, without a semicolon. It stands at the place of the
// pragma: in the body of its loop or function, behind the declaration of the variable that it
// names. _Pragma lets a macro become a pragma (UG1399, "HLS Pragmas").
#ifndef HYQ_TARGET_H_
#define HYQ_TARGET_H_

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

/// A FIFO between two processes, with read() and write().
template <class T> using stream = hls::stream<T>;

} // namespace hyq

#define HYQ_PRAGMA(text) _Pragma(#text)

// Functions

/// This makes the port of the top function an AXI4-Stream.
#define HYQ_AXI_STREAM(name) HYQ_PRAGMA(HLS INTERFACE mode=axis port=name)

/// The top function has the ports ap_start, ap_done, ap_ready and ap_idle.
#define HYQ_CONTROL_PORTS HYQ_PRAGMA(HLS INTERFACE mode=ap_ctrl_hs port=return)

/// The calls of this function are processes that run at the same time.
#define HYQ_DATAFLOW HYQ_PRAGMA(HLS DATAFLOW)

/// The calls of this function are processes that hand over arrays: while one reads an array, the
/// one before it writes the next, in a second page. A compiler without such pages may make one call
/// after the other.
#define HYQ_PING_PONG HYQ_PRAGMA(HLS DATAFLOW)

/// Constant memories of a process: parameters behind its streams, and arguments in its call.
#define HYQ_MEMORIES(...) , __VA_ARGS__

/// Makes a constant memory known in the body of its process. Here it is a parameter already.
#define HYQ_MEMORY(name)

/// The call is a process of a HYQ_DATAFLOW or HYQ_PING_PONG function.
#define HYQ_PROCESS(...) __VA_ARGS__

/// This function becomes a part of its caller.
#define HYQ_INLINE HYQ_PRAGMA(HLS INLINE)

// Loops

/// An iteration starts every `interval` cycles.
#define HYQ_PIPELINE(interval) HYQ_PRAGMA(HLS PIPELINE II=interval)

/// All iterations run at the same time, each in a circuit of its own.
#define HYQ_UNROLL HYQ_PRAGMA(HLS UNROLL)

// Variables

/// The stream has room for `words` words.
#define HYQ_STREAM_DEPTH(name, words) HYQ_PRAGMA(HLS STREAM variable=name depth=words)

/// Every index of `dimension` (from 1) has a memory or register of its own.
#define HYQ_PARTITION(array, dimension) \
    HYQ_PRAGMA(HLS ARRAY_PARTITION variable=array complete dim=dimension)

/// A word of the memory holds the entries of all indices of `dimension` (from 1).
#define HYQ_RESHAPE(array, dimension) \
    HYQ_PRAGMA(HLS ARRAY_RESHAPE variable=array complete dim=dimension)

/// The array is a read-only memory with as many ports as its readers need.
#define HYQ_ROM(array) HYQ_PRAGMA(HLS BIND_STORAGE variable=array type=rom_np)

/// The same in LUTs.
#define HYQ_LUT_ROM(array) HYQ_PRAGMA(HLS BIND_STORAGE variable=array type=rom_np impl=lutram)

/// The same in block RAM.
#define HYQ_BLOCK_ROM(array) HYQ_PRAGMA(HLS BIND_STORAGE variable=array type=rom_np impl=bram)

/// The words of the stream wait in LUTs.
#define HYQ_LUT_FIFO(name) HYQ_PRAGMA(HLS BIND_STORAGE variable=name type=fifo impl=lutram)

/// An iteration reads no word that was written less than `iterations` iterations before.
#define HYQ_DEPENDENCE(array, iterations) \
    HYQ_PRAGMA(HLS DEPENDENCE variable=array type=inter direction=raw dependent=true \
               distance=iterations)

/// The tool may assume that no iteration reads a word that an earlier one, still in the pipeline,
/// writes.
#define HYQ_NO_DEPENDENCE(array) \
    HYQ_PRAGMA(HLS DEPENDENCE variable=array type=inter dependent=false)

#endif
