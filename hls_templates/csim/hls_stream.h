// SPDX-License-Identifier: Apache-2.0
// This is hls::stream for C simulation with g++. It is a queue that reports misuse.
//
// A read of an empty stream throws. Words that nobody read are reported when the stream dies. Every
// stream can be recorded by name. Vitis HLS has its own hls_stream.h and never sees this file.
#ifndef HYQ_CSIM_HLS_STREAM_H_
#define HYQ_CSIM_HLS_STREAM_H_

#include <cstddef>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#if defined(HYQ_TIMED)
#include "hyq/csim/trace.h"
#endif

namespace hyq {
namespace csim {

/// The results of one simulated sample; each thread simulates its own samples.
struct monitor {
    bool record = false;
    std::map<std::string, std::vector<int>> words;
    std::string leftover;

    static monitor &instance() {
        static thread_local monitor self;
        return self;
    }
};

} // namespace csim
} // namespace hyq

namespace hls {

template <typename T> class stream {
  public:
    stream() : stream("(unnamed)") {}
    explicit stream(const char *name) : name_(name) { enter_trace(); }
    stream(const stream &) = delete;
    stream &operator=(const stream &) = delete;

    ~stream() {
        if (size() > 0 && hyq::csim::monitor::instance().leftover.empty()) {
            hyq::csim::monitor::instance().leftover =
                name_ + " still holds " + std::to_string(size()) + " words that nobody read";
        }
    }

    bool empty() const {
        check_not_timed();
        return size() == 0;
    }
    bool full() const {
        check_not_timed();
        return false;
    }
    std::size_t size() const { return queue_.size() - head_; }

    T read() {
        trace_access(true);
        if (size() == 0) {
            throw std::runtime_error("stream " + name_ + " is read while empty");
        }
        T word = queue_[head_++];
        if (size() == 0) {
            queue_.clear();
            head_ = 0;
        }
        return word;
    }
    void read(T &word) { word = read(); }
    stream &operator>>(T &word) {
        read(word);
        return *this;
    }

    void write(const T &word) {
        trace_access(false);
        queue_.push_back(word);
        hyq::csim::monitor &monitor = hyq::csim::monitor::instance();
        if (monitor.record) {
            std::vector<int> &trace = monitor.words[name_];
            for (unsigned i = 0; i < T::size; i++) {
                trace.push_back(word[i].to_int());
            }
        }
    }
    stream &operator<<(const T &word) {
        write(word);
        return *this;
    }

#if defined(HYQ_TIMED)
    /// Notes the depth, and the name of a stream without one.
    void set_depth(const char *name, unsigned words) {
        if (trace_ != nullptr) {
            hyq::csim::stream_trace &self = trace_->streams[index_];
            self.depth = words;
            if (name_ == "(unnamed)") {
                self.name = name_ = trace_->process().name + "." + name;
            }
        }
    }

  private:
    hyq::csim::trace *trace_ = nullptr;
    std::size_t index_ = 0;

    void enter_trace() {
        trace_ = hyq::csim::trace::recorded();
        if (trace_ != nullptr) {
            index_ = trace_->streams.size();
            trace_->streams.emplace_back();
            trace_->streams.back().name = name_;
        }
    }
    void trace_access(bool is_read) {
        if (trace_ != nullptr) {
            trace_->access(index_, is_read);
        }
    }
    void check_not_timed() const {
        if (trace_ != nullptr) {
            throw std::logic_error("stream " + name_ + " is asked whether it is empty or full: the "
                                   "order of its words would depend on time");
        }
    }
#else
  private:
    void enter_trace() {}
    void trace_access(bool) {}
    void check_not_timed() const {}
#endif

    std::string name_;
    std::vector<T> queue_;
    std::size_t head_ = 0;
};

} // namespace hls

#endif
