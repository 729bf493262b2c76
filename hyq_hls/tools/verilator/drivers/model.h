// SPDX-License-Identifier: Apache-2.0
// The Verilated top as both drivers use it: one context per model, errors as exceptions, waves.
#pragma once

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>

#include "Vtop.h"
#include "verilated.h"
#include "verilated_syms.h"
#if VM_TRACE_FST
#include "verilated_fst_c.h"
using Waves = VerilatedFstC;
#elif VM_TRACE_VCD
#include "verilated_vcd_c.h"
using Waves = VerilatedVcdC;
#endif

#define HYQ_API extern "C" __attribute__((visibility("default")))

// What Verilator would print and abort for ($fatal, a missing memory file, a loop that does not
// settle) ends the call instead. The macros VL_USER_* of the build leave these functions to us.
inline std::string located(const char* file, int line, const std::string& text) {
  return (file && *file) ? std::string(file) + ":" + std::to_string(line) + ": " + text : text;
}
void vl_fatal(const char* file, int line, const char*, const char* message) {
  throw std::runtime_error(located(file, line, message));
}
void vl_warn(const char* file, int line, const char*, const char* message) {
  throw std::runtime_error(located(file, line, message));
}
void vl_stop(const char* file, int line, const char*) {
  std::fflush(stdout);  // where $fatal and $error have written their text
  throw std::runtime_error(
      located(file, line, "the design called $fatal, $error or $stop; its text is on stdout"));
}
void vl_finish(const char* file, int line, const char*) {
  throw std::runtime_error(located(file, line, "the design called $finish"));
}

namespace hyq {

// Bits of an element: from the packed ranges, which old releases of Verilator keep as one range.
template <typename Variable>
auto width_of(const Variable& variable, int) -> decltype(static_cast<int>(variable.entBits())) {
  return static_cast<int>(variable.entBits());
}
template <typename Variable>
int width_of(const Variable& variable, long) {
  return variable.elements(0);
}
inline int width_of(const VerilatedVar& variable) { return width_of(variable, 0); }

class Model {
 public:
  // Registers without a reset start with random values, so that a result cannot rest on them.
  explicit Model(uint64_t seed) {
    Verilated::threadContextp(&context_);
    context_.randReset(2);
    context_.randSeed(static_cast<int>(seed % 0x7fffffff) + 1);  // 0 would mean "of the clock"
#if VM_TRACE
    context_.traceEverOn(true);
#endif
    top_ = std::make_unique<Vtop>(&context_, "TOP");
  }

  ~Model() {
    enter();
    try {
      stop_trace();
    } catch (const std::exception&) {  // The caller was told when it stopped the trace itself.
    }
    top_->final();
  }

  Vtop* operator->() { return top_.get(); }

  // Verilator keeps the context per thread; Python may call from any.
  void enter() { Verilated::threadContextp(&context_); }

  // Settles the design after a change of inputs between two points in time.
  void settle() { top_->eval(); }

  // Settles the design, dumps it, and moves time on; half a clock period is `step` ns.
  void eval(int step) {
    top_->eval();
#if VM_TRACE
    if (waves_ && dumping) write([&] { waves_->dump(context_.time()); });
#endif
    context_.timeInc(step);
  }

  // A wire by its name in the top module; null when there is none.
  static const VerilatedVar* wire(const std::string& name) {
    const VerilatedScope* scope = Verilated::scopeFind("TOP." HYQ_TOP);
    return scope ? scope->varFind(name.c_str()) : nullptr;
  }

  // Only what lies in `scope` is written, such as "TOP.net.u_conv"; all where it is empty.
  void start_trace(const char* path, const char* scope = "") {
#if VM_TRACE
    stop_trace();
    if (traced_) throw std::runtime_error("a model can be traced once; start a new one");
    // The FST writer does not say whether its file is open.
    if (!std::ofstream(path)) throw std::runtime_error(std::string("cannot write ") + path);
    traced_ = true;
    path_ = path;
    waves_ = std::make_unique<Waves>();
    top_->trace(waves_.get(), 99);
    if (*scope) waves_->dumpvars(99, scope);
    write([&] { waves_->open(path); });
    if (!waves_->isOpen()) throw std::runtime_error(std::string("cannot write ") + path);
#else
    throw std::runtime_error(std::string("cannot write ") + path +
                             ": the library was built without tracing (build it with trace=True)");
#endif
  }

  // Throws where the file is not complete: the length of an FST header is written last.
  void stop_trace() {
#if VM_TRACE
    if (!waves_) return;
    write([&] { waves_->close(); });
    waves_.reset();
#endif
#if VM_TRACE_FST
    char start[9] = {};
    std::ifstream(path_, std::ios::binary).read(start, sizeof start);
    if (!start[8]) throw std::runtime_error(path_ + " is not complete; is the disk full?");
#endif
  }

  bool dumping = true;

 private:
#if VM_TRACE
  // A writer that failed is left alone: its destructor would write again, and end the process.
  template <typename Action>
  void write(Action&& action) {
    try {
      action();
    } catch (const std::exception&) {
      static_cast<void>(waves_.release());
      throw;
    }
  }
#endif

  VerilatedContext context_;
  std::unique_ptr<Vtop> top_;
  std::string path_;
#if VM_TRACE
  std::unique_ptr<Waves> waves_;
  bool traced_ = false;
#endif
};

// A C call's body: an exception becomes `failed` and a message.
template <typename Body, typename Result>
Result guarded(char* message, size_t size, Result failed, Body&& body) {
  try {
    return body();
  } catch (const std::exception& error) {
    if (size) message[std::string(error.what()).copy(message, size - 1)] = '\0';
    return failed;
  }
}

}  // namespace hyq
