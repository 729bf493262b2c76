// SPDX-License-Identifier: Apache-2.0
// The timed C simulation (-DHYQ_TIMED) records in which order every process uses its streams.
//
// Which stream a process reads or writes next never depends on time: no template asks whether a
// stream is empty or full. So the order of one run, in which the processes ran one after another
// with queues of any length, is that of every run. replay.h runs it again with bounded queues.
// This is the method of LightningSim (Sarkar and Hao, FCCM 2023).
#ifndef HYQ_CSIM_TRACE_H_
#define HYQ_CSIM_TRACE_H_

#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

namespace hyq {
namespace csim {

/// One step of a process.
struct step {
    enum kind {
        read,       ///< takes a word
        write,      ///< gives a word at once
        write_late, ///< gives a word at the end of a pipeline
        leave,      ///< ends a pipelined loop: the pipeline runs empty
        look        ///< waits for a word that it does not take
    };
    unsigned cycles; ///< cycles since the step before
    unsigned stream;
    kind what;
};

struct process_trace {
    std::string name;
    std::vector<step> steps;
    unsigned cycles = 0; ///< cycles since the last step
    unsigned loop = 0;   ///< line of the pipelined loop, 0 outside
    bool is_iteration = false;
    bool is_filled = false; ///< the pipeline may hold words
    bool is_region = false; ///< it only starts other processes
    bool has_pages = false; ///< and they hand over arrays
    std::size_t last_child = ~std::size_t(0);

    unsigned long cycles_per_frame() const {
        unsigned long sum = cycles;
        for (const step &one : steps) {
            sum += one.cycles;
        }
        return sum;
    }
};

struct stream_trace {
    static const std::size_t nobody = ~std::size_t(0);

    std::string name;
    unsigned depth = 2; ///< of a stream without HYQ_STREAM_DEPTH (UG1399)
    std::size_t writer = nobody;
    std::size_t reader = nobody;
};

/// All processes and streams of one sample.
struct trace {
    std::vector<process_trace> processes;
    std::vector<stream_trace> streams;
    std::size_t running = stream_trace::nobody; ///< the process that runs

    /// The trace that this thread records, or null.
    static trace *&recorded() {
        static thread_local trace *self = nullptr;
        return self;
    }

    process_trace &process() { return processes[running]; }

    void access(std::size_t stream, bool is_read) {
        if (running == stream_trace::nobody || process().is_region) {
            throw std::runtime_error("stream " + streams[stream].name +
                                     " is used outside of a process: wrap the call in HYQ_PROCESS");
        }
        stream_trace &used = streams[stream];
        std::size_t &owner = is_read ? used.reader : used.writer;
        if (owner != stream_trace::nobody && owner != running) {
            throw std::runtime_error("stream " + used.name + " has two " +
                                     (is_read ? "readers: " : "writers: ") + processes[owner].name +
                                     " and " + process().name);
        }
        owner = running;
        process_trace &self = process();
        if (!self.is_iteration) {
            leave();
            self.cycles++; // a state of its own outside of the loops
        }
        const bool is_late = self.is_iteration && !is_read;
        add(running, stream, is_read ? step::read : is_late ? step::write_late : step::write);
        self.is_filled |= is_late;
    }

    void leave() {
        if (process().is_filled) {
            add(running, 0, step::leave);
        }
        process().is_filled = false;
        process().loop = 0;
    }

    void add(std::size_t owner, std::size_t stream, step::kind what) {
        processes[owner].steps.push_back({processes[owner].cycles, unsigned(stream), what});
        processes[owner].cycles = 0;
    }

    /// Adds the pair of pages through which a process gives arrays to another one.
    ///
    /// It is a queue for one word. The reader takes the word when it has ended: so the writer may
    /// write a page while the other one is read, and no third.
    std::size_t add_pages(const std::string &name, std::size_t writer, std::size_t reader) {
        streams.emplace_back();
        streams.back().name = name;
        streams.back().depth = 1;
        streams.back().writer = writer;
        streams.back().reader = reader;
        return streams.size() - 1;
    }
};

} // namespace csim
} // namespace hyq

#endif
