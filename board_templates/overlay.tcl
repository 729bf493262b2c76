# SPDX-License-Identifier: Apache-2.0
# Builds a bitstream for a Zynq board: processing system, AXI DMA, the core, and an AXI GPIO that
# says how many frames a transfer has. The folder board_<backend>/ then holds all that PYNQ needs.
#
#   vivado -mode batch -source overlay.tcl -tclargs \
#       ?-backend rtl|hls? ?-board_part VLNV? ?-jobs N?
#
# -board_part, such as tul.com.tw:pynq-z2:part0:1.0, presets DDR and pins of the processing system
# where the board's files are installed. Without it they keep their defaults, which PYNQ's own boot
# has set already.
set here [file dirname [file normalize [info script]]]
source [file join $here settings.tcl]
source [file join $here common.tcl]
set opt [options {-backend rtl -board_part {} -jobs 4}]
set backend [dict get $opt -backend]

# What differs between the two processing systems: pins, and the parameters that enable them.
if {$family eq "zynq-7000"} {
    set system processing_system7
    set automation {make_external "FIXED_IO, DDR" Master "Disable" Slave "Disable"}
    set clock ps/FCLK_CLK0
    set reset ps/FCLK_RESET0_N
    set control_port ps/M_AXI_GP0
    set memory_port ps/S_AXI_HP0
    set port_clocks {ps/M_AXI_GP0_ACLK ps/S_AXI_HP0_ACLK}
    set system_config [list \
        CONFIG.PCW_USE_M_AXI_GP0 1 \
        CONFIG.PCW_USE_S_AXI_HP0 1 \
        CONFIG.PCW_EN_CLK0_PORT 1 \
        CONFIG.PCW_EN_RST0_PORT 1 \
        CONFIG.PCW_FPGA0_PERIPHERAL_FREQMHZ $clock_mhz]
} elseif {$family eq "zynq-ultrascale+"} {
    set system zynq_ultra_ps_e
    set automation {}
    set clock ps/pl_clk0
    set reset ps/pl_resetn0
    set control_port ps/M_AXI_HPM0_FPD
    set memory_port ps/S_AXI_HP0_FPD
    set port_clocks {ps/maxihpm0_fpd_aclk ps/saxihp0_fpd_aclk}
    set system_config [list \
        CONFIG.PSU__USE__M_AXI_GP0 1 \
        CONFIG.PSU__USE__M_AXI_GP1 0 \
        CONFIG.PSU__USE__M_AXI_GP2 0 \
        CONFIG.PSU__USE__S_AXI_GP2 1 \
        CONFIG.PSU__FPGA_PL0_ENABLE 1 \
        CONFIG.PSU__CRL_APB__PL0_REF_CTRL__FREQMHZ $clock_mhz]
} else {
    error "$part has no processing system: overlays are for Zynq parts. Connect module\
        ${project}_dma to the DMA of your board"
}
foreach {side bytes} [list input $input_bytes output $output_bytes] {
    if {$bytes > 128} {
        error "words of $bytes bytes at the $side: an AXI DMA takes 128 at most; convert again\
            with fewer lanes there"
    }
}

# The newest version of an IP, whatever Vivado this is.
proc ip {name cell config} {
    set found [lindex [lsort -dictionary [get_ipdefs xilinx.com:ip:$name:*]] end]
    if {$found eq ""} {
        error "this Vivado has no IP $name"
    }
    create_bd_cell -type ip -vlnv $found $cell
    if {[llength $config]} {
        set_property -dict $config [get_bd_cells $cell]
    }
}

# Connects two interfaces.
proc interface {from to} {
    connect_bd_intf_net [get_bd_intf_pins $from] [get_bd_intf_pins $to]
}

# Connects a pin to others.
proc wire {from args} {
    foreach to $args {
        connect_bd_net [get_bd_pins $from] [get_bd_pins $to]
    }
}

set build [file join $here build_$backend]
create_project overlay [file join $build overlay] -part $part -force
if {[dict get $opt -board_part] ne ""} {
    set_property board_part [dict get $opt -board_part] [current_project]
}
add_files -norecurse [core_sources $here $project $backend $build]
update_compile_order -fileset sources_1

create_bd_design overlay
ip $system ps {}
set preset [expr {[dict get $opt -board_part] ne ""}]
apply_bd_automation -rule xilinx.com:bd_rule:$system \
    -config [list {*}$automation apply_board_preset $preset] [get_bd_cells ps]
set_property -dict $system_config [get_bd_cells ps]
ip proc_sys_reset resets {}
ip smartconnect control {CONFIG.NUM_SI 1 CONFIG.NUM_MI 2}
ip smartconnect memory {CONFIG.NUM_SI 2 CONFIG.NUM_MI 1}
ip axi_gpio frames {
    CONFIG.C_IS_DUAL 1
    CONFIG.C_GPIO_WIDTH 32 CONFIG.C_ALL_OUTPUTS 1
    CONFIG.C_GPIO2_WIDTH 32 CONFIG.C_ALL_INPUTS_2 1
}
# Only then the width of the receiving side can be set.
ip axi_dma dma {CONFIG.c_s_axis_s2mm_tdata_width.VALUE_SRC USER}
# Memory side: at least 32 bits. Lengths of 26 bits are what driver.py counts on.
set_property -dict [list \
    CONFIG.c_include_sg 0 \
    CONFIG.c_sg_include_stscntrl_strm 0 \
    CONFIG.c_sg_length_width 26 \
    CONFIG.c_m_axis_mm2s_tdata_width [expr {8 * $input_bytes}] \
    CONFIG.c_m_axi_mm2s_data_width [expr {max(32, 8 * $input_bytes)}] \
    CONFIG.c_s_axis_s2mm_tdata_width [expr {8 * $output_bytes}] \
    CONFIG.c_m_axi_s2mm_data_width [expr {max(32, 8 * $output_bytes)}]] [get_bd_cells dma]
create_bd_cell -type module -reference ${project}_dma core

interface $control_port control/S00_AXI
interface control/M00_AXI dma/S_AXI_LITE
interface control/M01_AXI frames/S_AXI
interface dma/M_AXI_MM2S memory/S00_AXI
interface dma/M_AXI_S2MM memory/S01_AXI
interface memory/M00_AXI $memory_port
interface dma/M_AXIS_MM2S core/s_axis
interface core/m_axis dma/S_AXIS_S2MM
wire frames/gpio_io_o core/frames_i
wire core/transfer_errors_o frames/gpio2_io_i

wire $clock {*}$port_clocks resets/slowest_sync_clk control/aclk memory/aclk frames/s_axi_aclk \
    dma/s_axi_lite_aclk dma/m_axi_mm2s_aclk dma/m_axi_s2mm_aclk core/aclk
wire $reset resets/ext_reset_in
wire resets/peripheral_aresetn control/aresetn memory/aresetn frames/s_axi_aresetn \
    dma/axi_resetn core/aresetn

assign_bd_address
validate_bd_design
# The processing system divides its own clock; this is what came out.
set actual_mhz [expr {[get_property CONFIG.FREQ_HZ [get_bd_pins $clock]] / 1e6}]
save_bd_design
make_wrapper -files [get_files overlay.bd] -top -import
set_property top overlay_wrapper [current_fileset]
update_compile_order -fileset sources_1

launch_runs impl_1 -to_step write_bitstream -jobs [dict get $opt -jobs]
wait_on_run impl_1
if {[get_property PROGRESS [get_runs impl_1]] ne "100%"} {
    error "implementation failed; see [get_property DIRECTORY [get_runs impl_1]]/runme.log"
}
open_run impl_1
set board [file join $here board_$backend]
file mkdir $board
report_utilization -hierarchical -file [file join $board utilization.rpt]
report_timing_summary -max_paths 10 -file [file join $board timing.rpt]
set slack [get_property STATS.WNS [get_runs impl_1]]
if {$slack < 0} {
    error "timing is not met at $actual_mhz MHz: worst slack $slack ns, see $board/timing.rpt;\
        convert again with a slower clock. No bitstream was copied"
}

# PYNQ finds the hardware description by the name of the bitstream.
set runs [file join $build overlay overlay.runs impl_1]
file copy -force [file join $runs overlay_wrapper.bit] [file join $board $project.bit]
set handoff [glob -directory [file join $build overlay] -join overlay.* sources_1 bd overlay \
    hw_handoff overlay.hwh]
file copy -force [lindex $handoff 0] [file join $board $project.hwh]
foreach file {driver.py streams.json} {
    file copy -force [file join $here $file] $board
}
puts "$project on $part at $actual_mhz MHz: worst slack $slack ns; copy $board to the board"
