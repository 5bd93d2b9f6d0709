from . import ledger, ledger_bench
