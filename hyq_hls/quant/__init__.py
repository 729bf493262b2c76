"""From a float graph to integers: statistics, ranges, scales, lowering."""
