# SPDX-License-Identifier: Apache-2.0
# What both scripts need: options, and the sources of the core.

# Options of the command line over their defaults, as a dictionary: -name value.
proc options {defaults} {
    if {[llength $::argv] % 2} {
        error "options come in pairs, -name value; found: $::argv"
    }
    foreach {name value} $::argv {
        if {![dict exists $defaults $name]} {
            error "unknown option $name; there are [dict keys $defaults]"
        }
        dict set defaults $name $value
    }
    if {[dict get $defaults -backend] ni {rtl hls}} {
        error "-backend [dict get $defaults -backend]: rtl or hls is wanted"
    }
    return $defaults
}

# Our SystemVerilog modules, the package that they use first.
proc hyq_modules {root} {
    set folder [file join $root rtl hyq]
    set package [file join $folder hyq_pkg.sv]
    set modules [glob -directory $folder *.sv]
    return [concat [list $package] [lsearch -all -inline -exact -not $modules $package]]
}

# Sources of module <project>_dma: our SystemVerilog (rtl), or the Verilog of Vitis HLS (hls).
# The wrapper goes into folder `build` with the path of the memory files in it.
proc core_sources {here project backend build} {
    set root [file dirname $here]
    if {$backend eq "rtl"} {
        set sources [hyq_modules $root]
        lappend sources [file join $root rtl $project.sv]
    } else {
        set verilog [file join $root vitis_cosim verilog]
        set sources [glob -nocomplain -directory $verilog *.v *.sv]
        if {![llength $sources]} {
            error "no Verilog of Vitis HLS in $verilog; run Accelerator.build(), then\
                cosimulate(rtl=\"vitis\"), which checks it"
        }
        # Its ports are our AXI4-Stream modules; settings.tcl names them and what they need.
        foreach module $::port_modules {
            lappend sources [file join $root rtl hyq $module.sv]
        }
    }
    lappend sources [file join $here hyq_dma_frames.sv]

    # Vivado looks for the files of $readmemh in many places; an absolute path is never wrong.
    set memories [file join $root rtl memory]
    set in [open [file join $here $backend ${project}_dma.v]]
    set text [string map [list {MemoryDir = "memory"} "MemoryDir = \"$memories\""] [read $in]]
    close $in
    file mkdir $build
    set wrapper [file join $build ${project}_dma.v]
    set out [open $wrapper w]
    puts -nonewline $out $text
    close $out
    return [lappend sources $wrapper]
}
