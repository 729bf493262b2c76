// SPDX-License-Identifier: Apache-2.0
// Directives that the engine alone needs; the others are in target.h. It is for Vitis HLS: Bambu has
// no AXI4 ports that are memories.
#ifndef HYQ_ENGINE_PORTS_H_
#define HYQ_ENGINE_PORTS_H_

#include "../target.h"

/// The port of the top function is a memory behind AXI4, with a base address in a register.
#define HYQ_AXI_MASTER(name) HYQ_PRAGMA(HLS INTERFACE mode=m_axi port=name offset=off)

/// The port of the top function is a register behind AXI4-Lite; `return` stands for start and done.
#define HYQ_AXI_LITE(name) HYQ_PRAGMA(HLS INTERFACE mode=s_axilite port=name)

/// The bound of the loop is a value that is known when it runs, and `most` at most. It comes first
/// in the body of its loop.
#define HYQ_TRIPCOUNT(most) HYQ_PRAGMA(HLS LOOP_TRIPCOUNT max=most)

#endif
