"""Edits of the clean project that break one rule each, and edits that break none."""

from __future__ import annotations

from tests.stream.hls.vitis_project import MACROS, Edit, code

_WORDS_LOOP = "for (unsigned i = 0; i < CONFIG_T::words; i++) {"
_CALLS = """    stage<config>(source, middle, weight);
    stage<config>(middle, sink, weight);"""
_MIDDLE = '    hls::stream<word<config>> middle("middle");'
_DEPTH = "    #pragma HLS STREAM variable=middle depth=4"
_EXTRA = """    hls::stream<word<config>> extra("extra"); @@
    #pragma HLS STREAM variable=extra depth=4"""
_TAKE = """template <class T> void take(hls::stream<T> &in) { T x = in.read(); }
template <class T> void give(hls::stream<T> &out) { out.write(T()); }"""
_TRIPCOUNT = '#define HYQ_TRIPCOUNT(most) _Pragma("HLS LOOP_TRIPCOUNT max=9")'
_PAGES = """void fill(hls::stream<word<config>> &in, int (&page)[4]) {
Fill: for (unsigned k = 0; k < 4; k++) { page[k] = in.read()[0]; }
}
void send(const int (&page)[4], hls::stream<word<config>> &out) {
Send: for (unsigned k = 0; k < 4; k++) { word<config> x; x[0] = page[k]; out.write(x); }
}"""
_PARTITION = "#pragma HLS ARRAY_PARTITION variable=x complete"
_LOOP = "for (unsigned k = 0; k < 4; k++) { acc++; }"

FAULTS: dict[str, list[Edit]] = {
    "recursion": code(
        "recursion",
        "acc += count(acc);",
        "int count(int n) { return n > 0 ? count(n - 1) : 0; } @@",
    ),
    "mutual recursion": code(
        "recursion",
        "acc += ping(acc);",
        "int pong(int n);\nint ping(int n) { return n > 0 ? pong(n - 1) : 0; }\n"
        "int pong(int n) { return ping(n); } @@",
    ),
    "recursion of an instantiated template": code(
        "recursion",
        "acc += same<3>(acc);",
        "template <int k> int same(int n) { return n > k ? same<k>(n - 1) : 0; } @@",
    ),
    "new": code("heap", "acc += (new int[2])[1]; @@"),
    "delete": code("heap", "delete[] x; @@"),
    "malloc": code("heap", "malloc(8); @@", headers="#include <cstdlib>"),
    "virtual method": [Edit("virtual", "// members", "virtual void f() {} @@")],
    "virtual base": [
        Edit("virtual", "// globals", "struct base {};\nstruct derived : virtual base {}; @@")
    ],
    "typeid": code(
        "virtual", "if (typeid(acc) == typeid(n)) @@\n acc++;", headers="#include <typeinfo>"
    ),
    "container": code("library", "std::vector<int> v; @@", headers="#include <vector>"),
    "container as a member": [
        Edit("library", "// members", "std::vector<int> v; @@"),
        Edit("library", "// headers", "#include <vector>"),
    ],
    "string": code("library", "std::string s; @@", headers="#include <string>"),
    "output": code("library", "std::cout << acc; @@", headers="#include <iostream>"),
    "library call": code("library", "acc = abs(acc); @@", headers="#include <cstdlib>"),
    "throw": code("exception", "if (acc < 0) throw 1; @@"),
    "try": code("exception", "try { acc++; } catch (int) {} @@"),
    "pointer to a function": code(
        "function pointer",
        "int (*f)(int) = next; @@\n acc = f(acc); @@",
        "int next(int n) { return n + 1; }",
    ),
    "lambda": code("function pointer", "auto f = [](int v) { return v; }; @@"),
    "float literal": code("float", "acc = acc * 0.5; @@"),
    "double variable": code("float", "double d; @@"),
    "float field": [Edit("float", "// members", "float real; @@")],
    "conversion to double": code("float", "acc = ap_int<8>(acc).to_double(); @@"),
    "stream of double": code("float", "hls::stream<double> d; @@"),
    "array of double": code("float", "const double d[2] = {}; @@"),
    "float result": code(
        "float", "acc = half(acc); @@", "float half(int n) { @@\n return n; @@\n}"
    ),
    "static variable": code("state", "static int calls = 0; @@\n calls++;"),
    "global variable": code("state", "", "int calls = 0; @@"),
    "global array": code("state", "", "static int history[4]; @@"),
    "static member": code("state", "", "struct counter { static int calls; @@\n};"),
    "thread-local variable": code("state", "static thread_local int calls = 0; @@"),
    "goto": code("goto", "if (acc < 0) goto Lanes; @@"),
    "pointer variable": code("pointer", "const int *p = w; @@"),
    "pointer arithmetic": code("pointer", "acc += (w + 1)[0]; @@"),
    "dereference": code("pointer", "acc += *w; @@"),
    "address": code("pointer", "acc += (&x[1])[0]; @@"),
    "reinterpret_cast": code("pointer", "acc += reinterpret_cast<const int &>(n); @@"),
    "array without size": code(
        "pointer", "acc += first(w);", "int first(const int w[]) { return w[0]; } @@"
    ),
    "pointer as a result": code(
        "pointer", "acc += same(w)[0];", "const int *same(const int w[2]) { return w; } @@"
    ),
    "variable array size": code("array size", "int buffer[n]; @@"),
    "while": code("loop form", "while (acc > 9) acc--; @@"),
    "do": code("loop form", "do { @@\n acc--; } while (acc > 9);"),
    "range-based for": code("loop form", "int r[2] = {};\nfor (int v : r) acc += v; @@"),
    "endless loop": code("loop bound", "Ever: for (;;) { acc++; } @@"),
    "variable bound": code("loop bound", "More: for (int k = 0; k < n; k++) { acc++; } @@"),
    "bound from a template argument": [
        Edit("loop bound", _WORDS_LOOP, "for (unsigned i = 0; i < count; i++) { @@"),
        Edit("loop bound", "Words:", "const int count = in.read()[0];\nWords:"),
    ],
    "variable bound whose directive is not first": [
        *code("loop bound", "More: for (int k = 0; k < n; k++) { acc++; @@\nHYQ_TRIPCOUNT(9)\n}"),
        Edit("", "// globals", _TRIPCOUNT),
    ],
    "variable start": code("loop bound", "More: for (int k = n; k < 9; k++) { acc++; } @@"),
    "variable step": code("loop bound", "More: for (int k = 0; k < 9; k += n) { acc++; } @@"),
    "step of something else": code(
        "loop bound", "More: for (int k = 0; k < 9; acc++) { k = acc; } @@"
    ),
    "loop variable of the function": code(
        "loop bound", "int k;\nMore: for (k = 0; k < 9; k++) { acc++; } @@"
    ),
    "loop variable of ap_int": code(
        "loop bound", "More: for (ap_int<8> k = 0; k < 9; k += 1) { acc++; } @@"
    ),
    "body that changes the loop variable": code(
        "loop bound", "More: for (int k = 0; k < 9; k++) { k += acc; } @@"
    ),
    "condition of two": code(
        "loop bound", "More: for (int k = 0; k < 9 && acc < 4; k++) { acc++; } @@"
    ),
    "unlabelled loop": code("loop label", "for (int k = 0; k < 9; k++) { acc++; } @@"),
    "assembly": code("assembly", 'asm("nop"); @@'),
    "function without a body": code("definition", "acc = missing(acc); @@", "int missing(int);"),
    # Pragmas
    "unknown pragma": [Edit("pragma", "HLS PIPELINE", "HLS PIPELIN @@")],
    "pragma of another compiler": code("pragma", "#pragma omp simd @@"),
    "hidden pragma": code("pragma", '_Pragma("HLS INLINE") @@'),
    "pragma of a macro inside a line": code("pragma", "if (acc) { UNROLL acc++; } @@", MACROS),
    "macro of an unknown pragma": code("pragma", "WRONG @@", '#define WRONG _Pragma("HLS INLYNE")'),
    "macro of another compiler": code("pragma", "SIMD @@", '#define SIMD _Pragma("omp simd")'),
    "macro outside of a function": code("pragma", "", f"{MACROS}\nUNROLL @@"),
    "macro in the wrong place": code("pragma", "UNROLL @@", MACROS),
    "macro with initiation interval 0": [
        Edit("pragma", "#pragma HLS PIPELINE II=1", "PIPELINE(0) @@"),
        Edit("pragma", "// headers", MACROS),
    ],
    "macro of a missing variable": [
        Edit("pragma", _PARTITION, "PARTITION(y) @@"),
        Edit("pragma", "// headers", MACROS),
    ],
    "macro of a stream without a depth": [
        Edit("dataflow", f"{_MIDDLE}\n{_DEPTH}", f"{_MIDDLE} @@\n    STREAM(middle)"),
        Edit("dataflow", "// headers", MACROS),
    ],
    "pragma outside of a function": code("pragma", "", "#pragma HLS INLINE @@"),
    "unknown option": [Edit("pragma", "PIPELINE II=1", "PIPELINE fast II=1 @@")],
    "unknown option with a value": [Edit("pragma", "PIPELINE II=1", "PIPELINE depth=1 @@")],
    "initiation interval 0": [Edit("pragma", "PIPELINE II=1", "PIPELINE II=0 @@")],
    "number that is none": [Edit("pragma", "HLS UNROLL", "HLS UNROLL factor=-2 @@")],
    "number of an unknown name": [Edit("pragma", "depth=4", "depth=words @@")],
    "pipeline in a condition": code("pragma", "if (acc) {\n#pragma HLS PIPELINE @@\n acc++; }"),
    "unroll in a function": code("pragma", "#pragma HLS UNROLL @@"),
    "inline in a loop": [Edit("pragma", "HLS UNROLL", "HLS INLINE @@")],
    "interface below the top": code("pragma", "#pragma HLS INTERFACE ap_none port=n @@"),
    "missing port": [
        Edit("pragma", "port=sink", "port=sink\n#pragma HLS INTERFACE axis port=drain @@")
    ],
    "missing option": [Edit("pragma", _PARTITION, "#pragma HLS ARRAY_PARTITION complete @@")],
    "missing variable": [Edit("pragma", "variable=x complete", "variable=y complete @@")],
    "variable of another block": code(
        "pragma", "{ int b[2] = {}; acc += b[0]; }\n#pragma HLS ARRAY_PARTITION variable=b @@"
    ),
    "variable that comes later": code(
        "pragma", "#pragma HLS ARRAY_PARTITION variable=b @@\nint b[2] = {};\nacc += b[0];"
    ),
    "partition of a scalar": code("pragma", "#pragma HLS ARRAY_PARTITION variable=acc @@"),
    "unknown kind of partition": [
        Edit("pragma", "variable=x complete", "variable=x type=diagonal @@")
    ],
    "partition without a factor": [
        Edit("pragma", "variable=x complete", "variable=x type=cyclic @@")
    ],
    "stream pragma of an integer": code("pragma", "#pragma HLS STREAM variable=acc depth=2 @@"),
    # Streams and DATAFLOW
    "port without interface": [
        Edit("interface", "#pragma HLS INTERFACE axis port=sink", ""),
        Edit("interface", "void top(", "void top( @@"),
    ],
    "stream by value": [
        Edit(
            "stream",
            "void stage(hls::stream<word<CONFIG_T>> &in,",
            "void stage(hls::stream<word<CONFIG_T>> in, @@",
        ),
    ],
    "stream in a stage": [
        Edit("stream", "Words:", "hls::stream<int> own; @@\nWords:"),
    ],
    "answer that depends on time": [
        Edit(
            "stream",
            "word<CONFIG_T> item = in.read();",
            "if (in.empty()) continue; @@\nword<CONFIG_T> item = in.read();",
        ),
    ],
    "condition in the region": [
        Edit("dataflow", _CALLS, _CALLS + "\nif (config::words > 2) {} @@"),
    ],
    "variable in the region": [Edit("dataflow", _CALLS, "int n = 3; @@\n" + _CALLS)],
    "value of a process": [
        Edit("dataflow", _CALLS, _CALLS + "\nnext(1); @@"),
        Edit("dataflow", "// globals", "int next(int n) { return n + 1; }"),
    ],
    "array that nobody fills": [
        Edit("dataflow", f"{_MIDDLE}\n{_DEPTH}", "int page[4]; @@"),
        Edit("dataflow", "// globals", f"{_TAKE}\n{_PAGES}"),
        Edit("dataflow", _CALLS, "take(source);\nsend(page, sink);"),
    ],
    "array that is read before it is filled": [
        Edit("dataflow", f"{_MIDDLE}\n{_DEPTH}", "int page[4]; @@"),
        Edit("dataflow", "// globals", _PAGES),
        Edit("dataflow", _CALLS, "send(page, sink);\nfill(source, page);"),
    ],
    "stream without a depth": [
        Edit("dataflow", f"{_MIDDLE}\n{_DEPTH}", _MIDDLE + " @@"),
    ],
    "two writers": [
        Edit("dataflow", _MIDDLE, _MIDDLE + " @@"),
        Edit("dataflow", "// globals", _TAKE),
        Edit("dataflow", _CALLS, "give(middle);\n" + _CALLS),
    ],
    "two readers": [
        Edit("dataflow", _MIDDLE, _MIDDLE + " @@"),
        Edit("dataflow", "// globals", _TAKE),
        Edit("dataflow", _CALLS, _CALLS + "\ntake(middle);"),
    ],
    "nobody reads": [
        Edit("dataflow", _DEPTH, f"{_DEPTH}\n{_EXTRA}"),
        Edit("dataflow", "// globals", _TAKE),
        Edit("dataflow", _CALLS, "give(extra);\n" + _CALLS),
    ],
    "nobody writes": [
        Edit("dataflow", _DEPTH, f"{_DEPTH}\n{_EXTRA}"),
        Edit("dataflow", "// globals", _TAKE),
        Edit("dataflow", _CALLS, _CALLS + "\ntake(extra);"),
    ],
    "feedback": [
        Edit("dataflow", _MIDDLE, _MIDDLE + " @@"),
        Edit("dataflow", _CALLS, "\n".join(reversed(_CALLS.split("\n")))),
    ],
    "process that feeds itself": [
        Edit("dataflow", _DEPTH, f"{_DEPTH}\n{_EXTRA}"),
        Edit("dataflow", _CALLS, _CALLS + "\nstage<config>(extra, extra, weight);"),
    ],
    "input with two readers": [
        Edit("dataflow", "void top(", "void top( @@"),
        Edit("dataflow", "// globals", _TAKE),
        Edit("dataflow", _CALLS, _CALLS + "\ntake(source);"),
    ],
    "input that nobody reads": [
        Edit("dataflow", "void top(", "void top(hls::stream<int> &idle, @@"),
        Edit(
            "dataflow",
            "#pragma HLS DATAFLOW",
            "#pragma HLS INTERFACE axis port=idle\n    #pragma HLS DATAFLOW",
        ),
    ],
}

#: What looks like a fault and is none.
LEGAL: dict[str, list[Edit]] = {
    "nothing": [],
    "array between two processes": [
        Edit("", f"{_MIDDLE}\n{_DEPTH}", "int page[4];"),
        Edit("", "// globals", _PAGES),
        Edit("", _CALLS, "fill(source, page);\nsend(page, sink);"),
    ],
    "template recursion that ends": code(
        "",
        "acc += chain<3>::sum(acc);",
        "template <int n> struct chain {\n"
        "    static int sum(int v) { return chain<n - 1>::sum(v) + n; }\n};\n"
        "template <> struct chain<0> { static int sum(int v) { return v; } };",
    ),
    "constant memory in a function": code(
        "", "static const int rom[2] = {1, 2};\nacc += rom[n & 1];"
    ),
    "switch and conditional": code("", "switch (n) { case 1: acc++; break; default: acc--; }"),
    "loops down, by two, up to and including": code(
        "",
        "Down: for (int k = 8; k > 0; --k) { acc++; }\n"
        "Two: for (unsigned k = 0; 8 > k; k += 2) { acc++; }\n"
        "Last: for (int k = -1; k <= 1 + 2; k++) { acc += k; }",
    ),
    "variable bound with its most": [
        *code("", "More: for (int k = 0; k < n; k++) {\nHYQ_TRIPCOUNT(9)\nacc++; }"),
        Edit("", "// globals", _TRIPCOUNT),
    ],
    "local constant as a bound": code(
        "",
        "const unsigned end = 2 * CONFIG_T::lanes;\n"
        "More: for (unsigned k = 1; k < end; k++) acc++;",
    ),
    "reference to this": [
        Edit("", "// members", "word &clear() { data[0] = 0; return *this; }"),
        Edit("", "out.write(item);", "item.clear();\n out.write(item);"),
    ],
    "other pragmas": code(
        "",
        "int b[4][2] = {};\n"
        "#pragma HLS array_partition variable=b cyclic factor=2 dim=1\n"
        "#pragma HLS BIND_STORAGE variable=b type=ram_2p \\\n    impl=lutram\n"
        f"#pragma HLS BIND_OP variable=acc op=mul impl=dsp\nMore: {_LOOP[:-1]}\n"
        "#pragma HLS LOOP_TRIPCOUNT min=4 max=4\n"
        "#pragma HLS UNROLL factor=CONFIG_T::lanes\n acc += b[k][0]; }",
    ),
    "macros": [
        Edit("", "// headers", MACROS),
        Edit("", "#pragma HLS PIPELINE II=1", "PIPELINE(1)"),
        Edit("", _PARTITION, "PARTITION(x)"),
        Edit("", "#pragma HLS UNROLL", "UNROLL"),
        Edit("", "#pragma HLS DATAFLOW", "DATAFLOW"),
        Edit("", "#pragma HLS INTERFACE axis port=sink", "INTERFACE(sink)"),
        Edit("", "#pragma HLS STREAM variable=middle depth=4", "DEPTH(middle, 4)"),
    ],
    "macro that nobody uses": code("", "", '#define WRONG _Pragma("HLS INLYNE")'),
    "pragma in a comment": code("", "// #pragma HLS NOTHING\n/* #pragma HLS NOTHING\n*/"),
    "structure of constants": code(
        "", "acc += entry.shift;", "struct e { int shift; };\nstatic const e entry = {3};"
    ),
    "stream passed on": [
        Edit(
            "",
            "// globals",
            "template <class T> void pass(hls::stream<T> &in, hls::stream<T> &out)"
            " { out.write(in.read()); }\n"
            "template <class T> void outer(hls::stream<T> &a, hls::stream<T> &b) { pass(a, b); }",
        ),
        Edit("", "stage<config>(source, middle, weight);", "outer(source, middle);"),
    ],
}
