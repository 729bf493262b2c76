"""What every stream part has to do: words and cycles of each case, told in Python."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import product

from tests.stream.rtl.stream_bench import Case, random_words

SIZES = (1, 2, 3, 5, 33)


def cases() -> list[Case]:
    """All cases, in a fixed order."""
    return [
        *_register_slices(),
        *_fifos(),
        *_forks(),
        *_width_converters(),
        *_roms(),
        *_replays(),
        *_reorder_buffers(),
        *_dividers(),
    ]


def _register_slices() -> Iterator[Case]:
    for width in SIZES:
        name = f"register_slice_{width}"
        words = random_words(name, width, 200)
        cycles = range(len(words))
        yield Case(
            name,
            "hyq_register_slice",
            {"Width": width},
            width,
            words,
            [words],
            width,
            in_cycles=cycles,
            out_cycles=[t + 1 for t in cycles],
        )


def _fifos() -> Iterator[Case]:
    for width, depth in product(SIZES, (*SIZES, 4)):
        name = f"fifo_{width}_{depth}"
        words = random_words(name, width, 200)
        cycles = range(len(words))
        latency = 1 if depth <= 2 else 2
        yield Case(
            name,
            "hyq_fifo",
            {"Width": width, "Depth": depth},
            width,
            words,
            [words],
            width,
            in_cycles=cycles,
            out_cycles=[t + latency for t in cycles],
        )


def _forks() -> Iterator[Case]:
    for width, outputs in [(w, 3) for w in SIZES] + [(5, n) for n in SIZES if n != 3]:
        name = f"fork_{width}_{outputs}"
        # Under random stalls a word takes as long as the slowest of all outputs.
        words = random_words(name, width, 100)
        cycles = range(len(words))
        yield Case(
            name,
            "hyq_fork",
            {"Width": width, "Outputs": outputs},
            width,
            words,
            [words] * outputs,
            width,
            in_cycles=cycles,
            out_cycles=cycles,
        )


def _width_converters() -> Iterator[Case]:
    ratios = [(1, n) for n in SIZES] + [(n, 1) for n in SIZES if n > 1]
    for bits, (ins, outs) in [
        *product((1, 3), ratios),
        *product((5,), [(4, 4), (2, 6), (6, 2), (3, 15), (15, 3)]),
    ]:
        name = f"width_converter_{bits}_{ins}_{outs}"
        lanes = random_words(name, bits, 6 * 33 if 33 in (ins, outs) else 180)
        words, results = _join(lanes, bits, ins), _join(lanes, bits, outs)
        ratio = max(ins, outs) // min(ins, outs)
        narrow = range(max(len(words), len(results)))
        wide = narrow[ratio - 1 :: ratio]  # with the last of its narrow words
        yield Case(
            name,
            "hyq_width_converter",
            {"Bits": bits, "InLanes": ins, "OutLanes": outs},
            bits * ins,
            words,
            [results],
            bits * outs,
            in_cycles=narrow if ins <= outs else wide,
            out_cycles=narrow if outs <= ins else wide,
        )


def _join(values: list[int], bits: int, lanes: int) -> list[int]:
    """Words of some lanes, lane 0 in the lowest bits."""
    groups = [values[i : i + lanes] for i in range(0, len(values), lanes)]
    return [sum(value << (bits * lane) for lane, value in enumerate(group)) for group in groups]


def _roms() -> Iterator[Case]:
    for width, depth in [*zip(SIZES, SIZES, strict=True), (33, 1), (1, 33)]:
        name = f"rom_{width}_{depth}"
        memory = random_words(name, width, depth)
        addresses = [word % depth for word in random_words(name + "_addresses", 16, 200)]
        cycles = range(len(addresses))
        yield Case(
            name,
            "hyq_rom",
            {"Width": width, "Depth": depth, "File": f"{name}.hex"},
            max(1, (depth - 1).bit_length()),
            addresses,
            [[memory[address] for address in addresses]],
            width,
            in_cycles=cycles,
            out_cycles=[t + 1 for t in cycles],
            stages=1,
            files={f"{name}.hex": "".join(f"{word:x}\n" for word in memory)},
        )


def _replays() -> Iterator[Case]:
    for beats, times in product(SIZES, (1, 2, 3, 5)):
        width = SIZES[(beats + times) % len(SIZES)]
        name = f"replay_{beats}_{times}"
        vectors = max(3, 120 // (beats * times))
        words = random_words(name, width, vectors * beats)
        starts = range(0, len(words), beats)
        results = [word for i in starts for word in words[i : i + beats] * times]
        yield Case(
            name,
            "hyq_replay",
            {"Width": width, "Beats": beats, "Times": times},
            width,
            words,
            [results],
            width,
            in_cycles=[start * times + beat for start in starts for beat in range(beats)],
            out_cycles=range(len(results)),
        )


def _reorder_buffers() -> Iterator[Case]:
    orders = {
        "one_word": [],
        "as_it_came": [(5, 1)],
        "transpose": [(3, 1), (5, 3)],
        "backwards_in_pairs": [(3, 2), (2, 1)],
        # A map of 4 x 6 positions, 2 beats each, in patches of 2 x 3; and the way back.
        "unfold": [(2, 12), (3, 2), (2, 24), (2, 6), (2, 1)],
        "fold": [(2, 4), (2, 24), (2, 2), (3, 8), (2, 1)],
        "all_loops": [(2, 1), (3, 2), (2, 6), (3, 12), (2, 36)],
    }
    for order, loops in orders.items():
        padded = [(1, 7)] * (5 - len(loops)) + loops  # the stride of a single step is never taken
        sizes, strides = zip(*padded, strict=True)
        addresses = [
            sum(i * stride for i, stride in zip(index, strides, strict=True))
            for index in product(*map(range, sizes))
        ]
        count = len(addresses)
        assert sorted(addresses) == list(range(count)), order
        frames = max(4, 60 // count)
        words = random_words(order, 9, frames * count)
        starts = range(0, len(words), count)
        parameters = {"Width": 9, "Words": count}
        for k in range(5):
            parameters |= {f"Size{k}": sizes[4 - k], f"Stride{k}": strides[4 - k]}
        yield Case(
            f"reorder_buffer_{order}",
            "hyq_reorder_buffer",
            parameters,
            9,
            words,
            [[words[start + address] for start in starts for address in addresses]],
            9,
            in_cycles=range(len(words)),
            out_cycles=[count + 1 + t for t in range(len(words))],
        )


def _dividers() -> Iterator[Case]:
    for numerator_bits, denominator_bits, quotient_bits in [
        (1, 1, 1),
        (5, 3, 2),
        (2, 5, 5),
        (9, 3, 9),
        (33, 5, 33),
        (40, 33, 8),
        (64, 33, 33),
    ]:
        name = f"divider_{numerator_bits}_{denominator_bits}_{quotient_bits}"
        words, quotients = [], []
        generator = random.Random(name)
        for _ in range(200):
            denominator = generator.randrange(1, 1 << generator.randint(1, denominator_bits))
            largest = min((denominator << quotient_bits) - 1, (1 << numerator_bits) - 1)
            # The ends of the range as well as what is between them.
            numerator = generator.choice([0, largest, generator.randint(0, largest)])
            words.append(numerator | denominator << 64)
            quotients.append(numerator // denominator)
        cycles = range(len(words))
        yield Case(
            name,
            "hyq_divider",
            {
                "NumeratorBits": numerator_bits,
                "DenominatorBits": denominator_bits,
                "QuotientBits": quotient_bits,
            },
            128,
            words,
            [quotients],
            quotient_bits,
            in_cycles=cycles,
            out_cycles=[t + quotient_bits for t in cycles],
            stages=quotient_bits,
        )
