// The package holds sizes and types that the modules of the engine share.
package hyq_engine_pkg;

  /* verilator lint_off UNUSEDPARAM */  // a module uses some of them
  localparam int unsigned Outputs = 16;      // output channels of a tile
  localparam int unsigned Inputs = 3;        // inputs, or taps of a kernel row, of a step
  localparam int unsigned AccBits = 32;      // two's complement
  localparam int unsigned WeightBits = 9;    // two's complement
  localparam int unsigned PairBits = 25;     // two pixels, {p1, 16 bits of p0}: (p1 << 16) + p0
  localparam int unsigned CodeBits = 16;     // widest code, stored without sign: code - qmin
  localparam int unsigned ShiftBits = 6;
  localparam int unsigned MultiplierBits = 16;
  /* verilator lint_on UNUSEDPARAM */

  // This type describes a step of the array. It goes with the step's operands.
  typedef struct packed {
    logic valid;
    logic dense;    // else depthwise
    logic first;    // of its tile: the sums start from the biases
    logic digit;    // the next digit of an operand begins: the sums so far count 256 times
    logic last;     // of its tile
    logic load;     // of the first tile of its channels: their parameters are taken over
    logic to_bias;  // of a tile whose sums, those of its first pixel, become the biases
  } step_t;

  // This type describes what the output stage must know of a channel.
  typedef struct packed {
    logic [MultiplierBits-1:0] multiplier;  // only where the stage multiplies
    logic [ShiftBits-1:0]      shift;       // hyq_engine_requantizer explains it
    logic [CodeBits:0]         zero_point;  // stored as codes are: zero point - qmin
  } channel_t;

  // This type describes what the output stage must know of an instruction.
  typedef struct packed {
    logic [CodeBits-1:0] mask;      // a one for every bit of a code
    logic                look_up;   // codes go through a table
    logic                table_id;  // which of the two
  } conversion_t;

endpackage
