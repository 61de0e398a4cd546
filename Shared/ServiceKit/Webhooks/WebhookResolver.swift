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
            if let address = entry.ai_addr.flatMap({ IPAddress(socket: $0) }) { addresses.append(address) }
            next = entry.ai_next
        }
        return addresses
    }
}

extension IPAddress {
    /// From a `sockaddr_in` or a `sockaddr_in6`.
    fileprivate init?(socket: UnsafeMutablePointer<sockaddr>) {
        let raw = UnsafeRawPointer(socket)
        switch Int32(socket.pointee.sa_family) {
        case AF_INET:
            var address = raw.loadUnaligned(as: sockaddr_in.self).sin_addr
            self.init(bytes: withUnsafeBytes(of: &address) { Array($0) })
        case AF_INET6:
            var address = raw.loadUnaligned(as: sockaddr_in6.self).sin6_addr
            self.init(bytes: withUnsafeBytes(of: &address) { Array($0) })
        default: return nil
        }
    }
}
