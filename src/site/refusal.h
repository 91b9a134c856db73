/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Why a rule refused something; each has a page in docs/errors/
 */

#include <jansson.h>

struct site;

enum refusal_id {
    REFUSAL_NOT_SIGNED_IN,     /* SLW-0101 */
    REFUSAL_INVALID,           /* SLW-0102 */
    REFUSAL_MISSING,           /* SLW-0103 */
    REFUSAL_EXISTS,            /* SLW-0104 */
    REFUSAL_TASK_SEQUENCE,     /* SLW-0105 */
    REFUSAL_NOT_READY,         /* SLW-0106 */
    REFUSAL_LOGIN,             /* SLW-0107 */
    REFUSAL_BUILTIN,           /* SLW-0108 */
    REFUSAL_NOT_A_ROLE,        /* SLW-0109 */
    REFUSAL_NO_IDS,            /* SLW-0110 */
    REFUSAL_FORBIDDEN,         /* SLW-0112 */
    REFUSAL_TOO_OFTEN,         /* SLW-0113 */
    REFUSAL_PASSWORD,          /* SLW-0114 */
    REFUSAL_LASTING,           /* SLW-0115 */
    REFUSAL_LAST_FULL,         /* SLW-0116 */
    REFUSAL_CSRF,              /* SLW-0117 */
    REFUSAL_GRANTED,           /* SLW-0118 */
    REFUSAL_SEQUENCE_USED,     /* SLW-0119 */
    REFUSAL_TOO_LONG,          /* SLW-0120 */
    REFUSAL_CURSOR,            /* SLW-0121 */
    REFUSAL_CHANGED,           /* SLW-0122 */
    REFUSAL_KEY_USED,          /* SLW-0123 */
    REFUSAL_RATE,              /* SLW-0124 */
    REFUSAL_TOO_BUSY,          /* SLW-0007 */
    REFUSAL_STREAMS,           /* SLW-0240 */
    REFUSAL_FILTER,            /* SLW-0140 */
    REFUSAL_CIRCLE,            /* SLW-0141 */
    REFUSAL_COLLECTION_USED,   /* SLW-0142 */
    REFUSAL_NOT_TO_FILL,       /* SLW-0164 */
    REFUSAL_WOULD_WIPE,        /* SLW-0165 */
    REFUSAL_COUNTING,          /* SLW-0166 */
    REFUSAL_DIRECTORY_DOWN,    /* SLW-0194 */
    REFUSAL_NO_PASSWORD,       /* SLW-0195 */
    REFUSAL_DUPLICATE,         /* SLW-0130 */
    REFUSAL_BUSY,              /* SLW-0131 */
    REFUSAL_IN_USE,            /* SLW-0132 */
    REFUSAL_NO_SOURCE,         /* SLW-0133 */
    REFUSAL_ARCH,              /* SLW-0135 */
    REFUSAL_VERSION,           /* SLW-0136 */
    REFUSAL_JOB_OVER,          /* SLW-0137 */
    REFUSAL_KIND,              /* SLW-0138 */
    REFUSAL_AMBIGUOUS,         /* SLW-0139 */
    REFUSAL_DP_TOKEN,          /* SLW-0150 */
    REFUSAL_JOIN_TOKEN,        /* SLW-0151 */
    REFUSAL_DP_HAS_CONTENT,    /* SLW-0152 */
    REFUSAL_NOT_DISTRIBUTED,   /* SLW-0153 */
    REFUSAL_OWN_DP,            /* SLW-0154 */
    REFUSAL_NOTHING_RUNS,      /* SLW-0156 */
    REFUSAL_NO_ORDER,          /* SLW-0160 */
    REFUSAL_ORDER_WISH,        /* SLW-0161 */
    REFUSAL_NO_DEBUG,          /* SLW-0162 */
    REFUSAL_DEBUG_COLLECTION,  /* SLW-0163 */
    REFUSAL_NOT_DEPLOYABLE,    /* SLW-0187 */
    REFUSAL_EDIT,              /* SLW-0188 */
    REFUSAL_DISABLED,          /* SLW-0189 */
    REFUSAL_VARIABLE,          /* SLW-0190 */
    REFUSAL_HIGH_RISK,         /* SLW-0191 */
    REFUSAL_CONFIRM,           /* SLW-0192 */
    REFUSAL_PROTECTED,         /* SLW-0196 */
    REFUSAL_PHASED,            /* SLW-0253 */
    REFUSAL_TICKET,            /* SLW-0201 */
    REFUSAL_DEVICE_TOKEN,      /* SLW-0202 */
    REFUSAL_ORDER_OVER,        /* SLW-0203 */
    REFUSAL_SUCCESS_NOT_IN_OS, /* SLW-0207 */
    REFUSAL_CLIENT_INVALID,    /* SLW-0208 */
    REFUSAL_ORDER_MISSING,     /* SLW-0210 */
    REFUSAL_COMPUTER_NAME,     /* SLW-0212 */
    REFUSAL_NO_NAME_WANTED,    /* SLW-0213 */
    REFUSAL_UNKNOWN_CODE,      /* SLW-0214 */
    REFUSAL_REQUEST_OVER,      /* SLW-0215 */
    REFUSAL_BOOT_PASSWORD,     /* SLW-0216 */
    REFUSAL_BOOT_TRIES,        /* SLW-0217 */
    REFUSAL_NOT_ASKED,         /* SLW-0218 */
    REFUSAL_CHOICE,            /* SLW-0219 */
    REFUSAL_PREFERRED,         /* SLW-0223 */
    REFUSAL_CAPTURE,           /* SLW-0220 */
    REFUSAL_CAPTURE_MISSING,   /* SLW-0221 */
    REFUSAL_CLIENT_DEPLOYMENT, /* SLW-0222 */
    REFUSAL_BLOCKED,           /* SLW-0231 */
    REFUSAL_WOKEN,             /* SLW-0263 */
    REFUSAL_NO_MAC,            /* SLW-0264 */
    REFUSAL_DEVICE_KEY,        /* SLW-0250 */
    REFUSAL_PROOF,             /* SLW-0251 */
    REFUSAL_NO_KEY,            /* SLW-0252 */
    REFUSAL_TPM_KEY,           /* SLW-0254 */
    REFUSAL_OIDC_DOWN,         /* SLW-0232 */
    REFUSAL_OIDC_STATE,        /* SLW-0233 */
    REFUSAL_OIDC_REFUSED,      /* SLW-0234 */
    REFUSAL_OIDC_OFF,          /* SLW-0235 */
    REFUSAL_OIDC_REDIRECT,     /* SLW-0236 */
    N_REFUSALS,
};

/* Causes the site itself gives to an order or an operation that it fails. */
#define SITE_ERROR_JOB_LOST        "SLW-0111"
#define SITE_ERROR_CANCELLED       "SLW-0134"
#define SITE_ERROR_NO_SOURCE       "SLW-0158"
#define SITE_ERROR_DAMAGED         "SLW-0159"
#define SITE_ERROR_DISABLED        "SLW-0189"
#define SITE_ERROR_ATTEMPTS        "SLW-0204"
#define SITE_ERROR_SILENT          "SLW-0205"
#define SITE_ERROR_DEADLINE        "SLW-0206"
#define SITE_ERROR_NEVER_CAME_UP   "SLW-0209"
#define SITE_ERROR_NO_CAUSE        "SLW-0211"
#define SITE_ERROR_NOT_TAKEN       "SLW-0266"
#define SITE_ERROR_ORDER_CANCELLED "SLW-0406"
#define SITE_ERROR_BLOCKED         "SLW-0231"

struct refusal {
    enum refusal_id id;
    char detail[512];
    json_t *more;           /* owned; further members of the answer ("diagnostics"), or NULL */
    unsigned retry_after_s; /* 0: nobody can say; refuse() makes it that */
};

/**
 * refuse() - note why, in site->refusal
 * @format: what was tried, on what, what to do
 *
 * Return: SITE_E_REFUSED, to be returned.
 */
__attribute__((format(printf, 3, 4))) int
refuse(struct site *site, enum refusal_id id, const char *format, ...);

/*
 * The same as REFUSAL_INVALID, of a parameter of the query or a header; or by @id, of a member of the body: the answer says
 * which one.
 */
__attribute__((format(printf, 3, 4))) int
refuse_parameter(struct site *site, const char *name, const char *format, ...);
__attribute__((format(printf, 3, 4))) int
refuse_header(struct site *site, const char *name, const char *format, ...);
__attribute__((format(printf, 4, 5))) int
refuse_member(struct site *site, enum refusal_id id, const char *name, const char *format, ...);

/* "SLW-0102"; a short title, the same for every occurrence. */
const char *refusal_error_id(enum refusal_id id);
const char *refusal_title(enum refusal_id id);
