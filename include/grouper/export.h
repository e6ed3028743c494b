/* SPDX-License-Identifier: ISC */
/*
 * What every installed header needs: the mark of an exported function and
 * C linkage under C++.
 */
#ifndef GROUPER_EXPORT_H
#define GROUPER_EXPORT_H

#if defined(__GNUC__)
#define GROUPER_EXPORT __attribute__((visibility("default")))
#else
#define GROUPER_EXPORT
#endif

#ifdef __cplusplus
#define GROUPER_BEGIN_DECLS extern "C" {
#define GROUPER_END_DECLS }
#else
#define GROUPER_BEGIN_DECLS
#define GROUPER_END_DECLS
#endif

#endif
