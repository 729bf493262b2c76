// SPDX-License-Identifier: Apache-2.0
// In the timed C simulation (-DHYQ_TIMED) these directives tell the trace what happens when.
#ifndef HYQ_CSIM_TIMED_H_
#define HYQ_CSIM_TIMED_H_

#include "trace.h"

namespace hyq {
namespace csim {

/// HYQ_PROCESS: what happens while this lives is done by a process of its own.
class process_scope {
  public:
    /// \param call  text of the call; its function and first argument name the process.
    explicit process_scope(const char *call) : trace_(trace::recorded()) {
        if (trace_ == nullptr) {
            return;
        }
        caller_ = trace_->running;
        process_trace self;
        if (caller_ != stream_trace::nobody) {
            self.name = trace_->process().name + "/";
        }
        const std::string text(call);
        const std::size_t start = text.compare(0, 5, "hyq::") == 0 ? 5 : 0;
        const std::size_t arguments = text.find('(') + 1;
        const std::size_t first = text.find_first_not_of(' ', arguments); // behind a line break
        const std::size_t end = text.find_first_of(",)", first);
        self.name += text.substr(start, arguments - start) + text.substr(first, end - first) + ")";
        trace_->running = trace_->processes.size();
        trace_->processes.push_back(self);
        if (caller_ != stream_trace::nobody && trace_->processes[caller_].has_pages) {
            take_pages();
        }
    }
    process_scope(const process_scope &) = delete;
    process_scope &operator=(const process_scope &) = delete;

    ~process_scope() {
        if (trace_ == nullptr) {
            return;
        }
        trace_->leave();
        if (pages_ != stream_trace::nobody) {
            trace_->add(trace_->running, pages_, step::read);
        }
        trace_->running = caller_;
    }

  private:
    trace *trace_;
    std::size_t caller_ = stream_trace::nobody;
    std::size_t pages_ = stream_trace::nobody;

    /// Waits for the arrays of the process before.
    void take_pages() {
        const std::size_t self = trace_->running;
        const std::size_t before = trace_->processes[caller_].last_child;
        trace_->processes[caller_].last_child = self;
        if (before != stream_trace::nobody) {
            const std::string name = trace_->processes[before].name + " pages";
            pages_ = trace_->add_pages(name, before, self);
            trace_->add(before, pages_, step::write);
            trace_->add(self, pages_, step::look);
        }
    }
};

/// HYQ_DATAFLOW and HYQ_PING_PONG: the process that runs only starts others.
class region {
  public:
    explicit region(bool has_pages) {
        trace *const self = trace::recorded();
        if (self != nullptr && self->running != stream_trace::nobody) {
            self->process().is_region = true;
            self->process().has_pages = has_pages;
        }
    }
    region(const region &) = delete;
    region &operator=(const region &) = delete;
    ~region() {} // a variable with a destructor needs no use
};

/// HYQ_PIPELINE: an iteration of a pipelined loop, as long as this lives.
class iteration {
  public:
    /// \param line  where the loop stands; another line is another loop.
    iteration(unsigned interval, unsigned line) : trace_(trace::recorded()) {
        if (trace_ == nullptr || trace_->running == stream_trace::nobody) {
            return;
        }
        process_trace &self = trace_->process();
        if (self.loop != line) {
            trace_->leave();
        }
        self.loop = line;
        self.cycles += interval;
        self.is_iteration = true;
    }
    iteration(const iteration &) = delete;
    iteration &operator=(const iteration &) = delete;

    ~iteration() {
        if (trace_ != nullptr && trace_->running != stream_trace::nobody) {
            trace_->process().is_iteration = false;
        }
    }

  private:
    trace *trace_;
};

} // namespace csim
} // namespace hyq

#undef HYQ_DATAFLOW
#undef HYQ_PING_PONG
#undef HYQ_PROCESS
#undef HYQ_PIPELINE
#undef HYQ_STREAM_DEPTH

#define HYQ_DATAFLOW hyq::csim::region hyq_region(false);
#define HYQ_PING_PONG hyq::csim::region hyq_region(true);
#define HYQ_PROCESS(...)                                                                           \
    do {                                                                                           \
        hyq::csim::process_scope hyq_process(#__VA_ARGS__);                                        \
        __VA_ARGS__;                                                                               \
    } while (false)
#define HYQ_PIPELINE(interval) hyq::csim::iteration hyq_iteration(interval, __LINE__);
#define HYQ_STREAM_DEPTH(name, words) (name).set_depth(#name, words);

#endif
