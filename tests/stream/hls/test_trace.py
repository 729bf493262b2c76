"""What is recorded of processes, iterations and streams, and what is refused."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Callable

import pytest

from hyq_hls.support import template_dir

pytestmark = pytest.mark.slow

_CPP = """
#define HYQ_TIMED
#define HYQ_DATAFLOW
#define HYQ_PROCESS
#define HYQ_PIPELINE
#define HYQ_STREAM_DEPTH
#include "hyq/csim/hls_stream.h"
#include "hyq/csim/timed.h"
#include <cstring>

struct word {
    static const unsigned size = 1;
    struct code {
        int to_int() const { return 0; }
    };
    code operator[](unsigned) const { return code(); }
};
typedef hls::stream<word> stream;

void copy(stream &in, stream &out) {
    for (unsigned i = 0; i < 3; i++) {
        HYQ_PIPELINE(2)
        out.write(in.read());
    }
}
void put(stream &out) {
    out.write(word());
    for (unsigned i = 0; i < 2; i++) {
        HYQ_PIPELINE(1)
        out.write(word());
    }
}
void get(stream &in) {
    for (unsigned i = 0; i < 3; i++) {
        in.read();
    }
}
void ask(stream &in) {
    if (!in.empty()) {
        in.read();
    }
}
void store(stream &in, int *) {
    for (unsigned i = 0; i < 3; i++) {
        HYQ_PIPELINE(1)
        in.read();
    }
}
void send(const int *, stream &out) {
    for (unsigned i = 0; i < 3; i++) {
        HYQ_PIPELINE(1)
        out.write(word());
    }
}
void pages(stream &in, stream &out) {
    HYQ_PING_PONG
    int page[3];
    HYQ_PROCESS(store(in, page));
    HYQ_PROCESS(send(page, out));
}
void inner(stream &in, stream &out) {
    HYQ_DATAFLOW
    stream middle;
    HYQ_STREAM_DEPTH(middle, 7)
    HYQ_PROCESS(copy(in, middle));
    HYQ_PROCESS(copy(middle, out));
}
void forgotten(stream &in, stream &out) {
    HYQ_DATAFLOW
    copy(in, out);
}
void top(unsigned fault) {
    HYQ_DATAFLOW
    stream a("a"), b("b"), c("c");
    HYQ_STREAM_DEPTH(a, 5)
    HYQ_PROCESS(put(a));
    if (fault == 1) {
        a.read();
    }
    if (fault == 2) {
        HYQ_PROCESS(ask(a));
    }
    if (fault == 3) {
        HYQ_PROCESS(put(a));
    }
    if (fault == 4) {
        HYQ_PROCESS(forgotten(a, b));
    }
    HYQ_PROCESS(inner(a, b));
    HYQ_PROCESS(pages(b, c));
    HYQ_PROCESS(get(c));
}

extern "C" void record(unsigned fault, char *text) {
    hyq::csim::trace run;
    hyq::csim::trace::recorded() = &run;
    std::string found;
    try {
        top(fault);
        for (const auto &process : run.processes) {
            found += process.name + ":";
            for (const auto &step : process.steps) {
                const char *const kinds[] = {"read", "write", "late", "leave", "look"};
                found += " " + std::to_string(step.cycles) + " " + kinds[step.what];
                if (step.what != hyq::csim::step::leave) {
                    found += " " + run.streams[step.stream].name;
                }
            }
            found += "\\n";
        }
        for (const auto &stream : run.streams) {
            found += stream.name + " " + std::to_string(stream.depth) + "\\n";
        }
    } catch (const std::exception &error) {
        found = error.what();
    }
    hyq::csim::trace::recorded() = nullptr;
    std::strcpy(text, found.c_str());
}
"""


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], str]:
    folder = tmp_path_factory.mktemp("trace")
    (folder / "hyq").symlink_to(template_dir())
    source, library = folder / "trace.cpp", folder / "trace.so"
    source.write_text(_CPP)
    flags = ["-std=c++14", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-I", str(folder)]
    command = ["g++", *flags, str(source), "-o", str(library)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    function = ctypes.CDLL(str(library)).record

    def run(fault: int) -> str:
        text = ctypes.create_string_buffer(1 << 16)
        function(fault, text)
        return text.value.decode()

    return run


def test_what_is_recorded(record: Callable[[int], str]) -> None:
    """Nested processes have the name of their caller, streams without a name that of a variable.

    Outside of a pipelined loop an access takes a cycle, and its word leaves at once.
    """
    through = "pages(b)/store(in) pages"
    assert record(0).splitlines() == [
        "put(a): 1 write a 1 late a 1 late a 0 leave",
        "inner(a):",
        "inner(a)/copy(in):" + " 2 read a 0 late inner(a).middle" * 3 + " 0 leave",
        "inner(a)/copy(middle):" + " 2 read inner(a).middle 0 late b" * 3 + " 0 leave",
        "pages(b):",
        f"pages(b)/store(in): 1 read b 1 read b 1 read b 0 write {through}",
        f"pages(b)/send(page): 0 look {through}" + " 1 late c" * 3 + f" 0 leave 0 read {through}",
        "get(c): 1 read c 1 read c 1 read c",
        "a 5",
        "b 2",
        "c 2",
        "inner(a).middle 7",
        f"{through} 1",
    ]


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (1, "stream a is used outside of a process: wrap the call in HYQ_PROCESS"),
        (2, "stream a is asked whether it is empty or full: the order of its words would depend"),
        (4, "stream a is used outside of a process: wrap the call in HYQ_PROCESS"),
        (3, "stream a has two writers: put(a) and put(a)"),
    ],
)
def test_what_is_refused(fault: int, message: str, record: Callable[[int], str]) -> None:
    assert message in record(fault)
