# Landbridge. `make` alone prints this list.
.DEFAULT_GOAL := help
SHELL := /bin/bash
GO ?= go
# Every module of the repository, the product's own first.
MODULES := . standalone test
WORKFLOWCHECK := go.temporal.io/sdk/contrib/tools/workflowcheck@v0.6.0
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.7.0
VULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.9.0
GOVERSION_NEEDED := 1.26

.PHONY: help
help: ## Print this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | column -t -s "$$(printf '\t')"

.PHONY: go
go:
	@command -v $(GO) >/dev/null || { echo "Landbridge needs Go $(GOVERSION_NEEDED) or newer: install it, then try again" >&2; exit 1; }

.PHONY: build
build: go ## Build bin/landbridge, -worker, -standalone and lab
	@[ -e bin/landbridge-standalone ] || echo "building landbridge, worker, standalone and lab: usually 8 minutes with nothing cached"
	$(GO) build -o bin/landbridge ./starter
	$(GO) build -o bin/landbridge-worker ./worker
	$(GO) build -C standalone -o ../bin/landbridge-standalone .
	$(GO) build -C test -o ../bin/lab ./lab/cmd/lab

.PHONY: demo
demo: build ## The main job from nothing; Ctrl-C cleans up (DEMO=once: does not wait)
	@test/lab/demo.sh

# What a sample leaves out is drawn by the commit.
SEED := $(shell printf '%d' 0x$$(git rev-parse --short=8 HEAD 2>/dev/null || echo 1))
CHAOS_SAMPLE := --sample 4 --lanes 2 --acts 5 --seed $(SEED)

# The tests lack cores, not memory: API servers, workers and compilers collect their garbage
# less often, for more memory.
test test-kwok test-traffic test-every-step docs-test: export GOGC ?= 250

.PHONY: test
test: lint vulncheck build chaos-build ## Every test that a fresh machine with Go can pass, and a sample of make chaos
	$(GO) test -race -p 3 -timeout 40m ./...
	$(GO) test -C standalone -timeout 40m ./...
	$(GO) test -C test -timeout 40m ./lab/... ./image ./deploy ./sizes ./docs
	@$(MAKE) --no-print-directory -j2 test-kwok test-traffic

.PHONY: test-unit
test-unit: go ## The tests that need no lab, in under two minutes when little has to be built
	$(GO) test ./...
	$(GO) test -C standalone -timeout 40m ./...
	$(GO) test -C test -timeout 40m ./lab/... ./image ./deploy ./docs

# Tests on labs wait more than they compute: make test runs these two beside each other.
.PHONY: test-kwok
test-kwok: build ## Integration tests on KWOK's nodes, which run nothing (TESTS=regexp: some of them)
	$(GO) test -C test -count=1 -parallel 6 -timeout 60m -run '$(TESTS)' -skip RealNodes ./integration -seed $(SEED)

.PHONY: test-every-step
test-every-step: build ## Each step that writes, not the sample of make test: its answer lost, then undone; tried twice at once
	$(GO) test -C test -count=1 -parallel 5 -timeout 60m -run 'TestEachStep|TestTwoTries' ./integration -every-step

.PHONY: test-traffic
test-traffic: build chaos-build ## Integration tests on real nodes, then the sample of make chaos
	$(GO) test -C test -count=1 -timeout 50m -run RealNodes ./integration
	bin/chaos $(CHAOS_SAMPLE)

.PHONY: docs-test
docs-test: build ## Every command of the documentation, run on a lab
	$(GO) test -C test -count=1 -timeout 30m ./docs -lab

.PHONY: e2e
e2e: build chaos-build ## The whole way on real nodes, with traffic, the real cert-manager, and a life of ordinary acts (Linux, root)
	$(GO) test -C test -count=1 -timeout 50m -v -run 'TestRealNodes|TestIssuer|TestImage|TestFifty|TestRBAC_TheRole' ./integration -whole-way -root-change
	bin/chaos --nodes real --lives 1 --lanes 1 --acts 10 --seed $(SEED)

.PHONY: lint
lint: go ## gofmt, go vet, staticcheck, workflowcheck, and go.mod files that are tidy
	@out=$$(gofmt -l .); [ -z "$$out" ] || { echo "not formatted, run gofmt -w: $$out" >&2; exit 1; }
	@for m in $(MODULES); do echo "vet, tidy and staticcheck: $$m"; \
	  $(GO) vet -C $$m ./... && $(GO) mod tidy -C $$m -diff >/dev/null || { echo "$$m: vet failed, or go.mod is not tidy" >&2; exit 1; }; done
	$(GO) run $(STATICCHECK) ./...
	$(GO) run $(WORKFLOWCHECK) ./workflows/...

.PHONY: vulncheck
vulncheck: go ## Known vulnerabilities that the programs reach (govulncheck), where its database can be asked
	@for m in . standalone; do out=$$($(GO) run $(VULNCHECK) -C $$m ./... 2>&1); code=$$?; \
	  case "$$out" in *"fetching vulnerabilities"*) echo "vulncheck: the database of vulnerabilities cannot be reached: nothing was checked"; exit 0;; esac; \
	  echo "$$m: $$(echo "$$out" | tail -60)"; [ $$code = 0 ] || exit $$code; done

.PHONY: release
release: go ## Static programs for linux and darwin, image, chart, checksums and SBOMs in dist (VERSION=v0.3.0)
	@deploy/release.sh "$(VERSION)"

.PHONY: image
image: go ## The worker's image for linux on amd64 and arm64, an OCI layout in dist/image (VERSION=v0.3.0)
	@deploy/image.sh "$(VERSION)"

comma := ,
FUZZTIME ?= 60s
.PHONY: fuzz
fuzz: go ## Feed every parser of what comes from outside nonsense, for FUZZTIME (60s) each
	@grep -rhoE '^func Fuzz\w+' --include='*_test.go' . -H | sed -E 's#/[^/]*:func # #' | sort | while read -r dir name; do \
	  echo "$$dir $$name"; nice $(GO) test $$dir -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) $(FUZZFLAGS) || exit 1; done

.PHONY: chaos
chaos: build chaos-build ## Whole rollouts and cleanups while everything else breaks; under an hour (CHAOS="--help": how)
	bin/chaos $(CHAOS)

.PHONY: chaos-build
chaos-build: go
	$(GO) build -C test -o ../bin/ ./chaos ./chaos/victim

.PHONY: chaos-temporal
chaos-temporal: go ## The Temporal server and its SQL tool, for make chaos CHAOS="--temporal-bin bin" (needs Debian's postgresql)
	$(GO) build -C test -o ../bin/temporal-server go.temporal.io/server/cmd/server
	$(GO) build -C test -o ../bin/temporal-sql-tool go.temporal.io/server/cmd/tools/sql

.PHONY: lab-up
lab-up: build ## Bring up a lab of two clusters in .lab (NODES=real: with nodes that run containers)
	bin/lab up --nodes $(or $(NODES),kwok) --dir .lab

.PHONY: lab-down
lab-down: ## Remove the lab in .lab
	bin/lab down --dir .lab

.PHONY: bench
bench: build ## Requests and time of a rollout, its repetition and its cleanup
	$(GO) test -C test -run '^$$' -bench BenchmarkFleet -benchtime 1x -timeout 25m ./integration

.PHONY: sessions
sessions: build ## Every command on a lab, written down as a terminal shows it (docs/generated/sessions.md)
	@test/lab/sessions.sh

.PHONY: sizes
sizes: go ## What fleets of 100 and 200 clusters put into Temporal, operation by operation (CLUSTERS=100,200)
	$(GO) test -C test -count=1 -timeout 50m -v -run TestSizes ./sizes -clusters $(or $(CLUSTERS),100$(comma)200)

.PHONY: soak
soak: build ## 200 rollouts and cleanups by one worker, with its memory and goroutines (a quarter of an hour)
	$(GO) test -C test -run '^$$' -bench BenchmarkSoak -benchtime 1x -timeout 60m ./integration

.PHONY: overload
overload: build ## A rollout of eight clusters beside 40 busy processes: is anything begun again?
	$(GO) test -C test -count=1 -timeout 60m -v -run TestOverload ./integration -overload 40

.PHONY: bench-tunnel
bench-tunnel: build ## Latency, throughput and memory of the tunnel, beside a direct connection (Linux, root)
	$(GO) test -C test -run '^$$' -bench BenchmarkTunnel -benchtime 1x -timeout 25m ./integration
