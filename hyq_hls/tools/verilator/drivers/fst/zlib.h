// SPDX-License-Identifier: Apache-2.0
// The two functions of zlib that Verilator's FST writer calls, so that a machine needs nothing
// beside a compiler. Blocks are stored, not compressed (RFC 1950 and 1951): the writer keeps the
// plain data where that is smaller, and the value changes go through LZ4.
#pragma once

#include <cstdint>
#include <cstring>
#include <initializer_list>

using Bytef = unsigned char;
using uLong = unsigned long;
using uLongf = uLong;
constexpr int Z_OK = 0;
constexpr int Z_BUF_ERROR = -5;

namespace hyq::zlib {

constexpr uLong kBlock = 65535;  // bytes of the longest stored block

inline uint32_t adler32(const Bytef* data, uLong size) {
  uint32_t a = 1;
  uint32_t b = 0;
  for (uLong i = 0; i < size; ++i) {
    a = (a + data[i]) % 65521;
    b = (b + a) % 65521;
  }
  return b << 16 | a;
}

}  // namespace hyq::zlib

inline uLong compressBound(uLong size) { return size + 5 * (size / hyq::zlib::kBlock + 1) + 6; }

inline int compress2(Bytef* target, uLongf* target_size, const Bytef* source, uLong size,
                     int /*level*/) {
  if (*target_size < compressBound(size)) return Z_BUF_ERROR;
  Bytef* out = target;
  *out++ = 0x78;  // deflate with a window of 32 KiB
  *out++ = 0x01;
  uLong at = 0;
  do {
    const uLong count = size - at < hyq::zlib::kBlock ? size - at : hyq::zlib::kBlock;
    *out++ = at + count == size;  // the last block; its type is "stored"
    for (const uLong field : {count, ~count}) {
      *out++ = static_cast<Bytef>(field);
      *out++ = static_cast<Bytef>(field >> 8);
    }
    std::memcpy(out, source + at, count);
    out += count;
    at += count;
  } while (at < size);
  const uint32_t sum = hyq::zlib::adler32(source, size);
  for (int shift = 24; shift >= 0; shift -= 8) *out++ = static_cast<Bytef>(sum >> shift);
  *target_size = out - target;
  return Z_OK;
}
