#ifndef CLIBPQ_SHIM_H
#define CLIBPQ_SHIM_H

#include <libpq-fe.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

// Ends one statement of the pipeline. libpq 17 can leave the flush to the caller, so that a turn of the loop costs one
// system call for each connection; older versions flush at every synchronisation point.
static inline int clibpq_send_sync(PGconn *connection) {
#ifdef LIBPQ_HAS_SEND_PIPELINE_SYNC
    return PQsendPipelineSync(connection);
#else
    return PQpipelineSync(connection);
#endif
}

// Of OpenSSL, which libpq uses. Declared here because its headers would come with ours.
extern int OPENSSL_init_crypto(uint64_t options, const void *settings);

// Keeps OpenSSL from freeing its tables when the process exits, while an attempt to connect may still be using them on a
// thread of its own. Must be called before the first attempt.
static inline void clibpq_keep_openssl(void) {
    const uint64_t no_exit_handler = 0x00080000; // OPENSSL_INIT_NO_ATEXIT
    OPENSSL_init_crypto(no_exit_handler, NULL);
}

// libpq writes notices to the standard error by default, and they may carry values. One of them matters: the server's last
// word to a connection that is idle.
static inline void clibpq_receive_notice(void *is_condemned, const PGresult *notice) {
    const char *severity = PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
    if (severity && (strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0)) {
        *(int *)is_condemned = 1;
    }
}

// Sets `is_condemned` to 1 when the server has said that it ends this connection.
static inline void clibpq_watch_notices(PGconn *connection, int *is_condemned) {
    PQsetNoticeReceiver(connection, clibpq_receive_notice, is_condemned);
}

#endif
