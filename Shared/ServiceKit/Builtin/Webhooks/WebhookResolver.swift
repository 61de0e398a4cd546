import ClubProtocol
import Glibc
import NIOPosix

/// Looks up the address of a webhook, and keeps callers from using us to reach hosts that are not on the public
/// Internet (SSRF).
struct WebhookResolver: Sendable {
    typealias LookUp = @Sendable (_ host: String) async throws -> [IPAddress]

    enum Refusal: Error {
        /// The host has no address.
        case unknown
        /// One of its addresses is not on the public Internet.
        case forbidden
    }

    let allowsPrivate: Bool
    var lookUp: LookUp = Self.system

    /// The address to connect to. One forbidden address refuses them all: which one is used must not be a matter of
    /// luck.
    ///
    /// - Throws: ``Refusal``.
    func address(of host: String) async throws -> IPAddress {
        let addresses = try await lookUp(host)
        guard let first = addresses.first else { throw Refusal.unknown }
        guard allowsPrivate || addresses.allSatisfy(\.isPublic) else { throw Refusal.forbidden }
        return first
    }

    /// Checks that a webhook may have this address.
    ///
    /// - Throws: 422 with the reason.
    func check(_ url: WebhookAddress) async throws {
        let isLocal = allowsPrivate && (url.host == "localhost" || url.host == "127.0.0.1" || url.host == "::1")
        guard url.isSecure || isLocal else { throw Problem.invalid("/url", "must begin with https://") }
        do {
            _ = try await address(of: url.host)
        } catch Refusal.unknown {
            throw Problem.invalid("/url", "its host has no address")
        } catch Refusal.forbidden {
            throw Problem.invalid("/url", "its host is not on the public Internet")
        }
    }

    /// By the system's resolver, on a thread that may block.
    static let system: LookUp = { host in
        if let address = IPAddress(host) { return [address] }
        return try await threads.runIfActive { resolve(host) }
    }

    /// A separate pool: a name server that does not respond blocks a thread for about twenty seconds, and imports write
    /// their files on the shared threads.
    private static let threads: NIOThreadPool = {
        let pool = NIOThreadPool(numberOfThreads: 4)
        pool.start()
        return pool
    }()

    private static func resolve(_ host: String) -> [IPAddress] {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, nil, &hints, &list) == 0 else { return [] }
        defer { freeaddrinfo(list) }
        var addresses: [IPAddress] = []
        var next = list
        while let entry = next?.pointee {
            if let address = address(of: entry) { addresses.append(address) }
            next = entry.ai_next
        }
        return addresses
    }

    private static func address(of entry: addrinfo) -> IPAddress? {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN) + 1 + Int(IF_NAMESIZE))
        guard
            getnameinfo(
                entry.ai_addr, entry.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST) == 0
        else { return nil }
        // Without the interface, which a link-local address has.
        let end: Set<UInt8> = [0, UInt8(ascii: "%")]
        return IPAddress(
            String(decoding: text.lazy.map { UInt8(bitPattern: $0) }.prefix { !end.contains($0) }, as: UTF8.self))
    }
}
