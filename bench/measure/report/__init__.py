# SPDX-License-Identifier: BSD-3-Clause
"""Turns the JSON of a run into tables and pages; asks nothing of the machine."""
