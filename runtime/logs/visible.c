/* SPDX-License-Identifier: ISC */
/*
 * Text made harmless for a terminal: see visible.h.
 */
#include "runtime/logs/visible.h"

#include <stdbool.h>
#include <string.h>

/* How many bytes the UTF-8 character at text has, 0 if there is none. */
static size_t
character(const unsigned char *text, size_t length)
{
	size_t n, i;

	if (text[0] >= 0xc2 && text[0] <= 0xdf)
		n = 2;
	else if (text[0] >= 0xe0 && text[0] <= 0xef)
		n = 3;
	else if (text[0] >= 0xf0 && text[0] <= 0xf4)
		n = 4;
	else
		return 0;
	if (n > length)
		return 0;
	for (i = 1; i < n; i++)
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

static bool
is_upper_control(unsigned char byte)
{
	return byte >= 0x80 && byte <= 0x9f;
}

static size_t
show(char *to, unsigned char byte)
{
	static const char digits[] = "0123456789abcdef";

	if (byte < 0x80) {
		to[0] = '^';
		to[1] = (char)(byte ^ 0x40);
		return 2;
	}
	to[0] = '\\';
	to[1] = 'x';
	to[2] = digits[byte >> 4];
	to[3] = digits[byte & 15];
	return 4;
}

static size_t
keep(char *to, const char *text, size_t length)
{
	memcpy(to, text, length);
	return length;
}

size_t
visible(char *to, const char *text, size_t length)
{
	const unsigned char *from = (const unsigned char *)text;
	size_t used = 0, i = 0, n;

	if (length > 0 && text[length - 1] == '\r')
		length--;
	while (i < length) {
		n = from[i] < 0x80 ? 0 : character(from + i, length - i);
		if (n == 2 && from[i] == 0xc2 && is_upper_control(from[i + 1]))
			used += show(to + used, from[i + 1]);
		else if (n > 0)
			used += keep(to + used, text + i, n);
		else if ((from[i] < ' ' && from[i] != '\t') ||
		    from[i] == 0x7f || is_upper_control(from[i]))
			used += show(to + used, from[i]);
		else
			to[used++] = text[i];
		i += n > 0 ? n : 1;
	}
	return used;
}
