// SPDX-License-Identifier: Apache-2.0
// The package holds sizes and types that the modules of the engine share. docs/engine.md explains
// the fields of the instructions; a structure lists its members from the highest bit down.
package hyq_engine_pkg;

  /* verilator lint_off UNUSEDPARAM */  // a module uses some of them
  localparam int unsigned Version = 1;       // of the instruction set
  localparam int unsigned Outputs = 16;      // output channels of a tile
  localparam int unsigned Inputs = 3;        // products of an output and a pixel in a step
  localparam int unsigned AccBits = 32;      // two's complement
  localparam int unsigned WeightBits = 9;    // two's complement
  localparam int unsigned PairBits = 25;     // two pixels, (p1 << 16) + p0
  localparam int unsigned CodeBits = 16;     // widest code, stored without sign: code - qmin
  localparam int unsigned ShiftBits = 6;
  localparam int unsigned MultiplierBits = 16;
  localparam int unsigned AddressBits = 16;  // of words in a bank of the feature memory
  localparam int unsigned TableBits = 10;
  localparam int unsigned InstructionBits = 512;
  localparam int unsigned ExpBits = 32;      // of an exponential
  localparam int unsigned TotalBits = 42;    // of a sum of exponentials
  localparam int unsigned ProbabilityBits = 12;
  /* verilator lint_on UNUSEDPARAM */

  // This type describes where the pixels of a tensor lie in the feature memory.
  typedef struct packed {
    logic [15:0] x0;
    logic [15:0] group;
    logic [15:0] row;
    logic [15:0] base;
  } view_t;

  typedef enum logic [1:0] {
    SourceMemory   = 2'd0,
    SourceConstant = 2'd1,
    SourceOneHot   = 2'd2
  } source_e;

  // This type is an instruction of the array. Two members are keywords in docs/engine.md.
  typedef struct packed {
    logic [10:0] channels;
    logic [3:0]  first;
    logic [8:0]  constant;
    logic [7:0]  param;
    logic [15:0] weight_group;
    logic [15:0] weights;
    logic        zero;
    logic        again;      // "repeat"
    logic        digits;
    logic [4:0]  one_hot;
    logic        high;
    logic        bank;
    logic        look_up;    // "table"
    logic [4:0]  bits;
    logic        hold;
    logic [1:0]  passes;     // less one
    logic        prologue;
    logic        is_signed;
    logic [1:0]  source;
    logic        depthwise;
    logic [7:0]  groups;
    logic [7:0]  kernel_x;
    logic [7:0]  kernel_y;
    logic [15:0] steps;
    logic [15:0] c0;
    logic [3:0]  planes;
    logic [3:0]  kx_plane;
    logic [7:0]  kx_shift;
    logic [15:0] wrap_words;
    logic [15:0] kx_words;
    logic [15:0] pass_stride;
    logic [15:0] ky_stride;
    logic [15:0] pixels;
    logic [15:0] rows;
    view_t       dst;
    view_t       src;
    logic [127:0] head;      // queue, version, waits
  } array_instruction_t;

  // This type is an instruction of the load unit or the store unit.
  typedef struct packed {
    logic [159:0] zero;
    logic [15:0]  unused;
    logic [15:0]  plane;
    view_t        view;     // of other targets than the feature memory: base is the destination
    logic [31:0]  pitch;
    logic [7:0]   x_first;
    logic [7:0]   planes;
    logic [15:0]  words;
    logic [15:0]  pixels;   // of other targets {pixels, rows} is the count of bytes
    logic [15:0]  rows;
    logic [31:0]  offset;
    logic [95:0]  waits;
    logic [9:0]   unused0;
    logic [1:0]   base;
    logic         unused1;
    logic [2:0]   target;
    logic [15:0]  kind;     // queue and version
  } transfer_instruction_t;

  // This type is an instruction of the move unit.
  typedef struct packed {
    logic [223:0] zero;
    logic [15:0]  unused;
    logic [15:0]  weights;
    logic [7:0]   param;
    logic [3:0]   unused1;
    logic [3:0]   first;
    logic [15:0]  c0;
    logic [15:0]  channels;
    logic [15:0]  tokens;
    view_t        src;
    logic [95:0]  waits;
    logic [14:0]  unused0;
    logic         is_values;
    logic [15:0]  kind;      // queue and version
  } move_instruction_t;

  // This type is an instruction of the norm unit.
  typedef struct packed {
    logic [191:0] zero;
    logic [26:0]  unused1;
    logic [4:0]   bits;
    logic [15:0]  pixels;
    logic [15:0]  rows;
    view_t        dst;
    view_t        src;
    logic [127:0] head;  // queue, version, waits
  } norm_instruction_t;

  // This type is a record of a channel in the norm memory.
  typedef struct packed {
    logic [7:0]  shift;
    logic [15:0] zero_out;
    logic [31:0] beta;
    logic [7:0]  k;
    logic [7:0]  zero_in;
    logic [15:0] gamma;
  } norm_channel_t;

  // This type is an instruction of the softmax unit.
  typedef struct packed {
    logic [159:0] zero;
    logic [15:0]  unused2;
    logic [15:0]  high;
    logic [10:0]  unused1;
    logic [4:0]   bits;
    logic [15:0]  length;
    logic [15:0]  pixels;
    logic [15:0]  rows;
    view_t        dst;
    view_t        src;
    logic [95:0]  waits;
    logic [13:0]  unused0;
    logic [1:0]   kind;
    logic [15:0]  head;  // queue and version
  } softmax_instruction_t;

  typedef enum logic [1:0] {
    KindUniform     = 2'd0,
    KindLog2        = 2'd1,
    KindLog2Rounded = 2'd2
  } softmax_e;

  typedef enum logic [2:0] {
    TargetFeature      = 3'd0,
    TargetWeights      = 3'd1,
    TargetParameters   = 3'd2,
    TargetTables       = 3'd3,
    TargetExponentials = 3'd4,
    TargetNorm         = 3'd5
  } target_e;

  // This type is a piece of DRAM, in beats of 8 bytes.
  typedef struct packed {
    logic [31:0] address;  // in bytes, a multiple of 8
    logic [28:0] beats;    // one or more
  } transfer_t;

  // This type is a burst on an AXI address channel.
  typedef struct packed {
    logic [31:0] address;
    logic [3:0]  length;  // beats less one
  } burst_t;

  // This type describes a step of the array. It goes with the step's operands.
  typedef struct packed {
    logic to_bias;  // of a prologue: the sums are added to the biases
    logic load;     // of the first tile of its channels: their parameters are taken over
    logic last;     // of its tile
    logic digit;    // the next digit of an operand begins: the sums so far count 256 times
    logic first;    // of its tile
    logic dense;    // the operands are pairs, else the window
    logic valid;
  } step_t;

  // This type describes how the bytes of a pixel become operands of the array.
  typedef struct packed {
    logic [8:0] constant;
    logic [4:0] one_hot;    // codes below this one have no bit
    logic [1:0] digit;      // of base 256, which the bit must lie in
    logic       is_signed;
    logic [1:0] source;
    logic [1:0] first_byte;
  } operand_t;

  // This type describes what the output stage must know of a channel.
  typedef struct packed {
    logic [ShiftBits-1:0]      shift;       // hyq_engine_requantizer explains it
    logic [MultiplierBits-1:0] multiplier;  // 0 means 1; only where the stage multiplies
    logic [CodeBits-1:0]       zero_point;  // stored as codes are: zero point - qmin
    logic [AccBits-1:0]        bias;
  } channel_t;

  // This type describes what the output stage must know of an instruction.
  typedef struct packed {
    logic [CodeBits-1:0] mask;      // a one for every bit of a code
    logic                look_up;   // codes go through a table
    logic                table_id;  // which of the two
    logic                high;      // the higher byte leaves
  } conversion_t;

  // This type is a write to the feature memory: up to 16 neighbouring bytes of a pixel.
  typedef struct packed {
    logic                   valid;
    logic [2:0]             bank;
    logic [AddressBits-1:0] address;
    logic [15:0]            bytes;  // which of them
    logic [127:0]           data;
  } feature_write_t;

  // This type is a read of the feature memory: 16 neighbouring bytes of Pixels neighbouring pixels.
  // Those in the banks from `bank` on lie at `address`, the others at `beside`.
  typedef struct packed {
    logic                   valid;
    logic [2:0]             bank;
    logic [AddressBits-1:0] address;
    logic [AddressBits-1:0] beside;
  } feature_read_t;

endpackage
