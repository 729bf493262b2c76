// SPDX-License-Identifier: Apache-2.0
// The two ends of a design: an AXI4-Stream source and sink that carry whole frames of codes.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "random.h"

namespace hyq {

// How codes lie in a word: lane l holds bits [l*lane_bits, (l+1)*lane_bits), at most 64 of them.
struct Format {
  int64_t beats;  // words of a frame
  int32_t lanes;
  int32_t lane_bits;
  int32_t is_signed;

  int64_t codes() const { return beats * lanes; }
};

inline int64_t read_lane(const uint8_t* word, const Format& format, int lane) {
  const int bits = format.lane_bits;
  uint64_t value = 0;
  for (int done = 0, at = lane * bits; done < bits;) {
    const int take = std::min(8 - (at & 7), bits - done);
    value |= static_cast<uint64_t>((word[at >> 3] >> (at & 7)) & ((1u << take) - 1)) << done;
    done += take;
    at += take;
  }
  const int unused = 64 - bits;
  const int64_t top = static_cast<int64_t>(value << unused);
  return format.is_signed ? top >> unused : static_cast<int64_t>(value);
}

enum class Last : int32_t { kFrame = 0, kNever = 1, kAlways = 2 };

// The ports of one AXI4-Stream, from the side of the test bench.
struct Port {
  uint8_t* data;
  size_t bytes;
  uint8_t* valid;
  uint8_t* ready;
  uint8_t* last;

  bool transfers() const { return *valid && *ready; }
};

// The cycles in which every frame's first and last beat passed.
struct FrameCycles {
  int64_t* first;
  int64_t* last;
  int64_t beat = 0;

  void note(int64_t cycle, int64_t beats) {
    if (beat == 0) *first++ = cycle;
    if (++beat < beats) return;
    beat = 0;
    *last++ = cycle;
  }
};

class Source {
 public:
  Source(Port port, Format format, const int64_t* codes, int64_t frames, FrameCycles cycles,
         double idle, int64_t pace, Last last, uint64_t seed)
      : port_(port), format_(format), codes_(codes), total_(frames * format.beats),
        cycles_(cycles), idle_(idle), pace_(pace), last_(last), random_(seed) {
    stop();
  }

  // Decides before the cycle; a word on offer stays until it is taken.
  void drive(int64_t cycle) {
    if (*port_.valid) return;
    waiting_ = sent_ < total_ && (cycle < release() || random_.chance(idle_));
    if (sent_ < total_ && !waiting_) offer();
  }

  // Looks at the settled cycle; after the clock edge the port is free again.
  bool observe(int64_t cycle) {
    took_ = port_.transfers();
    if (!took_) return false;
    ++sent_;
    cycles_.note(cycle, format_.beats);
    return true;
  }

  void after_edge() {
    if (took_) stop();
    took_ = false;
  }

  // Nothing on offer, by intention: the design is not to blame for the silence.
  bool waiting() const { return waiting_; }
  int64_t sent() const { return sent_; }

  // A design must not look at the data and last of an idle port.
  void stop() {
    *port_.valid = 0;
    *port_.last = random_.next() & 1;
    for (size_t i = 0; i < port_.bytes; ++i) port_.data[i] = static_cast<uint8_t>(random_.next());
  }

 private:
  int64_t release() const { return sent_ * pace_ / format_.beats; }

  void offer() {
    const int64_t* word = codes_ + sent_ * format_.lanes;
    const size_t bytes = format_.lane_bits / 8;
    for (int lane = 0; lane < format_.lanes; ++lane) {
      std::memcpy(port_.data + lane * bytes, word + lane, bytes);  // little-endian hosts only
    }
    const bool end = sent_ % format_.beats == format_.beats - 1;
    *port_.last = last_ == Last::kFrame ? end : last_ == Last::kAlways;
    *port_.valid = 1;
  }

  Port port_;
  Format format_;
  const int64_t* codes_;
  int64_t total_;
  FrameCycles cycles_;
  double idle_;
  int64_t pace_;
  Last last_;
  Random random_;
  int64_t sent_ = 0;
  bool waiting_ = false;
  bool took_ = false;
};

class Sink {
 public:
  Sink(Port port, Format format, int64_t* codes, int64_t frames, FrameCycles cycles,
       double backpressure, uint64_t seed)
      : port_(port), format_(format), codes_(codes), total_(frames * format.beats),
        cycles_(cycles), backpressure_(backpressure), random_(seed), held_(port.bytes) {}

  void drive() { *port_.ready = !random_.chance(backpressure_); }

  bool observe(int64_t cycle) {
    if (stalled_) check_held(cycle);
    stalled_ = *port_.valid && !*port_.ready;
    if (stalled_) {
      std::copy(port_.data, port_.data + port_.bytes, held_.begin());
      held_last_ = *port_.last;
    }
    if (!port_.transfers()) return false;
    if (done()) fail(cycle, "a beat follows the last frame");
    take(cycle);
    return true;
  }

  bool done() const { return received_ == total_; }
  int64_t received() const { return received_; }

 private:
  void take(int64_t cycle) {
    const int64_t beat = received_ % format_.beats;
    const bool end = beat == format_.beats - 1;
    if (static_cast<bool>(*port_.last) != end) {
      fail(cycle, "m_axis_tlast is " + std::to_string(!end) + " with beat " +
                      std::to_string(beat + 1) + " of " + std::to_string(format_.beats));
    }
    int64_t* word = codes_ + received_ * format_.lanes;
    for (int lane = 0; lane < format_.lanes; ++lane) {
      word[lane] = read_lane(port_.data, format_, lane);
    }
    ++received_;
    cycles_.note(cycle, format_.beats);
  }

  void check_held(int64_t cycle) const {
    if (!*port_.valid) fail(cycle, "m_axis_tvalid fell before the transfer");
    if (!std::equal(held_.begin(), held_.end(), port_.data)) {
      fail(cycle, "m_axis_tdata changed before the transfer");
    }
    if (held_last_ != *port_.last) fail(cycle, "m_axis_tlast changed before the transfer");
  }

  [[noreturn]] void fail(int64_t cycle, const std::string& what) const {
    throw std::runtime_error(what + ", in frame " + std::to_string(received_ / format_.beats) +
                             ", cycle " + std::to_string(cycle));
  }

  Port port_;
  Format format_;
  int64_t* codes_;
  int64_t total_;
  FrameCycles cycles_;
  double backpressure_;
  Random random_;
  std::vector<uint8_t> held_;
  uint8_t held_last_ = 0;
  int64_t received_ = 0;
  bool stalled_ = false;
};

}  // namespace hyq
