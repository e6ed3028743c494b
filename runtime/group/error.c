/* SPDX-License-Identifier: ISC */
/*
 * The texts of the public enums.  No default labels: the compiler names what
 * is missing.
 */
#include <grouper/error.h>
#include <grouper/group.h>
#include <grouper/ident.h>

const char *
grouper_strerror(enum grouper_error error)
{
	switch (error) {
	case GROUPER_OK:
		return "no error";
	case GROUPER_ALREADY_STARTED:
		return "already started";
	case GROUPER_LEADER_DIED:
		return "the leader died";
	case GROUPER_GROUP_UNDER_APP:
		return "a worker may not found a group";
	case GROUPER_NO_GROUP:
		return "no such group";
	case GROUPER_NOT_FOUND:
		return "not found";
	case GROUPER_ALREADY_EXISTS:
		return "already exists";
	case GROUPER_ALREADY_PRESENT:
		return "already present";
	case GROUPER_RUNNING:
		return "running";
	case GROUPER_RESTARTING:
		return "restarting";
	case GROUPER_BAD_COMBINATION:
		return "options that exclude each other";
	case GROUPER_START_FAILED:
		return "start failed";
	case GROUPER_UNKILLABLE:
		return "processes withstood SIGKILL";
	case GROUPER_TIMED_OUT:
		return "timed out";
	case GROUPER_INVALID:
		return "invalid argument";
	case GROUPER_SYSTEM:
		return "a system call failed";
	}
	return "unknown error";
}

const char *
grouper_stage_name(enum grouper_stage stage)
{
	switch (stage) {
	case GROUPER_STAGE_NONE:
		return "none";
	case GROUPER_STAGE_FORK:
		return "fork";
	case GROUPER_STAGE_CONTAIN:
		return "containment";
	case GROUPER_STAGE_SESSION:
		return "session";
	case GROUPER_STAGE_FDS:
		return "descriptors";
	case GROUPER_STAGE_LIMITS:
		return "limits";
	case GROUPER_STAGE_USER:
		return "user";
	case GROUPER_STAGE_DIRECTORY:
		return "directory";
	case GROUPER_STAGE_EXEC:
		return "exec";
	case GROUPER_STAGE_NICE:
		return "niceness";
	case GROUPER_STAGE_NO_NEW_PRIVS:
		return "no-new-privs";
	}
	return "unknown";
}

const char *
grouper_state_name(enum grouper_state state)
{
	switch (state) {
	case GROUPER_STATE_UNKNOWN:
		return "unknown";
	case GROUPER_STATE_IDLE:
		return "idle";
	case GROUPER_STATE_STARTING:
		return "starting";
	case GROUPER_STATE_RUNNING:
		return "running";
	case GROUPER_STATE_STOPPING:
		return "stopping";
	case GROUPER_STATE_UNKILLABLE:
		return "unkillable";
	case GROUPER_STATE_LEADER_DIED:
		return "leader died";
	}
	return "unknown";
}

const char *
grouper_containment_name(enum grouper_containment level)
{
	switch (level) {
	case GROUPER_CONTAIN_AUTO:
		return "auto";
	case GROUPER_CONTAIN_REAPER:
		return "reaper";
	case GROUPER_CONTAIN_CGROUP:
		return "cgroup";
	case GROUPER_CONTAIN_PIDNS:
		return "pidns";
	}
	return "unknown";
}

const char *
grouper_kind_name(enum grouper_kind kind)
{
	switch (kind) {
	case GROUPER_KIND_NONE:
		return "none";
	case GROUPER_KIND_TERMINAL:
		return "terminal";
	case GROUPER_KIND_GROUP:
		return "group";
	case GROUPER_KIND_WORKER:
		return "worker";
	}
	return "unknown";
}
