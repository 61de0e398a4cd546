/// What the metrics mean: the `HELP` lines of the exposition.
enum MetricHelp {
    static func text(for name: String) -> String {
        texts[name] ?? name.split(separator: "_").joined(separator: " ")
    }

    private static let texts: [String: String] = [
        "http_server_request_duration_seconds": "Time from the request's head to its answer, by operation and status.",
        "http_server_requests_in_flight": "Requests being worked on.",
        "service_client_duration_seconds": "Time of calls to a peer, repetitions included.",
        "service_client_in_flight": "Calls to a peer under way.",
        "service_client_calls_total": "Calls to a peer, by how they ended.",
        "service_client_retries_total": "Repeated calls to a peer.",
        "jobs": "Jobs in the queue, by kind and state.",
        "jobs_dead": "Jobs that nobody tries any more.",
        "jobs_total": "Jobs worked on, by kind and outcome.",
        "jobs_behind_seconds": "How long the oldest job that is due has been waiting.",
        "job_duration_seconds": "Time of one attempt at a job.",
        "feed_changes_applied_total": "Changes of a peer's feed that were applied here.",
        "feed_lag_seconds": "How old the newest change was when it was applied.",
        "audit_sealed_total": "Entries of the audit trail that were chained.",
        "webhook_attempts_total": "Attempts at deliveries to webhooks, by outcome.",
        "webhook_attempt_duration_seconds": "Time of one attempt at a delivery to a webhook.",
        "webhook_deliveries_made_total": "Deliveries to webhooks that changes came to.",
        "webhooks_in_trouble": "Webhooks that were disabled because their receiver is gone or keeps failing.",
        "erasures_waiting": "Erasures that were asked for and that nobody has begun or refused.",
        "erasures_stuck": "Erasures that were begun more than a day ago and that a service has not reported.",
        "identity_tokens_refused_total": "Tokens that were not accepted, by reason.",
        "postgres_client_operation_duration_seconds": "Time of a database operation, by kind of connection.",
        "postgres_client_in_flight": "Database operations under way.",
        "postgres_client_pool_wait_seconds": "Time spent waiting for a leased connection.",
        "postgres_client_errors_total": "Failed database operations, by SQLSTATE.",
        "postgres_client_connections": "Database connections, by pool and state.",
        "log_lines_dropped_total": "Lines of the log that were dropped because nobody read standard error in time.",
        "metrics_series_left_out_total": "Series not kept because their name had too many, or another kind.",
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
