// SPDX-License-Identifier: Apache-2.0
// These are plain C functions of the timed C simulation, for ctypes. bridge.h includes this file.
#ifndef HYQ_CSIM_TIMED_BRIDGE_H_
#define HYQ_CSIM_TIMED_BRIDGE_H_

#include <memory>

#include "replay.h"

extern "C" {

/// Processes one image and returns its trace for the functions below, or null with a message.
void *hyq_record(const int *input, int *output, char *message, unsigned long length) {
    std::unique_ptr<hyq::csim::trace> run(new hyq::csim::trace);
    hyq::csim::trace::recorded() = run.get();
    const int status = hyq::csim::guarded(input, output, 1, message, length);
    hyq::csim::trace::recorded() = nullptr;
    return status ? nullptr : run.release();
}

void hyq_forget(void *run) { delete static_cast<hyq::csim::trace *>(run); }

unsigned long hyq_processes(const void *run) {
    return static_cast<const hyq::csim::trace *>(run)->processes.size();
}

unsigned long hyq_streams(const void *run) {
    return static_cast<const hyq::csim::trace *>(run)->streams.size();
}

const char *hyq_process_name(const void *run, unsigned long index) {
    return static_cast<const hyq::csim::trace *>(run)->processes[index].name.c_str();
}

/// Returns the cycles of a process per frame when it never waits.
unsigned long hyq_process_cycles(const void *run, unsigned long index) {
    return static_cast<const hyq::csim::trace *>(run)->processes[index].cycles_per_frame();
}

const char *hyq_stream_name(const void *run, unsigned long index) {
    return static_cast<const hyq::csim::trace *>(run)->streams[index].name.c_str();
}

unsigned hyq_stream_depth(const void *run, unsigned long index) {
    return static_cast<const hyq::csim::trace *>(run)->streams[index].depth;
}

/// Runs a trace frame after frame with bounded queues. Returns 0, or 1 with a message.
///
/// \param depths      words of every stream, 1 or more.
/// \param latencies   cycles from the read to the write of an iteration, for every process.
/// \param pace        cycles from frame to frame at the input; 0 offers words at once.
/// \param frame_ends  gets the cycle of the last output word of every frame.
/// \param peaks       gets the most words that waited in every stream.
int hyq_replay(const void *run, const unsigned *depths, const unsigned *latencies,
               unsigned frames, long long pace, long long *frame_ends, unsigned *peaks,
               char *message, unsigned long length) {
    const hyq::csim::trace &recorded = *static_cast<const hyq::csim::trace *>(run);
    try {
        const hyq::csim::replay replayed(recorded, depths, latencies, frames, pace);
        std::copy(replayed.frame_ends.begin(), replayed.frame_ends.end(), frame_ends);
        for (std::size_t i = 0; i < recorded.streams.size(); i++) {
            peaks[i] = replayed.peak(i);
        }
    } catch (const std::exception &error) {
        std::snprintf(message, length, "%s", error.what());
        return 1;
    }
    return 0;
}

} // extern "C"

#endif
