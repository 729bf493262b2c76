// SPDX-License-Identifier: Apache-2.0
// In the place of the file of this name in Verilator, whose checks end the process where they fail,
// as on a full disk.
#pragma once

#include <iostream>  // the writer's other headers rest on it
#include <stdexcept>
#include <string>

namespace hyq {

[[noreturn]] inline void fst_failed(const char* check) {
  throw std::runtime_error(std::string("the waveforms cannot be written, is the disk full? ") +
                           check);
}

}  // namespace hyq

#define FST_CHECK(condition)                           \
  do {                                                 \
    if (!(condition)) hyq::fst_failed(#condition);     \
  } while (false)
#define FST_CHECK_EQ(a, b) FST_CHECK((a) == (b))
#define FST_CHECK_NE(a, b) FST_CHECK((a) != (b))
#define FST_CHECK_GT(a, b) FST_CHECK((a) > (b))
#define FST_CHECK_GE(a, b) FST_CHECK((a) >= (b))
#define FST_CHECK_LT(a, b) FST_CHECK((a) < (b))
#define FST_CHECK_LE(a, b) FST_CHECK((a) <= (b))

#define FST_DCHECK(condition) FST_CHECK(condition)
#define FST_DCHECK_EQ(a, b) FST_CHECK_EQ(a, b)
#define FST_DCHECK_NE(a, b) FST_CHECK_NE(a, b)
#define FST_DCHECK_GT(a, b) FST_CHECK_GT(a, b)
#define FST_DCHECK_GE(a, b) FST_CHECK_GE(a, b)
#define FST_DCHECK_LT(a, b) FST_CHECK_LT(a, b)
#define FST_DCHECK_LE(a, b) FST_CHECK_LE(a, b)

#define FST_UNREACHABLE hyq::fst_failed("a kind of signal that the writer does not know")
