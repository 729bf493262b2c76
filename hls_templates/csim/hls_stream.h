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
    stream() : name_("(unnamed)") {}
    explicit stream(const char *name) : name_(name) {}
    stream(const stream &) = delete;
    stream &operator=(const stream &) = delete;

    ~stream() {
        if (!empty() && hyq::csim::monitor::instance().leftover.empty()) {
            hyq::csim::monitor::instance().leftover =
                name_ + " still holds " + std::to_string(size()) + " words that nobody read";
        }
    }

    bool empty() const { return head_ == queue_.size(); }
    bool full() const { return false; }
    std::size_t size() const { return queue_.size() - head_; }

    T read() {
        if (empty()) {
            throw std::runtime_error("stream " + name_ + " is read while empty");
        }
        T word = queue_[head_++];
        if (empty()) {
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

  private:
    std::string name_;
    std::vector<T> queue_;
    std::size_t head_ = 0;
};

} // namespace hls

#endif
