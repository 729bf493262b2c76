// Drives a Verilated bench of many streams side by side under random stalls, and writes down every
// transfer. tests/stream/rtl/stream_bench.py makes the bench; the word of a channel has WORD_BITS.
//
//   stream_parts <seed> <valid %> <ready %> <cycles> <reset cycle, or -1> [<words> <tail>]
//
// With the last two, the run ends <tail> cycles after <words> words came out since the last reset,
// or after <cycles>.
// Standard input: for every input channel one line: its words in hexadecimal, first to last.
// Standard output: "i <channel> <cycle>", "o <channel> <cycle> <word>" for a transfer;
// "reset" when everything starts anew (cycles too); and at the end what was seen at any time:
//   ready_path <input channel>      in_ready depends on out_ready in the same cycle
//   valid_path <output channel>     valid or data depend on in_valid in the same cycle
//   unstable <output channel>       broken handshake: valid or data change before the transfer
//   waits_for_ready <output channel>  broken handshake: valid or data depend on out_ready
#include <array>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <limits>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "Vbench.h"
#include "verilated.h"

namespace {

constexpr unsigned kWordBits = WORD_BITS;
constexpr unsigned kChunks = kWordBits / 32;
constexpr unsigned kInputs = INPUTS;
constexpr unsigned kOutputs = OUTPUTS;

using Word = std::array<std::uint32_t, kChunks>;

Word parse(const std::string &text) {
    Word word{};
    for (unsigned digit = 0; digit < text.size(); digit++) {
        const unsigned value = std::stoul(text.substr(text.size() - 1 - digit, 1), nullptr, 16);
        word.at(digit / 8) |= value << (4 * (digit % 8));
    }
    return word;
}

std::string format(const Word &word) {
    std::string text;
    for (unsigned digit = kWordBits / 4; digit-- > 0;) {
        text += "0123456789abcdef"[word[digit / 8] >> (4 * (digit % 8)) & 15];
    }
    return text;
}

template <class Bus> void set_bit(Bus &bus, unsigned index, bool value) {
    const std::uint32_t mask = std::uint32_t{1} << (index % 32);
    bus[index / 32] = value ? bus[index / 32] | mask : bus[index / 32] & ~mask;
}

template <class Bus> bool get_bit(const Bus &bus, unsigned index) {
    return bus[index / 32] >> (index % 32) & 1;
}

struct Source {
    std::vector<Word> words;
    std::size_t next = 0;
    bool valid = false;
};

struct Output {
    bool valid = false;
    Word word{};
    bool operator==(const Output &other) const {
        return valid == other.valid && (!valid || word == other.word);
    }
};

class Bench {
  public:
    Bench(unsigned seed, unsigned valid_percent, unsigned ready_percent)
        : random_(seed), valid_percent_(valid_percent), ready_percent_(ready_percent) {
        for (Source &source : sources_) {
            std::string line, word;
            std::getline(std::cin, line);
            for (std::istringstream words(line); words >> word;) {
                source.words.push_back(parse(word));
            }
        }
    }

    void reset() {
        for (unsigned c = 0; c < kInputs; c++) {
            sources_[c].next = 0;
            sources_[c].valid = false;
            set_bit(top_.in_valid_i, c, false);
        }
        top_.rst_ni = 0;
        clock();
        clock();
        top_.rst_ni = 1;
        stalled_ = {};
        cycle_ = 0;
        received_ = 0;
        std::cout << "reset\n";
    }

    void step() {
        choose();
        look_for_paths();
        drive(false, false);
        for (unsigned c = 0; c < kOutputs; c++) {
            const Output now = output(c);
            if (stalled_[c].valid && !(now == stalled_[c])) {
                seen_.insert({"unstable", c});
            }
            const bool transfer = now.valid && ready_[c];
            if (transfer) {
                received_++;
                std::cout << "o " << c << ' ' << cycle_ << ' ' << format(now.word) << '\n';
            }
            stalled_[c] = transfer ? Output{} : now;
        }
        for (unsigned c = 0; c < kInputs; c++) {
            if (sources_[c].valid && get_bit(top_.in_ready_o, c)) {
                std::cout << "i " << c << ' ' << cycle_ << '\n';
                sources_[c].valid = false;
                sources_[c].next++;
            }
        }
        clock();
        cycle_++;
    }

    long received() const { return received_; }

    void report() const {
        for (const auto &what : seen_) {
            std::cout << what.first << ' ' << what.second << '\n';
        }
    }

  private:
    bool chance(unsigned percent) { return random_() % 100 < percent; }

    /// What this cycle offers and takes. A word that is offered stays until its transfer.
    void choose() {
        for (Source &source : sources_) {
            source.valid = source.valid ||
                           (source.next < source.words.size() && chance(valid_percent_));
        }
        for (unsigned c = 0; c < kOutputs; c++) {
            ready_[c] = chance(ready_percent_);
        }
    }

    void drive(bool invert_valid, bool invert_ready) {
        for (unsigned c = 0; c < kInputs; c++) {
            const Source &source = sources_[c];
            const Word word = source.valid ? source.words[source.next] : noise();
            for (unsigned k = 0; k < kChunks; k++) {
                top_.in_data_i[c * kChunks + k] = word[k];
            }
            set_bit(top_.in_valid_i, c, source.valid != invert_valid);
        }
        for (unsigned c = 0; c < kOutputs; c++) {
            set_bit(top_.out_ready_i, c, ready_[c] != invert_ready);
        }
        top_.eval();
    }

    /// Inverts one side's handshake before the clock edge and looks at the other side.
    void look_for_paths() {
        drive(false, false);
        std::array<Output, kOutputs> outputs;
        std::array<bool, kInputs> in_ready;
        for (unsigned c = 0; c < kOutputs; c++) {
            outputs[c] = output(c);
        }
        for (unsigned c = 0; c < kInputs; c++) {
            in_ready[c] = get_bit(top_.in_ready_o, c);
        }
        drive(false, true);
        for (unsigned c = 0; c < kOutputs; c++) {
            if (!(output(c) == outputs[c])) {
                seen_.insert({"waits_for_ready", c});
            }
        }
        for (unsigned c = 0; c < kInputs; c++) {
            if (get_bit(top_.in_ready_o, c) != in_ready[c]) {
                seen_.insert({"ready_path", c});
            }
        }
        drive(true, false);
        for (unsigned c = 0; c < kOutputs; c++) {
            if (!(output(c) == outputs[c])) {
                seen_.insert({"valid_path", c});
            }
        }
    }

    Output output(unsigned channel) const {
        Output result;
        result.valid = get_bit(top_.out_valid_o, channel);
        for (unsigned k = 0; k < kChunks; k++) {
            result.word[k] = top_.out_data_o[channel * kChunks + k];
        }
        return result;
    }

    Word noise() {
        Word word;
        for (std::uint32_t &chunk : word) {
            chunk = random_();
        }
        return word;
    }

    void clock() {
        top_.clk_i = 1;
        top_.eval();
        top_.clk_i = 0;
        top_.eval();
    }

    Vbench top_;
    std::mt19937 random_;
    unsigned valid_percent_, ready_percent_;
    long cycle_ = 0, received_ = 0;
    std::array<Source, kInputs> sources_;
    std::array<bool, kOutputs> ready_{};
    std::array<Output, kOutputs> stalled_{};
    std::set<std::pair<std::string, unsigned>> seen_;
};

} // namespace

int main(int argc, char **argv) {
    if (argc != 6 && argc != 8) {
        std::cerr << "usage: stream_parts <seed> <valid %> <ready %> <cycles> <reset cycle> "
                     "[<words> <tail>]\n";
        return 2;
    }
    Bench bench(std::atoi(argv[1]), std::atoi(argv[2]), std::atoi(argv[3]));
    const long cycles = std::atol(argv[4]), reset_cycle = std::atol(argv[5]);
    const long words = argc == 8 ? std::atol(argv[6]) : std::numeric_limits<long>::max();
    long tail = argc == 8 ? std::atol(argv[7]) : 0;
    bench.reset();
    for (long cycle = 0; cycle < cycles && tail >= 0; cycle++) {
        if (cycle == reset_cycle) {
            bench.reset();
        }
        bench.step();
        tail -= cycle >= reset_cycle && bench.received() >= words;
    }
    bench.report();
    return 0;
}
