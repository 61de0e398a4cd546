import ClubProtocol
import Crypto
import HTTPTypes
import NIOCore
import Postgres
import ServiceKit
import Synchronization

/// `/v1/inbound-messages` and `/v1/bounces`.
struct InboundRoutes: Sendable {
    /// Each may be twenty megabytes long.
    private static let atOnce = 4

    let backend: Backend
    let reading: InboundReading
    private let arriving = Arriving()

    private final class Arriving: Sendable {
        let count = Atomic(0)
    }

    init(backend: Backend, reading: InboundReading) {
        self.backend = backend
        self.reading = reading
    }

    func mount(on builder: inout ServiceBuilder) {
        builder.routes.upload(TakeInboundMessage.self, take)
        builder.routes.write(TakeBounce.self, takeBounce)
        builder.routes.read(ListInboundMessages.self, list)
        builder.routes.read(GetInboundMessage.self, get)
        builder.routes.read(GetInboundSource.self, source)
        builder.routes.write(TransitionInboundMessage.self, transition)
        builder.snapshot(.inboundMessage, InboundStore.snapshot)
    }

    @Sendable func take(
        _ call: Call<TakeInboundMessage>, _ body: UploadBody
    ) async throws -> RouteResponse<InboundMessage> {
        defer { arriving.count.subtract(1, ordering: .relaxed) }
        guard arriving.count.add(1, ordering: .relaxed).newValue <= Self.atOnce else {
            throw Problem(
                .unavailable, "Other messages are being taken.", headers: [.retryAfter: "5"])
        }
        var bytes: [UInt8] = []
        for try await buffer in body {
            guard bytes.count + buffer.readableBytes <= TakeInboundMessage.longest else {
                throw Problem(
                    .contentTooLarge, "A message has at most \(TakeInboundMessage.longest >> 20) MiB.")
            }
            bytes += buffer.readableBytesView
        }
        guard !bytes.isEmpty else { throw Problem(.invalid, "The message is empty.") }
        let message = bytes
        return try await backend.database.transaction { transaction in
            try await answer(message, from: .post, by: call.principal, in: transaction)
        }
    }

    @Sendable func takeBounce(
        _ call: Call<TakeBounce>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<InboundMessage> {
        switch call.body.kind {
        case .bounce, .delayed, .delivered, .complaint, .departure: break
        case .reply, .automatic: throw Problem.invalid("/kind", "is not reported by providers: it comes by mail")
        }
        return try await answer(
            WireJSON.encode(call.body), from: .provider, by: call.principal, in: transaction)
    }

    private func answer(
        _ bytes: [UInt8], from source: InboundMessage.Source, by principal: Principal,
        in transaction: PostgresTransaction
    ) async throws -> RouteResponse<InboundMessage> {
        let (rows, isNew) = try await InboundStore.take(
            bytes, digest: Array(SHA256.hash(data: bytes)), from: source, by: principal, in: transaction)
        var answer: RouteResponse<InboundMessage> = try .row(rows)
        if !isNew { answer.status = .ok }
        return answer
    }

    @Sendable func list(_ call: Call<ListInboundMessages>) async throws -> RouteResponse<Page<InboundMessage>> {
        try .page(await InboundStore.list(call.query, call.page, on: backend.database), call.page, key: "id")
    }

    @Sendable func get(_ call: Call<GetInboundMessage>) async throws -> RouteResponse<InboundMessage> {
        try .row(await InboundStore.get(call.path, on: backend.database))
    }

    @Sendable func source(_ call: Call<GetInboundSource>) async throws -> RouteResponse<FileDocument> {
        guard let bytes = try await InboundStore.source(of: call.path, on: backend.database) else {
            throw Problem(.notFound, "There is no such message, or it was forgotten \(InboundStore.days) days after.")
        }
        // Whatever it has in it, a browser does not show it.
        return .file(bytes, headers: .attachment("message.eml"))
    }

    @Sendable func transition(
        _ call: Call<TransitionInboundMessage>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<InboundMessage> {
        guard let (state, mail) = try await InboundStore.lock(call.path, in: transaction) else {
            throw Problem(.notFound)
        }
        guard state == .unread, state.allows(call.body.to) else {
            throw Problem(
                .transitionNotAllowed, "The message is \(state.rawValue); it cannot become \(call.body.to.rawValue).")
        }
        try await reading.apply(call.body, to: call.path, of: mail, in: transaction)
        try await transaction.record(.changed, .inboundMessage, call.path, by: call.principal)
        return try .row(await InboundStore.get(call.path, on: transaction))
    }
}
