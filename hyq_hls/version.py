"""The version of the package and the licence of what it writes, which stand here alone."""

__version__ = "0.1.0"
#: Stands in every generated file, but not in the weights, which are the user's.
LICENCE = "SPDX-License-Identifier: Apache-2.0"
