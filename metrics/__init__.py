"""
The metric contract: what the application exports, and whether rules and panels ask for nothing else.

`contract.yml` in this folder is its only statement, this package its only reader.
"""

from metrics._expressions import Selector
from metrics._reader import FILE, load
from metrics.contract import Contract, ContractError, Metric, selectors

__all__ = ["FILE", "Contract", "ContractError", "Metric", "Selector", "load", "selectors"]
