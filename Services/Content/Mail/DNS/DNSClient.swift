import NIOCore

/// Looks up mail exchangers and texts in the DNS, by the recursive servers that it is configured with.
///
/// Answers are remembered as long as their servers allow, and tasks that ask for the same share one lookup.
actor DNSClient {
    private typealias Answer = DNSAnswer<DNSRecord>

    private static let tries = 2
    /// Lookups that wait for one of those in progress to end.
    private static let longestQueue = 1000

    private let resolver: ResolverConfiguration
    private let timeLimit: Duration
    private let concurrency: Int
    private var cache: DNSCache
    private var queue: [DNSQuery] = []
    private var running = 0
    /// Who waits for each lookup that is queued or in progress.
    private var waiting: [DNSQuery: [AsyncStream<Answer>.Continuation]] = [:]

    /// - Parameters:
    ///   - timeLimit: for each query to a server.
    ///   - concurrency: how many lookups run at once.
    ///   - capacity: how many answers are remembered.
    ///   - now: the clock, for tests.
    init(
        _ resolver: ResolverConfiguration, timeLimit: Duration = .seconds(2), concurrency: Int = 50,
        capacity: Int = 10_000, now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        self.resolver = resolver
        self.timeLimit = timeLimit
        self.concurrency = concurrency
        cache = DNSCache(capacity: capacity, now: now)
    }

    /// The MX records of a domain, in the order in which they are tried.
    func exchangers(of domain: String) async -> DNSAnswer<MailExchanger> {
        let answer: DNSAnswer<MailExchanger> = await answer(domain, .mx) { record in
            if case .exchanger(let exchanger) = record { exchanger } else { nil }
        }
        guard case .found(let exchangers) = answer else { return answer }
        // By name where the preference is the same, so that the order does not depend on the server.
        return .found(exchangers.sorted { ($0.preference, $0.host) < ($1.preference, $1.host) })
    }

    /// The TXT records of a name.
    func texts(of name: String) async -> DNSAnswer<String> {
        await answer(name, .txt) { record in
            if case .text(let text) = record { text } else { nil }
        }
    }

    private func answer<Value>(
        _ name: String, _ type: DNSQuery.RecordType, _ value: (DNSRecord) -> Value?
    ) async -> DNSAnswer<Value> {
        // No record can have such a name.
        guard let query = DNSQuery(name, type) else { return .none }
        switch await answer(to: query) {
        case .found(let records): return .found(records.compactMap(value))
        case .none: return .none
        case .unknown(let reason): return .unknown(reason)
        }
    }

    private func answer(to query: DNSQuery) async -> Answer {
        if let answer = cache.answer(to: query) { return answer }
        let (answers, continuation) = AsyncStream.makeStream(of: Answer.self)
        if waiting[query] != nil {
            waiting[query]?.append(continuation)
        } else {
            guard queue.count < Self.longestQueue else { return .unknown("too many lookups are waiting") }
            waiting[query] = [continuation]
            queue.append(query)
            startQueued()
        }
        for await answer in answers { return answer }
        // The caller was cancelled. The lookup goes on, for others and for the cache.
        return .unknown("the lookup was cancelled")
    }

    private func startQueued() {
        while running < concurrency, !queue.isEmpty {
            let query = queue.removeFirst()
            running += 1
            Task {
                let (answer, lifetime) = await resolve(query)
                cache.set(answer, lifetime: lifetime, for: query)
                running -= 1
                for continuation in waiting.removeValue(forKey: query) ?? [] { continuation.yield(answer) }
                startQueued()
            }
        }
    }

    /// Asks the servers in turn, until one answers.
    private func resolve(_ query: DNSQuery) async -> (Answer, lifetime: UInt32?) {
        var failures: [String] = []
        for _ in 0..<Self.tries {
            for server in resolver.servers {
                let exchange = DNSExchange(query: query, server: server, timeLimit: timeLimit)
                let reason: String
                do {
                    switch try await exchange.response() {
                    case .records(let records, let lifetime): return (.found(records), lifetime)
                    case .missing(let lifetime): return (.none, lifetime)
                    case .failed(let code): reason = "answered with error \(code)"
                    case .referred: reason = "does not resolve names for others"
                    case .truncated: reason = "truncated its response over TCP"
                    }
                } catch {
                    reason = (error as? DNSExchange.Failure)?.reason ?? "\(error)"
                }
                let failure = "\(ResolverConfiguration.text(server)) \(reason)"
                if !failures.contains(failure) { failures.append(failure) }
            }
        }
        return (.unknown(failures.joined(separator: "; ")), nil)
    }
}
