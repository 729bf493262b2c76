// SPDX-License-Identifier: Apache-2.0
// Interactive simulation of any module: a table of all signals with their addresses, and time.
//
// Python reads and writes the signals in place, and calls here to let the design react.
#include <cstring>
#include <vector>

#include "model.h"

namespace hyq {

constexpr int kMaxDimensions = 8;
constexpr int kHalfPeriod = 5;  // ns

struct Signal {
  const char* scope;
  const char* name;
  void* data;
  int32_t bits;       // of an element
  int32_t direction;  // 1 input, 2 output, 3 inout, 0 or 5 inside
  int32_t is_parameter;
  int32_t dimensions;  // of an array
  int32_t sizes[kMaxDimensions];
};

class Simulator {
 public:
  explicit Simulator(uint64_t seed) : model_(seed) {
    for (const auto& [scope_name, scope] : *Verilated::scopeNameMap()) {
      if (!scope->varsp()) continue;
      for (const auto& [name, variable] : *scope->varsp()) add(scope->name(), name, variable);
    }
    // Before the first evaluation, in which a clock that is high would be a rising edge.
    for (const Signal& signal : signals_) {
      if (signal.direction == VLVD_IN) std::memset(signal.data, 0, bytes_of(signal));
    }
    model_.settle();
  }

  const std::vector<Signal>& signals() const { return signals_; }

  void settle() {
    model_.enter();
    model_.settle();
  }

  // Whole periods: the low half takes the inputs, the rising edge ends in the high half.
  void tick(uint8_t* clock, int64_t periods) {
    model_.enter();
    for (int64_t i = 0; i < periods; ++i) {
      *clock = 0;
      model_.eval(kHalfPeriod);
      *clock = 1;
      model_.eval(kHalfPeriod);
    }
  }

  void start_trace(const char* path, const char* scope) {
    model_.enter();
    model_.start_trace(path, scope);
  }

  void stop_trace() { model_.stop_trace(); }

 private:
  static size_t bytes_of(const Signal& signal) {
    size_t bytes = signal.bits <= 8 ? 1 : signal.bits <= 16 ? 2 : (signal.bits + 31) / 32 * 4;
    for (int i = 0; i < signal.dimensions; ++i) bytes *= signal.sizes[i];
    return bytes;
  }

  void add(const char* scope, const char* name, const VerilatedVar& variable) {
    const VerilatedVarType type = variable.vltype();
    const bool readable = type >= VLVT_UINT8 && type <= VLVT_WDATA;
    if (!readable || variable.udims() > kMaxDimensions) return;
    Signal signal{scope, name, variable.datap(), width_of(variable), variable.vldir(),
                  variable.isParam(), variable.udims(), {}};
    for (int i = 0; i < variable.udims(); ++i) signal.sizes[i] = variable.elements(i + 1);
    signals_.push_back(signal);
  }

  Model model_;
  std::vector<Signal> signals_;
};

}  // namespace hyq

HYQ_API hyq::Simulator* hyq_open(uint64_t seed, char* message, size_t size) {
  return hyq::guarded(message, size, static_cast<hyq::Simulator*>(nullptr),
                      [&] { return new hyq::Simulator(seed); });
}

HYQ_API const char* hyq_top() { return HYQ_TOP; }

HYQ_API const char* hyq_waves() { return HYQ_WAVES; }

// Instances that can be traced with all below them, separated by blanks; null: all of the design.
HYQ_API const char* hyq_watched() { return HYQ_WATCHED; }

HYQ_API int64_t hyq_signal_count(hyq::Simulator* simulator) {
  return static_cast<int64_t>(simulator->signals().size());
}

HYQ_API const hyq::Signal* hyq_signals(hyq::Simulator* simulator) {
  return simulator->signals().data();
}

HYQ_API int32_t hyq_settle(hyq::Simulator* simulator, char* message, size_t size) {
  return hyq::guarded(message, size, 1, [&] { return simulator->settle(), 0; });
}

HYQ_API int32_t hyq_tick(hyq::Simulator* simulator, uint8_t* clock, int64_t periods,
                         char* message, size_t size) {
  return hyq::guarded(message, size, 1, [&] { return simulator->tick(clock, periods), 0; });
}

HYQ_API int32_t hyq_start_trace(hyq::Simulator* simulator, const char* path, const char* scope,
                                char* message, size_t size) {
  return hyq::guarded(message, size, 1, [&] { return simulator->start_trace(path, scope), 0; });
}

HYQ_API int32_t hyq_stop_trace(hyq::Simulator* simulator, char* message, size_t size) {
  return hyq::guarded(message, size, 1, [&] { return simulator->stop_trace(), 0; });
}

HYQ_API void hyq_close(hyq::Simulator* simulator) { delete simulator; }
