import HTTPTypes

/// How many ambassadors and experts serve each département, by topic.
package struct Coverage: Codable, Hashable, Sendable {
    /// Which of them are counted.
    package enum Subject: String, Codable, CaseIterable, Sendable {
        case ambassadors, experts
    }

    /// All 101, or those requested, in official order.
    package var departements: [DepartementCoverage]
}

/// How many serve a département. Counts that were not requested are absent.
package struct DepartementCoverage: Codable, Hashable, Sendable {
    package var departement: Departement
    package var name: String
    package var ambassadors: Int?
    package var experts: Int?
    /// By topic; topics that no one serves there are omitted.
    package var topics: [TopicCoverage]
}

/// How many serve a département on one topic.
package struct TopicCoverage: Codable, Hashable, Sendable {
    package var topic: Topic
    package var ambassadors: Int?
    package var experts: Int?

    package init(topic: Topic, ambassadors: Int? = nil, experts: Int? = nil) {
        self.topic = topic
        self.ambassadors = ambassadors
        self.experts = experts
    }
}

/// A département and a topic that too few serve.
package struct CoverageGap: Codable, Hashable, Sendable {
    package var departement: Departement
    package var name: String
    package var topic: Topic
    package var ambassadors: Int
    package var experts: Int
    /// How many more are needed, among those counted.
    package var missing: Int
}

/// Counts the ambassadors and experts who serve each département, in total and by topic.
package enum GetCoverage: Endpoint {
    package static let operation = Operation(
        .get, "/v1/coverage", "Counts who serves each département, by topic.", access: Coverage.access)

    package typealias Query = CoverageFilter
    package typealias Response = Coverage
}

/// Lists the départements and topics that fewer than `enough` serve, worst first.
package enum ListCoverageGaps: Endpoint {
    package static let operation = Operation(
        .get, "/v1/coverage/gaps",
        "Lists the départements and topics with too few experts or ambassadors, worst first.",
        access: Coverage.access)

    package struct Threshold: OptionalParameters {
        /// How many are enough, 1 to 1,000; 3 by default.
        package var enough: Int?

        package init() {}

        init(enough: Int?) {
            self.enough = enough
        }
    }

    package typealias Filter = Combined<CoverageFilter, Threshold>
    package typealias Query = Paged<Filter>
    package typealias Response = Page<CoverageGap>
}

/// The same counts as a table, zeros included: one row for each département and topic.
package enum ExportCoverage: Endpoint {
    package static let operation = Operation(
        .get, "/v1/coverage.csv", "Exports who serves each département, by topic, as a table.",
        access: Coverage.access, produces: .csv)

    package typealias Query = Table<CoverageFilter>
    package typealias Response = TextDocument
}

/// The same counts as a map in French, one square per département.
package enum GetCoverageMap: Endpoint {
    package static let operation = Operation(
        .get, "/v1/coverage.svg", "Draws who serves each département as a map of France.", access: Coverage.access,
        produces: .svg)

    package typealias Query = CoverageFilter
    package typealias Response = TextDocument
}

/// The filters of the coverage.
package struct CoverageFilter: OptionalParameters {
    /// Only those who know this topic.
    package var topic: Topic?
    /// Only this département, and only the départements of this région; a map shows the others without a count.
    package var departement: Departement?
    package var region: Region?
    /// Only these. If absent, both are counted, and a map shows experts.
    package var of: Coverage.Subject?

    package init() {}

    package init(
        topic: Topic? = nil, departement: Departement? = nil, region: Region? = nil, of: Coverage.Subject? = nil
    ) {
        self.topic = topic
        self.departement = departement
        self.region = region
        self.of = of
    }
}

extension Coverage {
    /// The counts name no one, so anyone who plans with the network may see them.
    static let access = Access.roles(
        .operator, .editor, .auditor, .service, .representative, .ambassador)
}

extension ListCoverageGaps.Filter {
    package init(_ filter: CoverageFilter = .init(), enough: Int? = nil) {
        self.init(filter, ListCoverageGaps.Threshold(enough: enough))
    }
}
