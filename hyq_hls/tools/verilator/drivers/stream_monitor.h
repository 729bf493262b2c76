// SPDX-License-Identifier: Apache-2.0
// What passes through the streams inside the design, read from the wires of their FIFOs.
#pragma once

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "axi_stream.h"
#include "model.h"

namespace hyq {

struct StreamResult {
  int64_t written;
  int64_t read;
  int64_t max_occupancy;
  int64_t stalled;  // cycles in which the writer waited: valid and not ready
  int64_t starved;  // cycles in which the reader waited: ready and not valid
  int32_t wr_valid;
  int32_t wr_ready;
  int32_t rd_valid;
  int32_t rd_ready;
};

class StreamMonitor {
 public:
  // The writer of an endless stream goes on behind the last frame; that is not counted.
  StreamMonitor(std::string name, Format format, bool capture, bool endless)
      : name_(std::move(name)), format_(format), capture_(capture), endless_(endless) {
    wr_valid_ = control("_wr_valid");
    wr_ready_ = control("_wr_ready");
    rd_valid_ = control("_rd_valid");
    rd_ready_ = control("_rd_ready");
    if (capture) data_ = find("_wr_data", format.lanes * format.lane_bits);
  }

  void begin(int64_t frames, FrameCycles writes, FrameCycles reads) {
    total_ = frames * format_.beats;
    writes_ = writes;
    reads_ = reads;
    result_ = {};
    captured_.clear();
    stalled_ = held_ = false;
  }

  bool moves() const { return (*wr_valid_ && *wr_ready_) || (*rd_valid_ && *rd_ready_); }
  bool writes() const { return *wr_valid_ && *wr_ready_; }

  // The settled cycle; `counting` ends with the last output, the transfers after it still count.
  bool observe(int64_t cycle, bool counting) {
    const bool wr_valid = *wr_valid_, wr_ready = *wr_ready_;
    const bool rd_valid = *rd_valid_, rd_ready = *rd_ready_;
    if (stalled_ && !wr_valid) fail(cycle, "_wr_valid");
    if (held_ && !rd_valid) fail(cycle, "_rd_valid");
    stalled_ = wr_valid && !wr_ready;
    held_ = rd_valid && !rd_ready;
    if (counting) {
      result_.stalled += stalled_;
      result_.starved += rd_ready && !rd_valid;
    }
    const bool write = counts(wr_valid && wr_ready, result_.written, cycle);
    const bool read = counts(rd_valid && rd_ready, result_.read, cycle);
    if (write) {
      if (capture_) capture();
      ++result_.written;
      writes_.note(cycle, format_.beats);
    }
    if (read) {
      ++result_.read;
      reads_.note(cycle, format_.beats);
    }
    result_.max_occupancy = std::max(result_.max_occupancy, result_.written - result_.read);
    return write || read;
  }

  void check_empty() const {
    if (result_.written == total_ && result_.read == total_) return;
    throw std::runtime_error("stream '" + name_ + "' is not done with the last frame: of " +
                             std::to_string(total_) + " beats " +
                             std::to_string(result_.written) + " were written, " +
                             std::to_string(result_.read) + " read");
  }

  StreamResult result() const {
    StreamResult result = result_;
    result.wr_valid = *wr_valid_;
    result.wr_ready = *wr_ready_;
    result.rd_valid = *rd_valid_;
    result.rd_ready = *rd_ready_;
    return result;
  }

  const std::vector<int64_t>& captured() const { return captured_; }

 private:
  bool counts(bool transfer, int64_t done, int64_t cycle) const {
    if (!transfer || done < total_) return transfer;
    if (!endless_) surplus(cycle);
    return false;
  }

  void capture() {
    for (int lane = 0; lane < format_.lanes; ++lane) {
      captured_.push_back(read_lane(data_, format_, lane));
    }
  }

  const uint8_t* control(const char* suffix) {
    return find(suffix, 1);
  }

  const uint8_t* find(const char* suffix, int bits) {
    const VerilatedVar* wire = Model::wire(name_ + suffix);
    if (!wire) {
      throw std::runtime_error("stream '" + name_ + "': module " HYQ_TOP " has no wire " + name_ +
                               suffix);
    }
    if (width_of(*wire) != bits || wire->udims() != 0) {
      throw std::runtime_error("stream '" + name_ + "': " + name_ + suffix + " has " +
                               std::to_string(width_of(*wire)) + " bits, " +
                               std::to_string(bits) + " are wanted");
    }
    return static_cast<const uint8_t*>(wire->datap());
  }

  [[noreturn]] void surplus(int64_t cycle) const {
    throw std::runtime_error("stream '" + name_ + "' carries more than its " +
                             std::to_string(format_.beats) + " beats per frame, cycle " +
                             std::to_string(cycle));
  }

  [[noreturn]] void fail(int64_t cycle, const char* suffix) const {
    throw std::runtime_error(name_ + suffix + " fell before the transfer, cycle " +
                             std::to_string(cycle));
  }

  std::string name_;
  Format format_;
  bool capture_;
  bool endless_;
  const uint8_t* wr_valid_;
  const uint8_t* wr_ready_;
  const uint8_t* rd_valid_;
  const uint8_t* rd_ready_;
  const uint8_t* data_ = nullptr;
  int64_t total_ = 0;
  FrameCycles writes_{}, reads_{};
  StreamResult result_{};
  std::vector<int64_t> captured_;
  bool stalled_ = false, held_ = false;
};

}  // namespace hyq
