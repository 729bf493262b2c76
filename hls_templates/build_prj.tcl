# SPDX-License-Identifier: Apache-2.0
# Vitis HLS: C simulation, C synthesis, RTL simulation and packaging of this project.
#
#   vitis-run --mode hls --tcl build_prj.tcl    2023.2 and later
#   vitis_hls -f build_prj.tcl                  up to 2024.1
#
# project.tcl says what is built, and build_opt.tcl which steps are taken. A Vitis project of an
# earlier run is replaced, so that no result of other sources stays.

cd [file dirname [file normalize [info script]]]
source project.tcl
source build_opt.tcl

proc fail {message} {
    puts "ERROR: $message"
    exit 1
}

if {($opt(csim) || $opt(cosim)) && ![file exists tb_data/input.dat]} {
    fail "the test bench has no samples: tb_data/input.dat is missing. Accelerator.build(images)\
        writes it and runs this script; without samples, set csim and cosim in build_opt.tcl to 0."
}
if {($opt(cosim) || $opt(export)) && !$opt(synth)} {
    fail "cosim and export in build_opt.tcl need the RTL of this run: set synth to 1."
}

# The C simulation takes the integers that are synthesized, not the native ones of build_lib.sh.
set flags "-std=c++14 -Ifirmware -DHYQ_BIT_ACCURATE"
open_project -reset ${project_name}_prj
set_top $project_name
add_files firmware/${project_name}.cpp -cflags $flags
add_files -tb ${project_name}_test.cpp -cflags $flags
if {[file isdirectory tb_data]} {
    add_files -tb tb_data
}
open_solution -reset solution1 -flow_target vivado
# A function has the name of its configuration structure, by which reports are read.
config_compile -name_max_length 160
config_schedule -enable_dsp_full_reg=false
set_part $part
create_clock -period $clock_period -name default
set_clock_uncertainty $clock_uncertainty default

if {$opt(csim)} {
    csim_design
}
if {$opt(synth)} {
    csynth_design
}
if {$opt(cosim)} {
    # The test bench of this step has a log of its own.
    add_files -tb ${project_name}_test.cpp -cflags "$flags -DRTL_SIM"
    cosim_design
}
if {$opt(export)} {
    export_design -format ip_catalog -ipname $project_name -version $version
}
exit 0
