"""The colours of all plots: the palette of Okabe and Ito, which every kind of eye tells apart.

M. Okabe, K. Ito, "Color Universal Design", https://jfly.uni-koeln.de/color/. A colour has one
meaning in all plots, and colours that may meet in a plot differ in lightness or in their mark too.
"""

from __future__ import annotations

from typing import Final

BLACK: Final = "#000000"
ORANGE: Final = "#E69F00"
SKY_BLUE: Final = "#56B4E9"
GREEN: Final = "#009E73"
YELLOW: Final = "#F0E442"
BLUE: Final = "#0072B2"
VERMILLION: Final = "#D55E00"
PURPLE: Final = "#CC79A7"

#: The eight colours, in the order in which series without a meaning of their own take them.
OKABE_ITO: Final = (BLUE, ORANGE, GREEN, PURPLE, SKY_BLUE, VERMILLION, YELLOW, BLACK)

#: Neutral greys: for what is compared with, for what waits, and for lines behind the data.
GREY: Final = "#5B6470"
LIGHT_GREY: Final = "#B9C4CF"
PALE_GREY: Final = "#E6E6E6"

#: Levels of the road from float to hardware.
FLOAT: Final = GREY
QUANTIZED: Final = ORANGE
INTEGER: Final = BLUE
CPP: Final = GREEN
RTL: Final = PURPLE

#: Faults, outliers, and whatever else asks for a look.
ALARM: Final = VERMILLION

#: Label and colour of the resources of a part, by their names in reports.
RESOURCES: Final = {
    "lut": ("LUT", BLUE),
    "ff": ("FF", SKY_BLUE),
    "dsp": ("DSP", ORANGE),
    "bram18": ("BRAM", GREEN),
}
#: Marks of series, so that a plot is read without its colours too.
MARKS: Final = ("o", "s", "^", "D", "v", "P", "X", "*")
