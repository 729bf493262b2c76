# The commands of Vivado that the scripts use, for a Tcl interpreter without Vivado: they note their
# arguments in ::calls, keep the book of a block design, and refuse what is not in it. Any other
# command is an error of Tcl, and so is a pin or interface that an IP does not have (the IPs' pins
# are those of their product guides: PG021, PG082, PG144, PG164, PG201, PG247).

set calls {}
set cells [dict create]
set nets {}
# Of get_property.
set answers [dict create PROGRESS 100% STATS.WNS 0.125 SLACK 0.125 DATAPATH_DELAY 6.25 \
    CONFIG.FREQ_HZ 142857132 DIRECTORY runs]

set axi {aclk aresetn}
set pins [dict create \
    processing_system7 {FCLK_CLK0 FCLK_RESET0_N M_AXI_GP0_ACLK S_AXI_HP0_ACLK M_AXI_GP0 S_AXI_HP0} \
    zynq_ultra_ps_e {pl_clk0 pl_resetn0 maxihpm0_fpd_aclk saxihp0_fpd_aclk M_AXI_HPM0_FPD
        S_AXI_HP0_FPD} \
    proc_sys_reset {slowest_sync_clk ext_reset_in peripheral_aresetn} \
    smartconnect [list {*}$axi S00_AXI S01_AXI M00_AXI M01_AXI] \
    axi_gpio {s_axi_aclk s_axi_aresetn S_AXI gpio_io_o gpio2_io_i} \
    axi_dma {s_axi_lite_aclk m_axi_mm2s_aclk m_axi_s2mm_aclk axi_resetn S_AXI_LITE M_AXI_MM2S
        M_AXI_S2MM M_AXIS_MM2S S_AXIS_S2MM} \
    core [list {*}$axi s_axis m_axis frames_i transfer_errors_o]]

proc note {args} {
    lappend ::calls $args
}

foreach command {
    apply_bd_automation assign_bd_address create_bd_design create_project launch_runs
    make_wrapper open_run opt_design phys_opt_design place_design report_timing_summary report_utilization route_design save_bd_design set_property synth_design
    update_compile_order validate_bd_design wait_on_run write_checkpoint
} {
    interp alias {} $command {} note $command
}
# The last argument is a list of files.
foreach command {add_files read_verilog read_xdc} {
    proc $command {args} [string map [list NAME $command] {
        foreach file [lindex $args end] {
            if {![file exists $file]} {
                error "no file $file"
            }
            note NAME {*}[lrange $args 0 end-1] $file
        }
    }]
}
# They stand for objects of Vivado by their own names.
foreach command {current_fileset current_project get_files get_runs get_timing_paths} {
    proc $command {args} [list return $command]
}

proc get_property {name object} {
    return [dict get $::answers $name]
}

proc get_ipdefs {pattern} {
    set name [lindex [split $pattern :] 2]
    if {![dict exists $::pins $name]} {
        return {}
    }
    # As strings 10.0 comes before 9.1.
    return [list xilinx.com:ip:$name:10.0 xilinx.com:ip:$name:9.1]
}

proc create_bd_cell {args} {
    note create_bd_cell {*}$args
    set name [lindex $args end]
    if {[dict exists $::cells $name]} {
        error "cell $name exists"
    }
    set options [lrange $args 0 end-1]
    if {[dict get $options -type] eq "ip"} {
        lassign [split [dict get $options -vlnv] :] vendor library kind version
        if {$version ne "10.0"} {
            error "an old version of $kind"
        }
    } else {
        dict get $options -reference
        set kind core
    }
    dict set ::cells $name $kind
}

proc get_bd_cells {name} {
    dict get $::cells $name
    return $name
}

proc get_bd_pins {path} {
    lassign [split $path /] cell pin
    if {$pin ni [dict get $::pins [dict get $::cells $cell]]} {
        error "no pin $path"
    }
    return $path
}

proc get_bd_intf_pins {path} {
    get_bd_pins $path
}

proc connect_bd_net {from to} {
    lappend ::nets [list $from $to]
}

proc connect_bd_intf_net {from to} {
    lappend ::nets [list $from $to]
}

# `value` as JSON: `depth` levels of lists, then text without quotes or backslashes.
proc json {depth value} {
    if {$depth == 0} {
        return "\"[regsub -all {\s+} $value { }]\""
    }
    set items {}
    foreach item $value {
        lappend items [json [expr {$depth - 1}] $item]
    }
    return "\[[join $items ,]\]"
}

# What was done so far.
proc summary {} {
    return "\[[json 2 $::calls],[json 2 $::nets],[json 1 $::cells],[json 1 $::pins]\]"
}
