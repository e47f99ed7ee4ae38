# The commands of the project. Each is a thin script, so that it can be read and run alone.

.PHONY: setup run release deb test lint bench bench-sip bench-speech bench-echo bench-flood bench-abuse bench-audio bench-relay bench-portal soak fuzz

setup: ## install what building, running and testing need
	@scripts/setup

run: ## the whole story: portal, proxy, two phones, a call; ONCE=1 ends after it, DEMO=0 leaves the demonstration out
	@scripts/run

release: ## server and phone as they are shipped, optimised for their work; half an hour
	@scripts/release

deb: ## the Debian package of the server, of what `make release` built or of a build of now
	@scripts/deb

test: ## everything that decides whether a change is good
	@scripts/test

lint: ## format, compiler and clippy warnings, documentation, licences, layers
	@scripts/lint

bench: ## measurements; results belong into docs/performance.md
	@scripts/bench

bench-sip: ## our server beside Kamailio under the same load; ARGS="--quick" for four minutes, --help for the rest
	@scripts/bench-sip $(ARGS)

bench-speech: ## speech through our media path over simulated networks, scored; ARGS="--only opus --seeds 3"
	@scripts/bench-speech $(ARGS)

bench-echo: ## echo cancellation in simulated rooms: ERLE, double talk, cost; ARGS="--rooms 2 --delays 80"
	@scripts/bench-echo $(ARGS)

bench-flood: ## 30,000 requests a second without credentials while a registered phone refreshes
	@scripts/bench-flood $(ARGS)

bench-abuse: ## peers that never read, pipeline, or are slow, while others go on
	@scripts/bench-abuse $(ARGS)

bench-audio: ## our phone's sound beside baresip and linphonec on good and bad networks; ARGS="--quick" for ten minutes, --help for the rest
	@scripts/bench-audio $(ARGS)

bench-relay: ## our media relay beside rtpengine under the same calls; ARGS="--calls 400", --help for the rest
	@scripts/bench-relay $(ARGS)

bench-portal: ## the portal of a large company under load, on both databases; ARGS="--only sqlite", --help for the rest
	@scripts/bench-portal $(ARGS)

soak: ## 10,000 calls over bad networks with restarts; every call must end, every table must be empty
	@scripts/soak

fuzz: ## invented input to everything that reads from the network, a minute for each target; FUZZ_SECONDS=600
	@scripts/fuzz
