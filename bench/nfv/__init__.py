# SPDX-License-Identifier: BSD-3-Clause
"""Networks between namespaces, containers and guests, measured. See bench/nfv/README.md."""
