# SPDX-License-Identifier: BSD-3-Clause
"""Tests of bench/measure: bench/tests.sh. They measure nothing, and need neither a build nor a quiet machine."""
