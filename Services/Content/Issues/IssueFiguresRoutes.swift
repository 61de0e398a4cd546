import ClubProtocol
import ServiceKit

/// `/v1/issues/{issue}/figures`.
struct IssueFiguresRoutes {
    let backend: Backend

    func mount(on builder: inout ServiceBuilder) {
        builder.routes.read(GetIssueFigures.self, get)
    }

    @Sendable func get(_ call: Call<GetIssueFigures>) async throws -> RouteResponse<IssueFigures> {
        guard let number = try await FigureStore.number(of: call.path, on: backend.database) else {
            throw Problem(.notFound)
        }
        let counts = try await FigureStore.counts(of: call.path, on: backend.database)
        // Read last, so that it covers all that was sealed before they were counted.
        let head = try await AuditTrail(database: backend.database).head()
        let editions = Edition.Audience.allCases.compactMap { audience -> EditionFigures? in
            let counts = counts.filter { $0.audience == audience }
            guard !counts.isEmpty else { return nil }
            let providers = Dictionary(grouping: counts, by: \.provider).sorted { $0.key < $1.key }
            return EditionFigures(
                audience: audience,
                providers: providers.map { .init(provider: $0.key, figures: DeliveryFigures(of: $0.value)) },
                total: DeliveryFigures(of: counts))
        }
        return .value(
            IssueFigures(
                issue: call.path, number: number, editions: editions, total: DeliveryFigures(of: counts),
                auditHead: AuditHead(service: backend.name, seq: head.seq, hash: head.hash)))
    }
}

extension DeliveryFigures {
    /// The sums of counts.
    init(of counts: [FigureStore.Count]) {
        self.init()
        var missed: [MissedDelivery.Reason?: Int] = [:]
        for one in counts {
            switch one.what {
            case .state(let state):
                frozen += one.count
                switch state {
                case .sent: sent += one.count
                case .pending, .sending: missed[.waiting, default: 0] += one.count
                case .uncertain: missed[.uncertain, default: 0] += one.count
                case .suppressed: missed[.suppressed, default: 0] += one.count
                case .cancelled: missed[.cancelled, default: 0] += one.count
                case .skipped: missed[.skipped, default: 0] += one.count
                case .failed: missed[nil, default: 0] += one.count
                }
            case .failed(let reason):
                missed[reason, default: 0] += one.count
                missed[nil, default: 0] -= one.count
            case .hardBounce: bounced += one.count
            case .complaint: complaints += one.count
            case .departure: departures += one.count
            }
        }
        delivered = sent - bounced
        self.missed = (MissedDelivery.Reason.allCases.map(Optional.some) + [nil]).compactMap { reason in
            missed[reason].flatMap { $0 == 0 ? nil : Missed(reason: reason, count: $0) }
        }
    }
}
