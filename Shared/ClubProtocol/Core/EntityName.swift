/// The kind of a record in change feeds, webhooks and the audit trail, in lower camel case: `person`.
///
/// Each service declares the names of its own records beside its list of endpoints. An unknown name is kept: a feed may
/// come from a newer version of a service.
package struct EntityName: RawRepresentable, Codable, Hashable, Sendable {
    package let rawValue: String

    package init(rawValue: String) {
        self.rawValue = rawValue
    }
}

/// Records that every service has.
extension EntityName {
    package static let job = EntityName(rawValue: "job")
    package static let retentionRule = EntityName(rawValue: "retentionRule")
    package static let webhook = EntityName(rawValue: "webhook")
}
