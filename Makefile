# Landbridge. `make` alone prints this list.
.DEFAULT_GOAL := help
SHELL := /bin/bash

MODULES := . standalone test/lab test/integration
GO ?= go
BUILD := $(GO) build

.PHONY: help
help: ## Print this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | column -t -s "$$(printf '\t')"

.PHONY: build
build: ## Build bin/landbridge, -worker, -standalone and bin/lab (cold 8 min, then seconds)
	@[ -e bin/landbridge-standalone ] || echo "building: usually 8 minutes with nothing cached"
	$(BUILD) -o bin/landbridge ./starter
	$(BUILD) -o bin/landbridge-worker ./worker
	$(GO) build -C standalone -o ../bin/landbridge-standalone .
	$(GO) build -C test/lab -o ../../bin/lab ./cmd/lab
