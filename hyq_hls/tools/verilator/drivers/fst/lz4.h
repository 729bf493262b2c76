// SPDX-License-Identifier: Apache-2.0
// The two functions of the LZ4 library that Verilator's FST writer calls, so that a machine needs
// nothing beside a compiler. Format: LZ4 block format description, github.com/lz4/lz4.
#pragma once

#include <cstdint>
#include <cstring>
#include <vector>

namespace hyq::lz4 {

constexpr int kMinMatch = 4;       // bytes
constexpr int kLastLiterals = 5;   // a block ends with as many bytes that are no match
constexpr int kMatchLimit = 12;    // no match starts in the last bytes
constexpr int kMaxOffset = 65535;  // bytes
constexpr int kHashBits = 13;

inline uint32_t word(const uint8_t* at) {
  uint32_t value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

// The part of a length beyond the 15 that four bits of the token hold.
inline uint8_t* put_length(uint8_t* out, int rest) {
  for (; rest >= 255; rest -= 255) *out++ = 255;
  *out++ = static_cast<uint8_t>(rest);
  return out;
}

// A token, the literals, and the match that follows them; the last sequence has no match.
inline uint8_t* put_sequence(uint8_t* out, const uint8_t* literals, int count, int match,
                             int offset) {
  const int extra = match ? match - kMinMatch : 0;
  *out++ = static_cast<uint8_t>((count < 15 ? count : 15) << 4 | (extra < 15 ? extra : 15));
  if (count >= 15) out = put_length(out, count - 15);
  std::memcpy(out, literals, count);
  out += count;
  if (!match) return out;
  *out++ = static_cast<uint8_t>(offset);
  *out++ = static_cast<uint8_t>(offset >> 8);
  return extra >= 15 ? put_length(out, extra - 15) : out;
}

}  // namespace hyq::lz4

inline int LZ4_compressBound(int size) { return size + size / 255 + 16; }

// Greedy: takes the last place where the same four bytes stood. `capacity` is the bound above.
inline int LZ4_compress_default(const char* source, char* target, int size, int capacity) {
  using namespace hyq::lz4;
  if (capacity < LZ4_compressBound(size)) return 0;
  const auto* const in = reinterpret_cast<const uint8_t*>(source);
  auto* out = reinterpret_cast<uint8_t*>(target);
  std::vector<int> last(1 << kHashBits, -1);
  int literals = 0;
  for (int i = 0; i < size - kMatchLimit;) {
    int& seen = last[word(in + i) * 2654435761U >> (32 - kHashBits)];
    const int candidate = seen;
    seen = i;
    if (candidate < 0 || i - candidate > kMaxOffset || word(in + candidate) != word(in + i)) {
      ++i;
      continue;
    }
    int match = kMinMatch;
    while (i + match < size - kLastLiterals && in[candidate + match] == in[i + match]) ++match;
    out = put_sequence(out, in + literals, i - literals, match, i - candidate);
    literals = i += match;
  }
  out = put_sequence(out, in + literals, size - literals, 0, 0);
  return static_cast<int>(out - reinterpret_cast<uint8_t*>(target));
}
