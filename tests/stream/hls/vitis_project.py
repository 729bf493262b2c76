"""A clean little HLS project, and how edits break it. ``@@`` marks a faulty line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

AP_INT = """#pragma once
template <int W> struct ap_int {
    ap_int(int v = 0) : value(v) {}
    operator int() const { return value; }
    double to_double() const { return value; }
    ap_int &operator+=(int v) { value += v; return *this; }
    int value;
};
"""
HLS_STREAM = """#pragma once
namespace hls {
template <class T> struct stream {
    stream() {}
    explicit stream(const char *) {}
    T read() { return T(); }
    void write(const T &) {}
    bool empty() const { return false; }
};
}
"""
CLEAN = """#include "hls_stream.h"
#include "ap_int.h"
// headers
struct config {
    static const unsigned words = 4;
    static const unsigned lanes = 2;
    typedef ap_int<8> code_t;
};
template <class CONFIG_T> struct word {
    static const unsigned size = CONFIG_T::lanes;
    typename CONFIG_T::code_t data[CONFIG_T::lanes];
    typename CONFIG_T::code_t &operator[](unsigned i) { return data[i]; }
    // members
};
static const int weight[config::lanes] = {1, 2};
// globals
template <class CONFIG_T>
int helper(const int x[CONFIG_T::lanes], const int w[CONFIG_T::lanes], int n) {
    #pragma HLS INLINE
    int acc = 0;
Lanes:
    for (unsigned c = 0; c < CONFIG_T::lanes; c++) {
        #pragma HLS UNROLL
        acc += w[c] * x[c];
    }
    // code
    return acc + n;
}
template <class CONFIG_T>
void stage(hls::stream<word<CONFIG_T>> &in, hls::stream<word<CONFIG_T>> &out,
           const int w[CONFIG_T::lanes]) {
Words:
    for (unsigned i = 0; i < CONFIG_T::words; i++) {
        #pragma HLS PIPELINE II=1
        word<CONFIG_T> item = in.read();
        int x[CONFIG_T::lanes];
        #pragma HLS ARRAY_PARTITION variable=x complete
    Unpack:
        for (unsigned c = 0; c < CONFIG_T::lanes; c++) {
            x[c] = item[c];
        }
        item[0] = helper<CONFIG_T>(x, w, 3);
        out.write(item);
    }
}
void top(hls::stream<word<config>> &source, hls::stream<word<config>> &sink) {
    #pragma HLS INTERFACE axis port=source
    #pragma HLS INTERFACE axis port=sink
    #pragma HLS DATAFLOW
    hls::stream<word<config>> middle("middle");
    #pragma HLS STREAM variable=middle depth=4
    stage<config>(source, middle, weight);
    stage<config>(middle, sink, weight);
}
"""
#: Macros that make pragmas, as those of hls_templates/target.h do.
MACROS = """#define PRAGMA(text) _Pragma(#text)
#define DATAFLOW PRAGMA(HLS DATAFLOW)
#define INTERFACE(name) PRAGMA(HLS INTERFACE axis port=name)
#define PIPELINE(interval) PRAGMA(HLS PIPELINE II=interval)
#define PARTITION(array) PRAGMA(HLS ARRAY_PARTITION variable=array complete)
#define STREAM(name) PRAGMA(HLS STREAM variable=name)
#define DEPTH(name, words) PRAGMA(HLS STREAM variable=name depth=words)
#define UNROLL PRAGMA(HLS UNROLL)"""


@dataclass(frozen=True)
class Edit:
    """``old`` of the clean project becomes ``new``, which breaks ``rule`` on every line with @@."""

    rule: str
    old: str
    new: str


def code(rule: str, text: str, globals_: str = "", headers: str = "") -> list[Edit]:
    """Statements inside the helper function, with declarations before it."""
    places = {"// code": text, "// globals": globals_, "// headers": headers}
    return [Edit(rule, place, new) for place, new in places.items() if new]


def edited(edits: list[Edit]) -> tuple[str, set[tuple[int, str]]]:
    """The source with all edits, and the findings it must give: line and rule."""
    text = CLEAN
    for edit in edits:
        assert text.count(edit.old) == 1, f"{edit.old!r} is not there once"
        text = text.replace(edit.old, edit.new)
    lines = text.split("\n")
    wanted = {(i, edits[0].rule) for i, line in enumerate(lines, 1) if "@@" in line}
    return text.replace("@@", ""), wanted


def write_project(folder: Path, source: str) -> Path:
    """A project folder around one C++ file."""
    types = folder / "firmware" / "ap_types"
    types.mkdir(parents=True)
    (types / "ap_int.h").write_text(AP_INT)
    (types / "hls_stream.h").write_text(HLS_STREAM)
    (folder / "firmware" / "top.cpp").write_text(source)
    return folder
