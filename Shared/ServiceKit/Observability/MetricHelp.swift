/// The meaning of the metrics: the `HELP` lines of the exposition. Those of operators' warnings are given with the
/// warning.
enum MetricHelp {
    static func text(for name: String) -> String {
        texts[name] ?? name.split(separator: "_").joined(separator: " ")
    }

    private static let texts: [String: String] = [
        "http_server_request_duration_seconds":
            "Time from the request's head to its response, by method and status.",
        "http_server_route_duration_seconds": "The same, by route: how many, and how long they took together.",
        "http_server_active_requests": "Requests in progress.",
        "http_server_waiting_requests": "Requests that wait for something outside: polls, uploads, streams.",
        "http_server_buffered_bytes": "Bytes of requests that have arrived and are not processed yet.",
        "http_client_request_duration_seconds": "Time of requests to a peer, up to the head of the response.",
        "http_client_requests_total": "Requests to a peer, by the status of the response or the failure in its place.",
        "http_client_active_requests": "Calls to a peer in progress.",
        "service_client_calls_total": "Calls to a peer, by how they ended.",
        "service_client_retries_total": "Repeated calls to a peer.",
        "jobs": "Jobs in the queue, by kind and state.",
        "jobs_total": "Attempts at jobs, by kind and outcome.",
        "jobs_behind_seconds": "How long the oldest job that is due has been waiting.",
        "job_duration_seconds": "Time of one attempt at a job.",
        "feed_changes_applied_total": "Changes of a peer's feed that were applied here.",
        "feed_lag_seconds": "How old the newest change was when it was applied.",
        "audit_sealed_total": "Entries of the audit trail that were chained.",
        "mails_total": "Mails handed over, by the mailbox provider's lane and what its reply meant.",
        "webhook_attempts_total": "Attempts at deliveries to webhooks, by outcome.",
        "webhook_attempt_duration_seconds": "Time of one attempt at a delivery to a webhook.",
        "webhook_deliveries_made_total": "Deliveries to webhooks that were created for changes.",
        "identity_trust_file_unusable": "1 while the trust file cannot be used and the previous one is in force.",
        "identity_tokens_refused_total": "Tokens that were not accepted, by reason.",
        "db_client_operation_duration_seconds": "Time of a database operation.",
        "db_client_active_operations": "Database operations in progress.",
        "db_client_operation_errors_total":
            "Failed database operations, by SQLSTATE, or by kind without one.",
        "db_client_connection_wait_time_seconds": "Time spent waiting for a leased connection.",
        "db_client_connection_timeouts_total": "Callers who waited for a leased connection in vain.",
        "db_client_connection_count": "Database connections, by pool and state.",
        "log_lines_dropped_total": "Lines of the log that were dropped because standard error was not read in time.",
        "metrics_series_left_out_total": "Series dropped because their name had too many, or another type.",
        "process_resident_memory_bytes": "Resident memory size in bytes.",
        "process_virtual_memory_bytes": "Virtual memory size in bytes.",
        "process_cpu_seconds_total": "Total user and system CPU time spent in seconds.",
        "process_open_fds": "Number of open file descriptors.",
        "process_max_fds": "Maximum number of open file descriptors.",
        "process_threads": "Number of threads.",
        "process_start_time_seconds": "Start time of the process since the Unix epoch in seconds.",
        "service_ready": "Whether the service is ready to work: 1 or 0.",
    ]
}
