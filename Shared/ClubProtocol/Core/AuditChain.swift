import HTTPTypes

/// The end of a service's audit chain: kept elsewhere, it shows later whether anything before it was changed or cut off.
package struct AuditHead: Codable, Hashable, Sendable {
    package var service: ServiceName
    /// How many entries are sealed.
    package var seq: Int64
    /// SHA-256 over the whole chain, in hexadecimal digits.
    package var hash: String

    package init(service: ServiceName, seq: Int64, hash: String) {
        self.service = service
        self.seq = seq
        self.hash = hash
    }
}

/// Shows the end of the audit chain, to be kept outside of the database.
package enum GetAuditHead: Endpoint {
    package static let operation = Operation(
        .get, "/v1/audit/head", "Shows the end of the audit chain.", access: .roles(.operator, .auditor))

    package typealias Response = AuditHead
}

/// Walks the audit chain from its beginning, and compares it with a head that was kept.
package enum VerifyAudit: Endpoint {
    package static let operation = Operation(
        .post, "/v1/audit/verifications", "Verifies the audit chain.", access: .roles(.operator, .auditor))

    /// A head that was kept. Without one, a chain that was cut off or rewritten together with its end looks whole.
    package struct Body: Codable, Sendable, BoundedFields {
        package var seq: Int64?
        package var hash: String?

        package static let bounds: KeyValuePairs<String, FieldBound> = ["seq": .values(0...9_007_199_254_740_991)]

        package init(seq: Int64? = nil, hash: String? = nil) {
            self.seq = seq
            self.hash = hash
        }
    }

    package typealias Response = AuditVerification
}

/// What a check of the audit chain found.
package struct AuditVerification: Codable, Hashable, Sendable {
    package enum Fault: String, Codable, CaseIterable, Sendable {
        /// The entry is not what was sealed.
        case changed
        /// The entry is missing, though later ones are there.
        case removed
        /// The entry does not follow the one before it.
        case misplaced
        /// From here on entries are missing.
        case cutOff
        /// From here on there are entries that were never sealed in order.
        case added
        /// The chain holds, and is not the one whose head was kept.
        case rewritten
        /// The chain holds, and what protects it in the database was taken away: triggers, functions or rights.
        case unguarded
    }

    package var intact: Bool
    /// The first entry at which the chain is broken.
    package var brokenAt: Int64?
    package var fault: Fault?
    /// The end of the chain, where it is intact.
    package var head: AuditHead?
    /// The time of the oldest entry that could be sealed and is not; for more than some seconds only where sealing fails.
    package var unsealedSince: Timestamp?

    package init(
        intact: Bool, brokenAt: Int64? = nil, fault: Fault? = nil, head: AuditHead? = nil,
        unsealedSince: Timestamp? = nil
    ) {
        self.intact = intact
        self.brokenAt = brokenAt
        self.fault = fault
        self.head = head
        self.unsealedSince = unsealedSince
    }
}
