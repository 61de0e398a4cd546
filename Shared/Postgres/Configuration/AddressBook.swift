import Glibc

/// A cache of host addresses, so that no request waits for DNS.
///
/// Addresses stay valid until newer ones are found; they are refreshed in the background. A slow lookup gets another
/// one in parallel, because usually a DNS packet was lost, and the system's resolver waits five seconds before it
/// retries.
@safe
final class AddressBook: @unchecked Sendable {
    private struct Entry {
        var addresses: [String] = []
        /// When the addresses were found.
        var found: UInt64 = 0
        var running = 0
        /// When the latest lookup began.
        var begun: UInt64 = 0
        var isUnknown = false
    }

    /// After this, addresses are refreshed when they are used.
    private static let freshness: UInt64 = 30_000_000_000
    /// After this, a lookup gets another one in parallel.
    private static let slowness: UInt64 = 500_000_000
    /// The maximum number of parallel lookups of a name: each takes a thread.
    private static let limit = 3
    /// The maximum number of addresses tried for a name.
    private static let most = 8

    private let resolve: @Sendable (String) -> [String]
    private let condition = Condition()
    private var entries: [String: Entry] = [:]

    init(_ resolve: @escaping @Sendable (String) -> [String]) {
        self.resolve = resolve
    }

    /// The addresses of a host: at once if they were ever found, otherwise within `limit` nanoseconds. Blocks. Empty
    /// if none are found.
    func addresses(of host: String, within limit: UInt64) -> [String] {
        condition.withLock {
            let start = MonotonicClock.now
            entries[host, default: Entry()].isUnknown = false
            while true {
                let now = MonotonicClock.now
                let entry = entries[host] ?? Entry()
                if !entry.addresses.isEmpty {
                    if now - entry.found > AddressBook.freshness { lookUp(host, now) }
                    return entry.addresses
                }
                guard !entry.isUnknown, now < start + limit else { return [] }
                lookUp(host, now)
                condition.wait(until: min(start + limit, now + AddressBook.slowness))
            }
        }
    }

    /// Refreshes a host's addresses in the background, because none of them worked.
    func refresh(_ host: String) {
        condition.withLock { lookUp(host, MonotonicClock.now) }
    }

    /// With the lock held.
    private func lookUp(_ host: String, _ now: UInt64) {
        var entry = entries[host] ?? Entry()
        let isSlow = now >= entry.begun + AddressBook.slowness
        guard entry.running == 0 || entry.running < AddressBook.limit && isSlow else { return }
        entry.running += 1
        entry.begun = now
        entries[host] = entry
        BackgroundThread.start("resolver") { [self] in
            let found = Array(resolve(host).prefix(AddressBook.most))
            condition.withLock {
                entries[host]?.running -= 1
                if !found.isEmpty {
                    entries[host]?.addresses = found
                    entries[host]?.found = MonotonicClock.now
                } else if entries[host]?.running == 0 {
                    entries[host]?.isUnknown = true
                }
                condition.broadcast()
            }
        }
    }

    // MARK: - The system's resolver

    /// Whether the host is given as an address.
    static func isAddress(_ host: String) -> Bool {
        var four = in_addr()
        var six = in6_addr()
        // A link-local address may include its interface.
        let number = String(host.prefix { $0 != "%" })
        return unsafe inet_pton(AF_INET, host, &four) == 1 || inet_pton(AF_INET6, number, &six) == 1
    }

    static let system: @Sendable (String) -> [String] = { host in
        var hints = unsafe addrinfo()
        unsafe hints.ai_family = AF_UNSPEC
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard unsafe getaddrinfo(host, nil, &hints, &list) == 0 else { return [] }
        defer { unsafe freeaddrinfo(list) }
        var addresses: [String] = []
        var next = unsafe list
        while let entry = unsafe next {
            var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            if unsafe getnameinfo(
                entry.pointee.ai_addr, entry.pointee.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
                == 0
            {
                addresses.append(String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
            }
            unsafe next = entry.pointee.ai_next
        }
        return addresses
    }
}
