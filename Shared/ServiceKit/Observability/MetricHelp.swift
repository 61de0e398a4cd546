/// What the metrics mean: the `HELP` lines of the exposition.
enum MetricHelp {
    static func text(for name: String) -> String {
        texts[name] ?? name.split(separator: "_").joined(separator: " ")
    }

    private static let texts: [String: String] = [
        "http_requests_total": "Requests answered, by operation and status.",
        "http_request_duration_seconds": "Time from the request's head to the end of its answer.",
        "http_requests_in_flight": "Requests being worked on.",
        "http_requests_shed_total": "Requests refused because too many were in flight.",
        "identity_tokens_refused_total": "Tokens that were not accepted, by reason.",
        "postgres_client_operation_duration_seconds": "Time of a database operation, by kind of connection.",
        "postgres_client_in_flight": "Database operations under way.",
        "postgres_client_pool_wait_seconds": "Time spent waiting for a leased connection.",
        "postgres_client_errors_total": "Failed database operations, by SQLSTATE.",
        "postgres_client_connections": "Database connections, by pool and state.",
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
