// SPDX-License-Identifier: Apache-2.0
// DRAM behind an AXI4 port of 64 bits: latency, bandwidth, stalls of every channel, and checks.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <deque>
#include <stdexcept>
#include <string>

#include "Vtop.h"
#include "random.h"

namespace hyq {

// A part of the memory that a design may use.
struct Region {
  const char* name;
  uint64_t start;  // address
  uint64_t bytes;
  int32_t writable;
};

struct MemoryConfig {
  uint8_t* data;     // the byte at address `origin` first
  uint64_t origin;
  const Region* regions;
  int64_t region_count;
  int64_t latency;   // cycles from the address of a burst to its first beat, or from the last beat
                     // of a write to its answer
  double bandwidth;  // beats per cycle, of reads and of writes
  double read_stall;   // chance that a channel of reads stalls in a cycle
  double write_stall;  // the same for writes
  uint64_t seed;
};

inline std::string hex(uint64_t value) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%08llx", static_cast<unsigned long long>(value));
  return text;
}

// The memory takes reads and writes in their order. The burst rules are those of an AXI3 port of a
// Zynq-7000: at most 16 beats of 8 bytes at rising addresses, inside of 4 KB.
class AxiMemory {
 public:
  explicit AxiMemory(const MemoryConfig& config) : config_(config), random_(config.seed) {}

  // Before the design settles: what the memory offers in this cycle. An offer stays until taken.
  void offer(Vtop& top) {
    read_credit_ = std::min(read_credit_ + config_.bandwidth, 1.0);
    write_credit_ = std::min(write_credit_ + config_.bandwidth, 1.0);
    reading_ |= !reads_.empty() && reads_.front().due <= cycle_ && read_credit_ >= 1 && reads_flow();
    answering_ |= !answers_.empty() && answers_.front() <= cycle_ && writes_flow();
    top.m_axi_arready = reads_.size() < kMostBursts && reads_flow();
    top.m_axi_rvalid = reading_;
    top.m_axi_rdata = kNothing;
    if (reading_) std::memcpy(&top.m_axi_rdata, at(reads_.front().address), kBeat);
    top.m_axi_rlast = reading_ && reads_.front().beats == 1;
    top.m_axi_awready = writes_.size() < kMostBursts && writes_flow();
    top.m_axi_wready = !writes_.empty() && write_credit_ >= 1 && writes_flow();
    top.m_axi_bvalid = answering_;
  }

  // When the design has settled, before the rising edge: what is transferred.
  void take(const Vtop& top) {
    const Address read{static_cast<bool>(top.m_axi_arvalid), top.m_axi_araddr, top.m_axi_arlen,
                       top.m_axi_arsize, top.m_axi_arburst};
    const Address write{static_cast<bool>(top.m_axi_awvalid), top.m_axi_awaddr, top.m_axi_awlen,
                        top.m_axi_awsize, top.m_axi_awburst};
    const Beat beat{static_cast<bool>(top.m_axi_wvalid), top.m_axi_wdata, top.m_axi_wstrb,
                    static_cast<bool>(top.m_axi_wlast)};
    // What comes in a cycle is used from the next cycle on.
    const bool takes_beat = beat.valid && top.m_axi_wready;
    if (top.m_axi_rvalid && top.m_axi_rready) take_read_beat();
    if (top.m_axi_bvalid && top.m_axi_bready) {
      answers_.pop_front();
      answering_ = false;
    }
    if (takes_beat) take_write_beat(beat);
    if (read.stays(read_, "m_axi_ar") && top.m_axi_arready) {
      check(read, "read", false);
      reads_.push_back({read.address, read.length + 1, cycle_ + config_.latency});
    }
    if (write.stays(write_, "m_axi_aw") && top.m_axi_awready) {
      check(write, "write", true);
      writes_.push_back({write.address, write.length + 1, 0});
    }
    if (beat_.valid && !beat_.same(beat)) throw changed("m_axi_w");
    read_ = top.m_axi_arready ? Address{} : read;
    write_ = top.m_axi_awready ? Address{} : write;
    beat_ = takes_beat ? Beat{} : beat;
    ++cycle_;
  }

 private:
  static constexpr uint64_t kBeat = 8;
  static constexpr uint64_t kPage = 4096;
  static constexpr uint64_t kNothing = 0xa5a5a5a5a5a5a5a5;  // read data that is not valid
  static constexpr int kMostBeats = 16;
  static constexpr size_t kMostBursts = 8;

  static std::runtime_error changed(const std::string& channel) {
    return std::runtime_error(channel + "valid fell or its fields changed before " + channel +
                              "ready");
  }

  struct Address {
    bool valid;
    uint64_t address;
    int32_t length;  // beats less one
    int32_t size;
    int32_t burst;

    bool stays(const Address& before, const char* channel) const {
      if (before.valid && !(valid && address == before.address && length == before.length)) {
        throw changed(channel);
      }
      return valid;
    }
  };

  struct Beat {
    bool valid;
    uint64_t data;
    uint32_t strobe;
    bool last;

    bool same(const Beat& other) const {
      return other.valid && data == other.data && strobe == other.strobe && last == other.last;
    }
  };

  struct Burst {
    uint64_t address;  // of the next beat
    int32_t beats;     // that are left
    int64_t due;       // cycle of the first
  };

  bool reads_flow() { return !random_.chance(config_.read_stall); }
  bool writes_flow() { return !random_.chance(config_.write_stall); }

  uint8_t* at(uint64_t address) { return config_.data + (address - config_.origin); }

  void take_read_beat() {
    reading_ = false;
    read_credit_ -= 1;
    advance(reads_);
  }

  void take_write_beat(const Beat& beat) {
    const bool last = writes_.front().beats == 1;
    if (beat.last != last) {
      throw std::runtime_error(std::string("m_axi_wlast is ") + (beat.last ? "1" : "0") +
                               " with a beat at " + hex(writes_.front().address) + " that is " +
                               (last ? "" : "not ") + "the last of its burst");
    }
    uint8_t* target = at(writes_.front().address);
    for (uint64_t i = 0; i < kBeat; ++i) {
      if (beat.strobe >> i & 1) target[i] = static_cast<uint8_t>(beat.data >> 8 * i);
    }
    write_credit_ -= 1;
    if (last) answers_.push_back(cycle_ + config_.latency);
    advance(writes_);
  }

  static void advance(std::deque<Burst>& bursts) {
    bursts.front().address += kBeat;
    if (--bursts.front().beats == 0) bursts.pop_front();
  }

  void check(const Address& burst, const char* what, bool writes) const {
    const uint64_t bytes = kBeat * (burst.length + 1);
    const std::string named = std::string(what) + " of " + std::to_string(bytes) + " bytes at " +
                              hex(burst.address);
    if (burst.size != 3 || burst.burst != 1 || burst.length >= kMostBeats) {
      throw std::runtime_error(named + ": size " + std::to_string(burst.size) + ", burst " +
                               std::to_string(burst.burst) +
                               "; at most 16 beats of 8 bytes at rising addresses are wanted");
    }
    if (burst.address % kBeat || burst.address / kPage != (burst.address + bytes - 1) / kPage) {
      throw std::runtime_error(named + ": a multiple of 8 inside of 4 KB is wanted");
    }
    std::string wanted;
    for (int64_t i = 0; i < config_.region_count; ++i) {
      const Region& region = config_.regions[i];
      if (writes && !region.writable) continue;
      if (burst.address >= region.start && burst.address + bytes <= region.start + region.bytes) {
        return;
      }
      wanted += std::string(wanted.empty() ? "" : ", ") + region.name + " " + hex(region.start) +
                " to " + hex(region.start + region.bytes);
    }
    throw std::runtime_error(named + " lies outside of " + wanted);
  }

  MemoryConfig config_;
  Random random_;
  std::deque<Burst> reads_, writes_;
  std::deque<int64_t> answers_;  // cycles from which on writes may be answered
  Address read_{}, write_{};     // offers that were not taken
  Beat beat_{};
  bool reading_ = false, answering_ = false;
  double read_credit_ = 0, write_credit_ = 0;
  int64_t cycle_ = 0;
};

}  // namespace hyq
