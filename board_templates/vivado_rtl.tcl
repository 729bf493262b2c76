# SPDX-License-Identifier: Apache-2.0
# Synthesizes the core alone, without pins; places and routes it on request. The reports go into
# reports_<backend>/.
#
#   vivado -mode batch -source vivado_rtl.tcl -tclargs ?-backend rtl|hls? ?-implement 0|1?
#
# The row of u_core in the utilization is the core; the others are its connection to a DMA.
set here [file dirname [file normalize [info script]]]
source [file join $here settings.tcl]
source [file join $here common.tcl]
set opt [options {-backend rtl -implement 0}]
set backend [dict get $opt -backend]
set reports [file join $here reports_$backend]
file mkdir $reports

set sources [core_sources $here $project $backend [file join $here build_$backend]]
# Lists, because a path may have spaces.
foreach file $sources {
    if {[file extension $file] eq ".sv"} {
        read_verilog -sv [list $file]
    } else {
        read_verilog [list $file]
    }
}
read_xdc -mode out_of_context [list [file join $here clock.xdc]]

# One name per step, so that reports of synthesis stay beside those of routing. The slowest path
# goes into a file of its own, for hyq_hls.tools.vivado.read_vivado.
proc write_reports {reports step} {
    report_utilization -hierarchical -file [file join $reports ${step}_utilization.rpt]
    report_timing_summary -max_paths 10 -file [file join $reports ${step}_timing.rpt]
    write_checkpoint -force [file join $reports $step.dcp]
    set path [lindex [get_timing_paths -max_paths 1] 0]
    set slack [get_property SLACK $path]
    set out [open [file join $reports ${step}_path.txt] w]
    puts $out "slack_ns $slack"
    puts $out "delay_ns [get_property DATAPATH_DELAY $path]"
    close $out
    return $slack
}

synth_design -top ${project}_dma -part $part -mode out_of_context -flatten_hierarchy rebuilt
set slack [write_reports $reports synthesis]

if {[dict get $opt -implement]} {
    opt_design
    place_design
    phys_opt_design
    route_design
    set slack [write_reports $reports route]
}
puts "$project on $part at $clock_mhz MHz: worst slack $slack ns, reports in $reports"
