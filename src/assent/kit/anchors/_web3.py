"""Web3, imported so that it changes nothing for the rest of the program.

A library that it brings lets Python call a hundred times deeper than by default. A stranger's JSON
of a hundred thousand brackets would then end the process instead of raising `RecursionError`.
"""

import sys

__all__ = ["web3"]

_LIMIT = sys.getrecursionlimit()
try:
    import web3
    import web3.exceptions
    import web3.providers.base
finally:
    sys.setrecursionlimit(_LIMIT)
