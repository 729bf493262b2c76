// SPDX-License-Identifier: Apache-2.0
// Runs a design with AXI4-Lite registers, an interrupt and an AXI4 port to DRAM.
//
// Its top module has wires `unit_start`, which is not zero in the first cycle of an instruction, and
// `instruction_ended`, which is high in the cycle behind its last. A run may stop there, so that a
// caller can look at the memories of the design.
#include <algorithm>
#include <chrono>
#include <vector>

#include "axi_memory.h"
#include "model.h"

namespace hyq {

constexpr int kHalfPeriod = 5;    // ns
constexpr int kResetCycles = 4;
constexpr int kAnswerCycles = 64;  // in which a register must answer
// Writes of an instruction may reach their memory some cycles behind its end; those of the next
// come later.
constexpr int kSettleCycles = 2;

enum Status : int32_t { kRunning = 0, kDone = 1, kStopped = 2, kFailed = 3 };

// A memory inside the design.
struct Memory {
  const void* data;
  int64_t words;
  int32_t bits;
};

class Bench {
 public:
  explicit Bench(const MemoryConfig& config) : model_(config.seed), memory_(config) {
    started_ = wire("unit_start");
    ended_ = wire("instruction_ended");
    // Inputs begin with random values too.
    model_->s_axi_awvalid = 0;
    model_->s_axi_wvalid = 0;
    model_->s_axi_arvalid = 0;
    model_->s_axi_bready = 1;
    model_->s_axi_rready = 1;
    model_->m_axi_rresp = 0;
    model_->m_axi_bresp = 0;
    model_->rst_ni = 0;
    for (int i = 0; i < kResetCycles; ++i) cycle();
    model_->rst_ni = 1;
  }

  void write(uint32_t address, uint32_t value) {
    model_.enter();
    model_->s_axi_awaddr = address;
    model_->s_axi_wdata = value;
    model_->s_axi_awvalid = 1;
    model_->s_axi_wvalid = 1;
    wait([&] { return model_->s_axi_awready && model_->s_axi_wready; });
    model_->s_axi_awvalid = 0;
    model_->s_axi_wvalid = 0;
    cycle();
  }

  uint32_t read(uint32_t address) {
    model_.enter();
    model_->s_axi_araddr = address;
    model_->s_axi_arvalid = 1;
    wait([&] { return model_->s_axi_arready; });
    model_->s_axi_arvalid = 0;
    uint32_t value = 0;
    wait([&] {
      value = model_->s_axi_rdata;
      return model_->s_axi_rvalid;
    });
    return value;
  }

  // Runs until the interrupt, the end of an instruction (where `stops`), or for `seconds`.
  Status advance(bool stops, double seconds, int64_t patience) {
    model_.enter();
    const auto start = std::chrono::steady_clock::now();
    for (int64_t i = 0;; ++i) {
      if (model_->interrupt_o) return kDone;
      if (i % 1024 == 1023 &&
          std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() >
              seconds) {
        return kRunning;
      }
      const size_t ends = ends_.size();
      cycle();
      if (cycle_ - (ends_.empty() ? 0 : ends_.back()) > patience) {
        throw std::runtime_error("no instruction has ended for " + std::to_string(patience) +
                                 " cycles");
      }
      if (stops && ends_.size() > ends) {
        for (int k = 0; k < kSettleCycles; ++k) cycle();
        return kStopped;
      }
    }
  }

  // Cycles, since the driver began, in which an instruction started, and in which one was over.
  const std::vector<int64_t>& starts() const { return starts_; }
  const std::vector<int64_t>& ends() const { return ends_; }

  // `instance` is a path below the top module.
  Memory memory(const char* instance, const char* name) {
    model_.enter();
    const std::string path = std::string("TOP." HYQ_TOP ".") + instance;
    const VerilatedScope* scope = Verilated::scopeFind(path.c_str());
    const VerilatedVar* variable = scope ? scope->varFind(name) : nullptr;
    if (!variable || variable->udims() != 1) {
      throw std::runtime_error(path + " has no memory " + name);
    }
    return {variable->datap(), variable->elements(1), width_of(*variable)};
  }

 private:
  static const uint8_t* wire(const std::string& name) {
    const VerilatedVar* variable = Model::wire(name);
    if (!variable) throw std::runtime_error("the top module has no public wire " + name);
    return static_cast<const uint8_t*>(variable->datap());
  }

  template <typename Condition>
  void wait(Condition&& condition) {
    for (int i = 0; i < kAnswerCycles; ++i) {
      bool met = false;
      cycle([&] { met = condition(); });
      if (met) return;
    }
    throw std::runtime_error("a register does not answer");
  }

  void cycle() {
    cycle([] {});
  }

  template <typename Look>
  void cycle(Look&& look) {
    memory_.offer(*model_.operator->());
    model_->clk_i = 0;
    model_.eval(kHalfPeriod);
    if (model_->rst_ni) {
      memory_.take(*model_.operator->());
      look();
      if (*started_) starts_.push_back(cycle_);
      if (*ended_) ends_.push_back(cycle_);
    }
    model_->clk_i = 1;
    model_.eval(kHalfPeriod);
    ++cycle_;
  }

  Model model_;
  AxiMemory memory_;
  const uint8_t* started_;
  const uint8_t* ended_;
  std::vector<int64_t> starts_, ends_;
  int64_t cycle_ = 0;
};

}  // namespace hyq

HYQ_API hyq::Bench* hyq_open(const hyq::MemoryConfig* config, char* message, size_t size) {
  return hyq::guarded(message, size, static_cast<hyq::Bench*>(nullptr),
                      [&] { return new hyq::Bench(*config); });
}

HYQ_API int32_t hyq_write(hyq::Bench* bench, uint32_t address, uint32_t value, char* message,
                          size_t size) {
  return hyq::guarded(message, size, 1, [&] { return bench->write(address, value), 0; });
}

HYQ_API int32_t hyq_read(hyq::Bench* bench, uint32_t address, uint32_t* value, char* message,
                         size_t size) {
  return hyq::guarded(message, size, 1, [&] { return *value = bench->read(address), 0; });
}

HYQ_API int32_t hyq_advance(hyq::Bench* bench, int32_t stops, double seconds, int64_t patience,
                            char* message, size_t size) {
  return hyq::guarded(message, size, static_cast<int32_t>(hyq::kFailed), [&] {
    return static_cast<int32_t>(bench->advance(stops != 0, seconds, patience));
  });
}

HYQ_API int64_t hyq_ended(hyq::Bench* bench) {
  return static_cast<int64_t>(bench->ends().size());
}

// First and last cycle of every instruction that has ended.
HYQ_API void hyq_cycles(hyq::Bench* bench, int64_t* starts, int64_t* ends) {
  const size_t count = bench->ends().size();
  std::copy_n(bench->starts().begin(), count, starts);
  for (size_t i = 0; i < count; ++i) ends[i] = bench->ends()[i] - 1;
}

HYQ_API int32_t hyq_memory(hyq::Bench* bench, const char* scope, const char* name, hyq::Memory* memory,
                           char* message, size_t size) {
  return hyq::guarded(message, size, 1, [&] { return *memory = bench->memory(scope, name), 0; });
}

HYQ_API void hyq_close(hyq::Bench* bench) { delete bench; }
