// Whole frames through a generated design as CXXRTL simulates it: a second simulator beside Verilator.
//
//   <program> frames in_beats out_beats idle backpressure seed < tdata_in > tdata_out
//
// Beats are the bytes of TDATA, the lowest first. idle is the probability of an idle cycle before a
// beat is offered, backpressure that of a cycle in which the sink is not ready. Ends with status 1
// and a message when a stream breaks its protocol, no beat moves any more, or one comes too many.
//
// DESIGN names the file that Yosys' write_cxxrtl wrote for module `top`.
#include DESIGN

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <iterator>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

constexpr int kResetCycles = 4;
constexpr int kSilence = 256;       // cycles after the last beat in which no other may come
constexpr int kDeadlock = 100'000;  // cycles without any transfer

// An output is a value, or a wire where it is a register.
template <size_t Bits>
const cxxrtl::value<Bits> &shown(const cxxrtl::value<Bits> &port) {
  return port;
}
template <size_t Bits>
const cxxrtl::value<Bits> &shown(const cxxrtl::wire<Bits> &port) {
  return port.curr;
}

template <typename Port>
bool high(const Port &port) {
  return bool(shown(port));
}

template <size_t Bits>
size_t bytes_of(const cxxrtl::value<Bits> &) {
  static_assert(Bits % 8 == 0, "TDATA has whole bytes");
  return Bits / 8;
}

template <size_t Bits>
void put(cxxrtl::value<Bits> &port, const uint8_t *bytes) {
  port = cxxrtl::value<Bits>();
  for (size_t i = 0; i < Bits / 8; ++i) port.data[i / 4] |= uint32_t(bytes[i]) << (8 * (i % 4));
}

template <size_t Bits>
void get(const cxxrtl::value<Bits> &port, std::vector<uint8_t> &bytes) {
  for (size_t i = 0; i < Bits / 8; ++i) bytes.push_back(port.data[i / 4] >> (8 * (i % 4)) & 0xff);
}

struct Task {
  size_t frames, in_beats, out_beats;
  double idle, backpressure;
  uint32_t seed;
};

class Bench {
 public:
  explicit Bench(const Task &task) : task_(task), random_(task.seed) {}

  std::vector<uint8_t> run(const std::vector<uint8_t> &input) {
    const size_t beat_bytes = bytes_of(top_.p_s__axis__tdata);
    if (input.size() != task_.frames * task_.in_beats * beat_bytes) {
      throw std::runtime_error("the input has " + std::to_string(input.size()) + " bytes, " +
                               std::to_string(task_.frames * task_.in_beats * beat_bytes) +
                               " are wanted");
    }
    reset();
    for (int quiet = 0, silent = 0; silent < kSilence; ++cycle_) {
      const bool done = received_ == task_.frames * task_.out_beats;
      silent = done ? silent + 1 : 0;
      drive(input, beat_bytes);
      top_.p_aclk.set(false);
      top_.step();
      quiet = observe() ? 0 : quiet + 1;
      if (quiet > kDeadlock) fail("no transfer for " + std::to_string(quiet) + " cycles");
      top_.p_aclk.set(true);
      top_.step();
    }
    return output_;
  }

 private:
  [[noreturn]] void fail(const std::string &what) const {
    throw std::runtime_error(what + ", cycle " + std::to_string(cycle_) + ": " +
                             std::to_string(sent_) + " beats went in, " +
                             std::to_string(received_) + " came out");
  }

  bool chance(double probability) {
    return std::uniform_real_distribution<double>()(random_) < probability;
  }

  void reset() {
    top_.p_aresetn.set(false);
    for (int i = 0; i < kResetCycles; ++i) {
      top_.p_aclk.set(false);
      top_.step();
      top_.p_aclk.set(true);
      top_.step();
    }
    top_.p_aresetn.set(true);
  }

  void drive(const std::vector<uint8_t> &input, size_t beat_bytes) {
    if (!offered_ && sent_ < task_.frames * task_.in_beats && !chance(task_.idle)) {
      put(top_.p_s__axis__tdata, &input[sent_ * beat_bytes]);
      offered_ = true;
    }
    top_.p_s__axis__tvalid.set(offered_);
    top_.p_s__axis__tlast.set(offered_ && (sent_ + 1) % task_.in_beats == 0);
    top_.p_m__axis__tready.set(!chance(task_.backpressure));
  }

  // The settled cycle; true when a beat moved at one of the ports.
  bool observe() {
    const bool taken = offered_ && high(top_.p_s__axis__tready);
    if (taken) {
      ++sent_;
      offered_ = false;
    }
    const bool valid = high(top_.p_m__axis__tvalid), ready = high(top_.p_m__axis__tready);
    if (high(top_.p_frame__errors)) fail("frame_errors counts");
    if (waiting_ && !valid) fail("m_axis_tvalid fell before m_axis_tready");
    if (valid) {
      std::vector<uint8_t> beat;
      get(shown(top_.p_m__axis__tdata), beat);
      if (waiting_ && beat != held_) fail("m_axis_tdata changed before m_axis_tready");
      if (high(top_.p_m__axis__tlast) != ((received_ + 1) % task_.out_beats == 0)) {
        fail("m_axis_tlast is not at the end of a frame");
      }
      if (received_ == task_.frames * task_.out_beats) fail("a beat more than wanted");
      if (ready) {
        output_.insert(output_.end(), beat.begin(), beat.end());
        ++received_;
      }
      held_ = beat;
    }
    waiting_ = valid && !ready;
    return taken || (valid && ready);
  }

  Task task_;
  std::mt19937 random_;
  cxxrtl_design::p_top top_;
  std::vector<uint8_t> output_, held_;
  size_t sent_ = 0, received_ = 0;
  int64_t cycle_ = 0;
  bool offered_ = false, waiting_ = false;
};

}  // namespace

int main(int count, char **arguments) {
  if (count != 7) {
    std::cerr << "usage: " << arguments[0]
              << " frames in_beats out_beats idle backpressure seed < tdata_in > tdata_out\n";
    return 2;
  }
  const Task task{std::strtoul(arguments[1], nullptr, 10), std::strtoul(arguments[2], nullptr, 10),
                  std::strtoul(arguments[3], nullptr, 10), std::strtod(arguments[4], nullptr),
                  std::strtod(arguments[5], nullptr),
                  uint32_t(std::strtoul(arguments[6], nullptr, 10))};
  try {
    const std::vector<uint8_t> input{std::istreambuf_iterator<char>(std::cin), {}};
    const std::vector<uint8_t> output = Bench(task).run(input);
    std::fwrite(output.data(), 1, output.size(), stdout);
  } catch (const std::exception &error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
  return 0;
}
