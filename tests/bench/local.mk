# SPDX-License-Identifier: ISC

bench_programs += \
	tests/bench/bench_spawn \
	tests/bench/bench_stop \
	tests/bench/bench_tree

EXTRA_DIST += \
	tests/bench/bench_idle.py \
	tests/bench/bench_start.py \
	tests/bench/bench_stopping.py \
	tests/bench/bench_survivors.py \
	tests/bench/benchlib.py \
	tests/bench/run \
	tests/bench/wrappers.py
