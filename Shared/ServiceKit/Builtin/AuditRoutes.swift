import ClubProtocol

/// `/v1/audit`, in every service. A copy of the head kept elsewhere proves later that nothing before it was changed.
struct AuditRoutes {
    let backend: Backend

    func mount(on builder: inout ServiceBuilder) {
        let trail = AuditTrail(database: backend.database)
        let service = backend.name
        builder.routes.read(GetAuditHead.self) { _ in
            let head = try await trail.head()
            return .value(AuditHead(service: service, seq: head.seq, hash: head.hash))
        }
        builder.routes.read(VerifyAudit.self) { call in
            let noted: AuditTrail.Head?
            switch (call.body.seq, call.body.hash) {
            case (let seq?, let hash?): noted = AuditTrail.Head(seq: seq, hash: hash)
            case (nil, nil): noted = nil
            default: throw Problem.invalid("", "a head has both seq and hash")
            }
            let verdict = try await trail.verify(noted: noted)
            let unsealed = try await trail.unsealedSince()
            switch verdict {
            case .intact(let head):
                return .value(
                    AuditVerification(
                        intact: true, head: .init(service: service, seq: head.seq, hash: head.hash),
                        unsealedSince: unsealed))
            case .broken(let seq, let fault):
                return .value(
                    AuditVerification(intact: false, brokenAt: seq, fault: fault, unsealedSince: unsealed))
            }
        }
        builder.watch(
            "audit", "unsealed", gauge: "audit_entries_overdue",
            help: "Entries of the audit trail that have waited for their seal for more than a minute.",
            output: { "\($0) entries have waited for their seal for more than a minute; the log says why" },
            count: { try await trail.countOverdue() })
    }
}
