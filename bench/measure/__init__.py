# SPDX-License-Identifier: BSD-3-Clause
"""Measures wirespool beside its limits and its peers. Started by bench/run.sh; Python's standard library only."""
