import HTTPTypes

/// How long a service keeps a kind of data about people.
package struct RetentionRule: Codable, Hashable, Sendable {
    package var code: Line
    /// What is kept, and what happens to it at the end of the period.
    package var what: String
    package var months: Int
    /// How many are due now and would be handled by the next run.
    package var due: Int
    /// When the rule was last enforced, and on how many.
    package var lastRun: Timestamp?
    package var lastCount: Int?
    package var version: Int

    package init(
        code: Line, what: String, months: Int, due: Int, lastRun: Timestamp?, lastCount: Int?, version: Int
    ) {
        self.code = code
        self.what = what
        self.months = months
        self.due = due
        self.lastRun = lastRun
        self.lastCount = lastCount
        self.version = version
    }
}

/// Lists how long this service keeps which data, and how much is due. Does not enforce anything.
package enum ListRetentionRules: Endpoint {
    package static let operation = Operation(
        .get, "/v1/retention-rules", "Lists how long data about people is kept, and how much of it is due.",
        access: .roles(.operator, .auditor))

    package typealias Response = Page<RetentionRule>
}

/// Changes a retention period. A job enforces it every night.
package enum ChangeRetentionRule: Endpoint {
    package static let operation = Operation(
        .patch, "/v1/retention-rules/{rule}", "Changes how long something is kept.", access: .roles(.operator),
        problems: [.notFound], requiresIfMatch: true)

    package typealias Path = Line

    package struct Body: Codable, Sendable, BoundedFields {
        /// 1 to 600.
        package var months: Int

        package static let bounds: KeyValuePairs<String, FieldBound> = ["months": .values(1...600)]

        package init(months: Int) {
            self.months = months
        }
    }

    package typealias Response = RetentionRule
}

/// An item whose retention period is over.
package struct RetentionDue: Codable, Hashable, Sendable {
    package var id: Identifier<RetentionDue>
    /// When something last happened to it.
    package var since: Timestamp

    package init(id: Identifier<RetentionDue>, since: Timestamp) {
        self.id = id
        self.since = since
    }
}

/// Lists what the next run of a rule would handle.
package enum ListRetentionDue: Endpoint {
    package static let operation = Operation(
        .get, "/v1/retention-rules/{rule}/due", "Lists what the next run of a rule would affect.",
        access: .roles(.operator, .auditor), problems: [.notFound])

    package typealias Path = Line
    package typealias Query = Paged<Empty>
    package typealias Response = Page<RetentionDue>
}
