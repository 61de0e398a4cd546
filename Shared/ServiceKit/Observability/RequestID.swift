/// The identifier of the request that this task works for: set by the HTTP stack, passed on as `X-Request-ID`.
package enum RequestID {
    @TaskLocal package static var current: String?
}
