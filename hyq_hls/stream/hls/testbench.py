"""The C++ test bench that Vitis HLS runs for its own C and RTL simulation."""

from __future__ import annotations

from hyq_hls.stream.flow import Dataflow
from hyq_hls.stream.hls.text import word_type

_TESTBENCH = """{banner}
// Reads codes from tb_data/input.dat (one sample a line), writes tb_data/csim_results.log, and
// compares with tb_data/expected.dat. Returns 1 on the first difference.
#include "firmware/{project}.h"
#include <fstream>
#include <iostream>

int main() {{
    std::ifstream samples("tb_data/input.dat");
    std::ifstream expected("tb_data/expected.dat");
#ifdef RTL_SIM
    std::ofstream log("tb_data/rtl_cosim_results.log");
#else
    std::ofstream log("tb_data/csim_results.log");
#endif
    unsigned sample = 0;
    int code;
    while (samples >> code) {{
        hyq::stream<{input_t}> source("source");
        hyq::stream<{output_t}> sink("sink");
        for (unsigned i = 0; i < {in_words}; i++) {{
            {input_t} word;
            for (unsigned c = 0; c < {input_t}::size; c++) {{
                if (i + c > 0) {{
                    samples >> code;
                }}
                word[c] = code;
            }}
            source.write(word);
        }}
        ::{project}(source, sink);
        for (unsigned i = 0; i < {out_words}; i++) {{
            const {output_t} word = sink.read();
            for (unsigned c = 0; c < {output_t}::size; c++) {{
                const int found = word[c].to_int();
                int wanted;
                log << found << " ";
                if (!(expected >> wanted) || wanted != found) {{
                    std::cout << "ERROR: sample " << sample << ", word " << i << ", lane " << c
                              << ": found " << found << std::endl;
                    return 1;
                }}
            }}
        }}
        log << std::endl;
        sample++;
    }}
    std::cout << "INFO: " << sample << " samples equal" << std::endl;
    return sample == 0;
}}
"""


def testbench_cpp(flow: Dataflow, project: str) -> str:
    """Return ``<project>_test.cpp``, which streams the recorded samples and compares codes."""
    source, sink = flow.source, flow.sink
    return _TESTBENCH.format(
        banner=f"// {flow.banner}",
        project=project,
        input_t=word_type(flow, source),
        output_t=word_type(flow, sink),
        in_words=flow.streams[source].beats,
        out_words=flow.streams[sink].beats,
    )
