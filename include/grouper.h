/* SPDX-License-Identifier: ISC */
/*
 * grouper: process groups that are proven empty.  Includes every header.
 */
#ifndef GROUPER_H
#define GROUPER_H

#include <grouper/client.h>
#include <grouper/config.h>
#include <grouper/error.h>
#include <grouper/export.h>
#include <grouper/group.h>
#include <grouper/ident.h>
#include <grouper/member.h>
#include <grouper/message.h>
#include <grouper/process.h>
#include <grouper/registry.h>
#include <grouper/self.h>
#include <grouper/supervisor.h>
#include <grouper/topics.h>

#endif
