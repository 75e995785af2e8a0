# SPDX-License-Identifier: BSD-3-Clause
"""What cannot be measured, and why."""


class Trouble(Exception):
    """One line for the user: what: why: what to do."""


class Unavailable(Trouble):
    """This contestant cannot take part here; the others go on."""
