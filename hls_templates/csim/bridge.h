// SPDX-License-Identifier: Apache-2.0
// These are plain C functions around the top function, for ctypes. <project>_bridge.cpp includes
// this file once, and defines HYQ_TOP, the word types and their counts. Integers go in, integers
// come out.
#ifndef HYQ_CSIM_BRIDGE_H_
#define HYQ_CSIM_BRIDGE_H_

#include <cstdio>
#include <exception>
#include <string>
#include <vector>

namespace hyq {
namespace csim {

/// Gives the top function the words of one sample.
inline void feed(hls::stream<hyq_input_word> &source, const int *input) {
Words:
    for (unsigned i = 0; i < hyq_input_words; i++) {
        HYQ_PIPELINE(1)
        hyq_input_word word;
        for (unsigned c = 0; c < hyq_input_word::size; c++) {
            word[c] = *input++;
        }
        source.write(word);
    }
}

/// Takes the words of one result.
inline void collect(hls::stream<hyq_output_word> &sink, int *output) {
Words:
    for (unsigned i = 0; i < hyq_output_words; i++) {
        HYQ_PIPELINE(1)
        const hyq_output_word word = sink.read();
        for (unsigned c = 0; c < hyq_output_word::size; c++) {
            *output++ = word[c].to_int();
        }
    }
}

/// Passes one sample through the top function; throws on any stream that is read while it is empty,
/// or that is not emptied.
inline void simulate(const int *input, int *output) {
    monitor &state = monitor::instance();
    state.leftover.clear();
    {
        hls::stream<hyq_input_word> source(hyq_input_name);
        hls::stream<hyq_output_word> sink(hyq_output_name);
        HYQ_PROCESS(feed(source, input));
        ::HYQ_TOP(source, sink);
        HYQ_PROCESS(collect(sink, output));
    }
    if (!state.leftover.empty()) {
        throw std::runtime_error("stream " + state.leftover);
    }
}

inline int guarded(const int *input, int *output, unsigned long samples, char *message,
                   unsigned long length) {
    const unsigned long in_size = hyq_input_words * hyq_input_word::size;
    const unsigned long out_size = hyq_output_words * hyq_output_word::size;
    unsigned long i = 0;
    try {
        for (; i < samples; i++) {
            simulate(input + i * in_size, output + i * out_size);
        }
    } catch (const std::exception &error) {
        std::snprintf(message, length, "sample %lu: %s", i, error.what());
        return 1;
    }
    return 0;
}

} // namespace csim
} // namespace hyq

extern "C" {

/// Processes `samples` images: codes in, codes out, C order. Returns 0, or 1 with a message.
int hyq_predict(const int *input, int *output, unsigned long samples, char *message,
                unsigned long length) {
    hyq::csim::monitor::instance().record = false;
    return hyq::csim::guarded(input, output, samples, message, length);
}

/// Processes one image, and records every stream for hyq_trace_size and hyq_trace_copy.
int hyq_trace(const int *input, int *output, char *message, unsigned long length) {
    hyq::csim::monitor &state = hyq::csim::monitor::instance();
    state.words.clear();
    state.record = true;
    const int status = hyq::csim::guarded(input, output, 1, message, length);
    state.record = false;
    return status;
}

/// Returns the number of codes that passed a stream in the last trace; 0 for an unknown name.
unsigned long hyq_trace_size(const char *name) {
    const hyq::csim::monitor &state = hyq::csim::monitor::instance();
    const auto found = state.words.find(name);
    return found == state.words.end() ? 0 : found->second.size();
}

/// Copies the codes themselves; `output` has room for hyq_trace_size(name) of them.
void hyq_trace_copy(const char *name, int *output) {
    for (const int code : hyq::csim::monitor::instance().words[name]) {
        *output++ = code;
    }
}

} // extern "C"

#if defined(HYQ_TIMED)
#include "timed_bridge.h"
#endif

#endif
