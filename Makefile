# Every command is described by `make help`; the work is done in tools/dist_dev.
PYTHON ?= $(shell for each in python3 python3.13 python3.12 python3.11 python3.10; do \
	"$$each" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && echo "$$each" && break; done)
COMMANDS := help setup demo chaos test fuzz lint bench shell logs stop clean compose-secrets
export KEEP CHAOS DB SERVICE ORDERS

.DEFAULT_GOAL := help
.PHONY: $(COMMANDS)

$(COMMANDS):
	@PYTHONPATH="$(CURDIR)/tools" PYTHONDONTWRITEBYTECODE=1 exec $(or $(PYTHON),python3) -m dist_dev $@ $(ARGS)
