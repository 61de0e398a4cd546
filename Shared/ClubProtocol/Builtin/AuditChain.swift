import HTTPTypes

/// The head of a service's audit chain. Kept outside the service, it later shows whether earlier entries were changed
/// or cut off.
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

/// Shows the head of the audit chain, to be kept outside the database.
package enum GetAuditHead: Endpoint {
    package static let operation = Operation(
        .get, "/v1/audit/head", "Shows the end of the audit chain.", access: .roles(.operator, .auditor))

    package typealias Response = AuditHead
}

/// Verifies the audit chain from its beginning and compares it with a head that was kept.
package enum VerifyAudit: Endpoint {
    package static let operation = Operation(
        .post, "/v1/audit/verifications", "Verifies the audit chain.", access: .roles(.operator, .auditor))

    /// A head that was kept. Without one, a chain that was truncated, or rewritten up to its end, looks intact.
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
        /// The entry differs from what was sealed.
        case changed
        /// The entry is missing, although later ones exist.
        case removed
        /// The entry does not follow the one before it.
        case misplaced
        /// Entries are missing from here on.
        case cutOff
        /// Entries from here on were never sealed in order.
        case added
        /// The chain is consistent, but is not the one whose head was kept.
        case rewritten
        /// The chain is consistent, but its protection in the database (triggers, functions or privileges) was
        /// removed.
        case unguarded
    }

    package var intact: Bool
    /// The first entry at which the chain breaks.
    package var brokenAt: Int64?
    package var fault: Fault?
    /// The head of the chain, if the chain is intact.
    package var head: AuditHead?
    /// The time of the oldest entry still to be sealed. More than a few seconds old only when sealing fails.
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
