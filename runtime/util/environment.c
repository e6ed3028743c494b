/* SPDX-License-Identifier: ISC */
/*
 * Environments, see environment.h.
 */
#include "runtime/util/environment.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int
environment_init(struct environment *env)
{
	memset(env, 0, sizeof(*env));
	while (environ != NULL && environ[env->count] != NULL)
		env->count++;
	env->room = env->count + 8;
	env->vars = calloc(env->room + 1, sizeof(*env->vars));
	if (env->vars == NULL)
		return -1;
	if (environ != NULL)
		memcpy(env->vars, environ, env->count * sizeof(*env->vars));
	return 0;
}

void
environment_fini(struct environment *env)
{
	while (env->nowned > 0)
		free(env->owned[--env->nowned]);
	free(env->owned);
	free(env->vars);
	memset(env, 0, sizeof(*env));
}

/* Where a variable stands; count if it is not there. */
static size_t
find(const struct environment *env, const char *name, size_t length)
{
	size_t i;

	for (i = 0; i < env->count; i++)
		if (strncmp(env->vars[i], name, length) == 0 &&
		    env->vars[i][length] == '=')
			break;
	return i;
}

int
environment_put(struct environment *env, char *var)
{
	size_t i = find(env, var, strcspn(var, "="));
	char **grown;

	if (i < env->count) {
		env->vars[i] = var;
		return 0;
	}
	if (env->count == env->room) {
		grown = reallocarray(env->vars, env->room * 2 + 1,
		    sizeof(*grown));
		if (grown == NULL)
			return -1;
		env->vars = grown;
		env->room *= 2;
	}
	env->vars[env->count++] = var;
	env->vars[env->count] = NULL;
	return 0;
}

int
environment_own(struct environment *env, char *string)
{
	char **grown;

	grown = reallocarray(env->owned, env->nowned + 1, sizeof(*grown));
	if (grown == NULL) {
		free(string);
		return -1;
	}
	env->owned = grown;
	env->owned[env->nowned++] = string;
	return 0;
}

int
environment_set(struct environment *env, const char *name, const char *value)
{
	size_t length = strlen(name), i;
	char *var;

	if (value == NULL) {
		i = find(env, name, length);
		if (i < env->count) {
			env->vars[i] = env->vars[--env->count];
			env->vars[env->count] = NULL;
		}
		return 0;
	}
	var = malloc(length + strlen(value) + 2);
	if (var == NULL)
		return -1;
	memcpy(var, name, length);
	var[length] = '=';
	strcpy(var + length + 1, value);
	if (environment_own(env, var) != 0)
		return -1;
	return environment_put(env, var);
}
