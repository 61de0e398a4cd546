import ClubProtocol

/// Finds the lane of a domain: by the table of providers, otherwise by its mail exchangers.
struct LaneFinder: Sendable {
    /// Domains that are looked up at the same time.
    private static let concurrency = 50

    let client: DNSClient
    /// For all domains of one call.
    var timeLimit = Duration.seconds(20)

    /// - Parameter domain: of an e-mail address.
    /// - Returns: ``LaneName/other`` if it belongs to no provider, or as long as the DNS does not answer.
    func lane(of domain: String) async -> String {
        if let provider = MailProviders.provider(of: domain) { return provider.code }
        guard case .found(let exchangers) = await client.exchangers(of: domain) else { return LaneName.other }
        return MailProviders.provider(ofExchangers: exchangers)?.code ?? LaneName.other
    }

    /// The lanes of many domains. Those that are not found in time are in ``LaneName/other``.
    func lanes(of domains: some Sequence<String>) async -> [String: String] {
        var lanes: [String: String] = [:]
        var unknown: [String] = []
        for domain in domains where lanes[domain] == nil {
            let provider = MailProviders.provider(of: domain)
            lanes[domain] = provider?.code ?? LaneName.other
            if provider == nil { unknown.append(domain) }
        }
        let timeLimit = timeLimit
        // A domain and its lane; nil when the time is over.
        await withTaskGroup(of: (domain: String, lane: String)?.self) { group in
            group.addTask {
                try? await Task.sleep(for: timeLimit)
                return nil
            }
            var started = 0
            for found in 0..<unknown.count {
                while started < min(unknown.count, found + Self.concurrency) {
                    let domain = unknown[started]
                    group.addTask { (domain, await lane(of: domain)) }
                    started += 1
                }
                guard let finished = await group.next(), let finished else { break }
                lanes[finished.domain] = finished.lane
            }
            group.cancelAll()
        }
        return lanes
    }
}
