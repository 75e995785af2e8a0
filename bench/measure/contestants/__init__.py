# SPDX-License-Identifier: BSD-3-Clause
"""Each measures one thing on the same bed and returns a Measurement."""
