/* SPDX-License-Identifier: ISC */
/*
 * grouper: process groups that are proven empty.  Includes every header.
 */
#ifndef GROUPER_H
#define GROUPER_H

#include <grouper/error.h>
#include <grouper/export.h>
#include <grouper/group.h>
#include <grouper/ident.h>
#include <grouper/process.h>
#include <grouper/self.h>
#include <grouper/supervisor.h>

#endif
