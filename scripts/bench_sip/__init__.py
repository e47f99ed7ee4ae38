"""Our server beside Kamailio under the same load; `scripts/bench-sip` is the command."""
