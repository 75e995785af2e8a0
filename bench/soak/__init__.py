# SPDX-License-Identifier: BSD-3-Clause
"""Hours of everything at once: see bench/soak.sh."""
