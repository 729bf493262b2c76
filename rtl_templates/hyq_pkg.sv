// SPDX-License-Identifier: Apache-2.0
// The package holds types and functions that several modules share.
package hyq_pkg;

  // This type describes a constant memory, whose file is a parameter of its own. Word w holds the
  // entries lanes * w to lanes * (w + 1) - 1. The first of them lies in its lowest bits.
  typedef struct packed {
    int unsigned entries;
    int unsigned lanes;    // entries of a word
    int unsigned bits;     // bits of an entry
  } rom_t;

  // This type describes a requantization: its memory, and the constants of hyq_requantize_lanes,
  // which explains them.
  typedef struct packed {
    int unsigned entries;
    int unsigned lanes;
    int unsigned left;
    int unsigned base;
    int unsigned shift_bits;
    int unsigned multiplier_bits;
    int unsigned zero_point_bits;
  } requantize_t;

  // The function gives the bits of an index that counts from 0 to n - 1.
  function automatic int unsigned index_width(int unsigned n);
    return n > 1 ? $clog2(n) : 1;
  endfunction

  function automatic int unsigned min(int unsigned a, int unsigned b);
    return a < b ? a : b;
  endfunction

  function automatic int unsigned max(int unsigned a, int unsigned b);
    return a > b ? a : b;
  endfunction

  function automatic int unsigned ceil_div(int unsigned a, int unsigned b);
    return (a + b - 1) / b;
  endfunction

  // The function gives the blocks of 18 Kibit that a memory fills, with at most 36 bits a word.
  function automatic int unsigned block_rams(int unsigned width, int unsigned depth);
    return max(ceil_div(width, 36), ceil_div(width * depth, 18432));
  endfunction

endpackage
