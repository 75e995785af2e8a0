# SPDX-License-Identifier: BSD-3-Clause
"""One experiment a file: which contestants take which turns, and what is kept of them."""
