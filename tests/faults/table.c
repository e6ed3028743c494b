/* SPDX-License-Identifier: ISC */
/* The names of calls and errors, for the wrappers and their driver. */
#include "tests/faults/faults.h"

#include <errno.h>
#include <stddef.h>

#define INFO(name, ...) { #name, { __VA_ARGS__ } },
const struct faults_call_info faults_calls[FAULTS_CALLS] = {
	FAULTS_LIST(INFO)
};

static const struct {
	int error;
	const char *name;
} errors[] = {
	{ EAGAIN, "EAGAIN" },
	{ ECONNABORTED, "ECONNABORTED" },
	{ ECONNREFUSED, "ECONNREFUSED" },
	{ EINTR, "EINTR" },
	{ EIO, "EIO" },
	{ EMFILE, "EMFILE" },
	{ ENFILE, "ENFILE" },
	{ ENOBUFS, "ENOBUFS" },
	{ ENOLCK, "ENOLCK" },
	{ ENOMEM, "ENOMEM" },
	{ ENOSPC, "ENOSPC" },
	{ EPERM, "EPERM" },
	{ EPIPE, "EPIPE" },
	{ FAULTS_SHORT, "short" },
};

const char *
faults_error_name(int error)
{
	size_t i;

	for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (errors[i].error == error)
			return errors[i].name;
	return "?";
}
