"""Our relay beside rtpengine. `scripts/bench-relay` is the command."""
