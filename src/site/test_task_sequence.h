/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/* Shared by the tests of task sequences that come in files. */

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/own.h"
#include "base/text.h"
#include "site/content.h"
#include "site/fields.h"
#include "site/fixture.h"
#include "site/task_sequence.h"

#define SEQUENCE(inside) "<sequence version=\"3.10\">" inside "</sequence>"
#define RUN(name, package) \
    "<step type=\"SMS_TaskSequence_RunCommandLineAction\" name=\"" name \
    "\"><action>x</action><defaultVarList><variable name=\"CommandLine\">x</variable>" \
    "<variable name=\"PackageID\">" package "</variable></defaultVarList></step>"
#define NEST(id) \
    "<subtasksequence type=\"SMS_TaskSequence_SubTasksequence\" name=\"Child\"><defaultVarList><variable " \
    "name=\"OSDSubTasksequencePackageID\" property=\"TsPackageID\">" id \
    "</variable></defaultVarList></subtasksequence>"
#define CONNECT(password) \
    "<step type=\"SMS_TaskSequence_ConnectNetworkFolderAction\" name=\"c\"><action>x</action><defaultVarList>" \
    "<variable name=\"SMSConnectNetworkFolderPath\">//s/x</variable>" \
    "<variable name=\"SMSConnectNetworkFolderAccount\">anna</variable>" \
    "<variable name=\"SMSConnectNetworkFolderPassword\">" password \
    "</variable></defaultVarList></step>"
#define PROPERTY(name, value) "<PROPERTY NAME=\"" name "\"><VALUE>" value "</VALUE></PROPERTY>"
#define OBJECT(id, name, more, sequence) \
    "<INSTANCE CLASSNAME=\"SMS_TaskSequencePackage\">" PROPERTY("Name", name) \
        PROPERTY("PackageID", id) \
            more PROPERTY("Sequence", "<![CDATA[" sequence "]]>") "</INSTANCE>"
#define NAMED(id, name) \
    "<INSTANCE CLASSNAME=\"SMS_Package\">" PROPERTY("PackageID", id) \
        PROPERTY("Name", name) "</INSTANCE>"

/* A file with a package's name in it, as ReferencesInfo.xml would say it. */
#define FILE_OF(objects) "<all>" objects "</all>"

static inline int create(struct site *site, const char *xml, const char *more, json_t **ret)
{
    OWN(json_freep) json_t *body = fixture_json(more);

    (void)json_object_set_new(body, "xml", json_string(xml));
    return task_sequence_create(site, "alice", body, ret);
}

static inline int set(struct site *site, const char *id, const char *text, json_t **ret)
{
    OWN(json_freep) json_t *body = fixture_json(text);

    return task_sequence_set(site, "bob", id, body, ret);
}

static inline void make_package(struct site *site, const char *text)
{
    OWN(json_freep) json_t *body = fixture_json(text);
    OWN(json_freep) json_t *made = NULL;

    assert_int_equal(content_create(site, CONTENT_PACKAGE, "alice", body, &made), 0);
}
