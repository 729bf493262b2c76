// SPDX-License-Identifier: Apache-2.0
// Co-simulation of a generated design: whole frames through its AXI4-Streams, in C calls.
//
// One run is hyq_open, hyq_advance until it no longer answers kRunning, the results, hyq_close.
// The caller owns all arrays and keeps them until hyq_close.
#include <chrono>

#include "axi_stream.h"
#include "model.h"
#include "stream_monitor.h"

namespace hyq {

enum Status : int32_t { kRunning = 0, kDone = 1, kDeadlock = 2, kFailed = 3 };

struct StreamConfig {
  const char* name;
  Format format;
  int32_t capture;
  int32_t endless;  // its writer waits for no frame
};

struct Config {
  Format input;
  Format output;
  const StreamConfig* streams;
  int64_t stream_count;
  int64_t frames;
  const int64_t* codes;     // [frames][input beats][lanes]
  int64_t* outputs;         // [frames][output beats][lanes]
  int64_t* frame_cycles;    // [input first, input last, output first, output last][frames]
  int64_t* stream_cycles;   // [stream][write first, write last, read first, read last][frames]
  double idle;              // probability of an idle cycle before a beat
  double backpressure;      // probability that the sink is not ready
  uint64_t seed;
  int64_t pace;             // cycles per frame at which beats are offered; 0: as fast as taken
  int64_t deadlock_cycles;  // this many cycles without any transfer are a deadlock
  int64_t reset_after;      // cycles before a reset in mid-frame; 0: none
  int64_t activity_cycles;  // cycles per bin of the activity; 0: none
  int32_t statistics;
  Last last;
  const char* vcd;  // null: none
  int64_t vcd_cycles[2];  // dump cycles [first, last) ...
  int64_t vcd_frames[2];  // ... of frames [first, last)
};

struct Summary {
  int64_t cycles;       // from the reset to the last output beat
  int64_t sent;         // input beats taken by the design
  int64_t received;     // output beats
  int32_t frame_errors;
  int32_t input_valid;
  int32_t input_ready;
  int32_t output_valid;
  int32_t output_ready;
};

constexpr int kResetCycles = 4;
constexpr int kDrainCycles = 256;  // silence after the last output that ends a run
constexpr int kHalfPeriod = 5;     // ns

// Verilator's C++ type of a port holds the wanted number of bits and no size smaller.
void check_width(const char* port, size_t bytes, int64_t bits) {
  const size_t wanted = bits <= 8 ? 1 : bits <= 16 ? 2 : bits <= 32 ? 4 : bits <= 64 ? 8
                                                                     : (bits + 31) / 32 * 4;
  if (bytes == wanted) return;
  throw std::runtime_error(std::string(port) + " of the design is not " + std::to_string(bits) +
                           " bits wide, as its format says");
}

class Bench {
 public:
  explicit Bench(const Config& config) : config_(config), model_(config.seed) {
    input_ = {bytes_of(model_->s_axis_tdata), sizeof(model_->s_axis_tdata),
              &model_->s_axis_tvalid, &model_->s_axis_tready, &model_->s_axis_tlast};
    output_ = {bytes_of(model_->m_axis_tdata), sizeof(model_->m_axis_tdata),
               &model_->m_axis_tvalid, &model_->m_axis_tready, &model_->m_axis_tlast};
    check_width("s_axis_tdata", input_.bytes, config.input.lanes * config.input.lane_bits);
    check_width("m_axis_tdata", output_.bytes, config.output.lanes * config.output.lane_bits);
    for (int64_t i = 0; i < config.stream_count; ++i) {
      const StreamConfig& stream = config.streams[i];
      streams_.emplace_back(stream.name, stream.format, stream.capture, stream.endless);
    }
    if (config.vcd) model_.start_trace(config.vcd);
    begin();
  }

  // Goes on for about `seconds`, so that the caller can show progress and be interrupted.
  Status advance(double seconds) {
    model_.enter();
    const auto start = std::chrono::steady_clock::now();
    do {
      for (int i = 0; i < 256; ++i) {
        const Status status = cycle();
        if (status != kRunning) return status;
      }
    } while (std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() <
             seconds);
    return kRunning;
  }

  Summary summary() {
    return {last_output_ + 1,      source_->sent(),         sink_->received(),
            model_->frame_errors,  model_->s_axis_tvalid,   model_->s_axis_tready,
            model_->m_axis_tvalid, model_->m_axis_tready};
  }

  const StreamMonitor& stream(int64_t i) const { return streams_[i]; }
  const std::vector<int64_t>& activity(int64_t i) const { return activity_[i]; }

 private:
  template <typename Data>
  static uint8_t* bytes_of(Data& data) {
    return reinterpret_cast<uint8_t*>(&data);
  }

  // Reset, and everything that is counted starts anew.
  void begin() {
    const int64_t n = config_.frames;
    int64_t* frames = config_.frame_cycles;
    source_ = std::make_unique<Source>(input_, config_.input, config_.codes, n,
                                       FrameCycles{frames, frames + n}, config_.idle,
                                       config_.pace, config_.last, config_.seed);
    sink_ = std::make_unique<Sink>(output_, config_.output, config_.outputs, n,
                                   FrameCycles{frames + 2 * n, frames + 3 * n},
                                   config_.backpressure, ~config_.seed);
    for (size_t i = 0; i < streams_.size(); ++i) {
      int64_t* cycles = config_.stream_cycles + 4 * n * i;
      streams_[i].begin(n, {cycles, cycles + n}, {cycles + 2 * n, cycles + 3 * n});
    }
    activity_.assign(streams_.size() + 2, {});
    cycle_ = quiet_ = drained_ = 0;
    last_output_ = -1;
    reset();
  }

  void reset() {
    model_.dumping = dumps();
    model_->aresetn = 0;
    model_->m_axis_tready = 1;
    for (int i = 0; i < kResetCycles; ++i) {
      model_->aclk = 0;
      model_.eval(kHalfPeriod);
      // Registers take their reset values with the first edge: a model begins without one.
      if (i && model_->m_axis_tvalid) throw std::runtime_error("m_axis_tvalid is high during reset");
      model_->aclk = 1;
      model_.eval(kHalfPeriod);
    }
    model_->aresetn = 1;
  }

  Status cycle() {
    if (config_.reset_after && !was_reset_ && cycle_ == config_.reset_after) {
      was_reset_ = true;
      begin();
    }
    const Status status = settle();
    if (status == kDone && config_.reset_after && !was_reset_) {
      throw std::runtime_error("the frames ended in cycle " + std::to_string(last_output_) +
                               ", before the reset wanted after cycle " +
                               std::to_string(config_.reset_after));
    }
    if (status != kRunning) return status;
    model_->aclk = 1;
    model_.eval(kHalfPeriod);
    source_->after_edge();
    ++cycle_;
    return kRunning;
  }

  // The first half of a cycle: drives the ports, lets the design settle, looks at all transfers.
  Status settle() {
    model_.dumping = dumps();
    source_->drive(cycle_);
    sink_->drive();
    model_->aclk = 0;
    model_.eval(kHalfPeriod);
    const bool running = !sink_->done();
    if (running && config_.activity_cycles) count_activity();
    bool moved = source_->observe(cycle_);
    if (sink_->observe(cycle_)) {
      moved = true;
      last_output_ = cycle_;
    }
    if (model_->frame_errors && config_.last == Last::kFrame) {
      throw std::runtime_error("frame_errors counts although s_axis_tlast came with the last "
                               "beat of every frame, cycle " + std::to_string(cycle_));
    }
    if (config_.statistics) {
      for (StreamMonitor& stream : streams_) moved |= stream.observe(cycle_, running);
    } else if (quiet_ > config_.deadlock_cycles / 2) {  // looking costs: only in doubt
      for (const StreamMonitor& stream : streams_) moved |= stream.moves();
    }
    quiet_ = moved || source_->waiting() ? 0 : quiet_ + 1;
    if (sink_->done()) return drain(moved);
    return quiet_ < config_.deadlock_cycles ? kRunning : kDeadlock;
  }

  // Nothing may follow the last output but what the streams still owe.
  Status drain(bool moved) {
    drained_ = moved ? 0 : drained_ + 1;
    if (drained_ < kDrainCycles) return kRunning;
    if (config_.statistics) {
      for (const StreamMonitor& stream : streams_) stream.check_empty();
    }
    return kDone;
  }

  void count_activity() {
    const size_t bin = cycle_ / config_.activity_cycles;
    for (std::vector<int64_t>& bins : activity_) bins.resize(bin + 1);
    for (size_t i = 0; i < streams_.size(); ++i) activity_[i][bin] += streams_[i].writes();
    activity_[streams_.size()][bin] += input_.transfers();
    activity_[streams_.size() + 1][bin] += output_.transfers();
  }

  bool dumps() const {
    return cycle_ >= config_.vcd_cycles[0] && cycle_ < config_.vcd_cycles[1] &&
           source_->sent() >= config_.vcd_frames[0] * config_.input.beats &&
           sink_->received() < config_.vcd_frames[1] * config_.output.beats;
  }

  Config config_;
  Model model_;
  Port input_{}, output_{};
  std::unique_ptr<Source> source_;
  std::unique_ptr<Sink> sink_;
  std::vector<StreamMonitor> streams_;
  std::vector<std::vector<int64_t>> activity_;  // streams, input, output
  int64_t cycle_ = 0;
  int64_t quiet_ = 0;
  int64_t drained_ = 0;
  int64_t last_output_ = -1;
  bool was_reset_ = false;
};

}  // namespace hyq

HYQ_API hyq::Bench* hyq_open(const hyq::Config* config, char* message, size_t size) {
  return hyq::guarded(message, size, static_cast<hyq::Bench*>(nullptr),
                      [&] { return new hyq::Bench(*config); });
}

HYQ_API int32_t hyq_advance(hyq::Bench* bench, double seconds, char* message, size_t size) {
  return hyq::guarded(message, size, hyq::kFailed, [&] { return bench->advance(seconds); });
}

HYQ_API void hyq_summary(hyq::Bench* bench, hyq::Summary* summary) { *summary = bench->summary(); }

HYQ_API void hyq_stream(hyq::Bench* bench, int64_t i, hyq::StreamResult* result) {
  *result = bench->stream(i).result();
}

HYQ_API int64_t hyq_captured_size(hyq::Bench* bench, int64_t i) {
  return static_cast<int64_t>(bench->stream(i).captured().size());
}

HYQ_API void hyq_captured(hyq::Bench* bench, int64_t i, int64_t* codes) {
  const std::vector<int64_t>& captured = bench->stream(i).captured();
  std::copy(captured.begin(), captured.end(), codes);
}

HYQ_API int64_t hyq_activity_size(hyq::Bench* bench) {
  return static_cast<int64_t>(bench->activity(0).size());
}

HYQ_API void hyq_activity(hyq::Bench* bench, int64_t i, int64_t* bins) {
  const std::vector<int64_t>& activity = bench->activity(i);
  std::copy(activity.begin(), activity.end(), bins);
}

HYQ_API void hyq_close(hyq::Bench* bench) { delete bench; }
