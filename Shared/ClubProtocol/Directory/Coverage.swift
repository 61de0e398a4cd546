import HTTPTypes

/// Who serves which département, on which topic.
package struct Coverage: Codable, Hashable, Sendable {
    /// Who is counted.
    package enum Subject: String, Codable, CaseIterable, Sendable {
        case ambassadors, experts
    }

    /// All 101, or those that were asked for, in the order of the State.
    package var departements: [DepartementCoverage]
}

/// Who serves a département. A count that was not asked for is absent.
package struct DepartementCoverage: Codable, Hashable, Sendable {
    package var departement: Departement
    package var name: String
    package var ambassadors: Int?
    package var experts: Int?
    /// By topic; topics that nobody serves there are left out.
    package var topics: [TopicCoverage]
}

/// Who serves a département on one topic.
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
    /// How many more it takes until there are enough of those that were asked about.
    package var missing: Int
}

/// Counts the ambassadors and experts who serve each département, in all and by topic.
package enum GetCoverage: Endpoint {
    package static let operation = Operation(
        .get, "/v1/coverage", "Counts who serves each département, by topic.", access: Coverage.access)

    package typealias Query = CoverageQuery
    package typealias Response = Coverage
}

/// Lists the départements and topics that fewer than enough serve, the worst first.
package enum ListCoverageGaps: Endpoint {
    package static let operation = Operation(
        .get, "/v1/coverage/gaps", "Lists the départements and topics that too few serve, worst first.",
        access: Coverage.access)

    package struct Query: Codable, Sendable, PagedQuery {
        /// How many are enough, 1 to 1,000; 3 unless said.
        package var enough: Int?
        package var topic: Topic?
        package var departement: Departement?
        package var region: Region?
        /// Without it, both are asked about.
        package var of: Coverage.Subject?
        package var limit: PageLimit?
        package var cursor: Cursor?

        package init(
            enough: Int? = nil, topic: Topic? = nil, departement: Departement? = nil, region: Region? = nil,
            of: Coverage.Subject? = nil, limit: PageLimit? = nil, cursor: Cursor? = nil
        ) {
            self.enough = enough
            self.topic = topic
            self.departement = departement
            self.region = region
            self.of = of
            self.limit = limit
            self.cursor = cursor
        }
    }

    package typealias Response = Page<CoverageGap>
}

/// The same counts as a table, zeros included: a line for each département and topic.
package enum ExportCoverage: Endpoint {
    package static let operation = Operation(
        .get, "/v1/coverage.csv", "Writes who serves each département, by topic, as a table.",
        access: Coverage.access, produces: .csv)

    package struct Query: Codable, Sendable {
        package var topic: Topic?
        package var departement: Departement?
        package var region: Region?
        /// Only these. Without it both are counted.
        package var of: Coverage.Subject?
        /// Semicolons and a byte order mark, as a French Excel reads a table by a double click.
        package var excel: Bool?

        package init(
            topic: Topic? = nil, departement: Departement? = nil, region: Region? = nil, of: Coverage.Subject? = nil,
            excel: Bool? = nil
        ) {
            self.topic = topic
            self.departement = departement
            self.region = region
            self.of = of
            self.excel = excel
        }
    }

    package typealias Response = TextDocument
}

/// The same counts as a map, one square a département, in French.
package enum GetCoverageMap: Endpoint {
    package static let operation = Operation(
        .get, "/v1/coverage.svg", "Draws who serves each département as a map of France.", access: Coverage.access,
        produces: .svg)

    package typealias Query = CoverageQuery
    package typealias Response = TextDocument
}

/// What of the coverage is asked for.
package struct CoverageQuery: Codable, Sendable {
    /// Only who knows this topic.
    package var topic: Topic?
    /// Only this département, and only the départements of this région; a map keeps the others without a count.
    package var departement: Departement?
    package var region: Region?
    /// Only these. Without it both are counted, and a map shows experts.
    package var of: Coverage.Subject?

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
    /// Counts name nobody: whoever plans with the field may see them.
    static let access = Access.roles(
        .operator, .editor, .auditor, .service, .representative, .ambassador)
}
