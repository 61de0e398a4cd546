import AsyncHTTPClient
import ClubProtocol
import FoundationEssentials
import NIOCore
import NIOHTTP1
import Synchronization

/// Sends messages to receivers. Belongs to one job, and ends with it.
///
/// Each message looks up the host, checks its addresses, and connects to the checked address, so that a name which
/// resolves differently a moment later gains nothing (DNS rebinding). TLS still verifies the name.
final class WebhookConnections: Sendable {
    private let settings: WebhookSettings
    private let resolver: WebhookResolver
    /// By host and address: connections to one receiver are reused.
    private let clients = Mutex<[String: HTTPClient]>([:])

    init(settings: WebhookSettings, resolver: WebhookResolver) {
        self.settings = settings
        self.resolver = resolver
    }

    /// Closes all connections.
    func shutdown() async {
        let clients = clients.withLock { clients in
            defer { clients = [:] }
            return Array(clients.values)
        }
        for client in clients { try? await client.shutdown() }
    }

    /// Makes one attempt. Any failure of the receiver is an outcome.
    ///
    /// - Throws: only `CancellationError`, when the task is cancelled.
    func post(_ body: [UInt8], headers: HTTPHeaders, to url: WebhookAddress) async throws -> WebhookOutcome {
        let start = ContinuousClock.now
        func failed(_ failure: WebhookAttempt.Failure) throws -> WebhookOutcome {
            try Task.checkCancellation()
            return WebhookOutcome(result: .failed(failure), duration: ContinuousClock.now - start)
        }
        do {
            var outcome = try await withDeadline(start.advanced(by: settings.timeLimit)) {
                try await self.exchange(body, headers: headers, with: url)
            }
            outcome.duration = ContinuousClock.now - start
            return outcome
        } catch WebhookResolver.Refusal.unknown {
            return try failed(.resolution)
        } catch WebhookResolver.Refusal.forbidden {
            return try failed(.forbiddenAddress)
        } catch is DeadlinePassed {
            return try failed(.timeout)
        } catch let error as HTTPClientError where error == .connectTimeout || error == .deadlineExceeded {
            return try failed(.timeout)
        } catch {
            return try failed(.connection)
        }
    }

    private func exchange(
        _ body: [UInt8], headers: HTTPHeaders, with url: WebhookAddress
    ) async throws -> WebhookOutcome {
        let client = client(for: url.host, at: try await resolver.address(of: url.host))
        var request = HTTPClientRequest(url: url.text)
        request.method = .POST
        request.headers = headers
        request.body = .bytes(ByteBuffer(bytes: body))
        let response = try await client.execute(request, timeout: .seconds(60))
        // Only the length of the receiver's response matters. Beyond the limit it is left unread, and the connection is
        // closed.
        var length = 0
        for try await piece in response.body {
            length += piece.readableBytes
            if length > settings.answerLimit { break }
        }
        let status = Int(response.status.code)
        return WebhookOutcome(
            result: status == 410 ? .gone : (200..<300).contains(status) ? .delivered : .failed(.status),
            duration: .zero, status: status, responseBytes: length,
            retryAfter: retryAfter(status, response.headers.first(name: "Retry-After")))
    }

    private func retryAfter(_ status: Int, _ text: String?) -> Duration? {
        guard status == 429 || status == 503, let text,
            let asked = RetryAfter.duration(text, now: Timestamp.now.microseconds / 1_000_000)
        else { return nil }
        return min(max(asked, settings.pauses.lowerBound), settings.pauses.upperBound)
    }

    private func client(for host: String, at address: IPAddress) -> HTTPClient {
        clients.withLock { clients in
            let key = "\(host) \(address)"
            if let client = clients[key] { return client }
            var configuration = HTTPClient.Configuration(
                redirectConfiguration: .disallow, timeout: .init(connect: .seconds(5)),
                connectionPool: .init(idleTimeout: .seconds(30)))
            configuration.connectionPool.retryConnectionEstablishment = false
            configuration.httpVersion = .http1Only
            configuration.tracing.tracer = nil
            configuration.dnsOverride = [host: address.description]
            let client = HTTPClient(
                eventLoopGroupProvider: .shared(HTTPClient.defaultEventLoopGroup), configuration: configuration)
            clients[key] = client
            return client
        }
    }
}
