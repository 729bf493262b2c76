// Drives hyq_packed_product through all inputs, or through the ends of the range of weights with
// every operand, and compares with the products of C++. tests/stream/rtl/test_products.py compiles it.
//
//   products <all | ends>
//
// Prints how many products it compared; exits with 1 at the first that differs.
#include <array>
#include <cstdint>
#include <iostream>
#include <string>
#include <vector>

#include "Vhyq_packed_product.h"
#include "verilated.h"

namespace {

constexpr unsigned kStages = 4;
constexpr int kProductBits = WEIGHT_BITS + OPERAND_BITS;

struct Products {
    std::int64_t a, b;
};

std::int64_t sign_extended(std::uint64_t code, int bits) {
    return static_cast<std::int64_t>(code << (64 - bits)) >> (64 - bits);
}

class Bench {
  public:
    /// One cycle; some have one without enable before them, which must change nothing.
    bool step(int a, int b, int x) {
        constexpr std::uint32_t weight_mask = (1U << WEIGHT_BITS) - 1;
        if (++count_ % 5 == 0) {
            top_.en_i = 0;
            top_.a_i = static_cast<std::uint32_t>(b) & weight_mask;
            clock();
        }
        top_.en_i = 1;
        top_.a_i = static_cast<std::uint32_t>(a) & weight_mask;
        top_.b_i = static_cast<std::uint32_t>(b) & weight_mask;
        top_.x_i = static_cast<std::uint32_t>(x) & ((1U << OPERAND_BITS) - 1);
        clock();
        expected_[count_ % kStages] = {std::int64_t{a} * x, std::int64_t{b} * x};
        if (count_ < kStages) {
            return true;
        }
        const Products &wanted = expected_[(count_ + 1) % kStages];
        return sign_extended(top_.a_product_o, kProductBits) == wanted.a &&
               sign_extended(top_.b_product_o, kProductBits) == wanted.b;
    }

    std::uint64_t count() const { return count_; }

  private:
    void clock() {
        top_.clk_i = 0;
        top_.eval();
        top_.clk_i = 1;
        top_.eval();
    }

    Vhyq_packed_product top_;
    std::array<Products, kStages> expected_{};
    std::uint64_t count_ = 0;
};

} // namespace

int main(int argc, char **argv) {
    const bool all = argc > 1 && std::string(argv[1]) == "all";
    const int limit = 1 << (WEIGHT_BITS - 1);
    const int first = OPERAND_SIGNED ? -(1 << (OPERAND_BITS - 1)) : 0;
    std::vector<int> weights;
    for (int w = -limit; w < limit; w++) {
        if (all || w < 2 - limit || w >= limit - 2 || (w >= -2 && w <= 1)) {
            weights.push_back(w);
        }
    }
    Bench bench;
    for (const int a : weights) {
        for (const int b : weights) {
            for (int x = first; x < first + (1 << OPERAND_BITS); x++) {
                if (!bench.step(a, b, x)) {
                    std::cout << "wrong products at " << a << ", " << b << ", " << x << '\n';
                    return 1;
                }
            }
        }
    }
    std::cout << bench.count() << '\n';
    return 0;
}
