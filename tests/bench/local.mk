# SPDX-License-Identifier: ISC

bench_programs += \
	tests/bench/bench_loop \
	tests/bench/bench_member \
	tests/bench/bench_messages \
	tests/bench/bench_ordinary \
	tests/bench/bench_relay \
	tests/bench/bench_spawn \
	tests/bench/bench_stop \
	tests/bench/bench_tree \
	tests/bench/trace_order

# Without a libc, whatever the other programs are linked with.
tests_bench_bench_member_CFLAGS = $(STD_CFLAGS) $(WARN_CFLAGS) \
	-ffreestanding -fno-stack-protector -fno-pie
tests_bench_bench_member_LDFLAGS = -static -nostdlib -no-pie
tests_bench_bench_member_LDADD =

tests_bench_bench_ordinary_SOURCES = tests/bench/bench_member.c
tests_bench_bench_ordinary_CPPFLAGS = $(AM_CPPFLAGS) -DORDINARY
tests_bench_bench_ordinary_LDADD =

tests_bench_bench_messages_SOURCES = \
	tests/bench/bench_message.c \
	tests/bench/bench_message.h \
	tests/bench/bench_messages.c \
	tests/bench/bench_wire.c \
	tests/bench/bench_wire.h
tests_bench_bench_messages_LDADD = libgrouper_core.la $(core_libs)

# Where there is no libzmq, ZeroMQ is not measured.
if HAVE_ZMQ
bench_programs += tests/bench/bench_zeromq
endif
tests_bench_bench_zeromq_SOURCES = \
	tests/bench/bench_message.c \
	tests/bench/bench_message.h \
	tests/bench/bench_zeromq.c
tests_bench_bench_zeromq_CFLAGS = $(AM_CFLAGS) $(ZMQ_CFLAGS)
tests_bench_bench_zeromq_LDADD = $(ZMQ_LIBS)

tests_bench_bench_relay_SOURCES = \
	tests/bench/bench_relay.c \
	tests/bench/relay_traffic.c \
	tests/bench/relay_traffic.h

script_tests += \
	tests/bench/bench.sh

EXTRA_DIST += \
	tests/bench/bench_idle.py \
	tests/bench/bench_many.py \
	tests/bench/bench_messages.py \
	tests/bench/bench_restart.py \
	tests/bench/bench_start.py \
	tests/bench/bench_stopping.py \
	tests/bench/bench_survivors.py \
	tests/bench/benchlib.py \
	tests/bench/benchstat.py \
	tests/bench/brokers.py \
	tests/bench/draw \
	tests/bench/order.sh \
	tests/bench/peers.py \
	tests/bench/report.py \
	tests/bench/run \
	tests/bench/test_bench.py \
	tests/bench/wrappers.py

# What tools/order.ld has to bring together.
check-order: grouper$(EXEEXT) tests/bench/trace_order$(EXEEXT)
	@$(SHELL) $(srcdir)/tests/bench/order.sh ./grouper$(EXEEXT) \
	    tests/bench/trace_order$(EXEEXT)

.PHONY: check-order
