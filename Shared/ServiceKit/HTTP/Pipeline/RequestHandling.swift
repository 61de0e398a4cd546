import ClubProtocol

/// What a listener serves: decides on the head of a request what becomes of it. The rules for heads, bodies and
/// connections are enforced by the ``ConnectionHandler``, for every listener alike.
protocol RequestHandling: Sendable {
    var limits: HTTPLimits { get }
    /// The memory for what has arrived, or is not read by clients yet.
    var bodies: BodyBudget { get }
    var connections: ConnectionCount { get }
    /// Whether each response closes its connection from now on.
    var isDraining: Bool { get }

    /// Decides on the head alone. Never waits.
    ///
    /// - Parameter token: the last good token of the connection; set by a request with another.
    func open(_ head: consuming RequestHead, token: inout VerifiedToken?) -> HeadDecision
    /// The `Allow` of a path, nil if the path does not exist: for methods that the parser does not know.
    func allowed(_ target: String) -> String?
    /// The response to a problem of the connection itself: before there is a request, or while its body arrives.
    func answer(to problem: Problem, during request: RoutedRequest?) -> RawResponse
}

/// What the head of a request leads to.
enum HeadDecision {
    case answer(RawResponse)
    case request(RoutedRequest)
    /// Made when the request is complete; its body, if any, is read and dropped.
    case page(@Sendable () async -> RawResponse)
}
